//! Lists the logs of a path or pattern. A log that is a symlink also has the generations next to
//! its target. `chain` decides which file belongs to which log.

use std::collections::{BTreeSet, HashSet};

use crate::files::listing::FileListing;
use crate::files::patterns::{
    DEEPEST, MOST_FOLDERS, archive_pattern, folder_name, is_archive_folder, series_pattern,
};
use crate::files::rotation::RotationIndex;
use crate::files::series::SeriesFile;
use crate::host::{Failure, Files};
use crate::model::braces::alternatives;
use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile, is_unreadable_archive};
use crate::model::source::{SourceKind, SourceSpec};

use super::alias::{self, Aliases};
use super::chain::{self, Chain, Listed};

/// The logs of a source of files.
#[derive(Default)]
pub(super) struct Logs {
    /// In the order of their paths.
    pub(super) chains: Vec<Chain>,
    /// What is missing and why, one line each.
    pub(super) problems: Vec<String>,
    /// Files that lie beside the logs and are none of theirs by their names.
    pub(super) beside: Vec<Vec<u8>>,
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
    spec: &SourceSpec,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Logs, Failure> {
    let SourceKind::Path(path) = &spec.kind else {
        return Ok(Logs::default());
    };
    let is_glob = spec.kind.is_glob();
    if let Some(logs) = series(files, path, is_glob).await? {
        return Ok(logs);
    }
    let own = list_all(files, path, is_glob).await?;
    let known: HashSet<FileId> = own.iter().map(|file| file.id).collect();
    let mut aliases = aliases(&own, is_glob);
    let wanted = aliases.iter().filter(|(_, alias)| is_wanted(&alias.log));
    let wanted: BTreeSet<&Vec<u8>> = wanted.map(|(name, _)| name).collect();
    let mut problems = Vec::new();
    let mut linked = list_targets(files, path, &wanted, &mut problems).await?;
    let archived = list_archived(files, spec, path).await?;
    aliases.extend(alias::of_archives(&archived, &own, path));
    linked.append(archived);
    linked.retain(|file| !known.contains(&file.id));
    problems.extend(missing(path, &own));
    problems.extend(missing(path, &linked));
    let beside = own.beside().cloned().collect();
    let listed = Listed {
        own: own.into_files(),
        linked: linked.into_files(),
        aliases,
    };
    let chains = if is_glob {
        chain::of_pattern(listed)
    } else {
        vec![chain::of_path(path.as_bytes(), listed)]
    };
    Ok(Logs {
        chains,
        problems,
        beside,
    })
}

/// All files of a path, or of each pattern that it stands for.
async fn list_all<F: Files>(
    files: &mut F,
    path: &str,
    is_glob: bool,
) -> Result<FileListing, Failure> {
    if !is_glob {
        return files.list(path.as_bytes()).await;
    }
    let mut all = FileListing::default();
    let mut known = HashSet::new();
    for pattern in alternatives(path) {
        let mut listed = files.list(pattern.as_bytes()).await?;
        listed.retain(|file| known.insert(file.id));
        let is_unread = |file: &&LogFile| is_unreadable_archive(&file.path);
        let unread: Vec<Vec<u8>> = listed
            .iter()
            .filter(is_unread)
            .map(|file| file.path.clone())
            .collect();
        listed.retain(|file| !is_unread(&file));
        unread.into_iter().for_each(|path| listed.push_beside(path));
        all.append(listed);
    }
    Ok(all)
}

/// All days of a log that was named by one of them; `None` where the path is none, or has its date
/// because it is an old generation of another log.
async fn series<F: Files>(
    files: &mut F,
    path: &str,
    is_glob: bool,
) -> Result<Option<Logs>, Failure> {
    let day = SeriesFile::of(path.as_bytes()).filter(|_| !is_glob);
    let Some(SeriesFile { series, .. }) = day else {
        return Ok(None);
    };
    let own = files.list(&series_pattern(&series)).await?;
    let is_of_another = |log: &LogFile| {
        log.compression == Compression::Plain
            && series.index(&log.path).is_none()
            && RotationIndex::of(&log.path, path.as_bytes()).is_some()
    };
    if own.is_empty() || own.iter().any(is_of_another) {
        return Ok(None);
    }
    let problems = missing(path, &own);
    let beside = own.beside().cloned().collect();
    let listed = Listed {
        own: own.into_files(),
        ..Listed::default()
    };
    Ok(Some(Logs {
        chains: vec![chain::of_series(&series, listed)],
        problems,
        beside,
    }))
}

/// Rotated files in folders of their own.
async fn list_archived<F: Files>(
    files: &mut F,
    spec: &SourceSpec,
    path: &str,
) -> Result<FileListing, Failure> {
    let mut all = FileListing::default();
    let is_glob = spec.kind.is_glob();
    let paths = match is_glob {
        true => alternatives(path),
        false => vec![path.to_owned()],
    };
    for path in paths {
        let pattern = archive_pattern(path.as_bytes(), is_glob, spec.archive.as_deref());
        match files.list(&pattern).await {
            Ok(mut listed) => {
                let is_archive = |file: &LogFile| {
                    spec.archive.is_some() || is_archive_folder(folder_name(&file.path))
                };
                listed.retain(is_archive);
                all.append(listed);
            }
            // What may not be looked into has nothing to give.
            Err(Failure::File(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
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
    if listing.is_cut {
        problems.push(format!(
            "{path}: ** goes {DEEPEST} folders deep and through {MOST_FOLDERS} in all – what lies beyond is left out; \
             name fewer"
        ));
    }
    if !listing.is_settled {
        problems.push(format!(
            "{path}: its files are moved all the while – some may be missing; try again"
        ));
    }
    problems
}
