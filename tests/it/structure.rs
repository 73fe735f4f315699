//! Rules of the house that no compiler holds: who may import whom, and what every file has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::support::source_graph::SourceGraph;

/// Each module of `src/` with those it may import, as the crate comment of `lib.rs` has it.
const IMPORTS: &[(&str, &str)] = &[
    ("model", ""),
    ("clock", "model"),
    ("parse", "model"),
    ("metrics", "model"),
    ("transport", "model clock"),
    ("query", "model parse"),
    ("files", "model parse query"),
    ("engine", "model parse query files"),
    (
        "host",
        "model clock parse metrics query files engine transport",
    ),
    ("fleet", "model clock query transport host"),
    ("scrollback", "model query"),
    ("stages", "model clock query fleet"),
    ("layout", "model parse scrollback"),
    ("app", "model parse query scrollback layout"),
    ("view", "model parse query scrollback layout app"),
    ("report", "model clock parse query fleet stages"),
    (
        "tui",
        "model clock query transport fleet scrollback app view",
    ),
    ("demo", "model clock"),
    ("cli", "model query report demo"),
    (
        "config",
        "model clock parse query transport fleet report cli",
    ),
    (
        "commands",
        "model clock query transport fleet stages report tui demo cli config",
    ),
];

/// Longer files want to be two.
const MAX_LINES: usize = 650;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("read a folder of src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("read a source");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 50, "src has {} files", found.len());
    found
}

fn graph() -> SourceGraph {
    SourceGraph::of_crate(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"))
}

#[test]
fn rooms_import_downwards_only() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = IMPORTS
        .iter()
        .map(|(room, imports)| (*room, imports.split_whitespace().collect()))
        .collect();
    let mut wrong = Vec::new();
    for (path, imports) in graph().imports() {
        let Some(room) = path.first() else { continue };
        let allowed = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("{room} is not in the table"));
        let rooms = imports.iter().filter_map(|import| import.first());
        let sideways = rooms.filter(|other| *other != room && !allowed.contains(other.as_str()));
        wrong.extend(sideways.map(|other| format!("{} imports {other}", path.join("::"))));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_the_clock_reads_the_wall_clock() {
    const READS: [&str; 3] = ["Timestamp::now()", "SystemTime::now()", "Zoned::now()"];
    let readers: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|(_, text)| READS.iter().any(|read| text.contains(read)))
        .map(|(path, _)| path)
        .collect();
    let clock = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/clock.rs");
    assert_eq!(readers, [clock]);
}

#[test]
fn no_files_import_each_other() {
    let found = graph().in_circles();
    assert!(
        found.is_empty(),
        "import each other, directly or through others: {found:#?}"
    );
}

#[test]
fn files_of_tests_share_only_what_is_in_support() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/main.rs");
    let mut sideways = Vec::new();
    for (path, imports) in SourceGraph::of_tests(&root).imports() {
        let Some(file) = path.first() else { continue };
        let others = imports.iter().filter_map(|import| import.first());
        let others = others.filter(|other| *other != file && *other != "support");
        sideways.extend(others.map(|other| format!("{} imports {other}", path.join("::"))));
    }
    assert_eq!(sideways, Vec::<String>::new());
}

#[test]
fn the_table_itself_has_no_circle() {
    for (at, (module, imports)) in IMPORTS.iter().enumerate() {
        for import in imports.split_whitespace() {
            let below = IMPORTS
                .iter()
                .position(|(name, _)| *name == import)
                .expect("a module of the table");
            assert!(
                below < at,
                "{module} imports {import}, which stands below it"
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let without = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"));
    assert_eq!(
        without.map(|(path, _)| path).collect::<Vec<_>>(),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn no_file_is_too_long() {
    let long = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > MAX_LINES);
    let long: Vec<PathBuf> = long.map(|(path, _)| path).collect();
    assert!(
        long.is_empty(),
        "have more than {MAX_LINES} lines: {long:#?}"
    );
}

#[test]
fn the_map_names_modules_that_are_there() {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let map = std::fs::read_to_string(map).expect("read the map");
    let rows = map.lines().filter(|line| line.starts_with("//! | "));
    let named = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let modules: BTreeSet<String> = graph().imports().map(|(path, _)| path.join("::")).collect();
    let rooms: BTreeSet<&str> = IMPORTS.iter().map(|(room, _)| *room).collect();
    let is_path = |name: &&str| {
        rooms.contains(name.split("::").next().unwrap_or_default()) && name.contains("::")
    };
    let mut wrong = Vec::new();
    for name in named.filter(is_path) {
        // What begins with a capital is an item of the module before it.
        let module: Vec<&str> = name
            .split("::")
            .take_while(|part| !part.starts_with(char::is_uppercase))
            .collect();
        if !modules.contains(&module.join("::")) {
            wrong.push(name.to_owned());
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "are in the map and in no file");
}
