//! What the script says of files and folders that the login may not read.

use std::path::Path;

use super::{Talk, allow, id, unprivileged, with_every_shell};

#[test]
fn what_is_in_a_folder_that_may_not_be_entered_is_denied_and_not_missing() {
    with_every_shell(|shell, mut command| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let (locked, log) = (path("it's locked"), path("it's locked/sub/app.log"));
        std::fs::create_dir_all(log.parent().expect("a folder")).expect("folders");
        std::fs::write(&log, "one\n").expect("write");
        // A folder on the way and the file itself are links, one of them relative.
        std::os::unix::fs::symlink("it's locked/sub", path("way")).expect("link");
        std::os::unix::fs::symlink(path("way/app.log"), path("link")).expect("link");
        std::os::unix::fs::symlink("loop", path("loop")).expect("link");
        allow(folder.path(), 0o755);
        allow(&locked, 0o600);
        unprivileged(&mut command);
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &path("link"));
        talk.watch(2, &log);
        for (watch, name) in [(3, "none/app.log"), (4, "loop"), (5, "loop/app.log")] {
            talk.watch(watch, &path(name));
        }
        talk.watch(6, Path::new("relative/app.log"));
        let answers = talk.ask("poll 262144");
        let missing = [6, 5, 4, 3].map(|watch| format!("absent {watch} missing"));
        assert_eq!(
            (&answers[..4], &answers[6..]),
            (&missing[..], &["polled 0".to_owned()][..]),
            "{shell}"
        );
        let barrier = format!("\n{}", locked.display());
        for (watch, answer) in [(2, &answers[4]), (1, &answers[5])] {
            let begin = format!("denied {watch} - drw-------");
            assert!(
                answer.starts_with(&begin) && answer.ends_with(&barrier),
                "{shell}: {answer:?}"
            );
        }
        let pattern = crate::host::shell::protocol::escape(
            locked.join("*/*.log").to_str().expect("UTF-8").as_bytes(),
        );
        let answers = talk.ask(&format!("expand 0 {pattern}"));
        assert!(
            answers[0].starts_with("barred 0 drw-------") && answers[0].ends_with(&barrier),
            "{shell}: {answers:?}"
        );
        allow(&locked, 0o755);
        assert_eq!(
            talk.ask("poll 262144"),
            ["changed 1", "changed 2", "polled 0"],
            "{shell}"
        );
        talk.tell(&format!("read_from 1 {} 0", id(&log)));
        assert_eq!(
            talk.ask("poll 262144"),
            ["read 1 0 one", "polled 0"],
            "{shell}"
        );
        let answers = talk.ask(&format!("expand 0 {pattern}"));
        assert!(
            answers[0].starts_with("expanded 0 1 "),
            "{shell}: {answers:?}"
        );
    });
}

#[test]
fn of_a_file_that_may_not_be_read_it_is_told_once_whose_it_is_and_again_when_another_has_its_name()
{
    with_every_shell(|shell, mut command| {
        let folder = tempfile::tempdir().expect("a folder");
        let [log, next, open] =
            ["app.log", "next", "open.log"].map(|name| folder.path().join(name));
        for path in [&log, &next, &open] {
            std::fs::write(path, "one\n").expect("write");
        }
        allow(folder.path(), 0o755);
        allow(&log, 0);
        allow(&next, 0);
        unprivileged(&mut command);
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &log);
        talk.watch(2, &open);
        let denied = |answer: &str| {
            let (begin, end) = ("denied 1 ----------", format!("\n{}", log.display()));
            assert!(
                answer.starts_with(begin) && answer.ends_with(&end),
                "{shell}: {answer:?}"
            );
        };
        let answers = talk.ask("poll 262144");
        denied(&answers[0]);
        assert_eq!(answers[1..], ["changed 2", "polled 0"], "{shell}");
        talk.tell(&format!("read_from 2 {} 4", id(&open)));
        assert_eq!(
            talk.ask("poll 262144"),
            ["read 2 0 one", "polled 0"],
            "{shell}"
        );
        assert_eq!(talk.ask("poll 262144"), ["polled 0"], "{shell}");
        std::fs::rename(&next, &log).expect("rename");
        let answers = talk.ask("poll 262144");
        denied(&answers[0]);
        assert_eq!(answers[1..], ["polled 0"], "{shell}");
        allow(&log, 0o644);
        assert_eq!(
            talk.ask("poll 262144"),
            ["changed 1", "polled 0"],
            "{shell}"
        );
    });
}
