# Finds by bisection in which block of a file the first line stands that is not older than a time. Moments are compared as
# texts of one length. Of the file only blocks are read, each by a command in which nothing but a number of ours differs.
#
# A compressed file has no blocks to go to: its text is on standard input, and read once, with a look at the time of a line
# now and then, until one is not older.
#
# Prints the offset of a block (or of a line) before which no line is as new, the number of reads, and whether all that was seen is in
# order; or "-" where no stamps were seen.
function two(s) { return length(s) < 2 ? "0" s : s "" }

# The moment that a line says, or nothing.
function key(line,    m, p, k, y, mo, d, h, after, t) {
  sub(/^<[0-9]+>/, "", line)
  line = substr(line, 1, 512)
  if (!match(line, re[kind]) || (strict && RSTART != 1)) return ""
  m = substr(line, RSTART, RLENGTH)
  after = substr(line, RSTART + RLENGTH, 4)
  if (kind == "tai") return substr(m, 2)
  if (kind == "epoch") { gsub(/[^0-9]/, "", m); return substr(m "000000000", 1, 19) }
  if (kind == "compact") { gsub(/[^0-9]/, "", m); return substr(m "000000000", 1, 23) }
  if (match(m, /[A-Z][a-z][a-z]/)) {
    k = index("JanFebMarAprMayJunJulAugSepOctNovDec", substr(m, RSTART, 3))
    if (!k) return ""
    m = substr(m, 1, RSTART - 1) " " ((k + 2) / 3) " " substr(m, RSTART + 3)
  }
  sub(/^[^0-9]+/, "", m)
  split(m, p, /[^0-9]+/)
  y = ""; k = 4
  if (kind == "iso" || kind == "ymd") { y = p[1]; mo = p[2]; d = p[3] }
  else if (kind == "dmy" || kind == "access") { d = p[1]; mo = p[2]; y = p[3] }
  else if (kind == "mdy") { mo = p[1]; d = p[2]; y = p[3] }
  else if (kind == "klog") { k = 2; mo = substr(p[1], 1, 2); d = substr(p[1], 3, 2) }
  else if (kind == "yymmdd") { k = 2; y = substr(p[1], 1, 2); mo = substr(p[1], 3, 2); d = substr(p[1], 5, 2) }
  else { k = 3; mo = p[1]; d = p[2] }
  if (length(y) == 2) y = (y + 0 < 69 ? "20" : "19") y
  h = p[k]
  if (after ~ /^ ?[AaPp][.]?[Mm]/) { h = h % 12; if (after ~ /^ ?[Pp]/) h += 12 }
  t = two(mo) two(d) two(h) two(p[k + 1]) two(p[k + 2]) substr(p[k + 3] "000000000", 1, 9)
  # Without a year: of the last twelve months.
  if (y == "") return (t > pivot ? "0" : "1") t
  return y t
}

# About how many seconds a moment is after others.
function value(k,    y) {
  if (kind == "tai") return 0
  if (kind == "epoch") return substr(k, 1, 10) + substr(k, 11, 3) / 1000
  y = length(k) - 19
  return ((substr(k, 1, y) * 12 + substr(k, y + 1, 2)) * 31 + substr(k, y + 3, 2)) * 86400 \
    + substr(k, y + 5, 2) * 3600 + substr(k, y + 7, 2) * 60 + substr(k, y + 9, 2) + substr(k, y + 11, 3) / 1000
}

# The moment of the first line with one that begins in a block.
function look(n,    command, line, first, k) {
  command = "dd bs=4096 skip=" n " count=1 <\"$F\" 2>/dev/null"
  reads++; first = n > 0; k = ""
  while ((command | getline line) > 0) {
    if (!first && k == "") k = key(line)
    first = 0
  }
  close(command)
  return k
}

# The same of the blocks from n on: in a long record, or a hole, further and further. "where" is the block.
function probe(n,    step, tries, k) {
  step = 1; where = n
  for (tries = 0; tries < 5 && where < high && reads < 40; tries++) {
    k = look(where)
    if (k != "") return k
    where += step; step *= 4
  }
  return ""
}

# The same of text that can only be read on.
function pass(    line, at, due, k, v, old, low) {
  at = due = low = 0; old = ""
  while ((getline line) > 0) {
    if (at >= due && (k = key(line)) != "") {
      reads++; v = value(k)
      if (old != "" && v < old - 60) { ordered = 0; break }
      if (k >= target) break
      low = at; old = v; due = at + 65536
    }
    at += length(line) + 1
  }
  if (reads) printf "%.0f %d %d\n", low, reads, ordered
  else print "-"
}

BEGIN {
  D = "[0-9]"; DD = D D "?"; clock = DD ":" D D ":" D D "([.,]" D "+)?"; gap = "[ T_,:-]+"
  re["iso"] = D D D D "[-/.]" DD "[-/.]" DD gap clock
  re["ymd"] = D D "[-/.]" DD "[-/.]" DD gap clock
  re["dmy"] = re["mdy"] = DD "[-/.]" DD "[-/.]" D D "(" D D ")?" gap clock
  re["access"] = DD "[-/ .][A-Z][a-z][a-z][-/ .]" D D "(" D D ")?" gap clock
  re["mon"] = "[A-Z][a-z][a-z] +" DD " +" clock
  re["md"] = DD "[-/]" DD " +" clock
  re["klog"] = "[IWEF]" D D D D " " clock
  re["yymmdd"] = D D D D D D " +" clock
  re["compact"] = D D D D D D D D "[-T_ ]?" D D ":?" D D ":?" D D "([.,:]" D "+)?"
  re["epoch"] = D D D D D D D D D D "+([.]" D "+)?"
  re["tai"] = "@[0-9a-f]+"
  kind = ENVIRON["KIND"]; strict = ENVIRON["STRICT"] + 0; target = ENVIRON["TARGET"] ""; pivot = ENVIRON["PIVOT"] ""
  if (ENVIRON["PACKING"] != "plain") { ordered = 1; pass(); exit }
  high = int((ENVIRON["SIZE"] + 4095) / 4096)
  ordered = 1; last = ""
  first = probe(0)
  if (first == "") { print "-"; exit }
  if (first >= target) { print 0, reads, 1; exit }
  low = where; old = value(first); want = value(target)
  guess = high - 2
  while (high - low > 1 && reads < 36) {
    if (guess <= low) guess = low + 1
    if (guess >= high) guess = high - 1
    # In a hole one look is enough: it is its end that is looked for.
    if (hole) { k = look(guess); where = guess } else k = probe(guess)
    if (k == "") { if (!hole) begin = guess; hole = guess }
    else {
      v = value(k)
      if (v < old - 60 || (last != "" && v > last + 60)) { ordered = 0; break }
      if (k < target) { low = where; old = v; hole = 0 }
      else { high = guess; last = v }
    }
    # What has no times may be a hole, with more behind it; or there is nothing up to the next that is known.
    if (hole && high - hole > 4) { guess = int((hole + high) / 2); continue }
    if (hole) { high = begin; hole = 0 }
    guess = int((low + high) / 2)
    evenly = !evenly
    if (evenly && last != "" && last > old) guess = low + int((high - low) * (want - old) / (last - old))
  }
  # It had to end before it was found.
  if (high - low > 16) ordered = 0
  printf "%.0f %d %d\n", low * 4096, reads, ordered
}
