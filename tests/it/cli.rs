//! The command line through the real program: help, mistakes, and what needs no host.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::binary::BINARY;
use crate::support::files::executable;

/// A run in an empty folder with an empty home: nothing of the machine's own configuration is seen.
struct Run {
    home: TempDir,
}

impl Run {
    fn new() -> Self {
        Self {
            home: TempDir::new().expect("a folder for the test"),
        }
    }

    fn with(file: &str, content: impl AsRef<[u8]>) -> Self {
        let run = Self::new();
        fs::write(run.home.path().join(file), content).expect("a file in it");
        run
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(args)
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin");
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on standard output")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on standard error")
}

/// Exit code 2, this one line on standard error, nothing on standard output.
#[track_caller]
fn refuses(run: &Run, args: &[&str], expect: &str) {
    let output = run.output(args);
    assert_eq!(
        stderr(&output),
        format!("logtrail-tui: {expect}\n"),
        "{args:?}"
    );
    assert_eq!(stdout(&output), "", "{args:?}");
    assert_eq!(output.status.code(), Some(2), "{args:?}");
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let output = Run::new().output(&["--help"]);
    assert!(output.status.success());
    let help = stdout(&output);
    for part in OPTIONS.iter().chain(&[
        "Examples:",
        "Exit codes:",
        "LOGTRAIL_HOSTS",
        "demo",
        "completions",
    ]) {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "a line is too long:\n{help}"
    );
    let short = Run::new().output(&["-h"]);
    assert!(
        stdout(&short).lines().count() < 45,
        "-h is for a glance:\n{}",
        stdout(&short)
    );
}

const OPTIONS: [&str; 16] = [
    "--config",
    "--hosts",
    "--json",
    "--timeout",
    "--no-ssh-config",
    "--host-keys",
    "--theme",
    "--log-file",
    "--once",
    "--csv",
    "--raw-csv",
    "--lines",
    "--grep",
    "--explain",
    "--interval",
    "--version",
];

