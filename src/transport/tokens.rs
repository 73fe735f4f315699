//! Runs `ssh -G`, and has it expand the paths that it prints as they are written (`%h`, `${HOME}`,
//! `~ann`).
//!
//! No list of tokens is kept here: the `ssh` that is installed expands a path by its own rules when
//! it is given as `ControlPath`, which `-G` prints expanded and takes the same tokens. `resolve`
//! reads the answer.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::process::Command;

use super::noise::{is_echo, is_noise};
use super::openssh::{self, OpenSsh, SshQuestion};
use super::{LinkError, failure};
use crate::model::state::LinkState;

/// `ssh -G` takes 14 ms; more than this is a `Match exec` that hangs.
const TIME: Duration = Duration::from_secs(10);

/// What is said in place of the answer that `ssh` refused to give.
const FORKS: &str = "forkafterauthentication yes\n";

/// Lines of what `ssh` complains of that are told.
const LINES_TOLD: usize = 3;

/// One server about which `ssh -G` is asked, with the option that names a configuration.
pub(super) struct SshQuery {
    pub(super) asked: SshQuestion,
    pub(super) config: Option<String>,
    /// The configuration wants `ssh` in the background, and `ssh -G` answers only where it is told
    /// otherwise.
    forks: AtomicBool,
}

impl SshQuery {
    pub(super) fn new(asked: SshQuestion, config: Option<String>) -> Self {
        Self {
            asked,
            config,
            forks: AtomicBool::new(false),
        }
    }

    /// What `ssh -G` prints, with the user's home as its `controlpath`; `None` where there is no
    /// `ssh`.
    ///
    /// # Errors
    /// When `ssh` refuses the configuration or does not answer in time.
    pub(super) async fn configuration(&self) -> Result<Option<String>, LinkError> {
        let mut printed = self.print("%d").await;
        if printed.as_ref().is_err_and(TokenRefusal::is_of_forking) {
            self.forks.store(true, Ordering::Relaxed);
            printed = self.print("%d").await.map(|text| text + FORKS);
        }
        match printed {
            Ok(text) => Ok(Some(text)),
            Err(TokenRefusal::Missing) => Ok(None),
            Err(refusal) => {
                let name = &self.asked.name;
                let hint = format!("run `ssh -G -- {name}` by hand and mend ~/.ssh/config");
                Err(refusal.explain(
                    &format!("cannot read the OpenSSH configuration for {name}"),
                    hint,
                ))
            }
        }
    }

    /// Expands the tokens of every path that `ssh -G` leaves as it is written.
    ///
    /// # Errors
    /// When a token has no meaning to `ssh`, a variable is not set, or a user is unknown: the path
    /// would be wrong.
    pub(super) async fn expand(&self, said: &mut OpenSsh) -> Result<(), LinkError> {
        for (keyword, paths) in [
            ("IdentityFile", &mut said.identity_files),
            ("CertificateFile", &mut said.certificate_files),
            ("RevokedHostKeys", &mut said.revoked_host_keys),
        ] {
            for path in paths.iter_mut().filter(|path| has_token(path)) {
                // Older versions of OpenSSH take the value of RevokedHostKeys as it is.
                if keyword != "RevokedHostKeys" || !std::path::Path::new(&*path).exists() {
                    *path = self.expanded(keyword, path).await?;
                }
            }
        }
        for path in said
            .global_known_hosts
            .iter_mut()
            .filter(|path| is_of_another_user(path))
        {
            // No tokens here, only the home of a user.
            let (user, rest) = path.split_once('/').unwrap_or((path, ""));
            let home = self.expanded("GlobalKnownHostsFile", user).await?;
            *path = format!("{}/{rest}", home.trim_end_matches('/'));
        }
        Ok(())
    }

    async fn expanded(&self, keyword: &str, path: &str) -> Result<String, LinkError> {
        let refusal = match self.print(path).await {
            Ok(text) => match text
                .lines()
                .find_map(|line| line.strip_prefix("controlpath "))
            {
                Some(found) => return Ok(found.to_owned()),
                None => TokenRefusal::Passing("ssh prints no path".to_owned()),
            },
            Err(refusal) => refusal,
        };
        let hint = match path.contains("${") {
            true => format!(
                "mend {keyword} in ~/.ssh/config, or start this program where the variable is set"
            ),
            false => {
                format!("mend {keyword} in ~/.ssh/config; ssh_config(5) has the tokens it may have")
            }
        };
        Err(refusal.explain(
            &format!("cannot expand {keyword} {path} for {}", self.asked.name),
            hint,
        ))
    }

