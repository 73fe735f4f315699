//! The sources of a host: checked, and named where the inventory gives no name.

use toml::Spanned;

use super::error::suggestion_or;
use super::file::RawSource;
use super::kinds::{check_archive, check_path, kind};
use crate::model::source::{SourceKind, SourceSpec};
use crate::parse::encoding::TextEncoding;
use crate::parse::timestamp::TimeFormat;

/// Folders that say nothing of whose log it is.
const PLAIN_FOLDERS: [&str; 4] = ["log", "logs", "var", "current"];
/// Ends of file names that say only that it is a log.
const PLAIN_EXTENSIONS: [&str; 5] = ["log", "txt", "json", "jsonl", "out"];

/// Checks the entries of `sources`.
///
/// # Errors
/// With the byte of the file and what is wrong there.
pub(super) fn sources(raw: &[Spanned<RawSource>]) -> Result<Vec<SourceSpec>, (usize, String)> {
    let mut sources: Vec<SourceSpec> = Vec::with_capacity(raw.len());
    for entry in raw {
        let source = source(entry)?;
        if sources.iter().any(|other| other.kind == source.kind) {
            return Err((
                entry.span().start,
                format!("{:?} is a source twice", full_name(&source.kind)),
            ));
        }
        let taken = sources.iter().any(|other| other.name == source.name);
        match &entry.get_ref().name {
            Some(name) if taken => {
                return Err((
                    name.span().start,
                    format!("two sources have the name {:?}", source.name),
                ));
            }
            None if taken => sources.push(SourceSpec {
                name: full_name(&source.kind),
                ..source
            }),
            _ => sources.push(source),
        }
    }
    Ok(sources)
}

/// A source for a path that was typed.
///
/// # Errors
/// When it is not an absolute path.
pub(super) fn source_at(path: &str) -> Result<SourceSpec, String> {
    check_path(path)?;
    let kind = SourceKind::Path(path.to_owned());
    Ok(SourceSpec {
        name: derived_name(&kind),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    })
}

/// The name of a source that has been given none: the file's stem after the folder it belongs to,
/// `nginx/access` for `/var/log/nginx/access.log` and `syslog` for `/var/log/syslog`; for a pattern
/// the folder alone; for the journal the unit without `.service`; for containers and pods their
/// name, of a pattern what comes before it; for a command its program.
pub(super) fn derived_name(kind: &SourceKind) -> String {
    match kind {
        SourceKind::Journal(None) => "journal".to_owned(),
        SourceKind::Journal(Some(unit)) => unit.strip_suffix(".service").unwrap_or(unit).to_owned(),
        // A name is shown and typed on one line.
        SourceKind::Path(path) => path_name(path).replace(char::is_control, "?"),
        SourceKind::Container(container) => before_pattern(&container.name, "containers"),
        SourceKind::Pod(pod) => before_pattern(&pod.name, "pods"),
        SourceKind::Command(words) => {
            let program = words.first().map_or("command", String::as_str);
            program.rsplit('/').next().unwrap_or(program).to_owned()
        }
        SourceKind::Input => "stdin".to_owned(),
    }
}

/// What is unique where the derived name is not.
pub(super) fn full_name(kind: &SourceKind) -> String {
    kind.to_string()
}

/// The plain beginning of a name or pattern, without the character that joins it to the rest.
fn before_pattern(name: &str, otherwise: &str) -> String {
    let plain = name
        .split(['*', '?', '['])
        .next()
        .unwrap_or_default()
        .trim_end_matches(['-', '_', '.']);
    if plain.is_empty() {
        otherwise.to_owned()
    } else {
        plain.to_owned()
    }
}

fn source(entry: &Spanned<RawSource>) -> Result<SourceSpec, (usize, String)> {
    let raw = entry.get_ref();
    let kind = kind(entry)?;
    let name = match &raw.name {
        Some(name) => {
            check_label("source name", name.get_ref())
                .map_err(|message| (name.span().start, message))?;
            name.get_ref().clone()
        }
        None => derived_name(&kind),
    };
    if let Some(time) = &raw.time {
        check_format(time.get_ref()).map_err(|message| (time.span().start, message))?;
    }
    if let Some(archive) = &raw.archive {
        check_archive(archive.get_ref()).map_err(|message| (archive.span().start, message))?;
    }
    let time = raw.time.as_ref().map(|time| time.get_ref().clone());
    let encoding = match &raw.encoding {
        Some(label) => encoding(label)?,
        None => None,
    };
    let archive = raw.archive.as_ref();
    let archive = archive.map(|folder| folder.get_ref().trim_end_matches('/').to_owned());
    Ok(SourceSpec {
        name,
        kind,
        time,
        encoding,
        as_root: raw.root.is_some(),
        archive,
    })
}

/// A text that is shown and compared, and may be in a query.
pub(super) fn check_label(what: &str, label: &str) -> Result<(), String> {
    if label.trim().is_empty() {
        return Err(format!("{what} is empty"));
    }
    if label.starts_with('-') {
        return Err(format!("{what} {label:?} starts with '-'"));
    }
    match label
        .chars()
        .find(|c| c.is_control() || matches!(c, ',' | '"'))
    {
        Some(found) => Err(format!(
            "{what} {label:?} contains {found:?}, which is not allowed"
        )),
        None => Ok(()),
    }
}

