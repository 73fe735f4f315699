//! The programs that have logs, and the few options with which we call them: nothing else is ever
//! run on a host, but for commands of the inventory. No option of these writes anything.

use jiff::Timestamp;

use crate::model::source::{ContainerEngine, PodSelector};

/// A program and its arguments.
pub(super) type CommandLine = Vec<String>;

/// From where on lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StartFrom<'a> {
    /// The last so many.
    Last(u32),
    /// All there are.
    Oldest,
    /// Nanoseconds since 1970.
    Time(i64),
    /// After the record that the journal calls so.
    Cursor(&'a str),
}

/// Says what keeps it from being read, and nothing of the journal.
pub(super) fn journal_check() -> CommandLine {
    words(&["journalctl", "--no-pager", "--lines=0"])
}

/// Records of the journal, as JSON.
pub(super) fn journal(unit: Option<&str>, from: &StartFrom<'_>, follow: bool) -> CommandLine {
    let mut out = words(&[
        "journalctl",
        "--no-pager",
        "--quiet",
        "--all",
        "--output=json",
    ]);
    out.extend(unit.map(|unit| format!("--unit={unit}")));
    match from {
        StartFrom::Last(lines) => out.push(format!("--lines={lines}")),
        StartFrom::Oldest => out.push("--lines=all".to_owned()),
        StartFrom::Cursor(cursor) => {
            out.extend([format!("--after-cursor={cursor}"), "--lines=all".to_owned()]);
        }
        StartFrom::Time(at) => {
            out.extend([
                format!("--since=@{}", at.div_euclid(1_000_000_000)),
                "--lines=all".to_owned(),
            ]);
        }
    }
    out.extend(follow.then(|| "--follow".to_owned()));
    out
}

/// Containers with their state: number, names and status, between tabs.
pub(super) fn containers(engine: ContainerEngine) -> CommandLine {
    let format = "--format={{.ID}}\t{{.Names}}\t{{.Status}}";
    words(&[engine.as_str(), "ps", "--all", "--no-trunc", format])
}

/// Lines of a container, stamped.
pub(super) fn container_log(
    engine: ContainerEngine,
    id: &str,
    from: &StartFrom<'_>,
    follow: bool,
) -> CommandLine {
    let mut out = words(&[engine.as_str(), "logs", "--timestamps"]);
    out.extend(follow.then(|| "--follow".to_owned()));
    match from {
        StartFrom::Last(lines) => out.push(format!("--tail={lines}")),
        StartFrom::Time(at) => out.push(format!("--since={}", rfc3339(*at))),
        StartFrom::Oldest | StartFrom::Cursor(_) => {}
    }
    out.push(id.to_owned());
    out
}

/// Pods with their containers: namespace, name, identity, phase, containers and how often each was
/// started again; the same of those that run before them; and which of these go on beside them.
pub(super) fn pods(pod: &PodSelector) -> CommandLine {
    let columns = "-o=custom-columns=A:.metadata.namespace,B:.metadata.name,C:.metadata.uid,D:.status.phase,\
                   E:.status.containerStatuses[*].name,F:.status.containerStatuses[*].restartCount,\
                   G:.status.initContainerStatuses[*].name,H:.status.initContainerStatuses[*].restartCount,\
                   I:.spec.initContainers[?(@.restartPolicy==\"Always\")].name";
    // Without a cache: it would be written to the home folder.
    let mut out = words(&[
        "kubectl",
        "get",
        "pods",
        "--no-headers",
        "--cache-dir=/dev/null",
        "--request-timeout=20s",
    ]);
    out.push(columns.to_owned());
    match pod.namespace.as_deref() {
        Some("*") => out.push("--all-namespaces".to_owned()),
        Some(namespace) => out.push(format!("--namespace={namespace}")),
        None => {}
    }
    out
}

/// Which container of which pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodContainer {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
}

/// Lines of a container of a pod, stamped; `previous`: of the one before it was started again.
pub(super) fn pod_log(
    of: &PodContainer,
    from: &StartFrom<'_>,
    follow: bool,
    previous: bool,
) -> CommandLine {
    let mut out = words(&["kubectl", "logs", "--timestamps", "--cache-dir=/dev/null"]);
    out.extend([
        format!("--namespace={}", of.namespace),
        format!("--container={}", of.container),
    ]);
    out.extend(follow.then(|| "--follow".to_owned()));
    out.extend(previous.then(|| "--previous".to_owned()));
    match from {
        StartFrom::Last(lines) => out.push(format!("--tail={lines}")),
        StartFrom::Time(at) => out.push(format!("--since-time={}", rfc3339(*at))),
        StartFrom::Oldest | StartFrom::Cursor(_) => {}
    }
    out.push(of.pod.clone());
    out
}

fn rfc3339(at: i64) -> String {
    Timestamp::from_nanosecond(i128::from(at))
        .unwrap_or_default()
        .to_string()
}

fn words(words: &[&str]) -> CommandLine {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_asked_for_with_fixed_options() {
        let from = StartFrom::Time(1_795_188_137_000_000_000);
        let of = PodContainer {
            namespace: "shop".to_owned(),
            pod: "web-0".to_owned(),
            container: "app".to_owned(),
        };
        for (words, expect) in [
            (
                journal(Some("a.service"), &StartFrom::Cursor("s=1"), true),
                "journalctl --no-pager --quiet --all --output=json --unit=a.service --after-cursor=s=1 --lines=all --follow",
            ),
            (
                journal(None, &StartFrom::Last(5), false),
                "journalctl --no-pager --quiet --all --output=json --lines=5",
            ),
            (
                container_log(ContainerEngine::Docker, "ab12", &from, true),
                "docker logs --timestamps --follow --since=2026-11-20T15:22:17Z ab12",
            ),
            (
                container_log(ContainerEngine::Podman, "ab12", &StartFrom::Oldest, false),
                "podman logs --timestamps ab12",
            ),
            (
                pod_log(&of, &from, false, true),
                "kubectl logs --timestamps --cache-dir=/dev/null --namespace=shop --container=app --previous \
                 --since-time=2026-11-20T15:22:17Z web-0",
            ),
        ] {
            assert_eq!(words.join(" "), expect);
        }
    }
}
