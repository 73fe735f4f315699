//! A time is found in few reads, by the awk of each host, whatever the stamps look like.

use super::*;

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
