//! `hosts.toml` as it is written: reading the file, its keys and their types, and errors that name
//! line and column. What the values mean is left to `inventory`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::{ConfigError, ErrorPlace, suggestion_or};

/// Larger than any inventory a person keeps (about 40,000 hosts), small enough to read in one go. A
/// larger file is the wrong file, and is refused.
pub(super) const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A configuration file: its text, to say where something is.
#[derive(Debug, Clone)]
pub(super) struct ConfigText {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The file by its sections, each in the order of the file.
#[derive(Debug, Default)]
pub(super) struct InventoryDocument {
    pub(super) defaults: RawHost,
    pub(super) hosts: Vec<(Spanned<String>, RawHost)>,
    pub(super) groups: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
}

/// The keys of `[defaults]` and of a host.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    pub(super) address: Option<Spanned<String>>,
    pub(super) port: Option<PortNumber>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) identity: Option<Spanned<PathList>>,
    pub(super) via: Option<Vec<Spanned<String>>>,
    pub(super) tags: Option<Vec<Spanned<String>>>,
    pub(super) sources: Option<Vec<Spanned<RawSource>>>,
    pub(super) agent: Option<Spanned<RawAgent>>,
    pub(super) transport: Option<RawTransport>,
    pub(super) known_hosts: Option<Spanned<PathList>>,
    pub(super) host_keys: Option<RawHostKeys>,
}

/// Every key of [`RawHost`], for the example's test and the man page.
#[cfg(test)]
pub(super) const HOST_KEYS: [&str; 11] = [
    "address",
    "port",
    "user",
    "identity",
    "via",
    "tags",
    "sources",
    "agent",
    "transport",
    "known_hosts",
    "host_keys",
];

/// The keys of an entry of `sources`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) name: Option<Spanned<String>>,
    pub(super) path: Option<Spanned<String>>,
    pub(super) journal: Option<Spanned<RawJournal>>,
    pub(super) container: Option<Spanned<String>>,
    pub(super) engine: Option<Spanned<RawEngine>>,
    pub(super) pod: Option<Spanned<String>>,
    pub(super) namespace: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) time: Option<Spanned<String>>,
    pub(super) encoding: Option<Spanned<String>>,
    pub(super) archive: Option<Spanned<String>>,
    #[serde(rename = "become")]
    pub(super) root: Option<Spanned<RawBecome>>,
}

