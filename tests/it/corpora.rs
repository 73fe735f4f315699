//! The inputs that the fuzz targets have found worth keeping, through the same bodies, with every
//! run of the tests.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::time_limit::Stopwatch;

#[path = "../fuzz/bodies.rs"]
mod bodies;

/// No input of a corpus is larger than a screen or two of lines; this is for a debug build on a
/// busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// All of them together are small enough to be kept in the repository.
const MAX_BYTES: u64 = 300_000;

#[track_caller]
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    inputs.sort();
    assert!(
        inputs.len() >= 10,
        "{} inputs in {}",
        inputs.len(),
        folder.display()
    );
    for input in inputs {
        let bytes = fs::read(&input).expect("an input");
        // The name of the input, should it fail, stands before the panic.
        eprintln!("{}", input.display());
        let began = Stopwatch::start();
        body(&bytes);
        began.assert_within(LIMIT, &input.display().to_string());
    }
}

#[test]
fn stamps_of_the_corpus() {
    replay("stamps", bodies::stamps);
}

#[test]
fn records_of_the_corpus() {
    replay("records", bodies::records);
}

#[test]
fn queries_of_the_corpus() {
    replay("queries", bodies::queries);
}

#[test]
fn text_of_the_corpus() {
    replay("text", bodies::text);
}

#[test]
fn fields_of_the_corpus() {
    replay("fields", bodies::fields);
}

#[test]
fn the_corpora_are_small() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let folders = fs::read_dir(corpus)
        .expect("corpora")
        .map(|entry| entry.expect("an entry").path());
    let inputs = folders.flat_map(|folder| fs::read_dir(folder).expect("a corpus"));
    let bytes: u64 = inputs
        .map(|entry| {
            entry
                .and_then(|entry| entry.metadata())
                .expect("an input")
                .len()
        })
        .sum();
    assert!(bytes < MAX_BYTES, "{bytes} bytes: tests/fuzz/run keep");
}
