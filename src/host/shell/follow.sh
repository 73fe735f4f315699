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
all=
cap 1048576 256

# Watches are numbers made by the console; paths are never part of a text that is evaluated.
get() { eval "$1=\$$2_$3"; }

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
  count=$(( (off + more - skip * bs + bs - 1) / bs )); opened=0
  if [ "$off" -lt "$mark" ]; then
    # Too little to compare: make sure that what is opened is what was looked at.
    { opened=1; now=$(stats /proc/self/fd/0); [ -z "$now" ] && now=$2
      if [ "${now%:*:*}" = "${2%:*:*}" ]; then send "$1" "$2"; else say C "$1" "$now"; fi; } <"$path"
  else
    send "$1" "$2" <"$path"
  fi
  # What cannot be opened after all is looked at again.
  if [ $opened = 0 ]; then eval "seen_$1="; return; fi
  eval "off_$1=$((off + more))"
  if [ $cut = 1 ]; then eval "seen_$1="; capped=$capped$chain' '; fi
}

send() {
  opened=1
  say F "$1" "$2" $((skip * bs))
  [ "$count" -gt 0 ] && dd bs=$bs skip=$skip count=$count 2>/dev/null
}

# absent i path: says once why a file cannot be read. In a folder that we may not enter nobody can say what is there.
absent() {
  why=missing
  if [ -e "$2" ]; then
    why=denied; [ -f "$2" ] || why=special
  else
    folder=${2%/*}
    until [ -e "$folder" ]; do case $folder in */*) folder=${folder%/*} ;; *) folder=; break ;; esac; done
    [ -x "${folder:-/}" ] || why=denied
  fi
  get seen seen "$1"
  [ "$seen" = "$why" ] || { eval "seen_$1=$why"; say X "$1" $why; }
}

# While files rest, a process waits for them instead of one being started for each look: tail, where it is GNU's, is
# woken by the kernel. Its first byte, new content or a complaint about a name, ends the dd behind it, and this is the
# sign to look. It is a sign only: what has happened is still found out by looking. Kept of it: watcher (the dd), quiet
# (looks in a row that found nothing), skip (looks to be left out while no sign comes), and misses (times in a row that it
# gave no sign, or one of nothing; after three it is not used again).
watcher= quiet=0 skip=0 misses=3 group= held= lost=
[ -r /proc/self/stat ] && read -r _ _ _ _ group _ </proc/self/stat &&
  case $(tail --version 2>/dev/null) in *GNU*) misses=0 ;; esac

# waits: whether the watcher has seen nothing yet. One that ended has no open files, though its number may stay.
waits() { [ -n "$watcher" ] && [ -e "/proc/$watcher/fd/0" ]; }

# rests: whether this look can be left out. Nobody watches names that stood for nothing at the last look.
rests() {
  [ $skip -gt 0 ] && waits || return 1
  skip=$((skip - 1))
  for i in $lost; do get path path "$i"; [ -e "$path" ] && return 1; done
  return 0
}

# start_watcher file…
start_watcher() {
  [ $# -gt 0 ] && [ $# -le 500 ] || return
  tail -q -n 0 -s 0.2 -F -- "$@" 2>&1 | dd bs=1 count=1 >/dev/null 2>&1 &
  watcher=$!
}

# stop_watcher: tail ends with its reader. The number may by now be that of a process of somebody else.
stop_watcher() {
  if read -r stat 2>/dev/null <"/proc/$watcher/stat"; then
    case $stat in "$watcher ("*") "[!ZX]" "*" $group "*) kill "$watcher" 2>/dev/null ;; esac
  fi
  watcher=
}

# looked changed: after a look, settles what the watcher was good for. Right after it has started every look is made, for
# it may not have been ready; later one in ten, in case it is blind (on some network mounts it is).
looked() {
  if waits; then
    if [ "$1" = 1 ]; then misses=$((misses + 1)); stop_watcher; fi
  elif [ -n "$watcher" ]; then
    watcher=; quiet=0
    if [ "$1" = 1 ]; then misses=0; else misses=$((misses + 1)); fi
  fi
  if [ "$1" = 1 ]; then quiet=0; return; fi
  quiet=$((quiet + 1))
  if [ -n "$watcher" ]; then
    [ $quiet -gt 5 ] && skip=9
  elif [ $quiet -gt 30 ] && [ $misses -lt 3 ]; then
    names $have; eval "start_watcher $list"; quiet=0
  fi
}

# names i…: the paths of these watches, as words that "eval" takes for variables.
names() { list=; for i do list="$list \"\$path_$i\""; done; }

# Most bytes of all files together that one poll brings, about: the console holds no more for us.
sum=4194304

# poll most: looks at every watch and reads what has grown.
poll() {
  if rests; then say E 0; return; fi
  most=$1; have=$order; gone=0
  if [ -z "$all" ]; then names $order; all=$list; fi
  eval "set -- $all"
  rest=$order
  for p do
    i=${rest%% *}; rest=${rest#* }
    [ -f "$p" ] && [ -r "$p" ] || { absent "$i" "$p"; gone="$gone $i "; }
  done
  if [ "$gone" != 0 ]; then
    have=; for i in $order; do case $gone in *" $i "*) : ;; *) have="$have$i " ;; esac; done
    names $have; eval "set -- $list"
  fi
  todo=; capped=' '; again=0
  if [ $# -gt 0 ]; then
    n=$#; found=$(stats "$@")
    set -- $found
    # One went away since the test above: whose is whose? The next poll knows.
    [ $# = $n ] || set -- $(for i in $have; do get p path "$i"; s=$(stats "$p"); echo "${s:-gone}"; done)
    n=0
    for i in $have; do
      get seen seen "$i"
      [ "$1" = "$seen" ] || [ "$1" = gone ] || { todo="$i=$1 $todo"; n=$((n + 1)); }
      shift
    done
    if [ $n -gt 0 ] && [ $((most * n)) -gt $sum ]; then most=$((sum / n)); fi
  fi
  for t in $todo; do
    i=${t%%=*}; s=${t#*=}
    get id id "$i"; get off off "$i"; get chain chain "$i"
    eval "seen_$i=\$s"
    size=${s#*:*:}; size=${size%%:*}
    case $capped in *" $chain "*) eval "seen_$i="; continue ;; esac
    if [ "${s%:*:*}" != "$id" ] || [ "$size" -lt "$off" ]; then say C "$i" "$s"; else read_file "$i" "$s" "$most"; fi
  done
  [ "$capped" = ' ' ] || again=1
  say E $again
  lost=${gone#0}
  if [ -n "$todo" ] || [ "$have" != "$held" ]; then held=$have; looked 1; else looked 0; fi
}

# watch i chain path id off [near]: a new watch. An old generation stands right behind the live name, watch "near": it
# is newer than those that stand there already.
watch() {
  eval "path_$1=\$3 chain_$1=\$2 id_$1=\$4 off_$1=\$5 seen_$1="; all= skip=0
  case " $order" in *" $1 "*) return ;; esac
  if [ -n "$6" ]; then o=" $order"; o=${o%%" $6 "*}" $6 $1 "${o#*" $6 "}; order=${o# }; else order="$1 $order"; fi
}

# forget i: looks at it no longer.
forget() {
  o=; for i in $order; do [ "$i" = "$1" ] || o="$o$i "; done; order=$o; all= skip=0
  unset "path_$1" "chain_$1" "id_$1" "off_$1" "seen_$1"
}

# numbered: what stat says of the files beside "path" that have a number or a date.
numbered() {
  set -- "$path"*
  for f do
    shift; n=${f#"$path"}
    # "app.log-20261120130000.backup": what logrotate finds under the name where it is about to create the next log.
    case ${n%.backup} in ''|[!-._]*|*[!-._0-9]*) continue ;; esac
    [ -f "$f" ] && [ -r "$f" ] && [ $# -lt 1000 ] && set -- "$@" "$f"
  done
  [ $# -gt 0 ] && stats "$@"
}

# find new i id off: the file with this identity among the names that begin with the path of watch i; with it what
# lies beside it under a number or a date. Of what was rotated twice between two looks it has the second generation.
find_sibling() {
  get path path "$2"; get chain chain "$2"
  new=$1 near=$2 id=$3 off=$4 again=$5
  set -- "$path"*
  for f do
    [ "$f" != "$path" ] && [ -f "$f" ] || continue
    s=$(stats "$f")
    if [ "${s%:*:*}" = "$id" ]; then
      watch "$new" "$chain" "$f" "$id" "$off" "$near"
      say V "$new" "$s"
      # While a rotation is under way one listing may miss a file that moves: all are given until two have the same files.
      had=none
      for look in 1 2 3 4 5 6; do
        listed=$(numbered); has=
        for s in $listed; do has="$has ${s%:*:*}"; done
        [ "$has" = "$had" ] && break
        had=$has; printf '%s\n' "$listed"
      done
      return
    fi
  done
  # A rotation that is under way moves files from name to name behind our back: look once more before saying no.
  if [ -z "$again" ]; then find_sibling "$new" "$near" "$id" "$off" again; else say V "$new" -; fi
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

# expand number pattern: what a pattern matches, but for folders. With IFS empty a pattern is expanded and nothing else.
expand() {
  blanks=$IFS; IFS=; set -- "$1" $2; IFS=$blanks
  say G "$1" $(($# - 1)); shift
  n=0
  for f do
    [ -d "$f" ] && continue
    if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\000' "$f"; n=$((n + 1)); fi
    [ $n -ge 1000 ] && break
  done
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
  # Twice, for a frame is whole when the next begins.
  say R; say R
  while read -r op a b c d; do
    case $op in
      P) poll "$a" ;;
      W) c=$(printf '%b.' "$c"); watch "$a" "$b" "${c%.}" - 0 ;;
      A) eval "id_$a=\$b off_$a=\$c seen_$a="; skip=0; continue ;;
      V) find_sibling "$a" "$b" "$c" "$d" ;;
      Y) candidates "$a" "$b" ;;
      N) forget "$a" ;;
      G) b=$(printf '%b.' "$b"); expand "$a" "${b%.}" ;;
      D) describe ;;
      M) sample ;;
      U) usage ;;
    esac
    # Ends the last answer, which could otherwise not be told from one that is still on its way.
    say .
  done
}
