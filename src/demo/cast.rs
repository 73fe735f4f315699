//! The cast: the hosts of a demo fleet, their roles, and the log files each of them writes.

use std::path::{Path, PathBuf};

/// Hosts of a demo fleet where no size is asked for: every role, and one screen shows them all.
pub const DEFAULT_SIZE: u16 = 6;

/// Most hosts of a demo fleet: beyond it the machine would be busy with its own handshakes.
pub const MAX_SIZE: u16 = 200;

/// The only login that is let in.
pub(super) const USER: &str = "demo";

/// The hosts, in the order in which they are shown.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) members: Vec<CastMember>,
}

/// One host.
#[derive(Debug, Clone)]
pub(super) struct CastMember {
    pub(super) name: String,
    pub(super) role: HostRole,
    pub(super) files: Vec<DemoLog>,
}

impl CastMember {
    fn new(role: HostRole, number: usize) -> Self {
        let by_size = |&form| DemoLog {
            form,
            rotation: FileRotation::BySize,
        };
        Self {
            name: format!("{}-{number}", role.as_str()),
            role,
            files: role.forms().iter().map(by_size).collect(),
        }
    }

    /// Where a log of this host is in the folder of the demo.
    pub(super) fn log_path(&self, folder: &Path, file: &DemoLog) -> PathBuf {
        folder.join(&self.name).join(file.form.file_name())
    }
}

/// What a host does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostRole {
    /// Reverse proxy.
    Web,
    /// Application server behind it.
    Api,
    /// Database.
    Db,
    /// Background jobs.
    Worker,
}

/// One log file of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DemoLog {
    pub(super) form: LineForm,
    pub(super) rotation: FileRotation,
}

/// How the lines of a file look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineForm {
    /// nginx: combined, then request time and id.
    Access,
    /// nginx: its error log.
    ProxyError,
    /// JSON lines.
    AppJson,
    /// A Java service, with stack traces.
    Service,
    /// A database server.
    Database,
    /// A Python worker, with tracebacks.
    Worker,
    /// RFC 3164.
    Syslog,
}

/// What happens to a file as it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileRotation {
    /// Only once it has reached its share of the disk budget.
    BySize,
    /// As `logrotate` with `create` and `rotate 3` would, four times a minute.
    Often,
}

impl HostRole {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Db => "db",
            Self::Worker => "worker",
        }
    }

    fn forms(self) -> &'static [LineForm] {
        match self {
            Self::Web => &[LineForm::Access, LineForm::ProxyError, LineForm::Syslog],
            Self::Api => &[LineForm::AppJson, LineForm::Service, LineForm::Syslog],
            Self::Db => &[LineForm::Database, LineForm::Syslog],
            Self::Worker => &[LineForm::Worker, LineForm::AppJson, LineForm::Syslog],
        }
    }
}

impl LineForm {
    /// What the source is called in the inventory.
    pub(super) fn source_name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::ProxyError => "error",
            Self::AppJson => "app",
            Self::Service => "orders",
            Self::Database => "database",
            Self::Worker => "worker",
            Self::Syslog => "syslog",
        }
    }

    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Access => "access.log",
            Self::ProxyError => "error.log",
            Self::AppJson => "app.jsonl",
            Self::Service => "orders.log",
            Self::Database => "database.log",
            Self::Worker => "worker.log",
            Self::Syslog => "syslog",
        }
    }
}

/// Roles are given out in this order over and over: one host is a proxy, three are a whole path,
/// six the default.
const ORDER: [HostRole; 6] = [
    HostRole::Web,
    HostRole::Api,
    HostRole::Db,
    HostRole::Web,
    HostRole::Api,
    HostRole::Worker,
];

impl Cast {
    pub(super) fn new(size: usize) -> Self {
        let mut roles: Vec<HostRole> = ORDER.iter().copied().cycle().take(size).collect();
        roles.sort();
        let mut members: Vec<CastMember> = Vec::with_capacity(size);
        for role in roles {
            let number = members.iter().filter(|member| member.role == role).count() + 1;
            members.push(CastMember::new(role, number));
        }
        let mut webs = members
            .iter_mut()
            .filter(|member| member.role == HostRole::Web);
        if let Some(access) = webs.next_back().and_then(|web| web.files.first_mut()) {
            access.rotation = FileRotation::Often;
        }
        Self { members }
    }

    /// True for the one host that loses its connections now and then; a fleet of one is spared.
    pub(super) fn drops_connections(&self, index: usize) -> bool {
        self.members.len() > 1 && index + 1 == self.members.len()
    }

    /// How many files all hosts have together.
    pub(super) fn files(&self) -> usize {
        self.members.iter().map(|member| member.files.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(size: usize) -> String {
        let cast = Cast::new(size);
        cast.members
            .iter()
            .map(|member| member.name.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_size_has_the_roles_it_has_room_for() {
        assert_eq!(names(1), "web-1");
        assert_eq!(names(3), "web-1 api-1 db-1");
        assert_eq!(names(6), "web-1 web-2 api-1 api-2 db-1 worker-1");
    }

    #[test]
    fn exactly_one_file_rotates_often() {
        for size in [1, 6, 200] {
            let cast = Cast::new(size);
            let files = cast.members.iter().flat_map(|member| &member.files);
            assert_eq!(
                files
                    .filter(|file| file.rotation == FileRotation::Often)
                    .count(),
                1,
                "size {size}"
            );
        }
    }
}
