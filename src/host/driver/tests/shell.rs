//! A real shell on this machine, with real files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::World;
use crate::host::shell::ShellFollower;
use crate::transport::Connection;

/// A folder with a log, and a shell.
pub(super) struct ShellWorld {
    folder: tempfile::TempDir,
    driver: ShellFollower,
    _connection: Connection,
}

impl ShellWorld {
    pub(super) async fn start(shell: &[&str]) -> Self {
        let connection = Connection::by_shell(shell);
        let driver = ShellFollower::start(&connection).await.expect("a shell");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            driver,
            _connection: connection,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append_to(&self, name: &str, text: &str) {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.at(name));
        file.expect("open")
            .write_all(text.as_bytes())
            .expect("write");
    }
}

impl World for ShellWorld {
    type Driver = ShellFollower;

    fn driver(&mut self) -> &mut ShellFollower {
        &mut self.driver
    }

    fn path(&self) -> Vec<u8> {
        self.at("it's a log").as_os_str().as_bytes().to_vec()
    }

    fn pattern(&self) -> Vec<u8> {
        self.at("it*").as_os_str().as_bytes().to_vec()
    }

    fn append(&mut self, text: &str) {
        self.append_to("it's a log", text);
    }

    fn append_to_old(&mut self, text: &str) {
        self.append_to("it's a log.1", text);
    }

    fn rename(&mut self) {
        fs::rename(self.at("it's a log"), self.at("it's a log.1")).expect("renamed");
        File::create(self.at("it's a log")).expect("created");
    }

    fn copy(&mut self) {
        fs::copy(self.at("it's a log"), self.at("it's a log.1")).expect("copied");
        File::create(self.at("it's a log")).expect("cut");
    }

    fn remove(&mut self) {
        // What is created next cannot have the same number.
        fs::rename(self.at("it's a log"), self.at("elsewhere")).expect("moved");
    }
}
