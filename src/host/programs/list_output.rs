//! What engines and kubectl say there is, and which of it a source means.

use std::time::Duration;

use globset::{Glob, GlobMatcher};

use super::argv::PodContainer;
use crate::host::problems::Problem;
use crate::model::source::{ContainerEngine, ContainerSelector, PodSelector, SourceKind};

/// A container that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContainerTarget {
    /// Which of those that had this name one after another.
    pub(super) instance: String,
    pub(super) at: ContainerLog,
    /// How often it was started again.
    pub(super) restarts: u32,
    pub(super) state: ContainerState,
    /// How long ago it ended, where that was less than a minute ago: then engines say it to the
    /// second.
    pub(super) ended: Option<Duration>,
}

/// Of whom it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContainerLog {
    Engine(ContainerEngine, String),
    Pod(PodContainer),
}

/// Whether anything is to be expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContainerState {
    Running,
    /// It has ended, and how; its lines can still be read.
    Ended(String),
    /// There is none.
    Gone(Problem),
    /// Nobody knows.
    Unknown(Problem),
}

impl ContainerTarget {
    /// What tells it from the others of its host.
    pub(super) fn label(&self) -> String {
        match &self.at {
            ContainerLog::Engine(engine, id) => {
                format!("{}:{}", engine.as_str(), &id[..id.len().min(12)])
            }
            ContainerLog::Pod(of) => format!("pod:{}/{}/{}", of.namespace, of.pod, of.container),
        }
    }
}

/// The containers that a source means, by the name that tells them apart within the source.
pub(super) struct WantedContainers {
    kind: SourceKind,
    name: GlobMatcher,
    container: Option<GlobMatcher>,
}

impl WantedContainers {
    /// For a source of containers; `None` for any other.
    pub(super) fn new(kind: &SourceKind) -> Option<Self> {
        // Patterns were checked where the inventory was read.
        let glob = |pattern: &str| Glob::new(pattern).ok().map(|glob| glob.compile_matcher());
        let (name, container) = match kind {
            SourceKind::Container(ContainerSelector { name, .. }) => (glob(name)?, None),
            SourceKind::Pod(PodSelector {
                name, container, ..
            }) => (glob(name)?, container.as_deref().and_then(glob)),
            _ => return None,
        };
        Some(Self {
            kind: kind.clone(),
            name,
            container,
        })
    }

    /// Those that a listing has.
    pub(super) fn found(
        &self,
        engine: ContainerEngine,
        listing: &[String],
    ) -> Vec<(String, ContainerTarget)> {
        match self.kind {
            SourceKind::Pod(_) => listing
                .iter()
                .filter_map(|line| pod(line))
                .flat_map(|pod| self.of_pod(&pod))
                .collect(),
            _ => listing
                .iter()
                .filter_map(|line| self.container(engine, line))
                .collect(),
        }
    }

    fn container(&self, engine: ContainerEngine, line: &str) -> Option<(String, ContainerTarget)> {
        let mut parts = line.split('\t');
        let (id, names, status) = (parts.next()?, parts.next()?, parts.next()?);
        // Docker lists the names by which others know it, too: "web,shop/web".
        let name = names.split(',').find(|name| !name.contains('/'))?;
        let is_id = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id || !self.name.is_match(name) {
            return None;
        }
        let is_up = status.starts_with("Up");
        let target = ContainerTarget {
            instance: id.to_owned(),
            at: ContainerLog::Engine(engine, id.to_owned()),
            restarts: 0,
            state: if is_up {
                ContainerState::Running
            } else {
                ContainerState::Ended(ended(status))
            },
            ended: if is_up { None } else { seconds_ago(status) },
        };
        Some((name.to_owned(), target))
    }

    fn of_pod(&self, pod: &PodRow<'_>) -> Vec<(String, ContainerTarget)> {
        if !self.name.is_match(pod.name) {
            return Vec::new();
        }
        let is_wanted = |row: &&ContainerRow<'_>| {
            let container = self.container.as_ref();
            container.is_none_or(|container| container.is_match(row.name))
        };
        let rows = pod.containers.iter().filter(is_wanted);
        rows.map(|row| (self.name_in(pod, row), pod.target(row)))
            .collect()
    }

    /// What tells a container of a pod from the others of this source.
    fn name_in(&self, pod: &PodRow<'_>, row: &ContainerRow<'_>) -> String {
        let mut name = pod.name.to_owned();
        if matches!(&self.kind, SourceKind::Pod(pod) if pod.namespace.as_deref() == Some("*")) {
            name = format!("{}/{name}", pod.namespace);
        }
        if pod.is_of_many(row) {
            name = format!("{name}/{}", row.name);
        }
        name
    }
}

