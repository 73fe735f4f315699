//! Stamps, levels and queries over lines in memory, against `LC_ALL=C grep -c` of the same file:
//! what an operator types who wants to know how many lines have a word. CPU time of one core,
//! everything in memory or in the page cache, the best of several runs.

use logtrail::parse::level;
use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use logtrail::model::time::{HostClock, Time, TimeSource};
use logtrail::parse::timestamp::TimestampReader;
use logtrail::query::{MatchInput, Query, ReferenceTime};
use rustix::time::{ClockId, clock_gettime};

use crate::Row;
use crate::support::program;

/// 2026-11-20T13:00:00Z.
const NOW: Time = Time(1_795_179_600_000_000_000);

/// Lines of a kind; repeated, they are more than any cache of a processor.
const LINES: usize = 400_000;

/// Bytes through which a literal is searched for.
const HAYSTACK_BYTES: usize = 256 << 20;

const RUNS: usize = 5;

/// Something in one line of a hundred.
const NEEDLE: &str = "Needle-7f3a";

pub(crate) fn run() -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rows: Vec<Row> = KINDS
        .iter()
        .flat_map(|kind| kind.rows(folder.path()))
        .collect();
    rows.extend(search(folder.path()));
    rows
}

/// Lines as a kind of program writes them.
struct Kind {
    stamps: &'static str,
    levels: &'static str,
    line: fn(usize) -> String,
}

const KINDS: [Kind; 4] = [
    Kind {
        stamps: "stamps: syslog, lines/s",
        levels: "levels: syslog, lines/s",
        line: syslog,
    },
    Kind {
        stamps: "stamps: ISO app log, lines/s",
        levels: "levels: ISO app log, lines/s",
        line: app,
    },
    Kind {
        stamps: "stamps: access log, lines/s",
        levels: "levels: access log, lines/s",
        line: access,
    },
    Kind {
        stamps: "stamps: JSON, lines/s",
        levels: "levels: JSON, lines/s",
        line: json,
    },
];

fn clock(n: usize) -> String {
    format!("{:02}:{:02}:{:02}", n / 3600 % 24, n / 60 % 60, n % 60)
}

fn syslog(n: usize) -> String {
    format!(
        "Nov 19 {} web-1 sshd[{}]: Accepted publickey for ops from 10.0.3.{} port {} ssh2",
        clock(n),
        n % 32768,
        n % 256,
        n % 65536
    )
}

fn app(n: usize) -> String {
    let level = ["INFO ", "DEBUG", "WARN ", "INFO "][n % 4];
    format!(
        "2026-11-19 {},{:03} {level} [worker-{}] com.shop.Cart - order {n} placed, 0 errors",
        clock(n),
        n % 1000,
        n % 16
    )
}

fn access(n: usize) -> String {
    let status = [200, 200, 304, 404][n % 4];
    format!(
        "10.0.3.{} - - [19/Nov/2026:{} +0000] \"GET /shop/cart/{n} HTTP/1.1\" {status} {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
        n % 256,
        clock(n),
        n % 9000
    )
}

fn json(n: usize) -> String {
    format!(
        "{{\"time\":\"2026-11-19T{}.{:03}Z\",\"level\":\"info\",\"msg\":\"order placed\",\"id\":{n},\"user\":\"u{}\"}}",
        clock(n),
        n % 1000,
        n % 99
    )
}

impl Kind {
    fn rows(&self, folder: &Path) -> [Row; 2] {
        let text: String = (0..LINES).map(|n| (self.line)(n) + "\n").collect();
        let lines: Vec<&[u8]> = text
            .as_bytes()
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .collect();
        let file = folder.join("kind.log");
        fs::write(&file, &text).expect("a file");
        let grep = best(|| count_by_grep("-chF", ":59:5", &file).1);
        let stamps = best(|| {
            let mut stamper = TimestampReader::new(&HostClock::fixed(0));
            timed(|| {
                let stamped = lines
                    .iter()
                    .filter(|line| stamper.stamp(black_box(line), NOW).from == TimeSource::Stamp);
                assert_eq!(stamped.count(), lines.len(), "a line has no stamp");
            })
        });
        let levels = best(|| {
            timed(|| {
                black_box(
                    lines
                        .iter()
                        .filter(|line| level::of(black_box(line)).is_some())
                        .count(),
                );
            })
        });
        let row = |what, seconds: f64, target| Row {
            what,
            ours: speed(lines.len(), text.len(), seconds),
            theirs: speed(lines.len(), text.len(), grep),
            ratio: seconds / grep,
            target,
        };
        [
            row(self.stamps, stamps, "stamps ≥ 2.0 M/s; theirs: grep -c"),
            row(self.levels, levels, "theirs: grep -c"),
        ]
    }
}

