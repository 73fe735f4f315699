#!/usr/bin/env python3
"""Writes expected.tsv of every kind of log in this folder: what a person reads in each line.

An oracle that shares nothing with the program: one explicit expression per shape of line, the strptime format of its
stamp, and a table of its level words, written with the documentation of the program that logged. Run it after adding
a kind (README.md), then read the result beside the log before believing it.

    tests/logs/expect.py [KIND…]      writes KIND/expected.tsv
    tests/logs/expect.py --check      only says which ones differ from what is written

Python 3.11 and nothing else. What this leaves to others: comparing (tests/formats).
"""

import csv
import io
import json
import re
import sys
import tomllib
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Not judged: people may differ.
ANY = "?"
NONE = "-"


class About:
    """What about.toml says: where local stamps stand, and when."""

    def __init__(self, folder):
        about = tomllib.loads((folder / "about.toml").read_text())
        self.zone = ZoneInfo(about.get("zone", "UTC"))
        self.now = datetime.fromisoformat(about["now"])
        self.boot = nanos(datetime.fromisoformat(about["boot"])) if "boot" in about else None


def nanos(at):
    """Nanoseconds since 1970 of an aware datetime, exactly."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


def fraction(match):
    """Nanoseconds of the group `f`, the digits behind the point."""
    groups = match if isinstance(match, dict) else match.groupdict()
    digits = groups.get("f") or ""
    return int((digits + "000000000")[:9])


# --- How a stamp is read: functions of a match with the group `t` (and `f`) and of About. ---


def local(form):
    """A stamp without a zone: the host's."""
    return lambda m, about: nanos(datetime.strptime(m["t"], form).replace(tzinfo=about.zone)) + fraction(m)


def utc(form):
    return lambda m, about: nanos(datetime.strptime(m["t"], form).replace(tzinfo=UTC)) + fraction(m)


def zoned(form):
    """A stamp with an offset, in group `z` (`Z`, `+0100`, `+01:00`)."""

    def read(m, about):
        return nanos(datetime.strptime(m["t"] + m["z"].replace("Z", "+0000"), form + "%z")) + fraction(m)

    return read


def yearless(form):
    """The year of `now`, or the one before where that would be in the future."""

    def read(m, about):
        for year in (about.now.year, about.now.year - 1):
            at = datetime.strptime(f"{year} {m['t']}", "%Y " + form).replace(tzinfo=about.zone)
            if at <= about.now + timedelta(days=1):
                return nanos(at) + fraction(m)
        raise ValueError(m["t"])

    return read


def time_of_day(m, about):
    """Hours, minutes and seconds: of today, or of yesterday where that would be in the future."""
    today = about.now.astimezone(about.zone)
    at = datetime.combine(today.date(), datetime.strptime(m["t"], "%H:%M:%S").time(), about.zone)
    return nanos(at if at <= about.now else at - timedelta(days=1)) + fraction(m)


