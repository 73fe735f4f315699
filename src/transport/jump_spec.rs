//! Reads the jump hosts of `ProxyJump`: `[user@]host[:port]` or `ssh://[user@]host[:port]`, with
//! IPv6 addresses in brackets.

use super::error::LinkError;
use super::failure;
use crate::model::host::{Endpoint, HostKeyPolicy, HostName, UserName};

/// Reads a jump host; `host_keys` is what is done with unknown keys of it.
///
/// # Errors
/// When the text is none.
pub(super) fn parse(text: &str, host_keys: Option<HostKeyPolicy>) -> Result<Endpoint, LinkError> {
    let wrong = |why: String| {
        failure::denied(
            format!("ProxyJump {text:?}: {why}"),
            "mend ProxyJump in ~/.ssh/config",
        )
    };
    let rest = text.strip_prefix("ssh://").unwrap_or(text);
    let rest = rest.trim_end_matches('/');
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(UserName::new(user)), rest),
        None => (None, rest),
    };
    let (host, port) = host_and_port(rest);
    let port = port.map(|port| port.parse().map_err(|_| format!("{port:?} is no port")));
    let port = port.transpose().map_err(wrong)?;
    let name = HostName::new(host).map_err(|error| wrong(error.to_string()))?;
    let user = user.transpose().map_err(|error| wrong(error.to_string()))?;
    Ok(Endpoint {
        port,
        user,
        host_keys,
        ..Endpoint::new(name)
    })
}

/// Only the last of several colons outside of brackets could be that of a port, so there is none.
fn host_and_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (host, port.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jump(text: &str) -> (Option<String>, String, Option<u16>) {
        let hop = parse(text, None).expect("a jump host");
        (
            hop.user.map(|user| user.to_string()),
            hop.name.to_string(),
            hop.port,
        )
    }

    #[test]
    fn jump_hosts_are_written_in_four_ways() {
        assert_eq!(jump("bastion"), (None, "bastion".into(), None));
        assert_eq!(
            jump("ops@bastion:2222"),
            (Some("ops".into()), "bastion".into(), Some(2222))
        );
        assert_eq!(
            jump("ssh://ops@bastion:2222/"),
            (Some("ops".into()), "bastion".into(), Some(2222))
        );
        assert_eq!(jump("[fe80::1]:2222"), (None, "fe80::1".into(), Some(2222)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_of_jump_hosts_panic(text in "\\PC*") {
            let _ = parse(&text, None);
        }
    }

    #[test]
    fn a_jump_host_that_looks_like_an_option_is_refused() {
        assert!(parse("-oProxyCommand=x", None).is_err());
        assert!(parse("host:port", None).is_err());
    }
}
