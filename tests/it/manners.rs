//! What our shells are to the machines of others: last in line for everything, with caps, and
//! without a trace.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use logtrail::files::access::ScanRequest;
use logtrail::host::Files;
use logtrail::host::shell::ShellFiles;
use logtrail::model::source::{SourceKind, SourceSpec};
use logtrail::query::{Query, ReferenceTime};

use super::support::fleet::Watched;
use super::support::sshd::Sshd;
use super::support::{program, run};
use super::transport::connect;

/// A server with a log that is followed; its first line has been told.
async fn following(sshd: &Sshd) -> Watched {
    let log = sshd.path("app.log");
    fs::write(&log, "one\n").expect("write");
    let mut host = sshd.host("web-1");
    let kind = SourceKind::Path(log.to_str().expect("UTF-8").to_owned());
    host.sources.push(SourceSpec {
        name: "app".to_owned(),
        kind,
        time: None,
        as_root: false,
    });
    let mut watched = Watched::follow(vec![host], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    watched
}

/// The processes of ours on a server: number and name, without sshd's own.
fn ours(sshd: &Sshd) -> Vec<(u32, String)> {
    let name = |pid| {
        Some(
            fs::read_to_string(format!("/proc/{pid}/comm"))
                .ok()?
                .trim()
                .to_owned(),
        )
    };
    let all = sshd
        .session_processes()
        .into_iter()
        .filter_map(|(pid, _)| Some((pid, name(pid)?)));
    all.filter(|(_, name)| !name.starts_with("sshd")).collect()
}

/// A line of `/proc/PID/limits`: the soft limit.
fn limit(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line[name.len()..].split_whitespace().next()?.parse().ok()
}

/// A number of proc_pid_stat(5), of those behind the name: 0 is the state.
fn stat(pid: u32, field: usize) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit(')')
        .next()?
        .split_whitespace()
        .nth(field)?
        .parse()
        .ok()
}

/// Whether it is a shell that only waits for the one that works, which leads a session of its own.
fn waits(pid: u32, ours: &[(u32, String)]) -> bool {
    ours.iter()
        .any(|&(other, _)| stat(other, 1) == Some(pid) && stat(other, 3) == Some(other))
}

/// The nice value of proc_pid_stat(5).
fn nice(pid: u32) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit(')')
        .next()?
        .split_whitespace()
        .nth(16)?
        .parse()
        .ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn r90_whatever_we_run_on_a_host_is_last_in_line_and_has_caps() {
    let sshd = Sshd::start();
    let mut watched = following(&sshd).await;
    watched.until("two samples", |w| w.samples.len() >= 2).await;
    let (ours, begun) = (ours(&sshd), Instant::now());
    let written: u64 = ours.iter().filter_map(|(pid, _)| bytes_written(*pid)).sum();
    assert!(
        ours.len() >= 3,
        "shells, and what waits for the lease: {ours:?}"
    );
    for &(pid, ref name) in &ours {
        // What a look started may have ended by now.
        let Some(nice) = nice(pid) else { continue };
        assert_eq!(nice, 19, "{name}");
        let class = run(Command::new(program("ionice"))
            .arg("-p")
            .arg(pid.to_string()));
        assert_eq!(class.trim(), "idle", "{name}");
        assert_eq!(limit(pid, "Max file size"), Some(0), "{name}");
        assert_eq!(limit(pid, "Max core file size"), Some(0), "{name}");
        if waits(pid, &ours) {
            continue;
        }
        assert_eq!(limit(pid, "Max address space"), Some(1 << 30), "{name}");
        assert!(
            limit(pid, "Max open files").is_some_and(|files| files <= 256),
            "{name}"
        );
    }
    watched
        .until("a sample later", |w| {
            w.samples.len() >= 4 && begun.elapsed() > Duration::from_secs(1)
        })
        .await;
    assert_eq!(
        ours.iter()
            .filter_map(|(pid, _)| bytes_written(*pid))
            .sum::<u64>(),
        written,
        "bytes written to disks"
    );
}

/// Bytes that a process has caused to be written to disks; the shell has the number, and the
/// account, of its sshd.
fn bytes_written(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok())
}

/// Every file below a folder with what would show a change, but for what sshd itself writes.
fn tree(folder: &Path) -> BTreeMap<String, (u64, u32, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .filter_map(Result::ok)
    {
        let (path, meta) = (entry.path(), entry.metadata().expect("a file"));
        let content = if meta.is_dir() {
            Vec::new()
        } else {
            fs::read(&path).expect("readable")
        };
        if meta.is_dir() {
            found.extend(tree(&path));
        }
        found.insert(
            path.display().to_string(),
            (meta.len(), meta.mode(), meta.mtime_nsec(), content),
        );
    }
    found
}

/// What changes what is on a disk. `openat` counts only with a flag that does.
const CHANGES: &str = "open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,mknod,\
                       mknodat,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,\
                       ftruncate,utime,utimes,utimensat,futimesat,setxattr,lsetxattr,fsetxattr,fallocate,mount";

