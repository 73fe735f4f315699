//! Prints how well the library reads the lines of real logs: `tests/formats` runs it.

#[path = "mod.rs"]
mod corpus;

use std::path::PathBuf;
use std::process::ExitCode;

use corpus::{Share, TOGETHER, Tally, measure};

const HELP: &str = "\
tests/formats [--wrong] [--live] [--kind NAME] [FOLDER]

How well times and levels of real logs are read: a table of the kinds in FOLDER (tests/logs where none is given), or of
the one kind that FOLDER is. Exit code 1 where a kind is below 99 % right times or above 1 % wrong levels, 2 where
the folder is broken. tests/logs/README.md says what is in such a folder.

  --wrong      every line that was not read as expected
  --live       lines arrive one by one, as of a file that has just begun, and not many together
  --kind NAME  only kinds whose name has NAME in it";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("tests/formats: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<bool, String> {
    let (mut wrong, mut batch, mut name, mut folder) = (false, TOGETHER, String::new(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-h" | "--help" => {
                println!("{HELP}");
                return Ok(true);
            }
            "--wrong" => wrong = true,
            "--live" => batch = 1,
            "--kind" => name = arguments.next().ok_or("--kind needs a name")?,
            flag if flag.starts_with('-') => {
                return Err(format!("unknown option {flag}; see --help"));
            }
            path if folder.is_none() => folder = Some(PathBuf::from(path)),
            more => {
                return Err(format!(
                    "one folder is enough, what is {more:?}? See --help"
                ));
            }
        }
    }
    let folder =
        folder.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/logs")));
    let measured = measure(&folder, batch)?;
    println!("{}", header());
    let (mut all, mut kinds, mut good) = (Tally::default(), 0_usize, true);
    for (kind, tally, misses) in measured
        .iter()
        .filter(|(kind, ..)| kind.name.contains(&name))
    {
        println!("{}", row(&kind.name, tally));
        for miss in misses.iter().filter(|_| wrong) {
            println!("  {miss}");
        }
        all.add(tally);
        kinds += 1;
        good &= tally.is_good();
    }
    if kinds == 0 {
        return Err(format!(
            "{}: no kind has {name:?} in its name",
            folder.display()
        ));
    }
    println!("{}", row(&format!("{kinds} kinds"), &all));
    Ok(good)
}

fn header() -> String {
    format!(
        "{:<26} {:>6} {:>7} {:>8} {:>8} {:>8} {:>8}  {:<20}",
        "kind", "lines", "stamped", "time %", "level %", "wrong %", "joined %", "format"
    )
}

fn row(name: &str, tally: &Tally) -> String {
    let mark = if tally.is_good() { "" } else { " ✗" };
    format!(
        "{name:<26} {:>6} {:>7} {:>8} {:>8} {:>8} {:>8}  {:<20}{mark}",
        tally.lines,
        tally.stamped,
        percent(tally.time),
        percent(tally.level),
        percent(tally.wrong_level),
        percent(tally.continues),
        tally.format.unwrap_or("-"),
    )
}

/// Rounded so that only what is perfect is 100.00, and only what is nothing 0.00.
fn percent(share: Share) -> String {
    let Some(ratio) = share.ratio() else {
        return "-".into();
    };
    let hundredths = ratio * 10_000.0;
    let hundredths = if ratio > 0.5 {
        hundredths.floor()
    } else {
        hundredths.ceil()
    };
    format!("{:.2}", hundredths / 100.0)
}
