//! Patterns with `**` and `{a,b}`: the same files here and behind a server, searched and followed,
//! and a limit that is told.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::inventory::Inventory;
use crate::support::sshd::Sshd;

/// Texts of the lines that a pass prints of the files of a pattern, by a server or here, and what
/// is wrong with the source.
fn lines_of(server: Option<&Sshd>, pattern: &Path) -> (BTreeSet<String>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let inventory = match server {
        Some(server) => Inventory::default().server("web-1", server),
        None => Inventory::default().here(),
    };
    let inventory = inventory.sources(&[("app", pattern)]).write(folder.path());
    let out = logtrail(&inventory, &["--once", "--json", "--lines", "9"])
        .output()
        .expect("run it");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    let objects = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let (lines, others): (Vec<Value>, Vec<Value>) =
        objects.partition(|object| object["type"] == "line");
    let texts = lines
        .iter()
        .map(|line| line["text"].as_str().expect("a text"));
    let host = others.iter().find(|object| object["type"] == "host");
    let problems = host.map(Value::to_string).unwrap_or_default();
    (texts.map(str::to_owned).collect(), problems)
}

fn write(root: &Path, path: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("make folders");
    fs::write(file, format!("{path}\n")).expect("write a log");
}

#[test]
fn both_drivers_take_the_same_files_of_a_pattern() {
    let server = Sshd::start();
    let root = server.path("logs");
    for path in [
        "top.log",
        "a/one.log",
        "a/b/two.log",
        "a/b/c/three.txt",
        "web/app.log",
        "web/deep/app.log",
        "api/app.log",
        "api/.hidden/app.log",
        "job/app.log",
    ] {
        write(&root, path);
    }
    let cases: [(&str, &[&str]); 6] = [
        (
            "**/*.log",
            &[
                "top.log",
                "a/one.log",
                "a/b/two.log",
                "web/app.log",
                "web/deep/app.log",
                "api/app.log",
                "job/app.log",
            ],
        ),
        ("a/**/*", &["a/one.log", "a/b/two.log", "a/b/c/three.txt"]),
        ("{web,api}/app.log", &["web/app.log", "api/app.log"]),
        (
            "{web,api}/**/app.log",
            &["web/app.log", "web/deep/app.log", "api/app.log"],
        ),
        ("{w*,job}/app.log", &["web/app.log", "job/app.log"]),
        ("a/{one,b/{two,four}}.log", &["a/one.log", "a/b/two.log"]),
    ];
    for (pattern, expected) in cases {
        let expected: BTreeSet<String> = expected.iter().map(|path| (*path).to_owned()).collect();
        let pattern = root.join(pattern);
        for server in [Some(&server), None] {
            let (lines, problems) = lines_of(server, &pattern);
            let driver = if server.is_some() { "shell" } else { "local" };
            assert_eq!(
                lines,
                expected,
                "{driver}: {}: {problems}",
                pattern.display()
            );
        }
    }
}

#[test]
fn folders_that_are_too_deep_are_not_passed_over_in_silence() {
    let server = Sshd::start();
    let root = server.path("logs");
    write(&root, "1/near.log");
    write(&root, "1/2/3/4/5/6/7/8/9/10/11/far.log");
    let pattern = root.join("**/*.log");
    for server in [Some(&server), None] {
        let (lines, problems) = lines_of(server, &pattern);
        assert_eq!(lines, BTreeSet::from(["1/near.log".to_owned()]));
        assert!(problems.contains("deep"), "{problems}");
    }
}
