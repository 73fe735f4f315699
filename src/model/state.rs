//! How a host is doing, as the screen, the ledger and the JSON say it.

use std::fmt;

/// The state of a host, with the words of the JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkState {
    /// Connected, everything that was asked for is being read.
    Ok,
    /// Connected, but something is missing: a source cannot be read, or the host has no usable
    /// `/proc`.
    Degraded,
    /// Being dialled, or waiting for the next try.
    Connecting,
    /// No route, refused, name unknown, or the connection broke.
    Unreachable,
    /// It refused us in so many words, which only a person can change. Never retried by itself.
    Denied,
    /// It answered and turned us away for the number of our connections; it is not down.
    Throttled,
    /// It did not answer in time.
    Timeout,
    /// Its host key is not the one on record. Never retried by itself.
    HostKeyChanged,
}

impl LinkState {
    /// All that are not well, in the order in which an operator has to know of them.
    pub const WORST_FIRST: [Self; 7] = [
        Self::HostKeyChanged,
        Self::Denied,
        Self::Unreachable,
        Self::Timeout,
        Self::Throttled,
        Self::Degraded,
        Self::Connecting,
    ];

    /// The word in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Connecting => "connecting",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::HostKeyChanged => "host-key-changed",
        }
    }

    /// True while lines and metrics can arrive.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Ok | Self::Degraded)
    }

    /// True where trying again without a person would do harm (lock-outs) or hide an attack.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Denied | Self::HostKeyChanged)
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The longest reason or hint, in characters. Hosts have their words in them, and a host may say a
/// lot.
pub const MAX_REASON: usize = 500;

/// The state of a host with the reason for it and what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostStatus {
    /// The state.
    pub state: LinkState,
    /// What was being done and why it failed, one line, not yet sanitised; `None` while all is
    /// well.
    pub reason: Option<String>,
    /// What the operator can do about it, one line.
    pub hint: Option<String>,
    /// Seconds until the next try, where one is scheduled.
    pub retry_in_s: Option<u64>,
    /// Something is wrong with the way to the host, not only with its logs.
    pub of_way: bool,
    /// How old the latest news of a host that is up is, in seconds: its link is slower than its
    /// logs, or is silent at present.
    pub behind_s: Option<u64>,
}

impl HostStatus {
    /// The reason, or the name of the state where there is none.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.reason
            .clone()
            .unwrap_or_else(|| self.state.to_string())
    }

    /// A state that needs no explanation.
    #[must_use]
    pub fn plain(state: LinkState) -> Self {
        Self {
            state,
            reason: None,
            hint: None,
            retry_in_s: None,
            of_way: false,
            behind_s: None,
        }
    }

    /// A state with its reason and a hint.
    #[must_use]
    pub fn because(state: LinkState, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            hint: Some(hint.into()),
            ..Self::plain(state)
        }
        .bounded()
    }

    /// The same as the end of a bounded pass, which has tried so often and tries no more.
    #[must_use]
    pub fn at_last(self, tries: u32) -> Self {
        let again = |reason: String| {
            if tries > 1 {
                format!("{reason} (the last of {tries} tries)")
            } else {
                reason
            }
        };
        Self {
            retry_in_s: None,
            reason: self.reason.map(again),
            ..self
        }
        .bounded()
    }

    /// The same with a reason and a hint of at most [`MAX_REASON`] characters.
    #[must_use]
    pub fn bounded(self) -> Self {
        let bounded = |text: String| shortened(&text, MAX_REASON).unwrap_or(text);
        Self {
            reason: self.reason.map(bounded),
            hint: self.hint.map(bounded),
            ..self
        }
    }
}

/// The beginning of a text that is longer than so many characters, with a mark at its end.
fn shortened(text: &str, most: usize) -> Option<String> {
    text.char_indices().nth(most)?;
    let end = text
        .char_indices()
        .nth(most.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    Some(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_an_end_whatever_a_host_says() {
        let status = HostStatus::because(LinkState::Denied, "ä".repeat(90_000), "short");
        let reason = status.reason.expect("a reason");
        assert_eq!(reason.chars().count(), MAX_REASON);
        assert!(reason.ends_with("ä…"), "{reason}");
        assert_eq!(status.hint.as_deref(), Some("short"));
        let exact = "x".repeat(MAX_REASON);
        assert_eq!(
            HostStatus::because(LinkState::Denied, exact.clone(), "").reason,
            Some(exact)
        );
    }
}
