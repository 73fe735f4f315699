//! The driver under every shell there is here, with the tools of GNU and of BusyBox, against a
//! model.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::files::access::FoundLine;
use crate::host::shell::tests::SHELLS;
use crate::host::shell::tests::waiting::{stretched, wait_within};
use crate::model::cursor::FileId;
use crate::model::time::HostClock;
use crate::parse::timestamp::TimestampReader;
use crate::query::{GrepPatterns, Prefilter};

mod list;

/// What ends a scan takes no longer.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Runs a question to its end.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A folder with every program of BusyBox and no other.
fn busybox_bin(folder: &Path) -> String {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let done = Command::new("busybox")
        .args(["--install", "-s"])
        .arg(&bin)
        .status()
        .expect("busybox; tests/run installs it");
    assert!(done.success());
    bin.to_str().expect("UTF-8").to_owned()
}

/// Does the same with every shell that is there, and with BusyBox for all tools.
fn with_every_host(check: impl Fn(&str, &Connection)) {
    let mut tried = 0;
    for shell in SHELLS.iter().filter(|shell| shell[0] != "yash") {
        if Command::new(shell[0])
            .arg("-c")
            .arg("true")
            .stdin(Stdio::null())
            .output()
            .is_ok()
        {
            tried += 1;
            check(&shell.join(" "), &Connection::by_shell(shell));
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bin = busybox_bin(folder.path());
    let path = format!("PATH={bin}");
    check(
        "BusyBox alone",
        &Connection::by_shell(&["env", &path, "sh", "-s"]),
    );
    assert!(
        tried >= 4,
        "dash, bash and busybox are needed; tests/run installs them"
    );
}

async fn start(connection: &Connection) -> ShellFiles {
    ShellFiles::start(connection).await.expect("a shell")
}

fn everything() -> Prefilter {
    Prefilter::Everything
}

fn texts(list: &[&[u8]]) -> Prefilter {
    let list = list.iter().map(|text| text.to_vec()).collect();
    Prefilter::Lines(GrepPatterns {
        fixed: true,
        either_case: false,
        list,
    })
}

async fn only(files: &mut ShellFiles, path: &Path) -> LogFile {
    let path = path.as_os_str().as_encoded_bytes();
    let listed = files.list(path).await.expect("a list");
    listed
        .into_iter()
        .find(|file| file.path == path)
        .expect("the file")
}

/// All that a scan finds, and how far it says it got.
async fn scanned(
    files: &mut ShellFiles,
    scan: &ScanRequest,
) -> Result<(Vec<FoundLine>, u64), Failure> {
    files.scan(scan).await?;
    let (mut lines, mut read_to) = (Vec::new(), 0);
    while let Some(finds) = files.next().await? {
        lines.extend(finds.lines);
        assert!(
            finds.read_to >= read_to,
            "{} after {read_to}",
            finds.read_to
        );
        read_to = finds.read_to;
    }
    Ok((lines, read_to))
}

/// What a scan of this text should find.
fn model(text: &[u8], scan: &ScanRequest, fits: impl Fn(&[u8]) -> bool) -> Vec<FoundLine> {
    let mut offset = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let shown = line.strip_suffix(b"\n").unwrap_or(line);
        if (scan.from..scan.to).contains(&offset) {
            let hole = shown.iter().take_while(|&&byte| byte == 0).count();
            // A hole at the end is no line.
            if hole == line.len() {
                continue;
            }
            let raw = shown[hole..].strip_suffix(b"\r").unwrap_or(&shown[hole..]);
            lines.push((offset + hole as u64, raw.to_vec(), fits(shown)));
        }
        offset += line.len() as u64;
    }
    let near = |at: usize| {
        let low = at.saturating_sub(scan.after as usize);
        let high = (at + scan.before as usize).min(lines.len() - 1);
        lines[low..=high].iter().any(|(.., hit)| *hit)
    };
    let kept = (0..lines.len())
        .filter(|&at| near(at))
        .map(|at| lines[at].clone());
    kept.map(|(offset, raw, is_hit)| FoundLine {
        offset,
        raw: raw.into(),
        is_hit,
    })
    .collect()
}

#[test]
fn every_host_reads_and_measures_plain_and_packed_text() {
    with_every_host(|host, connection| {
        let folder = tempfile::tempdir().expect("a folder");
        let text: Vec<u8> = (0..60_000_u32)
            .flat_map(|n| format!("line {n}\0\n").into_bytes())
            .collect();
        let plain = folder.path().join("a.log");
        std::fs::write(&plain, &text).expect("write");
        let mut paths = vec![plain];
        for (program, ending) in [
            ("gzip", "gz"),
            ("bzip2", "bz2"),
            ("xz", "xz"),
            ("zstd", "zst"),
        ] {
            let path = folder.path().join(format!("a.log.1.{ending}"));
            pack(program, &text, &path);
            paths.push(path);
        }
        run(async {
            let mut files = start(connection).await;
            for path in &paths {
                let file = only(&mut files, path).await;
                assert_eq!(
                    files.measure(&file).await.expect("a length"),
                    text.len() as u64,
                    "{host} {path:?}"
                );
                for (from, most) in [
                    (0, 10),
                    (4095, 3),
                    (100_000, 300_000),
                    (text.len() - 5, 10),
                    (text.len(), 1),
                ] {
                    let chunk = files.read(&file, from as u64, most).await.expect("a read");
                    let end = text.len().min(from + most);
                    assert_eq!(
                        chunk.bytes,
                        text[from..end],
                        "{host} {path:?} {from} {most}"
                    );
                    assert_eq!(
                        chunk.at_end,
                        end == text.len(),
                        "{host} {path:?} {from} {most}"
                    );
                }
                let beyond = files.read(&file, 10_000_000, 10).await.expect("a read");
                assert_eq!(
                    beyond,
                    FileChunk {
                        bytes: Bytes::new(),
                        at_end: true
                    },
                    "{host}"
                );
            }
        });
    });
}

#[test]
fn every_host_counts_beyond_32_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let (hole, text) = (5_u64 << 30, &b"\none cart\ntwo\nthree cart\nfour\n"[..]);
    let log = std::fs::File::create(&path).expect("create");
    std::os::unix::fs::FileExt::write_all_at(&log, text, hole).expect("write");
    let size = hole + text.len() as u64;
    with_every_host(|host, connection| {
        run(async {
            let mut files = start(connection).await;
            let file = only(&mut files, &path).await;
            assert_eq!(
                files.measure(&file).await.expect("a length"),
                size,
                "{host}"
            );
            for (skip, most) in [(1, 8), (10, 300_000), (text.len(), 5)] {
                let chunk = files
                    .read(&file, hole + skip as u64, most)
                    .await
                    .expect("a read");
                let end = text.len().min(skip + most);
                assert_eq!(chunk.bytes, text[skip..end], "{host}: {skip} {most}");
                assert_eq!(chunk.at_end, end == text.len(), "{host}: {skip} {most}");
            }
            for (from, to, expected) in [
                (1, u64::MAX, [1, 14].as_slice()),
                (2, hole + 15, &[14]),
                (1, hole + 11, &[1]),
            ] {
                let filter = texts(&[b"cart"]);
                let scan = ScanRequest {
                    file: file.clone(),
                    from: hole + from,
                    to,
                    filter,
                    before: 0,
                    after: 0,
                };
                let (lines, _) = scanned(&mut files, &scan).await.expect("a scan");
                let offsets: Vec<u64> = lines.iter().map(|line| line.offset - hole).collect();
                assert_eq!(offsets, expected, "{host}: {from}..{to}");
            }
        });
    });
}

