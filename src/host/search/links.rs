//! Lists the logs of a path or pattern. A log that is a symlink also has the generations next to
//! its target. `chain` decides which file belongs to which log.

use std::collections::{BTreeSet, HashSet};

use crate::files::listing::FileListing;
use crate::host::{Failure, Files};
use crate::model::cursor::FileId;
use crate::model::source::SourceKind;

use super::alias::{self, Aliases};
use super::chain::{self, Chain, Listed};

/// The logs of a source of files.
#[derive(Default)]
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
        return Ok(Logs::default());
    };
    let own = files.list(path.as_bytes()).await?;
    let known: HashSet<FileId> = own.iter().map(|file| file.id).collect();
    let aliases = aliases(&own, kind.is_glob());
    let wanted = aliases.iter().filter(|(_, alias)| is_wanted(&alias.log));
    let wanted: BTreeSet<&Vec<u8>> = wanted.map(|(name, _)| name).collect();
    let mut problems = Vec::new();
    let mut linked = list_targets(files, path, &wanted, &mut problems).await?;
    linked.retain(|file| !known.contains(&file.id));
    problems.extend(missing(path, &own));
    problems.extend(missing(path, &linked));
    let listed = Listed {
        own: own.into_files(),
        linked: linked.into_files(),
        aliases,
    };
    let chains = if kind.is_glob() {
        chain::of_pattern(listed)
    } else {
        vec![chain::of_path(path.as_bytes(), listed)]
    };
    Ok(Logs { chains, problems })
}

/// The files next to the targets of symlinks.
async fn list_targets<F: Files>(
    files: &mut F,
    path: &str,
    names: &BTreeSet<&Vec<u8>>,
    problems: &mut Vec<String>,
) -> Result<FileListing, Failure> {
    let mut linked = FileListing::default();
    for name in names.iter().take(MOST_LINKS) {
        match files.list_log(name).await {
            Ok(siblings) => linked.append(siblings),
            Err(Failure::File(error)) => {
                problems.push(error.explained(&String::from_utf8_lossy(name)));
            }
            Err(error) => return Err(error),
        }
    }
    if names.len() > MOST_LINKS {
        let more = names.len() - MOST_LINKS;
        problems.push(format!(
            "{path} has more symlinks than are followed: older files of {more} are left out – name fewer"
        ));
    }
    Ok(linked)
}

/// The other paths under which symlinked logs have generations. A target of two links belongs to
/// the first.
fn aliases(own: &FileListing, is_glob: bool) -> Aliases {
    let paths: HashSet<&[u8]> = own.iter().map(|file| &file.path[..]).collect();
    let mut aliases = Aliases::new();
    for link in own.links() {
        // A link that is not listed is dangling, or the same file as another match of the pattern.
        if is_glob && !paths.contains(&link.path[..]) {
            continue;
        }
        for (name, alias) in alias::aliases_of(link) {
            if !paths.contains(&name[..]) {
                aliases.entry(name).or_insert(alias);
            }
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
