//! Which files a pattern lists, and in which order they are left out.

use super::*;

fn names(pattern: &Path) -> Vec<String> {
    let files = list(pattern.as_os_str().as_bytes(), &StopFlag::default()).expect("listed");
    let name = |file: &LogFile| {
        String::from_utf8_lossy(&file.path)
            .rsplit('/')
            .next()
            .map(str::to_owned)
    };
    let mut names: Vec<_> = files.iter().filter_map(name).collect();
    names.sort();
    names
}

#[test]
fn a_pattern_lists_regular_files_and_their_siblings_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in [
        "app.log",
        "app.log.1",
        "app.log.2.gz",
        "app.log-20261120",
        "app-20261119.log",
        "app.log.old",
        "web.log",
        ".hidden.log",
        "other",
        "web.log\n.log",
        "gone.log.1",
    ] {
        fs::write(at(name), name).expect("written");
    }
    fs::create_dir(at("folder.log")).expect("made");
    symlink(at("web.log"), at("zlink.log")).expect("linked");
    symlink(at("loop.log"), at("loop.log")).expect("linked");
    fs::hard_link(at("web.log"), at("zhard.log")).expect("linked");
    let of_app = [
        "app-20261119.log",
        "app.log",
        "app.log-20261120",
        "app.log.1",
        "app.log.2.gz",
        "app.log.old",
    ];
    assert_eq!(names(&at("app.log")), of_app);
    assert_eq!(
        names(&at("*.log")),
        [&of_app[..], &["web.log", "web.log\n.log"]].concat()
    );
    assert_eq!(names(&at("[ow]*")), ["other", "web.log", "web.log\n.log"]);
    assert_eq!(names(&at(".*")), [".hidden.log"]);
    assert_eq!(
        names(&at("gone.log")),
        ["gone.log.1"],
        "the log itself is away for a moment"
    );
    assert_eq!(names(&at("nothing*")), <[&str; 0]>::default());
    assert_eq!(names(&at("folder.log")), <[&str; 0]>::default());
    let above = folder
        .path()
        .parent()
        .expect("a parent")
        .join("*")
        .join(folder.path().file_name().expect("a name"));
    assert_eq!(names(&above.join("web.log")), <[&str; 0]>::default());
}

#[test]
fn thousands_of_files_are_listed_and_of_more_than_fit_the_oldest_are_left_out_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = |n: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + n);
    for n in 0..2500 {
        let file = fs::File::create(folder.path().join(format!("{n}.log"))).expect("written");
        file.set_modified(time(n)).expect("its time");
    }
    let pattern = folder.path().join("*.log");
    assert_eq!(names(&pattern).len(), 2500);
    let few = super::list::list_within(
        pattern.as_os_str().as_bytes(),
        false,
        100_000,
        &StopFlag::default(),
    )
    .expect("a list");
    assert!(
        few.len() > 300 && few.len() as u64 + few.left_out() == 2500,
        "{} and {}",
        few.len(),
        few.left_out()
    );
    let oldest = few
        .iter()
        .map(|file| file.modified.0 / 1_000_000_000 - 1_700_000_000)
        .min();
    assert_eq!(oldest, Some(2500 - few.len() as i64));
}