def epoch(unit):
    """Seconds (1), milliseconds (1000) … since 1970, whole or with a fraction."""
    return lambda m, about: int(Decimal(m["t"]) * (1_000_000_000 // unit))


def since_boot(m, about):
    return about.boot + int(Decimal(m["t"]) * 1_000_000_000)


# --- How a level is read: functions of a match. ---

WORDS = {
    "trace": "trace", "debug": "debug", "info": "info", "notice": "notice", "warn": "warn", "warning": "warn",
    "error": "error", "err": "error", "fatal": "fatal", "critical": "fatal", "crit": "fatal", "alert": "fatal",
    "emerg": "fatal", "panic": "fatal",
}
SYSLOG = ["fatal", "fatal", "fatal", "error", "warn", "notice", "info", "debug"]


def word(**more):
    """The word in group `l` in any case, with words of this program's own; none where the group did not match."""
    words = WORDS | more
    return lambda m: words[m["l"].lower()] if m["l"] else NONE


def exactly(words):
    return lambda m: words[m["l"]] if m["l"] else NONE


def status(m):
    """Of a web server: 5xx is its failure, 4xx the client's."""
    return {"4": "warn", "5": "error"}.get(m["s"][0], "info")


def is_(level):
    return lambda m: level


none = is_(NONE)


# --- A shape of line, and a log as the shapes that its lines may have. ---


class Shape:
    """Lines that fit `pattern` have this stamp and this level; `more` where they continue the record before."""

    def __init__(self, pattern, time=None, level=none, more=False):
        self.pattern, self.time, self.level, self.more = re.compile(pattern, re.S), time, level, more

    def read(self, line, about):
        match = self.pattern.match(line)
        if not match:
            return None
        time = self.time if self.time in (None, ANY) else self.time(match, about)
        return (time, self.level(match), self.more)


MORE = Shape("", more=True)
PLAIN = Shape("")
# Its place is a matter of taste: of no program that stamps its lines, or between two records.
LOOSE = Shape("", level=is_(ANY), more=ANY)


def lines(*shapes):
    """The first shape that fits counts."""

    def read(log, about):
        return [next(found for shape in shapes if (found := shape.read(line, about))) for line in log]

    return read


def objects(time, level):
    """JSON lines; `time` and `level` are functions of the object."""

    def read(log, about):
        found = []
        for line in log:
            fields = json.loads(line)
            found.append((time(fields, about), level(fields), False))
        return found

    return read


def iso(key, zone=None):
    """A string with a date, a blank or T, a time and perhaps a fraction, an offset or both."""
    pattern = re.compile(r"(?P<t>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:[.,](?P<f>\d+))?(?P<z>Z|[+-]\d\d:?\d\d)?(?: [A-Z]+)?$")

    def read(fields, about):
        m = pattern.match(fields[key])
        form = "%Y-%m-%dT%H:%M:%S" if "T" in m["t"] else "%Y-%m-%d %H:%M:%S"
        return (zoned if m["z"] else local)(form)(m, about)

    return read


def number(key, unit):
    return lambda fields, about: int(Decimal(str(fields[key])) * (1_000_000_000 // unit))


def named(key, **more):
    words = WORDS | more
    return lambda fields: words[fields[key].lower()] if key in fields else NONE


TENS = {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}

# --- Parts that several programs share. ---

DAY = r"\d{4}-\d\d-\d\d"
CLOCK = r"\d\d:\d\d:\d\d"
ISO = "%Y-%m-%d %H:%M:%S"
ISO_T = "%Y-%m-%dT%H:%M:%S"
CLF = r"\[(?P<t>\d\d/\w{3}/\d{4}:" + CLOCK + r") (?P<z>[+-]\d{4})\]"
CLF_FORM = "%d/%b/%Y:%H:%M:%S"
REQUEST = r'"(?:[^"\\]|\\.)*" (?P<s>\d{3}) '
ACCESS = Shape(r"(?:\S+:\d+ )?\S+ \S+ \S+ " + CLF + " " + REQUEST, zoned(CLF_FORM), status)
# What programs that log to syslog without a priority begin their message with.
SAYS = r"(?:(?P<l>error|warning|fatal|panic|debug\d|ERROR|WARNING):)?"
SAYS_WORDS = word(debug1="debug", debug2="debug", debug3="debug")
TAG = r"\S+ [^ :\[]+(?:\[\d+\])?: "
MONTH = r"(?P<t>\w{3} [ \d]\d " + CLOCK + ")"
MONTH_FORM = "%b %d %H:%M:%S"
PYTHON_MS = r"(?P<t>" + DAY + " " + CLOCK + r"),(?P<f>\d{3})"
POSTGRES = {
    "debug": "debug", "debug1": "debug", "debug2": "debug", "debug3": "debug", "debug4": "debug", "debug5": "debug",
    "log": "info", "statement": NONE, "detail": NONE, "hint": NONE, "context": NONE, "query": NONE, "location": NONE,
}


def syslog(stamp, time):
    """A header, then the message; text that is indented goes on."""
    return lines(Shape(stamp + " " + TAG + SAYS, time, SAYS_WORDS), Shape(stamp + r" \S+ \S+\[\d+\] ", time), MORE)


def priority(m):
    return SYSLOG[int(m["p"]) % 8]


def postgres_csv(log, about):
    """Records are CSV, with line ends inside quotes; the level is the twelfth field, the time the first."""
    found, record = [], []
    for line in log:
        start = not record
        record.append(line)
        text = "\n".join(record)
        if text.count('"') % 2:
            found.append((None, NONE, not start))
            continue
        fields = next(csv.reader(io.StringIO(text)))
        first = len(found) - len(record) + 1
        found.append((None, NONE, not start))
        found[first] = (iso("0")({"0": fields[0]}, about), word(**POSTGRES)({"l": fields[11]}), False)
        record = []
    return found


def mariadb_slow(log, about):
    """`# Time` only stands where the second has changed, before the `# User@Host` that begins a record."""
    found, timed = [], False
    for line in log:
        if m := re.match(r"# Time: (?P<t>\d{6} {1,2}\d{1,2}:\d\d:\d\d)$", line):
            found.append((local("%y%m%d %H:%M:%S")(m, about), NONE, False))
        elif line.startswith("# User@Host:"):
            found.append((None, NONE, timed))
        elif line.startswith("SET timestamp="):
            # The time of the statement once more, as an epoch.
            found.append((ANY, NONE, True))
        else:
            found.append((None, NONE, ANY if re.match(r"mariadbd, |Tcp port|Time\t", line) else True))
        timed = line.startswith("# Time:")
    return found


def java_util(levels):
    """A line with the time and the place, then one with the level and the message, then perhaps a stack."""
    head = re.compile(r"(?P<t>\w{3}\.? \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M) ")

    def read(log, about):
        found, after_head = [], False
        for line in log:
            m = head.match(line)
            if m:
                at = {"t": m["t"].replace(".", "")}
                stamp = datetime.strptime(at["t"], "%b %d, %Y %I:%M:%S %p").replace(tzinfo=about.zone)
                found.append((nanos(stamp), NONE, False))
            elif after_head:
                found.append((None, levels[line.split(":")[0]], True))
            elif line.startswith("Exception in thread"):
                found.append((None, ANY, ANY))
            else:
                found.append((None, NONE, True))
            after_head = bool(m)
        return found

    return read


# The line of a container: its own stamp, then a level, or an object; `x…` and `end` are rests of longer lines.
INNER = re.compile(rf'(?:{DAY} {CLOCK} )?(?:\{{"level":")?(?P<l>INFO|ERROR|warn)?')
INNER_MORE = re.compile(r"Traceback|  File|ValueError")


def inside(line):
    """Level and place of what a container wrote, which an engine has wrapped."""
    m = INNER.match(line)
    return word()(m), ANY if INNER_MORE.match(line) else False


def docker_json(log, about):
    found, cut = [], False
    for line in log:
        fields = json.loads(line)
        level, more = inside(fields["log"])
        found.append((iso("time")(fields, about), level, cut or more))
        cut = not fields["log"].endswith("\n")
    return found


def cri(log, about):
    """`P` is a part of a line, whose rest follows."""
    head = re.compile(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>\+\d\d:\d\d) (?P<o>stdout|stderr) (?P<p>[FP]) ")
    found, cut = [], False
    for line in log:
        m = head.match(line)
        level, more = inside(line[m.end():])
        found.append((zoned(ISO_T)(m, about), level, cut or more))
        cut = m["p"] == "P"
    return found


def stack_of(*shapes):
    """Stamped records; any other line belongs to the one before."""
    return lines(*shapes, MORE)


CRASH = Shape(r"(panic: |goroutine \d+ \[running|thread '|Exception in thread|Traceback |.*\(ArgumentError\)$)", level=is_(ANY), more=ANY)

KINDS = {
    # Web servers and proxies.
    "nginx-access": lines(ACCESS),
    "nginx-error": stack_of(Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK}) \[(?P<l>\w+)\] ", local("%Y/%m/%d %H:%M:%S"), word())),
    "apache-access": lines(ACCESS),
    "apache-common": lines(ACCESS),
    "haproxy": lines(
        Shape(rf"{MONTH} \S+ haproxy\[\d+\]: \S+:\d+ \[[^]]+\] \S+ \S+ [-\d]+(?:/[-+\d]+){{4}} (?P<s>\d{{3}}) ", yearless(MONTH_FORM), status),
        Shape(rf"{MONTH} \S+ haproxy\[\d+\]: ", yearless(MONTH_FORM)),
    ),
    "squid-access": lines(Shape(r"(?P<t>\d+\.\d{3}) +\d+ \S+ \w+/(?P<s>\d{3}) ", epoch(1), status)),
    "squid-cache": stack_of(
        Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK})(?: kid\d)?\| (?:(?P<l>WARNING|ERROR|FATAL):)?", local("%Y/%m/%d %H:%M:%S"), word())
    ),
    "tomcat-access": lines(
        Shape(r"\S+ \S+ \S+ " + CLF + r' "[^"]*" (?P<s>\d{3}) ', zoned(CLF_FORM), status),
    ),
    "node-express": lines(
        ACCESS, Shape("listening on"), Shape("Error: ", level=is_("error"), more=ANY), Shape("    at ", more=True)
    ),
    "gunicorn": stack_of(
        ACCESS, Shape(rf"\[(?P<t>{DAY} {CLOCK}) (?P<z>[+-]\d{{4}})\] \[\d+\] \[(?P<l>\w+)\] ", zoned(ISO), word())
    ),
    "uvicorn": stack_of(Shape(r"(?P<l>TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL): +", level=word())),
    "flask": lines(
        Shape(rf"\[{PYTHON_MS}\] (?P<l>[A-Z]+) in \w+: ", local(ISO), word()),
        Shape(rf'\S+ - - \[(?P<t>\d\d/\w{{3}}/\d{{4}} {CLOCK})\] ".*" (?P<s>\d{{3}}) -$', local("%d/%b/%Y %H:%M:%S"), status),
        Shape(r"(\x1b\[\d+m)*WARNING: ", level=is_("warn"), more=ANY),
        Shape(r"(\x1b\[\d+m)?( \*|Press)", more=ANY),
        MORE,
    ),
    "django": lines(
        Shape(rf'\[(?P<t>\d\d/\w{{3}}/\d{{4}} {CLOCK})\] ".*" (?P<s>\d{{3}}) \d+$', local("%d/%b/%Y %H:%M:%S"), status),
        Shape("WARNING: ", level=is_("warn"), more=ANY),
        Shape("(Not Found|Internal Server Error|Service Unavailable): ", more=ANY),
        Shape(r"\w+ \d\d, \d{4} - ", time=ANY, more=ANY),
        Shape("stock is low", more=ANY),
        Shape("(  |Traceback|KeyError)", more=True),
        Shape("", more=ANY),
    ),
    # Data stores.
    "postgresql": stack_of(
        Shape(
            rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) CET \[\d+\] (?:\S+@\S+ )?(?P<l>STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION):  ",
            local(ISO), more=True,
        ),
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) CET \[\d+\] (?:\S+@\S+ )?(?P<l>[A-Z0-9]+):  ", local(ISO), word(**POSTGRES)),
    ),
    "postgresql-csv": postgres_csv,
    "postgresql-json": objects(iso("timestamp"), named("error_severity", **POSTGRES)),
    "mariadb-error": stack_of(
        Shape(rf"(?P<t>{DAY} +\d{{1,2}}:\d\d:\d\d) \d+ \[(?P<l>\w+)\] ", local(ISO), word(note="notice")),
        Shape(r"(?P<t>\d{6} +\d{1,2}:\d\d:\d\d) \[(?P<l>\w+)\] ", local("%y%m%d %H:%M:%S"), word()),
    ),
    "mariadb-slow": mariadb_slow,
    "mariadb-general": lines(
        Shape(r"(?P<t>\d{6} +\d{1,2}:\d\d:\d\d)\t", local("%y%m%d %H:%M:%S")),
        Shape(r"\t\t +\d+ "), Shape("(mariadbd, |Tcp port|Time\t)", more=ANY), MORE,
    ),
    "redis": stack_of(
        Shape(
            rf"\d+:[A-Z] (?P<t>\d\d \w{{3}} \d{{4}} {CLOCK})\.(?P<f>\d{{3}}) (?P<l>[.*#-]) ", local("%d %b %Y %H:%M:%S"),
            exactly({".": "debug", "-": "info", "*": "notice", "#": "warn"}),
        )
    ),
    # What clients said and got is shown too.
    "memcached": lines(Shape(r">\d+ ", level=is_(ANY), more=ANY), Shape("", more=ANY)),
    "etcd": lines(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d+) (?P<l>[DINWEC]) \| ", utc(ISO), exactly({"D": "debug", "I": "info", "N": "notice", "W": "warn", "E": "error", "C": "fatal"})),
        Shape(rf"raft(?P<t>\d{{4}}/\d\d/\d\d {CLOCK}) (?P<l>\w+): ", utc("%Y/%m/%d %H:%M:%S"), word()),
        Shape(r"\[(?P<l>WARNING)\] ", level=word()),
        LOOSE,
    ),
    "etcd-zap": objects(iso("ts"), named("level")),
    "rabbitmq": stack_of(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d+)(?P<z>[+-]\d\d:\d\d) \[(?P<l>\w+)\] ", zoned(ISO), word())
    ),
    "zookeeper": stack_of(Shape(rf"{PYTHON_MS} \[myid:\] - (?P<l>[A-Z]+) +\[", local(ISO), word())),
    # Syslog and the journal.
    "syslog": syslog(MONTH, yearless(MONTH_FORM)),
    "syslog-auth": syslog(MONTH, yearless(MONTH_FORM)),
    "syslog-mail": syslog(MONTH, yearless(MONTH_FORM)),
    "syslog-iso": syslog(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>[+-]\d\d:\d\d)", zoned(ISO_T)),
    "syslog-priority": lines(Shape(rf"<(?P<p>\d+)>{MONTH} ", yearless(MONTH_FORM), priority)),
    "syslog-rfc5424": lines(
        Shape(rf"<(?P<p>\d+)>1 (?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>[+-]\d\d:\d\d) ", zoned(ISO_T), priority)
    ),
    "journal-short": syslog(MONTH, yearless(MONTH_FORM)),
    "journal-short-precise": syslog(MONTH + r"\.(?P<f>\d{6})", yearless(MONTH_FORM)),
    "journal-short-iso": syslog(rf"(?P<t>{DAY}T{CLOCK})(?P<z>[+-]\d{{4}})", zoned(ISO_T)),
    "journal-short-iso-precise": syslog(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{6}})(?P<z>[+-]\d{{4}})", zoned(ISO_T)),
    "journal-short-full": syslog(rf"\w{{3}} (?P<t>{DAY} {CLOCK}) CET", local(ISO)),
    "journal-short-unix": syslog(r"(?P<t>\d{10}\.\d{6})", epoch(1)),
    "journal-short-monotonic": syslog(r"\[ *(?P<t>\d+\.\d{6})\]", since_boot),
    "journal-json": objects(
        number("__REALTIME_TIMESTAMP", 1_000_000), lambda o: SYSLOG[int(o["PRIORITY"])] if "PRIORITY" in o else NONE
    ),
    "dmesg": lines(Shape(r"\[ *(?P<t>\d+\.\d{6})\] ", since_boot), MORE),
    "dmesg-levels": lines(
        Shape(r"\w+ *:(?P<l>\w+) *: \[ *(?P<t>\d+\.\d{6})\] ", since_boot, word()), MORE
    ),
    "sshd": lines(Shape(r"(?P<l>debug1|error|fatal)?", level=exactly({"debug1": "debug", "error": "error", "fatal": "fatal"}))),
    # Daemons.
    "dnsmasq": lines(Shape(MONTH + r" dnsmasq\[\d+\]: (?:(?P<l>warning): )?", yearless(MONTH_FORM), word())),
    "dnsmasq-new-year": lines(Shape(MONTH + r" dnsmasq\[\d+\]: ", yearless(MONTH_FORM))),
    "named": stack_of(
        Shape(rf"(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK})\.(?P<f>\d{{3}}) [\w-]+: (?P<l>\w+)(?: \d)?: ", local("%d-%b-%Y %H:%M:%S"), word())
    ),
    "named-queries": lines(Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z) \w+: (?P<l>\w+): ", zoned(ISO_T), word())),
    "unbound": lines(Shape(MONTH + r" unbound\[\d+:\d\] (?P<l>\w+): ", yearless(MONTH_FORM), word())),
    "unbound-epoch": lines(Shape(r"\[(?P<t>\d{10})\] unbound\[\d+:\d\] (?P<l>\w+): ", epoch(1), word())),
    "mosquitto": lines(Shape(r"(?P<t>\d{10}): (?:(?P<l>Error|Warning): )?", epoch(1), word())),
    "mosquitto-iso": lines(Shape(rf"(?P<t>{DAY}T{CLOCK}): (?:(?P<l>Error|Warning): )?", local(ISO_T), word())),
    "prometheus": lines(Shape(rf"ts=(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z) caller=\S+ level=(?P<l>\w+) ", zoned(ISO_T), word())),
    "supervisor": stack_of(Shape(rf"{PYTHON_MS} (?P<l>\w+) ", local(ISO), word(debg="debug", blat="trace", trac="trace", erro="error"))),
    "fail2ban": stack_of(Shape(rf"{PYTHON_MS} fail2ban\S* +\[\d+\]: (?P<l>[A-Z]+) ", local(ISO), word())),
    "php-fpm": stack_of(
        Shape(rf"\[(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK})(?:\.(?P<f>\d+))?\] (?P<l>[A-Z]+): ", local("%d-%b-%Y %H:%M:%S"), word())
    ),
    "openvpn": lines(
        # `us=` is the fraction, in a field of its own; the stamp has whole seconds.
        Shape(rf"(?P<t>{DAY} {CLOCK}) (?:us=\d+ )?(?:(?P<l>WARNING|ERROR):)?", local(ISO), word()), MORE
    ),
    "vsftpd": lines(Shape(rf"\w{{3}} (?P<t>\w{{3}} [ \d]\d {CLOCK} \d{{4}}) ", local("%b %d %H:%M:%S %Y"))),
    "dovecot": stack_of(
        Shape(MONTH + r" [^:]+: (?:[^:]+: )?(?P<l>Info|Debug|Warning|Error|Fatal|Panic): ", yearless(MONTH_FORM), word())
    ),
    "samba": stack_of(Shape(rf"\[(?P<t>\d{{4}}/\d\d/\d\d {CLOCK})\.(?P<f>\d+), +\d+\] ", local("%Y/%m/%d %H:%M:%S"))),
    "cups": lines(
        Shape(
            rf"(?P<l>[A-Za-z]) {CLF} ", zoned(CLF_FORM),
            exactly({"X": "fatal", "A": "fatal", "C": "fatal", "E": "error", "W": "warn", "N": "notice", "I": "info", "D": "debug", "d": "debug"}),
        )
    ),
    "dpkg": lines(Shape(rf"(?P<t>{DAY} {CLOCK}) ", local(ISO))),
    "apt-history": lines(
        Shape(rf"Start-Date: (?P<t>{DAY}  {CLOCK})$", local("%Y-%m-%d  %H:%M:%S")),
        Shape(rf"End-Date: (?P<t>{DAY}  {CLOCK})$", local("%Y-%m-%d  %H:%M:%S"), more=ANY),
        Shape("$", more=ANY), MORE,
    ),
    "apt-term": lines(
        Shape(rf"Log (?:started|ended): (?P<t>{DAY}  {CLOCK})$", local("%Y-%m-%d  %H:%M:%S"), more=ANY),
        Shape("", more=ANY),
    ),
    # More daemons.
    "tor": lines(Shape(MONTH + r"\.(?P<f>\d{3}) \[(?P<l>\w+)\] ", yearless(MONTH_FORM), word())),
    "stunnel": lines(
        Shape(rf"(?P<t>\d{{4}}\.\d\d\.\d\d {CLOCK}) LOG(?P<p>\d)\[", local("%Y.%m.%d %H:%M:%S"), priority)
    ),
    "tinyproxy": lines(
        Shape(rf"(?P<l>[A-Z]+) +{MONTH}\.(?P<f>\d{{3}}) \[\d+\]: ", yearless(MONTH_FORM), word(connect=ANY))
    ),
    "uwsgi": lines(
        Shape(
            rf"\[pid: \d+\|.*\}} \[\w{{3}} (?P<t>\w{{3}} [ \d]\d {CLOCK} \d{{4}})\] \w+ .*\(HTTP/1.1 (?P<s>\d{{3}})\)",
            local("%b %d %H:%M:%S %Y"), status,
        ),
        Shape(rf"\w{{3}} (?P<t>\w{{3}} [ \d]\d {CLOCK} \d{{4}}) - ", local("%b %d %H:%M:%S %Y")),
        Shape(r"\*\*\* Starting", time=ANY, level=is_(ANY), more=ANY),
        Shape("", level=is_(ANY), more=ANY),
    ),
    "monit": stack_of(Shape(rf"\[(?P<t>{DAY}T{CLOCK})(?P<z>[+-]\d{{4}})\] (?P<l>\w+) +: ", zoned(ISO_T), word())),
    "nats": lines(
        Shape(
            rf"\[\d+\] (?P<t>\d{{4}}/\d\d/\d\d {CLOCK})\.(?P<f>\d{{6}}) \[(?P<l>\w+)\] ", local("%Y/%m/%d %H:%M:%S"),
            exactly({"INF": "info", "DBG": "debug", "TRC": "trace", "WRN": "warn", "ERR": "error", "FTL": "fatal"}),
        )
    ),
    "openvswitch": lines(
        Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z)\|\d+\|[^|]+\|(?P<l>[A-Z]+)\|", zoned(ISO_T), word(dbg="debug", emer="fatal"))
    ),
    "pgbouncer": lines(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) IST \[\d+\] (?P<l>[A-Z]+) ", local(ISO), word(**POSTGRES))
    ),
    "ntpsec": lines(Shape(rf"(?P<t>{DAY}T{CLOCK}) ntpd\[\d+\]: (?:(?P<l>ERR|WARN): )?", local(ISO_T), word())),
    "nsd": lines(Shape(rf"\[(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}})\] nsd\[\d+\]: (?P<l>\w+): ", local(ISO), word())),
    "privoxy": lines(
        ACCESS, Shape(r"\S+ - - " + CLF + ' "[^"]*" (?P<s>\\d{3}) ', zoned(CLF_FORM), status),
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) [0-9a-f]+ (?:(?P<l>Info|Error|Fatal error):)?", local(ISO), word(**{"fatal error": "fatal"})),
    ),
    "lighttpd": lines(Shape(rf"(?P<t>{DAY} {CLOCK}): \(\S+\) (?:\[(?P<l>\w+)\] )?", local(ISO), word(note="notice"))),
    # The states of services are what is reported, not levels of lines.
    "nagios": lines(
        Shape(r"\[(?P<t>\d{10})\] (?P<l>Error|Warning): ", epoch(1), word()),
        Shape(r"\[(?P<t>\d{10})\] \w+ (?:ALERT|NOTIFICATION)", epoch(1), is_(ANY)), Shape(r"\[(?P<t>\d{10})\] ", epoch(1)),
    ),
    "zabbix-agent": lines(Shape(r" *\d+:(?P<t>\d{8}:\d{6})\.(?P<f>\d{3}) ", local("%Y%m%d:%H%M%S"))),
    "frr": lines(Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK})\.(?P<f>\d{{3}}) \w+: ", local("%Y/%m/%d %H:%M:%S"))),
    "influxdb": lines(
        ACCESS, Shape(rf"\[httpd\] \S+ \S+ \S+ {CLF} {REQUEST}", zoned(CLF_FORM), status),
        Shape(rf"ts=(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z) lvl=(?P<l>\w+) ", zoned(ISO_T), word()), LOOSE,
    ),
    "icecast": lines(Shape(rf"\[(?P<t>{DAY}  {CLOCK})\] (?P<l>[A-Z]+) ", local("%Y-%m-%d  %H:%M:%S"), word(dbug="debug", eror="error"))),
    "caddy": objects(number("ts", 1), named("level")),
    "glusterd": stack_of(
        Shape(
            rf"\[(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{6}}) (?P<z>\+\d{{4}})\] (?P<l>[A-Z]) \[", zoned(ISO),
            exactly({"T": "trace", "D": "debug", "I": "info", "N": "notice", "W": "warn", "E": "error", "C": "fatal", "A": "fatal", "M": "fatal"}),
        )
    ),
    "xorg": stack_of(
        # The other marks say where a setting comes from.
        Shape(
            r"\[ *(?P<t>\d+\.\d{3})\] (?:\((?P<l>II|WW|EE|!!|[-*=+N?][-*=+I?])\) )?", since_boot,
            lambda m: {None: NONE, "II": "info", "WW": "warn", "EE": "error", "!!": "notice"}.get(m["l"], ANY),
        )
    ),
    "kea": stack_of(Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) (?P<l>[A-Z]+) +\[", local(ISO), word())),
    "clamav": lines(
        Shape(rf"\w{{3}} (?P<t>\w{{3}} [ \d]\d {CLOCK} \d{{4}}) -> (?:(?P<l>WARNING|ERROR): )?", local("%b %d %H:%M:%S %Y"), word())
    ),
    "libvirt": stack_of(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}})(?P<z>\+\d{{4}}): \d+: (?P<l>\w+) : ", zoned(ISO), word())
    ),
    "exim": stack_of(
        # Written before it has dropped TZ from its environment, in the zone that this named.
        Shape(rf"{DAY} {CLOCK} Warning: purging", time=ANY, level=is_("warn")), Shape(rf"(?P<t>{DAY} {CLOCK}) ", local(ISO)),
    ),
    "chrony": lines(Shape(rf"(?P<t>{DAY}T{CLOCK})(?P<z>Z) ", zoned(ISO_T))),
    # Python.
    "python-default": lines(
        Shape(r"(?P<l>[A-Z]+):[\w.]+:", level=word()), Shape("(/opt|Traceback)", level=is_(ANY), more=ANY), MORE
    ),
    "python-asctime": stack_of(Shape(PYTHON_MS + r" - [\w.]+ - (?P<l>[A-Z]+) - ", local(ISO), word())),
    "python-day-first": stack_of(Shape(rf"(?P<l>[A-Z]+) +(?P<t>\d\d/\d\d/\d{{4}} {CLOCK}) \[", local("%d/%m/%Y %H:%M:%S"), word())),
    "python-json": objects(iso("asctime"), named("levelname")),
    "structlog-json": objects(iso("timestamp"), named("level")),
    "structlog-console": stack_of(
        Shape(rf"\x1b\[2m(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z)\x1b\[0m \[(?:\x1b\[\d+m)+(?P<l>\w+) *\x1b", zoned(ISO_T), word())
    ),
    "structlog-logfmt": lines(Shape(rf"timestamp=(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z) level=(?P<l>\w+) ", zoned(ISO_T), word())),
    "loguru": stack_of(Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d+) \| (?P<l>[A-Z]+) +\| ", local(ISO), word(success=ANY))),
    "celery": lines(
        Shape(rf"\[{PYTHON_MS}: (?P<l>[A-Z]+)/[\w-]+\] ", local(ISO), word()),
        Shape(r"(Traceback|  File|    \S|\w+Error|During|The above)", more=True),
        Shape("", time=ANY, level=is_(ANY), more=ANY),
    ),
    "ansible": stack_of(Shape(PYTHON_MS + r" p=\d+ u=\w+ n=ansible (?P<l>[A-Z]+)\| ", local(ISO), word())),
    # Java.
    "java-util": java_util({"SEVERE": "error", "WARNING": "warn", "INFO": "info", "CONFIG": "debug", "FINE": "debug", "FINER": "trace", "FINEST": "trace"}),
    "java-util-german": java_util(
        {"SCHWERWIEGEND": "error", "WARNUNG": "warn", "INFORMATION": "info", "KONFIGURATION": "debug", "FEIN": "debug", "FEINER": "trace", "FEINSTE": "trace", "AM FEINSTEN": "trace"}
    ),
    "java-util-one-line": lines(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) (?P<l>[A-Z]+) +\[", local(ISO), word(severe="error", config="debug", fine="debug", finer="trace", finest="trace")),
        CRASH, MORE,
    ),
    "logback-default": lines(Shape(rf"(?P<t>{CLOCK})\.(?P<f>\d{{3}}) \[.*?\] (?P<l>[A-Z]+) +[\w.]+ ", time_of_day, word()), CRASH, MORE),
    "logback-iso": lines(Shape(PYTHON_MS + r" (?P<l>[A-Z]+) +\[", local(ISO), word()), CRASH, MORE),
    "logback-spring": lines(
        Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>[+-]\d\d:\d\d) +(?P<l>[A-Z]+) \d+ --- ", zoned(ISO_T), word()), CRASH, MORE
    ),
    "log4j-pattern": lines(Shape(rf"\[{PYTHON_MS}\] (?P<l>[A-Z]+) ", local(ISO), word()), CRASH, MORE),
    "log4j-two-digit-year": lines(Shape(rf"(?P<t>\d\d/\d\d/\d\d {CLOCK}) (?P<l>[A-Z]+) ", local("%y/%m/%d %H:%M:%S"), word()), CRASH, MORE),
    "tomcat-catalina": stack_of(
        Shape(r"(NOTE|Using)", level=is_(ANY), more=ANY),
        Shape(rf"(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK})\.(?P<f>\d{{3}}) (?P<l>[A-Z]+) \[", local("%d-%b-%Y %H:%M:%S"), word(severe="error")),
    ),
    "tomcat-localhost": stack_of(
        Shape(rf"(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK})\.(?P<f>\d{{3}}) (?P<l>[A-Z]+) \[", local("%d-%b-%Y %H:%M:%S"), word(severe="error"))
    ),
    # Node.
    "pino": objects(number("time", 1000), lambda o: TENS[o["level"]]),
    "pino-iso": objects(iso("time"), named("level")),
    "bunyan": objects(iso("time"), lambda o: TENS[o["level"]]),
    "winston": stack_of(
        Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z) (?P<l>\w+): ", zoned(ISO_T), word(silly=ANY, verbose=ANY, http=ANY))
    ),
    "winston-json": objects(iso("timestamp"), named("level", silly=ANY, verbose=ANY, http=ANY)),
    "log4js": stack_of(Shape(rf"\[(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})\] \[(?P<l>[A-Z]+)\] ", local(ISO_T), word())),
    "node-console": lines(
        Shape(rf"\[(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z)\] order", zoned(ISO_T)),
        Shape("    at ", more=True), Shape("Warning: ", level=is_("warn")),
        Shape(r"(order|cart|stock|starting|ünï)"), LOOSE,
    ),
    # Go.
    "go-log": lines(
        Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK}) (?:\[?(?P<l>WARNING|ERROR|DEBUG))?", local("%Y/%m/%d %H:%M:%S"), word()),
        Shape("panic: ", level=is_("fatal"), more=ANY), Shape("(goroutine|exit status|$)", level=is_(ANY), more=ANY), MORE,
    ),
    "go-log-micro": lines(
        Shape(rf"shop: (?P<t>\d{{4}}/\d\d/\d\d {CLOCK})\.(?P<f>\d{{6}}) \S+: (?:\[?(?P<l>WARNING|ERROR|DEBUG))?", local("%Y/%m/%d %H:%M:%S"), word()),
        Shape("panic: ", level=is_("fatal"), more=ANY), Shape("(goroutine|exit status|$)", level=is_(ANY), more=ANY), MORE,
    ),
    "go-slog-text": lines(
        Shape(rf"time=(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>Z) level=(?P<l>[A-Z]+[+-]?\d*) ", zoned(ISO_T), word(**{"debug-4": ANY, "info+2": "info"}))
    ),
    "go-slog-json": objects(iso("time"), named("level", **{"debug-4": ANY, "info+2": "info"})),
    "go-slog-default": lines(
        Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK}) (?P<l>[A-Z]+)", local("%Y/%m/%d %H:%M:%S"), word())
    ),
    "zap": objects(number("ts", 1), named("level", dpanic="fatal")),
    "zap-console": stack_of(
        Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>[+-]\d{{4}})\t(?P<l>[A-Z]+)\t", zoned(ISO_T), word(dpanic="fatal")), CRASH
    ),
    "logrus": lines(Shape(rf'time="(?P<t>{DAY}T{CLOCK})(?P<z>[+-]\d\d:\d\d)" level=(?P<l>\w+) ', zoned(ISO_T), word())),
    "logrus-json": objects(iso("time"), named("level")),
    "klog": lines(
        Shape(rf"(?P<l>[IWEF])(?P<t>\d{{4}} {CLOCK})\.(?P<f>\d{{6}}) +\d+ ", yearless("%m%d %H:%M:%S"), exactly({"I": "info", "W": "warn", "E": "error", "F": "fatal"})),
        Shape("(goroutine|$)", more=ANY), MORE,
    ),
    "zerolog": objects(iso("time"), named("level")),
    "zerolog-unix": objects(number("time", 1000), named("level")),
    "zerolog-console": lines(
        Shape(
            rf"\x1b\[90m(?P<t>{DAY}T{CLOCK})(?P<z>[+-]\d\d:\d\d)\x1b\[0m (?:\x1b\[\d+m)*(?P<l>\w+)", zoned(ISO_T),
            exactly({"TRC": "trace", "DBG": "debug", "INF": "info", "WRN": "warn", "ERR": "error", "FTL": "fatal"}),
        )
    ),
    "hclog": stack_of(Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{3}})(?P<z>[+-]\d{{4}}) \[(?P<l>[A-Z]+)\] ", zoned(ISO_T), word())),
    # Rust.
    "env-logger": lines(Shape(rf"\[(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z) (?P<l>[A-Z]+) +shop\] ", zoned(ISO_T), word()), CRASH, MORE),
    "tracing": lines(Shape(rf"(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z) +(?P<l>[A-Z]+) ", zoned(ISO_T), word()), CRASH, MORE),
    "tracing-ansi": lines(
        Shape(rf"\x1b\[2m(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z)\x1b\[0m \x1b\[\d+m +?(?P<l>[A-Z]+)\x1b", zoned(ISO_T), word()),
        Shape(rf"\x1b\[2m(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z)\x1b\[0m \x1b\[\d+m(?P<l>[A-Z]+)\x1b", zoned(ISO_T), word()), CRASH, MORE,
    ),
    "tracing-json": objects(iso("timestamp"), named("level")),
    "tracing-pretty": stack_of(Shape(rf"  (?P<t>{DAY}T{CLOCK})\.(?P<f>\d+)(?P<z>Z) +(?P<l>[A-Z]+) ", zoned(ISO_T), word())),
    # Ruby and PHP.
    "ruby-logger": lines(
        Shape(rf"\w, \[(?P<t>{DAY}T{CLOCK})\.(?P<f>\d+) #\d+\] +(?P<l>[A-Z]+) -- ", local(ISO_T), word(any=ANY)), CRASH, MORE
    ),
    "php": lines(
        Shape(
            rf"\[(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK}) Asia/Kolkata\] (?:PHP (?P<l>Warning|Notice|Deprecated|Fatal error): )?",
            local("%d-%b-%Y %H:%M:%S"), word(deprecated=ANY, **{"fatal error": "fatal"}),
        ),
        MORE,
    ),
    # Containers.
    "docker-json": docker_json,
    "cri": cri,
    "dockerd": lines(Shape(rf'time="(?P<t>{DAY}T{CLOCK})(?:\.(?P<f>\d+))?(?P<z>Z|[+-]\d\d:\d\d)" level=(?P<l>\w+) ', zoned(ISO_T), word())),
}

