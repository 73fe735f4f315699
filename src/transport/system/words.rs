//! Turns what the system's `ssh` writes to standard error into the state of a host and a hint.
//! `system` runs `ssh`.

use std::process::ExitStatus;

use crate::model::state::LinkState;
use crate::transport::LinkError;
use crate::transport::failure::{self, ServerLabel};
use crate::transport::noise::is_noise;

/// The words of `ssh` as a state.
pub(super) fn explain(place: &ServerLabel, status: Option<ExitStatus>, words: &str) -> LinkError {
    let words = &telling(words);
    let line = |l: &&str| !is_noise(l) && !l.starts_with("Warning:") && !l.starts_with('@');
    let why = |line: &&str| WHY_DISTRUSTED.iter().any(|words| line.contains(words));
    let last = words
        .lines()
        .find(why)
        .or_else(|| words.lines().rev().find(line))
        .unwrap_or("it said nothing")
        .trim();
    let reason = match status.and_then(|status| status.code()) {
        Some(255) | None => format!("ssh did not reach {place}: {last}"),
        Some(code) => format!("ssh ended with exit status {code} for {place}: {last}"),
    };
    let (state, hint) = state_of(words);
    let mut error = LinkError::new(state, reason, hint);
    if state == LinkState::Unreachable && hung_up(words) {
        error.status.retry_in_s = Some(failure::AFTER_LOGIN_S);
        error.may_pass = true;
    }
    error
}

/// What a line has in it that says why a host key is not trusted. The last line says only that it
/// is not.
const WHY_DISTRUSTED: [&str; 4] = [
    "is marked as revoked",
    "revoked by file",
    "in revoked keys file",
    "has changed and you have requested strict",
];

/// The words without those that only follow from others: where the `ssh` of a jump host failed and
/// has said why, the one that waited for it ends with a line about a server that it does not know.
fn telling(words: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut before_it = None;
    for line in words.lines().filter(|line| !is_noise(line)) {
        if line.contains("UNKNOWN port 65535") {
            before_it =
                kept.pop_if(|before| OF_THE_SAME.iter().any(|words| before.starts_with(words)));
        } else if line.trim() != "stdio forwarding failed" {
            kept.push(line);
        }
    }
    match before_it {
        // It is all that is known.
        Some(line) if kept.is_empty() => line.to_owned(),
        _ => kept.join("\n"),
    }
}

/// What comes right before that line.
const OF_THE_SAME: [&str; 2] = [
    "kex_exchange_identification:",
    "Connection timed out during banner exchange",
];

fn hung_up(words: &str) -> bool {
    words.contains("Connection reset by") || words.contains("Connection closed by")
}

