//! What a source of the inventory is: a path, a unit of the journal, containers, pods or a command,
//! each checked.
//!
//! What comes from here is put into the words of commands on hosts, so each part has only the
//! characters that its kind of name may have. How sources are called is left to `sources`.

use toml::Spanned;

use super::file::{RawEngine, RawJournal, RawSource};
use crate::model::braces::{MOST_ALTERNATIVES, alternatives};
use crate::model::source::{ContainerEngine, ContainerSelector, PodSelector, SourceKind};

/// Longer command lines are scripts, which belong on the host.
const MAX_COMMAND_BYTES: usize = 4096;

/// Where it is wrong, and what.
type Mistake = (usize, String);

/// What an entry of `sources` is.
///
/// # Errors
/// When it is nothing, or two things, or what it names is not valid.
pub(super) fn kind(entry: &Spanned<RawSource>) -> Result<SourceKind, Mistake> {
    let raw = entry.get_ref();
    only_one(entry)?;
    belonging(raw)?;
    if let Some(path) = &raw.path {
        checked(path, check_path(path.get_ref()))?;
        Ok(SourceKind::Path(path.get_ref().clone()))
    } else if let Some(journal) = &raw.journal {
        journal_kind(journal)
    } else if let Some(pod) = &raw.pod {
        pod_kind(pod, raw)
    } else if let Some(name) = &raw.container {
        container_kind(name, raw)
    } else if let Some(command) = &raw.command {
        checked(command, check_command(command.get_ref()))?;
        Ok(SourceKind::Command(command.get_ref().clone()))
    } else {
        Err((
            entry.span().start,
            "a source needs a path, a journal, a container, a pod or a command".to_owned(),
        ))
    }
}

/// A path that a source may have.
///
/// # Errors
/// When it is not absolute, or names a folder.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!(
            "{path:?} is not an absolute path; a source is named as the host spells it, from '/'"
        ));
    }
    if path.ends_with('/') {
        return Err(format!(
            "{path:?} is a folder; name a file, or a pattern such as {path}*.log"
        ));
    }
    // What a pattern stands for is what is asked of a host.
    let patterns = alternatives(path);
    if patterns.len() > MOST_ALTERNATIVES {
        return Err(format!(
            "{path:?} stands for more than {MOST_ALTERNATIVES} patterns; name fewer in braces"
        ));
    }
    if patterns
        .iter()
        .any(|pattern| pattern.matches("**/").count() > 1)
    {
        return Err(format!(
            "{path:?} has ** in it twice; it can stand for any number of folders once"
        ));
    }
    if patterns
        .iter()
        .any(|pattern| !pattern.starts_with('/') || pattern.ends_with('/'))
    {
        return Err(format!(
            "{path:?} stands for something that is no absolute path of a file"
        ));
    }
    no_nul(path)
}

/// A folder of rotated files.
///
/// # Errors
/// When it names none.
pub(super) fn check_archive(folder: &str) -> Result<(), String> {
    if folder.trim_end_matches('/').is_empty() {
        return Err(format!("archive {folder:?} is no folder of rotated files"));
    }
    no_nul(folder)
}

/// Of all that a path may have, one byte cannot be in it.
fn no_nul(path: &str) -> Result<(), String> {
    match path.contains('\0') {
        true => Err(format!("{path:?} contains '\\0', which no path has")),
        false => Ok(()),
    }
}

/// A source is one thing. The container of a pod belongs to the pod.
fn only_one(entry: &Spanned<RawSource>) -> Result<(), Mistake> {
    let raw = entry.get_ref();
    let container = raw.container.as_ref().filter(|_| raw.pod.is_none());
    let mut given = [
        ("a path", raw.path.as_ref().map(Spanned::span)),
        ("a journal", raw.journal.as_ref().map(Spanned::span)),
        ("a container", container.map(Spanned::span)),
        ("a pod", raw.pod.as_ref().map(Spanned::span)),
        ("a command", raw.command.as_ref().map(Spanned::span)),
    ]
    .into_iter()
    .filter_map(|(what, span)| Some((what, span?.start)));
    if let (Some((first, _)), Some((second, at))) = (given.next(), given.next()) {
        return Err((at, format!("a source has {first} or {second}, not both")));
    }
    Ok(())
}

/// Keys that say more of one kind of source only.
fn belonging(raw: &RawSource) -> Result<(), Mistake> {
    let is_container = raw.container.is_some() && raw.pod.is_none();
    if let Some(archive) = raw.archive.as_ref().filter(|_| raw.path.is_none()) {
        let message = "archive belongs to a path; this source is none";
        return Err((archive.span().start, message.to_owned()));
    }
    if let Some(engine) = raw.engine.as_ref().filter(|_| !is_container) {
        let message = "engine belongs to a container; this source is none";
        return Err((engine.span().start, message.to_owned()));
    }
    if let Some(namespace) = raw.namespace.as_ref().filter(|_| raw.pod.is_none()) {
        let message = "namespace belongs to a pod; this source is none";
        return Err((namespace.span().start, message.to_owned()));
    }
    Ok(())
}