KINDS["apache-error"] = lines(
    Shape(
        rf"\[\w{{3}} (?P<t>\w{{3}} \d\d {CLOCK})\.(?P<f>\d{{6}}) (?P<y>\d{{4}})\] \[\w*:(?P<l>[a-z]+)\d?\] ",
        lambda m, about: local("%b %d %H:%M:%S %Y")({"t": m["t"] + " " + m["y"], "f": m["f"]}, about), word(),
    ),
    # What a CGI writes to its standard error.
    Shape("(?P<l>warning)?", level=word(), more=ANY),
)


def clocks_go_back(log, about):
    """Of the hour that comes twice, the second is meant from the line on whose stamp is before the one above it."""
    head = re.compile(MONTH + r" dnsmasq\[\d+\]: ")
    found, before, fold = [], None, 0
    for line in log:
        at = datetime.strptime(f"{about.now.year} {head.match(line)['t']}", "%Y " + MONTH_FORM)
        fold = 1 if before and at < before else fold
        before = at
        found.append((nanos(at.replace(tzinfo=about.zone, fold=fold)), NONE, False))
    return found


ABBREVIATED = {"CEST": 2, "CET": 1}


def abbreviated(m, about):
    """The zone is a name, which tells the two hours apart."""
    return nanos(datetime.strptime(m["t"], ISO).replace(tzinfo=timezone(timedelta(hours=ABBREVIATED[m["z"]])))) + fraction(m)