/// Calls in a trace that change something, or ask to.
fn changing(trace: &str) -> Vec<&str> {
    let opens = |line: &str| {
        ["open(", "openat(", "openat2("]
            .iter()
            .any(|call| line.contains(call))
    };
    let harmless = |line: &str| {
        // To /dev/null is what 2>/dev/null is.
        opens(line)
            && (line.contains("\"/dev/null\"")
                || !["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                    .iter()
                    .any(|flag| line.contains(flag)))
    };
    // "+++ exited" and "--- SIGCHLD" are no calls; "<... resumed>" repeats the end of one.
    let calls = trace.lines().filter(|line| {
        line.contains('(')
            && !line.contains("+++ ")
            && !line.contains("--- ")
            && !line.contains("<... ")
    });
    calls.filter(|line| !harmless(line)).collect()
}

#[test]
fn r69_the_reading_of_traces_tells_changes_from_looks() {
    let trace = "12 openat(AT_FDCWD, \"/var/log/a\", O_RDONLY) = 3\n12 openat(AT_FDCWD, \"/dev/null\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3\n\
                 12 +++ exited with 0 +++\n12 --- SIGCHLD {si_signo=SIGCHLD} ---\n\
                 12 openat(AT_FDCWD, \"/tmp/x\", O_WRONLY|O_CREAT, 0600) = 3\n12 unlink(\"/tmp/x\") = 0\n";
    assert_eq!(changing(trace).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r69_a_session_changes_nothing_on_a_host() {
    let traces = tempfile::tempdir().expect("a folder");
    let strace = format!(
        "ForceCommand exec {} -A -f -qq -e trace={CHANGES} -o {}/trace /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
        program("strace").display(),
        traces.path().display()
    );
    let home = tempfile::tempdir().expect("a home");
    let sshd = Sshd::builder()
        .config(strace)
        .environment(&[&format!("HOME={}", home.path().display())])
        .start();
    let logs = sshd.path("logs");
    fs::create_dir(&logs).expect("a folder");
    for name in ["app.log", "app.log.1", "other.log"] {
        fs::write(logs.join(name), "one\n").expect("write");
    }
    let mut host = sshd.host("web-1");
    pack(&logs);
    let kind = SourceKind::Path(logs.join("*.log").to_str().expect("UTF-8").to_owned());
    host.sources.push(SourceSpec {
        name: "logs".to_owned(),
        kind,
        time: None,
        as_root: false,
    });
    let mut watched = Watched::follow(vec![host], 10);
    watched
        .until("the first lines", |w| w.records.len() == 2)
        .await;
    // A rotation, a rewritten file and the guard over files at rest are part of it: what we do, we
    // do by ourselves.
    fs::rename(logs.join("app.log"), logs.join("app.log.2")).expect("rename");
    fs::write(logs.join("app.log"), "two\n").expect("create");
    fs::write(logs.join("other.log"), "new\n").expect("rewrite");
    watched
        .until("the new lines", |w| w.records.len() == 4)
        .await;
    let (before, at_home) = (tree(&logs), tree(home.path()));
    watched
        .until_within(Duration::from_secs(60), "a guard", |_| has_guard(&sshd))
        .await;
    watched.until("samples", |w| w.samples.len() >= 5).await;
    watched.fleet.take().expect("running").stop().await;
    asked(&sshd, &logs).await;
    assert_eq!(tree(&logs), before);
    assert_eq!(tree(home.path()), at_home);
    let trace = fs::read_to_string(traces.path().join("trace")).expect("a trace");
    assert!(trace.contains("app.log.2"), "it saw what was looked at");
    assert_eq!(changing(&trace), Vec::<&str>::new());
}

/// An older generation, as logrotate leaves it.
fn pack(logs: &Path) {
    fs::write(logs.join("app.log.3"), "packed\n").expect("write");
    run(Command::new(program("gzip")).arg(logs.join("app.log.3")));
}

/// What can be asked about files: lists, text, packed text, lengths and searches.
async fn asked(sshd: &Sshd, logs: &Path) {
    let connection = connect(&sshd.host("web-1")).await;
    let mut files = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let listed = files
        .list(logs.join("*.log").as_os_str().as_bytes())
        .await
        .expect("a list");
    assert!(
        listed.iter().any(|file| file.path.ends_with(b".gz")),
        "{listed:?}"
    );
    for file in listed {
        files.read(&file, 0, 4096).await.expect("text");
        files.measure(&file).await.expect("a length");
        let filter = Query::parse("one", &ReferenceTime::default())
            .expect("a query")
            .prefilter();
        let scan = ScanRequest {
            file,
            from: 0,
            to: u64::MAX,
            filter,
            before: 0,
            after: 0,
        };
        files.scan(&scan).await.expect("it begins");
        while files.next().await.expect("it goes on").is_some() {}
    }
}

fn has_guard(sshd: &Sshd) -> bool {
    ours(sshd).iter().any(|(_, name)| name == "tail")
}
