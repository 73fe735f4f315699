# Many files, in batches: as many as a program takes at once, and as few as a shell goes through quickly.
#
# put file: one more of a batch. When it is full, and at "flush", the function in "handle" gets its files as operands.
put() {
  batched=$((batched + 1)); eval "batch_$batched=\$1"
  [ $batched -lt 500 ] || flush
}
batched=0

flush() {
  [ $batched -gt 0 ] || return 0
  operands=; k=0
  while [ $k -lt $batched ]; do k=$((k + 1)); operands="$operands \"\$batch_$k\""; done
  batched=0; eval "$handle $operands"
}

# stats_of file…: what stat says of each, a word in "found"; "gone" of one that went away. Fails where one did.
stats_of() {
  found=$(stats "$@"); count $found
  [ $words != $# ] || return 0
  found=$(for f do s=$(stats "$f"); echo "${s:-gone}"; done); return 1
}

count() { words=$#; }

# newest number: the numbers of so many files, those that were changed last first. Lines of a time and a number come in.
newest() { { sort -rn 2>/dev/null || cat; } | head -n "$1" | { while read -r _ n; do echo "$n"; done; }; }