/// `Exited (137) 5 minutes ago` without the time, which changes.
fn ended(status: &str) -> String {
    match (status.strip_prefix("Exited ("), status.split_once(')')) {
        (Some(rest), _) => format!(
            "exited with code {}",
            rest.split(')').next().unwrap_or_default()
        ),
        (None, Some((state, _))) => format!("{})", state.to_lowercase()),
        (None, None) => status.to_lowercase(),
    }
}

/// How long ago that was; `None` for a minute or more.
fn seconds_ago(status: &str) -> Option<Duration> {
    let ago = status.split_once(") ").map_or(status, |(_, ago)| ago);
    let words: Vec<&str> = ago.split_whitespace().collect();
    match words[..] {
        ["Less", "than", "a", "second", "ago"] => Some(Duration::ZERO),
        [count, "second" | "seconds", "ago"] => count.parse().ok().map(Duration::from_secs),
        _ => None,
    }
}

struct PodRow<'a> {
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    phase: &'a str,
    containers: Vec<ContainerRow<'a>>,
}

struct ContainerRow<'a> {
    name: &'a str,
    restarts: u32,
    kind: ObjectKind,
}

/// When a container of a pod runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ObjectKind {
    Main,
    /// An init container: to its end, before the main ones.
    Before,
    /// An init container that goes on: a sidecar.
    Beside,
}

impl PodRow<'_> {
    fn target(&self, row: &ContainerRow<'_>) -> ContainerTarget {
        ContainerTarget {
            instance: self.uid.to_owned(),
            at: ContainerLog::Pod(PodContainer {
                namespace: self.namespace.to_owned(),
                pod: self.name.to_owned(),
                container: row.name.to_owned(),
            }),
            restarts: row.restarts,
            state: self.state(row),
            ended: None,
        }
    }

    fn state(&self, row: &ContainerRow<'_>) -> ContainerState {
        match (self.phase, row.kind) {
            ("Running" | "Unknown", ObjectKind::Before) => {
                ContainerState::Ended("it ran before the others".to_owned())
            }
            ("Running" | "Unknown", _) | ("Pending", ObjectKind::Before | ObjectKind::Beside) => {
                ContainerState::Running
            }
            (phase, _) => ContainerState::Ended(format!("the pod is {}", phase.to_lowercase())),
        }
    }

    /// Whether the name of the pod alone does not say which container is meant.
    fn is_of_many(&self, row: &ContainerRow<'_>) -> bool {
        row.kind != ObjectKind::Main
            || self
                .containers
                .iter()
                .filter(|row| row.kind == ObjectKind::Main)
                .count()
                > 1
    }
}

/// `NAMESPACE NAME UID PHASE container,container 0,2 init,init 0,0 init`; `<none>` where there are
/// no containers yet.
fn pod(line: &str) -> Option<PodRow<'_>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [
        namespace,
        name,
        uid,
        phase,
        main,
        restarts,
        init,
        init_restarts,
        beside,
    ] = words[..]
    else {
        return None;
    };
    let kind = |name: &str| {
        if beside.split(',').any(|it| it == name) {
            ObjectKind::Beside
        } else {
            ObjectKind::Before
        }
    };
    let containers = rows(main, restarts, |_| ObjectKind::Main)
        .chain(rows(init, init_restarts, kind))
        .collect();
    // They become words of a command line: whatever is said here, none may be taken for an option.
    let is_name = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            && !text.starts_with('-')
    };
    [namespace, name]
        .into_iter()
        .all(is_name)
        .then_some(PodRow {
            namespace,
            name,
            uid,
            phase,
            containers,
        })
}