fn pack(program: &str, text: &[u8], path: &Path) {
    let file = std::fs::File::create(path).expect("a file");
    let mut child = Command::new(program)
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(file)
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(text)
        .expect("it takes the text");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_damaged_file_gives_what_is_good_and_then_says_so() {
    with_every_host(|host, connection| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log.1.gz");
        let text: Vec<u8> = (0..200_000_u32)
            .flat_map(|n| format!("line {}\n", n ^ 0x5a5a).into_bytes())
            .collect();
        pack("gzip", &text, &path);
        let whole = std::fs::read(&path).expect("read");
        std::fs::write(&path, &whole[..whole.len() / 2]).expect("write");
        run(async {
            let mut files = start(connection).await;
            let file = only(&mut files, &path).await;
            let first = files.read(&file, 0, 1000).await.expect("what is good");
            assert_eq!(first.bytes, text[..1000], "{host}");
            assert!(!first.at_end);
            let mut offset = 0;
            let error = loop {
                match files.read(&file, offset, MAX_READ).await {
                    Ok(chunk) => {
                        assert!(!chunk.at_end && !chunk.bytes.is_empty(), "{host}");
                        offset += chunk.bytes.len() as u64;
                    }
                    Err(error) => break error,
                }
            };
            assert!(offset > 100_000, "{host}: {offset}");
            let Failure::File(FileError::Damaged(why)) = &error else {
                panic!("{host}: {error:?}")
            };
            assert!(!why.is_empty(), "{host}");
            assert!(
                matches!(
                    files.measure(&file).await,
                    Err(Failure::File(FileError::Damaged(_)))
                ),
                "{host}"
            );
            let scan = ScanRequest {
                file,
                from: 0,
                to: u64::MAX,
                filter: texts(&[b"line 7\n"[..6].into()]),
                before: 0,
                after: 0,
            };
            files.scan(&scan).await.expect("begun");
            let mut found = 0;
            let error = loop {
                match files.next().await {
                    Ok(finds) => found += finds.expect("an error at the end").lines.len(),
                    Err(error) => break error,
                }
            };
            assert!(
                found > 100 && matches!(error, Failure::File(FileError::Damaged(_))),
                "{host}: {found} {error:?}"
            );
            assert!(files.next().await.expect("the end").is_none(), "{host}");
        });
    });
}

