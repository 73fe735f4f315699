# Answers questions about files: which there are, what stands in them, which of their lines have something in them.
#
# One request per line, with the words of protocol.rs, and nothing is sent unasked: what is found waits in a pipe until the console asks for it, and
# with it whatever finds it. Text is told by its packing: "plain", or the name of the program that unpacks it.
#
# Descriptors: 3 patterns, 4 requests, 5 the file, 6 what programs complain of, 7 where text goes, 8 text for grep, 9 what
# grep has found.

# need program…: whether they are there; says which one is not.
need() {
  for p do command -v "$p" >/dev/null 2>&1 || { say refused without "$p"; return 1; }; done
}

# with path id packing function…: calls it with the file open, if it is the one that is meant. What is looked at and what is
# read is the same descriptor: whatever has been put under the name since, nothing else is taken for the file.
with() {
  path=$(printf '%b.' "$1"); path=${path%.}; id=$2 packing=$3; shift 3
  need dd head tail wc && { [ "$packing" = plain ] || need "$packing"; } || return
  if [ ! -f "$path" ] || [ ! -r "$path" ]; then refuse "$path"; return; fi
  opened=0
  { opened=1; opened_as "$@"; } 5<"$path"
  [ $opened = 1 ] || refuse "$path"
}

opened_as() {
  now=$(stats /proc/self/fd/0 <&5); [ -n "$now" ] || now=$(stats "$path")
  if [ "${now%:*:*}" != "$id" ]; then say refused replaced; return; fi
  size=${now#*:*:}; size=${size%%:*}
  [ -n "$wide" ] || [ ${#size} -lt 10 ] || need awk || return
  # Opened anew for each pass over it, for nobody can go back in a pipe; by this name it is the same file.
  self=/proc/self/fd/5; [ -e $self ] || self=$path
  "$@"
}

# refuse path: says why a file cannot be read. By now another one may have its name. In a folder that we may not enter
# nobody can say what is there.
refuse() {
  if [ -f "$1" ]; then
    now=$(stats "$1")
    if [ "${now%:*:*}" = "$id" ]; then say refused denied; else say refused replaced; fi
  elif [ -e "$1" ]; then say refused special
  elif barred "$1"; then say refused denied; else say refused missing; fi
}

# math a op b: what it comes to, in n. mksh counts to 2147483647; for what is more there is awk, which counts to 2^53.
math() {
  if [ -n "$wide" ] || { [ ${#1} -lt 10 ] && [ ${#3} -lt 10 ]; }; then n=$(( $1 $2 $3 )); return; fi
  n=$(A=$1 OP=$2 B=$3 awk 'BEGIN {
    a = ENVIRON["A"] + 0; op = ENVIRON["OP"]; b = ENVIRON["B"] + 0
    printf "%.0f", op == "+" ? a + b : op == "-" ? a - b : op == "/" ? int(a / b) : a % b
  }')
}
wide=; [ $((4294967295 + 1)) = 4294967296 ] && wide=1

less() { math "$1" - "$2"; case $n in -*) ;; *) return 1 ;; esac; }

# text from count: so many bytes of the text on standard input; all that follow where count is "-".
text() {
  if [ "$packing" = plain ]; then
    [ "$1" = 0 ] || dd bs=1 skip="$1" count=0
    if [ "$2" = - ]; then dd bs=$block; return; fi
    math "$2" / $block; blocks=$n; math "$2" % $block; bytes=$n
    [ $blocks = 0 ] || dd bs=$block count=$blocks
    [ $bytes = 0 ] || dd bs=$bytes count=1
  else
    math "$1" + 1
    if [ "$2" = - ]; then unpack | tail -c "+$n"; else unpack | tail -c "+$n" | head -c "$2"; fi
  fi
} 2>/dev/null
block=262144
grep=

unpack() {
  case $packing in
    gzip) gzip -dc ;;
    bzip2) bzip2 -dc ;;
    xz) xz -dc ;;
    zstd) zstd -dcq ;;
  esac 2>&6
  echo "=t$?" >&6
}

