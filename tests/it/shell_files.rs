//! Questions about files over real SSH: whatever files are called and whatever shell the login has,
//! and nothing of ours goes on when nobody waits for the answer any more.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use logtrail::files::access::ScanRequest;
use logtrail::host::Files;
use logtrail::host::shell::ShellFiles;
use logtrail::model::log_file::LogFile;
use logtrail::query::{GrepPatterns, Prefilter};

use super::support::sshd::Sshd;
use super::transport::connect;

/// Some GiB of text in a small file, after a line to be found.
fn endless(path: &Path) {
    let pack = |text: &[u8]| {
        let mut gzip = Command::new("gzip")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip");
        let mut input = gzip.stdin.take().expect("piped");
        let text = text.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&text).expect("it takes the text"));
        let packed = gzip.wait_with_output().expect("it ends").stdout;
        writer.join().expect("written");
        packed
    };
    let much =
        pack(&b"nothing to be seen in this line, nor in any that follows it\n".repeat(500_000));
    fs::write(path, [pack(b"needle\n"), much.repeat(400)].concat()).expect("write");
}

fn texts(text: &[u8]) -> Prefilter {
    Prefilter::Lines(GrepPatterns {
        fixed: true,
        either_case: false,
        list: vec![text.to_vec()],
    })
}

async fn the_file(files: &mut ShellFiles, path: &Path) -> LogFile {
    let path = path.as_os_str().as_bytes();
    let listed = files.list(path).await.expect("a list");
    listed
        .into_iter()
        .find(|file| file.path == path)
        .expect("the file")
}

fn whole(file: LogFile, text: &[u8]) -> ScanRequest {
    ScanRequest {
        file,
        from: 0,
        to: u64::MAX,
        filter: texts(text),
        before: 0,
        after: 0,
    }
}

/// What serves the login, by name; its connection and the shell that waits beside it stay.
fn working(sshd: &Sshd) -> Vec<String> {
    let names = sshd.session_processes().into_iter().filter_map(|(pid, _)| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(name.trim().to_owned())
    });
    names.filter(|name| !name.starts_with("sshd")).collect()
}

async fn idle_within(sshd: &Sshd, limit: Duration) -> Duration {
    let since = Instant::now();
    while !working(sshd).is_empty() {
        assert!(since.elapsed() < limit, "still there: {:?}", working(sshd));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn r48_a_search_that_nobody_waits_for_leaves_nothing_on_the_host_within_2_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log.1.gz");
    endless(&path);
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let mut files = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    let file = the_file(&mut files, &path).await;
    files.scan(&whole(file, b"needle")).await.expect("begun");
    let began = Instant::now();
    let first = files.next().await.expect("an answer").expect("not the end");
    assert_eq!(first.lines.len(), 1);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "the first hit came after {:?}",
        began.elapsed()
    );
    let further = tokio::time::timeout(Duration::from_millis(200), files.next()).await;
    assert!(further.is_err(), "it is over already: {further:?}");
    assert!(
        working(&sshd).iter().any(|name| name == "gzip"),
        "{:?}",
        working(&sshd)
    );
    drop(files);
    idle_within(&sshd, Duration::from_secs(2)).await;
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_waits_on_the_host_until_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.log");
    let line = b"every one of these lines is found\n";
    fs::write(&path, line.repeat(1_000_000)).expect("write");
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let mut files = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    let file = the_file(&mut files, &path).await;
    files.take_bytes_read();
    files.scan(&whole(file, b"found")).await.expect("begun");
    let (mut count, mut largest) = (0_u64, 0);
    while let Some(finds) = files.next().await.expect("an answer") {
        for found in &finds.lines {
            assert_eq!(
                (found.offset, &found.raw[..]),
                (count * line.len() as u64, &line[..line.len() - 1])
            );
            count += 1;
        }
        largest = largest.max(files.take_bytes_read());
    }
    assert_eq!(count, 1_000_000);
    assert!(largest < 512 << 10, "one answer had {largest} bytes");
    files.end().await;
    idle_within(&sshd, Duration::from_secs(2)).await;
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r65_files_of_any_name_are_listed_read_and_searched_and_no_name_does_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let canary = folder.path().join("canary");
    let touch = format!("touch {}", canary.display()).replace('/', "\\057");
    let names: Vec<Vec<u8>> = [
        format!("$({touch})").into_bytes(),
        format!("`{touch}`").into_bytes(),
        format!("; {touch} #").into_bytes(),
        b"new\nline".to_vec(),
        b"-rf".to_vec(),
        b"*".to_vec(),
        b"[a-z]?".to_vec(),
        b"~root".to_vec(),
        b"{a,b}".to_vec(),
        b"!x".to_vec(),
        b"%s%n".to_vec(),
        b"\\0101\\c".to_vec(),
        b"'\"".to_vec(),
        b"\xff\xfe".to_vec(),
        b" ".to_vec(),
        b"a\tb ".to_vec(),
        b"=x:1-2".to_vec(),
    ]
    .to_vec();
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let mut files = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    for (n, name) in names.iter().enumerate() {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(&path, format!("first {n}\nsecond {n}\n")).expect("write");
    }
    for (n, name) in names.iter().enumerate() {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        let file = the_file(&mut files, &path).await;
        let text = format!("first {n}\nsecond {n}\n");
        assert_eq!(
            files.read(&file, 0, 100).await.expect("a read").bytes,
            text.as_bytes(),
            "{}",
            name.escape_ascii()
        );
        assert_eq!(
            files.measure(&file).await.expect("a length"),
            text.len() as u64
        );
        files
            .scan(&whole(file, format!("second {n}").as_bytes()))
            .await
            .expect("begun");
        let found = files
            .next()
            .await
            .expect("an answer")
            .expect("not the end")
            .lines;
        assert_eq!(found.len(), 1, "{}", name.escape_ascii());
    }
    // Nor what is looked for.
    let file = the_file(&mut files, &folder.path().join("-rf")).await;
    for text in [
        format!("$({touch})"),
        format!("`{touch}`"),
        "'; id; '".to_owned(),
        "%s\\n\\c".to_owned(),
    ] {
        files
            .scan(&whole(file.clone(), text.as_bytes()))
            .await
            .expect("begun");
        while let Some(finds) = files.next().await.expect("an answer") {
            assert_eq!(finds.lines, [], "{text}");
        }
    }
    assert!(!canary.exists(), "something was run");
    let facts = files.describe().await.expect("facts");
    assert_eq!(facts.os, std::env::consts::OS);
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_be_read_is_listed_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, special) = (
        folder.path().join("app.log"),
        folder.path().join("pipe.log"),
    );
    fs::write(&log, "secret\n").expect("write");
    rustix::fs::mkfifoat(rustix::fs::CWD, &special, rustix::fs::Mode::RWXU).expect("a pipe");
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let mut files = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    let file = the_file(&mut files, &log).await;
    let pattern = [folder.path().as_os_str().as_bytes(), b"/*.log"].concat();
    let listed = files.list(&pattern).await.expect("a list");
    assert_eq!(*listed, *std::slice::from_ref(&file), "a pipe is no log");
    let pipe = LogFile {
        path: special.as_os_str().as_bytes().to_vec(),
        ..file.clone()
    };
    assert_eq!(
        files
            .read(&pipe, 0, 1)
            .await
            .expect_err("a pipe")
            .to_string(),
        "not a regular file"
    );
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o000))
            .expect("chmod");
        assert_eq!(
            files
                .read(&file, 0, 1)
                .await
                .expect_err("denied")
                .to_string(),
            "permission denied"
        );
    }
    connection.close().await;
}