def log4j(stamp, time):
    """`{}` of the pattern that log4j was given is the stamp; its words are the same everywhere."""
    return lines(Shape(stamp, time, word()), CRASH, MORE)


def compact_millis(m, about):
    """Seventeen digits, of which the last three are milliseconds."""
    return local("%Y%m%d%H%M%S")({"t": m["t"], "f": m["f"]}, about)


ERLANG = re.compile(rf"=(?P<l>[A-Z]+) REPORT==== (?P<t>\d\d-\w{{3}}-\d{{4}}::{CLOCK})\.(?P<f>\d{{6}}) ===")

KINDS |= {
    "glog": lines(
        Shape(
            rf"(?P<l>[IWEF])(?P<t>\d{{8}} {CLOCK})\.(?P<f>\d{{6}}) +\d+ ", local("%Y%m%d %H:%M:%S"),
            exactly({"I": "info", "W": "warn", "E": "error", "F": "fatal"}),
        ),
        Shape(r"\*\*\*", more=ANY), MORE,
    ),
    "spdlog": stack_of(Shape(rf"\[(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}})\] (?:\[cart\] )?\[(?P<l>\w+)\] ", local(ISO), word())),
    "boost-log": lines(Shape(rf"\[(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{6}})\] \[0x[0-9a-f]+\] \[(?P<l>\w+)\] ", local(ISO), word())),
    "monolog": stack_of(
        Shape(
            rf"\[(?P<t>{DAY}T{CLOCK})\.(?P<f>\d{{6}})(?P<z>[+-]\d\d:\d\d)\] shop\.(?P<l>[A-Z]+): ", zoned(ISO_T),
            word(emergency="fatal"),
        )
    ),
    "log4perl": lines(Shape(rf"(?P<t>\d{{4}}/\d\d/\d\d {CLOCK}) ", local("%Y/%m/%d %H:%M:%S"))),
    "erlang": stack_of(Shape(ERLANG.pattern, local("%d-%b-%Y::%H:%M:%S"), word())),
    "elixir": lines(
        Shape(rf"(?P<t>{CLOCK})\.(?P<f>\d{{3}}) \[(?P<l>\w+)\] ", time_of_day, word()), Shape("$", more=ANY), MORE
    ),
    "oslo-log": stack_of(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) \d+ ERROR shop\.cart (?!\[)", local(ISO), is_("error"), more=ANY),
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) \d+ (?P<l>[A-Z]+) shop\.cart ", local(ISO), word()),
    ),
    "log4j-compact": log4j(r"(?P<t>\d{14})(?P<f>\d{3}) (?P<l>[A-Z]+) ", compact_millis),
    "log4j-date": log4j(rf"(?P<t>\d\d \w{{3}} \d{{4}} {CLOCK}),(?P<f>\d{{3}}) \[.*?\]?\] (?P<l>[A-Z]+) ", local("%d %b %Y %H:%M:%S")),
    "log4j-millis": log4j(r"(?P<t>\d{13}) (?P<l>[A-Z]+) ", epoch(1000)),
    "log4j-digits": log4j(r"(?P<t>\d{6} \d{6}) \S+(?: \[cart\])? (?P<l>[A-Z]+) ", local("%y%m%d %H%M%S")),
    "log4j-pipes": log4j(rf"(?P<t>\d{{8}}-{CLOCK})\.(?P<f>\d{{3}})\|(?P<l>[A-Z]+)\|", local("%Y%m%d-%H:%M:%S")),
    "dnsmasq-clock-change": clocks_go_back,
    "pgbouncer-clock-change": lines(
        Shape(rf"(?P<t>{DAY} {CLOCK})\.(?P<f>\d{{3}}) (?P<z>CES?T) \[\d+\] (?P<l>[A-Z]+) ", abbreviated, word(**POSTGRES))
    ),
    "java-util-midnight": KINDS["java-util"],
    "java-util-noon": KINDS["java-util"],
    "log4j-early-month": KINDS["log4j-two-digit-year"],
    "python-day-first-turn": KINDS["python-day-first"],
    "php-leap-day": lines(
        Shape(
            rf"\[(?P<t>\d\d-\w{{3}}-\d{{4}} {CLOCK}) America/New_York\] (?:PHP (?P<l>Warning|Notice|Deprecated|Fatal error): )?",
            lambda m, about: nanos(datetime.strptime(m["t"], "%d-%b-%Y %H:%M:%S").replace(tzinfo=ZoneInfo("America/New_York"))),
            word(deprecated=ANY, **{"fatal error": "fatal"}),
        ),
        MORE,
    ),
}


