//! What our scripts may say: a fixed vocabulary of programs that only read, with fixed options, and
//! no text of a user where text is evaluated. Every script below `src` is looked at, also one that
//! nobody has told this test of.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use proptest::prelude::*;

use super::lexer::take_apart;
use super::with_every_shell;
use crate::files::follow::{FileFingerprint, FollowRequest};
use crate::host::shell::follow::protocol::FollowScriptRequest;
use crate::host::shell::protocol::escape;
use crate::model::cursor::FileId;

/// What a shell does by itself. `.` and `source` are not among them, nor is anything that changes a
/// file.
const BUILTINS: &str = "[ : break cap command continue echo eval exec exit export kill printf read return set shift trap \
                        true ulimit unset wait";

/// Programs and the options each may get. What is no option is an operand.
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("/bin/sh", "-s -c"),
    ("awk", ""),
    ("bzip2", "-dc"),
    ("cat", ""),
    ("cksum", ""),
    ("date", ""),
    ("dd", ""),
    ("df", "-P -k -i"),
    ("getconf", ""),
    ("grep", "-s -c -sv -a -b -B -A -F -E -f -n --line-buffered"),
    ("gzip", "-dc"),
    ("head", "-n -c"),
    ("id", "-un -Gn"),
    ("ionice", "-c -p"),
    ("ls", "-dLin -dLl --"),
    ("ps", "-A -o"),
    ("readlink", "-f -z --"),
    ("renice", "-n -p"),
    ("setsid", "-s -c"),
    ("sh", "-c -s -n -a -b -f"),
    ("sleep", ""),
    ("sort", "-rn"),
    ("stat", "-L -c --"),
    ("tail", "-n -c -q -s -F -- --version"),
    ("timeout", ""),
    ("tr", "-cd -d"),
    ("uname", "-s -m -r -n"),
    ("wc", "-c"),
    ("xz", "-dc"),
    ("zstd", "-dcq"),
];

/// Commands that are called by a variable, with what it holds: a constant; a function of the script
/// with its operands; a program of `programs::argv` or of the inventory, each of its words in a
/// word of its own.
const BY_VARIABLE: &[(&str, &str)] = &[
    ("follow.sh", "$limit"),
    ("files.sh", "\"$@\""),
    ("programs.sh", "\"$@\""),
];

/// Variables that may stand in what is evaluated: numbers that the console made or we counted, and
/// names of variables made of them. Everything else stands behind a backslash, and so is looked up
/// when the text has been read.
const EVALUATED: &str = "1 2 3 i a k n own_links why all list names parts can logs batched handle operands folders looked";

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("the sources")
        .filter_map(|entry| Some(entry.ok()?.path()));
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let here = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"));
    here.chain(folders.iter().flat_map(|folder| scripts(folder)))
        .collect()
}

#[test]
fn r70_our_scripts_run_nothing_but_programs_that_read_with_fixed_options() {
    let found = scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(found.len() >= 5, "{found:?}");
    let texts: Vec<(String, String)> = found
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read_to_string(path).expect("a script"))
        })
        .collect();
    let functions: Vec<String> = texts
        .iter()
        .flat_map(|(_, text)| take_apart(text).functions)
        .collect();
    for (name, text) in &texts {
        let taken = take_apart(text);
        for words in &taken.commands {
            check(name, words, &functions);
        }
        for to in &taken.outputs {
            let channel = to
                .strip_prefix('&')
                .is_some_and(|to| to.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
            assert!(channel || to == "/dev/null", "{name} writes to {to}");
        }
    }
}

