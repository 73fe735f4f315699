//! How the programs that answered a question ended, and what they complained of.

use crate::files::access::FileError;
use crate::host::shell::frame::Frame;
use crate::model::log_file::Compression;

/// How the programs of a question ended, and what they complained of.
pub(super) struct UnpackEnd {
    /// What is wrong with the file.
    pub(super) damage: Option<FileError>,
    /// What `wc` counted.
    pub(super) length: Option<u64>,
}

impl UnpackEnd {
    pub(super) fn of(frames: &[Frame], compression: Compression) -> Option<Self> {
        let words = frames
            .iter()
            .find_map(|frame| frame.header.strip_prefix("E "))?;
        let number = |mark: &str| {
            words
                .split(' ')
                .find_map(|word| word.strip_prefix(mark)?.parse().ok())
        };
        Some(Self {
            damage: damage(words, compression),
            length: number("=n"),
        })
    }
}

/// What was wrong, by the words at the end of an answer: complaints, `=tN` of what unpacks, `=gN`
/// of `grep`, `=aN` of `awk`.
pub(super) fn damage(words: &str, compression: Compression) -> Option<FileError> {
    let status = |mark: &str| {
        words
            .split(' ')
            .find_map(|word| word.strip_prefix(mark)?.parse::<u32>().ok())
    };
    let said: Vec<&str> = words
        .split(' ')
        .filter(|word| !word.starts_with('='))
        .collect();
    let said = said.join(" ");
    let said: String = said.chars().filter(|c| !c.is_control()).take(120).collect();
    let searched = status("=g")
        .filter(|&code| code >= 2)
        .or_else(|| status("=a").filter(|&code| code > 0));
    if let Some(code) = searched {
        let too_much = said.contains("memory") || code > 128;
        let why = "a line is too long for the memory that a search on the host may take";
        return Some(if too_much {
            FileError::TooMuch(why.to_owned())
        } else {
            FileError::Other(said)
        });
    }
    // By signal: 13 of a pipe that nobody reads any more is how every piece but the last ends.
    let is_cut = |code: u32| code > 128 && code & 0x7f == 13 || said.contains("roken pipe");
    let code = status("=t").filter(|&code| code != 0 && !is_cut(code))?;
    // Of gzip: what follows the compressed text is not.
    if compression == Compression::Gzip && code == 2 {
        return None;
    }
    let program = format!("{}: ", compression.as_str());
    let said = said.strip_prefix(program.as_str()).unwrap_or(&said);
    let said = ["stdin: ", "(stdin): ", "/*stdin*/: "]
        .iter()
        .find_map(|name| said.strip_prefix(name))
        .unwrap_or(said);
    let said = if said.is_empty() {
        format!("{program}status {code}")
    } else {
        said.to_owned()
    };
    Some(FileError::Damaged(said))
}
