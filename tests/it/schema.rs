//! Every subcommand prints what logtrail-json(5) says, and nothing else.

use std::collections::BTreeSet;

use logtrail::report::schema;
use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::inventory::Inventory;
use crate::support::sshd::Sshd;

#[test]
fn every_object_that_any_subcommand_prints_is_as_the_man_page_has_it() {
    let (well, gone) = (Sshd::start(), Sshd::start());
    gone.stop();
    let log = well.path("app.log");
    let text = b"2026-11-20T13:00:00Z INFO one user=ann\n2026-11-20T13:00:01Z WARN tw\xff\n  at Shop.main\n2026-11-20T13:00:02Z ERROR {\"a\":1}\n";
    std::fs::write(&log, text).expect("write the log");
    std::fs::write(well.path("app.log.1"), "2026-11-19T13:00:00Z INFO old\n")
        .expect("write the log");
    let sources =
        format!("sources = [{{ name = \"app\", path = {log:?} }}, {{ path = \"/no/such/file\" }}]");
    let add = |inventory: Inventory, (name, sshd)| {
        let server = inventory.server(name, sshd).line("tags = [\"t\"]");
        server.line("via = []").line(&sources)
    };
    let file = [("well", &well), ("gone", &gone)]
        .into_iter()
        .fold(Inventory::default(), add)
        .write(&well.path(""));
    let run = |args: &[&str]| {
        let output = logtrail(&file, args)
            .args(["--json", "--timeout", "15s"])
            .output()
            .expect("run it");
        String::from_utf8(output.stdout).expect("JSON is UTF-8")
    };
    let mut kinds = BTreeSet::new();
    let mut cursor = None;
    let mut check = |args: &[&str]| {
        let out = run(args);
        let mut last = Value::Null;
        for line in out.lines() {
            last = serde_json::from_str(line).expect("JSON");
            assert_eq!(schema::check(&last), Ok(()), "{args:?}: {line}");
            kinds.insert(last["type"].as_str().expect("a type").to_owned());
            if last["type"] == "hit" {
                cursor = last["cursor"].as_str().map(str::to_owned);
            }
        }
        if !args.contains(&"--grep") {
            assert_eq!(last["type"], "summary", "{args:?}: {out}");
        }
        cursor.clone()
    };
    check(&["hosts"]);
    check(&["sources"]);
    check(&["--once"]);
    check(&["tail", "-n", "9"]);
    check(&["metrics"]);
    check(&["search", "t", "-C", "2"]);
    check(&["search", "t", "--count"]);
    check(&["search", "one", "--explain"]);
    check(&["read"]);
    check(&["read", "--explain", "--since", "2026-11-20"]);
    let cursor = check(&["search", "one"]).expect("a hit");
    check(&["context", &cursor, "--hosts", "well"]);
    check(&["read", "--cursor", &cursor, "--hosts", "well"]);
    check(&["histogram"]);
    check(&["--once", "--grep", "x", "--explain"]);
    let rare = ["gap", "note"];
    let missing: Vec<_> = schema::KINDS
        .iter()
        .map(|kind| kind.name)
        .filter(|kind| !kinds.contains(*kind) && !rare.contains(kind))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "never printed");
}