def log4j_instant(fields, about):
    return fields["instant"]["epochSecond"] * 1_000_000_000 + fields["instant"]["nanoOfSecond"]


def log4j_json(log, about):
    """Objects, and what the virtual machine says of a thread that died."""
    objects_of = objects(log4j_instant, named("level"))
    plain = lines(CRASH, MORE)
    return [(objects_of if line.startswith("{") else plain)([line], about)[0] for line in log]


KINDS["log4j-json"] = log4j_json


def text(time, about):
    """RFC 3339 in UTC, with as many digits as are needed."""
    if time in (None, ANY):
        return time or NONE
    seconds, rest = divmod(time, 1_000_000_000)
    at = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return at + (f".{rest:09}".rstrip("0") if rest else "") + "Z"


def expected(folder):
    """The text of expected.tsv."""
    about = About(folder)
    log = (folder / "log").read_bytes().decode("utf-8", "surrogateescape").split("\n")
    if log[-1] == "":
        log.pop()
    found = KINDS[folder.name]([line.removesuffix("\r") for line in log], about)
    rows = []
    for number, (time, level, more) in enumerate(found, 1):
        mark = ANY if more == ANY else "+" if more else ""
        rows.append(f"{number}\t{text(time, about)}\t{level}\t{mark}\n")
    return "".join(rows)


def main(arguments):
    check = "--check" in arguments
    wanted = [name for name in arguments if name != "--check"]
    differ = 0
    for folder in sorted(path.parent for path in HERE.glob("*/about.toml")):
        # What is expected of a composed kind was composed with it.
        if (wanted and folder.name not in wanted) or folder.name not in KINDS:
            continue
        try:
            rows = expected(folder)
        except Exception as error:
            print(f"{folder.name}: {error!r}", file=sys.stderr)
            differ += 1
            continue
        file = folder / "expected.tsv"
        if not file.exists() or file.read_text() != rows:
            differ += check
            print(f"{folder.name}: {'differs' if check else 'written'}")
            if not check:
                file.write_text(rows)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
