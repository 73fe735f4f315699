# Starts a script of ours, which "body" holds, in a session of its own. T is the token of its answers.
#
# A script ends everything in its process group when the connection ends. The group of a login is no place for that: with
# OpenSSH its rc files may have left something there, other servers run it in their own group, and a forced command
# may be a wrapper that still has to write its log.
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin; export PATH
ulimit -f 0
# What the host is there for goes first. Whatever we start inherits both.
renice -n 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
set +efmuvx
exec 5<&0 6>&2 2>/dev/null
# Where setsid does not work (there is none, it may not be run, it knows other words, it forks and leaves us alone), the script
# runs without it. So it is tried: this shell must be the parent of what it runs, and that the leader of its group.
means=$(exec setsid /bin/sh -c 'kill -0 "-$$" && echo "$PPID"' </dev/null)
# One command to its end: this shell must read nothing from standard input that is meant for the script.
{
  if [ "$means" = $$ ]; then
    printf 'T=%s own_group=1\n%s' "$T" "$body" | setsid /bin/sh -s 3<&5 2>&6 5<&- 6>&-
  else
    printf 'T=%s own_group=\n%s' "$T" "$body" | /bin/sh -s 3<&5 2>&6 5<&- 6>&-
  fi
  # To be killed is how a script ends that nobody needs any more.
  status=$?; [ $status != 137 ] || status=0
  exit $status
}
