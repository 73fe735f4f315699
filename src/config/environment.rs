//! What surrounds the process, as far as the configuration looks at it, as a value: tests make
//! their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use directories::BaseDirs;
use jiff::tz::TimeZone;

use crate::clock;
use crate::query::ReferenceTime;

/// Variables and folders.
#[derive(Debug, Clone, Default)]
pub struct ProcessEnvironment {
    /// `LOGTRAIL_HOSTS`, `LOGTRAIL_LOG`, `NO_COLOR`: those that are set.
    pub variables: BTreeMap<&'static str, std::ffi::OsString>,
    /// The user's home, for `~`.
    pub home: Option<PathBuf>,
    /// Where the user's configuration files are: `~/.config` on Linux.
    pub config_dir: Option<PathBuf>,
    /// What times in a query are relative to.
    pub now: ReferenceTime,
}

/// The variables that have a meaning here.
const VARIABLES: [&str; 3] = ["LOGTRAIL_HOSTS", "LOGTRAIL_LOG", "NO_COLOR"];

impl ProcessEnvironment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let folders = BaseDirs::new();
        Self {
            variables: VARIABLES
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?)))
                .collect(),
            home: folders
                .as_ref()
                .map(|folders| folders.home_dir().to_owned()),
            config_dir: folders
                .as_ref()
                .map(|folders| folders.config_dir().to_owned()),
            now: ReferenceTime {
                time: clock::now(),
                zone: TimeZone::system(),
            },
        }
    }

    /// A variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&std::ffi::OsStr> {
        self.variables
            .get(name)
            .map(std::ffi::OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// A path of a file on this machine: `~` is the home, and a relative path starts at `base`.
    pub(super) fn expand(&self, path: &str, base: &Path) -> Result<PathBuf, String> {
        if path.is_empty() {
            return Err("a path is empty".to_owned());
        }
        if let Some(rest) = path.strip_prefix('~') {
            let home = self
                .home
                .as_ref()
                .ok_or("there is no home folder for '~'")?;
            return match rest.strip_prefix('/') {
                Some(rest) => Ok(home.join(rest)),
                None if rest.is_empty() => Ok(home.clone()),
                None => Err(format!(
                    "{path:?}: only '~' and '~/…' are expanded, not the home of another user"
                )),
            };
        }
        Ok(base.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_and_a_relative_path_starts_at_the_base() {
        let env = ProcessEnvironment {
            home: Some("/home/ann".into()),
            ..ProcessEnvironment::default()
        };
        let expand = |path| {
            env.expand(path, Path::new("/etc/lt"))
                .map(|path| path.display().to_string())
        };
        assert_eq!(expand("~/.ssh/id"), Ok("/home/ann/.ssh/id".to_owned()));
        assert_eq!(expand("~"), Ok("/home/ann".to_owned()));
        assert_eq!(expand("keys/id"), Ok("/etc/lt/keys/id".to_owned()));
        assert_eq!(expand("/k"), Ok("/k".to_owned()));
        assert!(expand("~bob/id").is_err());
        assert!(expand("").is_err());
    }
}
