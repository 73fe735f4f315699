# Follows the journal: the first request says what of it, each later one brings a piece of at most 64 KiB.
#
# As with files nothing is sent unasked: while the console does not ask, the pipe fills and journalctl waits.
serve() {
  say R; say R
  read -r unit cursor lines follow || return
  unit=$(printf '%b.' "$unit"); unit=${unit%.}
  cursor=$(printf '%b.' "$cursor"); cursor=${cursor%.}
  # What it keeps to itself when quiet: that there is no journal, or that the login may not see all of it.
  why=$(journalctl --no-pager --lines=0 2>&1 >/dev/null); code=$?
  if [ "$code" != 0 ] || [ -n "$why" ]; then say W "$code"; printf '%s' "$why"; say .; fi
  set -- --no-pager --quiet --all --output=json
  [ "$unit" = - ] || set -- "$@" "--unit=$unit"
  if [ "$cursor" = - ]; then set -- "$@" "--lines=$lines"; else set -- "$@" "--after-cursor=$cursor" --lines=all; fi
  [ "$follow" = 1 ] && set -- "$@" --follow
  exec 4<&0
  journalctl "$@" | while read -r op <&4; do
    say J; dd bs=65536 count=1 2>/dev/null; say .
  done
}
