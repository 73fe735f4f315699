//! The logs of a path or pattern, with the generations that lie elsewhere because a log is a symlink. Which file belongs
//! to which log is left to `chain`.

use std::collections::HashSet;

use crate::host::{Failure, Files};
use crate::model::{FileId, Listing, LogLink, SourceKind};

use super::chain::{self, Chain, Listed};
use super::told;

/// What a source that consists of files has.
pub(super) struct Logs {
    /// In the order of their paths.
    pub(super) chains: Vec<Chain>,
    /// What of it is not there, each in one line.
    pub(super) problems: Vec<String>,
}

/// The logs of a source that consists of files.
///
/// # Errors
/// When the path may not be looked at, or the host is gone.
pub(super) async fn logs<F: Files>(files: &mut F, kind: &SourceKind) -> Result<Logs, Failure> {
    let SourceKind::Path(path) = kind else { return Ok(Logs { chains: Vec::new(), problems: Vec::new() }) };
    let own = files.list(path.as_bytes()).await?;
    let paths: HashSet<&[u8]> = own.iter().map(|file| &file.path[..]).collect();
    // One that is not listed is the same file as another one that the pattern matches, or leads to nothing.
    let is_log = |link: &LogLink| !kind.is_glob() || paths.contains(&link.path[..]);
    let links: Vec<LogLink> = own.links().iter().filter(|link| is_log(link)).cloned().collect();
    let known: HashSet<FileId> = own.iter().map(|file| file.id).collect();
    let (mut listed, mut linked, mut problems) = (Listed::default(), Listing::default(), Vec::new());
    for (name, alias) in links.iter().flat_map(chain::aliases_of) {
        // What two links lead to belongs to the first.
        if paths.contains(&name[..]) || listed.aliases.contains_key(&name) {
            continue;
        }
        match files.list_log(&name).await {
            Ok(beside) => linked.append(beside),
            Err(Failure::File(error)) => problems.push(told(&String::from_utf8_lossy(&name), &error)),
            Err(error) => return Err(error),
        }
        listed.aliases.insert(name, alias);
    }
    linked.retain(|file| !known.contains(&file.id));
    for listing in [&own, &linked] {
        problems.extend(missing(path, listing));
    }
    listed.own = own.into_files();
    listed.linked = linked.into_files();
    let chains = if kind.is_glob() { chain::of_pattern(listed) } else { vec![chain::of_path(path.as_bytes(), listed)] };
    Ok(Logs { chains, problems })
}

/// Why a listing may not have all files.
fn missing(path: &str, listing: &Listing) -> Vec<String> {
    let mut problems = Vec::new();
    if listing.left_out() > 0 {
        let more = listing.left_out();
        problems.push(format!("{path} has more files than fit: the oldest {more} are left out – name fewer"));
    }
    if !listing.is_settled {
        problems.push(format!("{path}: its files are moved all the while – some may be missing; try again"));
    }
    problems
}
