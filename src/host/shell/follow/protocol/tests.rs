//! Answers of `follow.sh` as the script writes them.

use super::*;
use crate::model::cursor::FileId;

fn check(header: &str, body: &[u8], expected: &FollowAnswer) {
    let frame = Frame {
        header: header.to_owned(),
        body: Bytes::copy_from_slice(body),
    };
    assert_eq!(decode(&frame).as_ref(), Ok(expected));
}

#[test]
fn answers_are_read_as_the_script_says_them() {
    let stat = |changed| FileStat {
        id: FileId {
            dev: 65024,
            ino: 42,
        },
        size: 1267,
        changed,
    };
    let (day, exact) = (
        stat(1_795_188_137_000_000_000),
        stat(1_795_188_137_000_000_250),
    );
    check("ready", b"", &FollowAnswer::Ready);
    check("polled 1", b"", &FollowAnswer::Polled(true));
    check(
        "tried watch_3 1",
        b"",
        &FollowAnswer::Tried(Suspect::File(3), true),
    );
    check(
        "changed 3 65024:42:1267:1795188137",
        b"",
        &FollowAnswer::Seen(FileObservation::Changed(3, day)),
    );
    check(
        "read 3 65024:42:1267:1795188137 4096",
        b"abc",
        &FollowAnswer::Seen(FileObservation::Read(
            3,
            day,
            4096,
            Bytes::from_static(b"abc"),
        )),
    );
    check(
        "found 4 -",
        b"",
        &FollowAnswer::Seen(FileObservation::Found(4, None)),
    );
    check(
        "found 4 65024:42:1267:1795188137.000000250",
        b"",
        &FollowAnswer::Seen(FileObservation::Found(4, Some(exact))),
    );
    check(
        "found 4 65024:42:1267:Nov210930",
        b"",
        &FollowAnswer::Seen(FileObservation::Found(4, Some(stat(0)))),
    );
    let listed = b"65024:42:1267:1795188137.000000250 a.log.1\ngone a.log.2\n= b.log\n65024:42:1267:1795188137 b.log-20261120.gz\n";
    let siblings = [
        (exact, "a.log.1", None),
        (day, "b.log-20261120.gz", Some("b.log")),
    ];
    let siblings = siblings.map(|(stat, name, target)| ListedFile {
        stat,
        name: Bytes::from_static(name.as_bytes()),
        target: target.map(|name| Bytes::from_static(name.as_bytes())),
    });
    check(
        "listed 4 +",
        listed,
        &FollowAnswer::Seen(FileObservation::ListedPart(4, siblings.to_vec())),
    );
    check(
        "listed 4 1",
        listed,
        &FollowAnswer::Seen(FileObservation::Listed(4, true, siblings.to_vec())),
    );
    let head = FileHead {
        stat: day,
        sum: 4_038_471_504,
        length: 3,
    };
    check(
        "heads 4",
        b"65024:42:1267:1795188137 4038471504 3\ngone\n",
        &FollowAnswer::Seen(FileObservation::Heads(4, vec![head])),
    );
    check(
        "hole 4 65024:42:1267:1795188137 1024",
        b"",
        &FollowAnswer::Seen(FileObservation::Hole(4, day, 1024)),
    );
    let last = FileStat { size: 8, ..day };
    check(
        "unpacked 4 65024:42:1267:1795188137 5 4",
        b"abc",
        &FollowAnswer::Seen(FileObservation::Unpacked(
            4,
            last,
            5,
            Bytes::from_static(b"abc"),
        )),
    );
    let more = FileStat { size: 10, ..day };
    check(
        "unpacked 4 65024:42:1267:1795188137 5 4",
        b"abcd",
        &FollowAnswer::Seen(FileObservation::Unpacked(
            4,
            more,
            5,
            Bytes::from_static(b"abcd"),
        )),
    );
    check(
        "absent 4 missing",
        b"",
        &FollowAnswer::Seen(FileObservation::Absent(4, FileUnavailable::Missing)),
    );
    let ls = b"-rw-r----- 1 root adm 5 Nov 20 13:00 /l/a\n/l/a";
    let stat = FileStat {
        id: FileId { dev: 1, ino: 2 },
        size: 3,
        changed: 0,
    };
    let barrier = || PermissionBlock::parse(ls);
    check(
        "denied 4 1:2:3:0",
        ls,
        &FollowAnswer::Seen(FileObservation::Denied(4, Some(stat), barrier())),
    );
    check(
        "denied 4 -",
        ls,
        &FollowAnswer::Seen(FileObservation::Denied(4, None, barrier())),
    );
    check(
        "barred 4",
        ls,
        &FollowAnswer::Barred(BarredPattern {
            pattern: 4,
            barrier: barrier(),
        }),
    );
    check(
        "absent 4 failing",
        b"Stale file handle\n",
        &FollowAnswer::Seen(FileObservation::Absent(
            4,
            FileUnavailable::Failing("Stale file handle"),
        )),
    );
    let other = FileUnavailable::Failing("it cannot be read");
    check(
        "absent 4 failing",
        b"\x1b[2Jon fire\n",
        &FollowAnswer::Seen(FileObservation::Absent(4, other)),
    );
    let expanded = ExpandedPattern {
        pattern: 0,
        matched: 2,
        any: true,
        is_cut: false,
        files: [&b"/a"[..], b"/b"].map(Bytes::from_static).to_vec(),
    };
    check(
        "expanded 0 2 1 0",
        b"/a\0/b\0",
        &FollowAnswer::Expanded(expanded),
    );
}

#[test]
fn what_the_script_cannot_have_said_is_an_error() {
    for header in [
        "",
        "Q 1",
        "changed x 1:2:3:4",
        "changed 1 1:2",
        "read 1 1:2:3:4",
        "absent 1 tired",
        "tried file_1 1",
    ] {
        let frame = Frame {
            header: header.to_owned(),
            body: Bytes::new(),
        };
        assert!(decode(&frame).is_err(), "{header:?}");
    }
}
