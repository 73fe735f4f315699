//! The demo fleet, as OpenSSH's own client and the file system see it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use logtrail::commands;
use logtrail::demo::{DemoError, DemoFleet};
use logtrail::fleet::{self, Goal};
use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceKind;
use logtrail::report::{self, Outcome, Progress};
use logtrail::transport::Connector;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::support::connect::settings;
use crate::support::time_limit::Stopwatch;
use crate::support::wait_until_within;

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(40);

/// Set for a second process of this very binary, which then holds a fleet until it is killed.
const HOLD: &str = "LOGTRAIL_TEST_HOLDS_A_DEMO";

struct Login<'a> {
    user: &'a str,
    identity: Option<&'a Path>,
    options: &'a [&'a str],
}

/// Runs OpenSSH's client on a host of the demo.
async fn ssh(host: &HostSpec, login: &Login<'_>, command: &str, script: &str) -> Output {
    let endpoint = &host.endpoint;
    let mut ssh = tokio::process::Command::new("ssh");
    ssh.args([
        "-F",
        "none",
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "IdentityAgent=none",
    ]);
    ssh.args([
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "GlobalKnownHostsFile=/dev/null",
    ]);
    ssh.arg("-o").arg(format!(
        "UserKnownHostsFile={}",
        endpoint.known_hosts[0].display()
    ));
    match login.identity {
        Some(identity) => ssh.arg("-i").arg(identity),
        None => ssh.args(["-i", "/dev/null"]),
    };
    ssh.args(login.options)
        .arg("-p")
        .arg(endpoint.port.expect("a port").to_string());
    ssh.arg(format!("{}@127.0.0.1", login.user)).arg(command);
    ssh.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = ssh
        .spawn()
        .expect("these tests need OpenSSH's client: apt-get install openssh-client");
    let mut stdin = child.stdin.take().expect("piped");
    let _ = stdin.write_all(script.as_bytes()).await;
    drop(stdin);
    tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .expect("ssh ends in time")
        .expect("ssh runs")
}

async fn shell(host: &HostSpec, script: &str) -> Output {
    let login = Login {
        user: "demo",
        identity: Some(&host.endpoint.identity[0]),
        options: &[],
    };
    ssh(host, &login, "exec /bin/sh -s", script).await
}

