//! What is read and found, against the plainest way to say it; with blocks and lines so short that
//! their ends are met.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use regex::bytes::Regex;

use super::{FileReader, FileScanner, MAX_LINE, StopFlag, list, measure};
use crate::files::access::{FileError, ScanRequest};
use crate::model::log_file::LogFile;
use crate::query::{GrepPatterns, Prefilter};

fn listed(path: &Path) -> LogFile {
    let files = list(path.as_os_str().as_bytes(), &StopFlag::default()).expect("listed");
    files
        .into_iter()
        .find(|file| file.path == path.as_os_str().as_bytes())
        .expect("the file itself")
}

fn names(pattern: &Path) -> Vec<String> {
    let files = list(pattern.as_os_str().as_bytes(), &StopFlag::default()).expect("listed");
    let name = |file: &LogFile| {
        String::from_utf8_lossy(&file.path)
            .rsplit('/')
            .next()
            .map(str::to_owned)
    };
    let mut names: Vec<_> = files.iter().filter_map(name).collect();
    names.sort();
    names
}

/// Compresses as the program of this name does.
fn packed(program: &str, text: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let child = command
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs what is needed"));
    let (mut input, text) = (child.stdin.take().expect("piped"), text.to_vec());
    let writer = std::thread::spawn(move || input.write_all(&text));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("written");
    output.stdout
}

type Line = (u64, Vec<u8>, bool);

fn scanned(scan: &ScanRequest) -> Result<Vec<Line>, (Vec<Line>, FileError)> {
    let stop = StopFlag::default();
    let mut found = Vec::new();
    let mut scanner = FileScanner::new(scan, &stop).map_err(|error| (Vec::new(), error))?;
    let mut read_to = 0;
    loop {
        match scanner.next(&stop) {
            Ok(Some(finds)) => {
                assert!(
                    finds.read_to >= read_to,
                    "it goes back from {read_to} to {}",
                    finds.read_to
                );
                read_to = finds.read_to;
                assert!(finds.lines.iter().all(|line| line.offset <= read_to));
                found.extend(
                    finds
                        .lines
                        .into_iter()
                        .map(|line| (line.offset, line.raw.to_vec(), line.is_hit)),
                );
            }
            Ok(None) => return Ok(found),
            Err(error) => return Err((found, error)),
        }
    }
}