#[test]
fn what_has_taken_the_place_of_a_file_is_not_read_for_it() {
    with_every_host(|host, connection| {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, other) = (folder.path().join("a.log"), folder.path().join("b"));
        std::fs::write(&log, "one\n").expect("write");
        std::fs::write(&other, "two\n").expect("write");
        run(async {
            let mut files = start(connection).await;
            let file = only(&mut files, &log).await;
            let why = |failure: Failure| match failure {
                Failure::File(error) => error,
                Failure::Link(error) => panic!("{host}: {error}"),
            };
            std::fs::rename(&other, &log).expect("rename");
            assert_eq!(
                why(files.read(&file, 0, 10).await.expect_err("replaced")),
                FileError::Replaced,
                "{host}"
            );
            std::fs::remove_file(&log).expect("remove");
            assert_eq!(
                why(files.measure(&file).await.expect_err("gone")),
                FileError::Missing,
                "{host}"
            );
            std::fs::create_dir(&log).expect("a folder");
            let scan = ScanRequest {
                file: file.clone(),
                from: 0,
                to: 9,
                filter: everything(),
                before: 0,
                after: 0,
            };
            assert_eq!(
                why(files.scan(&scan).await.expect_err("a folder")),
                FileError::Special,
                "{host}"
            );
            assert!(files.next().await.expect("nothing").is_none(), "{host}");
        });
    });
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"a"[..],
        b"b",
        b"B",
        b"cart",
        b"--",
        b"12:",
        b"3-",
        b" ",
        b"\0",
        b"\0\0",
        b"\x01",
        b"\xff",
        b"\r",
        b"\x0e\x0f:",
        b"\\n",
        b"'",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

