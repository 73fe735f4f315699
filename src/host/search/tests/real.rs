//! Real files of this machine, rotated and packed, through its own driver.

use std::io::Write;
use std::path::Path;

use super::*;
use crate::host::local::LocalFiles;
use crate::model::cursor::LineRef;
use crate::query::request::SearchRequest;
use crate::query::{Query, ReferenceTime};

fn packed(path: &Path, text: &str) {
    let file = std::fs::File::create(path).expect("a file");
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packer.write_all(text.as_bytes()).expect("written");
    packer.finish().expect("finished");
}

fn asked(host: &HostSpec, what: RequestKind) -> Vec<LogResponse> {
    let mut files = LocalFiles::new();
    ask_host(&mut files, host, what)
}

#[test]
fn a_log_of_real_files_is_searched_and_paged_across_its_generations() {
    let folder = tempfile::tempdir().expect("a folder");
    let part = |from: i64| -> String {
        let line = |n| {
            if n % 100 == 7 {
                stamped(n, "ERROR it broke") + "    at Shop.main\n"
            } else {
                stamped(n, "INFO fine")
            }
        };
        (from..from + 1000).map(line).collect()
    };
    packed(&folder.path().join("app.log.2.gz"), &part(0));
    std::fs::write(folder.path().join("app.log.1"), part(1000)).expect("written");
    std::fs::write(folder.path().join("app.log"), part(2000)).expect("written");
    let live = folder.path().join("app.log");
    let host = host(live.to_str().expect("text"));
    let query = Query::parse("error shop.main", &ReferenceTime::default()).expect("a query");
    let search = SearchRequest {
        query,
        window: ALWAYS,
        newest_first: true,
        before: 1,
        after: 1,
        limit: None,
        count_only: false,
    };
    let replies = asked(&host, RequestKind::Search(search.clone()));
    assert_eq!(totals(&replies).hits, 30, "{replies:#?}");
    let estimated = asked(
        &host,
        RequestKind::Estimate(Box::new(RequestKind::Search(search.clone()))),
    );
    let [LogResponse::Cost(_, cost), LogResponse::Done(_)] = &estimated[..] else {
        panic!("{estimated:?}")
    };
    assert_eq!(
        (cost.files.len(), &cost.commands[..]),
        (3, [].as_slice()),
        "no program of the host runs for it"
    );
    let windowed = asked(
        &host,
        RequestKind::Search(SearchRequest {
            window: at(900)..at(1200),
            ..search
        }),
    );
    assert_eq!(totals(&windowed).hits, 3, "{windowed:#?}");

    let page = |start, backwards| PageRequest {
        start,
        backwards,
        lines: 500,
        window: ALWAYS,
    };
    let from = lines_of(&asked(
        &host,
        RequestKind::Page(page(PageStart::At(at(1500)), false)),
    ));
    assert_eq!(from[0].time, at(1500));
    let place = LineRef::of(from[0].cursor, &from[0].raw);
    let copy = folder.path().join("app.log.3");
    std::fs::rename(
        folder.path().join("app.log.2.gz"),
        folder.path().join("app.log.3.gz"),
    )
    .expect("renamed");
    std::fs::rename(folder.path().join("app.log.1"), &copy).expect("renamed");
    packed(
        &folder.path().join("app.log.2.gz"),
        &std::fs::read_to_string(&copy).expect("text"),
    );
    std::fs::remove_file(copy).expect("removed");
    let before = lines_of(&asked(
        &host,
        RequestKind::Page(page(PageStart::Cursor(place), true)),
    ));
    assert_eq!(
        (before.len(), before.last().map(|line| line.time)),
        (500, Some(at(1499)))
    );
    let again = lines_of(&asked(
        &host,
        RequestKind::Page(page(PageStart::Cursor(place), false)),
    ));
    assert_eq!(raws(&again), raws(&from));
}

#[test]
fn of_more_symlinks_than_are_followed_it_is_said_how_many_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (logs, real) = (folder.path().join("logs"), folder.path().join("real"));
    [&logs, &real]
        .iter()
        .for_each(|folder| std::fs::create_dir(folder).expect("a folder"));
    for number in 0..1010 {
        std::fs::write(real.join(format!("x{number}x.log")), "hit\n").expect("written");
        std::fs::write(real.join(format!("x{number}x.log.1")), "hit\n").expect("written");
        let link = logs.join(format!("{number}.log"));
        std::os::unix::fs::symlink(real.join(format!("x{number}x.log")), link).expect("linked");
    }
    let query = Query::parse("hit", &ReferenceTime::default()).expect("a query");
    let search = SearchRequest {
        query,
        window: ALWAYS,
        newest_first: false,
        before: 0,
        after: 0,
        limit: None,
        count_only: true,
    };
    let replies = asked(
        &host(logs.join("*.log").to_str().expect("text")),
        RequestKind::Search(search),
    );
    assert_eq!(totals(&replies).hits, 1010 + 1000);
    let failed: Vec<_> = replies
        .iter()
        .filter(|reply| matches!(reply, LogResponse::Failed(..)))
        .collect();
    let [LogResponse::Failed(_, why)] = &failed[..] else {
        panic!("{failed:?}")
    };
    assert!(why.contains("older files of 10 are left out"), "{why}");
}

#[test]
fn a_log_that_is_a_symlink_is_searched_with_the_generations_of_what_it_leads_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let (logs, real) = (folder.path().join("logs"), folder.path().join("real [1]"));
    [&logs, &real]
        .iter()
        .for_each(|folder| std::fs::create_dir(folder).expect("a folder"));
    let lines = |from: i64| {
        (from..from + 10)
            .map(|n| stamped(n, "hit"))
            .collect::<String>()
    };
    packed(&real.join("a.log.2.gz"), &lines(0));
    std::fs::write(real.join("a.log.1"), lines(10)).expect("written");
    std::fs::write(real.join("a.log"), lines(20)).expect("written");
    packed(&real.join("day-20261119.log.gz"), &lines(0));
    std::fs::write(real.join("day-20261120.log"), lines(10)).expect("written");
    std::fs::write(real.join("day-20261121.log"), lines(20)).expect("written");
    std::os::unix::fs::symlink("../real [1]", folder.path().join("logs/folder")).expect("linked");
    std::os::unix::fs::symlink("folder/a.log", logs.join("two.log")).expect("linked");
    std::os::unix::fs::symlink("two.log", logs.join("one.log")).expect("linked");
    std::os::unix::fs::symlink("folder/day-20261120.log", logs.join("day.log")).expect("linked");
    let query = Query::parse("hit", &ReferenceTime::default()).expect("a query");
    let search = SearchRequest {
        query,
        window: ALWAYS,
        newest_first: false,
        before: 0,
        after: 0,
        limit: None,
        count_only: true,
    };
    for (source, hits) in [
        ("one.log", 30),
        ("two.log", 30),
        ("day.log", 20),
        ("[od]*.log", 50),
        ("t*.log", 30),
    ] {
        let host = host(logs.join(source).to_str().expect("text"));
        let replies = asked(&host, RequestKind::Search(search.clone()));
        assert_eq!(totals(&replies).hits, hits, "{source}: {replies:#?}");
    }
    // The log is away for a moment.
    std::fs::rename(real.join("a.log"), real.join("a.log.0")).expect("renamed");
    let replies = asked(
        &host(logs.join("one.log").to_str().expect("text")),
        RequestKind::Search(search),
    );
    assert_eq!(totals(&replies).hits, 30, "{replies:#?}");
}
