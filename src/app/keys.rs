//! Keys as they are written in the table of actions, in the help and in tests: `<C-w>v`,
//! `/err<ret>`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of the character where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Control and Alt (and Shift for keys without a character).
    pub modifiers: KeyModifiers,
}

impl Key {
    fn plain(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// The digit, where it is one without modifiers.
    #[must_use]
    pub fn digit(self) -> Option<u32> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => c.to_digit(10),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }
}

impl From<Key> for KeyEvent {
    fn from(key: Key) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

/// The key that closes what is open.
pub const ESC: Key = Key {
    code: KeyCode::Esc,
    modifiers: KeyModifiers::NONE,
};

/// Names of the keys that have no character of their own.
const NAMES: &[(&str, KeyCode)] = &[
    ("ret", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("S-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("gt", KeyCode::Char('>')),
    ("bs", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

/// Reads keys as they are written; what is not a known `<name>` is read character by character.
#[must_use]
pub fn parse_keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|tail| tail.split_once('>'));
        if let Some((key, tail)) = named.and_then(|(name, tail)| Some((named_key(name)?, tail))) {
            keys.push(key);
            rest = tail;
        } else {
            keys.push(Key::plain(KeyCode::Char(first)));
            rest = &rest[first.len_utf8()..];
        }
    }
    keys
}

fn named_key(name: &str) -> Option<Key> {
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(Key::plain(*code));
    }
    if let Some(number) = name
        .strip_prefix('f')
        .and_then(|digits| digits.parse().ok())
    {
        return Some(Key::plain(KeyCode::F(number)));
    }
    let (modifier, rest) = match name.split_at_checked(2)? {
        ("C-", rest) => (KeyModifiers::CONTROL, rest),
        ("A-", rest) => (KeyModifiers::ALT, rest),
        _ => return None,
    };
    let mut chars = rest.chars();
    let inner = match (chars.next(), chars.next()) {
        (Some(c), None) => Key::plain(KeyCode::Char(c)),
        _ => named_key(rest)?,
    };
    Some(Key {
        code: inner.code,
        modifiers: inner.modifiers | modifier,
    })
}

impl fmt::Display for Key {
    /// As people write it: `Ctrl-w`, `Enter`, `F1`, `e`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Backspace => f.write_str("Backspace"),
            KeyCode::Delete => f.write_str("Del"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::F(n) => write!(f, "F{n}"),
            _ => f.write_str("?"),
        }
    }
}

/// A sequence of keys as people write it: `Ctrl-w v`.
#[must_use]
pub fn spell(keys: &[Key]) -> String {
    keys.iter()
        .map(Key::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spelled_as_people_write_them() {
        for (written, spelled) in [
            ("<C-w>v", "Ctrl-w v"),
            ("g", "g"),
            ("<space>", "Space"),
            ("<f12>", "F12"),
            ("<A-z>", "Alt-z"),
            ("<S-tab>", "Shift-Tab"),
            ("<lt><gt>", "< >"),
            ("<what>", "< w h a t >"),
            ("<", "<"),
        ] {
            assert_eq!(spell(&parse_keys(written)), spelled, "{written}");
        }
    }

    #[test]
    fn shift_is_part_of_the_character() {
        let typed = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(vec![Key::from(typed)], parse_keys("G"));
        assert_eq!(
            vec![Key::from(KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT))],
            parse_keys("<S-tab>")
        );
    }
}