fn check(script: &str, words: &[String], functions: &[String]) {
    let [program, operands @ ..] = words else {
        return;
    };
    let is = |list: &str| list.split(' ').any(|known| known == program);
    if program == "eval" {
        return operands.iter().for_each(|text| evaluated(script, text));
    }
    if program == "exec" {
        return check(script, operands, functions);
    }
    if BY_VARIABLE.contains(&(script, program.as_str())) {
        return check(
            script,
            if program == "$limit" { operands } else { &[] },
            functions,
        );
    }
    if is(BUILTINS) || functions.contains(program) {
        return;
    }
    let Some((_, options)) = PROGRAMS.iter().find(|(known, _)| known == program) else {
        panic!("{script} runs {program}, which is not on the list: {words:?}");
    };
    // A "-" alone is an operand. What stands behind the text of a shell is no option of it.
    for word in operands
        .iter()
        .filter(|word| word.starts_with('-') && word.len() > 1)
    {
        assert!(
            options.split(' ').any(|known| known == word),
            "{script}: {program} with {word}: {words:?}"
        );
    }
    assert!(
        program != "dd" || !operands.iter().any(|word| word.starts_with("of=")),
        "{script}: {words:?}"
    );
    match program.as_str() {
        "setsid" => {
            assert_eq!(
                operands.first().map(String::as_str),
                Some("/bin/sh"),
                "{script}: {words:?}"
            );
            check(script, operands, functions);
        }
        "/bin/sh" if operands == ["-s"] => {}
        "awk" => constant(script, operands.first()),
        "sh" | "/bin/sh" => {
            let text = operands.iter().skip_while(|word| *word != "-c").nth(1);
            constant(script, text);
            let inner = text.expect("just seen").trim_matches('\'');
            for words in take_apart(inner).commands {
                check(script, &words, functions);
            }
        }
        _ => {}
    }
}

/// A program in a program: all of it in single quotes, where nothing is replaced.
fn constant(script: &str, text: Option<&String>) {
    let text = text.unwrap_or_else(|| panic!("{script}: no program"));
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''));
    assert!(
        inner.is_some_and(|inner| !inner.contains('\'')),
        "{script}: {text} is not constant"
    );
}

/// Text that is evaluated names variables; what they hold does not become part of it.
fn evaluated(script: &str, text: &str) {
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        rest = &rest[at + 1..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        // "$1" is one digit, whatever follows.
        let end = if rest.starts_with(|c: char| c.is_ascii_digit()) {
            1
        } else {
            end
        };
        let known = EVALUATED.split(' ').any(|known| known == &rest[..end]);
        assert!(
            escaped || rest.starts_with("((") || known,
            "{script}: {text:?} evaluates what ${rest} holds"
        );
    }
    assert!(
        !text.contains('`') && !text.replace("$((", "").contains("$("),
        "{script}: {text:?} runs something"
    );
}

#[test]
fn r70_the_rules_find_what_breaks_them() {
    let broken = |script: &str| {
        let taken = take_apart(script);
        let checked = std::panic::catch_unwind(|| {
            taken
                .commands
                .iter()
                .for_each(|words| check("follow.sh", words, &taken.functions));
        });
        checked.is_err()
    };
    for script in [
        "rm x",
        "if true; then curl x; fi",
        "a=$(sed -i s/a/b/ x)",
        "tail --follow=name x",
        "dd of=x",
        "eval \"x=$path\"",
        "eval \"x=$(cat y)\"",
        "awk \"$program\"",
        "sh -c 'echo $$; exec rm x'",
        "setsid /bin/sh -c 'rm x'",
        "setsid sh -s",
        "exec $limit find / -delete",
        "\"$@\"",
    ] {
        assert!(broken(script), "{script}");
    }
    assert!(!broken(
        "f() { eval \"x_$1=\\$y\"; }; f 1 | cat; exec stat -L -c x -- \"$@\""
    ));
}