fn rows<'a>(
    names: &'a str,
    restarts: &'a str,
    kind: impl Fn(&str) -> ObjectKind,
) -> impl Iterator<Item = ContainerRow<'a>> {
    let mut restarts = restarts.split(',').map(|count| count.parse().unwrap_or(0));
    let names = names.split(',').filter(|name| *name != "<none>");
    names.map(move |name| ContainerRow {
        name,
        restarts: restarts.next().unwrap_or(0),
        kind: kind(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef";

    fn found(kind: SourceKind, listing: &[String]) -> Vec<(String, u32, ContainerState)> {
        let wanted = WantedContainers::new(&kind).expect("a source of containers");
        let found = wanted.found(ContainerEngine::Docker, listing);
        found
            .into_iter()
            .map(|(name, target)| (name, target.restarts, target.state))
            .collect()
    }

    #[test]
    fn containers_are_found_by_name_or_pattern_with_their_state() {
        let listing = [
            format!("{ID}\tshop-web,shop-proxy/web\tUp 3 minutes (healthy)"),
            format!("{ID}\tshop-db\tExited (137) 2 hours ago"),
            format!("{ID}\tshop-new\tCreated"),
            format!("{ID}\tother\tUp 3 minutes"),
            "WARNING: something of no interest".to_owned(),
            "-f\tshop-bad\tUp".to_owned(),
        ];
        let kind = |name: &str| {
            SourceKind::Container(ContainerSelector {
                engine: None,
                name: name.to_owned(),
            })
        };
        let ended = |why: &str| ContainerState::Ended(why.to_owned());
        assert_eq!(
            found(kind("shop-*"), &listing),
            [
                ("shop-web".to_owned(), 0, ContainerState::Running),
                ("shop-db".to_owned(), 0, ended("exited with code 137")),
                ("shop-new".to_owned(), 0, ended("created")),
            ]
        );
        assert_eq!(
            found(kind("other"), &listing),
            [("other".to_owned(), 0, ContainerState::Running)]
        );
        assert_eq!(found(kind("othe"), &listing), []);
    }

    #[test]
    fn when_a_container_ended_is_known_to_the_second_for_a_minute() {
        for (status, expect) in [
            ("Exited (0) Less than a second ago", Some(0)),
            ("Restarting (1) 1 second ago", Some(1)),
            ("Exited (137) 59 seconds ago", Some(59)),
            ("Exited (0) About a minute ago", None),
            ("Exited (0) 2 minutes ago", None),
            ("Created", None),
        ] {
            assert_eq!(
                seconds_ago(status),
                expect.map(Duration::from_secs),
                "{status}"
            );
        }
    }

    #[test]
    fn containers_of_pods_are_found_with_how_often_they_were_started_again() {
        let listing: Vec<String> = [
            "shop   web-0     u-1   Running     app,proxy   2,0      migrate,mesh   0,3      mesh",
            "shop   web-1     u-2   Succeeded   app         0        <none>         <none>   <none>",
            "shop   web-2     u-3   Pending     <none>      <none>   <none>         <none>   <none>",
            "shop   web-3     u-5   Pending     app         0        migrate        4        <none>",
            "shop   db-0      u-4   Running     pg          1        <none>         <none>   <none>",
            "No resources found in shop namespace.",
        ]
        .map(str::to_owned)
        .into();
        let kind = |namespace: Option<&str>, container: Option<&str>| {
            let (namespace, container) =
                (namespace.map(str::to_owned), container.map(str::to_owned));
            SourceKind::Pod(PodSelector {
                namespace,
                name: "web-*".to_owned(),
                container,
            })
        };
        let over = ContainerState::Ended("the pod is succeeded".to_owned());
        let before = ContainerState::Ended("it ran before the others".to_owned());
        let pending = ContainerState::Ended("the pod is pending".to_owned());
        assert_eq!(
            found(kind(None, None), &listing),
            [
                ("web-0/app".to_owned(), 2, ContainerState::Running),
                ("web-0/proxy".to_owned(), 0, ContainerState::Running),
                ("web-0/migrate".to_owned(), 0, before),
                ("web-0/mesh".to_owned(), 3, ContainerState::Running),
                ("web-1".to_owned(), 0, over.clone()),
                ("web-3".to_owned(), 0, pending.clone()),
                ("web-3/migrate".to_owned(), 4, ContainerState::Running),
            ]
        );
        assert_eq!(
            found(kind(Some("*"), Some("a??")), &listing),
            [
                ("shop/web-0/app".to_owned(), 2, ContainerState::Running),
                ("shop/web-1".to_owned(), 0, over),
                ("shop/web-3".to_owned(), 0, pending)
            ]
        );
    }
}
