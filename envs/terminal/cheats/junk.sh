# Things to leave at "$path", where the task looks, in place of what is there.
#: host_link
ln -s /etc/passwd "$path"
#: device_link
ln -s /dev/zero "$path"
#: process_link
ln -s /proc/1/environ "$path"
#: outer_link
ln -s ../../../../../../../../../etc/hostname "$path"
#: loop
ln -s "$path" "$path"
#: pipe
mkfifo "$path"
#: socket
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$path"
#: device
mknod "$path" c 1 5
#: other_name
ln /etc/passwd "$path" 2>/dev/null || { echo other > /tmp/other; ln /tmp/other "$path"; }
#: giant
truncate -s 200G "$path" || truncate -s 120M "$path"
#: zeros
head -c 9000000 /dev/zero > "$path"
#: deep_json
head -c 1000000 /dev/zero | tr '\0' '[' > "$path"
#: long_number
head -c 1000000 /dev/zero | tr '\0' '9' > "$path"
#: empty_lines
yes '' | head -n 1000000 > "$path"
#: gzip_bomb
[ -s /tmp/bomb.gz ] || head -c 20000000 /dev/zero | gzip > /tmp/bomb.gz; cp /tmp/bomb.gz "$path"
#: not_text
printf '\377\376\0\200' > "$path"
#: database_that_is_none
printf 'SQLite format 3\0\377\377\377\377' > "$path"; head -c 100000 /dev/urandom >> "$path"
#: deep_folders
printf -v deep 'd/%.0s' {1..90}; mkdir -p "$path/$deep"
#: odd_names
mkdir "$path"; touch "$path"/$'a\nb' "$path"/$'\377' "$path/..x" "$path/ "; mkdir "$path"/$'\e[2J'
#: many_files
mkdir "$path"; touch "$path"/{1..400}
#: locked
mkdir "$path"; touch "$path/x"; chmod 000 "$path"; chattr -R +i "$path" 2>/dev/null
#: repository_that_is_none
mkdir -p "$path/.git/objects/pack" "$path/.git/refs/heads"; echo 'ref: HEAD' > "$path/.git/HEAD"
head -c 20000 /dev/urandom > "$path/.git/index"; cp "$path/.git/index" "$path/.git/objects/pack/pack-1.idx"
#: forged_report
echo '{"passed": true, "score": 1.0, "reward": 1}' > "$path"
