# Runs programs that print logs: journalctl, docker, podman, kubectl, and commands of the inventory.
#
# A request is the words of one program; then what it prints is asked for in pieces of so many bytes at most. As with files
# nothing is sent unasked: while the console does not ask, the pipe fills and the program waits.

# pieces: hands out standard input as it is asked for. Any other request ends it, and with its pipe the program.
pieces() {
  while read -r op most <&4; do
    case $op in next) say piece; dd bs="${most:-65536}" count=1 2>/dev/null; say . ;; *) return ;; esac
  done
}

# run word…: each word has a "=" before it, so that none is empty. Nothing of them is ever evaluated.
run() {
  n=$#
  while [ "$n" -gt 0 ]; do
    w=$(printf '%b.' "$1"); w=${w%.}; shift
    set -- "$@" "${w#=}"; n=$((n - 1))
  done
  # The end is told in the stream itself, behind the last line; no line of a log has the token.
  { "$@" 2>&1 </dev/null 3<&- 4<&-; printf '\n%s:exit %s\n' "$T" "$?"; } | pieces
}

serve() {
  # Twice, for a frame is whole when the next begins.
  say ready; say ready
  exec 4<&0
  while read -r op rest; do
    case $op in
      run) run $rest; say . ;;
      describe) describe; say . ;;
    esac
  done
}
