//! Failures in the words of an operator: every way in which a host is not reached, as a state, a
//! reason and a hint.
//!
//! Nothing here decides what to do next; the callers know whether another route or another try
//! makes sense.

use std::time::Duration;
use std::{fmt, io};

use tokio::sync::watch;

use super::LinkError;
use super::overheard::StepOverdue;
use crate::model::state::{HostStatus, LinkState};

impl LinkError {
    pub(super) fn new(
        state: LinkState,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        HostStatus::because(state, one_line(&reason.into()), one_line(&hint.into())).into()
    }

    pub(super) fn state(&self) -> LinkState {
        self.status.state
    }

    pub(super) fn reason(&self) -> &str {
        self.status.reason.as_deref().unwrap_or("no reason given")
    }

    /// A host key that is not on record though the configuration has checking off: that is not
    /// obeyed, so what was said to help does not.
    pub(super) fn not_checked(&mut self) {
        self.status.hint = Some(CHECKING_IS_OFF.to_owned());
    }

    /// A session that was refused, where there is no further connection either.
    pub(super) fn without_further(mut self, why: &str) -> Self {
        let reason = format!("{}; no further connection: {why}", self.reason());
        self.status.reason = Some(reason);
        Self {
            status: self.status.bounded(),
            ..self
        }
    }

    /// As a failure of the user's own `ssh`, which is used because of this.
    pub(super) fn by_ssh(mut self, why: &str) -> Self {
        let reason = format!("{} (the system's ssh is used, for {why})", self.reason());
        self.status.reason = Some(reason);
        Self {
            status: self.status.bounded(),
            ..self
        }
    }

    /// The same failure, said of a jump host on the way.
    pub(super) fn at_hop(mut self, hop: &str) -> Self {
        self.status.reason = Some(format!("jump host {hop}: {}", self.reason()));
        Self {
            status: self.status.bounded(),
            ..self
        }
    }
}

/// What helps where `ssh` would not have looked at the host key.
const CHECKING_IS_OFF: &str = "StrictHostKeyChecking no of ~/.ssh/config is not obeyed; set host_keys = \"accept-new\" for the \
     host, or use --host-keys accept-new";

/// A server in a message: its name, and its address where that says more.
#[derive(Debug, Clone)]
pub(super) struct ServerLabel {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) port: u16,
}

impl ServerLabel {
    /// `10.0.0.1:22`, `[::1]:22`.
    pub(super) fn dialled(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

impl fmt::Display for ServerLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == self.address && self.port == 22 {
            f.write_str(&self.name)
        } else {
            write!(f, "{} ({})", self.name, self.dialled())
        }
    }
}

/// Why a connection ended: set once, seen by every waiter, now or later.
#[derive(Debug, Clone)]
pub(super) struct ConnectionEnd(watch::Sender<Option<LinkError>>);

impl ConnectionEnd {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The first reason given stays.
    pub(super) fn end(&self, why: LinkError) {
        self.0.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(why);
            }
            first
        });
    }

    pub(super) fn get(&self) -> Option<LinkError> {
        self.0.borrow().clone()
    }

    pub(super) async fn ended(&self) -> LinkError {
        let mut seen = self.0.subscribe();
        match seen.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_else(closed_by_us),
            Err(_) => closed_by_us(),
        }
    }
}

pub(super) fn closed_by_us() -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        "the connection was closed from here",
        "reconnect to go on",
    )
    .passing()
}

/// A socket that could not be opened.
pub(super) fn dialling(place: &ServerLabel, error: &io::Error) -> LinkError {
    use io::ErrorKind as K;
    let reason = |what: &str| format!("cannot connect to {place}: {what}");
    match error.kind() {
        K::ConnectionRefused => LinkError::new(
            LinkState::Unreachable,
            reason("connection refused"),
            "is sshd running there, and is the port right?",
        ),
        K::HostUnreachable | K::NetworkUnreachable | K::AddrNotAvailable => LinkError::new(
            LinkState::Unreachable,
            reason("no route to it"),
            "check the network, the VPN, the address",
        ),
        K::TimedOut => no_answer(place, "a TCP connection", Duration::ZERO),
        K::ConnectionReset | K::ConnectionAborted => {
            turned_away(place, "reset the connection at once")
        }
        _ => LinkError::new(
            LinkState::Unreachable,
            reason(&error.to_string()),
            "check the address and the network",
        ),
    }
}

/// A name without an address.
pub(super) fn unknown_name(place: &ServerLabel, error: &io::Error) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("cannot find the address of {}: {error}", place.address),
        "check the spelling, DNS and the search domain, or give `address` in the inventory",
    )
}

