//! The prompt in the last row: search, filter and commands, each with its history; commands with
//! completion.

use crossterm::event::{KeyCode, KeyModifiers};

use super::actions::ACTIONS;
use super::editor::Editor;
use super::keys::Key;

/// Texts remembered per kind of prompt.
const MAX_HISTORY: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// What to search.
    Search,
    /// Which lines to show.
    Filter,
    /// A command.
    Command,
}

/// An open prompt.
#[derive(Debug)]
pub struct Prompt {
    /// What is asked for.
    pub kind: PromptKind,
    /// What has been typed.
    pub editor: Editor,
    /// Why the text was not accepted.
    pub error: Option<String>,
    completion: Option<Completion>,
    /// How many steps back in the history, and what was typed before going there.
    back: usize,
    draft: String,
}

/// Words that fit at the cursor, and which of them is there.
#[derive(Debug)]
pub struct Completion {
    /// The words; each is a whole text of the prompt.
    pub candidates: Vec<PromptCandidate>,
    /// The one that is in the prompt.
    pub chosen: usize,
}

/// A completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptCandidate {
    /// The prompt's text with it.
    pub text: String,
    /// What it is; empty for names.
    pub doc: &'static str,
}

/// What a key in the prompt led to.
#[derive(Debug, PartialEq, Eq)]
pub enum PromptOutcome {
    /// It goes on.
    Open,
    /// It was given up.
    Cancelled,
    /// It is to be done.
    Entered(String),
    /// Completion was asked for; the caller knows the candidates.
    Complete,
}

impl Prompt {
    /// Opens a prompt with a text in it.
    #[must_use]
    pub fn new(kind: PromptKind, text: &str) -> Self {
        let editor = Editor::new(text);
        Self {
            kind,
            editor,
            error: None,
            completion: None,
            back: 0,
            draft: String::new(),
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, history: &History) -> PromptOutcome {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return PromptOutcome::Cancelled,
            KeyCode::Char('c' | 'g') if control => return PromptOutcome::Cancelled,
            KeyCode::Enter => return PromptOutcome::Entered(self.editor.text().to_owned()),
            KeyCode::Char('j' | 'm') if control => {
                return PromptOutcome::Entered(self.editor.text().to_owned());
            }
            KeyCode::Backspace if self.editor.text().is_empty() => return PromptOutcome::Cancelled,
            KeyCode::Tab => return self.tab(true),
            KeyCode::BackTab => return self.tab(false),
            KeyCode::Up => self.recall(history, true),
            KeyCode::Char('p') if control => self.recall(history, true),
            KeyCode::Down => self.recall(history, false),
            KeyCode::Char('n') if control => self.recall(history, false),
            _ => self.edit(key),
        }
        PromptOutcome::Open
    }

    /// Takes a paste: text, never an Enter.
    pub fn paste(&mut self, text: &str) {
        self.changed();
        self.editor.insert(text);
    }

    /// What Tab has found so far.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// Offers completions and takes the first.
    pub fn offer(&mut self, candidates: Vec<PromptCandidate>) {
        if let Some(first) = candidates.first() {
            self.editor.set(&first.text);
            self.completion = (candidates.len() > 1).then_some(Completion {
                candidates,
                chosen: 0,
            });
        }
    }

    fn tab(&mut self, forward: bool) -> PromptOutcome {
        let Some(completion) = &mut self.completion else {
            return PromptOutcome::Complete;
        };
        let count = completion.candidates.len();
        completion.chosen = (completion.chosen + if forward { 1 } else { count - 1 }) % count;
        self.editor
            .set(&completion.candidates[completion.chosen].text);
        PromptOutcome::Open
    }

    fn edit(&mut self, key: Key) {
        self.changed();
        self.editor.press(key);
    }

    fn changed(&mut self) {
        self.error = None;
        self.completion = None;
        self.back = 0;
    }

    fn recall(&mut self, history: &History, older: bool) {
        let texts = history.of(self.kind);
        if self.back == 0 {
            self.draft = self.editor.text().to_owned();
        }
        self.back = if older {
            (self.back + 1).min(texts.len())
        } else {
            self.back.saturating_sub(1)
        };
        let text = if self.back == 0 {
            &self.draft
        } else {
            &texts[texts.len() - self.back]
        };
        self.editor.set(text);
        self.completion = None;
    }
}

