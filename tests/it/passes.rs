//! How long a bounded pass, or a question, goes on with a host that does not let us in: `--timeout`
//! is its limit, and nothing else. What may pass is tried again until then, what is an answer ends
//! it at once, and the last true reason is told.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use logtrail::fleet::{FleetOptions, Goal};
use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceKind;
use logtrail::model::state::LinkState;
use serde_json::Value;

use crate::support::binary::BINARY;
use crate::support::fleet::Watched;
use crate::support::gate::Gate;
use crate::support::login::{field_connector, follow_options};
use crate::support::spec::source;
use crate::support::sshd::Sshd;
use crate::support::time_limit::{Stopwatch, assert_at_most};

/// How the program ended, and how long it took.
struct Ended {
    code: Option<i32>,
    took: Duration,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// The line of JSON about the first host.
    fn host(&self) -> Value {
        let lines = self
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        let mut hosts = lines.filter(|line: &Value| line["type"] == "host");
        hosts
            .next_back()
            .unwrap_or_else(|| panic!("no host in {} {}", self.stdout, self.stderr))
    }

    fn reason(&self) -> String {
        self.host()["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Runs the program on one host, of which these are the way and a log of one line.
async fn run(near: &Sshd, host: &HostSpec, via: &[&HostSpec], arguments: &[&str]) -> Ended {
    let log = near.path("app.log");
    std::fs::write(&log, "2026-11-20T13:00:00Z INFO one\n").expect("written");
    let section = |name: &str, spec: &HostSpec| {
        let at = &spec.endpoint;
        let port = at.port.expect("a port");
        let (key, known) = (&at.identity[0], &at.known_hosts[0]);
        let (user, address) = (
            at.user.as_ref().expect("a user"),
            at.address.as_ref().expect("an address"),
        );
        format!(
            "[hosts.{name}]\naddress = \"{address}\"\nport = {port}\nuser = \"{user}\"\nidentity = [{key:?}]\n\
             known_hosts = [{known:?}]\ntransport = \"russh\"\n"
        )
    };
    let hops: Vec<String> = via.iter().map(|hop| hop.name().to_string()).collect();
    let command = "command = [\"sh\", \"-c\", \"echo two; sleep 0.2; echo three\"]";
    let sources = format!(
        "via = {hops:?}\nsources = [{{ name = \"app\", path = {log:?} }}, {{ name = \"now\", {command} }}]\n"
    );
    let hops: String = via
        .iter()
        .map(|hop| section(hop.name().as_str(), hop))
        .collect();
    let file = near.path("hosts.toml");
    std::fs::write(&file, section("web-1", host) + &sources + &hops).expect("written");
    let mut command = Command::new(BINARY);
    command
        .args(["--no-ssh-config", "--json", "--hosts", "web-1", "--config"])
        .arg(&file)
        .args(arguments);
    let began = Stopwatch::start();
    let output: std::io::Result<Output> = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic");
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: status.code(),
        took: began.took(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_pass_and_a_search_reach_a_host_that_is_silent_for_fifteen_seconds() {
    let (one, two) = (Sshd::start(), Sshd::start());
    let ready = Instant::now() + 15 * SECOND;
    let gates = (
        Gate::late(&one, ready, false).await,
        Gate::late(&two, ready, false).await,
    );
    let (first, second) = (gates.0.host(&one, "web-1"), gates.1.host(&two, "web-1"));
    let (pass, question) = tokio::join!(
        run(&one, &first, &[], &["--once", "--timeout", "40s"]),
        run(&two, &second, &[], &["--timeout", "40s", "search", "one"])
    );
    for (ended, gate) in [(pass, &gates.0), (question, &gates.1)] {
        assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("INFO one"), "{}", ended.stdout);
        assert_eq!(
            ended.stdout.matches("INFO one").count(),
            1,
            "{}",
            ended.stdout
        );
        assert_eq!(gate.accepted(), 2, "an attempt has ten seconds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_pass_says_what_a_silent_host_did_not_answer() {
    let near = [(); 4].map(|()| Sshd::start());
    let mute = Sshd::builder().mute().start();
    let dropping = Gate::dropping().await;
    let (mute_host, dropping) = (mute.host("web-1"), dropping.host(&near[1], "web-1"));
    let arguments = ["--once", "--timeout", "14s"];
    let question = ["--timeout", "14s", "search", "one"];
    let (a, b, c, d) = tokio::join!(
        run(&near[0], &mute_host, &[], &arguments),
        run(&near[1], &dropping, &[], &arguments),
        run(&near[2], &mute_host, &[], &question),
        run(&near[3], &dropping, &[], &question)
    );
    for (ended, awaited) in [
        (a, "the key exchange"),
        (b, "a TCP connection"),
        (c, "the key exchange"),
        (d, "a TCP connection"),
    ] {
        let (host, reason) = (ended.host(), ended.reason());
        assert_eq!(
            (ended.code, host["state"].as_str()),
            (Some(4), Some("timeout")),
            "{}",
            ended.stdout
        );
        let told = format!("did not answer within 10.0 s, waiting for {awaited}");
        assert!(
            reason.starts_with("web-1 (127.0.0.1:") && reason.ends_with(&told),
            "{reason}"
        );
        assert!(
            host["hint"]
                .as_str()
                .is_some_and(|hint| hint.ends_with("try a longer --timeout")),
            "{host}"
        );
        assert_eq!(host["retry_in_s"], Value::Null);
        assert!(ended.took >= 12 * SECOND, "{:?}", ended.took);
        assert_at_most(20 * SECOND, ended.took, "a pass of twelve seconds");
    }
    assert_eq!(mute.accepted(), 4, "twice for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn r30_a_pass_and_a_search_reach_a_host_that_hangs_up_for_eight_seconds() {
    let (one, two) = (Sshd::start(), Sshd::start());
    let ready = Instant::now() + 8 * SECOND;
    let gates = (
        Gate::late(&one, ready, true).await,
        Gate::late(&two, ready, true).await,
    );
    let (first, second) = (gates.0.host(&one, "web-1"), gates.1.host(&two, "web-1"));
    let (pass, question) = tokio::join!(
        run(&one, &first, &[], &["--once", "--timeout", "60s"]),
        run(&two, &second, &[], &["--timeout", "60s", "search", "one"])
    );
    for (ended, gate) in [(pass, &gates.0), (question, &gates.1)] {
        assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
        assert_eq!(
            ended.stdout.matches("INFO one").count(),
            1,
            "{}",
            ended.stdout
        );
        assert!(
            (3..12).contains(&gate.accepted()),
            "{} connections",
            gate.accepted()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r38_a_silent_first_route_leaves_time_for_the_second_in_a_pass() {
    let (near, bastion) = (Sshd::start(), Sshd::start());
    let mute = Sshd::builder().mute().start();
    let (first, second) = (mute.host("silent-hop"), bastion.host("hop"));
    let ended = run(
        &near,
        &near.host("web-1"),
        &[&first, &second],
        &["--once", "--timeout", "40s"],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    assert_eq!(
        ended.stdout.matches("INFO one").count(),
        1,
        "{}",
        ended.stdout
    );
    assert_at_most(20 * SECOND, ended.took, "a pass by the second route");
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_what_is_an_answer_ends_a_pass_and_a_question_at_once() {
    let near = Sshd::start();
    let refusing = Gate::refusing();
    let refused = refusing.host(&near, "web-1");
    let mut unknown = near.host("web-1");
    unknown.endpoint.address =
        Some(logtrail::model::host::Address::new("no-such-host.invalid").expect("an address"));
    for arguments in [&["--once"][..], &["search", "one"]] {
        let ended = run(&near, &refused, &[], arguments).await;
        assert_eq!(ended.code, Some(4), "{}", ended.stdout);
        assert!(
            ended.reason().ends_with("connection refused"),
            "{}",
            ended.reason()
        );
        assert_at_most(5 * SECOND, ended.took, "a refused connection");
        let ended = run(&near, &unknown, &[], arguments).await;
        assert_eq!(ended.code, Some(4), "{}", ended.stdout);
        let reason = ended.reason();
        assert!(
            reason.starts_with("cannot find the address of no-such-host.invalid"),
            "{reason}"
        );
        assert!(!reason.contains(" tries)"), "{reason}");
    }
}

/// What was printed cannot be taken back: a file goes on where it was, and a command, which says
/// something else each time, is run once.
#[tokio::test(flavor = "multi_thread")]
async fn r31_a_pass_that_is_cut_anywhere_tells_each_line_once() {
    // About 2,500 bytes until a shell has answered, and some 3,000 more until all is said.
    for bytes in [
        900, 2400, 3200, 3600, 4000, 4400, 4800, 5200, 5600, 6000, 6400, 6800,
    ] {
        let near = Sshd::start();
        let gate = Gate::cutting_first(&near, 1, bytes).await;
        let ended = run(
            &near,
            &gate.host(&near, "web-1"),
            &[],
            &["--once", "--timeout", "60s"],
        )
        .await;
        let count = |words: &str| ended.stdout.matches(words).count();
        assert_eq!(
            count("INFO one"),
            1,
            "after {bytes} bytes: {}",
            ended.stdout
        );
        assert_eq!(count("\"two\""), 1, "after {bytes} bytes: {}", ended.stdout);
        // Where the command was cut, the host says so.
        let code = if count("\"three\"") == 1 { 0 } else { 3 };
        assert_eq!(
            ended.code,
            Some(code),
            "after {bytes} bytes: {} {}",
            ended.stdout,
            ended.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_command_that_is_cut_is_not_run_again_in_a_pass_and_the_host_says_so() {
    let sshd = Sshd::start();
    let words = ["sh", "-c", "echo two; sleep 2; echo three"]
        .map(str::to_owned)
        .to_vec();
    let host = HostSpec {
        sources: vec![source("now", SourceKind::Command(words))],
        ..sshd.host("web-1")
    };
    let options = FleetOptions {
        goal: Goal::Once {
            deadline: 60 * SECOND,
        },
        ..follow_options()
    };
    let mut pass = Watched::by(vec![host], options, field_connector());
    // It is told of with its first line.
    pass.until("the command", |w| {
        w.sources.iter().any(|it| &*it.name == "now")
    })
    .await;
    sshd.cut();
    pass.until_within(90 * SECOND, "the end of the pass", |w| w.over)
        .await;
    assert_eq!(pass.texts(), ["two"], "{:?}", pass.statuses);
    assert_eq!(sshd.accepted(), 2);
    let (_, last) = pass.statuses.last().expect("a state");
    assert_eq!(last.state, LinkState::Degraded, "{last:?}");
    assert!(
        last.reason
            .as_deref()
            .is_some_and(|it| it.contains("the connection was lost while it ran")),
        "{last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_without_lines_runs_no_command() {
    let sshd = Sshd::start();
    let words = ["echo", "said"].map(str::to_owned).to_vec();
    let host = || HostSpec {
        sources: vec![source("now", SourceKind::Command(words.clone()))],
        ..sshd.host("web-1")
    };
    for (lines, runs) in [(0, false), (5, true)] {
        let options = FleetOptions {
            goal: Goal::Once {
                deadline: 60 * SECOND,
            },
            lines,
            ..follow_options()
        };
        let mut pass = Watched::by(vec![host()], options, field_connector());
        pass.until_within(90 * SECOND, "the end of the pass", |w| w.over)
            .await;
        assert_eq!(!pass.texts().is_empty(), runs, "{:?}", pass.statuses);
    }
}
