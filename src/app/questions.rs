//! Questions of hosts, one after another. A question waits until the operator's hands rest, so that
//! a key meant for the log never answers it; it holds up its own host only.

use std::collections::VecDeque;

use crossterm::event::{KeyCode, KeyModifiers};
use zeroize::Zeroizing;

use super::keys::Key;
use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::model::time::Time;

/// No more are taken from the hosts before some are answered; the others wait in the queue of the
/// loop.
const MAX_WAITING: usize = 32;
/// A question opens when no key was pressed for this long.
const QUIET_MS: i64 = 1000;
/// Keys so soon after it has opened were meant for something else.
const SETTLE_MS: i64 = 400;
/// Longest passphrase; its memory is set aside at once, so that growing leaves no copy behind.
const MAX_SECRET_BYTES: usize = 1024;

/// Identifies a question to the task that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuestionId(pub u64);

/// The questions that wait; the first is open or will be.
#[derive(Debug, Default)]
pub struct OpenPrompts {
    waiting: VecDeque<(QuestionId, OperatorPrompt)>,
    opened: Option<Time>,
    secret: Secret,
}

/// A secret as it is typed; wiped from memory after use.
struct Secret(Zeroizing<String>);

impl Default for Secret {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(MAX_SECRET_BYTES)))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl OpenPrompts {
    /// Whether another one can be taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// True where none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Puts one at the end.
    pub fn add(&mut self, id: QuestionId, question: OperatorPrompt) {
        self.waiting.push_back((id, question));
    }

    /// Takes one away that nobody waits for any more.
    pub fn withdraw(&mut self, id: QuestionId) {
        if self.waiting.front().is_some_and(|(first, _)| *first == id) {
            self.close();
        }
        self.waiting.retain(|(other, _)| *other != id);
    }

    /// The question on the screen.
    #[must_use]
    pub fn open(&self) -> Option<&OperatorPrompt> {
        self.opened?;
        self.waiting.front().map(|(_, question)| question)
    }

    /// The first question, on the screen or not.
    #[must_use]
    pub fn first(&self) -> Option<&OperatorPrompt> {
        self.waiting.front().map(|(_, question)| question)
    }

    /// What has been typed as the answer.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.secret.0
    }

    /// Puts the first question on the screen, at the operator's wish.
    pub fn show(&mut self, now: Time) {
        if !self.waiting.is_empty() {
            self.opened = Some(now.plus_millis(-SETTLE_MS));
        }
    }

    /// When the first question opens without a key; `None` while one is open or none waits.
    #[must_use]
    pub fn opens_at(&self, last_key: Option<Time>) -> Option<Time> {
        let waits = self.opened.is_none() && !self.waiting.is_empty();
        waits.then(|| last_key.map_or(Time(i64::MIN), |key| key.plus_millis(QUIET_MS)))
    }

    /// Opens the first question if the operator's hands rest.
    pub fn tick(&mut self, now: Time, last_key: Option<Time>) {
        if self.opens_at(last_key).is_some_and(|at| now >= at) {
            self.opened = Some(now);
        }
    }

    /// Takes a key for the open question.
    pub fn press(&mut self, key: Key, now: Time) -> Option<(QuestionId, PromptReply)> {
        if self
            .opened
            .is_some_and(|since| now < since.plus_millis(SETTLE_MS))
        {
            return None;
        }
        let answer = self.reply(key)?;
        self.close();
        self.waiting.pop_front().map(|(id, _)| (id, answer))
    }

    /// What a key answers to the first question; `None` where it only types, or means nothing.
    fn reply(&mut self, key: Key) -> Option<PromptReply> {
        let (_, question) = self.waiting.front()?;
        let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
        if is_interrupt || key.code == KeyCode::Esc {
            return Some(PromptReply::No);
        }
        if matches!(question, OperatorPrompt::TrustHostKey { .. }) {
            return trust_reply(key);
        }
        if key.code == KeyCode::Enter {
            return Some(PromptReply::Secret(std::mem::take(&mut self.secret).0));
        }
        self.type_secret(key);
        None
    }

    /// Takes a paste: into a secret, never as a yes.
    pub fn paste(&mut self, text: &str) {
        if !matches!(
            self.open(),
            None | Some(OperatorPrompt::TrustHostKey { .. })
        ) {
            text.chars()
                .filter(|c| !c.is_control())
                .for_each(|c| self.type_char(c));
        }
    }

    fn type_secret(&mut self, key: Key) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u') if control => self.secret = Secret::default(),
            KeyCode::Backspace => drop(self.secret.0.pop()),
            KeyCode::Char(c) if !control => self.type_char(c),
            _ => {}
        }
    }

    fn type_char(&mut self, c: char) {
        if self.secret.0.len() + c.len_utf8() <= MAX_SECRET_BYTES {
            self.secret.0.push(c);
        }
    }

    /// The next one waits for rest again, so that two questions are not answered by one double
    /// press.
    fn close(&mut self) {
        self.opened = None;
        self.secret = Secret::default();
    }
}

fn trust_reply(key: Key) -> Option<PromptReply> {
    match key.code {
        KeyCode::Char('y' | 'Y') if key.modifiers.is_empty() => Some(PromptReply::Yes),
        KeyCode::Char('n' | 'N') | KeyCode::Enter => Some(PromptReply::No),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::parse_keys;
    use super::*;

    fn trust() -> OperatorPrompt {
        OperatorPrompt::TrustHostKey {
            host: crate::model::host::HostName::new("web-1").expect("valid"),
            address: "10.0.0.1:22".into(),
            key_type: "ssh-ed25519".into(),
            fingerprint: "SHA256:abc".into(),
        }
    }

    fn at(ms: i64) -> Time {
        Time(ms * 1_000_000)
    }

    #[test]
    fn a_question_waits_for_rest_and_ignores_keys_that_came_too_soon() {
        let mut questions = OpenPrompts::default();
        let yes = parse_keys("y")[0];
        questions.add(QuestionId(1), trust());
        questions.tick(at(500), Some(at(0)));
        assert!(questions.open().is_none());
        questions.tick(at(1000), Some(at(0)));
        assert!(questions.open().is_some());
        assert_eq!(questions.press(yes, at(1100)), None);
        assert_eq!(
            questions.press(yes, at(1500)),
            Some((QuestionId(1), PromptReply::Yes))
        );
    }

    #[test]
    fn a_secret_is_typed_corrected_and_handed_over() {
        let mut questions = OpenPrompts::default();
        questions.add(
            QuestionId(7),
            OperatorPrompt::Passphrase {
                path: "id".into(),
                again: false,
            },
        );
        questions.tick(at(0), None);
        questions.paste("hun\r\n");
        let answer = parse_keys("terr<bs>2<ret>")
            .into_iter()
            .find_map(|key| questions.press(key, at(9000)));
        assert_eq!(
            answer,
            Some((
                QuestionId(7),
                PromptReply::Secret(Zeroizing::new("hunter2".into()))
            ))
        );
        assert!(questions.typed().is_empty());
    }

    #[test]
    fn only_a_y_trusts_and_a_paste_never_does() {
        let mut questions = OpenPrompts::default();
        questions.add(QuestionId(1), trust());
        questions.tick(at(0), None);
        questions.paste("y");
        assert_eq!(questions.press(parse_keys("x")[0], at(9000)), None);
        assert_eq!(
            questions.press(parse_keys("<ret>")[0], at(9000)),
            Some((QuestionId(1), PromptReply::No))
        );
    }
}
