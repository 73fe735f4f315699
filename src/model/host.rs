//! Hosts: how they are named, reached and described.
//!
//! Names, addresses and users are validated here, once, by the only constructors there are;
//! whatever holds one of these types may put it on a command line of `ssh` or into a message.
//! Reading inventories is left to `config`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::source::SourceSpec;
use super::time::{HostClock, Time};

/// The place of a host in the fleet of this run: an index from 0, in the order of selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

impl HostId {
    /// The host at an index.
    #[must_use]
    pub fn of_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The index as a `usize`, for tables that have a row per host.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why a name, an address or a user is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("{what} is empty")]
    Empty {
        /// "host name", "address" or "user".
        what: &'static str,
    },
    /// It would be read as an option by `ssh`.
    #[error("{what} {given:?} starts with '-', which ssh would take for an option")]
    LeadingDash {
        /// "host name", "address" or "user".
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// A character that has a meaning to a shell or to `ssh`.
    #[error("{what} {given:?} contains {found:?}, which is not allowed")]
    Character {
        /// "host name", "address" or "user".
        what: &'static str,
        /// What was given.
        given: String,
        /// The first character that is refused.
        found: char,
    },
    /// Longer than 255 bytes, the limit of DNS.
    #[error("{what} is longer than {max} bytes")]
    TooLong {
        /// "host name", "address" or "user".
        what: &'static str,
        /// The limit in bytes.
        max: usize,
    },
}

/// DNS allows 253; file systems and `ssh` allow 255. Nobody has a longer one by intent.
const MAX_NAME_BYTES: usize = 255;

/// At least as strict as OpenSSH's `ssh_valid_hostname` and `ssh_valid_ruser` (readconf.c), and
/// applied to values from files too, where OpenSSH checks the command line only. `%` is refused
/// because it starts a token.
fn validate(what: &'static str, given: &str, extra: &str) -> Result<(), NameError> {
    if given.is_empty() {
        return Err(NameError::Empty { what });
    }
    if given.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong {
            what,
            max: MAX_NAME_BYTES,
        });
    }
    if given.starts_with('-') {
        return Err(NameError::LeadingDash {
            what,
            given: given.to_owned(),
        });
    }
    let allowed = |c: char| c.is_alphanumeric() || "._-".contains(c) || extra.contains(c);
    let refused = |c: &char| !allowed(*c) || (*c == '%' && !has_zone(given));
    match given.chars().find(refused) {
        Some(found) => Err(NameError::Character {
            what,
            given: given.to_owned(),
            found,
        }),
        None => Ok(()),
    }
}

/// Whether the `%` of a name begins the zone of an IPv6 address (`fe80::1%eth0`), which is all that
/// it may do. Around the address may be what a target has: a user, brackets, a port.
fn has_zone(given: &str) -> bool {
    let Some((before, zone)) = given.split_once('%') else {
        return false;
    };
    let address = before.rsplit(['@', '[']).next().unwrap_or_default();
    let zone = zone.split(']').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    address.parse::<std::net::Ipv6Addr>().is_ok() && !zone.is_empty() && zone.chars().all(is_name)
}

macro_rules! validated_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $extra:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts letters, digits, `.`, `_`, `-` and the few others this kind of name needs.
            ///
            /// # Errors
            /// When it is empty, too long, starts with `-` or has any other character.
            pub fn new(given: &str) -> Result<Self, NameError> {
                validate($what, given, $extra)?;
                Ok(Self(given.into()))
            }

            /// The name as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

validated_name!(
    /// What a host is called in the inventory, on screen and in JSON. `@` and `:` occur in names of
    /// ad-hoc targets.
    HostName, "host name", "@:[]%"
);
validated_name!(
    /// What is dialled: a DNS name, or an IPv4 or IPv6 address without brackets, the latter perhaps
    /// with its zone (`fe80::1%eth0`). `%` may do nothing else, for `ssh` has tokens that begin with
    /// it.
    Address, "address", ":%"
);

impl Address {
    /// As an option of `ssh` has it, where `%` begins a token.
    #[must_use]
    pub fn without_tokens(&self) -> String {
        self.as_str().replace('%', "%%")
    }

    /// Whether a text is an IP address, an IPv6 address perhaps with its zone.
    #[must_use]
    pub fn is_ip(text: &str) -> bool {
        let bare = if has_zone(text) {
            text.split_once('%').map_or(text, |(bare, _)| bare)
        } else {
            text
        };
        bare.parse::<std::net::IpAddr>().is_ok()
    }
}
validated_name!(
    /// A login on the remote host.
    UserName, "user", "@+"
);