/// Every key of [`RawSource`], for the example's test.
#[cfg(test)]
pub(super) const SOURCE_KEYS: [&str; 12] = [
    "name",
    "path",
    "journal",
    "container",
    "engine",
    "pod",
    "namespace",
    "command",
    "time",
    "encoding",
    "archive",
    "become",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawEngine {
    Docker,
    Podman,
}

/// By which program a source is read as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawBecome {
    Sudo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawAgent {
    Auto,
    Never,
    Require,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawTransport {
    Auto,
    Russh,
    System,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawHostKeys {
    Strict,
    AcceptNew,
}

/// A TCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PortNumber(pub(super) u16);

/// One path or a list of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathList(pub(super) Vec<String>);

/// A unit of the journal, or all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawJournal {
    All,
    Unit(String),
}

impl ConfigText {
    /// Reads a file as text: a BOM is dropped, CRLF is left to the parser.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let whole = |message: String| ConfigError {
            place: ErrorPlace::WholeFile(path.to_owned()),
            message,
        };
        let bytes = read_bounded(path).map_err(|error| whole(plain_io(&error)))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let limit = MAX_FILE_BYTES / (1024 * 1024);
            return Err(whole(format!(
                "larger than {limit} MiB, the limit for an inventory; is it the right file?"
            )));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(whole("UTF-16 text; save it as UTF-8".to_owned()));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text
                    .strip_prefix('\u{feff}')
                    .map(ToOwned::to_owned)
                    .unwrap_or(text);
                Ok(Self {
                    path: path.to_owned(),
                    text,
                })
            }
            Err(error) => Err(not_utf8(path, &error)),
        }
    }

    /// An error at a byte of the text.
    pub(super) fn error(&self, at: usize, message: impl Into<String>) -> ConfigError {
        let (line, column) = line_and_column(&self.text, at);
        ConfigError {
            place: ErrorPlace::File {
                path: self.path.clone(),
                line,
                column,
            },
            message: message.into(),
        }
    }

    /// Takes the text apart.
    pub(super) fn parse(&self) -> Result<InventoryDocument, ConfigError> {
        let table = DeTable::parse(&self.text).map_err(|error| self.explain(&error, ""))?;
        let mut document = InventoryDocument::default();
        for (key, value) in in_order(table.into_inner()) {
            match key.get_ref().as_ref() {
                "defaults" => document.defaults = self.section(value, " in [defaults]")?,
                "hosts" => document.hosts = self.entries(value, "hosts", "host")?,
                "groups" => document.groups = self.entries(value, "groups", "group")?,
                other => {
                    let known = || "there are [defaults], [hosts.NAME] and [groups]".to_owned();
                    let hint = suggestion_or(other, ["defaults", "hosts", "groups"], known);
                    let message = format!("unknown section {other:?}{hint}");
                    return Err(self.error(key.span().start, message));
                }
            }
        }
        Ok(document)
    }

    /// The entries of `[hosts]` or `[groups]`.
    fn entries<T: for<'a> Deserialize<'a>>(
        &self,
        value: Spanned<DeValue<'_>>,
        section: &str,
        noun: &str,
    ) -> Result<Vec<(Spanned<String>, T)>, ConfigError> {
        let at = value.span().start;
        let DeValue::Table(table) = value.into_inner() else {
            return Err(self.error(
                at,
                format!("[{section}] must be a table with a key for each {noun}"),
            ));
        };
        let entry = |(key, value): (Spanned<toml::de::DeString<'_>>, _)| {
            let name = Spanned::new(key.span(), key.into_inner().into_owned());
            let parsed = self.section(value, &format!(" in {noun} {:?}", name.get_ref()))?;
            Ok((name, parsed))
        };
        in_order(table).into_iter().map(entry).collect()
    }

    fn section<T: for<'a> Deserialize<'a>>(
        &self,
        value: Spanned<DeValue<'_>>,
        place: &str,
    ) -> Result<T, ConfigError> {
        let span = value.span();
        T::deserialize(ValueDeserializer::from(value)).map_err(|mut error| {
            // The text is needed for the place only, which is ours to compute.
            error.set_input(None);
            self.explain_at(error.span().unwrap_or(span), error.message(), place)
        })
    }

    fn explain(&self, error: &toml::de::Error, place: &str) -> ConfigError {
        self.explain_at(error.span().unwrap_or(0..0), error.message(), place)
    }

    /// Says in our words what serde and the parser say in theirs; other messages are passed on.
    fn explain_at(&self, span: Range<usize>, message: &str, place: &str) -> ConfigError {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let words = quoted(message);
        let (given, known) = words
            .split_first()
            .map_or(("", &[][..]), |(given, known)| (*given, known));
        let hint = |noun: &str| {
            suggestion_or(given, known.iter().copied(), || {
                format!("known {noun}: {}", known.join(", "))
            })
        };
        let message = if message.starts_with("unknown field") {
            format!("unknown key {given:?}{place}{}", hint("keys"))
        } else if message.starts_with("unknown variant") {
            format!("unknown value {given:?}{place}{}", hint("values"))
        } else if message.starts_with("duplicate key") {
            format!("duplicate key {:?}{place}", text.trim_matches('"'))
        } else {
            format!(
                "{}{place}{}",
                in_our_words(message.trim()),
                self.list_hint(message, span.clone())
            )
        };
        self.error(span.start, message)
    }

    /// The mistake most often made with a list that has one entry: to leave out the brackets. A
    /// command is a list of its words; of any other list a string is one entry, blanks and all.
    fn list_hint(&self, message: &str, span: Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let mistaken =
            message.starts_with("invalid type: string") && message.contains("expected a sequence");
        if !mistaken || text.contains('\n') {
            return String::new();
        }
        let before = self.text.get(..span.start).unwrap_or_default();
        let is_command = before
            .trim_end()
            .strip_suffix('=')
            .is_some_and(|before| before.trim_end().ends_with("command"));
        let words = words_of_command(text).filter(|_| is_command);
        format!("; write [{}]", words.as_deref().unwrap_or(text))
    }
}