/// Silence where an answer was due. `waited` is left out of the message where it is zero.
pub(super) fn no_answer(place: &ServerLabel, awaited: &str, waited: Duration) -> LinkError {
    let within = if waited.is_zero() {
        String::new()
    } else {
        format!(" within {:.1} s", waited.as_secs_f64())
    };
    LinkError::new(
        LinkState::Timeout,
        format!("{place} did not answer{within}, waiting for {awaited}"),
        "it may be down, overloaded or behind a firewall that drops; try a longer --timeout",
    )
}

/// Closed before anybody logged in: what sshd does to too many connections.
pub(super) fn turned_away(place: &ServerLabel, how: &str) -> LinkError {
    LinkError::new(
        LinkState::Throttled,
        format!("{place} {how} before the login"),
        "sshd limits concurrent connections (MaxStartups) and after failed logins (PerSourcePenalties); it is not down",
    )
}

/// Something else than SSH listens, by its first line. What sshd says to too many connections is no
/// other language.
pub(super) fn not_ssh(place: &ServerLabel, line: &str) -> LinkError {
    let said = quoted(line);
    if TURNED_AWAY.iter().any(|words| line.contains(words)) {
        return turned_away(place, &format!("turned us away, saying {said},"));
    }
    let what = if line.starts_with("SSH-1.") {
        format!("{place} speaks only version 1 of SSH ({said}), which nobody should")
    } else if line.starts_with("HTTP/") {
        format!("what listens at {place} is a web server and does not speak SSH ({said})")
    } else {
        format!("what listens at {place} does not speak SSH; it says {said}")
    };
    LinkError::new(
        LinkState::Unreachable,
        what,
        "check the address and the port; it is dialled again",
    )
}

/// Something was said that might come before the version of SSH, and that did not come. `waited` is
/// how long for: for another word where it fell silent, in all where it went on.
pub(super) fn no_version(
    place: &ServerLabel,
    line: &str,
    overdue: &StepOverdue,
    waited: Duration,
) -> LinkError {
    if line.starts_with("HTTP/")
        || line.starts_with("SSH-1.")
        || TURNED_AWAY.iter().any(|words| line.contains(words))
    {
        return not_ssh(place, line);
    }
    let then = match overdue {
        StepOverdue::Silent => "nothing more",
        StepOverdue::Whole => "more like it",
    };
    let said = quoted(line);
    let seconds = waited.as_secs_f64();
    LinkError::new(
        LinkState::Timeout,
        format!("{place} said {said} and {then}; no SSH version within {seconds:.1} s"),
        "its sshd may be slow to begin, or what listens there is none; try a longer --timeout, check the address and the port",
    )
}

/// The words of sshd to a connection of too many, by old and new versions.
const TURNED_AWAY: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];

/// The connection ended in the key exchange, before the login.
pub(super) fn left_in_key_exchange(place: &ServerLabel) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("{place} closed the connection in the middle of the key exchange"),
        "it is dialled again; a reboot, a restart of sshd or the network in between are usual",
    )
    .passing()
}

/// The connection ended in the login, which says nothing of what the server thinks of us. A server
/// may count it as an offence all the same, so a next try waits for longer than its shortest
/// lock-out adds.
pub(super) fn left_in_login(place: &ServerLabel, what: &str, said: Option<String>) -> LinkError {
    let said = said
        .map(|words| format!(", saying {}", quoted(&words)))
        .unwrap_or_default();
    let mut error = LinkError::new(
        LinkState::Unreachable,
        format!("{place} hung up during the login of {what}{said}"),
        "it is dialled again after a while; a host that is booting (/run/nologin) does this; see its auth.log",
    );
    error.status.retry_in_s = Some(AFTER_LOGIN_S);
    error.passing()
}

/// sshd locks out addresses for 5 s for each connection that failed to log in (PerSourcePenalties),
/// and adds up.
pub(super) const AFTER_LOGIN_S: u64 = 10;

/// As much of the words of a host as a reason has room for, in one line.
pub(super) fn shown(words: &str) -> String {
    const MOST: usize = 160;
    let mut line = one_line(words);
    if let Some((end, _)) = line.char_indices().nth(MOST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The same in quotes.
pub(super) fn quoted(words: &str) -> String {
    format!("{:?}", shown(words))
}

/// What to do about a host key that is revoked, and about a list of such keys that cannot be read.
pub(super) const REVOKED: &str = "the key was compromised or retired; give the host a new one";
pub(super) const UNREADABLE_REVOKED: &str =
    "mend the file or its permissions, or RevokedHostKeys in ~/.ssh/config";

/// A refused login.
/// A program for which no place is left on the first connection.
pub(super) fn all_places_taken() -> LinkError {
    LinkError::new(
        LinkState::Throttled,
        "as many other streams are followed as one connection allows",
        "name fewer commands for this host",
    )
}

/// A server that gives fewer sessions than are needed.
pub(super) fn few_sessions(place: &str, sessions: usize) -> LinkError {
    let many = match sessions {
        0 | 1 => "one session".to_owned(),
        many => format!("{many} sessions"),
    };
    LinkError::new(
        LinkState::Throttled,
        format!("{place} gives a connection {many} only"),
        "sshd's MaxSessions is the limit of sessions per connection; ten or more lets everything run at once",
    )
}

pub(super) fn denied(reason: impl Into<String>, hint: impl Into<String>) -> LinkError {
    LinkError::new(LinkState::Denied, reason, hint)
}

/// True where an error says that the other side went away.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionReset | K::ConnectionAborted | K::UnexpectedEof | K::BrokenPipe
    )
}

