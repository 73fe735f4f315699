//! What may not be read or entered, and what can be done about it.

/// A file that we may not read, or a folder that we may not enter or list, as the host's `ls`
/// describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionBlock {
    path: String,
    /// `-rw-r-----`; empty where the host cannot tell.
    mode: String,
    owner: String,
    group: String,
}

impl PermissionBlock {
    /// Takes in what `whose` of the script prints: a line of `ls -l`, and on the next the path.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let (line, path) = text.split_once('\n').unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        let [mode, _, owner, group] = words[..] else {
            return Self {
                path: path.to_owned(),
                ..Self::default()
            };
        };
        Self {
            path: path.to_owned(),
            mode: mode.to_owned(),
            owner: owner.to_owned(),
            group: group.to_owned(),
        }
    }

    /// Why a source that needs it brings nothing, and what can be done for `login`: a user and its
    /// groups.
    #[must_use]
    pub fn told(&self, login: &str) -> (String, String) {
        let user = login.split(' ').next().unwrap_or_default();
        let (what, act, bits) = if self.is_folder() {
            (format!("folder {} ", self.path), "enter and list", "rx")
        } else {
            (String::new(), "read", "r")
        };
        let is_member = |group: &str| login.split(' ').skip(1).any(|own| own == group);
        if let Some(group) = self.group_that_may().filter(|group| !is_member(group)) {
            let reason = format!("permission denied: {what}needs group {group}");
            let hint = format!(
                "let {user} in: usermod -aG {group} {user} there, then reconnect; or give the source become = \"sudo\""
            );
            return (reason, hint);
        }
        let hint = format!(
            "let {user} {act} it, for instance with setfacl -m u:{user}:{bits}; or give the source become = \"sudo\""
        );
        if self.mode.is_empty() {
            return ("permission denied".to_owned(), hint);
        }
        let state = if self.has(2) {
            format!("is open by its mode {}", self.mode)
        } else if self.has(0) && !self.has(1) {
            format!("is for {} only", self.owner)
        } else {
            format!("has mode {}, of {}:{}", self.mode, self.owner, self.group)
        };
        (format!("permission denied: {what}{state}"), hint)
    }

    fn is_folder(&self) -> bool {
        self.mode.starts_with('d')
    }

    /// Whether owner (0), group (1) or others (2) may do with it what is needed.
    fn has(&self, class: usize) -> bool {
        let bits = self
            .mode
            .as_bytes()
            .get(1 + 3 * class..4 + 3 * class)
            .unwrap_or_default();
        let is_in = |wanted: &[u8]| bits.iter().any(|bit| wanted.contains(bit));
        is_in(b"r") && (!self.is_folder() || is_in(b"xst"))
    }

    /// A group that may, of which a login can be a member: nobody should be one of root's for a
    /// log.
    fn group_that_may(&self) -> Option<&str> {
        (self.has(1) && self.group != "root").then_some(&*self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ls: &str, path: &str, login: &str) -> (String, String) {
        PermissionBlock::parse(format!("{ls} 1 2026 {path}\n{path}").as_bytes()).told(login)
    }

    #[test]
    fn the_reason_names_who_may_and_the_hint_what_to_do() {
        let (log, folder) = ("/var/log/syslog", "/var/log/audit");
        for (ls, path, login, reason, hint) in [
            (
                "-rw-r----- 1 root adm 12 Nov",
                log,
                "ops ops",
                "needs group adm",
                "usermod -aG adm ops",
            ),
            (
                "-rw-r----- 1 root adm 12 Nov",
                log,
                "ops ops adm",
                "has mode -rw-r-----, of root:adm",
                "u:ops:r;",
            ),
            (
                "-rw-r----- 1 root root 12 Nov",
                log,
                "ops ops",
                "has mode -rw-r-----, of root:root",
                "u:ops:r;",
            ),
            (
                "-rw------- 1 root root 12 Nov",
                log,
                "ops ops",
                "is for root only",
                "u:ops:r;",
            ),
            (
                "---------- 1 ops ops 12 Nov",
                log,
                "ops ops",
                "has mode ----------, of ops:ops",
                "u:ops:r;",
            ),
            (
                "-rw-r--r-- 1 root root 12 Nov",
                log,
                "ops ops",
                "is open by its mode -rw-r--r--",
                "u:ops:r;",
            ),
            (
                "drwxr-x--- 2 root log 12 Nov",
                folder,
                "ops",
                "folder /var/log/audit needs group log",
                "-aG log ops",
            ),
            (
                "drwxr-s--- 2 root log 12 Nov",
                folder,
                "ops",
                "folder /var/log/audit needs group log",
                "-aG log ops",
            ),
            (
                "drwx------ 2 root root 12 Nov",
                folder,
                "ops",
                "folder /var/log/audit is for root only",
                "u:ops:rx;",
            ),
        ] {
            let (why, what) = told(ls, path, login);
            assert_eq!(why, format!("permission denied: {reason}"));
            assert!(
                what.contains(hint) && what.contains("become = \"sudo\""),
                "{ls}: {what}"
            );
        }
    }

    #[test]
    fn a_host_whose_ls_says_nothing_or_nonsense_has_a_reason_too() {
        for text in ["", "\n/l/a", "ls: what?\n/l/a", "-\n", "-r x y z\n/l"] {
            let (why, hint) = PermissionBlock::parse(text.as_bytes()).told("ops ops");
            assert!(why.starts_with("permission denied"), "{text:?}: {why}");
            assert!(hint.contains("become = \"sudo\""), "{text:?}: {hint}");
        }
    }
}