fn path_of(host: &HostSpec, source: &str) -> PathBuf {
    let found = host
        .sources
        .iter()
        .find(|spec| spec.name == source)
        .map(|spec| &spec.kind);
    let Some(SourceKind::Path(path)) = found else {
        panic!("{} has no source {source}", host.name())
    };
    path.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_runs_the_script_on_its_stdin_and_reports_its_end() {
    let fleet = DemoFleet::start(3).await.expect("a fleet");
    for host in fleet.hosts() {
        let out = shell(
            &host,
            "echo \"$USER on $0\"; pwd; echo complaint >&2; exit 7\n",
        )
        .await;
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert_eq!(
            out.status.code(),
            Some(7),
            "stdout {stdout:?}, stderr {stderr:?}"
        );
        assert!(
            stdout.starts_with("demo on ") && stdout.contains(host.name().as_str()),
            "{stdout:?}"
        );
        assert_eq!(stderr, "complaint\n");
    }
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn megabytes_pass_both_ways_unharmed() {
    let fleet = DemoFleet::start(1).await.expect("a fleet");
    let body = "0123456789abcde\n".repeat(200_000);
    let out = shell(&fleet.hosts()[0], &format!("cat <<'END'\n{body}END\n")).await;
    assert!(
        out.stdout == body.as_bytes(),
        "{} bytes of {} came back",
        out.stdout.len(),
        body.len()
    );
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_and_nothing_else_is_let_in() {
    let fleet = DemoFleet::start(1).await.expect("a fleet");
    let host = &fleet.hosts()[0];
    let key = host.endpoint.identity[0].as_path();
    let dir = tempfile::tempdir().expect("a folder");
    let stranger = dir.path().join("stranger");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&stranger)
        .status();
    assert!(
        made.expect("these tests need ssh-keygen: apt-get install openssh-client")
            .success()
    );

    let denied = async |login: Login<'_>| {
        let out = ssh(host, &login, "exec /bin/sh -s", "echo in\n").await;
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(
            (out.status.code(), out.stdout.as_slice()),
            (Some(255), &b""[..]),
            "{stderr}"
        );
        assert!(stderr.contains("Permission denied (publickey)"), "{stderr}");
    };
    denied(Login {
        user: "demo",
        identity: Some(&stranger),
        options: &[],
    })
    .await;
    denied(Login {
        user: "root",
        identity: Some(key),
        options: &[],
    })
    .await;
    let password = [
        "-o",
        "PreferredAuthentications=password,keyboard-interactive",
    ];
    denied(Login {
        user: "demo",
        identity: None,
        options: &password,
    })
    .await;

    let login = Login {
        user: "demo",
        identity: Some(key),
        options: &[],
    };
    for command in [
        "id",
        "exec /bin/sh -s ",
        "exec /bin/sh -s; id",
        "/bin/sh -s",
    ] {
        let out = ssh(host, &login, command, "echo in\n").await;
        assert!(
            !out.status.success() && out.stdout.is_empty(),
            "{command:?} gave {out:?}"
        );
    }
    let login = Login {
        user: "demo",
        identity: Some(key),
        options: &["-s"],
    };
    let out = ssh(host, &login, "sftp", "").await;
    assert!(
        !out.status.success() && out.stdout.is_empty(),
        "sftp gave {out:?}"
    );
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shell_has_started_ends_with_its_connection() {
    let fleet = DemoFleet::start(1).await.expect("a fleet");
    let host = fleet.hosts().remove(0);
    let pid_file = tempfile::NamedTempFile::new().expect("a file");
    let script = format!(
        "sleep 600 & echo $! $$ > {}\nwait\n",
        pid_file.path().display()
    );
    let task = tokio::spawn(async move { shell(&host, &script).await });
    let mut pids = Vec::new();
    wait_until_within(DEADLINE, "the shell writes its numbers", || {
        let text = fs::read_to_string(pid_file.path()).map_err(|error| error.to_string())?;
        pids = text.split_whitespace().map(str::to_owned).collect();
        if pids.len() == 2 {
            Ok(())
        } else {
            Err(format!("{text:?}"))
        }
    })
    .await;
    task.abort();
    wait_until_within(DEADLINE, "both are gone", || {
        let alive: Vec<_> = pids.iter().filter(|pid| is_running(pid)).collect();
        if alive.is_empty() {
            Ok(())
        } else {
            Err(format!("{alive:?} still there"))
        }
    })
    .await;
    fleet.stop().await;
}

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_private_while_it_runs_and_gone_after_stop_and_after_drop() {
    for orderly in [true, false] {
        let fleet = DemoFleet::start(2).await.expect("a fleet");
        let folder = fleet.folder().to_owned();
        let mode =
            |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("id_ed25519")), 0o600);
        if orderly {
            fleet.stop().await;
        } else {
            drop(fleet);
        }
        assert!(
            !folder.exists(),
            "{} is still there (orderly: {orderly})",
            folder.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_gone_after_kill_9() {
    let myself = std::env::current_exe().expect("a path");
    let mut child = Command::new(myself)
        .args([
            "--exact",
            "demo::in_a_second_process_a_fleet_is_held_until_killed",
            "--nocapture",
        ])
        .env(HOLD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let marked = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("FOLDER=").map(|(_, path)| path.to_owned()));
    let folder = PathBuf::from(marked.expect("it says where its folder is"));
    assert!(folder.join("web-1/access.log").exists());
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    wait_until_within(DEADLINE, "the folder is removed", || {
        if folder.exists() {
            Err(format!("{} is still there", folder.display()))
        } else {
            Ok(())
        }
    })
    .await;
}

/// The other half of the test above; by itself it only shows that a fleet starts.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_second_process_a_fleet_is_held_until_killed() {
    let fleet = DemoFleet::start(1).await.expect("a fleet");
    if std::env::var_os(HOLD).is_some() {
        println!("FOLDER={}", fleet.folder().display());
        tokio::time::sleep(DEADLINE).await;
    }
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_have_a_history_and_grow() {
    let fleet = DemoFleet::start(6).await.expect("a fleet");
    for host in fleet.hosts() {
        let lines: usize = host
            .sources
            .iter()
            .map(|source| lines_in(&path_of(&host, &source.name)))
            .sum();
        assert!(
            (150..20_000).contains(&lines),
            "{} begins with {lines} lines",
            host.name()
        );
    }
    let access = path_of(&fleet.hosts()[0], "access");
    let before = lines_in(&access);
    wait_until_within(DEADLINE, "the access log grows", || {
        let now = lines_in(&access);
        if now > before + 5 {
            Ok(())
        } else {
            Err(format!("{before} lines, then {now}"))
        }
    })
    .await;
    fleet.stop().await;
}

fn lines_in(path: &Path) -> usize {
    fs::read(path)
        .expect("a log")
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_rotates_its_log_as_logrotate_does() {
    let fleet = DemoFleet::start(6).await.expect("a fleet");
    let access = path_of(&fleet.hosts()[1], "access");
    let before = fs::read(&access).expect("a log");
    let rotated = access.with_file_name("access.log.1");
    wait_until_within(DEADLINE, "web-2 rotates", || {
        if rotated.exists() {
            Ok(())
        } else {
            Err("no access.log.1".to_owned())
        }
    })
    .await;
    assert!(
        fs::read(&rotated).expect("a log").starts_with(&before),
        "the old lines are in access.log.1"
    );
    wait_until_within(DEADLINE, "it is written anew", || {
        let size = fs::metadata(&access).map_or(0, |file| file.len());
        if size > 0 {
            Ok(())
        } else {
            Err(format!("{size} bytes"))
        }
    })
    .await;
    fleet.stop().await;
}

/// One pass over hosts by the same road as the program's, as JSON Lines.
async fn once(hosts: Vec<HostSpec>, timeout: Duration) -> (Outcome, Vec<Value>) {
    let connector = Connector::new(settings(timeout), commands::asker(Progress::hidden()));
    let goal = Goal::Once { deadline: timeout };
    let wanted = fleet::FleetOptions {
        goal,
        lines: 10,
        sample_every: Duration::from_secs(1),
    };
    let (running, updates) = fleet::Fleet::start(hosts.clone(), wanted, connector);
    let zone = jiff::tz::TimeZone::UTC;
    let progress = Progress::hidden();
    let today = jiff::Zoned::now().date();
    let options = report::ReportOptions {
        form: report::OutputFormat::Json,
        timeout: Some(timeout),
        part: report::ReportContent::All,
        color: false,
        progress,
        zone,
        today,
    };
    let mut out = Vec::new();
    let outcome = report::Run::new(&hosts, options)
        .print(updates, &mut report::Shutdown::never(), &mut out)
        .await
        .expect("a vector takes everything");
    running.stop().await;
    let text = String::from_utf8(out).expect("UTF-8");
    (
        outcome,
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pass_prints_lines_and_metrics_of_every_host() {
    let fleet = DemoFleet::start(6).await.expect("a fleet");
    let hosts = fleet.hosts();
    let (outcome, objects) = once(hosts.clone(), DEADLINE).await;
    let seen = |kind: &str, host: &HostSpec| {
        let of_host = |it: &&Value| it["type"] == kind && it["host"] == host.name().as_str();
        objects.iter().filter(of_host).collect::<Vec<_>>()
    };
    for host in &hosts {
        let [row] = seen("host", host)[..] else {
            panic!("not one row of {}: {objects:#?}", host.name())
        };
        assert_eq!(
            (&row["state"], &row["facts"]["os"]),
            (&"ok".into(), &"linux".into()),
            "{row}"
        );
        let [metric] = seen("metric", host)[..] else {
            panic!("not one metric of {}", host.name())
        };
        assert!(
            metric["window_ms"].as_u64() >= Some(500) && metric["cpu"]["busy_pct"].is_number(),
            "{metric}"
        );
        assert!(
            seen("line", host).len() >= 10,
            "{}: {} lines",
            host.name(),
            seen("line", host).len()
        );
    }
    assert_eq!((outcome.ok, outcome.gaps, outcome.exit), (6, 0, 0));
    assert_eq!(
        objects.last().map(|it| &it["type"]),
        Some(&"summary".into())
    );
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_gone_has_a_row_with_the_reason_and_the_others_go_on() {
    let fleet = DemoFleet::start(3).await.expect("a fleet");
    let gone = DemoFleet::start(1).await.expect("a fleet");
    let mut hosts = fleet.hosts();
    hosts[0].endpoint.port = gone.hosts()[0].endpoint.port;
    gone.stop().await;
    let started = Stopwatch::start();
    let timeout = Duration::from_secs(15);
    let (outcome, objects) = once(hosts, timeout).await;
    started.assert_within(timeout, "a pass with a host that is gone");
    assert_eq!(
        (outcome.hosts, outcome.ok, outcome.exit),
        (3, 2, 3),
        "{objects:#?}"
    );
    let row = objects
        .iter()
        .find(|it| it["type"] == "host" && it["host"] == "web-1")
        .expect("its row");
    assert_eq!(row["state"], "unreachable", "{row}");
    assert!(
        row["reason"].is_string() && row["hint"].is_string() && row["facts"].is_null(),
        "{row}"
    );
    fleet.stop().await;
}

#[tokio::test]
async fn a_fleet_of_none_or_of_too_many_is_refused_in_one_line() {
    for size in [0, 201] {
        let error = DemoFleet::start(size).await.err().expect("refused");
        assert!(matches!(error, DemoError::Size(_)));
        assert!(error.to_string().contains("1 to 200"), "{error}");
    }
}