#[test]
fn every_host_finds_what_the_model_finds_in_any_range_with_any_context() {
    with_every_host(|host, connection| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let files = std::cell::RefCell::new(runtime.block_on(start(connection)));
        let filters = [
            (everything(), None),
            (texts(&[b"cart", b"--"]), Some(["cart", "--"])),
            (texts(&[b"12:", b"a"]), Some(["12:", "a"])),
        ];
        let strategy = (
            prop::collection::vec(line(), 0..30),
            any::<bool>(),
            prop::sample::select(vec![0_usize, 1, 2]),
            (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
            (0_u32..3, 0_u32..3),
            any::<bool>(),
        );
        let mut runner = TestRunner::new(Config {
            cases: 24,
            ..Config::default()
        });
        let result = runner.run(
            &strategy,
            |(lines, ends, filter, (from, to), (before, after), packed)| {
                let mut text: Vec<u8> = lines.join(&b"\n"[..]);
                if ends && !text.is_empty() {
                    text.push(b'\n');
                }
                // An unfinished line of nothing but a hole is none.
                if text.ends_with(b"\0") {
                    text.push(b'x');
                }
                if packed {
                    // What a host without -b makes of NUL is put back only where it can be read
                    // again.
                    text.iter_mut()
                        .filter(|byte| **byte < 2)
                        .for_each(|byte| *byte = b'y');
                }
                let (from, to) = (
                    from.index(text.len() + 2) as u64,
                    to.index(text.len() + 2) as u64,
                );
                let to = if to as usize > text.len() {
                    u64::MAX
                } else {
                    to
                };
                let path = if packed {
                    path.with_extension("log.gz")
                } else {
                    path.clone()
                };
                if packed {
                    pack("gzip", &text, &path);
                } else {
                    std::fs::write(&path, &text).expect("write");
                }
                let (filter, words) = filters[filter].clone();
                let mut files = files.borrow_mut();
                let (found, expected) = runtime.block_on(async {
                    let file = only(&mut files, &path).await;
                    let scan = ScanRequest {
                        file,
                        from,
                        to,
                        filter,
                        before,
                        after,
                    };
                    let fits = |line: &[u8]| {
                        words.is_none_or(|words| {
                            words
                                .iter()
                                .any(|word| memchr::memmem::find(line, word.as_bytes()).is_some())
                        })
                    };
                    (
                        scanned(&mut files, &scan).await.expect("a scan").0,
                        model(&text, &scan, fits),
                    )
                });
                prop_assert_eq!(
                    found,
                    expected,
                    "{} of {:?} {}..{} -B{} -A{}",
                    host,
                    text.escape_ascii().to_string(),
                    from,
                    to,
                    before,
                    after
                );
                Ok(())
            },
        );
        result.unwrap_or_else(|error| panic!("{host}: {error}"));
    });
}

/// Processes that have a file open, by their numbers and names.
fn holders(path: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok);
    let holds = |process: &std::fs::DirEntry| {
        let files = std::fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        files
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|open| open == path)
    };
    let name = |process: std::fs::DirEntry| {
        let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        format!("{} {}", process.file_name().display(), name.trim())
    };
    processes.filter(holds).map(name).collect()
}

fn wait_until_none_holds(path: &Path, host: &str) {
    wait_within(
        AT_ONCE,
        || holders(path).is_empty(),
        || format!("{host}: still there: {:?}", holders(path)),
    );
}

/// Some GiB of text in a small file, after a line to be found.
fn endless(path: &Path) {
    let text: Vec<u8> =
        b"nothing to be seen in this line, nor in any that follows it\n".repeat(500_000);
    pack("gzip", &text, path);
    let member = std::fs::read(path).expect("read");
    pack("gzip", b"needle\n", path);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .expect("open");
    (0..400).for_each(|_| file.write_all(&member).expect("write"));
}

#[test]
fn r48_a_scan_that_nobody_waits_for_any_more_is_over_on_every_host_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log.gz");
    endless(&path);
    with_every_host(|host, connection| {
        run(async {
            let mut files = start(connection).await;
            let file = only(&mut files, &path).await;
            let scan = ScanRequest {
                file,
                from: 0,
                to: u64::MAX,
                filter: texts(&[b"needle"]),
                before: 0,
                after: 0,
            };
            // Ended by the next question.
            files.scan(&scan).await.expect("begun");
            if host != "BusyBox alone" && host != "busybox sh -s" {
                let first = files.next().await.expect("a hit").expect("not the end");
                assert_eq!(
                    first.lines[0].raw,
                    &b"needle"[..],
                    "{host}: at once, not at the end"
                );
            }
            assert!(!holders(&path).is_empty(), "{host}: it looks further");
            let read = tokio::time::timeout(stretched(AT_ONCE), files.read(&scan.file, 0, 3));
            let text = read.await.expect("at once").expect("an answer");
            assert_eq!(text.bytes, &b"nee"[..], "{host}");
            wait_until_none_holds(&path, host);
            // Ended with the value, while an answer is waited for.
            files.scan(&scan).await.expect("begun");
            let waited = async { while files.next().await.expect("an answer").is_some() {} };
            tokio::time::timeout(Duration::from_millis(300), waited)
                .await
                .expect_err("it takes long");
            assert!(!holders(&path).is_empty(), "{host}: it looks");
            drop(files);
        });
        wait_until_none_holds(&path, host);
    });
}

