# Follows many files and samples metrics by answering requests, one per line: a word and its operands. The words of both
# ends are in protocol.rs.
#
# Nothing is sent unasked, so the console sets the pace and no queue can run over. The console decides what the
# answers mean; here is only what has to be done on the spot, without a round trip: look at all files with one
# process, and read those that have grown.
#
# Of each watch i: path_i, chain_i (the source it belongs to), id_i (device:inode), off_i (bytes asked for so far),
# seen_i (what stat said last); of a live name also beside_i and archived_i (patterns for its generations). "order" lists the watches, newest generation first: a file that stands earlier is
# looked at earlier and read later, so that no line of a new generation is seen without the end of the old one.
order=
all=
cap 1048576 256

# Watches are numbers made by the console; paths are never part of a text that is evaluated.
get() { eval "$1=\$$2_$3"; }

# Bytes before our offset that are read again each time: the console compares them, and so notices that a file was
# rewritten or swapped whatever its size and number say.
mark=@MARKER@

# read_file i stat most: what lies beyond off_i, at most so many bytes.
read_file() {
  get path path "$1"; get off off "$1"
  size=${2#*:*:}; size=${size%%:*}
  more=$((size - off)); cut=0
  if [ "$more" -gt "$3" ]; then more=$3; cut=1; fi
  bs=1024; [ "$more" -gt 8192 ] && bs=4096; [ "$more" -gt 32768 ] && bs=65536
  skip=0; [ "$off" -gt "$mark" ] && skip=$(( (off - mark) / bs ))
  count=$(( (off + more - skip * bs + bs - 1) / bs )); opened=0
  if [ "$off" -lt "$mark" ]; then
    # Too little to compare: make sure that what is opened is what was looked at.
    { opened=1; now=$(stats /proc/self/fd/0); [ -z "$now" ] && now=$2
      if [ "${now%:*:*}" = "${2%:*:*}" ]; then send "$1" "$now"; else say changed "$1" "$now"; fi; } <"$path"
  else
    send "$1" "$2" <"$path"
  fi
  # What cannot be opened after all is looked at again.
  if [ $opened = 0 ]; then eval "seen_$1="; return; fi
  # A disk or a server that gives no more: whatever it does then, the same bytes are asked for again.
  if [ $opened = 2 ]; then
    eval "seen_$1="; words=$(tail -c 1 <"$path" 2>&1 >/dev/null); [ -z "$words" ] || fails "$1" "$words"
    return
  fi
  eval "off_$1=$((off + more))"
  if [ $cut = 1 ]; then eval "seen_$1="; capped=$capped$chain' '; fi
}

send() {
  opened=1
  say read "$1" "$2" $((skip * bs))
  [ "$count" = 0 ] || dd bs=$bs skip=$skip count=$count 2>/dev/null || opened=2
}

# read_packed i stat most: the same of a compressed file; only who counts the bytes knows whether there are more.
read_packed() {
  get path path "$1"; get off off "$1"; get chain chain "$1"
  from=0; [ "$off" -gt "$mark" ] && from=$((off - mark))
  opened=0
  { opened=1; now=$(stats /proc/self/fd/0); [ -z "$now" ] && now=$2
    if [ "${now%:*:*}" = "${2%:*:*}" ]; then
      say unpacked "$1" "$2" $from $((off - from + $3))
      unpack "$path" | tail -c +$((from + 1)) | head -c $((off - from + $3))
    else
      say changed "$1" "$now"
    fi; } <"$path"
  eval "seen_$1="
  if [ $opened = 1 ]; then eval "off_$1=$((off + $3))"; capped=$capped$chain' '; fi
}

# fails i words: the file system does not work; the words are those of a program.
fails() { say absent "$1" failing; printf '%s\n' "$2"; }

# absent i path: says once why there is no file. In a folder that we may not enter nobody can say what is there.
absent() {
  # It is there by now.
  [ -f "$2" ] && return
  get seen seen "$1"
  # While the folder is not there either, nothing has changed.
  [ "$seen" = failing ] && ! [ -e "${2%/*}/." ] && return
  if [ -e "$2" ]; then why=special; elif barred "$2"; then why=denied; else why=missing; fi
  [ "$seen" = "$why" ] && return
  if [ $why != special ]; then
    # No test can tell a file system that fails from a name that stands for nothing, but ls has words for it.
    words=$(ls -dLin -- "$2" 2>&1 >/dev/null)
    case $words in
      # It is there again.
      '') return ;;
      *'No such file'*|*'Not a directory'*|*'ermission denied'*|*'ymbolic link'*|*'name too long'*) : ;;
      *) [ "$seen" = failing ] || { eval "seen_$1=failing"; fails "$1" "$words"; }; return ;;
    esac
  fi
  eval "seen_$1=$why"
  if [ $why = denied ]; then say denied "$1" -; whose "$barrier"; else say absent "$1" $why; fi
}