fn state_of(words: &str) -> (LinkState, &'static str) {
    let has = |what: &str| words.contains(what);
    if has("REVOKED HOST KEY") || has(" revoked by file ") {
        (LinkState::HostKeyChanged, failure::REVOKED)
    } else if has(" in revoked keys file ") {
        (LinkState::Denied, failure::UNREADABLE_REVOKED)
    } else if has("IDENTIFICATION HAS CHANGED") {
        (
            LinkState::HostKeyChanged,
            "if the host was really rebuilt: ssh-keygen -R HOST, then connect again",
        )
    } else if has("Host key verification failed") {
        (
            LinkState::Denied,
            "its host key is not on record; log in once by hand with ssh and accept it",
        )
    } else if has(": Permission denied (") || has("Too many authentication failures") {
        (
            LinkState::Denied,
            "nobody can be asked by the system's ssh; use a key, the agent or a ticket (kinit)",
        )
    } else if has("timed out") {
        (
            LinkState::Timeout,
            "it may be down, overloaded or behind a firewall that drops",
        )
    } else if has("banner line contains invalid characters") || has("remote software version") {
        (
            LinkState::Unreachable,
            "what listens there does not speak SSH 2; check the address and the port",
        )
    } else if has("kex_exchange_identification") {
        (
            LinkState::Throttled,
            "sshd limits concurrent connections (MaxStartups); it is not down",
        )
    } else if hung_up(words) {
        (
            LinkState::Unreachable,
            "it hung up before the login was over; a host that is booting (/run/nologin) does this",
        )
    } else {
        (LinkState::Unreachable, "try the same with `ssh -v`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ssh_become_states() {
        for (words, state) in [
            ("ops@web: Permission denied (publickey).", LinkState::Denied),
            (
                "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!",
                LinkState::HostKeyChanged,
            ),
            (
                "ssh: connect to host web port 22: Connection timed out",
                LinkState::Timeout,
            ),
            (
                "ssh: connect to host web port 22: Connection refused",
                LinkState::Unreachable,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host",
                LinkState::Throttled,
            ),
            (
                "System is booting up.\nConnection closed by 10.0.0.1 port 22",
                LinkState::Unreachable,
            ),
            (
                "Load key \"/k\": Permission denied\nConnection reset by 10.0.0.1 port 22",
                LinkState::Unreachable,
            ),
            (
                "kex_exchange_identification: banner line contains invalid characters",
                LinkState::Unreachable,
            ),
        ] {
            assert_eq!(state_of(words).0, state, "{words}");
        }
    }

    #[test]
    fn a_revoked_key_is_not_taken_for_that_of_a_rebuilt_host() {
        let place = ServerLabel {
            name: "web".into(),
            address: "10.0.0.1".into(),
            port: 22,
        };
        let end = "Host key verification failed.\r\n";
        for (words, state, hint, shown) in [
            (
                "@  WARNING: REVOKED HOST KEY DETECTED!  @\nThe ED25519 host key for web is marked as revoked.\nThis could mean",
                LinkState::HostKeyChanged,
                failure::REVOKED,
                "is marked as revoked.",
            ),
            (
                "Host key ED25519 SHA256:x revoked by file /k",
                LinkState::HostKeyChanged,
                failure::REVOKED,
                "by file /k",
            ),
            (
                "Error checking host key ED25519 SHA256:x in revoked keys file /k: No such file or directory",
                LinkState::Denied,
                failure::UNREADABLE_REVOKED,
                "No such file or directory",
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key for web has changed and you have requested \
                 strict checking.",
                LinkState::HostKeyChanged,
                "if the host was really rebuilt: ssh-keygen -R HOST, then connect again",
                "you have requested strict checking.",
            ),
        ] {
            let error = explain(&place, None, &format!("{words}\n{end}"));
            assert_eq!(
                (error.state(), error.status.hint.as_deref()),
                (state, Some(hint)),
                "{words}"
            );
            assert!(error.reason().ends_with(shown), "{}", error.reason());
        }
    }

    #[test]
    fn of_a_jump_host_that_failed_its_own_words_are_shown_and_a_hang_up_is_not_followed_at_once() {
        let place = ServerLabel {
            name: "web".into(),
            address: "10.0.0.1".into(),
            port: 22,
        };
        let end = "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535";
        for (words, state, shown, retry_in_s) in [
            (
                "ssh: connect to host b port 22: Connection refused",
                LinkState::Unreachable,
                "Connection refused",
                None,
            ),
            (
                "ops@b: Permission denied (publickey).",
                LinkState::Denied,
                "Permission denied (publickey).",
                None,
            ),
            (
                "kex_exchange_identification: read: reset",
                LinkState::Throttled,
                "read: reset",
                None,
            ),
            (
                "channel 0: open failed: connect failed: No route to host\nstdio forwarding failed",
                LinkState::Unreachable,
                "connect failed: No route to host",
                None,
            ),
            (
                "Connection closed by 10.0.0.2 port 22",
                LinkState::Unreachable,
                "by 10.0.0.2 port 22",
                Some(10),
            ),
            (
                "",
                LinkState::Throttled,
                "Connection closed by remote host",
                None,
            ),
        ] {
            let error = explain(&place, None, &format!("{words}\r\n{end}\r\n"));
            assert_eq!(
                (error.state(), error.status.retry_in_s),
                (state, retry_in_s),
                "{words}: {}",
                error.reason()
            );
            assert!(
                error.reason().ends_with(shown),
                "{words}: {}",
                error.reason()
            );
        }
        let late = "Connection timed out during banner exchange\nConnection to UNKNOWN port 65535 timed out\n";
        let error = explain(&place, None, late);
        assert_eq!(error.state(), LinkState::Timeout, "{}", error.reason());
        assert!(
            error.reason().ends_with("timed out during banner exchange"),
            "{}",
            error.reason()
        );
        let error = explain(&place, None, "Connection reset by 10.0.0.1 port 22\n");
        assert_eq!(error.status.retry_in_s, Some(10), "{}", error.reason());
        let hint = error.status.hint.unwrap_or_default();
        assert!(
            hint.starts_with("it hung up before the login was over"),
            "{hint}"
        );
        let error = explain(&place, None, "the connection was lost");
        assert_eq!(
            (error.state(), error.status.retry_in_s),
            (LinkState::Unreachable, None)
        );
    }
}
