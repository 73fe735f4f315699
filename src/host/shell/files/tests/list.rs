//! Listing, by every host.

use crate::files::listing::LogLink;

use super::*;

#[test]
fn every_host_lists_a_log_with_its_generations_and_no_other_file() {
    with_every_host(|host, connection| {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("it's $(x) [a] *\n");
        std::fs::create_dir(&dir).expect("a folder");
        let own = [
            "app.log",
            "app.log.1",
            "app.log.2.gz",
            "app.log-20261120",
            "app.log-20261119.xz",
            "app.log.20261120-03",
            "app.log-20261120130000.backup",
            "app.2026-11-20.log.gz",
            "app-20261118.log",
            "app.7.log",
            "app.log.old",
        ];
        for name in own
            .iter()
            .chain(&["app.logger", "app-error.log", "app.log.tmp", "other.log"])
        {
            std::fs::write(dir.join(name), "x\n").expect("write");
        }
        std::os::unix::fs::symlink(dir.join("app.log"), dir.join("app.log.9")).expect("link");
        std::fs::create_dir(dir.join("app.log.5")).expect("a folder");
        let names = |files: &[LogFile]| {
            let skip = dir.as_os_str().len() + 1;
            let names = files
                .iter()
                .map(|file| String::from_utf8_lossy(&file.path[skip..]).into_owned());
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let expected = own.iter().map(|&name| name.to_owned()).collect();
        run(async {
            let mut files = start(connection).await;
            let listed = files
                .list(dir.join("app.log").as_os_str().as_encoded_bytes())
                .await
                .expect("a list");
            assert_eq!(names(&listed), expected, "{host}");
            let beside: Vec<&[u8]> = listed
                .beside()
                .filter_map(|path| path.rsplit(|&byte| byte == b'/').next())
                .collect();
            let others = ["app-error.log", "app.log.tmp", "app.logger"].map(str::as_bytes);
            assert_eq!(beside, others, "{host}");
            assert_eq!(listed.len(), own.len(), "{host}: no file twice");
            let meta = dir.join("app.log").metadata().expect("a file");
            use std::os::unix::fs::MetadataExt;
            assert_eq!(
                listed[0].id,
                FileId {
                    dev: meta.dev(),
                    ino: meta.ino()
                },
                "{host}"
            );
            assert_eq!(
                (listed[0].size, listed[0].modified.0 / 1_000_000_000),
                (2, meta.mtime()),
                "{host}"
            );
            assert_eq!(
                listed
                    .iter()
                    .filter(|file| file.compression == Compression::Gzip)
                    .count(),
                2,
                "{host}"
            );
            let pattern = [
                b"/".as_slice(),
                &folder.path().as_os_str().as_encoded_bytes()[1..],
                b"/*/[ao]*p.log",
            ]
            .concat();
            assert_eq!(
                names(&files.list(&pattern).await.expect("a list")),
                expected,
                "{host}"
            );
            let none = files
                .list(dir.join("none.log").as_os_str().as_encoded_bytes())
                .await
                .expect("a list");
            assert_eq!(none.len(), 0, "{host}");
        });
    });
}

#[test]
fn every_host_lists_where_the_symlinks_lead_that_were_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().canonicalize().expect("a path");
    let at = |name: &str| dir.join(name);
    [at("real \n[1]"), at("logs")]
        .iter()
        .for_each(|folder| std::fs::create_dir(folder).expect("a folder"));
    std::fs::write(at("real \n[1]/a.log"), "x\n").expect("write");
    std::fs::write(at("real \n[1]/a.log.1"), "y\n").expect("write");
    for (name, target) in [
        ("one.log", "two"),
        ("two", "../real \n[1]/a.log"),
        ("none.log", "../real \n[1]/none.log"),
    ] {
        std::os::unix::fs::symlink(target, at("logs").join(name)).expect("link");
    }
    let bytes = |path: std::path::PathBuf| path.into_os_string().into_encoded_bytes();
    let link = |name: &str, target: &str| LogLink {
        path: bytes(at("logs").join(name)),
        target: bytes(at(target)),
    };
    let (one, none) = (
        link("one.log", "real \n[1]/a.log"),
        link("none.log", "real \n[1]/none.log"),
    );
    let check = |host: &str, listed: Vec<FileListing>| {
        assert_eq!(listed[0].links(), std::slice::from_ref(&one), "{host}");
        assert_eq!(
            listed[1].links(),
            std::slice::from_ref(&none),
            "{host}: there is no file"
        );
        assert_eq!(
            listed[2].links(),
            std::slice::from_ref(&one),
            "{host}: of a pattern, what leads to nothing is nothing"
        );
        assert_eq!((listed[3].links().len(), listed[3].len()), (0, 2), "{host}");
    };
    let real = bytes(at("real \n[1]/a.log"));
    let questions = [
        bytes(at("logs/one.log")),
        bytes(at("logs/none.log")),
        bytes(at("logs/*.log")),
    ];
    with_every_host(|host, connection| {
        let ask = async {
            let mut files = start(connection).await;
            let mut listed = Vec::new();
            for question in &questions {
                listed.push(files.list(question).await.expect("a list"));
            }
            listed.push(files.list_log(&real).await.expect("a list"));
            listed
        };
        check(host, run(ask));
    });
    let stop = crate::engine::StopFlag::default();
    let mut listed = questions
        .map(|question| crate::engine::list(&question, &stop).expect("a list"))
        .to_vec();
    listed.push(crate::engine::list_log(&real, &stop).expect("a list"));
    check("this machine", listed);
}

#[test]
fn every_host_lists_thousands_of_generations_and_of_more_than_fit_the_newest() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = |n: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + n);
    for n in 0..1700 {
        let log = folder.path().join(format!("app.log-{}", 20_200_101 + n));
        std::fs::File::create(log)
            .expect("a file")
            .set_modified(time(n))
            .expect("its time");
    }
    let log = folder
        .path()
        .join("app.log")
        .into_os_string()
        .into_encoded_bytes();
    with_every_host(|host, connection| {
        run(async {
            let mut files = start(connection).await;
            let all = files.list(&log).await.expect("a list");
            assert_eq!((all.len(), all.left_out()), (1700, 0), "{host}");
            files.most_listed = 100_000;
            for pattern in [&log[..], &[&log[..], b"*"].concat()] {
                let few = files.list(pattern).await.expect("a list");
                assert_eq!(few.len() as u64 + few.left_out(), 1700, "{host}");
                let newest = few
                    .iter()
                    .filter(|file| file.modified.0 >= 1_700_001_600 * 1_000_000_000)
                    .count();
                assert!(
                    newest == 100 && few.len() < 1000,
                    "{host}: {newest} of {}",
                    few.len()
                );
            }
        });
    });
}
