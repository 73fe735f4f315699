//! Each type of the crate has a name of its own, so that a search finds one thing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::support::source_graph::{ParsedFile, is_for_tests, production_files};

/// Names that several types share. The list may only become shorter.
const SHARED_NAMES: &[&str] = &["Side"];

/// A reader of a shorter file sees all of it at once: a type that is private there may have a name
/// that is used elsewhere.
const SHORT_FILE: usize = 150;

#[test]
fn no_more_types_share_their_name_than_are_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in production_files(&root) {
        for name in type_names(&file) {
            files.entry(name).or_default().push(file.path.join("::"));
        }
    }
    assert!(files.len() > 300, "the crate has {} types", files.len());
    files.retain(|_, defined_in| defined_in.len() > 1);
    let shared: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = SHARED_NAMES.iter().copied().collect();
    let new: Vec<_> = files
        .iter()
        .filter(|(name, _)| !listed.contains(name.as_str()))
        .collect();
    assert!(new.is_empty(), "several types have this name: {new:#?}");
    let gone: Vec<_> = listed.difference(&shared).collect();
    assert!(
        gone.is_empty(),
        "have a name of their own by now, and go from the list: {gone:#?}"
    );
}

fn type_names(file: &ParsedFile) -> Vec<String> {
    let is_short = file.lines < SHORT_FILE;
    let types = file.syntax.items.iter().filter_map(|item| {
        let (name, visibility, attributes) = match item {
            syn::Item::Struct(item) => (&item.ident, &item.vis, &item.attrs),
            syn::Item::Enum(item) => (&item.ident, &item.vis, &item.attrs),
            syn::Item::Trait(item) => (&item.ident, &item.vis, &item.attrs),
            _ => return None,
        };
        let is_private = matches!(visibility, syn::Visibility::Inherited);
        let counts = !(is_for_tests(attributes) || is_private && is_short);
        counts.then(|| name.to_string())
    });
    types.collect()
}
