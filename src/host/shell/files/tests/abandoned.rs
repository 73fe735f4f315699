//! Scans that nobody waits for any more, and lines without an end: neither costs the host more.

use super::*;

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