/// What to do with a host key that `known_hosts` does not know. A key that *differs* is always
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostKeyPolicy {
    /// Ask where somebody can answer, refuse elsewhere.
    #[default]
    Strict,
    /// Store it, as OpenSSH's `StrictHostKeyChecking=accept-new`.
    AcceptNew,
}

/// By which road a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TransportKind {
    /// russh, or the system's `ssh` where the user's configuration asks for what russh cannot do.
    #[default]
    Auto,
    /// Always russh.
    Russh,
    /// Always the system's `ssh`.
    System,
    /// No SSH: a child process on this machine.
    Local,
}

/// One SSH server: what must be known to dial it and to log in. `None` means: what `ssh -G` says,
/// then the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What it is called in messages, and the name that `ssh -G` is asked about.
    pub name: HostName,
    /// What is dialled; the name where `None`.
    pub address: Option<Address>,
    /// TCP port; 22 in the end.
    pub port: Option<u16>,
    /// Login; the local user in the end.
    pub user: Option<UserName>,
    /// Private key files, tried in this order; `~` is already expanded. When given, only these are
    /// offered.
    pub identity: Vec<PathBuf>,
    /// Files of known host keys; `~` is already expanded. Empty: the user's and the system's.
    pub known_hosts: Vec<PathBuf>,
    /// What to do with an unknown host key, where the command line or the inventory says it.
    pub host_keys: Option<HostKeyPolicy>,
}

impl Endpoint {
    /// A server known only by its name: the rest is as `ssh` would have it.
    #[must_use]
    pub fn new(name: HostName) -> Self {
        Self {
            name,
            address: None,
            port: None,
            user: None,
            identity: Vec::new(),
            known_hosts: Vec::new(),
            host_keys: None,
        }
    }
}

/// A host of the fleet: how to reach it and what to read there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSpec {
    /// The SSH server itself.
    pub endpoint: Endpoint,
    /// Jump routes, tried in this order until one answers; each is a chain of hops, first hop
    /// first. Empty: direct.
    pub via: Vec<Vec<Endpoint>>,
    /// Free labels, for selection.
    pub tags: Vec<String>,
    /// What to follow; empty: what the host itself has (messages, syslog, the journal).
    pub sources: Vec<SourceSpec>,
    /// By which road.
    pub transport: TransportKind,
}

impl HostSpec {
    /// A host behind this endpoint, reached directly, with the sources that it has itself.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        let via = Vec::new();
        let tags = Vec::new();
        let sources = Vec::new();
        Self {
            endpoint,
            via,
            tags,
            sources,
            transport: TransportKind::Auto,
        }
    }

    /// The name of the host.
    #[must_use]
    pub fn name(&self) -> &HostName {
        &self.endpoint.name
    }
}

/// How a host described itself when it was first asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SystemFacts {
    /// Kernel name in lower case, `linux`.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Machine, `x86_64`.
    pub arch: String,
    /// What the host calls itself.
    pub hostname: String,
    /// Online processors.
    pub cores: u32,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// Seconds since boot when asked.
    pub uptime_s: u64,
    /// Host clock minus our clock, milliseconds; `None` where it could not be measured.
    pub clock_offset_ms: Option<f64>,
    /// Half the round trip plus the resolution of the host's clock: the offset is right to within
    /// this.
    pub clock_error_ms: Option<f64>,
    /// Offset of the host's local time from UTC in seconds, for stamps without a zone.
    pub utc_offset_s: Option<i32>,
    /// The rules of the host's local time as POSIX writes them, `CET-1CEST,M3.5.0,M10.5.0/3`, where
    /// they agree with the offset.
    pub zone: Option<String>,
    /// When the host was started, by its own clock.
    pub booted: Option<Time>,
    /// Why the user's own `ssh` is used for it, where nobody said that it should be.
    pub by_ssh: Option<String>,
    /// Changes with each boot.
    pub boot_id: Option<String>,
}

impl SystemFacts {
    /// What must be known of the host to read its stamps. Where nothing is known its local time is
    /// UTC.
    #[must_use]
    pub fn clock(&self) -> HostClock {
        let fixed = HostClock::fixed(self.utc_offset_s.unwrap_or(0));
        let zone = self
            .zone
            .as_deref()
            .and_then(|rules| TimeZone::posix(rules).ok());
        HostClock {
            zone: zone.unwrap_or(fixed.zone),
            boot: self.booted,
        }
    }
}