#[test]
fn a_line_that_does_not_end_is_too_much_for_a_search_and_not_for_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    std::fs::write(&path, "first\n").expect("write");
    std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("open")
        .set_len(2 << 30)
        .expect("a hole");
    let connection = Connection::by_shell(&["dash", "-s"]);
    run(async {
        let mut files = start(&connection).await;
        let file = only(&mut files, &path).await;
        let scan = ScanRequest {
            file,
            from: 0,
            to: u64::MAX,
            filter: texts(&[b"first"]),
            before: 0,
            after: 0,
        };
        let error = scanned(&mut files, &scan).await.expect_err("too long");
        assert!(
            matches!(error, Failure::File(FileError::TooMuch(_))),
            "{error:?}"
        );
        assert_eq!(
            files
                .read(&scan.file, 0, 3)
                .await
                .expect("the next question")
                .bytes,
            &b"fir"[..]
        );
    });
}

/// The start of a file with a line every 1.237 s, with a stack trace now and then, and the times of
/// its lines.
fn stamped(write: impl Fn(jiff::Zoned) -> String) -> (Vec<u8>, Vec<(u64, Time)>) {
    let (mut text, mut times) = (Vec::new(), Vec::new());
    let begin = Time(1_795_100_000_000_000_000);
    for n in 0..20_000_i64 {
        let time = begin.plus_millis(n * 1237);
        times.push((text.len() as u64, time));
        let stamp = write(time.to_timestamp().to_zoned(jiff::tz::TimeZone::UTC));
        text.extend_from_slice(format!("{stamp} GET /path/{n} took {} ms\n", n % 97).as_bytes());
        if n % 1000 == 5 {
            text.extend_from_slice(
                "\tat com.example.Cart.add(Cart.java:7)\n"
                    .repeat(400)
                    .as_bytes(),
            );
        }
    }
    (text, times)
}

const STAMPS: [&str; 11] = [
    "%Y-%m-%dT%H:%M:%S.%3fZ",
    "%Y-%m-%d %H:%M:%S,%3f",
    "%b %e %H:%M:%S host app[7]:",
    "<30>%b %e %H:%M:%S host app[7]:",
    "10.0.0.7 - - [%d/%b/%Y:%H:%M:%S +0000]",
    "[%a %b %d %H:%M:%S.%6f %Y] [error]",
    "I%m%d %H:%M:%S.%6f 7 main.go:5]",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%s.%3f",
    "{\"level\":\"info\",\"time\":\"%Y-%m-%dT%H:%M:%S.%3fZ\"}",
];

