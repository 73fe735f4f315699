//! Sources: one logical log on one host.

use std::fmt;
use std::sync::Arc;

use super::braces::has_alternatives;

/// The place of a source in the fleet of this run: an index from 0, in order of discovery, never
/// reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

impl SourceId {
    /// The source at an index.
    #[must_use]
    pub fn of_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The index as a `usize`, for tables that have a row per source.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where the bytes of a source come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A file, or every file that a pattern (`*`, `?`, `[…]`, `{a,b}`, `**`) matches; absolute, as
    /// the host spells it.
    Path(String),
    /// A unit of the journal (`nginx.service`), or the whole journal where `None`.
    Journal(Option<String>),
    /// Containers of docker or podman.
    Container(ContainerSelector),
    /// Containers of pods, by the host's `kubectl`.
    Pod(PodSelector),
    /// What a program prints, and its arguments; only ever from the inventory.
    Command(Vec<String>),
    /// Standard input of the console.
    Input,
}

/// Containers of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContainerSelector {
    /// Whose they are; `None`: docker's where it is installed, then podman's.
    pub engine: Option<ContainerEngine>,
    /// A name, or a pattern over names.
    pub name: String,
}

/// What runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContainerEngine {
    /// Docker.
    Docker,
    /// Podman, which has the same command line.
    Podman,
}

impl ContainerEngine {
    /// The program.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// Containers of pods.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodSelector {
    /// `*` for all; `None`: the one that the host's kubectl is set to.
    pub namespace: Option<String>,
    /// A name, or a pattern over names.
    pub name: String,
    /// A name or pattern over the names of its containers; `None`: all of them.
    pub container: Option<String>,
}

impl SourceKind {
    /// True where it is a pattern that may match several files, containers or pods.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        let is_pattern = |name: &str| name.contains(['*', '?', '[']);
        match self {
            Self::Path(path) => is_pattern(path) || has_alternatives(path),
            Self::Container(container) => is_pattern(&container.name),
            // Without a container named, it is each of the pod's.
            Self::Pod(pod) => {
                let parts = [
                    pod.namespace.as_deref(),
                    Some(&pod.name),
                    Some(pod.container.as_deref().unwrap_or("*")),
                ];
                parts.into_iter().flatten().any(is_pattern)
            }
            Self::Journal(_) | Self::Command(_) | Self::Input => false,
        }
    }
}

/// What tells it from the others of its host: a path, `journal:nginx.service`,
/// `container:shop-web`, `pod:shop/web-*`.
impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Journal(unit) => write!(f, "journal:{}", unit.as_deref().unwrap_or("all")),
            Self::Container(ContainerSelector { engine, name }) => {
                write!(
                    f,
                    "{}:{name}",
                    engine.map_or("container", ContainerEngine::as_str)
                )
            }
            Self::Pod(PodSelector {
                namespace,
                name,
                container,
            }) => {
                f.write_str("pod:")?;
                if let Some(namespace) = namespace {
                    write!(f, "{namespace}/")?;
                }
                f.write_str(name)?;
                container
                    .iter()
                    .try_for_each(|container| write!(f, "/{container}"))
            }
            Self::Command(words) => write!(f, "command:{}", words.join(" ")),
            Self::Input => f.write_str("stdin"),
        }
    }
}

/// A source as the inventory asks for it. A pattern becomes one source for each file it matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceSpec {
    /// What it is called; derived from the path or unit where the inventory gives no name.
    pub name: String,
    /// Where its bytes come from.
    pub kind: SourceKind,
    /// Name of the format of its stamps, or `None` to detect it.
    pub time: Option<String>,
    /// Name of the encoding of its text; `None` where it is UTF-8, or UTF-16, which is detected.
    pub encoding: Option<String>,
    /// To be read as root, by `sudo -n`.
    pub as_root: bool,
    /// The folder in which its rotated files are, where it is another one that does not say so by
    /// its name: absolute, or beside the log.
    pub archive: Option<String>,
}

/// A source that exists, as the screen and the JSON show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Its name; unique on its host.
    pub name: Arc<str>,
    /// The file's path as the host spells it (any bytes, shown lossily), or what [`SourceKind`]
    /// prints.
    pub path: Arc<str>,
    /// Why nothing comes from it at present (missing, permission denied), or `None` while it is
    /// read.
    pub problem: Option<String>,
    /// The format of its lines' stamps, [`NO_STAMPS`] or [`UNKNOWN_ZONE`] where they cannot be read;
    /// `None` while no line has come.
    pub stamps: Option<&'static str>,
}

/// Lines have the time of their arrival.
pub const NO_STAMPS: &str = "none";

/// The same, for their stamps name a zone with several meanings, or one that is not known: nobody
/// can tell when they were.
pub const UNKNOWN_ZONE: &str = "unknown-zone";
