//! What the product costs and how fast it is, beside what a user would use instead, as ratios from
//! one run.
//!
//! `tests/bench` runs all; `tests/bench NAME` those whose name has NAME in it. Absolute figures
//! depend on the machine and its load, ratios less so: quote those. Nothing here passes or fails;
//! the targets are printed beside.

#[path = "../it/support/mod.rs"]
mod support;

mod cpu;
mod flood;
mod latency;
mod records;
mod sampler;
mod search;

/// One comparison.
struct Row {
    what: &'static str,
    ours: String,
    theirs: String,
    ratio: f64,
    target: &'static str,
}

/// Runs one comparison, or several that share their set-up.
type Bench = fn() -> Vec<Row>;

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let all: [(&str, Bench); 5] = [
        ("records", records::run),
        ("sampler", sampler::run),
        ("latency", latency::run),
        ("flood", flood::run),
        ("search", search::run),
    ];
    println!(
        "{:<44} {:>16} {:>16} {:>8}  target",
        "what", "ours", "theirs", "ratio"
    );
    for (name, run) in all {
        if name.contains(&wanted) {
            for row in run() {
                println!(
                    "{:<44} {:>16} {:>16} {:>7.2}×  {}",
                    row.what, row.ours, row.theirs, row.ratio, row.target
                );
            }
        }
    }
}

/// Runs async code as the console does.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// The middle of several figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
