//! The same questions to every driver of the files of a host: this machine's engine, a shell on
//! this machine, and a shell behind a real sshd. The answers must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use logtrail::files::access::{FileError, ScanRequest};
use logtrail::files::listing::FileListing;
use logtrail::host::shell::ShellFiles;
use logtrail::host::{Failure, Files, LocalFiles};
use logtrail::model::host::{HostSpec, SystemFacts};
use logtrail::model::log_file::LogFile;
use logtrail::query::{Query, ReferenceTime};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::connect::connect;
use crate::support::files::compressed;
use crate::support::spec::local_host;
use crate::support::sshd::Sshd;

/// The same files and the same questions each time.
const SEED: u64 = 20_261_121;

/// What lines are made of.
const WORDS: &[&[u8]] = &[
    b"error",
    b"ERROR",
    b"warn",
    b"cart",
    b"status=502",
    b" ",
    b" ",
    b" ",
    b"-",
    b"--",
    b"12:",
    b"a",
    b"b",
    b"\t",
    b"\xff",
    b"\xc3",
    b"\0",
    b"\x01",
    b"\r",
    b"[x]",
    b"(y)",
    b"\\",
    b"$",
    b"^",
    b"{",
    b"+",
    b"*",
    b"\xc3\xbc",
    b"E",
    b"0",
    b"\"msg\":\"x\"",
    b"2026-11-21T09:00:00Z",
];

/// Queries whose filters are scanned for; the empty one finds every line.
const QUERIES: &[&str] = &[
    "",
    "error",
    "ERROR",
    "warn cart",
    "error OR cart",
    "/e..or/",
    "/status=5[0-9]+/",
    "\"--\"",
    "/a+b|\\[x\\]/",
    "\u{fc}",
    "/[^a]b/",
    "12:",
    "-error",
    "/\\$|\\^|\\{/",
    "level>=warn",
    "nothing-has-this",
];

fn line(rng: &mut StdRng) -> Vec<u8> {
    let words = rng.random_range(0..12);
    (0..words)
        .flat_map(|_| WORDS[rng.random_range(0..WORDS.len())].to_vec())
        .collect()
}

fn text(rng: &mut StdRng, lines: usize, end: &[u8]) -> Vec<u8> {
    (0..lines)
        .flat_map(|_| [line(rng), end.to_vec()].concat())
        .collect()
}

/// Files of every kind, in a folder with a name that no shell may evaluate.
struct Tree {
    folder: tempfile::TempDir,
    /// How much of each damaged file is good at least.
    good: BTreeMap<Vec<u8>, u64>,
}

impl Tree {
    fn make() -> Self {
        let mut tree = Self {
            folder: tempfile::tempdir().expect("a folder"),
            good: BTreeMap::new(),
        };
        fs::create_dir(tree.at("")).expect("made");
        let rng = &mut StdRng::seed_from_u64(SEED);
        tree.plain(rng);
        tree.compressed(rng);
        tree.long(rng);
        tree.special();
        tree
    }

    fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.folder
            .path()
            .join("it's $(touch x) \"&;\n%s `y`")
            .join(name.as_ref())
    }

    fn write(&self, name: impl AsRef<OsStr>, bytes: &[u8]) {
        fs::write(self.at(name), bytes).expect("written");
    }

    fn plain(&self, rng: &mut StdRng) {
        for name in [
            "app.log",
            "app.log-20261119",
            "app-20261117.log",
            "app.2026-11-16.log",
            "web.log",
            "-rf.log",
            "a b.log",
            "new\nline.log",
        ] {
            self.write(name, &text(rng, 300, b"\n"));
        }
        self.write("crlf.log", &text(rng, 300, b"\r\n"));
        self.write(
            "app.log.1",
            text(rng, 300, b"\n").split_last().expect("text").1,
        );
        self.write("empty.log", b"");
        self.write("one-byte.log", b"a");
        self.write("ends.log", b"\n\n\n");
        for name in [
            &b"\xff\xfe.log"[..],
            b"%s%n.log",
            b"$HOME.log",
            b"~.log",
            b"{a,b}.log",
            b"'.log",
            b"\\0041.log",
            b".hidden.log",
            b"app.log.old",
        ] {
            self.write(OsStr::from_bytes(name), &text(rng, 20, b"\n"));
        }
    }

    fn compressed(&mut self, rng: &mut StdRng) {
        let whole = text(rng, 20_000, b"\n");
        for (name, program) in [
            ("app.log.2.gz", "gzip"),
            ("app.log.3.bz2", "bzip2"),
            ("app.log.4.xz", "xz"),
            ("app.log-20261118.zst", "zstd"),
        ] {
            self.write(name, &compressed(program, &whole));
        }
        let (one, two) = whole.split_at(200_001);
        for (name, program) in [
            ("two.log.gz", "gzip"),
            ("two.log.1.bz2", "bzip2"),
            ("two.log.2.xz", "xz"),
            ("two.log.3.zst", "zstd"),
        ] {
            self.write(
                name,
                &[compressed(program, one), compressed(program, two)].concat(),
            );
        }
        for (name, program) in [
            ("cut.log.1.gz", "gzip"),
            ("cut.log.2.bz2", "bzip2"),
            ("cut.log.3.xz", "xz"),
            ("cut.log.4.zst", "zstd"),
        ] {
            let bytes = [compressed(program, one), compressed(program, two)].concat();
            self.write(name, &bytes[..bytes.len() - 1000]);
            self.good.insert(
                self.at(name).as_os_str().as_bytes().to_vec(),
                one.len() as u64,
            );
        }
        self.write("none.log.gz", &compressed("gzip", b""));
        self.write("plain.log.1.gz", &text(rng, 20, b"\n"));
        self.good
            .insert(self.at("plain.log.1.gz").as_os_str().as_bytes().to_vec(), 0);
    }

    /// Lines at and beyond the longest that is kept, and holes.
    fn long(&self, rng: &mut StdRng) {
        let mut long = text(rng, 20, b"\n");
        for length in [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
            long.extend_from_slice(b"error ");
            long.resize(long.len() + length - 6, b'x');
            long.extend_from_slice(b"\nerror between\n");
        }
        self.write("long.log", &long);
        for (name, end) in [
            ("hole.log", &b"error behind\n"[..]),
            ("hole-at-end.log", b""),
        ] {
            let file = File::create(self.at(name)).expect("created");
            file.write_all_at(b"error before\n", 0).expect("written");
            file.write_all_at(end, 5 << 20).expect("written");
            file.set_len((5 << 20) + end.len() as u64).expect("set");
        }
        self.write("nuls.log", b"\0\0\0error\n\0\n\0\0\r\nerror\0\0\n\0\0");
    }

    fn special(&self) {
        fs::create_dir(self.at("folder.log")).expect("made");
        self.write("folder.log/inner.log", b"inner\n");
        fs::create_dir(self.at("back\\slash")).expect("made");
        self.write("back\\slash/a\\b.log", b"inner\n");
        symlink(self.at("web.log"), self.at("zlink.log")).expect("linked");
        symlink(self.at("loop.log"), self.at("loop.log")).expect("linked");
        symlink(self.at("nowhere"), self.at("dangling.log")).expect("linked");
        fs::hard_link(self.at("web.log"), self.at("zhard.log")).expect("linked");
        assert!(
            Command::new("mkfifo")
                .arg(self.at("fifo.log"))
                .status()
                .expect("mkfifo")
                .success()
        );
    }

    fn patterns(&self) -> Vec<Vec<u8>> {
        let path = |name: &str| self.at(name).as_os_str().as_bytes().to_vec();
        let names = [
            "app.log",
            "*.log",
            "*",
            "app*",
            "app.log*",
            "[a-c]*.log",
            "[!a-z]*.log",
            "[[:alpha:]]*.log",
            "?pp.log",
            "*.gz",
            ".*",
            ".h*",
            "[.]*",
            "nothing*",
            "missing.log",
            "missing.log.1",
            "folder.log",
            "fifo.log",
            "loop.log",
            "dangling.log",
            "zlink.log",
            "*/inner.log",
            "folder.log/*",
            "back\\slash/a\\b.log",
            "back\\\\slash/*.log",
            "back\\slash/*.log",
            "*/a\\\\b.log",
            "web.log/",
            "web.log/x",
            "a b.log",
            "a*b.log",
            "new\nline.log",
            "new*",
            "~.log",
            "{a,b}.log",
            "'.log",
            "%s%n.log",
            "-rf.log",
            "two.log",
            "cut.log",
            "*[0-9]",
            "app.log.[0-9]*",
            "app-2*.log",
            "[",
            "*[",
            "[]*",
            "\u{fc}*",
        ];
        let mut patterns: Vec<Vec<u8>> = names.iter().map(|name| path(name)).collect();
        patterns.extend([
            path("").strip_suffix(b"/").expect("a folder").to_vec(),
            [&path("")[..], b"\xff\xfe.log"].concat(),
            [&path("")[..], b"\xff*"].concat(),
        ]);
        patterns.push([self.folder.path().as_os_str().as_bytes(), b"/*/app.log"].concat());
        patterns
    }
}

