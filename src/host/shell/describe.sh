# describe: what does not change while we are connected, a name and a value to a line.
describe() {
  say described
  echo "clock $(date '+%s.%N %z')"
  # A file of a time zone ends in the rules that hold from its last change on.
  echo "zone $(tail -n 1 /etc/localtime 2>/dev/null | tr -cd '[:print:]')"
  grep -s '^btime ' /proc/stat
  grep -s '^MemTotal:' /proc/meminfo
  [ -r /proc/uptime ] && read -r up idle </proc/uptime && echo "uptime $up"
  echo "uname $(uname -s) $(uname -m) $(uname -r)"
  echo "hostname $(uname -n)"
  [ -r /proc/sys/kernel/random/boot_id ] && read -r boot </proc/sys/kernel/random/boot_id && echo "boot $boot"
  echo "cores $(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
  echo "user $(id -un 2>/dev/null) $(id -Gn 2>/dev/null)"
  if command -v journalctl >/dev/null 2>&1 && { [ -d /run/log/journal ] || [ -d /var/log/journal ]; }; then
    echo journal
  fi
}
