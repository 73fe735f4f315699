//! What the README tells a newcomer to type and to write is true.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use logtrail::app::actions::ACTIONS;
use logtrail::app::keys::spell;
use logtrail::query::LANGUAGE;

use crate::support::binary::BINARY;

fn text() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
        .expect("there is a README")
}

/// The code blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = text
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

fn run(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    command.output().expect("the program starts")
}

#[test]
fn what_the_readme_links_to_is_there() {
    let text = text();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files: Vec<&str> = targets.filter(|target| !target.contains("://")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(),
            "{file} is not there"
        );
    }
}

#[test]
fn the_inventory_of_the_readme_has_what_its_commands_select() {
    let text = text();
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".config/logtrail");
    fs::create_dir_all(&config).expect("a folder");
    let [inventory] = &blocks(&text, "toml")[..] else {
        panic!("not one inventory in the README")
    };
    fs::write(config.join("hosts.toml"), inventory).expect("a file");
    let commands = blocks(&text, "sh").join("\n");
    let selections = commands
        .lines()
        .filter_map(|line| line.split("--hosts ").nth(1));
    let selections = selections.filter_map(|rest| match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next(),
        None => rest.split_whitespace().next(),
    });
    // Those before there is an inventory name hosts of their own.
    let selections: Vec<&str> = selections
        .filter(|selection| !selection.contains("web1:/"))
        .collect();
    assert!(selections.len() >= 4, "{selections:?}");
    for selection in selections {
        let output = run(home.path(), &["hosts", "--hosts", selection]);
        assert!(
            output.status.success(),
            "{selection}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn options_and_subcommands_of_the_readme_exist() {
    let text = text();
    let home = tempfile::tempdir().expect("a folder");
    let help = |args: &[&str]| String::from_utf8(run(home.path(), args).stdout).expect("UTF-8");
    let commands = [
        "sources",
        "tail",
        "search",
        "read",
        "context",
        "histogram",
        "metrics",
        "hosts",
        "demo",
    ];
    let help = help(&["--help"]) + &commands.map(|command| help(&[command, "--help"])).concat();
    let own = |word: &&str| !["--release", "--locked", "--path", "--open"].contains(word);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let options: Vec<&str> = words
        .filter(|word| word.starts_with("--") && !word.trim_matches('-').is_empty())
        .filter(own)
        .collect();
    assert!(options.len() >= 8, "{options:?}");
    for option in options {
        assert!(
            help.contains(option),
            "{option} is in the README and not in --help"
        );
    }
}

#[test]
fn the_readme_has_the_query_language_as_it_is() {
    let text = text();
    for (example, meaning) in LANGUAGE {
        let row = format!("| `{example}` | {} |", meaning.replace('*', "\\*"));
        assert!(text.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn the_keys_of_the_readme_do_something() {
    let text = text();
    let known: Vec<String> = ACTIONS
        .iter()
        .flat_map(|action| action.sequences().map(|keys| spell(&keys)))
        .collect();
    let table = text
        .split("| key | |")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("the table of keys");
    let rows = table
        .lines()
        .filter_map(|row| row.trim_start_matches('|').split('|').next());
    let mut keys = Vec::new();
    for row in rows {
        let mut prefix = "";
        for key in row.split('`').skip(1).step_by(2) {
            // `Ctrl-w v` `s` is short for `Ctrl-w v` `Ctrl-w s`.
            prefix = if key.starts_with("Ctrl-w ") {
                "Ctrl-w "
            } else {
                prefix
            };
            keys.push(if key.starts_with(prefix) {
                key.to_owned()
            } else {
                format!("{prefix}{key}")
            });
        }
    }
    assert!(keys.len() >= 20, "{keys:?}");
    for key in keys {
        assert!(
            known.contains(&key),
            "{key:?} is in the README and does nothing; keys are {known:?}"
        );
    }
}
