//! One line of text that the operator types: the only file that knows the text editing crate.

use tui_textarea::{CursorMove, TextArea};

use super::keys::Key;

/// Longer input is cut: no query or command needs it, and a paste by accident must not hang the
/// console.
const MAX_CHARS: usize = 4096;

/// A line being edited, with the usual keys of shells.
#[derive(Debug, Default)]
pub struct Editor {
    area: TextArea<'static>,
}

impl Editor {
    /// With a text and the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut editor = Self::default();
        editor.insert(text);
        editor
    }

    /// What has been typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Characters before the cursor.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.area.cursor().1
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Puts the cursor after so many characters.
    pub fn go_to(&mut self, chars: usize) {
        self.area.move_cursor(CursorMove::Jump(
            0,
            u16::try_from(chars).unwrap_or(u16::MAX),
        ));
    }

    /// Takes a key; `Enter`, history and completion are the caller's.
    pub fn press(&mut self, key: Key) {
        self.area.input(crossterm::event::KeyEvent::from(key));
        self.keep_one_line();
    }

    /// Inserts a text, as from a paste, on one line and without control characters.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_CHARS.saturating_sub(self.text().chars().count());
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(room)
            .collect();
        self.area.insert_str(clean);
    }

    /// `Ctrl-m` and the yank buffer may bring line ends.
    fn keep_one_line(&mut self) {
        if self.area.lines().len() > 1 || self.text().chars().count() > MAX_CHARS {
            let joined: String = self
                .area
                .lines()
                .join(" ")
                .chars()
                .take(MAX_CHARS)
                .collect();
            self.area = TextArea::new(vec![joined]);
            self.area.move_cursor(CursorMove::End);
        }
    }
}