    /// The output of `ssh -G` with this as its `ControlPath`, which is not used otherwise.
    async fn print(&self, path: &str) -> Result<String, TokenRefusal> {
        let SshQuestion {
            name,
            user,
            port,
            address,
        } = &self.asked;
        let does_not_fork = "-oForkAfterAuthentication=no";
        let forks = self.forks.load(Ordering::Relaxed);
        let mut command = Command::new("ssh");
        command
            .arg("-G")
            .args(&self.config)
            .args(forks.then_some(does_not_fork))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command.arg(format!("-oControlPath={}", quoted(path)));
        if let Some(address) = address {
            command.args(openssh::at_address(address));
        }
        if let Some(user) = user {
            command.args(["-l", user]);
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        // `--`: a name is never an option, whatever it looks like.
        command.args(["--", name]);
        match tokio::time::timeout(TIME, command.output()).await {
            Ok(Ok(output)) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(Ok(output)) => Err(TokenRefusal::Words(complaint(&String::from_utf8_lossy(
                &output.stderr,
            )))),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(TokenRefusal::Missing)
            }
            Ok(Err(error)) => Err(TokenRefusal::Passing(error.to_string())),
            Err(_) => Err(TokenRefusal::Passing("no answer in 10 s".to_owned())),
        }
    }
}

enum TokenRefusal {
    /// There is no `ssh`.
    Missing,
    /// What it says is wrong: that is so until a person mends it.
    Words(String),
    /// It could not be asked this time, and why.
    Passing(String),
}

impl TokenRefusal {
    /// `ForkAfterAuthentication yes`, which is for a command on the command line.
    fn is_of_forking(&self) -> bool {
        matches!(self, Self::Words(why) if why.contains("fork into background"))
    }

    fn explain(self, what: &str, hint: String) -> LinkError {
        match self {
            Self::Words(why) => failure::denied(format!("{what}: {why}"), hint),
            Self::Passing(why) => {
                LinkError::new(LinkState::Unreachable, format!("{what}: {why}"), hint).passing()
            }
            Self::Missing => {
                let why = format!("{what}: ssh is not installed any more");
                LinkError::new(LinkState::Unreachable, why, hint)
            }
        }
    }
}

/// True where a path is not what it says: a token, a variable, or the home of another user.
fn has_token(path: &str) -> bool {
    path.contains('%') || path.contains("${") || is_of_another_user(path)
}

fn is_of_another_user(path: &str) -> bool {
    path.starts_with('~') && !path.starts_with("~/")
}

/// A value as a line of `ssh_config` has it.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of `ssh` in one line, without the names of its functions.
fn complaint(words: &str) -> String {
    let lines = words.lines().map(|line| match line.split_once(": ") {
        Some((function, rest)) if function.contains('_') && !function.contains([' ', '/']) => {
            rest.trim()
        }
        _ => line.trim(),
    });
    let (echoes, told): (Vec<&str>, Vec<&str>) = lines
        .filter(|line| !is_noise(line))
        .partition(|line| is_echo(line));
    let told = if told.is_empty() { echoes } else { told };
    let told: Vec<&str> = told.into_iter().take(LINES_TOLD).collect();
    if told.is_empty() {
        "it gives no reason".to_owned()
    } else {
        told.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_what_it_says_costs_no_run_of_ssh() {
        assert!(
            ["/keys/%h", "${HOME}/key", "~ann/key", "~", "/100%"]
                .into_iter()
                .all(has_token)
        );
        assert!(
            !["~/.ssh/id_rsa", "/keys/a b", "/keys/$x", "none"]
                .into_iter()
                .any(has_token)
        );
    }

    #[test]
    fn what_ssh_complains_of_names_the_token() {
        assert_eq!(
            complaint(
                "vdollar_percent_expand: unknown key %q\r\npercent_dollar_expand: failed\r\n"
            ),
            "unknown key %q"
        );
        assert_eq!(
            complaint("/home/a_b/config: line 1: Bad\n"),
            "/home/a_b/config: line 1: Bad"
        );
        assert_eq!(complaint(""), "it gives no reason");
        assert_eq!(
            complaint(
                "Pseudo-terminal will not be allocated because stdin is not a terminal.\r\nvdollar_percent_expand: env var \
                 ${KEYS} has no value\r\ninvalid environment variable expansion\r\n"
            ),
            "env var ${KEYS} has no value"
        );
        assert_eq!(
            complaint("Pseudo-terminal will not be allocated\nfailed\n"),
            "failed"
        );
    }

    #[test]
    fn quotes_and_backslashes_of_a_path_reach_ssh_as_they_are() {
        assert_eq!(quoted("/a b\"c\\d"), "\"/a b\\\"c\\\\d\"");
    }
}