/// A file as it was listed, in a form that compares.
fn facts(file: &LogFile) -> (Vec<u8>, u64, u64, u64, i64, &'static str) {
    (
        file.path.clone(),
        file.id.dev,
        file.id.ino,
        file.size,
        file.modified.0,
        file.compression.as_str(),
    )
}

/// Which error it is; every program has its own words for what is damaged.
fn kind(failure: Failure) -> String {
    match failure {
        Failure::File(FileError::Damaged(_)) => "damaged".to_owned(),
        Failure::File(FileError::Other(_)) => "other".to_owned(),
        Failure::File(error) => error.to_string(),
        Failure::Link(error) => panic!("the connection broke: {:?}", error.status),
    }
}

async fn listed<F: Files>(files: &mut F, pattern: &[u8]) -> Result<Vec<LogFile>, String> {
    files
        .list(pattern)
        .await
        .map(FileListing::into_files)
        .map_err(kind)
}

async fn read<F: Files>(
    files: &mut F,
    file: &LogFile,
    from: u64,
    most: usize,
) -> Result<(Vec<u8>, bool), String> {
    files
        .read(file, from, most)
        .await
        .map(|chunk| (chunk.bytes.to_vec(), chunk.at_end))
        .map_err(kind)
}

/// Offset, text, whether it is a hit.
type Line = (u64, Vec<u8>, bool);

async fn scanned<F: Files>(files: &mut F, scan: &ScanRequest) -> (Vec<Line>, Option<String>) {
    let mut lines = Vec::new();
    if let Err(failure) = files.scan(scan).await {
        return (lines, Some(kind(failure)));
    }
    loop {
        match files.next().await {
            Ok(Some(finds)) => lines.extend(
                finds
                    .lines
                    .into_iter()
                    .map(|l| (l.offset, l.raw.to_vec(), l.is_hit)),
            ),
            Ok(None) => return (lines, None),
            Err(failure) => return (lines, Some(kind(failure))),
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(200)];
    format!("{} bytes: {}", bytes.len(), cut.escape_ascii())
}

/// The lines from the first on that another does not have.
fn shown_lines((lines, error): &(Vec<Line>, Option<String>), other: &[Line]) -> String {
    let same = lines
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count();
    let line =
        |(at, raw, hit): &Line| format!("\n    {at}{}{}", if *hit { ':' } else { '-' }, shown(raw));
    let first: String = lines.iter().skip(same).take(3).map(line).collect();
    format!(
        "{} lines, {error:?}; from line {same} on:{first}",
        lines.len()
    )
}

/// Asks both drivers all questions, and keeps each that they answer differently.
struct Compared<'a, F> {
    tree: &'a Tree,
    here: LocalFiles,
    there: F,
    rng: StdRng,
    differences: Vec<String>,
    asked: usize,
}