/// The same, from the whole text.
fn expected(text: &[u8], scan: &ScanRequest, matches: impl Fn(&[u8]) -> bool) -> Vec<Line> {
    let mut start = 0;
    let mut lines: Vec<Line> = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let begins = start as u64;
        start += line.len();
        if !(scan.from..scan.to).contains(&begins) {
            continue;
        }
        let inside = line.strip_suffix(b"\n").unwrap_or(line);
        let hole = inside.iter().take_while(|&&byte| byte == 0).count();
        if hole == line.len() {
            continue;
        }
        let kept = &inside[hole..inside.len().min(hole + MAX_LINE)];
        let shown = kept.strip_suffix(b"\r").unwrap_or(kept);
        lines.push((begins + hole as u64, shown.to_vec(), matches(kept)));
    }
    let mut near = vec![false; lines.len()];
    for at in (0..lines.len()).filter(|at| lines[*at].2) {
        let end = lines.len().min(at + scan.after as usize + 1);
        near[at.saturating_sub(scan.before as usize)..end].fill(true);
    }
    lines
        .into_iter()
        .zip(near)
        .filter(|(_, near)| *near)
        .map(|(line, _)| line)
        .collect()
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "A", "ab", "err", "ERR", " ", "\u{fc}"]).prop_map(|s| s.as_bytes().to_vec()),
        4 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"\xff".to_vec()),
        1 => (1_usize..30).prop_map(|n| vec![0; n]),
        1 => (1_usize..100).prop_map(|n| vec![b'x'; n]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn filter() -> impl Strategy<Value = Option<(Vec<&'static str>, bool)>> {
    let word = prop::sample::select(vec!["a", "ab", "err", "x", "\u{fc}", "aerr", "b "]);
    prop_oneof![
        1 => Just(None),
        4 => (prop::collection::vec(word, 1..4), any::<bool>()).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_finds_what_the_whole_text_has(
        text in text(), filter in filter(), from in 0_u64..300, length in prop_oneof![Just(u64::MAX), 0_u64..300],
        before in 0_u32..4, after in 0_u32..4,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        fs::write(&path, &text).expect("written");
        let prefilter = filter.as_ref().map_or(Prefilter::Everything, |(words, either_case)| {
            let list = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            Prefilter::Lines(GrepPatterns { fixed: true, either_case: *either_case, list })
        });
        let to = from.saturating_add(length);
        let scan = ScanRequest { file: listed(&path), from, to, filter: prefilter, before, after };
        let matches = |line: &[u8]| filter.as_ref().is_none_or(|(words, either_case)| words.iter().any(|word| {
            line.windows(word.len()).any(|part| if *either_case {
                part.eq_ignore_ascii_case(word.as_bytes())
            } else {
                part == word.as_bytes()
            })
        }));
        prop_assert_eq!(scanned(&scan), Ok(expected(&text, &scan, matches)));
    }

    #[test]
    fn text_is_read_from_any_offset(text in text(), reads in prop::collection::vec((0_u64..400, 1_usize..300), 1..8)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        fs::write(&path, &text).expect("written");
        let (file, stop) = (listed(&path), StopFlag::default());
        prop_assert_eq!(measure(&file, &stop), Ok(text.len() as u64));
        let mut reader = FileReader::default();
        for (from, most) in reads {
            let chunk = reader.read(&file, from, most, &stop).expect("read");
            let start = text.len().min(from as usize);
            let end = text.len().min(start + most);
            prop_assert_eq!(&chunk.bytes[..], &text[start..end]);
            prop_assert_eq!(chunk.at_end, end == text.len());
        }
    }
}

/// Lines enough for several blocks of every kind of compression.
fn long_text() -> Vec<u8> {
    (0..40_000_u64)
        .flat_map(|n| format!("{n} line {}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).into_bytes())
        .collect()
}

#[test]
fn compressed_text_is_read_as_if_it_were_plain_in_one_member_or_several() {
    let (folder, text, stop) = (
        tempfile::tempdir().expect("a folder"),
        long_text(),
        StopFlag::default(),
    );
    for (program, ending) in [
        ("gzip", "gz"),
        ("bzip2", "bz2"),
        ("xz", "xz"),
        ("zstd", "zst"),
    ] {
        let path = folder.path().join(format!("a.log.{ending}"));
        let (one, other) = text.split_at(300_001);
        for bytes in [
            packed(program, &text),
            [packed(program, one), packed(program, other)].concat(),
        ] {
            fs::write(&path, &bytes).expect("written");
            let file = listed(&path);
            assert_eq!(measure(&file, &stop), Ok(text.len() as u64), "{program}");
            let mut reader = FileReader::default();
            for (from, most) in [
                (0, 10),
                (10, 70_000),
                (299_990, 20),
                (250_000, 500_000),
                (text.len() - 5, 100),
            ] {
                let chunk = reader.read(&file, from as u64, most, &stop).expect("read");
                let end = text.len().min(from + most);
                assert!(
                    chunk.bytes == text[from..end] && chunk.at_end == (end == text.len()),
                    "{program} {from}"
                );
            }
            let filter = Prefilter::Lines(GrepPatterns {
                fixed: true,
                either_case: false,
                list: vec![b"777 line".into()],
            });
            let scan = ScanRequest {
                file,
                from: 100_000,
                to: u64::MAX,
                filter,
                before: 1,
                after: 1,
            };
            let has = |line: &[u8]| line.windows(8).any(|part| part == b"777 line");
            assert_eq!(scanned(&scan), Ok(expected(&text, &scan, has)), "{program}");
        }
    }
}

#[test]
fn of_a_damaged_file_what_is_good_is_read_and_then_it_is_said() {
    let (folder, text, stop) = (
        tempfile::tempdir().expect("a folder"),
        long_text(),
        StopFlag::default(),
    );
    for (program, ending) in [
        ("gzip", "gz"),
        ("bzip2", "bz2"),
        ("xz", "xz"),
        ("zstd", "zst"),
    ] {
        let path = folder.path().join(format!("a.log.{ending}"));
        let whole = [
            packed(program, &text[..500_000]),
            packed(program, &text[500_000..]),
        ]
        .concat();
        let mut broken = whole.clone();
        broken[whole.len() - 2000] ^= 0x55;
        for bytes in [&whole[..whole.len() - 20], &broken] {
            fs::write(&path, bytes).expect("written");
            let file = listed(&path);
            let mut good = Vec::new();
            let mut reader = FileReader::default();
            let error = loop {
                match reader.read(&file, good.len() as u64, 100_000, &stop) {
                    Ok(chunk) => {
                        assert!(!chunk.at_end && !chunk.bytes.is_empty(), "{program}");
                        good.extend_from_slice(&chunk.bytes);
                    }
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, FileError::Damaged(_)), "{program}: {error}");
            assert!(good.len() >= 500_000, "{program}: {} bytes", good.len());
            assert!(good[..500_000] == text[..500_000], "{program}");
            assert!(
                matches!(measure(&file, &stop), Err(FileError::Damaged(_))),
                "{program}"
            );
            let scan = ScanRequest {
                file,
                from: 0,
                to: u64::MAX,
                filter: Prefilter::Everything,
                before: 0,
                after: 0,
            };
            let (found, error) = scanned(&scan).expect_err("it is damaged");
            assert!(
                matches!(error, FileError::Damaged(_)) && found.len() > 10_000,
                "{program}: {}",
                found.len()
            );
        }
    }
}

#[test]
fn what_is_no_compressed_file_is_damaged_and_what_follows_one_is_passed_over() {
    let (folder, stop) = (tempfile::tempdir().expect("a folder"), StopFlag::default());
    for (program, ending) in [
        ("gzip", "gz"),
        ("bzip2", "bz2"),
        ("xz", "xz"),
        ("zstd", "zst"),
    ] {
        let path = folder.path().join(format!("a.log.{ending}"));
        for bytes in [&b"plain text\n"[..], b""] {
            fs::write(&path, bytes).expect("written");
            assert!(
                matches!(measure(&listed(&path), &stop), Err(FileError::Damaged(_))),
                "{program} {bytes:?}"
            );
        }
        fs::write(&path, [packed(program, b"text\n"), vec![0; 512]].concat()).expect("written");
        assert_eq!(measure(&listed(&path), &stop), Ok(5), "{program}");
        fs::write(&path, packed(program, b"")).expect("written");
        assert_eq!(measure(&listed(&path), &stop), Ok(0), "{program}");
    }
}

#[test]
fn a_small_file_that_unpacks_to_very_much_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bomb.log.zst");
    // Frames of a block of one byte that is repeated: 128 KiB each.
    let frame: [u8; 13] = [
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, 0x03, 0x00, 0x10, b'x', 0, 0, 0,
    ];
    let frame = &frame[..10];
    fs::write(&path, frame.repeat(12_000)).expect("written");
    let error = measure(&listed(&path), &StopFlag::default()).expect_err("it is too much");
    assert!(matches!(error, FileError::TooMuch(_)), "{error}");
}

#[test]
fn a_hole_costs_nothing_and_the_line_behind_it_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sparse.log");
    let file = File::create(&path).expect("created");
    file.write_all_at(b"one\n", 0).expect("written");
    file.write_all_at(b"two\nthree\n", 10 << 30)
        .expect("written");
    let began = std::time::Instant::now();
    let filter = Prefilter::Lines(GrepPatterns {
        fixed: true,
        either_case: false,
        list: vec![b"t".to_vec()],
    });
    let scan = ScanRequest {
        file: listed(&path),
        from: 0,
        to: u64::MAX,
        filter,
        before: 0,
        after: 0,
    };
    let found = scanned(&scan).expect("scanned");
    let at = 10_u64 << 30;
    assert_eq!(
        found,
        [
            (at, b"two".to_vec(), true),
            (at + 4, b"three".to_vec(), true)
        ]
    );
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn a_file_is_only_read_where_it_is_still_the_one_that_was_listed() {
    let (folder, stop) = (tempfile::tempdir().expect("a folder"), StopFlag::default());
    let path = folder.path().join("a.log");
    fs::write(&path, "old\n").expect("written");
    let file = listed(&path);
    let read = || {
        FileReader::default()
            .read(&file, 0, 100, &stop)
            .map(|chunk| chunk.bytes.to_vec())
    };
    assert_eq!(read(), Ok(b"old\n".to_vec()));
    fs::rename(&path, folder.path().join("a.log.1")).expect("renamed");
    assert_eq!(read(), Err(FileError::Missing));
    fs::write(&path, "new\n").expect("written");
    assert_eq!(read(), Err(FileError::Replaced));
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    assert_eq!(read(), Err(FileError::Special));
    fs::remove_dir(&path).expect("removed");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .expect("mkfifo")
            .success()
    );
    assert_eq!(read(), Err(FileError::Special));
}

#[test]
fn work_that_is_to_stop_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    fs::write(&path, long_text()).expect("written");
    let (file, stop) = (listed(&path), StopFlag::default());
    let scan = ScanRequest {
        file,
        from: 0,
        to: u64::MAX,
        filter: Prefilter::Everything,
        before: 0,
        after: 0,
    };
    let mut scanner = FileScanner::new(&scan, &stop).expect("begun");
    assert!(scanner.next(&stop).is_ok_and(|finds| finds.is_some()));
    stop.stop();
    assert!(matches!(scanner.next(&stop), Err(FileError::Other(_))));
    assert!(
        measure(&scan.file, &stop).is_ok(),
        "nothing is read for that"
    );
    assert!(matches!(list(b"/", &stop), Err(FileError::Other(_))));
}

#[test]
fn a_pattern_lists_regular_files_and_their_siblings_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in [
        "app.log",
        "app.log.1",
        "app.log.2.gz",
        "app.log-20261120",
        "app-20261119.log",
        "app.log.old",
        "web.log",
        ".hidden.log",
        "other",
        "web.log\n.log",
        "gone.log.1",
    ] {
        fs::write(at(name), name).expect("written");
    }
    fs::create_dir(at("folder.log")).expect("made");
    symlink(at("web.log"), at("zlink.log")).expect("linked");
    symlink(at("loop.log"), at("loop.log")).expect("linked");
    fs::hard_link(at("web.log"), at("zhard.log")).expect("linked");
    let of_app = [
        "app-20261119.log",
        "app.log",
        "app.log-20261120",
        "app.log.1",
        "app.log.2.gz",
    ];
    assert_eq!(names(&at("app.log")), of_app);
    assert_eq!(
        names(&at("*.log")),
        [&of_app[..], &["web.log", "web.log\n.log"]].concat()
    );
    assert_eq!(names(&at("[ow]*")), ["other", "web.log", "web.log\n.log"]);
    assert_eq!(names(&at(".*")), [".hidden.log"]);
    assert_eq!(
        names(&at("gone.log")),
        ["gone.log.1"],
        "the log itself is away for a moment"
    );
    assert_eq!(names(&at("nothing*")), <[&str; 0]>::default());
    assert_eq!(names(&at("folder.log")), <[&str; 0]>::default());
    let above = folder
        .path()
        .parent()
        .expect("a parent")
        .join("*")
        .join(folder.path().file_name().expect("a name"));
    assert_eq!(names(&above.join("web.log")), <[&str; 0]>::default());
}