#[test]
fn an_unknown_option_gets_the_usual_help() {
    let output = Run::new().output(&["--hots", "prod"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    let said = stderr(&output);
    assert!(
        said.contains("unexpected argument '--hots'") && said.contains("'--hosts'"),
        "{said}"
    );
}

#[test]
fn bad_input_is_one_line_with_its_place_and_exit_code_2() {
    for (hosts, expect) in [
        (
            "[hosts.web-1]\nadress = \"x\"",
            "hosts.toml:2:1: unknown key \"adress\" in host \"web-1\"; did you mean \"address\"?",
        ),
        (
            "[hosts.a]\nport = \"22\"",
            "hosts.toml:2:8: invalid type: string \"22\", expected a port from 1 to 65535 in host \"a\"",
        ),
        (
            "[hosts.a]\n[hosts.a]",
            "hosts.toml:2:8: duplicate key \"a\"",
        ),
        (
            "[hosts.a]\n[groups]\nx = [\"y\"]\ny = [\"x\"]",
            "hosts.toml:4:6: group \"y\": group cycle: x has y has x",
        ),
        (
            "[hosts.a]\nvia = [\"b\"]\n[hosts.b]\nvia = [\"a\"]",
            "hosts.toml:4:8: jump cycle: a via b via a",
        ),
        (
            "[hosts.a]\nidentity = \"~/none\"",
            "hosts.toml:2:12: identity: HOME/none: no such file",
        ),
        (
            "[hosts.-a]",
            "hosts.toml:1:8: host name \"-a\" starts with '-', which ssh would take for an option",
        ),
        (
            "",
            "hosts.toml:1:1: no host: add [hosts.NAME], or name a target with --hosts user@host",
        ),
    ] {
        let run = Run::with("hosts.toml", hosts);
        let expect = expect.replace("HOME", &run.home.path().display().to_string());
        for args in [
            &["--config", "hosts.toml", "--once"][..],
            &["hosts", "--config", "hosts.toml", "--json"],
        ] {
            refuses(&run, args, &expect);
        }
    }
}

#[test]
fn a_bad_selection_or_query_is_one_line_and_exit_code_2() {
    let run = Run::with("hosts.toml", "[hosts.web-1]\n[groups]\nprod = [\"web-1\"]");
    for (hosts, expect) in [
        (
            "--hosts=prd",
            "--hosts: unknown host or group \"prd\"; did you mean \"prod\"?",
        ),
        (
            "--hosts=prod,!web-1",
            "--hosts: an empty selection: everything in it is excluded",
        ),
        (
            "--hosts=",
            "--hosts: an empty selection; name a group, a host, or user@host",
        ),
        (
            "--hosts=-oX=y",
            "--hosts: address \"-oX=y\" starts with '-', which ssh would take for an option",
        ),
    ] {
        refuses(&run, &["--config", "hosts.toml", hosts, "--once"], expect);
    }
}

#[test]
fn a_file_that_is_none_is_one_line_and_exit_code_2() {
    let run = Run::with("latin1.toml", b"# caf\xe9\n");
    fs::write(run.home.path().join("big.toml"), vec![b'#'; 10 << 20]).expect("a file");
    refuses(&run, &["--config", "gone.toml"], "gone.toml: no such file");
    refuses(&run, &["--config", "."], ".: is a folder, not a file");
    refuses(
        &run,
        &["--config", "latin1.toml"],
        "latin1.toml:1:6: byte 0xe9 is not UTF-8 text; save the file as UTF-8",
    );
    let big = "big.toml: larger than 4 MiB, the limit for an inventory; is it the right file?";
    refuses(&run, &["--config", "big.toml"], big);
    let output = run
        .command(&["hosts"])
        .env("LOGTRAIL_HOSTS", "gone.toml")
        .output()
        .expect("the program starts");
    assert_eq!(
        stderr(&output),
        "logtrail-tui: LOGTRAIL_HOSTS: gone.toml: no such file\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_log_filter_that_is_none_is_one_line_and_exit_code_2() {
    let run = Run::new();
    let output = run
        .command(&["hosts", "--log-file", "log"])
        .env("LOGTRAIL_LOG", "x=loud")
        .output()
        .expect("the program starts");
    let said = stderr(&output);
    assert!(
        said.starts_with("logtrail-tui: LOGTRAIL_LOG: \"x=loud\" is not a filter")
            && said.lines().count() == 1,
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn hosts_lists_what_a_selection_comes_to_as_text_and_as_json() {
    let run = Run::with(
        "hosts.toml",
        "[defaults]\nuser = \"ops\"\nvia = [\"gw\"]\n[hosts.web-1]\naddress = \"10.0.0.1\"\n[hosts.gw]\n[groups]\nprod = [\"web-*\"]",
    );
    let text = run.output(&[
        "--config",
        "hosts.toml",
        "hosts",
        "--hosts",
        "prod:/var/log/nginx/access.log",
    ]);
    let expect = "web-1  ops@10.0.0.1\n    via     ops@gw\n    source  nginx/access  /var/log/nginx/access.log\n1 host\n";
    assert_eq!(
        (stdout(&text).as_str(), text.status.code()),
        (expect, Some(0))
    );

    let json = stdout(&run.output(&["--config", "hosts.toml", "hosts", "--json"]));
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object per line"))
        .collect();
    assert_eq!(lines.len(), 3, "{json}");
    assert_eq!(
        (&lines[0]["type"], &lines[0]["host"]),
        (&"inventory".into(), &"web-1".into())
    );
    assert_eq!(lines[0]["via"][0][0]["host"], "gw");
    assert_eq!(
        (&lines[2]["type"], &lines[2]["hosts"]["total"]),
        (&"summary".into(), &2.into())
    );
}

#[test]
fn the_inventory_is_that_of_the_configuration_folder_or_else_this_machine() {
    let run = Run::new();
    let first = |output: Output| stdout(&output).lines().next().map(ToOwned::to_owned);
    assert_eq!(
        first(run.output(&["hosts"])).as_deref(),
        Some("localhost  this machine, without SSH")
    );
    let config = run.home.path().join("xdg");
    fs::create_dir_all(config.join("logtrail")).expect("a folder");
    fs::write(config.join("logtrail/hosts.toml"), "[hosts.mine]").expect("a file");
    let output = run
        .command(&["hosts"])
        .env("XDG_CONFIG_HOME", &config)
        .output()
        .expect("the program starts");
    assert_eq!(first(output).as_deref(), Some("mine  mine"));
}

#[test]
fn a_query_that_is_none_is_shown_with_a_caret_under_the_place() {
    let output = Run::new().output(&["--once", "--grep", "cart level>=wran -x"]);
    let expect = "\
logtrail-tui: --grep: \"wran\" is not a level: did you mean warn?
  cart level>=wran -x
              ^^^^
";
    assert_eq!(
        (stderr(&output).as_str(), output.status.code()),
        (expect, Some(2))
    );
}

#[test]
fn a_query_is_explained_and_nothing_is_connected() {
    let run = Run::with("hosts.toml", "[hosts.nowhere]\naddress = \"192.0.2.1\"");
    let args = [
        "--config",
        "hosts.toml",
        "--explain",
        "--grep",
        "cart -healthz since:2026-11-20T13:00Z",
    ];
    let text = run
        .command(&args)
        .env("TZ", "UTC")
        .output()
        .expect("the program starts");
    let expect = "\
query    cart -healthz since:2026-11-20T13:00:00Z
times    since:2026-11-20T13:00:00Z: from 2026-11-20 13:00:00 +00:00
to hosts
    lines  from 2026-11-20 13:00:00 +00:00
    grep   -a -F -i, for one of
           cart
checked here, in each line that comes back
    cart
    -healthz
    since:2026-11-20T13:00:00Z
";
    assert_eq!(
        (
            stdout(&text).as_str(),
            stderr(&text).as_str(),
            text.status.code()
        ),
        (expect, "", Some(0))
    );
    let json = run.output(&[&args[..], &["--json"]].concat());
    let object: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("an object");
    assert_eq!(object["type"], "explanation");
    assert_eq!(object["asked"]["grep"]["patterns"][0], "cart");
    let without = run.output(&["--config", "hosts.toml", "--explain"]);
    let said =
        "logtrail-tui: --explain: there is no query to explain; give one with --grep QUERY\n";
    assert_eq!(
        (stderr(&without).as_str(), without.status.code()),
        (said, Some(2))
    );
}

#[test]
fn completions_of_every_shell_know_every_option() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Run::new().output(&["completions", shell]);
        assert!(output.status.success(), "{shell}");
        let script = stdout(&output);
        for option in OPTIONS.iter().chain(&["--size"]) {
            let name = if shell == "fish" {
                option.trim_start_matches("--")
            } else {
                option
            };
            assert!(script.contains(name), "{shell}: {option} is missing");
        }
    }
    assert_eq!(
        Run::new().output(&["completions", "tcsh"]).status.code(),
        Some(2)
    );
}

#[test]
fn man_prints_the_page_that_is_stored() {
    let output = Run::new().output(&["man"]);
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/logtrail-tui.1");
    let page = stdout(&output);
    assert_eq!(
        page,
        fs::read_to_string(stored).expect("the page is stored")
    );
    for option in OPTIONS {
        assert!(page.contains(&option.replace('-', "\\-")), "{option}");
    }
    for section in [
        "INVENTORY",
        "SELECTION",
        "QUERIES",
        "JSON LINES",
        "FILES",
        "ENVIRONMENT",
        "EXIT STATUS",
    ] {
        assert!(page.contains(section), "{section}");
    }
}

#[test]
fn the_man_page_has_every_key_of_the_json_lines() {
    fn keys(value: &serde_json::Value, all: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(object) => object.iter().for_each(|(key, value)| {
                all.push(key.clone());
                keys(value, all);
            }),
            serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, all)),
            _ => {}
        }
    }
    let run = Run::with("app.log", "one\n");
    let target = format!("localhost:{}/app.log", run.home.path().display());
    let output = run.output(&["--hosts", &target, "--once", "--json"]);
    let mut found = Vec::new();
    for line in stdout(&output).lines() {
        keys(
            &serde_json::from_str(line).expect("an object per line"),
            &mut found,
        );
    }
    assert!(found.len() > 50, "{found:?}");
    let page = stdout(&run.output(&["man", "json"])).replace('\\', "");
    for key in found {
        assert!(
            page.contains(&key),
            "{key} is in the output and not in the man page"
        );
    }
}