/// `2.31M 190MB/s`: lines and bytes per second.
fn speed(lines: usize, bytes: usize, seconds: f64) -> String {
    format!(
        "{:.2}M {:.0}MB/s",
        lines as f64 / seconds / 1e6,
        bytes as f64 / seconds / 1e6
    )
}

/// A literal in one line of a hundred, in a buffer as a search has it and line by line as following
/// has it.
fn search(folder: &Path) -> Vec<Row> {
    let file = folder.join("haystack.log");
    let text = haystack();
    fs::write(&file, &text).expect("a file");
    let subject = |raw| MatchInput {
        host: "web-1",
        source: "app",
        time: NOW,
        dialect: None,
        raw,
    };
    let row = |what, needle: &str, options: &str, count: &dyn Fn(&Query) -> usize, target| {
        let query = Query::parse(needle, &ReferenceTime::default()).expect("a query");
        let (expected, _) = count_by_grep(options, needle, &file);
        let grep = best(|| count_by_grep(options, needle, &file).1);
        let ours =
            best(|| timed(|| assert_eq!(count(&query), expected, "not the lines that grep finds")));
        let [ours_shown, theirs] = [ours, grep].map(|seconds| gigabytes(text.len(), seconds));
        Row {
            what,
            ours: ours_shown,
            theirs,
            ratio: ours / grep,
            target,
        }
    };
    let block = |query: &Query| query.find_lines(&text, subject).count();
    let lines = |query: &Query| {
        text.split(|b| *b == b'\n')
            .filter(|raw| query.matches(&subject(raw)))
            .count()
    };
    let lower = NEEDLE.to_lowercase();
    vec![
        row(
            "matcher: literal, 1 % hits, in a buffer",
            NEEDLE,
            "-chF",
            &block,
            "≥ 1.0 GB/s; theirs: grep -c",
        ),
        row(
            "matcher: literal, 1 % hits, line by line",
            NEEDLE,
            "-chF",
            &lines,
            "theirs: grep -c",
        ),
        row(
            "matcher: the same in either case, in a buffer",
            &lower,
            "-chiF",
            &block,
            "theirs: grep -ci",
        ),
        row(
            "matcher: the same in either case, by line",
            &lower,
            "-chiF",
            &lines,
            "theirs: grep -ci",
        ),
    ]
}

fn gigabytes(bytes: usize, seconds: f64) -> String {
    format!("{:.2} GB/s", bytes as f64 / seconds / 1e9)
}

fn haystack() -> Vec<u8> {
    let mut text = Vec::with_capacity(HAYSTACK_BYTES + 1024);
    let mut n = 0;
    while text.len() < HAYSTACK_BYTES {
        let hit = if n % 100 == 99 { NEEDLE } else { "needle" };
        writeln!(text, "{} {hit}", app(n)).expect("a vector takes everything");
        n += 1;
    }
    text
}

/// What `grep -c` counts, and the seconds of CPU that it takes. The file is read several times, for
/// a shell measures in milliseconds.
fn count_by_grep(options: &str, needle: &str, file: &Path) -> (usize, f64) {
    const TIMES: usize = 4;
    let script = "TIMEFORMAT='%3U %3S'; options=$1 needle=$2; shift 2; time LC_ALL=C grep $options -e \"$needle\" -- \"$@\"";
    let mut command = Command::new(program("bash"));
    command
        .args(["-c", script, "bash", options, needle])
        .args([file; TIMES]);
    let output = command.output().expect("bash runs");
    let counts = String::from_utf8_lossy(&output.stdout).into_owned();
    let times = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = counts
        .lines()
        .next()
        .and_then(|count| count.parse().ok())
        .expect("a count");
    let seconds: f64 = times
        .split_whitespace()
        .map(|time| time.parse::<f64>().expect("seconds"))
        .sum();
    (count, seconds / TIMES as f64)
}

/// Seconds of CPU of this thread.
fn timed(work: impl FnOnce()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let before = now();
    work();
    now() - before
}

/// The least of several: what others on the machine do only ever adds.
fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}
