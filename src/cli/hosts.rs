//! The output of `hosts`: what a selection comes to, without connecting.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::model::host::{Address, Endpoint, HostKeyPolicy, HostSpec, TransportKind, UserName};
use crate::model::source::{ContainerEngine, SourceKind, SourceSpec};
use crate::model::text::SafeText;

/// One host per paragraph, for people.
///
/// # Errors
/// When the output cannot be written.
pub fn write_hosts_text(hosts: &[HostSpec], out: &mut dyn Write) -> io::Result<()> {
    for host in hosts {
        writeln!(out, "{}", SafeText::new(&headline(host)))?;
        for route in &host.via {
            let hops: Vec<String> = route.iter().map(hop).collect();
            writeln!(out, "    via     {}", SafeText::new(&hops.join(" -> ")))?;
        }
        if !host.tags.is_empty() {
            writeln!(out, "    tags    {}", SafeText::new(&host.tags.join(", ")))?;
        }
        for source in &host.sources {
            let text = format!("{}  {}", source.name, place(source));
            writeln!(out, "    source  {}", SafeText::new(&text))?;
        }
        if host.sources.is_empty() {
            let usual = "(what the host itself has: messages, syslog, the journal)";
            writeln!(out, "    source  {usual}")?;
        }
    }
    let plural = if hosts.len() == 1 { "" } else { "s" };
    writeln!(out, "{} host{plural}", hosts.len())
}

/// One JSON object per host and line, and a summary.
///
/// # Errors
/// When the output cannot be written.
pub fn write_hosts_json(hosts: &[HostSpec], out: &mut dyn Write) -> io::Result<()> {
    for host in hosts {
        writeln!(out, "{}", inventory_line(host))?;
    }
    let asked = json!({"total": hosts.len(), "ok": null, "failed": null});
    let summary = json!({
        "v": 1, "type": "summary", "hosts": asked, "lines": 0, "hits": 0, "gaps": 0, "bytes_read": 0, "complete_to": null,
        "elapsed_ms": 0, "exit": 0, "bytes_scanned": null, "more": null, "pages": [],
    });
    writeln!(out, "{summary}")
}

fn inventory_line(host: &HostSpec) -> Value {
    let mut line = endpoint(&host.endpoint);
    line["transport"] = json!(transport(host));
    line["via"] = host
        .via
        .iter()
        .map(|route| route.iter().map(endpoint).collect::<Value>())
        .collect();
    line["tags"] = json!(host.tags);
    line["sources"] = host.sources.iter().map(source).collect();
    let mut tagged = json!({"v": 1, "type": "inventory"});
    if let (Some(tagged), Some(line)) = (tagged.as_object_mut(), line.as_object_mut()) {
        tagged.append(line);
    }
    tagged
}

fn headline(host: &HostSpec) -> String {
    match transport(host) {
        "local" => format!("{}  this machine, without SSH", host.name()),
        "auto" => format!("{}  {}", host.name(), target(&host.endpoint)),
        other => format!(
            "{}  {}  transport {other}",
            host.name(),
            target(&host.endpoint)
        ),
    }
}

fn hop(endpoint: &Endpoint) -> String {
    match target(endpoint) {
        target if endpoint.address.is_some() => format!("{} ({target})", endpoint.name),
        target => target,
    }
}

/// `user@address:port` with the parts that are known without asking `ssh -G`.
fn target(endpoint: &Endpoint) -> String {
    let user = endpoint
        .user
        .as_ref()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let address = endpoint
        .address
        .as_ref()
        .map_or(endpoint.name.as_str(), |address| address.as_str());
    match endpoint.port {
        Some(port) if address.contains(':') => format!("{user}[{address}]:{port}"),
        Some(port) => format!("{user}{address}:{port}"),
        None => format!("{user}{address}"),
    }
}

fn place(source: &SourceSpec) -> String {
    let place = match &source.kind {
        SourceKind::Journal(None) => "journal".to_owned(),
        other => other.to_string(),
    };
    if source.as_root {
        format!("{place}  as root, by sudo")
    } else {
        place
    }
}

fn transport(host: &HostSpec) -> &'static str {
    match host.transport {
        TransportKind::Auto => "auto",
        TransportKind::Russh => "russh",
        TransportKind::System => "system",
        TransportKind::Local => "local",
    }
}

fn endpoint(endpoint: &Endpoint) -> Value {
    json!({
        "host": endpoint.name.as_str(),
        "address": endpoint.address.as_ref().map(Address::as_str),
        "port": endpoint.port,
        "user": endpoint.user.as_ref().map(UserName::as_str),
        "identity": paths(&endpoint.identity),
        "known_hosts": paths(&endpoint.known_hosts),
        "host_keys": endpoint.host_keys.map(|policy| match policy {
            HostKeyPolicy::Strict => "strict",
            HostKeyPolicy::AcceptNew => "accept-new",
        }),
    })
}

fn paths(paths: &[std::path::PathBuf]) -> Vec<String> {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

fn source(source: &SourceSpec) -> Value {
    let mut line = json!({"name": source.name, "path": null, "journal": null, "container": null, "engine": null,
        "pod": null, "namespace": null, "command": null, "time": source.time,
        "encoding": source.encoding, "become": source.as_root.then_some("sudo")});
    match &source.kind {
        SourceKind::Path(path) => line["path"] = json!(path),
        SourceKind::Journal(None) => line["journal"] = json!(true),
        SourceKind::Journal(Some(unit)) => line["journal"] = json!(unit),
        SourceKind::Container(container) => {
            line["container"] = json!(container.name);
            line["engine"] = json!(container.engine.map(ContainerEngine::as_str));
        }
        SourceKind::Pod(pod) => {
            line["pod"] = json!(pod.name);
            line["namespace"] = json!(pod.namespace);
            line["container"] = json!(pod.container);
        }
        SourceKind::Command(words) => line["command"] = json!(words),
        SourceKind::Input => {}
    }
    line
}
