//! The console on the hosts, until it is quit.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};

use crate::config::{RunPlan, ThemeChoice};
use crate::fleet::Fleet;
use crate::model::host::HostSpec;
use crate::model::source::SourceKind;
use crate::tui::{self, TerminalCapability};

/// Shows the console. Returns the exit code.
pub(super) async fn run(plan: &RunPlan, hosts: Vec<HostSpec>) -> Result<u8> {
    if !has_a_terminal(&hosts) {
        bail!(
            "the console needs a terminal; for a script or a pipe use --once, with --json for JSON Lines"
        );
    }
    let terminal = TerminalCapability::of(|name| std::env::var(name).ok()).map_err(|why| {
        anyhow!(
            "the console cannot place text on this terminal, for {why}: print with --once or \
             tail -f, or set TERM to what it is, such as TERM=xterm-256color"
        )
    })?;
    let (asker, questions) = tui::questions();
    let connector = plan.connector(Arc::new(asker));
    let (fleet, updates) = Fleet::start(hosts.clone(), plan.fleet_options(), connector);
    let options = options(plan, terminal);
    tui::run(fleet, updates, &hosts, questions, options).await?;
    Ok(0)
}

/// Where standard input is a source, keys come from the terminal all the same.
fn has_a_terminal(hosts: &[HostSpec]) -> bool {
    let mut sources = hosts.iter().flat_map(|host| &host.sources);
    let reads_input = sources.any(|source| source.kind == SourceKind::Input);
    io::stdout().is_terminal() && (reads_input || io::stdin().is_terminal())
}

fn options(plan: &RunPlan, terminal: TerminalCapability) -> tui::Options {
    let own = plan.config_dir.as_ref().map(|folder| folder.join("themes"));
    let (theme, themes) = match &plan.theme {
        ThemeChoice::Default => (None, own),
        ThemeChoice::NoColour => (Some("none".to_owned()), own),
        ThemeChoice::Named(name) => (Some(name.clone()), own),
        ThemeChoice::File(file) => {
            let name = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            (name, file.parent().map(Path::to_owned))
        }
    };
    tui::Options {
        terminal,
        theme,
        themes,
        query: plan.grep.clone(),
        utc: false,
    }
}
