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

mod abandoned;
mod list;
mod seek;

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
