//! Rules of the house that no compiler holds: who may import whom, and what every file has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module of `src/` with those it may import, as the crate comment of `lib.rs` has it.
const IMPORTS: &[(&str, &str)] = &[
    ("model", ""),
    ("engine", "model"),
    ("transport", "model"),
    ("host", "model engine transport"),
    ("fleet", "model transport host"),
    ("store", "model"),
    ("app", "model store"),
    ("view", "model store app"),
    // Both answer the questions of `transport`, on a terminal.
    ("report", "model transport fleet"),
    ("tui", "model transport fleet store app view"),
    ("demo", "model"),
    ("cli", "model engine transport host fleet store app view report tui demo"),
    ("config", "model engine transport host fleet store app view report tui demo cli"),
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

/// `host` for `src/host/shell/mod.rs`; `None` for `lib.rs` and the binaries.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let mut parts = inside.components();
    let first = parts.next()?.as_os_str().to_str()?;
    (parts.next().is_some() && first != "bin").then(|| first.to_owned())
}

/// Modules of the crate that a file names after `crate::`, comments left out.
fn imports_of(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let names = list.split('}').next().unwrap_or_default().split(',');
            found.extend(names.map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
        } else {
            found.extend(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned));
        }
    }
    found.remove("");
    found
}

#[test]
fn modules_import_downwards_only() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        IMPORTS.iter().map(|(module, imports)| (*module, imports.split_whitespace().collect())).collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(module) = module_of(&path) else { continue };
        let allowed = allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} is not in the table"));
        let imports = imports_of(&text);
        let sideways = imports.iter().filter(|name| **name != module && !allowed.contains(name.as_str()));
        wrong.extend(sideways.map(|name| format!("{} imports {name}", path.display())));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_table_itself_has_no_circle() {
    for (at, (module, imports)) in IMPORTS.iter().enumerate() {
        for import in imports.split_whitespace() {
            let below = IMPORTS.iter().position(|(name, _)| *name == import).expect("a module of the table");
            assert!(below < at, "{module} imports {import}, which stands below it");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_not_too_long() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not begin with //!", path.display()));
        }
        if text.lines().count() > MAX_LINES {
            wrong.push(format!("{} has {} lines", path.display(), text.lines().count()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
