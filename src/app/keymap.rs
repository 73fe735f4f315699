//! From keys to actions: counts, sequences, scopes.

use super::actions::{ACTIONS, Action, Scope};
use super::keys::{Key, spell};

/// Counts above it are held at it: no pane has more lines.
const MAX_COUNT: u32 = 99_999_999;

/// What has been typed of a command so far.
#[derive(Debug, Default)]
pub struct Keymap {
    typed: Vec<Key>,
    count: Option<u32>,
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypedKeys {
    /// More keys are needed.
    Pending,
    /// An action, and the count typed before it.
    Action(Action, Option<u32>),
    /// It means nothing here.
    Unknown,
}

impl Keymap {
    /// Takes the next key.
    pub fn press(&mut self, key: Key, scope: Scope) -> TypedKeys {
        if self.takes_digit(key) {
            return TypedKeys::Pending;
        }
        self.typed.push(key);
        match find(&self.typed, scope) {
            KeyMatch::Action(action) => {
                let count = self.count;
                self.clear();
                TypedKeys::Action(action, count)
            }
            KeyMatch::Begins => TypedKeys::Pending,
            KeyMatch::Nothing => {
                self.clear();
                TypedKeys::Unknown
            }
        }
    }

    /// Forgets what was typed; true if there was anything.
    pub fn clear(&mut self) -> bool {
        let had = self.is_pending();
        self.typed.clear();
        self.count = None;
        had
    }

    /// True in the middle of a command.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.typed.is_empty() || self.count.is_some()
    }

    /// What was typed so far, for the status line.
    #[must_use]
    pub fn spelled(&self) -> String {
        let count = self
            .count
            .map(|count| count.to_string())
            .unwrap_or_default();
        count + &spell(&self.typed)
    }

    /// The first key by which what was typed goes on to each action, with its name.
    #[must_use]
    pub fn continuations(&self, scope: Scope) -> Vec<(String, &'static str)> {
        if self.typed.is_empty() {
            return Vec::new();
        }
        let goes_on =
            |keys: &Vec<Key>| keys.len() > self.typed.len() && keys.starts_with(&self.typed);
        ACTIONS
            .iter()
            .filter(|info| holds(info.scope, scope))
            .filter_map(|info| Some((info.sequences().find(goes_on)?, info.name)))
            .map(|(keys, name)| (spell(&keys[self.typed.len()..]), name))
            .collect()
    }

    fn takes_digit(&mut self, key: Key) -> bool {
        let Some(digit) = key.digit() else {
            return false;
        };
        if !self.typed.is_empty() || (digit == 0 && self.count.is_none()) {
            return false;
        }
        self.count = Some(
            self.count
                .unwrap_or(0)
                .saturating_mul(10)
                .saturating_add(digit)
                .min(MAX_COUNT),
        );
        true
    }
}

enum KeyMatch {
    Action(Action),
    Begins,
    Nothing,
}

fn find(typed: &[Key], scope: Scope) -> KeyMatch {
    let mut begins = false;
    for info in ACTIONS.iter().filter(|info| holds(info.scope, scope)) {
        for keys in info.sequences() {
            if keys == typed {
                return KeyMatch::Action(info.action);
            }
            begins |= keys.starts_with(typed);
        }
    }
    if begins {
        KeyMatch::Begins
    } else {
        KeyMatch::Nothing
    }
}

fn holds(bound: Scope, here: Scope) -> bool {
    bound == Scope::All || bound == here
}

#[cfg(test)]
mod tests {
    use super::super::actions::{HostAction, LayoutAction, LogAction, Motion};
    use super::super::keys::parse_keys;
    use super::*;

    fn press(keys: &str, scope: Scope) -> Vec<TypedKeys> {
        let mut keymap = Keymap::default();
        parse_keys(keys)
            .into_iter()
            .map(|key| keymap.press(key, scope))
            .collect()
    }

    #[test]
    fn a_sequence_is_pending_until_its_last_key() {
        assert_eq!(
            press("<C-w>v", Scope::Log),
            [
                TypedKeys::Pending,
                TypedKeys::Action(Action::Layout(LayoutAction::SplitRight), None)
            ]
        );
        assert_eq!(
            press("<C-w>!j", Scope::Log),
            [
                TypedKeys::Pending,
                TypedKeys::Unknown,
                TypedKeys::Action(Action::Motion(Motion::Down), None)
            ]
        );
    }

    #[test]
    fn digits_before_an_action_are_its_count() {
        assert_eq!(
            press("12j", Scope::Log).last(),
            Some(&TypedKeys::Action(Action::Motion(Motion::Down), Some(12)))
        );
        assert_eq!(
            press("0", Scope::Log),
            [TypedKeys::Action(Action::Log(LogAction::LineStart), None)]
        );
        assert_eq!(
            press("10G", Scope::Log).last(),
            Some(&TypedKeys::Action(Action::Motion(Motion::Bottom), Some(10)))
        );
        assert_eq!(
            press("9999999999999999j", Scope::Log).last(),
            Some(&TypedKeys::Action(
                Action::Motion(Motion::Down),
                Some(MAX_COUNT)
            ))
        );
    }

    #[test]
    fn a_key_means_what_it_means_where_the_focus_is() {
        assert_eq!(
            press("o", Scope::Hosts),
            [TypedKeys::Action(Action::Host(HostAction::OnlyHost), None)]
        );
        assert_eq!(press("o", Scope::Log), [TypedKeys::Unknown]);
    }
}
