//! The real `logrotate`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sshd::Sshd;
use super::{program, run};

/// The rules of a rotation by the real logrotate, to be run at once.
pub(crate) fn logrotate(sshd: &Sshd, log: &Path, how: &str) -> impl Fn() + use<> {
    let (rules, kept) = (sshd.path("rotate.conf"), sshd.path("rotate.state"));
    let reopen = sshd.path("reopen");
    let text = format!(
        "{} {{\n rotate 50\n nocompress\n {how}\n postrotate\n touch {}\n endscript\n}}\n",
        log.display(),
        reopen.display()
    );
    fs::write(&rules, text).expect("write the rules");
    move || {
        drop(run(Command::new(program("logrotate"))
            .arg("--force")
            .arg("--state")
            .arg(&kept)
            .arg(&rules)));
    }
}
