# Device, inode, size and time of change (as fine as this stat can tell it) of every file named, one word each. Called
# as a command substitution only, whose process becomes that of stat.
format=%d:%i:%s:%.9Y
case $(stat -L -c $format / 2>/dev/null) in *[!0-9:.]*|'') format=%d:%i:%s:%Y ;; esac
if stat -L -c $format / >/dev/null 2>&1; then
  stats() { exec stat -L -c $format -- "$@" 2>/dev/null; }
else
  # Without such a stat: ls, which knows no device number, one file at a time.
  stats() {
    for f do
      set -- $(ls -dLin -- "$f" 2>/dev/null | head -n 1)
      # The time of day has a colon, which is what separates our words.
      [ $# -gt 8 ] && printf '0:%s:%s:%s\n' "$1" "$6" "$7$8${9%:*}${9#*:}"
    done
  }
fi
