//! Logins as people have them: shells of every kind, with what their rc files say and set, and
//! those that are no shells at all.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logtrail::files::access::ScanRequest;
use logtrail::host::Files;
use logtrail::host::shell::ShellFiles;
use logtrail::model::log_file::LogFile;
use logtrail::model::state::{HostStatus, LinkState};
use logtrail::query::{Query, ReferenceTime};

use crate::support::connect::{connect, connector};
use crate::support::fleet::Watched;
use crate::support::spec::file_source;
use crate::support::sshd::{Builder, Sshd};
use crate::support::{Person, program, within};

/// The login shells that people have, and what `tests/run` installs for them.
const LOGIN_SHELLS: [&str; 7] = ["bash", "dash", "busybox ash", "zsh", "mksh", "fish", "tcsh"];

fn with_shell(shell: &str) -> Builder {
    let (name, applet) = shell
        .split_once(' ')
        .map_or((shell, ""), |(name, applet)| (name, applet));
    Sshd::builder().login_shell(&format!("{} {applet}", program(name).display()))
}

/// Three lines, asked for on a server.
async fn lines_on(sshd: &Sshd, what: &str) -> Watched {
    let log = sshd.path("app.log");
    fs::write(&log, "one\ntwo\nthree\n").expect("write");
    let mut host = sshd.host("web-1");
    host.sources.push(file_source("app", &log));
    let mut watched = Watched::follow(vec![host], 10);
    watched
        .until(&format!("the lines with {what}"), |w| w.records.len() >= 3)
        .await;
    watched
        .until(&format!("a sample with {what}"), |w| !w.samples.is_empty())
        .await;
    assert_eq!(watched.texts(), ["one", "two", "three"], "{what}");
    watched
}

