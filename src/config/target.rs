//! Targets that are typed in place of a name: `ops@10.0.0.7:2222`, `[::1]:22`, `ssh://mybox`.

use crate::model::host::{Address, NameError, UserName};

/// `[ssh://][user@]host[:port]`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SshTarget {
    pub(super) user: Option<UserName>,
    pub(super) host: Address,
    pub(super) port: Option<u16>,
    /// `ssh://` was given: certainly no name of the inventory.
    pub(super) explicit: bool,
}

impl SshTarget {
    /// Takes a target apart.
    ///
    /// # Errors
    /// When a part is not valid.
    pub(super) fn parse(given: &str) -> Result<Self, String> {
        let bare = given.strip_prefix("ssh://");
        let rest = bare.unwrap_or(given);
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(UserName::new(user).map_err(plain)?), rest),
            None => (None, rest),
        };
        let (host, port) = split_port(rest)?;
        let port = port.map(parse_port).transpose()?;
        Ok(Self {
            user,
            host: Address::new(host).map_err(plain)?,
            port,
            explicit: bare.is_some(),
        })
    }

    /// Whether it can only be meant as something to dial, and not as a name of the inventory
    /// mistyped.
    pub(super) fn is_surely_meant(&self) -> bool {
        self.explicit
            || self.user.is_some()
            || self.port.is_some()
            || Address::is_ip(self.host.as_str())
    }
}

/// Host and port; an IPv6 address with a port is in brackets.
fn split_port(rest: &str) -> Result<(&str, Option<&str>), String> {
    if Address::is_ip(rest) {
        return Ok((rest, None));
    }
    if let Some(inner) = rest.strip_prefix('[') {
        return split_brackets(rest, inner);
    }
    match rest.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(format!(
            "{rest:?}: an IPv6 address with a port is written [::1]:22"
        )),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((rest, None)),
    }
}

fn split_brackets<'a>(rest: &str, inner: &'a str) -> Result<(&'a str, Option<&'a str>), String> {
    let (host, after) = inner
        .split_once(']')
        .ok_or_else(|| format!("{rest:?}: ']' is missing"))?;
    if !Address::is_ip(host) || !host.contains(':') {
        return Err(format!("{host:?} is not an IPv6 address"));
    }
    match after.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if after.is_empty() => Ok((host, None)),
        None => Err(format!("{rest:?}: expected ':' and a port after ']'")),
    }
}

fn parse_port(port: &str) -> Result<u16, String> {
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let number = port.parse::<u16>().ok();
    number
        .filter(|port| digits && *port > 0)
        .ok_or_else(|| format!("{port:?} is not a port (1 to 65535); a path starts with '/'"))
}

#[expect(clippy::needless_pass_by_value, reason = "an adapter for map_err")]
fn plain(error: NameError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, expect: Result<(Option<&str>, &str, Option<u16>), &str>) {
        let got = SshTarget::parse(given);
        let got = got.as_ref().map(|target| {
            (
                target.user.as_ref().map(UserName::as_str),
                target.host.as_str(),
                target.port,
            )
        });
        match (got, expect) {
            (Ok(got), Ok(expect)) => assert_eq!(got, expect, "{given}"),
            (Err(got), Err(expect)) => assert!(got.contains(expect), "{given}: {got}"),
            (got, expect) => panic!("{given}: {got:?}, not {expect:?}"),
        }
    }

    #[test]
    fn a_target_is_taken_apart() {
        check("mybox", Ok((None, "mybox", None)));
        check(
            "ops@10.0.0.7:2222",
            Ok((Some("ops"), "10.0.0.7", Some(2222))),
        );
        check("[::1]:22", Ok((None, "::1", Some(22))));
        check("ops@[fe80::1]", Ok((Some("ops"), "fe80::1", None)));
        check("fe80::1", Ok((None, "fe80::1", None)));
        check("fe80::1%eth0", Ok((None, "fe80::1%eth0", None)));
        check(
            "ops@[fe80::1%br-lan.7]:2222",
            Ok((Some("ops"), "fe80::1%br-lan.7", Some(2222))),
        );
        check(
            "ann@example.com@web",
            Ok((Some("ann@example.com"), "web", None)),
        );
        check("ssh://ann@web:22", Ok((Some("ann"), "web", Some(22))));
    }

    #[test]
    fn what_is_not_valid_is_refused_with_the_reason() {
        check("", Err("address is empty"));
        check("-oProxyCommand=x", Err("starts with '-'"));
        check("ops@-x", Err("starts with '-'"));
        check("-x@web", Err("starts with '-'"));
        check("web:0", Err("not a port"));
        check("web:99999", Err("not a port"));
        check("web:+22", Err("not a port"));
        check("web:", Err("not a port"));
        check("[::1", Err("']' is missing"));
        check("[web]:22", Err("not an IPv6 address"));
        check("[10.0.0.1]:22", Err("not an IPv6 address"));
        check("fe80::1%", Err("[::1]:22"));
        check("[fe80::1%%eth0]:22", Err("not an IPv6 address"));
        check("10.0.0.1%eth0", Err("'%'"));
        check("web%h", Err("'%'"));
        check("::1:22:x", Err("[::1]:22"));
        check("a b", Err("' '"));
        check("@web", Err("user is empty"));
    }
}
