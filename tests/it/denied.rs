//! R15: logs that may not be read, at first or for a while.
//!
//! Nothing is denied to root, who runs tests in containers. So each test runs itself once more
//! without the two capabilities that pass over modes; the servers and shells that it starts are
//! bound by modes too.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use logtrail::model::gap::GapReason;
use logtrail::model::host::HostSpec;
use logtrail::model::state::{HostStatus, LinkState};

use crate::support::binary::logtrail;
use crate::support::files::append;
use crate::support::fleet::Watched;
use crate::support::inventory::Inventory;
use crate::support::program;
use crate::support::serials::assert_complete;
use crate::support::spec::{following, local_host};
use crate::support::sshd::{Sshd, me};
use crate::support::writer::Writer;

const AGAIN: &str = "LOGTRAIL_TEST_BOUND_BY_MODES";
const LONG: Duration = Duration::from_secs(40);

/// Whether modes bind this process. Where they do not, the test of this name is run by one that
/// they bind.
fn is_bound_by_modes(test: &str) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("write");
    allow(&file, 0);
    if File::open(&file).is_err() {
        return true;
    }
    assert!(
        std::env::var_os(AGAIN).is_none(),
        "without the capabilities modes still do not bind us"
    );
    let without = "-dac_override,-dac_read_search";
    let output = Command::new(program("setpriv"))
        .args(["--bounding-set", without, "--inh-caps", without])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("denied::{test}"), "--nocapture"])
        .env(AGAIN, "1")
        .output()
        .expect("setpriv runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{complaint}"
    );
    false
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

/// A log in a folder of its own, and who follows it.
struct Place {
    sshd: Sshd,
    log: PathBuf,
    is_here: bool,
}

impl Place {
    /// Followed on this machine, and by SSH.
    fn both() -> [Self; 2] {
        [true, false].map(|is_here| {
            let sshd = Sshd::start();
            fs::create_dir(sshd.path("logs")).expect("a folder");
            let log = sshd.path("logs/app.log");
            Self { sshd, log, is_here }
        })
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.log.with_file_name(name)
    }

    fn host(&self, path: &Path) -> HostSpec {
        if self.is_here {
            local_host("here", &[path])
        } else {
            following(&self.sshd, "there", path)
        }
    }

    fn follow(&self, lines: u32) -> Watched {
        Watched::follow(vec![self.host(&self.log)], lines)
    }

    /// Follows these lines and has read them.
    async fn read(&self, text: &str) -> Watched {
        append(&self.log, text);
        let mut watched = self.follow(100);
        let lines = text.matches('\n').count();
        watched
            .until("what was there", |w| w.records.len() == lines)
            .await;
        watched
    }
}

/// The state of the host, as it was told last.
fn status(watched: &Watched) -> &HostStatus {
    &watched.statuses.last().expect("a state").1
}

fn is_denied(watched: &Watched) -> bool {
    let problem = watched
        .sources
        .last()
        .and_then(|info| info.problem.as_deref());
    problem.is_some_and(|why| why.starts_with("permission denied"))
}

async fn until_denied(watched: &mut Watched) {
    watched
        .until("that it is denied", |w| {
            is_denied(w) && status(w).state == LinkState::Degraded
        })
        .await;
}

