//! The inventory that the program is given: servers of the test, and this machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::sshd::Sshd;

/// An inventory, host by host.
#[derive(Default)]
pub(crate) struct Inventory {
    text: String,
}

impl Inventory {
    /// A server of this machine, without sources.
    pub(crate) fn server(self, name: &str, sshd: &Sshd) -> Self {
        self.line(&format!("[hosts.{name}]"))
            .line("address = \"127.0.0.1\"")
            .line(&format!("port = {}", sshd.port()))
            .line(&format!("identity = {:?}", sshd.client_key_path()))
            .line(&format!("known_hosts = {:?}", sshd.known_hosts()))
    }

    /// A server whose log `app` is followed.
    pub(crate) fn following(self, name: &str, sshd: &Sshd, log: &Path) -> Self {
        self.server(name, sshd).sources(&[("app", log)])
    }

    /// This machine, without sources.
    pub(crate) fn here(self) -> Self {
        self.line("[hosts.localhost]")
    }

    /// The sources of the host before: their names and paths.
    pub(crate) fn sources(self, sources: &[(&str, &Path)]) -> Self {
        let all: Vec<String> = sources
            .iter()
            .map(|(name, path)| format!("{{ name = {name:?}, path = {path:?} }}"))
            .collect();
        self.line(&format!("sources = [{}]", all.join(", ")))
    }

    /// Any other line, of the host before or of a section of its own.
    pub(crate) fn line(mut self, line: &str) -> Self {
        writeln!(self.text, "{line}").expect("memory");
        self
    }

    /// Writes it into a folder.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let file = folder.join("hosts.toml");
        std::fs::write(&file, &self.text).expect("write the inventory");
        file
    }
}

/// Writes the inventory of this machine with the log `app` into a folder.
pub(crate) fn write_log_here(folder: &Path, log: &Path) -> PathBuf {
    let host = Inventory::default().here();
    host.sources(&[("app", log)]).write(folder)
}