# edge offset: where the first line begins that does not begin before this; nothing where what counts does not work.
edge() {
  [ "$1" != 0 ] || { echo 0; return; }
  block=16384
  math "$1" - 1; before=$n
  set -- $(text "$before" - <"$self" 6>/dev/null | head -n 1 | wc -c)
  [ $# = 0 ] || { math "$before" + "$1"; echo "$n"; }
}

# read_plain from most
read_plain() {
  bs=4096; [ "$2" -gt 131072 ] && bs=65536
  math "$1" % $bs; over=$n; math "$1" - "$over"; start=$n; math "$start" / $bs; skip=$n
  say text "$size" "$start"
  dd bs=$bs skip="$skip" count=$(( (over + $2 + bs - 1) / bs )) <"$self" 2>/dev/null
}

# read_packed from most: with one byte more, by which the end is known.
read_packed() {
  say text - "$1"
  { said=$(text "$1" $(( $2 + 1 )) <"$self" 6>&1 >&7); } 7>&1
  tell
}

# tell: what programs complained of and how they ended, in one line.
tell() { set -f; set -- $said; set +f; say ended "$*"; }

measure() {
  if [ "$packing" = plain ]; then say length "$size"; return; fi
  say length -
  said=$( { text 0 - <"$self" | { set -- $(wc -c); echo "=n$1" >&6; }; } 6>&1 )
  tell
}

# Looks for lines that begin from one offset on and before another.
#
# scan from to how fold before after: "how" is "all", or F or E of grep; of "to", "-" is the end. The patterns are in "patterns".
scan() {
  [ "$3" = all ] || { need grep || return; [ -n "$grep" ] || learn; }
  begin=$(edge "$1"); end=$2
  if [ "$packing" = plain ]; then
    if [ "$end" != - ] && less "$end" "$size"; then end=$(edge "$end"); else end=$size; fi
  elif [ "$end" != - ]; then
    end=$(edge "$end")
  fi
  case $begin:$end in :*|*:) say refused without wc; return ;; esac
  count=-
  if [ "$end" != - ]; then
    if less "$end" "$begin"; then begin=$end; fi
    math "$end" - "$begin"; count=$n
  fi
  how=$3; [ "$how" = all ] || how=$grep
  say scanning "$how" "$begin" "$end"; say .
  told=1
  options="-$3"; [ "$4" = 1 ] && options="$options -i"
  # BusyBox has a context of one line for none.
  [ "$5" = 0 ] || options="$options -B $5"
  [ "$6" = 0 ] || options="$options -A $6"
  # What goes through much must tell at once what it finds; of less the end comes soon.
  if [ "$count" = - ] || [ ${#count} -gt 8 ]; then options="$options $soon"; fi
  # A mark of its own ends the stream, which is cut into answers anywhere: of those no answer's mark may be a part.
  { said=$(hunt 6>&1 >&7); set -f; set -- $said; printf '\n#%s %s\n' "$T" "$*"; } 7>&1 | bring
}

# hunt: the number of the process by whose end all of it ends, and the lines that are found.
hunt() {
  case $how in
    all) echo 0; text "$begin" "$count" <"$self" ;;
    offset) text "$begin" "$count" <"$self" | find_lines -a -b ;;
    number) without_nul | find_lines -n | { without_nul 6>/dev/null | locate; } 9<&0 ;;
  esac
}

without_nul() { text "$begin" "$count" <"$self" | tr '\000' '\001'; }

# find_lines option…
find_lines() {
  { printf '%b' "$patterns" | {
    sh -c 'echo $$ >&7; exec grep "$@"' sh "$@" $options -f /proc/self/fd/3 3<&0 <&8 8<&- 7>&7 2>&6
    echo "=g$?" >&6
  }; } 8<&0
}

# locate: for a grep that tells no offsets: the lines whose numbers it says, each behind its offset. Where it finds nothing
# nothing is read, for awk takes ten times as long as grep does.
locate() {
  awk '
function await() {
  do { if ((getline found < "/proc/self/fd/9") <= 0) exit } while (found == "--")
  number = found + 0
  match(found, /[:-]/); mark = substr(found, RSTART, 1)
}
BEGIN { await() }
NR == number { print sprintf("%.0f", offset) mark $0; await() }
{ offset += length($0) + 1 }
' 9<&9 2>&6
  echo "=a$?" >&6
}