/// A home whose rc files talk on both channels, fake what frames look like, and set what disturbs
/// shells.
fn noisy_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let noise = "echo 'Welcome! الخادم جاهز'\necho 'to standard error' >&2\n\
                 printf '\\n00112233445566778899aabbccddeeff F 1 1:2:3:4 0\\nfake\\n'\nprintf 'no line end'\n";
    let sh = format!(
        "{noise}set -u\nset -o noclobber\nexport SHELLOPTS\nexport LANG=ar_EG.UTF-8 LC_ALL=ar_EG.UTF-8\n\
                      export GREP_OPTIONS=--color=always CDPATH=/usr TIME_STYLE=full-iso\nalias stat=false dd=false\n"
    );
    for name in [
        ".bashrc",
        ".profile",
        ".bash_profile",
        ".zshenv",
        ".zshrc",
        ".mkshrc",
        ".shrc",
    ] {
        // Only bash can give its options to others.
        let text = if name == ".bashrc" {
            sh.clone()
        } else {
            sh.replace("export SHELLOPTS\n", "")
        };
        fs::write(home.path().join(name), text).expect("write");
    }
    let csh = "echo Welcome\nprintf 'no line end'\nsetenv LC_ALL ar_EG.UTF-8\nset noclobber\nalias stat false\n";
    for name in [".tcshrc", ".cshrc", ".login"] {
        fs::write(home.path().join(name), csh).expect("write");
    }
    fs::create_dir_all(home.path().join(".config/fish")).expect("a folder");
    let fish = "echo Welcome\necho 'to standard error' >&2\nset -gx LC_ALL ar_EG.UTF-8\nalias stat=false\nprintf 'no line end'\n";
    fs::write(home.path().join(".config/fish/config.fish"), fish).expect("write");
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn r41_every_login_shell_serves_whatever_its_rc_files_print_and_set() {
    let home = noisy_home();
    for shell in LOGIN_SHELLS {
        let home = format!("HOME={}", home.path().display());
        let sshd = with_shell(shell)
            .environment(&[&home, "LANG=ar_EG.UTF-8", "ENV=/nonexistent"])
            .start();
        lines_on(&sshd, shell).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r41_a_path_that_is_empty_or_leads_nowhere_does_not_matter() {
    for path in ["PATH=", "PATH=/nonexistent"] {
        lines_on(&Sshd::builder().environment(&[path]).start(), path).await;
    }
}

/// What a host is told to be that cannot serve.
async fn refusal(what: &str, sshd: &Sshd) -> HostStatus {
    let mut watched = Watched::follow(vec![sshd.host("web-1")], 10);
    let denied = |w: &Watched| {
        w.statuses
            .last()
            .is_some_and(|(_, status)| status.state == LinkState::Denied)
    };
    watched
        .until(&format!("a refusal with {what}"), denied)
        .await;
    watched.statuses.last().expect("a status").1.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn r41_what_is_no_shell_is_denied_in_one_line_that_says_what_it_is() {
    let rbash = program("rbash");
    let cases = [
        (
            "nologin",
            format!(
                "exec {} -c \"$SSH_ORIGINAL_COMMAND\"",
                program("nologin").display()
            ),
            "not available",
        ),
        (
            "a forced command",
            "echo 'This account is for mail only.'; exit 7".to_owned(),
            "for mail only",
        ),
        (
            "a menu",
            "printf '1) status\\n2) reboot\\n> '; read -r choice; echo 'No such entry.'; exit 1"
                .to_owned(),
            "No such entry.",
        ),
        (
            "a restricted shell",
            format!("exec {} -c \"$SSH_ORIGINAL_COMMAND\"", rbash.display()),
            "restricted",
        ),
        (
            "no /bin/sh",
            "exec /nonexistent/sh -s".to_owned(),
            "/nonexistent/sh",
        ),
        (
            "a shell that fails in its rc file",
            "echo 'rc: 3: conf: parameter not set' >&2; exit 2".to_owned(),
            "parameter not set",
        ),
    ];
    for (what, command, said) in cases {
        let sshd = Sshd::builder()
            .config(format!("ForceCommand {command}"))
            .start();
        let status = refusal(what, &sshd).await;
        let reason = status.reason.clone().unwrap_or_default();
        assert!(
            reason.contains(said) && !reason.contains('\n') && reason.len() < 300,
            "{what}: {reason:?}"
        );
        assert!(
            status
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("exec /bin/sh -s")),
            "{what}: {status:?}"
        );
        assert_eq!(
            status.retry_in_s, None,
            "{what}: trying again does not help"
        );
    }
}

/// What people and attackers call files; `CANARY` is where a command in a name would leave its
/// mark.
const NAMES: [&[u8]; 30] = [
    b"plain.log",
    b"with blank.log",
    b"  leading and trailing  ",
    b"tab\there",
    b"new\nline",
    b"line end\n",
    b"carriage\rreturn",
    b"single'quote",
    b"double\"quote",
    b"back\\slash\\n\\0101",
    b"$(touch CANARY)",
    b"`touch CANARY`",
    b"; touch CANARY ;",
    b"| touch CANARY",
    b"& touch CANARY &",
    b"> CANARY",
    b"$HOME",
    b"${IFS}x",
    b"-rf",
    b"--help",
    b"~",
    b"~root",
    b"{a,b}",
    b"!x!!",
    b"%s%n%b",
    b"#comment",
    b"invalid\xff\xfeutf8",
    "ünïcödé-ملف".as_bytes(),
    b"'; exec touch CANARY; '",
    b"a=b;$a",
];

/// A folder of logs with hostile names in a folder with one, each with its number in it; and where
/// a mark would be.
fn hostile(sshd: &Sshd) -> (PathBuf, PathBuf) {
    let canary = sshd.path("canary");
    // A name has no slashes: a command in it would leave its mark in the folder where it runs.
    let folder = sshd.path("logs $(touch canary) 'x' \"y\" ;z");
    fs::create_dir(&folder).expect("a folder");
    for (number, name) in NAMES.iter().enumerate() {
        let name: Vec<u8> = String::from_utf8(name.to_vec()).map_or(name.to_vec(), |name| {
            name.replace("CANARY", "canary").into_bytes()
        });
        fs::write(
            folder.join(std::ffi::OsStr::from_bytes(&name)),
            format!("content {number}\n"),
        )
        .expect("write");
    }
    (folder, canary)
}

#[tokio::test(flavor = "multi_thread")]
async fn r65_hostile_names_are_only_names_with_every_login_shell() {
    for shell in LOGIN_SHELLS {
        let home = tempfile::tempdir().expect("a home");
        let sshd = with_shell(shell)
            .environment(&[&format!("HOME={}", home.path().display())])
            .start();
        let (folder, canary) = hostile(&sshd);
        let mut host = sshd.host("web-1");
        // By a pattern, which finds them all, and each that is UTF-8 by its name.
        host.sources.push(file_source("all", &folder.join("*")));
        let mut watched = Watched::follow(vec![host], 10);
        watched
            .until(&format!("all lines with {shell}"), |w| {
                w.records.len() >= NAMES.len()
            })
            .await;
        let mut texts = watched.texts();
        texts.sort_by_key(|text| {
            text.rsplit(' ')
                .next()
                .and_then(|number| number.parse::<u32>().ok())
        });
        let expected: Vec<String> = (0..NAMES.len())
            .map(|number| format!("content {number}"))
            .collect();
        assert_eq!(texts, expected, "{shell}");
        rotated(&mut watched, &folder, shell).await;
        nothing_was_run(&[&folder, home.path(), &sshd.path("")], &canary, shell);
    }
}

/// Names reach the search for an old generation too.
async fn rotated(watched: &mut Watched, folder: &Path, shell: &str) {
    let seen = watched.records.len();
    let log = folder.join("$(touch canary)");
    let old = folder.join("$(touch canary).1");
    let mut text = fs::read_to_string(&log).expect("a log");
    text.push_str("the rest\n");
    fs::write(&log, text).expect("append");
    fs::rename(&log, &old).expect("rename");
    fs::write(&log, "the next\n").expect("create");
    watched
        .until(&format!("a rotation with {shell}"), |w| {
            w.records.len() >= seen + 2
        })
        .await;
    assert_eq!(watched.texts()[seen..], ["the rest", "the next"], "{shell}");
    assert_eq!(watched.gaps, [], "{shell}");
}

/// A name that was run would have left a file, here or where the login begins.
fn nothing_was_run(folders: &[&Path], canary: &Path, shell: &str) {
    assert!(!canary.exists(), "{shell} ran a name");
    for folder in folders {
        let names = fs::read_dir(folder)
            .expect("a folder")
            .filter_map(Result::ok)
            .map(|entry| entry.file_name());
        let marks: Vec<_> = names
            .filter(|name| name.as_bytes() == b"canary" || name.as_bytes() == b"CANARY")
            .collect();
        assert!(
            marks.is_empty(),
            "{shell} ran a name in {}",
            folder.display()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r65_each_hostile_name_is_followed_by_its_name() {
    for shell in LOGIN_SHELLS {
        let home = tempfile::tempdir().expect("a home");
        let sshd = with_shell(shell)
            .environment(&[&format!("HOME={}", home.path().display())])
            .start();
        let (folder, canary) = hostile(&sshd);
        let mut host = sshd.host("web-1");
        let files: Vec<PathBuf> = fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        let named: Vec<&PathBuf> = files
            .iter()
            .filter(|path| path.to_str().is_some())
            .collect();
        for (number, path) in named.iter().enumerate() {
            host.sources.push(file_source(&format!("s{number}"), path));
        }
        let mut watched = Watched::follow(vec![host], 10);
        watched
            .until(&format!("all lines with {shell}"), |w| {
                w.records.len() >= named.len()
            })
            .await;
        assert_eq!(
            watched.records.len(),
            NAMES.len() - 1,
            "{shell}: one is not UTF-8"
        );
        nothing_was_run(&[&folder, home.path(), &sshd.path("")], &canary, shell);
    }
}

/// The lines that have "content" in them.
async fn scanned(files: &mut ShellFiles, file: &LogFile) -> Vec<Vec<u8>> {
    let filter = Query::parse("content", &ReferenceTime::default())
        .expect("a query")
        .prefilter();
    let scan = ScanRequest {
        file: file.clone(),
        from: 0,
        to: u64::MAX,
        filter,
        before: 1,
        after: 1,
    };
    files.scan(&scan).await.expect("it begins");
    let mut lines = Vec::new();
    while let Some(finds) = files.next().await.expect("it goes on") {
        lines.extend(finds.lines.into_iter().map(|found| found.raw.to_vec()));
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn r65_files_with_hostile_names_are_listed_read_measured_and_searched() {
    for shell in LOGIN_SHELLS {
        let home = tempfile::tempdir().expect("a home");
        let sshd = with_shell(shell)
            .environment(&[&format!("HOME={}", home.path().display())])
            .start();
        let (folder, canary) = hostile(&sshd);
        let connection = connect(&sshd.host("web-1")).await;
        let mut files = ShellFiles::start(&connection)
            .await
            .unwrap_or_else(|error| panic!("{shell}: {error}"));
        let listed = files
            .list(folder.join("*").as_os_str().as_bytes())
            .await
            .expect("a list");
        assert_eq!(listed.len(), NAMES.len(), "{shell}");
        for file in listed.iter() {
            let content = fs::read(std::ffi::OsStr::from_bytes(&file.path)).expect("it is here");
            let name = file.path.escape_ascii();
            assert!(
                files.list(&file.path).await.expect("a list").contains(file),
                "{shell}: {name}"
            );
            assert_eq!(
                files.read(file, 0, 4096).await.expect("text").bytes,
                content,
                "{shell}: {name}"
            );
            assert_eq!(
                files.measure(file).await.expect("a length"),
                content.len() as u64,
                "{shell}: {name}"
            );
            assert_eq!(
                scanned(&mut files, file).await,
                [content.trim_ascii_end()],
                "{shell}: {name}"
            );
        }
        nothing_was_run(&[&folder, home.path(), &sshd.path("")], &canary, shell);
    }
}

/// A start file that puts another shell in the place of ours, as people do who may not change their
/// login shell.
#[tokio::test(flavor = "multi_thread")]
async fn r41_a_start_file_that_becomes_another_shell_is_served_or_told_in_one_line() {
    for shell in ["zsh", "mksh", "bash", "busybox ash"] {
        let sshd = Sshd::builder()
            .config(format!("ForceCommand exec {shell}"))
            .start();
        lines_on(&sshd, shell).await;
    }
    for shell in ["fish", "tcsh"] {
        let sshd = Sshd::builder()
            .config(format!("ForceCommand exec {shell}"))
            .start();
        let connector = connector(&Person::absent()).with_login_time(Duration::from_secs(4));
        let host = sshd.host("web-1");
        let connecting = within("connecting", connector.connect(&host));
        let connection = connecting.await.expect("it is let in");
        let error = connection.open_shell().await.err().expect("no POSIX shell");
        let reason = error.status.reason.unwrap_or_default();
        assert!(
            reason.contains("no shell") && !reason.contains('\n'),
            "{shell}: {reason}"
        );
        let hint = error.status.hint.unwrap_or_default();
        assert!(hint.contains(".bashrc"), "{shell}: {hint}");
    }
}
