//! What is wrong with a file, by how the programs that read it ended and what they complained of.

use crate::files::access::FileError;
use crate::model::log_file::Compression;

use super::protocol::ProgramsEnd;

/// What was wrong, if anything.
pub(super) fn damage(end: &ProgramsEnd, compression: Compression) -> Option<FileError> {
    search_error(end).or_else(|| unpack_error(end, compression))
}

fn search_error(end: &ProgramsEnd) -> Option<FileError> {
    let of_grep = end.grep.filter(|&code| code >= 2);
    let code = of_grep.or(end.awk.filter(|&code| code > 0))?;
    if end.said.contains("memory") || code > 128 {
        let why = "a line is too long for the memory that a search on the host may take";
        return Some(FileError::TooMuch(why.to_owned()));
    }
    Some(FileError::Other(end.said.clone()))
}

/// How programs name what they read.
const STDIN: [&str; 3] = ["stdin: ", "(stdin): ", "/*stdin*/: "];

fn unpack_error(end: &ProgramsEnd, compression: Compression) -> Option<FileError> {
    // By signal: 13 of a pipe that nobody reads any more is how every piece but the last ends.
    let is_cut = |code: u32| code > 128 && code & 0x7f == 13 || end.said.contains("roken pipe");
    let code = end.unpack.filter(|&code| code != 0 && !is_cut(code))?;
    // Of gzip: what follows the compressed text is not.
    if compression == Compression::Gzip && code == 2 {
        return None;
    }
    let program = format!("{}: ", compression.as_str());
    let said = end.said.strip_prefix(&*program).unwrap_or(&end.said);
    let said = STDIN
        .iter()
        .find_map(|name| said.strip_prefix(name))
        .unwrap_or(said);
    Some(FileError::Damaged(match said {
        "" => format!("{program}status {code}"),
        said => said.to_owned(),
    }))
}