/// Waits until the log is read, and for so many lines.
async fn until_read(watched: &mut Watched, lines: usize) {
    let is_read =
        |w: &Watched| w.records.len() >= lines && !is_denied(w) && status(w).state == LinkState::Ok;
    watched
        .until_within(LONG, "that it is read again", is_read)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_denied_log_begins_with_its_last_lines_once_it_is_granted() {
    if !is_bound_by_modes("r15_a_denied_log_begins_with_its_last_lines_once_it_is_granted") {
        return;
    }
    for place in Place::both() {
        append(&place.log, "one\ntwo\nthree\n");
        allow(&place.log, 0);
        let mut watched = place.follow(2);
        until_denied(&mut watched).await;
        allow(&place.log, 0o644);
        until_read(&mut watched, 2).await;
        append(&place.log, "four\n");
        until_read(&mut watched, 3).await;
        assert_eq!(watched.texts(), ["two", "three", "four"]);
        assert_eq!(watched.gaps, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_log_that_is_denied_while_it_is_written_goes_on_where_it_was() {
    if !is_bound_by_modes("r15_a_log_that_is_denied_while_it_is_written_goes_on_where_it_was") {
        return;
    }
    for place in Place::both() {
        let mut writer = Writer::start(&place.log, &place.beside("no"), 2000);
        let mut watched = place.follow(0);
        watched.until("lines", |w| w.records.len() > 500).await;
        for round in 0..4 {
            allow(&place.log, 0);
            until_denied(&mut watched).await;
            let (enough, seen) = (writer.written() + 2000, watched.records.len());
            writer.until_beyond(enough).await;
            if round % 2 == 1 && !place.is_here {
                place.sshd.cut();
            }
            allow(&place.log, 0o644);
            until_read(&mut watched, seen + 2000).await;
        }
        assert_complete(&mut watched, &mut writer, LONG).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_log_at_rest_that_is_denied_for_a_while_is_not_told_again() {
    if !is_bound_by_modes("r15_a_log_at_rest_that_is_denied_for_a_while_is_not_told_again") {
        return;
    }
    for place in Place::both() {
        let mut watched = place.read("one\ntwo, without its e").await;
        for _ in 0..2 {
            allow(&place.log, 0);
            until_denied(&mut watched).await;
            allow(&place.log, 0o644);
            until_read(&mut watched, 1).await;
        }
        append(&place.log, "nd\n");
        until_read(&mut watched, 2).await;
        assert_eq!(watched.texts(), ["one", "two, without its end"]);
        assert_eq!(watched.gaps, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_connection_that_is_lost_while_the_log_is_denied_changes_nothing() {
    if !is_bound_by_modes("r15_a_connection_that_is_lost_while_the_log_is_denied_changes_nothing") {
        return;
    }
    let [_, place] = Place::both();
    let mut watched = place.read("one\ntwo\n").await;
    let mut writer = OpenOptions::new()
        .append(true)
        .open(&place.log)
        .expect("open");
    allow(&place.log, 0);
    until_denied(&mut watched).await;
    for text in ["three\n", "four\n"] {
        let (told, accepted) = (watched.statuses.len(), place.sshd.accepted());
        place.sshd.cut();
        writer.write_all(text.as_bytes()).expect("write");
        let is_back = |w: &Watched| {
            place.sshd.accepted() > accepted
                && w.statuses[told..]
                    .iter()
                    .any(|(_, status)| !status.state.is_up())
                && status(w).state == LinkState::Degraded
        };
        watched
            .until_within(LONG, "that it is denied on the next connection", is_back)
            .await;
    }
    assert_eq!(watched.texts(), ["one", "two"]);
    allow(&place.log, 0o644);
    until_read(&mut watched, 4).await;
    // Granted while nobody is there to see it.
    allow(&place.log, 0);
    until_denied(&mut watched).await;
    place.sshd.cut();
    allow(&place.log, 0o644);
    append(&place.log, "five\n");
    until_read(&mut watched, 5).await;
    assert_eq!(watched.texts(), ["one", "two", "three", "four", "five"]);
    assert_eq!(watched.gaps, []);
}

/// A log that is denied, written to, renamed and succeeded by one that is denied too.
async fn rotated(place: &Place) -> Watched {
    let mut watched = place.read("one\ntwo\n").await;
    let mut writer = OpenOptions::new()
        .append(true)
        .open(&place.log)
        .expect("open");
    allow(&place.log, 0);
    until_denied(&mut watched).await;
    writer.write_all(b"three\n").expect("write");
    fs::rename(&place.log, place.beside("app.log.1")).expect("rename");
    writer.write_all(b"three and a half\n").expect("write");
    append(&place.beside("next"), "four\n");
    allow(&place.beside("next"), 0);
    fs::rename(place.beside("next"), &place.log).expect("rename");
    watched
}

const ROTATED: [&str; 6] = ["one", "two", "three", "three and a half", "four", "five"];

#[tokio::test(flavor = "multi_thread")]
async fn r15_the_old_file_is_read_first_when_a_denied_log_was_rotated() {
    if !is_bound_by_modes("r15_the_old_file_is_read_first_when_a_denied_log_was_rotated") {
        return;
    }
    for order in [["app.log.1", "app.log"], ["app.log", "app.log.1"]] {
        for place in Place::both() {
            let mut watched = rotated(&place).await;
            let modes = order.map(|name| place.beside(name));
            let granted = Command::new("chmod")
                .arg("0644")
                .args(&modes)
                .status()
                .expect("chmod");
            assert!(granted.success());
            until_read(&mut watched, 5).await;
            append(&place.log, "five\n");
            until_read(&mut watched, 6).await;
            assert_eq!(watched.texts(), ROTATED, "{order:?}");
            assert_eq!(watched.gaps, []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_the_new_file_waits_a_moment_for_the_old_one_to_be_granted_too() {
    if !is_bound_by_modes("r15_the_new_file_waits_a_moment_for_the_old_one_to_be_granted_too") {
        return;
    }
    for place in Place::both() {
        let mut watched = rotated(&place).await;
        allow(&place.log, 0o644);
        until_read(&mut watched, 2).await;
        allow(&place.beside("app.log.1"), 0o644);
        append(&place.log, "five\n");
        until_read(&mut watched, 6).await;
        assert_eq!(watched.texts(), ROTATED);
        assert_eq!(watched.gaps, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_the_reason_names_the_group_that_may_and_the_hint_how_to_join_it() {
    if !is_bound_by_modes("r15_the_reason_names_the_group_that_may_and_the_hint_how_to_join_it") {
        return;
    }
    for place in Place::both() {
        append(&place.log, "one\n");
        allow(&place.log, 0o040);
        // Only root can give a file to a group that it is not in.
        let is_given = Command::new("chgrp")
            .args(["adm"])
            .arg(&place.log)
            .output()
            .expect("chgrp")
            .status
            .success();
        assert!(
            is_given || !rustix::process::geteuid().is_root(),
            "there is a group adm"
        );
        let mut watched = place.follow(1);
        until_denied(&mut watched).await;
        let HostStatus { reason, hint, .. } = status(&watched).clone();
        let (reason, hint) = (reason.expect("a reason"), hint.expect("a hint"));
        if is_given {
            assert!(
                reason.ends_with("/logs/app.log: permission denied: needs group adm"),
                "{reason}"
            );
            assert!(
                hint.contains(&format!("usermod -aG adm {}", me())),
                "{hint}"
            );
        } else {
            assert!(
                reason.contains("/logs/app.log: permission denied: has mode ----r-----, of "),
                "{reason}"
            );
            assert!(hint.contains(&format!("setfacl -m u:{}:r", me())), "{hint}");
        }
        let folder = place.log.parent().expect("a folder");
        allow(folder, 0o600);
        let names_it = |w: &Watched| {
            let told = status(w).reason.as_deref().unwrap_or_default();
            told.contains(&format!(
                "permission denied: folder {} has mode drw-------",
                folder.display()
            ))
        };
        watched.until("the folder as the reason", names_it).await;
        allow(folder, 0o755);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_an_old_file_that_stays_denied_is_one_gap_and_its_successor_is_read() {
    if !is_bound_by_modes("r15_an_old_file_that_stays_denied_is_one_gap_and_its_successor_is_read")
    {
        return;
    }
    for place in Place::both() {
        let mut watched = rotated(&place).await;
        allow(&place.log, 0o644);
        until_read(&mut watched, 3).await;
        append(&place.log, "five\n");
        until_read(&mut watched, 4).await;
        assert_eq!(watched.texts(), ["one", "two", "four", "five"]);
        let gaps: Vec<_> = watched
            .gaps
            .iter()
            .map(|gap| (gap.from, gap.reason))
            .collect();
        assert_eq!(gaps, [(8, GapReason::RotatedAway)]);
    }
}

/// As `create 0600` of logrotate makes it where the mode of the log was given by hand.
#[tokio::test(flavor = "multi_thread")]
async fn r15_a_renamed_file_is_read_to_its_end_though_its_successor_is_denied() {
    if !is_bound_by_modes("r15_a_renamed_file_is_read_to_its_end_though_its_successor_is_denied") {
        return;
    }
    for place in Place::both() {
        let mut watched = place.read("one\n").await;
        append(&place.beside("next"), "three\n");
        allow(&place.beside("next"), 0);
        let mut writer = OpenOptions::new()
            .append(true)
            .open(&place.log)
            .expect("open");
        fs::rename(&place.log, place.beside("app.log.1")).expect("rename");
        fs::rename(place.beside("next"), &place.log).expect("rename");
        until_denied(&mut watched).await;
        writer.write_all(b"two\n").expect("write");
        watched
            .until("the end of the old file", |w| w.texts() == ["one", "two"])
            .await;
        assert!(is_denied(&watched), "{:?}", watched.sources);
        allow(&place.log, 0o644);
        until_read(&mut watched, 3).await;
        assert_eq!(watched.texts(), ["one", "two", "three"]);
        assert_eq!(watched.gaps, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_log_goes_on_where_it_was_after_its_folder_was_denied() {
    if !is_bound_by_modes("r15_a_log_goes_on_where_it_was_after_its_folder_was_denied") {
        return;
    }
    for place in Place::both() {
        let folder = place.log.parent().expect("a folder").to_owned();
        let mut writer = Writer::start(&place.log, &place.sshd.path("no"), 1000);
        let mut watched = place.follow(0);
        watched.until("lines", |w| w.records.len() > 200).await;
        for mode in [0o600, 0] {
            allow(&folder, mode);
            until_denied(&mut watched).await;
            let (enough, seen) = (writer.written() + 500, watched.records.len());
            writer.until_beyond(enough).await;
            allow(&folder, 0o755);
            until_read(&mut watched, seen + 500).await;
        }
        assert_complete(&mut watched, &mut writer, LONG).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_denied_target_of_a_link_is_not_missing_and_begins_with_its_last_lines() {
    if !is_bound_by_modes(
        "r15_a_denied_target_of_a_link_is_not_missing_and_begins_with_its_last_lines",
    ) {
        return;
    }
    for place in Place::both() {
        append(&place.log, "one\ntwo\nthree\n");
        let folder = place.log.parent().expect("a folder").to_owned();
        allow(&folder, 0o600);
        // As /var/log/containers has them: a link to a link, one of them relative.
        let (first, second) = (place.sshd.path("first.log"), place.sshd.path("second"));
        std::os::unix::fs::symlink("logs", &second).expect("link");
        std::os::unix::fs::symlink(second.join("app.log"), &first).expect("link");
        let mut watched = Watched::follow(vec![place.host(&first)], 1);
        watched
            .until("a reason", |w| {
                w.sources.iter().any(|info| info.problem.is_some())
            })
            .await;
        assert!(is_denied(&watched), "{:?}", watched.sources);
        allow(&folder, 0o755);
        until_read(&mut watched, 1).await;
        append(&place.log, "four\n");
        until_read(&mut watched, 2).await;
        assert_eq!(watched.texts(), ["three", "four"]);
        assert_eq!(watched.gaps, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_pattern_is_denied_where_its_folder_may_not_be_listed() {
    if !is_bound_by_modes("r15_a_pattern_is_denied_where_its_folder_may_not_be_listed") {
        return;
    }
    for place in Place::both() {
        append(&place.log, "one\ntwo\nthree\n");
        let folder = place.log.parent().expect("a folder").to_owned();
        allow(&folder, 0o311);
        let mut watched = Watched::follow(vec![place.host(&folder.join("*.log"))], 1);
        let is_told = |w: &Watched| {
            w.statuses
                .last()
                .is_some_and(|(_, status)| status.state == LinkState::Degraded)
        };
        watched.until("a reason", is_told).await;
        let reason = status(&watched).reason.clone().expect("a reason");
        assert!(
            reason.contains("permission denied")
                && reason.contains(folder.to_str().expect("UTF-8")),
            "{reason}"
        );
        allow(&folder, 0o755);
        until_read(&mut watched, 1).await;
        append(&place.log, "four\n");
        until_read(&mut watched, 2).await;
        assert_eq!(watched.texts(), ["three", "four"]);
        // Once more, and what is new then is read from its first byte.
        allow(&folder, 0);
        let told = watched.statuses.len();
        watched
            .until("the reason again", |w| {
                w.statuses.len() > told && is_told(w)
            })
            .await;
        allow(&folder, 0o755);
        append(&place.beside("new.log"), "five\nsix\n");
        until_read(&mut watched, 4).await;
        assert_eq!(watched.texts()[2..], ["five", "six"]);
        assert_eq!(watched.gaps, []);
    }
}

/// The answer of the real program on a host with a log that is denied and one that is not: exit
/// code and output.
fn asked(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let open = place.beside("open.log");
    let sources: [(&str, &Path); 2] = [("app", &place.log), ("open", &open)];
    let host = if place.is_here {
        Inventory::default().here()
    } else {
        Inventory::default().server("there", &place.sshd)
    };
    let inventory = host.sources(&sources).write(&place.sshd.path(""));
    let output = logtrail(&inventory, args).output().expect("run it");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

#[test]
fn r15_questions_name_what_is_denied_and_are_answered_from_the_others() {
    if !is_bound_by_modes("r15_questions_name_what_is_denied_and_are_answered_from_the_others") {
        return;
    }
    for place in Place::both() {
        for name in ["app.log", "open.log"] {
            append(
                &place.beside(name),
                &format!("2026-11-20T13:00:00Z ERROR of {name}\n"),
            );
        }
        allow(&place.log, 0);
        for question in [
            vec!["search", "ERROR"],
            vec!["read", "--since", "2026-11-20T12:00:00Z"],
        ] {
            let (code, said) = asked(&place, &question);
            assert_eq!(code, Some(3), "{question:?}: {said}");
            assert!(
                said.contains("ERROR of open.log") && !said.contains("ERROR of app.log"),
                "{question:?}: {said}"
            );
            assert!(
                said.contains("app.log: permission denied"),
                "{question:?}: {said}"
            );
            assert!(
                said.contains("group") && said.contains("become = \"sudo\""),
                "{question:?}: {said}"
            );
        }
        allow(&place.log, 0o644);
        let (code, said) = asked(&place, &["search", "ERROR"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("ERROR of app.log") && !said.contains("denied"),
            "{said}"
        );
        // A folder that may not be entered, by its own name and by a link.
        let folder = place.log.parent().expect("a folder").to_owned();
        let link = Place {
            log: place.sshd.path("link/app.log"),
            sshd: place.sshd,
            is_here: place.is_here,
        };
        fs::create_dir(link.beside("")).expect("a folder");
        std::os::unix::fs::symlink(&place.log, &link.log).expect("link");
        append(
            &link.beside("open.log"),
            "2026-11-20T13:00:00Z ERROR of open.log\n",
        );
        allow(&folder, 0o600);
        let (code, said) = asked(&link, &["search", "ERROR"]);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains("ERROR of open.log") && said.contains("link/app.log: permission denied"),
            "{said}"
        );
        allow(&folder, 0o755);
    }
}
