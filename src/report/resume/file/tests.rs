//! What becomes of the file, in every state in which a run may leave it.

use super::*;
use crate::model::read_position::ReadPosition;
use crate::model::time::Time;

fn remembered(offset: u64) -> SavedPositions {
    let place = format!("1.2.{offset}.00000000").parse().expect("a place");
    let reached = ReadPosition {
        place,
        length: 3,
        before: b"one".to_vec(),
        time: Time(5),
    };
    [(
        "web-1".to_owned(),
        [("app".to_owned(), vec![reached])].into(),
    )]
    .into()
}

/// Opens it, and lets go of it: what was read, and what was said.
fn open(path: &Path) -> (SavedPositions, Vec<String>) {
    let (_store, remembered, notices) = CheckpointFile::open(path).expect("a store");
    (remembered, notices)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_written_last_is_read_and_the_one_before_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let (store, nothing, _) = CheckpointFile::open(&path).expect("a store");
    assert_eq!(nothing, SavedPositions::new());
    for offset in 1..4 {
        store.write(&remembered(offset)).expect("written");
    }
    drop(store);
    assert_eq!(open(&path), (remembered(3), Vec::new()));
    assert_eq!(
        format::read(&fs::read(with(&path, ".previous")).expect("kept")),
        Ok(remembered(2))
    );
    assert_eq!(names(folder.path()), ["at", "at.lock", "at.previous"]);
}

#[test]
fn a_file_that_is_torn_is_set_aside_and_the_one_before_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let write = |offset| {
        CheckpointFile::open(&path)
            .expect("a store")
            .0
            .write(&remembered(offset))
            .expect("written");
    };
    (1..3).for_each(write);
    let whole = fs::read(&path).expect("read");
    for torn in [
        &b""[..],
        &whole[..whole.len() / 2],
        b"\0\0\0\0",
        b"garbage",
        b"{}",
    ] {
        fs::write(&path, torn).expect("torn");
        let (read, notices) = open(&path);
        assert_eq!((read, notices.len()), (remembered(1), 2), "{notices:?}");
        assert_eq!(fs::read(with(&path, ".corrupt")).expect("set aside"), torn);
    }
    assert_eq!(
        names(folder.path()),
        [
            "at",
            "at.corrupt",
            "at.corrupt.1",
            "at.corrupt.2",
            "at.lock",
            "at.previous"
        ]
    );
    assert_eq!(
        open(&path),
        (remembered(1), Vec::new()),
        "it is whole again"
    );
    fs::write(with(&path, ".previous"), "torn too").expect("torn");
    fs::write(&path, "torn").expect("torn");
    let (read, notices) = open(&path);
    assert_eq!(read, SavedPositions::new());
    assert!(
        notices
            .iter()
            .any(|notice| notice.contains("no usable one")),
        "{notices:?}"
    );
}

#[test]
fn wherever_writing_is_cut_off_the_file_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let write = |offset| {
        CheckpointFile::open(&path)
            .expect("a store")
            .0
            .write(&remembered(offset))
            .expect("written");
    };
    (1..3).for_each(write);
    // Half of the new one is written; the old one has a second name; the new one is there and the
    // rename is not.
    fs::write(with(&path, ".new"), b"{\"v\":1,\"ent").expect("left over");
    assert_eq!(open(&path), (remembered(2), Vec::new()));
    fs::hard_link(&path, with(&path, ".previous.new")).expect("left over");
    assert_eq!(open(&path), (remembered(2), Vec::new()));
    fs::rename(with(&path, ".previous"), folder.path().join("other")).expect("moved");
    fs::hard_link(&path, with(&path, ".previous")).expect("linked");
    fs::write(with(&path, ".new"), format::write(&remembered(3))).expect("left over");
    assert_eq!(open(&path), (remembered(2), Vec::new()));
    assert_eq!(
        names(folder.path()),
        ["at", "at.lock", "at.previous", "other"],
        "nothing is left over"
    );
    write(3);
    assert_eq!(open(&path), (remembered(3), Vec::new()));
}

#[test]
fn one_process_uses_it_at_a_time_and_what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("at");
    let (store, ..) = CheckpointFile::open(&path).expect("a store");
    store.write(&remembered(1)).expect("written");
    store.write(&remembered(2)).expect("written");
    assert!(
        matches!(CheckpointFile::open(&path), Err(Error::InUse { .. })),
        "though it was replaced"
    );
    std::os::unix::fs::symlink(&path, folder.path().join("link")).expect("a link");
    assert!(
        matches!(
            CheckpointFile::open(&folder.path().join("link")),
            Err(Error::InUse { .. })
        ),
        "by another name"
    );
    drop(store);
    assert_eq!(open(&folder.path().join("link")).0, remembered(2));
    assert!(matches!(
        CheckpointFile::open(folder.path()),
        Err(Error::NoFile { .. })
    ));
    assert!(matches!(
        CheckpointFile::open(&folder.path().join("no/at")),
        Err(Error::Write { .. })
    ));
    fs::write(&path, r#"{"v":9}"#).expect("written");
    assert!(matches!(
        CheckpointFile::open(&path),
        Err(Error::Later { version: 9, .. })
    ));
}