# denied i stat: says once of each file that has the name that we may not read it. A name that moved while it was looked at
# is looked at again.
denied() {
  get seen seen "$1"; get path path "$1"; why=denied:${2%:*:*}
  [ ! -r "$path" ] || return
  [ "$seen" = "$why" ] || { eval "seen_$1=\$why"; say denied "$1" "$2"; whose "$path"; }
}

# While files rest, a process waits for them instead of one being started for each look: tail, where it is GNU's, is
# woken by the kernel. Its first byte, new content or a complaint about a name, ends the dd behind it, and this is the
# sign to look. It is a sign only: what has happened is still found out by looking. Kept of it: watcher (the dd), quiet
# (looks in a row that found nothing), skip (looks to be left out while no sign comes), and misses (times in a row that it
# gave no sign, or one of nothing; after three it is not used again).
watcher= quiet=0 skip=0 misses=3 group= held= lost=
[ -r /proc/self/stat ] && read -r _ _ _ _ group _ </proc/self/stat &&
  case $(tail --version 2>/dev/null) in *GNU*) misses=0 ;; esac

# lives pid: whether a process of ours has not ended. One that ended has no open files, though its number may stay; where
# there is no /proc nobody can tell, and nobody waits. One that has just begun may have closed its input and not opened it again (dash).
lives() { [ -e "/proc/$1/fd/0" ] || [ -e "/proc/$1/fd/2" ]; }

# waits: whether the watcher has seen nothing yet.
waits() { [ -n "$watcher" ] && lives "$watcher"; }

# rests: whether this look can be left out. Nobody watches names that stood for nothing we may read at the last look.
rests() {
  [ $skip -gt 0 ] && waits || return 1
  skip=$((skip - 1))
  for i in $lost; do get path path "$i"; [ -r "$path" ] && return 1; done
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

# leave_out " i "…: takes these watches out of "have".
leave_out() {
  kept=; for i in $have; do case $1 in *" $i "*) : ;; *) kept="$kept$i " ;; esac; done; have=$kept
}

# poll most sum: looks at every watch and reads what has grown: at most so many bytes of each, and of all together, about.
poll() {
  if rests; then say polled 0; return; fi
  most=$1; sum=${2:-4194304}; have=$order; gone=0; shut=0
  if [ -z "$all" ]; then names $order; all=$list; fi
  eval "set -- $all"
  rest=$order
  for p do
    i=${rest%% *}; rest=${rest#* }
    if [ ! -f "$p" ]; then absent "$i" "$p"; gone="$gone $i "; elif [ ! -r "$p" ]; then shut="$shut $i "; fi
  done
  if [ "$gone" != 0 ]; then
    leave_out "$gone"; names $have; eval "set -- $list"
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
      case $shut in
        *" $i "*) [ "$1" = gone ] || denied "$i" "$1" ;;
        *) [ "$1" = "$seen" ] || [ "$1" = gone ] || { todo="$i=$1 $todo"; n=$((n + 1)); } ;;
      esac
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
    get packed packed "$i"
    if [ -n "$packed" ] && [ "${s%:*:*}" = "$id" ]; then read_packed "$i" "$s" "$most"; continue; fi
    if [ "${s%:*:*}" != "$id" ] || [ "$size" -lt "$off" ]; then say changed "$i" "$s"; else read_file "$i" "$s" "$most"; fi
  done
  [ "$capped" = ' ' ] || again=1
  say polled $again
  [ "$shut" = 0 ] || leave_out "$shut"
  lost=${gone#0}${shut#0}
  if [ -n "$todo" ] || [ "$have" != "$held" ]; then held=$have; looked 1; else looked 0; fi
}