/// Reasons are shown in a row: line breaks become spaces.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> ServerLabel {
        ServerLabel {
            name: "web-1".into(),
            address: "10.0.0.1".into(),
            port: 22,
        }
    }

    #[test]
    fn a_refused_port_is_unreachable_and_names_the_host_and_the_address() {
        let error = dialling(&place(), &io::ErrorKind::ConnectionRefused.into());
        assert_eq!(error.state(), LinkState::Unreachable);
        assert_eq!(
            error.reason(),
            "cannot connect to web-1 (10.0.0.1:22): connection refused"
        );
    }

    #[test]
    fn a_reset_is_throttled_not_down() {
        assert_eq!(
            dialling(&place(), &io::ErrorKind::ConnectionReset.into()).state(),
            LinkState::Throttled
        );
    }

    #[test]
    fn what_is_no_ssh_is_told_from_an_sshd_that_has_enough() {
        for (line, state, words) in [
            (
                "HTTP/1.1 400 Bad Request",
                LinkState::Unreachable,
                "is a web server and does not speak SSH (\"HTTP/1.1 400",
            ),
            (
                "SSH-1.5-OpenSSH_1.2",
                LinkState::Unreachable,
                "speaks only version 1 of SSH (\"SSH-1.5-OpenSSH_1.2\")",
            ),
            (
                "220 mail ESMTP",
                LinkState::Unreachable,
                "does not speak SSH; it says \"220 mail ESMTP\"",
            ),
            (
                "Exceeded MaxStartups",
                LinkState::Throttled,
                "saying \"Exceeded MaxStartups\", before the login",
            ),
            (
                "Not allowed at this time",
                LinkState::Throttled,
                "saying \"Not allowed at this time\", before",
            ),
        ] {
            let error = not_ssh(&place(), line);
            assert_eq!(error.state(), state, "{line}");
            assert!(error.reason().contains(words), "{}", error.reason());
        }
    }

    #[test]
    fn a_line_before_the_version_is_no_proof_of_another_language() {
        let within = Duration::from_secs(10);
        for (line, overdue, state, words) in [
            (
                "welcome",
                StepOverdue::Silent,
                LinkState::Timeout,
                "said \"welcome\" and nothing more; no SSH version within 10.0 s",
            ),
            (
                "welcome",
                StepOverdue::Whole,
                LinkState::Timeout,
                "said \"welcome\" and more like it; no SSH version within",
            ),
            (
                "HTTP/1.1 400 Bad Request",
                StepOverdue::Silent,
                LinkState::Unreachable,
                "does not speak SSH",
            ),
            (
                "SSH-1.5-old",
                StepOverdue::Whole,
                LinkState::Unreachable,
                "speaks only version 1",
            ),
            (
                "Exceeded MaxStartups",
                StepOverdue::Silent,
                LinkState::Throttled,
                "before the login",
            ),
        ] {
            let error = no_version(&place(), line, &overdue, within);
            assert_eq!(error.state(), state, "{line}");
            assert!(error.reason().contains(words), "{}", error.reason());
        }
    }

    #[test]
    fn a_reason_has_an_end_behind_jump_hosts_too() {
        let error = denied("x".repeat(1000), "").at_hop("one").at_hop("two");
        assert!(
            error
                .reason()
                .starts_with("jump host two: jump host one: xx"),
            "{}",
            error.reason()
        );
        assert_eq!(
            error.reason().chars().count(),
            crate::model::state::MAX_REASON
        );
    }

    #[test]
    fn words_of_a_host_are_quoted_in_part_and_in_one_line() {
        assert_eq!(quoted(" a\r\nb "), "\"a b\"");
        let long = quoted(&"ä".repeat(1000));
        assert!(
            long.ends_with("ä…\"") && long.chars().count() == 163,
            "{long}"
        );
    }

    #[test]
    fn a_reason_is_always_one_line() {
        assert_eq!(
            LinkError::new(LinkState::Denied, "a\r\n b\n\n", "").reason(),
            "a b"
        );
    }

    #[tokio::test]
    async fn the_first_reason_of_an_ending_stays_and_reaches_late_waiters() {
        let ending = ConnectionEnd::new();
        ending.end(denied("first", ""));
        ending.end(denied("second", ""));
        assert_eq!(ending.ended().await.reason(), "first");
        assert_eq!(ending.clone().ended().await.reason(), "first");
    }
}