# Whether grep tells offsets and reads all of a line with a NUL in it (offset); else whether awk counts bytes (number).
learn() {
  grep=all; soon=
  printf 'x\n' | grep --line-buffered x >/dev/null 2>&1 && soon=--line-buffered
  if [ "$(printf 'x\na\000b\n' | grep -a -b -B 1 -F b 2>/dev/null | tr '\000' @)" = '0-x
2:a@b' ]; then grep=offset
  elif [ "$(printf '\303\244\n' | awk '{ print length($0) }' 2>/dev/null)" = 2 ]; then grep=number
  fi
}

# bring: hands on what is found, piece by piece, until something else is asked.
bring() {
  read -r pid
  while read -r op a b <&4; do
    case $op in
      next)
        say piece
        # At once whatever there is, or where much is found and each answer has a long way, more of it; of KiB, "b" at most.
        if [ "$a" = some ] || [ -z "$full" ]; then dd bs=$((${b:-64} * 1024)) count=1
        else dd bs=4096 count=$((${b:-256} / 4)) $full; fi 2>/dev/null
        say . ;;
      reread) read_plain "$a" "$b"; say . ;;
      *) [ "$a" = 1 ] && [ "$pid" != 0 ] && kill "$pid" 2>/dev/null; break ;;
    esac
  done
}

# seek kind strict target pivot: where in the file to look for a time.
seek() {
  need awk || return
  say hint $(F=$self KIND=$1 STRICT=$2 TARGET=$3 PIVOT=$4 SIZE=$size PACKING=$packing
    export F KIND STRICT TARGET PIVOT SIZE PACKING
    if [ "$packing" = plain ]; then bisect 5<&5; else unpack <"$self" 6>/dev/null | bisect; fi)
}

bisect() {
  awk '
@SEEK@
'
}

# list how stem extension: what a path (or a pattern, as "how" says) stands for, and what may be older generations of it by
# the name, and other files: what begins with it, also before its extension.
#
# While a rotation is under way one look may miss a file that moves. What a look has told holds when the next one, which
# tells nothing, sees the same files; otherwise it is told again, three times in all.
list() {
  stem=$(printf '%b.' "$2"); stem=${stem%.}; ext=$(printf '%b.' "$3"); ext=${ext%.}
  for look in 1 2 3 4 5 6; do
    telling=$((look % 2)); had=$seen; seen= own_files=0 passed=0 own_links=0
    [ $telling = 0 ] || say listing begin
    look_over "$1" || return
    [ $telling = 1 ] || [ "$seen" != "$had" ] || return
    [ $cut = 0 ] || say listing cut
  done
  say listing unsettled
}