# watch i chain path id off [near]: a new watch. An old generation stands right behind the live name, watch "near": it
# is newer than those that stand there already.
watch() {
  eval "path_$1=\$3 chain_$1=\$2 id_$1=\$4 off_$1=\$5 seen_$1= packed_$1= real_$1="; all= skip=0
  [ -n "$6" ] && is_packed "$3" && eval "packed_$1=1"
  case " $order" in *" $1 "*) return ;; esac
  if [ -n "$6" ]; then o=" $order"; o=${o%%" $6 "*}" $6 $1 "${o#*" $6 "}; order=${o# }; else order="$1 $order"; fi
}

# read_from i id off: the name stands for this file, which is read from here.
read_from() {
  eval "id_$1=\$2 off_$1=\$3 seen_$1="; get path path "$1"
  [ -L "$path" ] || return
  to=$(readlink -f -- "$path" 2>/dev/null); s=$(stats "$to")
  [ "${s%:*:*}" = "$2" ] && eval "real_$1=\$to"
}

# forget i: looks at it no longer.
forget() {
  o=; for i in $order; do [ "$i" = "$1" ] || o="$o$i "; done; order=$o; all= skip=0
  unset "path_$1" "chain_$1" "id_$1" "off_$1" "seen_$1" "packed_$1" "real_$1" "beside_$1" "archived_$1"
}

# bases i: where generations of watch i lie: what its patterns match, and where its name is a link what lies beside the
# file it pointed to when it was read, for a log of which only the link is moved on.
bases() { get path path "$1"; get real real "$1"; get beside beside "$1"; get archived archived "$1"; }

# neighbours function: hands it the files that may be generations, in batches. "target" is the name of what the link pointed
# to while it is the turn of the files beside that. Of a name with a date those with any other date are such files.
neighbours() {
  handle=$1 target=
  blanks=$IFS; IFS=; set -- $beside $archived; IFS=$blanks
  for f do [ ! -f "$f" ] || put "$f"; done
  flush
  [ -n "$real" ] || return 0
  target=${real##*/}; stem=${target%%[0-9][0-9][0-9][0-9]*}
  [ "$stem" != "$target" ] || stem=${target%.*}
  [ -n "$stem" ] || stem=$target
  for f in "${real%"$target"}$stem"*; do [ ! -f "$f" ] || put "$f"; done
  flush
}

# heads i: what stat says of the generations that are not compressed, and the sum of their first bytes. Of many those that
# were changed last: whoever compresses files begins with the newest.
heads() {
  bases "$1"; i=$1 can=0; neighbours keep_dated
  say heads "$i"
  [ $can -gt 0 ] || return 0
  for k in $(latest 8); do
    get f may "$k"
    [ ! -r "$f" ] || { s=$(stats /proc/self/fd/0); [ -n "$s" ] || s=$(stats "$f"); echo $s $(head -c $mark | cksum); } <"$f" 2>/dev/null
  done
}

# unpack name: what standard input unpacks to, going by the name.
unpack() { case $1 in *.gz) gzip -dc ;; *.bz2) bzip2 -dc ;; *.xz) xz -dc ;; *.zst) zstd -dcq ;; esac 2>/dev/null; }

is_packed() { case $1 in @PACKED@) return 0 ;; *) return 1 ;; esac; }