#[test]
fn every_awk_finds_a_time_in_few_reads_whatever_the_stamps_look_like() {
    for awk in ["gawk", "mawk", "busybox", "original-awk"] {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Command::new("sh")
            .args(["-c", &format!("command -v {awk}")])
            .output()
            .expect("a shell");
        assert!(
            program.status.success(),
            "{awk} is missing; tests/run installs what is needed"
        );
        let program = String::from_utf8_lossy(&program.stdout).trim().to_owned();
        std::os::unix::fs::symlink(program, folder.path().join("awk")).expect("link");
        let path = format!("PATH={}:/usr/bin:/bin", folder.path().display());
        let connection = Connection::by_shell(&["env", &path, "sh", "-s"]);
        let shell = run_in(|runtime| runtime.block_on(start(&connection)));
        let (runtime, mut files) = shell;
        for stamp in STAMPS {
            let (text, times) = stamped(|at| at.strftime(stamp).to_string());
            let log = folder.path().join("a log");
            std::fs::write(&log, &text).expect("write");
            let last = times.last().expect("lines").1;
            let set = std::fs::File::options()
                .write(true)
                .open(&log)
                .expect("open");
            set.set_modified(std::time::UNIX_EPOCH + Duration::from_nanos(last.0 as u64))
                .expect("a time");
            let mut stamper = TimestampReader::new(&HostClock::fixed(0));
            let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').take(64).collect();
            stamper.learn(&mut lines.iter().copied(), last);
            for line in &lines {
                stamper.stamp(line, last);
            }
            let key = stamper
                .key()
                .unwrap_or_else(|| panic!("no key for {stamp}: {:?}", stamper.format()));
            let file = runtime.block_on(only(&mut files, &log));
            for n in [0, 1, 7, 5_005, 9_999, 19_998] {
                // Between two lines, by more than the stamps can tell.
                let wanted = times[n].1.plus_millis(1100);
                let hint = runtime
                    .block_on(files.seek(&file, &key, wanted))
                    .expect("an answer");
                let hint = hint.unwrap_or_else(|| panic!("{awk} {stamp}: nothing"));
                let first = times
                    .iter()
                    .find(|(_, time)| *time >= wanted)
                    .map_or(text.len() as u64, |(at, _)| *at);
                assert!(
                    hint.ordered && hint.reads <= 40,
                    "{awk} {stamp} {n}: {hint:?}"
                );
                assert!(
                    hint.offset <= first,
                    "{awk} {stamp} {n}: {hint:?} is behind {first}"
                );
                assert!(
                    first - hint.offset < 32 << 10,
                    "{awk} {stamp} {n}: {hint:?} is far before {first}"
                );
            }
            pack("gzip", &text, &folder.path().join("packed.gz"));
            let packed = runtime.block_on(only(&mut files, &folder.path().join("packed.gz")));
            let packed = LogFile {
                modified: last,
                ..packed
            };
            for n in [0, 1, 5_005, 19_998] {
                let wanted = times[n].1.plus_millis(1100);
                let hint = runtime
                    .block_on(files.seek(&packed, &key, wanted))
                    .expect("an answer");
                let hint =
                    hint.unwrap_or_else(|| panic!("{awk} {stamp}: nothing of the compressed one"));
                let first = times
                    .iter()
                    .find(|(_, time)| *time >= wanted)
                    .map_or(text.len() as u64, |(at, _)| *at);
                assert!(
                    hint.ordered && hint.offset <= first,
                    "{awk} {stamp} {n}: {hint:?} is behind {first}"
                );
                assert!(
                    first - hint.offset < 96 << 10,
                    "{awk} {stamp} {n}: {hint:?} is far before {first}"
                );
            }
        }
    }
}

/// A runtime that stays, and what was done on it.
fn run_in<T>(work: impl FnOnce(&tokio::runtime::Runtime) -> T) -> (tokio::runtime::Runtime, T) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let done = work(&runtime);
    (runtime, done)
}

#[test]
fn a_file_that_is_not_in_order_is_noticed_and_one_without_stamps_too() {
    let connection = Connection::by_shell(&["dash", "-s"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let (text, times) = stamped(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let half = text.len() / 2;
    run(async {
        let mut files = start(&connection).await;
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        stamper.stamp(&text[..60], times[0].1);
        let key = stamper.key().expect("a key");
        std::fs::write(&path, [&text[half..], &text[..half]].concat()).expect("write");
        let file = only(&mut files, &path).await;
        let hint = files
            .seek(&file, &key, times[15_000].1)
            .await
            .expect("an answer")
            .expect("a hint");
        assert!(!hint.ordered, "{hint:?}");
        std::fs::write(&path, "no stamps\n".repeat(10_000)).expect("write");
        let file = only(&mut files, &path).await;
        assert_eq!(
            files
                .seek(&file, &key, times[0].1)
                .await
                .expect("an answer"),
            None
        );
    });
}
