//! While logs are followed: which host has been lost, and which is back, for people; beside the
//! output.

use std::collections::BTreeMap;

use super::text::behind;
use crate::model::host::HostId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::text::SafeText;

/// What was reported of the hosts, and what is to be reported.
#[derive(Debug, Default)]
pub(super) struct StatusLog {
    /// Of hosts that were not well when they were last spoken of.
    troubled: BTreeMap<HostId, (LinkState, Option<String>)>,
    /// How far hosts were behind when that was last reported.
    behind: BTreeMap<HostId, u64>,
    said: Vec<String>,
}

impl StatusLog {
    /// A host tells its state. An attempt to connect is no news, nor is a host that is well from
    /// the start.
    pub(super) fn note(&mut self, host: HostId, name: &str, status: &HostStatus) {
        let name = SafeText::new(name);
        self.note_behind(host, &name, status);
        match status.state {
            LinkState::Connecting => {}
            LinkState::Ok => {
                if self.troubled.remove(&host).is_some() {
                    self.said.push(format!("{name}: ok: it is back"));
                }
            }
            _ => self.note_trouble(host, &name, status),
        }
    }

    fn note_trouble(&mut self, host: HostId, name: &SafeText, status: &HostStatus) {
        let now = (status.state, status.reason.clone());
        if self.troubled.get(&host) == Some(&now) {
            return;
        }
        let parts: Vec<String> = status.reason.iter().chain(&status.hint).cloned().collect();
        let reason = SafeText::new(&parts.join(" – "));
        self.said
            .push(format!("{name}: {}: {reason}", status.state));
        self.troubled.insert(host, now);
    }

    /// A host that is behind is news when it begins to be, each time that this has doubled, and
    /// when it is no longer.
    fn note_behind(&mut self, host: HostId, name: &SafeText, status: &HostStatus) {
        let told = self.behind.get(&host).copied();
        match status.behind_s {
            Some(now) if told.is_none_or(|told| now >= 2 * told) => {
                self.behind.insert(host, now);
                self.said.push(format!("{name}: {}", behind(now)));
            }
            None if status.state.is_up() && told.is_some() => {
                self.behind.remove(&host);
                self.said.push(format!("{name}: no longer behind"));
            }
            _ => {}
        }
    }

    /// Something else, if anything.
    pub(super) fn say(&mut self, what: Option<String>) {
        self.said.extend(what);
    }

    /// Takes the messages that are due.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_falls_behind_is_told_now_and_then() {
        let mut status_log = StatusLog::default();
        let ok = |behind_s| HostStatus {
            behind_s,
            ..HostStatus::plain(LinkState::Ok)
        };
        for behind_s in [
            None,
            Some(5),
            Some(6),
            Some(9),
            Some(12),
            Some(11),
            None,
            None,
            Some(7),
        ] {
            status_log.note(HostId(0), "far", &ok(behind_s));
        }
        let said = [
            "far: 5 s behind",
            "far: 12 s behind",
            "far: no longer behind",
            "far: 7 s behind",
        ];
        assert_eq!(status_log.take(), said);
    }

    #[test]
    fn a_host_that_is_lost_or_back_is_told_once() {
        let mut status_log = StatusLog::default();
        let lost = || HostStatus::because(LinkState::Unreachable, "refused", "start it");
        let plain = HostStatus::plain;
        let told = [
            plain(LinkState::Connecting),
            plain(LinkState::Ok),
            lost(),
            plain(LinkState::Connecting),
            lost(),
        ];
        for status in told
            .iter()
            .chain(&[plain(LinkState::Ok), plain(LinkState::Ok), lost()])
        {
            status_log.note(HostId(0), "web\u{1b}[31m-1", status);
        }
        let said = status_log.take();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said[0].ends_with("unreachable: refused – start it") && !said[0].contains('\u{1b}'),
            "{said:?}"
        );
        assert!(said[1].ends_with("ok: it is back"), "{said:?}");
        assert!(status_log.take().is_empty());
    }
}