# take file…: what stat says of each, and its name, as a part in "part_1" to "part_$parts"; "has" becomes which files have
# which names, and "fled" 1 where one went away meanwhile. Which of them are generations the console knows by the names.
take() {
  stats_of "$@" || fled=1
  part=${target:+"= $target$nl"} names=
  for s in $found; do
    f=${1##*/}; case $f in *"$nl"*) f=$(printf '%s.' "$f" | tr '\n' '\001'); f=${f%.} ;; esac
    part="$part$s $f$nl"; names="$names ${s%:*:*} $f"; shift
  done
  has=$has$names; parts=$((parts + 1)); eval "part_$parts=\$part"
}
nl='
'

# list i: the generations beside watch i. While a rotation is under way one listing may miss a file that moves: only what
# two in a row have under the same names is the truth.
list() {
  bases "$1"; had=none whole=0
  for look in 1 2 3 4 5 6; do
    has= parts=0 fled=0; neighbours take
    if [ $fled = 0 ]; then
      [ "$has" != "$had" ] || { whole=1; break; }
      had=$has
    else
      had=none
    fi
  done
  k=1
  while [ $k -lt $parts ]; do say listed "$1" +; get part part $k; printf '%s' "$part"; k=$((k + 1)); done
  say listed "$1" $whole; [ $parts = 0 ] || { get part part $k; printf '%s' "$part"; }
}

# has_mark file: whether these bytes stand before the offset, by their sum; in a compressed file, in what it unpacks to.
has_mark() {
  from=$((off - length + 1))
  if is_packed "$1"; then
    set -- $(unpack "$1" <"$1" | tail -c +$from | head -c $length | cksum)
  else
    set -- $(tail -c +$from <"$1" 2>/dev/null | head -c $length | cksum)
  fi
  [ "$1:$2" = "$crc:$length" ]
}

# found file stat: it is an old generation from now on.
found() { s=$2; watch "$new" "$chain" "$1" "${s%:*:*}" "$off" "$near"; say found "$new" "$s"; }

# find new i id off [crc length since]: the file with this identity among those that may be generations of watch i;
# where there is none, one that has the same bytes before the offset.
find_sibling() {
  bases "$2"; get chain chain "$2"
  new=$1 near=$2 id=$3 off=$4 crc=$5 length=$6 since=$7
  # A rotation that is under way moves files from name to name behind our back: no is said when two looks saw the same,
  # and the bytes were compared between them.
  had=none
  for look in 1 2 3 4 5 6; do
    has= hit= can=0; neighbours weigh
    [ -z "$hit" ] || { found "$hit" "$s"; return; }
    [ "$has" = "$had" ] && [ $look -gt 2 ] && break
    had=$has
    [ -n "$crc" ] && [ $look -gt 1 ] || continue
    for k in $(latest 64); do
      get f may "$k"
      [ -f "$f" ] && [ -r "$f" ] && has_mark "$f" && { found "$f" "$(stats "$f")"; return; }
    done
  done
  say found "$new" -
}

# weigh file…: whether one has the identity ("hit", and what stat says, "s"). Keeps those that may have its bytes: one that
# is long enough, and of compressed ones, which have the time of change of what they were made of, one that is not older.
weigh() {
  [ -z "$hit" ] || return 0
  stats_of "$@"; names=
  for s in $found; do
    # The name itself has what is being read now.
    [ "$1" != "$path" ] || { shift; continue; }
    [ "${s%:*:*}" != "$id" ] || { hit=$1; return; }
    names="$names ${s%:*:*} $1"
    if ! is_packed "$1"; then
      size=${s#*:*:}; size=${size%%:*}
      [ "$s" = gone ] || [ "$size" -lt "$off" ] || keep "$1" "$s"
    else
      time=${s##*:}; time=${time%.*}
      case $time in ''|*[!0-9]*) : ;; *) [ "$time" -lt "${since:-0}" ] || keep "$1" "$s" ;; esac
    fi
    shift
  done
  has=$has$names
}

# keep file stat: one of several that are to be taken by their times: "may_1" to "may_$can".
keep() {
  time=${2##*:}; time=${time%.*}; case $time in ''|*[!0-9]*) time=0 ;; esac
  can=$((can + 1)); eval "may_$can=\$1 time_$can=\$time"
}

# latest most: the numbers of those that were kept, the one that was changed last first.
latest() {
  k=0
  while [ $k -lt $can ]; do k=$((k + 1)); get time time $k; echo "$time $k"; done | newest "$1"
}

# hole i off: how far the NUL bytes go, found by halving, and believed only where the file has no more blocks than what
# lies behind them.
hole() {
  get path path "$1"; s=$(stats "$path"); size=${s#*:*:}; size=${size%%:*}
  low=$(($2 / 4096)); high=$(((size - 1) / 4096)); to=$2
  if block $high; then
    while [ $((high - low)) -gt 1 ]; do
      middle=$(((low + high) / 2))
      if block $middle; then high=$middle; else low=$middle; fi
    done
    set -- "$1" "$2" $(stat -L -c '%b %B' -- "$path" 2>/dev/null)
    [ $# = 4 ] && [ $(($3 * $4)) -le $((size - high * 4096 + 16384)) ] && to=$((high * 4096))
  fi
  say hole "$1" "$s" $to
}

# block n: whether there is more in this block of "path" than NUL bytes.
block() { [ "$(dd bs=4096 skip="$1" count=1 <"$path" 2>/dev/null | tr -d '\000' | wc -c)" -gt 0 ]; }

# compare i off: the bytes before the offset of the siblings that reach so far; the first of those that do not, which
# may have been copied before the rest was written. Of many those that were changed last: a copy is new.
compare() {
  bases "$1"; i=$1 off=$2
  back=0; [ "$off" -gt "$mark" ] && back=$(( (off - mark) / 4096 ))
  can=0; neighbours keep_plain
  for k in $(latest 32); do
    get f may "$k"
    [ -r "$f" ] || continue
    s=$(stats "$f"); size=${s#*:*:}; size=${size%%:*}
    [ -n "$s" ] || continue
    first=$back count=$(( (off - back * 4096 + 4095) / 4096 ))
    [ "${size:-0}" -ge "$off" ] || { first=0 count=1; }
    say candidate "$i" "$s" $((first * 4096))
    dd bs=4096 skip=$first count=$count <"$f" 2>/dev/null
  done
  say compared "$i"
}

keep_plain() {
  stats_of "$@"
  for s in $found; do [ "$s" = gone ] || [ "$1" = "$path" ] || is_packed "$1" || keep "$1" "$s"; shift; done
}

# keep_dated file…: the same of those that have a number or a date.
keep_dated() {
  stats_of "$@"
  for s in $found; do
    case $s:${1##*/} in gone:*) : ;; *:*[0-9]*) [ "$1" = "$path" ] || is_packed "$1" || keep "$1" "$s" ;; esac
    shift
  done
}

# expand number pattern: the logs that a pattern matches, without folders, archives and what is plainly by its name an older
# generation of another one that it matches; the console knows more of names. Of many, and where files have the names of
# days of the week, those that were changed last come first.
expand() {
  pattern=$2 fixed=${2%%[*?[]*} folder=
  [ "$fixed" = "$2" ] || case $fixed in */*) folder=${fixed%/*}; folder=${folder:-/} ;; *) folder=. ;; esac
  tail=$2 folders=0 cut=0 k=0 in_turn=0
  case $tail in *"**/"*) deep "$tail"; tail=${tail#*"**/"} ;; esac
  blanks=$IFS; IFS=; set -- "$1" $2
  while [ $k -lt $folders ]; do k=$((k + 1)); eval "f=\$folder_$k"; set -- "$@" "$f"$tail; done
  IFS=$blanks
  if [ -n "$folder" ] && [ ! -e "$2" ] && [ ! -L "$2" ] && unlisted "$folder"; then
    say barred "$1"; whose "$barrier"; return
  fi
  number=$1 any=0 logs=0; shift
  for f do
    [ ! -d "$f" ] && { [ -e "$f" ] || [ -L "$f" ]; } || continue
    any=1; is_older "$f" || { logs=$((logs + 1)); eval "log_$logs=\$f"; }
    case $f in *[@SEPARATORS@][MTWFSmtwfs][ouehra][neduit]*) in_turn=1 ;; esac
  done
  say expanded "$number" $logs $any $cut
  n=0
  if [ $logs -le @MOST_EXPANDED@ ] && [ $in_turn = 0 ]; then
    while [ $n -lt $logs ]; do n=$((n + 1)); get f log $n; printf '%s\000' "$f"; done
  else
    can=0 handle=keep_all
    while [ $n -lt $logs ]; do n=$((n + 1)); get f log $n; put "$f"; done; flush
    for n in $(latest @MOST_EXPANDED@); do get f may "$n"; printf '%s\000' "$f"; done
  fi
}

keep_all() {
  stats_of "$@"
  for s in $found; do keep "$1" "$s"; shift; done
}

# is_older file: whether it is compressed, or has the name of another one that the pattern matches, and numbers behind that.
is_older() {
  case $1 in @ARCHIVES@) return 0 ;; esac
  numbers=${1##*[!@SEPARATORS@0-9]}; live=${1%"$numbers"}
  case $numbers in [@SEPARATORS@]*) : ;; *) return 1 ;; esac
  [ -e "$live" ] || return 1
  # As a pattern, not as a text.
  case $live in $pattern) return 0 ;; esac
  return 1
}

# unlisted folder: whether we may not see what is in it.
unlisted() {
  if [ -d "$1" ]; then barrier=$1; [ ! -r "$1" ] || [ ! -x "$1" ]; else barred "$1"; fi
}

# Where a file system has hung, a path is touched by a process of its own first, in all the ways in which we do: it is
# waited for by asking again, and hangs instead of us.
#
# try watch_I path; try pattern_P pattern: whether this has been answered.
try() {
  get pid tried "$1"
  if [ -z "$pid" ]; then
    ( case $1 in pattern*) expand 0 "$2"; exit ;; esac
      if [ -f "$2" ] && [ -r "$2" ]; then tail -c 1 <"$2"; for f in "$2"*; do [ -f "$f" ]; done; fi
    ) </dev/null >/dev/null 2>&1 &
    pid=$!; eval "tried_$1=\$pid"
  fi
  if lives "$pid"; then say tried "$1" 0; else eval "tried_$1="; say tried "$1" 1; fi
}

sample() {
  say counters
  # One process reads them all, but for a line that is long and of no use. Missing files and those that say "not supported" are passed over.
  grep -sv '^intr ' @PROC_FILES@
  for n in /sys/class/net/*/device; do [ -e "$n" ] && printf '%s:\n' "$n"; done
}

# usage: df of the file systems that live on disks, after the list of all. Never of a network, where it could hang. What
# mounts were made with is left out: of containers it is longer than all the rest.
usage() {
  say disks
  [ -r /proc/self/mounts ] || return
  while read -r dev at type rest; do printf '%s %s %s\n' "$dev" "$at" "$type"; done </proc/self/mounts; echo --
  # Older ones of BusyBox want -t before the seconds.
  limit=; timeout 5 true >/dev/null 2>&1 && limit='timeout 5'
  handle=kib_of; put_disks; echo --
  handle=inodes_of; put_disks
}

kib_of() { $limit df -P -k "$@" 2>/dev/null; }
inodes_of() { $limit df -P -i "$@" 2>/dev/null; }

put_disks() {
  while read -r dev at type rest; do
    case $type in @DISK_FS@) : ;; *) [ "$at" = / ] || continue ;; esac
    at=$(printf '%b.' "$at"); put "${at%.}"
  done </proc/self/mounts
  flush
}

serve() {
  # Twice, for a frame is whole when the next begins.
  say ready; say ready
  while read -r op a b c d e; do
    case $op in
      poll) poll "$a" "$b" ;;
      watch)
        c=$(printf '%b.' "$c"); watch "$a" "$b" "${c%.}" - 0
        d=$(printf '%b.' "$d"); e=$(printf '%b.' "$e"); eval "beside_$a=\${d%.} archived_$a=\${e%.}" ;;
      read_from) read_from "$a" "$b" "$c"; continue ;;
      find) find_sibling "$a" "$b" "$c" "$d" $e ;;
      list) list "$a" ;;
      hole) hole "$a" "$b" ;;
      compare) compare "$a" "$b" ;;
      heads) heads "$a" ;;
      forget) forget "$a" ;;
      try) b=$(printf '%b.' "$b"); try "$a" "${b%.}" ;;
      expand) b=$(printf '%b.' "$b"); expand "$a" "${b%.}" ;;
      describe) describe ;;
      sample) sample ;;
      usage) usage ;;
    esac
    # Ends the last answer, which could otherwise not be told from one that is still on its way.
    say .
  done
}