/// At most one byte more than the limit; works for pipes too, whose size is not known.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The reason without the number that Rust adds to it.
pub(super) fn plain_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder, not a file".to_owned(),
        _ => error.to_string(),
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> ConfigError {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let before = String::from_utf8_lossy(&bytes[..at]);
    let (line, column) = line_and_column(before.trim_start_matches('\u{feff}'), usize::MAX);
    let message = format!(
        "byte 0x{:02x} is not UTF-8 text; save the file as UTF-8",
        bytes.get(at).copied().unwrap_or(0)
    );
    ConfigError {
        place: ErrorPlace::File {
            path: path.to_owned(),
            line,
            column,
        },
        message,
    }
}

/// Line and column from 1, of a byte; of the end where the text is shorter.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// Names of types as TOML has them, not as serde and our code do.
fn in_our_words(message: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("invalid type: map", "invalid type: table"),
        ("invalid type: sequence", "invalid type: list"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("expected struct RawHost", "expected a table"),
        (
            "expected struct RawSource",
            "expected a table such as { path = \"/var/log/syslog\" }",
        ),
        // What the deserializer of an enum says of anything that is not a string.
        ("wanted string or table", "expected a string"),
    ];
    WORDS
        .iter()
        .fold(message.replace('\n', "; "), |message, (theirs, ours)| {
            message.replace(theirs, ours)
        })
}

/// The words of a command as entries of a list; `None` where it needs a shell to tell them apart.
fn words_of_command(text: &str) -> Option<String> {
    let line = text.strip_prefix('"')?.strip_suffix('"')?;
    let words: Vec<String> = line
        .split_whitespace()
        .map(|word| format!("\"{word}\""))
        .collect();
    (!line.contains(['"', '\'', '\\']) && !words.is_empty()).then(|| words.join(", "))
}

/// The words between back quotes.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// Tables are sorted by name; a person's order is that of the file.
fn in_order<'i>(
    table: DeTable<'i>,
) -> Vec<(Spanned<toml::de::DeString<'i>>, Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

impl<'de> Deserialize<'de> for PortNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortVisitor;
        impl Visitor<'_> for PortVisitor {
            type Value = PortNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port from 1 to 65535")
            }

            fn visit_i64<E: de::Error>(self, given: i64) -> Result<PortNumber, E> {
                let valid = u16::try_from(given).ok().filter(|port| *port > 0);
                valid
                    .map(PortNumber)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(given), &self))
            }
        }
        deserializer.deserialize_i64(PortVisitor)
    }
}

impl<'de> Deserialize<'de> for PathList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathsVisitor;
        impl<'de> Visitor<'de> for PathsVisitor {
            type Value = PathList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a list of paths")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<PathList, E> {
                Ok(PathList(vec![path.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PathList, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = list.next_element()? {
                    paths.push(path);
                }
                Ok(PathList(paths))
            }
        }
        deserializer.deserialize_any(PathsVisitor)
    }
}

impl<'de> Deserialize<'de> for RawJournal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JournalVisitor;
        impl Visitor<'_> for JournalVisitor {
            type Value = RawJournal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a unit of the journal, or true for all of it")
            }

            fn visit_bool<E: de::Error>(self, all: bool) -> Result<RawJournal, E> {
                if all {
                    Ok(RawJournal::All)
                } else {
                    Err(E::invalid_value(de::Unexpected::Bool(all), &self))
                }
            }

            fn visit_str<E: de::Error>(self, unit: &str) -> Result<RawJournal, E> {
                Ok(RawJournal::Unit(unit.to_owned()))
            }
        }
        deserializer.deserialize_any(JournalVisitor)
    }
}
