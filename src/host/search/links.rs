//! Lists the logs of a path or pattern. A log that is a symlink also has the generations beside its
//! target. `chain` decides which file belongs to which log.

use std::collections::{BTreeSet, HashSet};

use crate::files::listing::{FileListing, LogLink};
use crate::host::{Failure, Files};
use crate::model::cursor::FileId;
use crate::model::source::SourceKind;

use super::chain::{self, Aliases, Chain, Listed};
use super::told;

/// The logs of a source of files.
pub(super) struct Logs {
    /// In the order of their paths.
    pub(super) chains: Vec<Chain>,
    /// What is missing and why, one line each.
    pub(super) problems: Vec<String>,
}

/// The most symlinks of a source that are followed. Each costs one or two listings.
const MOST_LINKS: usize = 1000;

/// Lists the logs of a source of files. Targets of symlinks are listed only for logs whose path
/// `is_wanted`.
///
/// # Errors
/// When the path may not be looked at, or the host is gone.
pub(super) async fn logs<F: Files>(
    files: &mut F,
    kind: &SourceKind,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Logs, Failure> {
    let SourceKind::Path(path) = kind else {
        return Ok(Logs {
            chains: Vec::new(),
            problems: Vec::new(),
        });
    };
    let own = files.list(path.as_bytes()).await?;
    let known: HashSet<FileId> = own.iter().map(|file| file.id).collect();
    let (mut linked, mut problems) = (FileListing::default(), Vec::new());
    let mut listed = Listed {
        aliases: aliases(&own, kind.is_glob()),
        ..Listed::default()
    };
    let wanted: BTreeSet<&Vec<u8>> = listed
        .aliases
        .iter()
        .filter(|(_, alias)| is_wanted(&alias.log))
        .map(|(name, _)| name)
        .collect();
    for name in wanted.iter().take(MOST_LINKS) {
        match files.list_log(name).await {
            Ok(beside) => linked.append(beside),
            Err(Failure::File(error)) => {
                problems.push(told(&String::from_utf8_lossy(name), &error));
            }
            Err(error) => return Err(error),
        }
    }
    if wanted.len() > MOST_LINKS {
        let more = wanted.len() - MOST_LINKS;
        problems.push(format!(
            "{path} has more symlinks than are followed: older files of {more} are left out – name fewer"
        ));
    }
    linked.retain(|file| !known.contains(&file.id));
    for listing in [&own, &linked] {
        problems.extend(missing(path, listing));
    }
    listed.own = own.into_files();
    listed.linked = linked.into_files();
    let chains = if kind.is_glob() {
        chain::of_pattern(listed)
    } else {
        vec![chain::of_path(path.as_bytes(), listed)]
    };
    Ok(Logs { chains, problems })
}

/// The other paths under which symlinked logs have generations. A target of two links belongs to
/// the first.
fn aliases(own: &FileListing, is_glob: bool) -> Aliases {
    let paths: HashSet<&[u8]> = own.iter().map(|file| &file.path[..]).collect();
    // A link that is not listed is dangling, or the same file as another match of the pattern.
    let is_log = |link: &&LogLink| !is_glob || paths.contains(&link.path[..]);
    let mut aliases = Aliases::new();
    for (name, alias) in own
        .links()
        .iter()
        .filter(is_log)
        .flat_map(chain::aliases_of)
    {
        if !paths.contains(&name[..]) {
            aliases.entry(name).or_insert(alias);
        }
    }
    aliases
}

/// Why a listing may be incomplete.
fn missing(path: &str, listing: &FileListing) -> Vec<String> {
    let mut problems = Vec::new();
    if listing.left_out() > 0 {
        let more = listing.left_out();
        problems.push(format!(
            "{path} has more files than fit: the oldest {more} are left out – name fewer"
        ));
    }
    if !listing.is_settled {
        problems.push(format!(
            "{path}: its files are moved all the while – some may be missing; try again"
        ));
    }
    problems
}
