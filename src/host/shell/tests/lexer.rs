//! Takes a script apart as a shell would, as far as our own scripts go: which commands there are,
//! with which words, and where output is sent. Anything it does not know is a panic: better a test
//! that must be taught than one that is blind.

/// What a script consists of.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The words of each simple command, as they stand there, quotes included.
    pub(super) commands: Vec<Vec<String>>,
    /// Names of its functions.
    pub(super) functions: Vec<String>,
    /// Where output goes that is sent somewhere: `/dev/null`, `&2`.
    pub(super) outputs: Vec<String>,
}

/// Takes a script apart.
pub(super) fn take_apart(script: &str) -> Taken {
    let mut lexer = Lexer {
        text: script.as_bytes(),
        at: 0,
        taken: Taken::default(),
    };
    lexer.list(None);
    assert_eq!(lexer.at, script.len(), "all of it");
    lexer.taken
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    taken: Taken,
}

/// Words behind which another command begins.
const BEFORE_A_COMMAND: [&str; 8] = ["if", "then", "elif", "else", "while", "until", "do", "!"];
const ENDS: [&str; 3] = ["fi", "done", "esac"];

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn looking_at(&self, what: &str) -> bool {
        self.text[self.at..].starts_with(what.as_bytes())
    }

    fn blanks(&mut self, also_lines: bool) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\\' if self.looking_at("\\\n") => self.at += 2,
                b'\n' if also_lines => self.at += 1,
                b'#' => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Commands up to the closing `end`, which is taken too; up to the end of the text where there
    /// is none.
    fn list(&mut self, end: Option<u8>) {
        let mut words: Vec<String> = Vec::new();
        loop {
            self.blanks(false);
            let Some(byte) = self.peek() else { break };
            if Some(byte) == end {
                self.at += 1;
                break self.ended(&mut words);
            }
            match byte {
                b'(' if words.len() == 1 && self.looking_at("()") => {
                    self.at += 2;
                    self.taken.functions.push(words.remove(0));
                }
                b'(' if words.is_empty() => {
                    self.at += 1;
                    self.list(Some(b')'));
                }
                b';' if self.looking_at(";;") => {
                    self.ended(&mut words);
                    self.at += 2;
                    self.pattern();
                }
                b'\n' | b';' | b'&' | b'|' => {
                    self.at += 1;
                    self.ended(&mut words);
                }
                b'<' | b'>' => self.redirection(),
                b'0'..=b'9' if matches!(self.text.get(self.at + 1), Some(b'<' | b'>')) => {
                    self.redirection();
                }
                _ => {
                    let word = self.word();
                    self.took(&mut words, word);
                }
            }
        }
        assert!(
            words.is_empty() || end.is_none(),
            "a bracket is closed: {words:?}"
        );
        self.ended(&mut words);
    }

    fn took(&mut self, words: &mut Vec<String>, word: String) {
        let first = words.is_empty();
        if first && word == "case" {
            self.blanks(false);
            self.word();
            self.blanks(true);
            assert_eq!(self.word(), "in");
            self.pattern();
        } else if (first && BEFORE_A_COMMAND.contains(&word.as_str())) || word == "{" || word == "}"
        {
            self.ended(words);
        } else if word == "do" && words.first().is_some_and(|word| word == "for") {
            words.clear();
        } else if !(first && (ENDS.contains(&word.as_str()) || is_assignment(&word))) {
            words.push(word);
        }
    }

    fn ended(&mut self, words: &mut Vec<String>) {
        let words = std::mem::take(words);
        if words.first().is_some_and(|word| word != "for") {
            self.taken.commands.push(words);
        }
    }

    /// A pattern of `case` with its bracket; nothing where `esac` follows, which the list then
    /// finds.
    fn pattern(&mut self) {
        self.blanks(true);
        if self.looking_at("esac") {
            return;
        }
        while self.peek() != Some(b')') {
            match self.peek().expect("a pattern is closed") {
                b'|' | b' ' | b'(' => self.at += 1,
                _ => drop(self.word()),
            }
        }
        self.at += 1;
    }

    fn redirection(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let output = self.peek() == Some(b'>');
        while self.peek().is_some_and(|byte| matches!(byte, b'<' | b'>')) {
            self.at += 1;
        }
        let mut to = String::new();
        if self.peek() == Some(b'&') {
            self.at += 1;
            to.push('&');
        }
        self.blanks(false);
        to += &self.word();
        if output {
            self.taken.outputs.push(to);
        }
    }

    /// A word as it stands there; what is run inside is taken apart too.
    fn word(&mut self) -> String {
        let from = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'\\' => self.at += 2,
                b'\'' => self.single(),
                b'"' => self.double(),
                b'$' => self.dollar(),
                b'`' => panic!("backticks are not ours"),
                _ => self.at += 1,
            }
        }
        assert!(
            self.at > from,
            "no word at {:?}",
            String::from_utf8_lossy(&self.text[from..(from + 40).min(self.text.len())])
        );
        String::from_utf8_lossy(&self.text[from..self.at]).into_owned()
    }

    fn single(&mut self) {
        self.at += 1;
        while self.peek().expect("a quote is closed") != b'\'' {
            self.at += 1;
        }
        self.at += 1;
    }

    fn double(&mut self) {
        self.at += 1;
        loop {
            match self.peek().expect("a quote is closed") {
                b'"' => break self.at += 1,
                b'\\' => self.at += 2,
                b'$' => self.dollar(),
                _ => self.at += 1,
            }
        }
    }

    fn dollar(&mut self) {
        if self.looking_at("$((") {
            self.at += 3;
            self.sum();
        } else if self.looking_at("$(") {
            self.at += 2;
            self.list(Some(b')'));
        } else if self.looking_at("${") {
            self.at += 2;
            self.braces();
        } else {
            self.at += 1;
        }
    }

    fn sum(&mut self) {
        let mut depth = 0;
        loop {
            match self.peek().expect("a sum is closed") {
                b'$' => self.dollar(),
                b'(' => {
                    depth += 1;
                    self.at += 1;
                }
                b')' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b')' => {
                    assert!(self.looking_at("))"));
                    break self.at += 2;
                }
                _ => self.at += 1,
            }
        }
    }

    fn braces(&mut self) {
        loop {
            match self.peek().expect("a brace is closed") {
                b'}' => break self.at += 1,
                b'\\' => self.at += 2,
                b'\'' => self.single(),
                b'"' => self.double(),
                b'$' => self.dollar(),
                _ => self.at += 1,
            }
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[test]
fn scripts_are_taken_apart_as_shells_do() {
    let script = "f() { a=$(b -x \"$(c 'd;e')\"); }\nif [ -e x ]; then g | h >/dev/null 2>&1 & fi\n\
                  case $(i) in *[!0-9]*|'') j ;; k) l; m=1 ;; esac\nfor n in 1 2; do o $((1 + $(p))) ${q#\"$r\"}; done\n\
                  for s do t; done # u\n! v && w=1 x || { y <z; }\n(z)\n";
    let taken = take_apart(script);
    let names: Vec<&str> = taken
        .commands
        .iter()
        .map(|words| words[0].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "c", "b", "[", "g", "h", "i", "j", "l", "p", "o", "t", "v", "x", "y", "z"
        ]
    );
    assert_eq!(taken.functions, ["f"]);
    assert_eq!(taken.outputs, ["/dev/null", "&1"]);
}
