//! The man page: names and options from the definition of the command line, the rest written by
//! hand.

mod json;
mod roff;

use std::io::{self, Write};

use clap::CommandFactory;

use roff::escape;

use super::{CliArgs, ManPage};
use crate::query::{LANGUAGE, NOTES};

/// Where the query language comes in, which has a table.
const QUERIES: &str = ".\\\" QUERIES\n";

/// Inventory, files, environment, exit codes, JSON Lines.
const BY_HAND: &str = include_str!("man.roff");

/// Prints a man page as roff.
///
/// # Errors
/// When the output cannot be written.
pub fn write_man(which: ManPage, out: &mut dyn Write) -> io::Result<()> {
    let page = match which {
        ManPage::Tui => page()?,
        ManPage::Json => json::page(),
    };
    out.write_all(page.as_bytes())
}

fn page() -> io::Result<String> {
    // The examples and the exit codes of the long help have sections of their own here.
    let mut command = CliArgs::command()
        .after_help("")
        .after_long_help("")
        .term_width(100);
    command.build();
    let man = clap_mangen::Man::new(command.clone())
        .date("")
        .manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend(b".SH SUBCOMMANDS\n");
    for sub in command.get_subcommands() {
        subcommand(sub, &mut page);
    }
    let (before, after) = BY_HAND.split_once(QUERIES).unwrap_or((BY_HAND, ""));
    page.extend([before, &queries(), after].concat().as_bytes());
    String::from_utf8(page).map_err(io::Error::other)
}

/// The section on queries.
fn queries() -> String {
    let mut section = String::from(
        ".SH QUERIES\nThe value of\n.BR \\-\\-grep ,\nand of the prompts of the console: terms that must all hold.\n",
    );
    for (example, meaning) in LANGUAGE {
        section += &format!(".TP\n.B {}\n{}\n", argument(example), escape(meaning));
    }
    NOTES
        .iter()
        .for_each(|note| section += &format!(".PP\n{}\n", escape(note)));
    section
}

/// As the arguments of a macro, which takes quotes out and backslashes apart.
fn argument(text: &str) -> String {
    escape(text).replace('"', "\\(dq")
}

/// One page for all subcommands: they are few, and their own pages would repeat every global
/// option.
fn subcommand(command: &clap::Command, page: &mut Vec<u8>) {
    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
    let usage: Vec<String> = own.map(|arg| escape(&arg.to_string())).collect();
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let line = format!(
        ".TP\n\\fB{}\\fR {}\n{}\n",
        command.get_name(),
        usage.join(" "),
        escape(&about)
    );
    page.extend(line.trim_end().as_bytes());
    page.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::page;

    #[test]
    fn the_pages_in_man_are_not_stale() {
        for (name, fresh) in [
            ("logtrail-tui.1", page().expect("a page")),
            ("logtrail-json.5", super::json::page()),
        ] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("man").join(name);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&file, &fresh).expect("man/ is writable");
            }
            let stored = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                stored == fresh,
                "man/{name} is stale: run this test with UPDATE=1"
            );
        }
    }
}