/// What `printf %b` makes of a word.
fn unescaped(word: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'\\' {
            let digits = std::str::from_utf8(&after[1..4]).expect("digits");
            out.push(u8::from_str_radix(digits, 8).expect("an octal number"));
            rest = &after[4..];
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

fn any_request() -> impl Strategy<Value = FollowRequest> {
    let path = prop::collection::vec(any::<u8>(), 1..60);
    let id = || (any::<u64>(), any::<u64>()).prop_map(|(dev, ino)| FileId { dev, ino });
    let mark = || prop::option::of((any::<u32>(), any::<usize>(), any::<u64>()));
    let mark = move || {
        mark().prop_map(|mark| {
            mark.map(|(sum, length, since)| FileFingerprint { sum, length, since })
        })
    };
    prop_oneof![
        (any::<u32>(), any::<u32>(), path).prop_map(|(watch, chain, path)| FollowRequest::Watch {
            watch,
            chain,
            siblings: Box::new([path.clone(), path.clone()]),
            path,
        }),
        (any::<u32>(), id(), any::<u64>())
            .prop_map(|(watch, id, offset)| FollowRequest::ReadFrom(watch, id, offset)),
        (any::<u32>(), any::<u32>(), id(), any::<u64>(), mark()).prop_map(
            |(watch, near, id, offset, mark)| FollowRequest::Find {
                watch,
                near,
                id,
                offset,
                mark
            }
        ),
        (any::<u32>(), any::<u64>()).prop_map(|(watch, offset)| FollowRequest::Hole(watch, offset)),
        any::<u32>().prop_map(FollowRequest::List),
        any::<u32>().prop_map(FollowRequest::Heads),
        (any::<u32>(), any::<u64>())
            .prop_map(|(watch, offset)| FollowRequest::Compare(watch, offset)),
        any::<u32>().prop_map(FollowRequest::Forget),
    ]
}

proptest! {
    #[test]
    fn r70_a_request_is_one_line_of_plain_words_whatever_the_path(request in any_request()) {
        let mut line = String::new();
        FollowScriptRequest::File(&request).encode(&mut line);
        let body = line.strip_suffix('\n').expect("a line");
        prop_assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" /._-:\\".contains(&byte)), "{line:?}");
        let words: Vec<&str> = body.split(' ').collect();
        prop_assert!(words.iter().all(|word| !word.is_empty()), "{line:?}");
        if let FollowRequest::Watch { watch, chain, path, .. } = &request {
            prop_assert_eq!(&words[..3], ["watch", &watch.to_string(), &chain.to_string()]);
            prop_assert_eq!(words.len(), 6);
            prop_assert!(words[3..].iter().all(|word| &unescaped(word) == path));
        }
    }
}

#[test]
fn r65_every_shell_reads_every_byte_of_a_path_as_it_was() {
    let path: Vec<u8> = (1..=255)
        .chain([b'\n', b'\n', b'7', b'\\', b'0', b'\n'])
        .collect();
    with_every_shell(|shell, mut command| {
        // As the scripts do it: read as a word, unescaped, with a full stop that keeps the line
        // ends at the end.
        let script = format!(
            "LC_ALL=C\nread -r op a <<'X'\nwatch {}\nX\na=$(printf '%b.' \"$a\"); printf %s \"${{a%.}}\"\n",
            escape(&path)
        );
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the shell starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), script.as_bytes())
            .expect("it reads");
        assert_eq!(
            child.wait_with_output().expect("it ends").stdout,
            path,
            "{shell}"
        );
    });
}

#[test]
fn r69_every_script_gives_up_writing_before_anything_else() {
    for script in [&*super::FOLLOW, &*super::FILES, &*super::PROGRAMS] {
        let (before, _) = script
            .split_once("ulimit -f 0; ulimit -c 0")
            .expect("it gives up writing");
        let taken = take_apart(before);
        let names: Vec<&str> = taken
            .commands
            .iter()
            .map(|words| words[0].as_str())
            .collect();
        assert_eq!(names, ["export", "export", "unset"], "nothing runs before");
    }
    let (before, _) = super::LAUNCH
        .split_once("ulimit -f 0")
        .expect("it gives up writing");
    assert_eq!(
        take_apart(before).commands,
        [["export", "PATH"]],
        "nothing runs before"
    );
}
