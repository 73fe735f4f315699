# Follows many files and samples metrics by answering requests, one per line: a letter and its operands.
#
# Nothing is sent unasked, so the console sets the pace and no queue can run over. The console decides what the
# answers mean; here is only what has to be done on the spot, without a round trip: look at all files with one
# process, and read those that have grown.
#
# Of each watch i: path_i, chain_i (the source it belongs to), id_i (device:inode), off_i (bytes asked for so far),
# seen_i (what stat said last). "order" lists the watches, newest generation first: a file that stands earlier is
# looked at earlier and read later, so that no line of a new generation is seen without the end of the old one.
order=

# Watches are numbers made by the console; paths are never part of a text that is evaluated.
get() { eval "$1=\$$2_$3"; }

# Device, inode, size and time of change (as fine as this stat can tell it) of every file named, one word each.
format=%d:%i:%s:%.9Y
case $(stat -L -c $format / 2>/dev/null) in *[!0-9:.]*|'') format=%d:%i:%s:%Y ;; esac
if stat -L -c $format / >/dev/null 2>&1; then
  stats() { stat -L -c $format -- "$@" 2>/dev/null; }
else
  # Without such a stat: ls, which knows no device number, one file at a time.
  stats() {
    for f do
      set -- $(ls -dLin -- "$f" 2>/dev/null | head -n 1)
      [ $# -gt 5 ] && printf '0:%s:%s:%s\n' "$1" "$6" "$7$8$9"
    done
  }
fi

# Bytes before our offset that are read again each time: the console compares them, and so notices that a file was
# rewritten or swapped whatever its size and number say.
mark=1024

# read_file i stat most: what lies beyond off_i, at most so many bytes.
read_file() {
  get path path "$1"; get off off "$1"
  size=${2#*:*:}; size=${size%%:*}
  more=$((size - off)); cut=0
  if [ "$more" -gt "$3" ]; then more=$3; cut=1; fi
  bs=4096; [ "$more" -gt 32768 ] && bs=65536
  skip=0; [ "$off" -gt "$mark" ] && skip=$(( (off - mark) / bs ))
  count=$(( (off + more - skip * bs + bs - 1) / bs ))
  if [ "$off" -lt "$mark" ]; then
    # Too little to compare: make sure that what is opened is what was looked at.
    { now=$(stats /proc/self/fd/0); [ -z "$now" ] && now=$2
      if [ "${now%:*:*}" = "${2%:*:*}" ]; then send "$1" "$2"; else say C "$1" "$now"; fi; } <"$path"
  else
    send "$1" "$2" <"$path"
  fi
  eval "off_$1=$((off + more))"
  if [ $cut = 1 ]; then eval "seen_$1="; capped=$capped$chain' '; fi
}

send() {
  say F "$1" "$2" $((skip * bs))
  [ "$count" -gt 0 ] && dd bs=$bs skip=$skip count=$count 2>/dev/null
}

# absent i path: says once why a file cannot be read.
absent() {
  why=missing
  if [ -e "$2" ]; then why=denied; [ -f "$2" ] || why=special; fi
  get seen seen "$1"
  [ "$seen" = "$why" ] || { eval "seen_$1=$why"; say X "$1" $why; }
}

# poll most path…: looks at every watch and reads what has grown.
poll() {
  most=$1; shift
  have=; rest=$order
  for p do
    shift; i=${rest%% *}; rest=${rest#* }
    if [ -f "$p" ] && [ -r "$p" ]; then set -- "$@" "$p"; have="$have$i "; else absent "$i" "$p"; fi
  done
  todo=; capped=' '
  if [ $# -gt 0 ]; then
    n=$#; set -- $(stats "$@")
    # A file went away since the test above: the next poll will tell.
    [ $# = $n ] || set --
    for i in $have; do
      [ $# -gt 0 ] || break
      get seen seen "$i"
      [ "$1" = "$seen" ] || todo="$i=$1 $todo"
      shift
    done
  fi
  for t in $todo; do
    i=${t%%=*}; s=${t#*=}
    get id id "$i"; get off off "$i"; get chain chain "$i"
    eval "seen_$i=\$s"
    size=${s#*:*:}; size=${size%%:*}
    case $capped in *" $chain "*) eval "seen_$i="; continue ;; esac
    if [ "${s%:*:*}" != "$id" ] || [ "$size" -lt "$off" ]; then say C "$i" "$s"; else read_file "$i" "$s" "$most"; fi
  done
  again=0; [ "$capped" = ' ' ] || again=1
  say E $again
}

# watch i chain path id off [old]: a new watch; the old generation of a source stands behind its newer one.
watch() {
  eval "path_$1=\$3 chain_$1=\$2 id_$1=\$4 off_$1=\$5 seen_$1="
  case " $order" in *" $1 "*) return ;; esac
  if [ -n "$6" ]; then order="$order$1 "; else order="$1 $order"; fi
}

# find new i id off: the file with this identity among the names that begin with the path of watch i.
find_sibling() {
  get path path "$2"; get chain chain "$2"
  set -- "$1" "$2" "$3" "$4" "$path"*
  new=$1 i=$2 id=$3 off=$4; shift 4
  for f do
    [ "$f" != "$path" ] && [ -f "$f" ] || continue
    s=$(stats "$f")
    if [ "${s%:*:*}" = "$id" ]; then
      watch "$new" "$chain" "$f" "$id" "$off" old
      say V "$new" "$s"; return
    fi
  done
  say V "$new" -
}

# candidates i off: the bytes before the offset of every sibling that reaches so far.
candidates() {
  get path path "$1"; i=$1 off=$2
  skip=0; [ "$off" -gt "$mark" ] && skip=$(( (off - mark) / 4096 ))
  count=$(( (off - skip * 4096 + 4095) / 4096 )); k=0
  for f in "$path"*; do
    [ "$f" != "$path" ] && [ -f "$f" ] && [ -r "$f" ] || continue
    case $f in *.gz|*.bz2|*.xz|*.zst) continue ;; esac
    s=$(stats "$f"); size=${s#*:*:}; size=${size%%:*}
    [ "${size:-0}" -ge "$off" ] || continue
    k=$((k + 1)); [ $k -gt 32 ] && break
    say Y "$i" "$s" $((skip * 4096))
    dd bs=4096 skip=$skip count=$count <"$f" 2>/dev/null
  done
  say Z "$i"
}

# expand number pattern: the files that a pattern matches. With IFS empty a pattern is expanded and nothing else.
expand() {
  blanks=$IFS; IFS=; set -- "$1" $2; IFS=$blanks
  say G "$1" $(($# - 1)); shift
  n=0
  for f do
    if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\000' "$f"; n=$((n + 1)); fi
    [ $n -ge 1000 ] && break
  done
}

# describe: what does not change while we are connected, a name and a value to a line.
describe() {
  say D
  echo "clock $(date '+%s.%N %z')"
  echo "uname $(uname -s) $(uname -m) $(uname -r)"
  echo "hostname $(uname -n)"
  [ -r /proc/sys/kernel/random/boot_id ] && read -r boot </proc/sys/kernel/random/boot_id && echo "boot $boot"
  echo "cores $(getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
  echo "user $(id -un 2>/dev/null) $(id -Gn 2>/dev/null)"
  if command -v journalctl >/dev/null 2>&1 && { [ -d /run/log/journal ] || [ -d /var/log/journal ]; }; then
    echo journal
  fi
}

sample() {
  say M
  # One process reads them all, but for a line that is long and of no use. Missing files and those that say "not supported" are passed over.
  grep -sv '^intr ' @PROC_FILES@
  for n in /sys/class/net/*/device; do [ -e "$n" ] && printf '%s:\n' "$n"; done
}

# usage: df of the file systems that live on disks, after the list of all. Never of a network, where it could hang.
usage() {
  say U
  [ -r /proc/self/mounts ] || return
  cat /proc/self/mounts; echo --
  set --
  while read -r dev at type rest; do
    case $type in @DISK_FS@) : ;; *) [ "$at" = / ] || continue ;; esac
    at=$(printf '%b.' "$at"); set -- "$@" "${at%.}"
    [ $# -ge 64 ] && break
  done </proc/self/mounts
  [ $# -gt 0 ] || return
  limit=; command -v timeout >/dev/null 2>&1 && limit='timeout 5'
  $limit df -P -k "$@" 2>/dev/null; echo --; $limit df -P -i "$@" 2>/dev/null
}

serve() {
  lease
  # Twice, for a frame is whole when the next begins.
  say R; say R
  while read -r op a b c d e; do
    case $op in
      P) poll "$a" "$@" ;;
      W) c=$(printf '%b.' "$c"); watch "$a" "$b" "${c%.}" - 0 ;;
      A) eval "id_$a=\$b off_$a=\$c seen_$a="; continue ;;
      V) find_sibling "$a" "$b" "$c" "$d" ;;
      Y) candidates "$a" "$b" ;;
      N) o=; for i in $order; do [ "$i" = "$a" ] || o="$o$i "; done; order=$o ;;
      G) b=$(printf '%b.' "$b"); expand "$a" "${b%.}" ;;
      D) describe ;;
      M) sample ;;
      U) usage ;;
      K) lease ;;
    esac
    # Ends the last answer, which could otherwise not be told from one that is still on its way.
    say .
    case $op in W|V|N) set --; for i in $order; do get p path "$i"; set -- "$@" "$p"; done ;; esac
  done
}