#[test]
fn thousands_of_files_are_listed_and_of_more_than_fit_the_oldest_are_left_out_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = |n: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + n);
    for n in 0..2500 {
        let file = fs::File::create(folder.path().join(format!("{n}.log"))).expect("written");
        file.set_modified(time(n)).expect("its time");
    }
    let pattern = folder.path().join("*.log");
    assert_eq!(names(&pattern).len(), 2500);
    let few = super::list::list_within(
        pattern.as_os_str().as_bytes(),
        false,
        100_000,
        &StopFlag::default(),
    )
    .expect("a list");
    assert!(
        few.len() > 300 && few.len() as u64 + few.left_out() == 2500,
        "{} and {}",
        few.len(),
        few.left_out()
    );
    let oldest = few
        .iter()
        .map(|file| file.modified.0 / 1_000_000_000 - 1_700_000_000)
        .min();
    assert_eq!(oldest, Some(2500 - few.len() as i64));
}

#[test]
fn expressions_find_what_grep_finds() {
    let lines: Vec<&[u8]> = vec![
        b"",
        b"a",
        b"ab",
        b"abb",
        b"aab",
        b"b",
        b"]",
        b"^",
        b"-",
        b"a-b",
        b"x.y",
        b"xzy",
        b"a\\b",
        b"a{2}",
        b"(a)",
        b"a|b",
        b"\xff\xfe",
        b"A",
        b"a\tb",
        b"a b",
        b"\x01",
        b"[",
        b"a$",
        b"$a",
        b"caab",
        b"ababab",
        b"\r",
        b"a\r",
        b"z\x01z",
        b"!",
        b"!a",
        b"c!",
    ];
    for expression in [
        "a",
        "a+",
        "ab*",
        "(ab)+",
        "(ab|b)b",
        "a?b",
        "x.y",
        "x\\.y",
        "[]a]b",
        "[^]a]",
        "[a-]b",
        "[^-a]",
        "\\^",
        "\\$",
        "\\[",
        "a\\\\b",
        "\\{2",
        "a{2}",
        "(a)(b)",
        "\\(a\\)",
        "a\\|b",
        "^a",
        "b$",
        "^$",
        "(a+)*b",
        "a+?b",
        "[[:space:]]",
        "[\\.]",
        "[[:alpha:]]b",
        "\u{ff}",
        "a|]",
        "z.z",
        "z[^a]z",
        "[!a]",
        "[^!]",
        "(ab){2,}",
        "a{1,2}b",
        "(a|b)?]",
        "((a)|(^b))+$",
        "[a-c]+b",
    ] {
        // As bytes of Latin-1, so that one of them is no text.
        let pattern: Vec<u8> = expression.chars().map(|c| c as u8).collect();
        let filter = Prefilter::Lines(GrepPatterns {
            fixed: false,
            either_case: false,
            list: vec![pattern.clone()],
        });
        let needle: Option<Regex> = super::needle::needle(&filter);
        let needle = needle.unwrap_or_else(|| panic!("{expression} is not understood"));
        let found: Vec<_> = lines
            .iter()
            .filter(|line| needle.is_match(line))
            .map(|line| line.to_vec())
            .collect();
        assert_eq!(found, grep(&pattern, &lines), "{expression}");
    }
    for undefined in ["\\w", "a\\<", "(a", "a)", "*a", "[a", "a{x}"] {
        let list = vec![undefined.as_bytes().to_vec()];
        let filter = Prefilter::Lines(GrepPatterns {
            fixed: false,
            either_case: false,
            list,
        });
        assert!(super::needle::needle(&filter).is_none(), "{undefined}");
    }
}

fn grep(pattern: &[u8], lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    lines.iter().for_each(|line| {
        file.write_all(&[line, &b"\n"[..]].concat())
            .expect("written");
    });
    let mut command = Command::new("grep");
    command
        .env("LC_ALL", "C")
        .args(["-a", "-E", "-e"])
        .arg(std::ffi::OsStr::from_bytes(pattern))
        .arg(file.path());
    let output = command.output().expect("grep");
    assert!(
        output.status.code().is_some_and(|code| code < 2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
        .stdout
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| line[..line.len() - 1].to_vec())
        .collect()
}