/// The name of an encoding, as its standard has it; `None` for UTF-8.
fn encoding(label: &Spanned<String>) -> Result<Option<String>, (usize, String)> {
    match TextEncoding::named(label.get_ref()) {
        Some(encoding) if encoding.name() == "UTF-8" => Ok(None),
        Some(encoding) => Ok(Some(encoding.name().to_owned())),
        None => Err((
            label.span().start,
            format!(
                "unknown encoding {:?}; known are those of browsers, such as latin1, windows-1252, \
                 shift_jis, euc-jp, gbk, big5, euc-kr, koi8-r (UTF-16 needs no name)",
                label.get_ref()
            ),
        )),
    }
}

fn check_format(text: &str) -> Result<(), String> {
    let Err(message) = TimeFormat::parse(text) else {
        return Ok(());
    };
    if !message.starts_with("unknown time format") {
        return Err(message);
    }
    let all = || {
        let names = TimeFormat::names().collect::<Vec<_>>().join(", ");
        format!(
            "known formats: {names}; or a pattern with %Y %m %d %H %M %S, or a /regex/ with named groups"
        )
    };
    Err(format!(
        "{message}{}",
        suggestion_or(text, TimeFormat::names(), all)
    ))
}

fn path_name(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let file = parts.pop().unwrap_or(path);
    let owner = parts
        .iter()
        .rev()
        .find(|part| !PLAIN_FOLDERS.contains(part) && !is_pattern(part));
    match (is_pattern(file), owner) {
        (true, Some(owner)) => (*owner).to_owned(),
        (true, None) => path.to_owned(),
        (false, Some(owner)) if *owner != stem(file) => format!("{owner}/{}", stem(file)),
        (false, _) => stem(file).to_owned(),
    }
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

fn stem(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && PLAIN_EXTENSIONS.contains(&extension) => {
            stem
        }
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::{ContainerSelector, PodSelector};

    #[test]
    fn a_source_is_named_after_its_file_and_the_folder_it_belongs_to() {
        for (path, name) in [
            ("/var/log/nginx/access.log", "nginx/access"),
            ("/var/log/syslog", "syslog"),
            ("/srv/shop/log/web.log", "shop/web"),
            ("/srv/shop/logs/shop.log", "shop"),
            ("/srv/app/log/*.log", "app"),
            ("/var/log/*.log", "/var/log/*.log"),
            ("/app.jsonl", "app"),
            ("/opt/x/.log", "x/.log"),
            ("/srv/*/log/err.log", "srv/err"),
        ] {
            assert_eq!(
                source_at(path).map(|source| source.name),
                Ok(name.to_owned()),
                "{path}"
            );
        }
    }

    #[test]
    fn a_journal_unit_is_named_without_its_suffix() {
        assert_eq!(
            derived_name(&SourceKind::Journal(Some("nginx.service".to_owned()))),
            "nginx"
        );
        assert_eq!(derived_name(&SourceKind::Journal(None)), "journal");
    }

    #[test]
    fn containers_pods_and_commands_are_named_after_what_is_plain_of_them() {
        let container = |name: &str| {
            SourceKind::Container(ContainerSelector {
                engine: None,
                name: name.to_owned(),
            })
        };
        let pod = PodSelector {
            namespace: None,
            name: "*".to_owned(),
            container: None,
        };
        let command = SourceKind::Command(["/usr/bin/vmstat", "5"].map(str::to_owned).into());
        for (kind, name) in [
            (container("shop-web"), "shop-web"),
            (container("shop-*"), "shop"),
            (container("[ab]*"), "containers"),
            (SourceKind::Pod(pod), "pods"),
            (command, "vmstat"),
        ] {
            assert_eq!(derived_name(&kind), name);
        }
    }

    #[test]
    fn the_format_of_times_is_a_name_a_pattern_or_an_expression() {
        for good in [
            "iso8601",
            "clock",
            "%d.%m.%Y %H:%M:%S",
            r"/at (?<epoch>\d+)ms/",
        ] {
            assert_eq!(check_format(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            (
                "iso8061",
                "unknown time format \"iso8061\"; did you mean \"iso8601\"?",
            ),
            (
                "zzz",
                "unknown time format \"zzz\"; known formats: iso8601, syslog",
            ),
            ("%H", "the time pattern has no minute (%M)"),
            ("/x/", "the time expression needs a group"),
        ] {
            let error = check_format(bad).expect_err(bad);
            assert!(error.starts_with(why), "{error}");
        }
    }

    #[test]
    fn a_path_may_have_a_tab_or_a_line_end_which_its_name_has_not() {
        let source = source_at("/l/a\tb\nc.log").expect("a source");
        assert_eq!(source.name, "l/a?b?c");
        assert_eq!(source.kind, SourceKind::Path("/l/a\tb\nc.log".to_owned()));
    }

    #[test]
    fn a_path_is_absolute_and_names_files() {
        for bad in [
            "app.log",
            "~/app.log",
            "/var/log/",
            "/a\0b",
            "",
            "/a/**/b/**/c",
            "{/a,b}/c",
        ] {
            assert!(source_at(bad).is_err(), "{bad:?}");
        }
    }
}