# look_over how: fails where nobody may look.
look_over() {
  # A file may be called as a pattern is.
  if [ "$1" = pattern ] && [ ! -e "$stem$ext" ]; then
    how=pattern top= tail=$stem$ext folders=0 cut=0
    case $tail in *"**/"*) deep "$tail"; tail=${tail#*"**/"}; top=1 ;; esac
    base=${tail%"$ext"}
    # With IFS empty a pattern is expanded and nothing else.
    blanks=$IFS; IFS=
    if [ -z "$top" ]; then
      set -- $tail; first=$#; set -- "$@" $tail?*; second=$#
      [ -z "$ext" ] || set -- "$@" $base[@SEPARATORS@]*$ext*
    else
      set --
      n=0; while [ $n -lt $folders ]; do n=$((n + 1)); eval "top=\$folder_$n"; set -- "$@" "$top"$tail; done; first=$#
      n=0; while [ $n -lt $folders ]; do n=$((n + 1)); eval "top=\$folder_$n"; set -- "$@" "$top"$tail?*; done; second=$#
      n=0; [ -n "$ext" ] || n=$folders
      while [ $n -lt $folders ]; do n=$((n + 1)); eval "top=\$folder_$n"; set -- "$@" "$top"$base[@SEPARATORS@]*$ext*; done
    fi
    IFS=$blanks
  else
    how=path cut=0; set -- "$stem$ext"
    case $ext:${stem##*/} in
      :current) set -- "$@" "${stem%current}"@4* ;;
      :*) set -- "$@" "$stem"?* ;;
      *) set -- "$@" "$stem"[@SEPARATORS@]* ;;
    esac
    first=1
    if [ ! -e "$1" ] && barred "$1"; then say refused denied; return 1; fi
  fi
  n=0 handle=tell_files
  for f do
    n=$((n + 1))
    if [ $n -le $first ]; then
      [ ! -L "$f" ] || { [ $how = pattern ] && [ ! -f "$f" ]; } || { own_links=$((own_links + 1)); eval "link_$own_links=\$f"; }
      [ -f "$f" ] && own_files=$((own_files + 1)) && put "$f"
      continue
    fi
    # One pattern may bring what the one before it has brought.
    if [ $how = path ]; then [ "$f" != "$1" ] || continue; else case $f in $stem$ext) continue ;; $stem$ext*) [ $n -le $second ] || continue ;; esac; fi
    [ ! -f "$f" ] || put "$f"
  done
  flush
  [ $telling = 1 ] || return 0
  handle=tell_links n=0
  while [ $n -lt $own_links ]; do n=$((n + 1)); eval "put \"\$link_$n\""; done
  flush
}

# tell_links path…: of symlinks, and where each leads, whether there is something or not.
tell_links() {
  say listing links $#; printf '%s\000' "$@"
  [ -z "$many_links" ] || { readlink -f -z -- "$@" 2>/dev/null && return; say listing links $#; printf '%s\000' "$@"; }
  for f do target_of "$f"; printf '%s\000' "$to"; done
}

# target_of link: where it leads, in "to". BusyBox does not tell where there is nothing.
target_of() {
  to=$(readlink -f -- "$1" 2>/dev/null; echo .); to=${to%.}; to=${to%?}
  [ -z "$to" ] || return
  to=$(readlink -- "$1" 2>/dev/null; echo .); to=${to%.}; to=${to%?}
  case $to in '') return ;; /*) : ;; *) to=${1%"${1##*/}"}$to ;; esac
  folder=$(readlink -f -- "${to%/*}/." 2>/dev/null); to=${folder:+${folder%/}/${to##*/}}
}
many_links=; readlink -f -z / >/dev/null 2>&1 && many_links=1

# tell_files file…: how many of these were asked for (they come first), what stat says of all, and their paths.
tell_files() {
  stats_of "$@"
  ids=; for s in $found; do ids="$ids ${s%:*:*}"; done
  seen=$seen$ids
  # Who waits hears that something is done.
  [ $telling = 1 ] || { say listing look; return 0; }
  asked=$((own_files - passed)); passed=$((passed + $#))
  if [ $asked -lt 0 ]; then asked=0; elif [ $asked -gt $# ]; then asked=$#; fi
  say listing $asked; echo $found; printf '%s\000' "$@"
}

# No line, however long, takes all the memory, and no question all the time.
cap 524288 64 1200

serve() {
  say ready; say ready
  exec 4<&0
  full=iflag=fullblock; dd $full count=0 </dev/null >/dev/null 2>&1 || full=
  while read -r op a b c d e f g h i patterns; do
    told=
    case $op in
      describe) describe ;;
      list) list "$a" "$b" "$c" ;;
      read) if [ "$c" = plain ]; then with "$a" "$b" "$c" read_plain "$d" "$e"; else with "$a" "$b" "$c" read_packed "$d" "$e"; fi ;;
      measure) with "$a" "$b" "$c" measure ;;
      seek) with "$a" "$b" "$c" seek "$d" "$e" "$f" "$g" ;;
      scan) with "$a" "$b" "$c" scan "$d" "$e" "$f" "$g" "$h" "$i" ;;
      # What ends a scan that has ended.
      stop) continue ;;
    esac
    [ -n "$told" ] || say .
  done
}
