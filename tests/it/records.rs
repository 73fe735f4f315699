//! Logs of many kinds on several hosts, asked with one query: times, levels, records, fields and
//! ids are the same wherever a line is read, on a screen and in JSON.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::binary::BINARY;
use crate::support::inventory::{Inventory, write_log_here};
use crate::support::processes::{memory, peak_memory};
use crate::support::pty::Pty;
use crate::support::sshd::Sshd;

/// Sources and what is in them. All of it happens within a few minutes of 2026-11-20, 13:00 UTC.
const LOGS: [(&str, &str); 6] = [
    (
        "nginx",
        "\
10.0.0.7 - ada [20/Nov/2026:13:00:01 +0000] \"GET /cart HTTP/1.1\" 200 512 \"-\" \"curl/8.5\" request_id=req-6
10.0.0.7 - ada [20/Nov/2026:13:00:04 +0000] \"POST /cart HTTP/1.1\" 502 0 \"-\" \"curl/8.5\" request_id=req-7
",
    ),
    (
        "api",
        "\
{\"level\":30,\"time\":1795179602000,\"msg\":\"no errors so far\",\"req\":{\"id\":\"req-6\"},\"status\":200}
{\"level\":50,\"time\":1795179603000,\"msg\":\"cart is gone\",\"req\":{\"id\":\"req-7\"},\"status\":500}
",
    ),
    (
        "worker",
        "\
2026-11-20T13:00:02.500Z INFO worker: error handler is ready
2026-11-20T13:00:03.500Z ERROR worker: job failed request_id=req-7
Traceback (most recent call last):
  File \"/srv/shop/worker.py\", line 8, in run
OutOfStock: sku 5
2026-11-20T13:00:05.500Z INFO worker: job done request_id=req-8
",
    ),
    (
        "syslog",
        "\
<30>Nov 20 13:00:01 web-1 cron[9]: (root) CMD (true)
<27>Nov 20 13:00:06 web-1 shop[10]: cannot write: request_id=req-9
",
    ),
    (
        "java",
        "\
2026-11-20 13:00:03,250+00:00 SEVERE [main] shop.Cart - cannot add
java.lang.IllegalStateException: no such item
\tat shop.Cart.add(Cart.java:12)
2026-11-20 13:00:06,250+00:00 INFO [main] shop.Cart - recovered from 1 error
",
    ),
    (
        "go",
        "level=info ts=2026-11-20T13:00:00Z msg=up\nlevel=warn ts=2026-11-20T13:00:07Z msg=slow trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n",
    ),
];

fn write_logs(folder: &Path) {
    for (name, text) in LOGS {
        std::fs::write(folder.join(format!("{name}.log")), text).expect("write a log");
    }
}

/// Names and paths of the sources in a folder.
fn sources(folder: &Path) -> [(&'static str, PathBuf); 6] {
    LOGS.map(|(name, _)| (name, folder.join(format!("{name}.log"))))
}

/// The host before reads all the logs in a folder.
fn with_logs(inventory: Inventory, folder: &Path) -> Inventory {
    std::fs::create_dir(folder).expect("make a folder");
    write_logs(folder);
    let sources = sources(folder);
    inventory.sources(&sources.each_ref().map(|(name, path)| (*name, &**path)))
}

/// Two servers and this machine, each with logs of its own.
struct Mixed {
    servers: [Sshd; 2],
    inventory: PathBuf,
}

impl Mixed {
    fn start() -> Self {
        let servers = [Sshd::start(), Sshd::start()];
        let mut inventory = Inventory::default();
        for (n, sshd) in servers.iter().enumerate() {
            inventory = inventory.server(&format!("web-{n}"), sshd);
            inventory = with_logs(inventory, &sshd.path("logs"));
        }
        let inventory =
            with_logs(inventory.here(), &servers[0].path("here")).write(&servers[0].path(""));
        Self { servers, inventory }
    }

    fn arguments<'a>(&'a self, query: &'a str) -> Vec<&'a str> {
        let file = self.inventory.to_str().expect("UTF-8");
        vec![
            "--hosts",
            "web-*,localhost",
            "--no-ssh-config",
            "--config",
            file,
            "--grep",
            query,
        ]
    }

    /// The lines of each host that match, without what is of that host alone.
    fn lines(&self, query: &str) -> Vec<Vec<Value>> {
        let mut arguments = self.arguments(query);
        arguments.extend(["--once", "--json"]);
        let output = Command::new(BINARY)
            .args(arguments)
            .output()
            .expect("run the console");
        let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let rows: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect();
        let of_host = |host: &str| {
            let lines = rows
                .iter()
                .filter(|row| row["type"] == "line" && row["host"] == host)
                .cloned();
            let without = |mut line: Value| {
                let object = line.as_object_mut().expect("an object");
                object.remove("host");
                object.remove("cursor");
                line
            };
            lines.map(without).collect()
        };
        ["web-0", "web-1", "localhost"].map(of_host).into()
    }

    /// The same, which must be equal on all hosts, as `SOURCE TIME LEVEL TEXT`.
    fn same_lines(&self, query: &str) -> Vec<String> {
        let hosts = self.lines(query);
        assert_eq!(hosts[0], hosts[1], "{query}");
        assert_eq!(hosts[0], hosts[2], "{query}");
        let words = |line: &Value| {
            let time = line["time"].as_str().unwrap_or_default();
            let level = line["level"].as_str().unwrap_or("-");
            let text = line["text"].as_str().unwrap_or_default();
            let mark = if line["continues"] == true { "|" } else { "" };
            let shown = text
                .split_at(text.char_indices().nth(24).map_or(text.len(), |(at, _)| at))
                .0;
            format!(
                "{} {} {level} {mark}{shown}",
                line["source"].as_str().unwrap_or_default(),
                &time[11..19]
            )
        };
        hosts[0].iter().map(words).collect()
    }
}

#[test]
fn one_query_finds_the_same_records_in_logs_of_every_kind_on_every_host() {
    let mixed = Mixed::start();
    assert_eq!(
        mixed.same_lines("level>=error"),
        [
            "api 13:00:03 error {\"level\":50,\"time\":17951",
            "java 13:00:03 error 2026-11-20 13:00:03,250+",
            "java 13:00:03 - |java.lang.IllegalStateEx",
            "java 13:00:03 - |\tat shop.Cart.add(Cart.j",
            "worker 13:00:03 error 2026-11-20T13:00:03.500Z",
            "worker 13:00:03 - |Traceback (most recent c",
            "worker 13:00:03 - |  File \"/srv/shop/worker",
            "worker 13:00:03 - |OutOfStock: sku 5",
            "nginx 13:00:04 error 10.0.0.7 - ada [20/Nov/2",
            "syslog 13:00:06 error <27>Nov 20 13:00:06 web-",
        ]
    );
    assert_eq!(
        mixed.same_lines("request_id:req-7 (status>=500 OR \"sku 5\")"),
        [
            "api 13:00:03 error {\"level\":50,\"time\":17951",
            "worker 13:00:03 error 2026-11-20T13:00:03.500Z",
            "worker 13:00:03 - |Traceback (most recent c",
            "worker 13:00:03 - |  File \"/srv/shop/worker",
            "worker 13:00:03 - |OutOfStock: sku 5",
            "nginx 13:00:04 error 10.0.0.7 - ada [20/Nov/2",
        ]
    );
    assert_eq!(
        mixed.same_lines("-level>=info OR source:go level:warn"),
        ["go 13:00:07 warn level=warn ts=2026-11-20"]
    );
    drop(mixed.servers);
}

#[test]
fn fields_and_ids_are_in_the_json_of_every_kind() {
    let mixed = Mixed::start();
    let lines = &mixed.lines("req-7 OR trace_id:*")[0];
    let ids: Vec<_> = lines
        .iter()
        .filter(|line| line["continues"] == false)
        .map(|line| line["ids"].clone())
        .collect();
    let requests: Vec<_> = ids
        .iter()
        .map(|ids| ids["request"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(requests, ["req-7", "req-7", "req-7", "-"], "{lines:?}");
    assert_eq!(ids[3]["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let nginx = lines
        .iter()
        .find(|line| line["source"] == "nginx")
        .expect("a line of nginx");
    assert_eq!(
        (&nginx["fields"]["status"], &nginx["fields"]["method"]),
        (&502.into(), &"POST".into()),
        "{nginx}"
    );
    assert_eq!(nginx["ids"]["user"], "ada", "{nginx}");
}

#[test]
fn the_console_shows_the_same_records_for_the_same_query() {
    let mixed = Mixed::start();
    let arguments = mixed.arguments("level>=error");
    let mut pty = Pty::start(&arguments, (160, 50));
    pty.wait_until("the records of all hosts", |screen| {
        screen.matches("sku 5").count() == 3
    });
    let screen = pty.screen();
    for (shown, times) in [
        ("cannot write", 3),
        ("at shop.Cart.add", 3),
        ("POST /cart", 3),
        ("cart is gone", 3),
    ] {
        assert_eq!(screen.matches(shown).count(), times, "{shown}\n{screen}");
    }
    for hidden in [
        "error handler",
        "no errors so far",
        "recovered from",
        "CMD (true)",
    ] {
        assert!(!screen.contains(hidden), "{hidden}\n{screen}");
    }
    pty.kill();
}

#[test]
fn the_console_lists_the_fields_and_ids_of_a_record() {
    let mixed = Mixed::start();
    let arguments = mixed.arguments("request_id:req-7 source:nginx");
    let mut pty = Pty::start(&arguments, (160, 50));
    pty.wait_until("the request on every host", |screen| {
        screen.matches("POST /cart").count() == 3
    });
    pty.keys("\r");
    for shown in [
        "request   req-7",
        "user      ada",
        "method           POST",
        "status           502",
    ] {
        pty.wait_for(shown);
    }
    pty.kill();
}

/// R13: what does not fit is counted, the lines beside it are whole, and the memory hardly grows.
#[test]
fn a_line_of_a_gibibyte_is_cut_and_costs_its_neighbours_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    let mut file = std::fs::File::create(&log).expect("create the log");
    file.write_all(b"the line before\n").expect("write");
    let inventory = write_log_here(folder.path(), &log);
    let mut pty = Pty::console(&inventory, (120, 20));
    pty.wait_for("the line before");
    let before = memory(pty.pid());
    assert!(before > 0, "it runs");
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..1024 {
        file.write_all(&chunk).expect("write");
    }
    file.write_all(b"\nthe line after\n").expect("write");
    pty.wait_for("the line after");
    pty.wait_until("the gap", |screen| {
        screen.contains("1.1 GB lost · ") && screen.contains(" · line-too-long")
    });
    let most = peak_memory(pty.pid());
    assert!(most > 0, "it runs");
    assert!(
        most - before < 8 << 20,
        "{} MiB more than before",
        (most - before) >> 20
    );
    pty.kill();
}