fn container_kind(name: &Spanned<String>, raw: &RawSource) -> Result<SourceKind, Mistake> {
    checked(name, check_pattern("container", name.get_ref(), "_.-"))?;
    let engine = raw.engine.as_ref().map(|engine| match engine.get_ref() {
        RawEngine::Docker => ContainerEngine::Docker,
        RawEngine::Podman => ContainerEngine::Podman,
    });
    Ok(SourceKind::Container(ContainerSelector {
        engine,
        name: name.get_ref().clone(),
    }))
}

fn journal_kind(journal: &Spanned<RawJournal>) -> Result<SourceKind, Mistake> {
    match journal.get_ref() {
        RawJournal::All => Ok(SourceKind::Journal(None)),
        RawJournal::Unit(unit) => {
            checked(journal, check_unit(unit))?;
            Ok(SourceKind::Journal(Some(unit.clone())))
        }
    }
}

fn pod_kind(pod: &Spanned<String>, raw: &RawSource) -> Result<SourceKind, Mistake> {
    let (within, name) = match pod.get_ref().split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, &pod.get_ref()[..]),
    };
    if let (Some(_), Some(namespace)) = (within, &raw.namespace) {
        let message = format!("{:?} has its namespace already", pod.get_ref());
        return Err((namespace.span().start, message));
    }
    checked(pod, check_pattern("pod", name, ".-"))?;
    let container = raw.container.as_ref();
    if let Some(container) = container {
        let check = check_pattern("container", container.get_ref(), "-");
        checked(container, check)?;
    }
    let namespace = within.or(raw.namespace.as_ref().map(|name| name.get_ref().as_str()));
    if let Some(namespace) = namespace.filter(|namespace| *namespace != "*") {
        let at = raw.namespace.as_ref().unwrap_or(pod);
        checked(at, check_namespace(namespace))?;
    }
    Ok(SourceKind::Pod(PodSelector {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        container: container.map(|container| container.get_ref().clone()),
    }))
}

fn checked<T>(given: &Spanned<T>, check: Result<(), String>) -> Result<(), Mistake> {
    check.map_err(|message| (given.span().start, message))
}

/// A name, or a pattern with `*`, `?` and `[…]`; it cannot be taken for an option.
fn check_pattern(what: &str, name: &str, others: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c) || "*?[]!".contains(c);
    match name.chars().find(|&c| !allowed(c)) {
        Some(found) => Err(format!(
            "{what} {name:?} contains {found:?}, which is not allowed"
        )),
        None if name.is_empty() => Err(format!("{what} is empty; \"*\" means all")),
        None if name.starts_with('-') => Err(format!("{what} {name:?} starts with '-'")),
        None => globset::Glob::new(name)
            .map(drop)
            .map_err(|error| format!("{what} {name:?} is not a valid pattern: {}", error.kind())),
    }
}

fn check_namespace(namespace: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match namespace.chars().find(|&c| !allowed(c)) {
        Some('*' | '?' | '[') => Err(format!(
            "namespace {namespace:?} is a pattern; name one, or \"*\" for all of them"
        )),
        Some(found) => Err(format!(
            "namespace {namespace:?} contains {found:?}, which is not allowed"
        )),
        None if namespace.is_empty() => Err("namespace is empty; \"*\" means all".to_owned()),
        None if namespace.starts_with('-') => {
            Err(format!("namespace {namespace:?} starts with '-'"))
        }
        None => Ok(()),
    }
}

/// The characters that systemd allows in a unit's name, without a leading '-'.
fn check_unit(unit: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    match unit.chars().find(|&c| !allowed(c)) {
        Some(found) => Err(format!(
            "journal unit {unit:?} contains {found:?}, which is not allowed"
        )),
        None if unit.is_empty() => {
            Err("journal unit is empty; true means the whole journal".to_owned())
        }
        None if unit.starts_with('-') => Err(format!("journal unit {unit:?} starts with '-'")),
        None => Ok(()),
    }
}

/// A program and its arguments. No shell sees them, so there is nothing to quote.
fn check_command(words: &[String]) -> Result<(), String> {
    let Some(program) = words.first().filter(|program| !program.is_empty()) else {
        return Err("command names no program; write [\"vmstat\", \"5\"]".to_owned());
    };
    if program.contains(char::is_whitespace) {
        return Err(format!(
            "{program:?} is one word, which names a program; write [\"vmstat\", \"5\"]"
        ));
    }
    if program.starts_with('-') || program.contains('=') {
        return Err(format!("{program:?} is not the name of a program"));
    }
    if words.iter().map(|word| word.len() + 1).sum::<usize>() > MAX_COMMAND_BYTES {
        return Err(format!(
            "command is longer than {MAX_COMMAND_BYTES} bytes; put it into a script on the host"
        ));
    }
    words.iter().try_for_each(|word| no_control(word))
}

fn no_control(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control()) {
        Some(found) => Err(format!("{text:?} contains {found:?}, which is not allowed")),
        None => Ok(()),
    }
}