impl Compared<'_, ShellFiles> {
    async fn compare_facts(&mut self) {
        let here = self.here.describe().await;
        let there = self
            .there
            .describe()
            .await
            .unwrap_or_else(|error| panic!("{:?}", error.status));
        assert!(
            there
                .clock_offset_ms
                .is_some_and(|offset| offset.abs() < 2000.0),
            "{there:?}"
        );
        assert!(
            here.cores > 0 && !here.hostname.is_empty() && here.boot_id.is_some(),
            "{here:?}"
        );
        // One measures the clock, the other has it; and a second may begin between both.
        assert!(there.uptime_s.abs_diff(here.uptime_s) < 60, "{there:?}");
        let there = SystemFacts {
            clock_offset_ms: here.clock_offset_ms,
            clock_error_ms: here.clock_error_ms,
            uptime_s: here.uptime_s,
            ..there
        };
        self.compare("describe", &here, &there, |facts| format!("{facts:?}"));
    }
}

impl<F: Files> Compared<'_, F> {
    fn compare<T: PartialEq>(
        &mut self,
        question: &str,
        here: &T,
        there: &T,
        show: impl Fn(&T) -> String,
    ) {
        self.asked += 1;
        if here != there {
            self.differences.push(format!(
                "{question}\n  engine: {}\n  shell:  {}",
                show(here),
                show(there)
            ));
        }
    }

    /// Every file of the tree.
    async fn compare_lists(&mut self) -> Vec<LogFile> {
        let mut all = BTreeMap::new();
        for pattern in self.tree.patterns() {
            let (here, there) = (
                listed(&mut self.here, &pattern).await,
                listed(&mut self.there, &pattern).await,
            );
            all.extend(
                here.iter()
                    .flatten()
                    .map(|file| (file.path.clone(), file.clone())),
            );
            let sorted = |files: Result<Vec<LogFile>, String>| {
                files.map(|files| files.iter().map(facts).collect::<BTreeSet<_>>())
            };
            let question = format!("list {}", pattern.escape_ascii());
            self.compare(
                &question,
                &sorted(here),
                &sorted(there),
                |files| match files {
                    Ok(files) => files
                        .iter()
                        .map(|file| format!("\n    {}", file.0.escape_ascii()))
                        .collect(),
                    Err(error) => error.clone(),
                },
            );
        }
        all.into_values().collect()
    }

    /// So much of the text is the same whoever unpacks it.
    fn good(&self, file: &LogFile) -> u64 {
        self.tree.good.get(&file.path).copied().unwrap_or(u64::MAX)
    }

    async fn compare_reads(&mut self, file: &LogFile, count: usize) {
        let name = file.path.escape_ascii().to_string();
        let lengths = (
            self.here.measure(file).await.map_err(kind),
            self.there.measure(file).await.map_err(kind),
        );
        self.compare(
            &format!("measure {name}"),
            &lengths.0,
            &lengths.1,
            |length| format!("{length:?}"),
        );
        let length = lengths.0.unwrap_or(0).min(self.good(file));
        let mut reads = vec![
            (0, 1000),
            (length, 10),
            (length + 5, 10),
            (length.saturating_sub(3), 3),
            (0, 0),
        ];
        for _ in 0..count {
            reads.push((
                self.rng.random_range(0..=length),
                self.rng.random_range(1..300_000),
            ));
        }
        reads.retain(|(from, most)| from.saturating_add(*most as u64) <= self.good(file));
        for (from, most) in reads {
            let answers = (
                read(&mut self.here, file, from, most).await,
                read(&mut self.there, file, from, most).await,
            );
            let question = format!("read {name} from {from} at most {most}");
            self.compare(&question, &answers.0, &answers.1, |read| match read {
                Ok((bytes, at_end)) => format!("{}, at end: {at_end}", shown(bytes)),
                Err(error) => error.clone(),
            });
        }
    }

    fn any_scan(&mut self, file: &LogFile) -> (String, ScanRequest) {
        let rng = &mut self.rng;
        let query = QUERIES[rng.random_range(0..QUERIES.len())];
        let filter = Query::parse(query, &ReferenceTime::default())
            .expect(query)
            .prefilter();
        // Of a compressed file this is not the end.
        let end = file.size + 10;
        let from = if rng.random_bool(0.4) {
            0
        } else {
            rng.random_range(0..end)
        };
        let to = if rng.random_bool(0.5) {
            u64::MAX
        } else {
            rng.random_range(from..=end)
        };
        let context = |rng: &mut StdRng| {
            if rng.random_bool(0.5) {
                0
            } else {
                rng.random_range(1..5)
            }
        };
        let (before, after) = (context(rng), context(rng));
        let scan = ScanRequest {
            file: file.clone(),
            from,
            to,
            filter,
            before,
            after,
        };
        let name = file.path.escape_ascii();
        (
            format!(
                "scan {name} from {from} to {to} for {query:?} with {before} before and {after} after"
            ),
            scan,
        )
    }

    async fn compare_scans(&mut self, file: &LogFile, count: usize) {
        for _ in 0..count {
            let (question, scan) = self.any_scan(file);
            let (mut here, mut there) = (
                scanned(&mut self.here, &scan).await,
                scanned(&mut self.there, &scan).await,
            );
            if self.good(file) < u64::MAX && scan.to < u64::MAX {
                // What unpacks runs ahead, and may come upon the damage behind the range, or not.
                (here.1, there.1) = (None, None);
            }
            if self.good(file) < u64::MAX {
                // Behind the damage each has what it has. A line before it may be there for one
                // behind it.
                let limit = self.good(file).saturating_sub(1000);
                let is_good = |line: &Line| line.0 < limit;
                here.0.retain(is_good);
                there.0.retain(is_good);
            }
            let (of_here, of_there) = (here.0.clone(), there.0.clone());
            self.compare(&question, &here, &there, |found| {
                shown_lines(
                    found,
                    if found.0 == of_here {
                        &of_there
                    } else {
                        &of_here
                    },
                )
            });
        }
    }

    fn finish(self, least: usize) {
        assert!(
            self.asked >= least,
            "only {} questions were asked",
            self.asked
        );
        let first: Vec<&str> = self
            .differences
            .iter()
            .take(12)
            .map(String::as_str)
            .collect();
        let (count, asked) = (self.differences.len(), self.asked);
        assert!(
            first.is_empty(),
            "{count} of {asked} answers differ:\n{}",
            first.join("\n")
        );
    }
}

/// Compares what the shells of a host say with what the engine says.
async fn compare(host: &HostSpec, reads: usize, scans: usize, least: usize) {
    let tree = Tree::make();
    let connection = connect(host).await;
    let there = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    let rng = StdRng::seed_from_u64(SEED);
    let mut compared = Compared {
        tree: &tree,
        here: LocalFiles::new(),
        there,
        rng,
        differences: Vec::new(),
        asked: 0,
    };
    let files = compared.compare_lists().await;
    for file in &files {
        compared.compare_reads(file, reads).await;
        compared.compare_scans(file, scans).await;
    }
    compared.compare_facts().await;
    compared.finish(least);
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_on_this_machine_answers_as_the_engine_does() {
    compare(&local_host("here", &[]), 4, 10, 800).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_behind_sshd_answers_as_the_engine_does() {
    let sshd = Sshd::start();
    compare(&sshd.host("web-1"), 2, 4, 400).await;
}
