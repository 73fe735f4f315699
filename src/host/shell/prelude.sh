# What every script of ours begins with. Requests come by descriptor 3. Set before this text are T, the token; own_group, 1 where
# nobody but us is in our process group; and perhaps lease_s, the seconds of the lease.
#
# Everything runs in one process group. The left side of the last pipeline hands our requests on; when they end,
# because the console said so, was killed, or the connection broke, it ends all of us, whatever we are doing.
LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin; export PATH
unset CDPATH ENV BASH_ENV GREP_OPTIONS TIME_STYLE POSIXLY_CORRECT
# The kernel kills whatever tries to write to a file: plain mode cannot leave anything behind. Pipes are not files.
ulimit -f 0; ulimit -c 0 2>/dev/null
# A login may have given its shell's options to ours (bash: SHELLOPTS). With -m each job would be a group.
set +efmuvx
# Words end at blanks and line ends.
IFS=' 
'

# end_all: ends every process of ours. Where we have a group for ourselves it is the group. KILL, for a shell that is just
# starting something could lose another signal between its fork and its exec.
end_all() {
  [ "$own_group" != 1 ] || kill -KILL 0
  self=; [ ! -r /proc/self/stat ] || read -r self _ </proc/self/stat
  [ -n "$self" ] || self=$(exec sh -c 'echo $PPID')
  # All of them stand still before the first is killed: the children of one that is killed would be nobody's.
  ours=
  for round in 1 2 3 4 5 6 7 8 9; do
    last=$ours; descendants
    [ "$ours" != "$last" ] || break
    signal_ours STOP
  done
  signal_ours KILL
  kill -KILL $$
  exit
}

# signal_ours name: all but this process, and $$ is killed last.
signal_ours() {
  for p in $ours; do
    case $p in "$self") : ;; $$) [ "$1" = KILL ] || kill -"$1" $$ ;; *) kill -"$1" "$p" ;; esac
  done 2>/dev/null
}

# descendants: $$ and what comes from it, between blanks in "ours".
descendants() {
  parents=
  if [ -r /proc/self/stat ]; then
    for f in /proc/[0-9]*/stat; do
      read -r stat <"$f" || continue
      p=${f#/proc/}; set -- ${stat##*") "}; parents="$parents${p%/stat}:$2 "
    done
  else
    set -- $(ps -A -o pid= -o ppid=)
    while [ $# -gt 1 ]; do parents="$parents$1:$2 "; shift 2; done
  fi 2>/dev/null
  ours=" $$ "; before=
  until [ "$ours" = "$before" ]; do
    before=$ours
    for p in $parents; do
      case $ours in *" ${p%:*} "*) : ;; *" ${p#*:} "*) ours="$ours${p%:*} " ;; esac
    done
  done
}

# A frame: newline, token, what it is. Its body follows and ends where the next frame begins.
say() { printf '\n%s %s\n' "$T" "$*"; }

# cap KiB files [seconds]: most memory and open files of each process from here on, and most processor time of each where
# the work ends by itself: a follower lives for weeks. Not for programs that map more than they use (journalctl, docker,
# kubectl). What is stricter already stays, and what a shell cannot limit is not limited.
cap() {
  ulimit -v "$1" 2>/dev/null; ulimit -n "$2" 2>/dev/null
  [ -z "$3" ] || ulimit -t "$3" 2>/dev/null
}

# Ends everything if the console has not renewed this for ten minutes: the server does not notice a connection that
# went silent without a word. The sleep is a child that the trap can end, or it would outlive the renewal. One that fails has
# measured no time.
lease() {
  [ -n "$leased" ] && kill "$leased" 2>/dev/null && wait "$leased" 2>/dev/null
  ( trap 'kill $s; exit' TERM; sleep "${lease_s:-600}" & s=$!; wait $s && end_all ) >/dev/null 2>&1 &
  leased=$!
}

# Hands on requests, but for the renewal of the lease, which must not wait for what is being answered. Where nobody takes
# them any more (what answers has died of writing to a broken connection) it must live on, to end the rest.
hand_on() {
  trap '' PIPE
  lease
  while IFS= read -r request; do
    case $request in renew) lease ;; *) printf '%s\n' "$request" 2>/dev/null || break ;; esac
  done
}