#[test]
fn csv_is_rows_and_nothing_else_with_the_summary_on_standard_error() {
    let run = Run::with("app.log", "=1+1\na \"b\", \x1b[31mc\n");
    let target = format!("localhost:{}/app.log", run.home.path().display());
    for (option, guard) in [("--csv", "'"), ("--raw-csv", "")] {
        let output = run.output(&["--hosts", &target, "--once", option]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let rows = stdout(&output);
        let texts: Vec<_> = rows
            .lines()
            .map(|row| row.splitn(6, ',').nth(5).unwrap_or_default())
            .collect();
        assert_eq!(texts[0], "text,cursor,continues");
        assert!(texts[1].starts_with(&format!("{guard}=1+1,")), "{rows}");
        assert!(
            texts[2].starts_with("\"a \"\"b\"\", \\x1B[31mc\","),
            "{rows}"
        );
        assert_eq!(texts.len(), 3, "{rows}");
        assert!(
            stderr(&output).contains("1/1 hosts · 2 lines · 0 gaps"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn every_command_marks_the_rest_of_a_record_that_began_before_the_page() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    // Twenty lines before their end all of them are in the middle of a record.
    let kinds = [
        "celery",
        "flask",
        "glog",
        "gunicorn",
        "klog",
        "log4j-compact",
        "loguru",
        "node-express",
        "python-asctime",
    ];
    let source = |kind: &&str| {
        format!(
            "{{ name = {kind:?}, path = {:?} }}",
            logs.join(kind).join("log")
        )
    };
    let sources: Vec<String> = kinds.iter().map(source).collect();
    let run = Run::with(
        "hosts.toml",
        format!("[hosts.localhost]\nsources = [{}]", sources.join(", ")),
    );
    let marks = |args: &[&str]| -> Vec<(String, String, bool)> {
        let output = run.output(
            &[
                args,
                &["--config", "hosts.toml", "--no-ssh-config", "--json"],
            ]
            .concat(),
        );
        let text = stdout(&output);
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let line = |it: Value| {
            let of = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            (
                of("source"),
                of("cursor"),
                it["continues"].as_bool().unwrap_or_default(),
            )
        };
        lines
            .filter(|line| line["type"] == "line")
            .map(line)
            .collect()
    };
    let page = marks(&["read", "--backwards", "-n", "20"]);
    assert_eq!(page.len(), 20 * kinds.len());
    let bounded = marks(&["--once", "--lines", "20"]);
    for kind in kinds {
        let of_kind = |(source, ..): &&(String, String, bool)| source == kind;
        let once: Vec<_> = bounded.iter().filter(of_kind).cloned().collect();
        assert_eq!(
            once,
            page.iter().filter(of_kind).cloned().collect::<Vec<_>>()
        );
        assert!(once[0].2, "{kind}: the first line goes on with a record");
    }
}

#[test]
fn man_and_completions_work_with_a_broken_inventory() {
    let run = Run::with("hosts.toml", "broken [");
    for args in [&["man"][..], &["query"], &["completions", "bash"]] {
        let output = run
            .command(args)
            .env("LOGTRAIL_HOSTS", "hosts.toml")
            .output()
            .expect("the program starts");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let run = Run::new();
    let mut child = run
        .command(&["man"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), stderr(&output).as_str()),
        (Some(0), "")
    );
}

/// What one pass over the journal of this machine says of the host, with a `journalctl` of our own.
fn pass_over_journal(journalctl: &str) -> (serde_json::Value, Option<i32>) {
    let run = Run::with(
        "hosts.toml",
        "[hosts.localhost]\nsources = [{ journal = true }]",
    );
    let program = run.home.path().join("journalctl");
    executable(&program, &format!("#!/bin/sh\n{journalctl}\n"));
    let path = format!("{}:/usr/bin:/bin", run.home.path().display());
    let mut command = run.command(&["--config", "hosts.toml", "--once", "--json"]);
    let output = command
        .env("PATH", path)
        .output()
        .expect("the program starts");
    let objects = stdout(&output);
    let objects = objects
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let host = objects
        .into_iter()
        .find(|it| it["type"] == "host")
        .expect("the host's object");
    (host, output.status.code())
}

#[test]
fn a_journal_that_the_login_may_not_see_is_said_and_is_not_everything() {
    let denied = "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1";
    let (host, code) = pass_over_journal(denied);
    assert_eq!(
        (&host["state"], &host["reason"]),
        (&"degraded".into(), &"journal:*: permission denied".into()),
        "{host}"
    );
    assert!(
        host["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("usermod -aG systemd-journal")),
        "{host}"
    );
    assert_eq!(code, Some(3));
}

#[test]
fn a_journal_without_a_complaint_is_all_well() {
    let (host, code) = pass_over_journal("exit 0");
    assert_eq!(
        (&host["state"], &host["reason"], code),
        (&"ok".into(), &serde_json::Value::Null, Some(0)),
        "{host}"
    );
}

#[test]
fn a_full_disk_is_one_line_that_says_it_once() {
    let run = Run::with("app.log", "one\n");
    let target = format!("localhost:{}/app.log", run.home.path().display());
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = run
        .command(&["--hosts", &target, "--once"])
        .stdout(full)
        .output()
        .expect("the program starts");
    let expect = "logtrail-tui: write the report to standard output: No space left on device (os error 28)\n";
    assert_eq!(
        (stderr(&output).as_str(), output.status.code()),
        (expect, Some(2))
    );
}

#[test]
fn the_debug_log_is_written_only_where_it_is_asked_for() {
    let run = Run::new();
    assert_eq!(
        run.output(&["hosts", "--log-file", "debug.log"])
            .status
            .code(),
        Some(0)
    );
    assert!(run.home.path().join("debug.log").exists());
    refuses(
        &run,
        &["hosts", "--log-file", "no/such/folder"],
        "--log-file: no/such/folder: No such file or directory (os error 2)",
    );
}