/// What was typed before, per kind of prompt; also what was given up, so that Esc loses nothing.
#[derive(Debug, Default)]
pub struct History {
    texts: [Vec<String>; 3],
}

impl History {
    /// Texts of a kind, oldest first.
    #[must_use]
    pub fn of(&self, kind: PromptKind) -> &[String] {
        &self.texts[kind as usize]
    }

    /// Remembers a text as the newest.
    pub fn add(&mut self, kind: PromptKind, text: &str) {
        let texts = &mut self.texts[kind as usize];
        if text.is_empty() {
            return;
        }
        texts.retain(|other| other != text);
        texts.push(text.to_owned());
        if texts.len() > MAX_HISTORY {
            texts.remove(0);
        }
    }
}

/// Completions of a command line: names of commands, then whatever `arguments` says the command
/// takes.
#[must_use]
pub(super) fn complete(
    text: &str,
    arguments: impl Fn(&str) -> Vec<String>,
) -> Vec<PromptCandidate> {
    match text.split_once(' ') {
        None => ACTIONS
            .iter()
            .filter(|info| info.name.starts_with(text))
            .map(|info| PromptCandidate {
                text: format!(
                    "{}{}",
                    info.name,
                    if info.argument.is_empty() { "" } else { " " }
                ),
                doc: info.doc,
            })
            .collect(),
        Some((command, rest)) => {
            let (before, word) = rest
                .rsplit_once(' ')
                .map_or(("", rest), |(before, word)| (before, word));
            let join = if before.is_empty() { "" } else { " " };
            let known = arguments(command);
            known
                .iter()
                .filter(|name| name.starts_with(word))
                .map(|name| PromptCandidate {
                    text: format!("{command} {before}{join}{name}"),
                    doc: "",
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::parse_keys;
    use super::*;

    fn type_in(prompt: &mut Prompt, history: &History, keys: &str) -> PromptOutcome {
        parse_keys(keys)
            .into_iter()
            .fold(PromptOutcome::Open, |_, key| prompt.press(key, history))
    }

    #[test]
    fn text_is_edited_as_in_a_shell_and_entered() {
        let mut prompt = Prompt::new(PromptKind::Search, "");
        let outcome = type_in(
            &mut prompt,
            &History::default(),
            "errors out<C-w><bs><bs><ret>",
        );
        assert_eq!(outcome, PromptOutcome::Entered("error".into()));
    }

    #[test]
    fn up_brings_back_what_was_typed_before_and_down_what_is_being_typed() {
        let mut history = History::default();
        history.add(PromptKind::Search, "one");
        history.add(PromptKind::Search, "two");
        let mut prompt = Prompt::new(PromptKind::Search, "");
        type_in(&mut prompt, &history, "dr<up><up>");
        assert_eq!(prompt.editor.text(), "one");
        type_in(&mut prompt, &history, "<down><down>");
        assert_eq!(prompt.editor.text(), "dr");
    }

    #[test]
    fn a_paste_is_text_and_never_an_enter() {
        let mut prompt = Prompt::new(PromptKind::Command, "");
        prompt.paste("quit\r\nnow\x1b[201~");
        assert_eq!(prompt.editor.text(), "quit  now [201~");
    }

    #[test]
    fn commands_complete_and_so_do_their_arguments() {
        let texts = |text: &str| -> Vec<String> {
            complete(text, |_| vec!["web-1".into(), "web-2".into()])
                .into_iter()
                .map(|candidate| candidate.text)
                .collect()
        };
        assert_eq!(texts("vs"), ["vsplit"]);
        assert_eq!(texts("hosts w"), ["hosts web-1", "hosts web-2"]);
        assert_eq!(texts("hosts web-1 web-2"), ["hosts web-1 web-2"]);
    }

    #[test]
    fn tab_goes_round_the_candidates() {
        let mut prompt = Prompt::new(PromptKind::Command, "split");
        let candidate = |text: &str| PromptCandidate {
            text: text.into(),
            doc: "",
        };
        prompt.offer(vec![candidate("a"), candidate("b")]);
        assert_eq!(prompt.editor.text(), "a");
        type_in(&mut prompt, &History::default(), "<tab>");
        assert_eq!(prompt.editor.text(), "b");
        type_in(&mut prompt, &History::default(), "<tab>");
        assert_eq!(prompt.editor.text(), "a");
    }
}
