//! By which methods we log in, and in which order, where the user's configuration says so.
//!
//! `russh::auth` goes by it. Methods that the built-in client does not have are left to `openssh`.

/// A kind of login that we have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginMethod {
    Keys,
    KeyboardInteractive,
    Password,
}

/// All, in the order of OpenSSH.
const ALL: [LoginMethod; 3] = [
    LoginMethod::Keys,
    LoginMethod::KeyboardInteractive,
    LoginMethod::Password,
];

/// The methods that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginMethods {
    preferred: Vec<LoginMethod>,
    excluded: Vec<LoginMethod>,
}

impl Default for LoginMethods {
    fn default() -> Self {
        Self {
            preferred: ALL.into(),
            excluded: Vec::new(),
        }
    }
}

impl LoginMethods {
    /// Takes an option of `ssh -G` into account; most are about something else.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        let is_off = matches!(value, "no" | "false");
        match key {
            "preferredauthentications" => {
                self.preferred = value.split(',').filter_map(method).collect();
            }
            "pubkeyauthentication" if is_off => self.excluded.push(LoginMethod::Keys),
            "passwordauthentication" if is_off => self.excluded.push(LoginMethod::Password),
            "kbdinteractiveauthentication" | "challengeresponseauthentication" if is_off => {
                self.excluded.push(LoginMethod::KeyboardInteractive);
            }
            // Nobody is to be asked.
            "batchmode" if matches!(value, "yes" | "true") => self
                .excluded
                .extend([LoginMethod::Password, LoginMethod::KeyboardInteractive]),
            _ => {}
        }
    }

    /// Those that may be used, the best first.
    pub(super) fn in_order(&self) -> impl Iterator<Item = LoginMethod> {
        self.preferred
            .iter()
            .copied()
            .filter(|method| !self.excluded.contains(method))
    }

    /// Whether a person is asked before keys are offered.
    pub(super) fn asks_first(&self) -> bool {
        self.in_order()
            .next()
            .is_some_and(|first| first != LoginMethod::Keys)
    }

    /// What is left of all of them, where the configuration takes some away.
    pub(super) fn restriction(&self) -> Option<String> {
        let left: Vec<&str> = self.in_order().map(LoginMethod::name).collect();
        (left.len() < ALL.len()).then(|| match left.is_empty() {
            true => "none of ours".to_owned(),
            false => left.join(", "),
        })
    }
}

impl LoginMethod {
    fn name(self) -> &'static str {
        match self {
            Self::Keys => "publickey",
            Self::KeyboardInteractive => "keyboard-interactive",
            Self::Password => "password",
        }
    }
}

fn method(name: &str) -> Option<LoginMethod> {
    ALL.into_iter().find(|method| method.name() == name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(options: &[(&str, &str)]) -> (Vec<LoginMethod>, Option<String>) {
        let mut methods = LoginMethods::default();
        for (key, value) in options {
            methods.set(key, value);
        }
        (methods.in_order().collect(), methods.restriction())
    }

    #[test]
    fn the_configuration_orders_the_methods_and_takes_some_away() {
        use LoginMethod::{KeyboardInteractive, Keys, Password};
        assert_eq!(methods(&[]), (ALL.into(), None));
        let order = "gssapi-with-mic,password,publickey,keyboard-interactive";
        assert_eq!(
            methods(&[("preferredauthentications", order)]),
            (vec![Password, Keys, KeyboardInteractive], None)
        );
        assert_eq!(
            methods(&[("pubkeyauthentication", "false")]),
            (
                vec![KeyboardInteractive, Password],
                Some("keyboard-interactive, password".to_owned())
            )
        );
        assert_eq!(
            methods(&[("batchmode", "yes")]),
            (vec![Keys], Some("publickey".to_owned()))
        );
        let none = methods(&[
            ("preferredauthentications", "publickey"),
            ("pubkeyauthentication", "no"),
        ]);
        assert_eq!(none, (vec![], Some("none of ours".to_owned())));
    }
}
