//! What `--hosts` means.

use proptest::prelude::*;

use super::{FLEET, World, names, plan};
use crate::model::host::{TransportKind, UserName};
use crate::model::source::SourceKind;

#[test]
fn a_selection_names_groups_hosts_globs_and_tags_in_the_order_typed() {
    for (selection, expect) in [
        ("prod", "db-1 web-1 web-2"),
        ("group:core,web-3", "db-1 web-3"),
        ("web-*", "web-1 web-2 web-3"),
        ("web-[13]", "web-1 web-3"),
        ("{db,web}-1", "web-1 db-1"),
        ("tag:web,db-1", "web-1 web-2 web-3 db-1"),
        ("tag:c*", "web-3"),
        ("web-2, web-1 ,web-2", "web-2 web-1"),
        ("prod,web-*,!web-3", "db-1 web-1 web-2"),
        ("!web-3,web-*", "web-1 web-2"),
        ("!tag:web", "db-1 localhost"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(
            names(FLEET, selection).as_deref(),
            Ok(expect),
            "{selection}"
        );
    }
}

#[test]
fn a_selection_that_names_nothing_is_an_error_with_a_suggestion() {
    for (selection, expect) in [
        (
            "prdo",
            "--hosts: unknown host or group \"prdo\"; did you mean \"prod\"?",
        ),
        (
            "nowhere",
            "--hosts: unknown host or group \"nowhere\"; to dial a host outside the inventory write ssh://nowhere",
        ),
        (
            "tag:webb",
            "--hosts: no host has the tag \"webb\"; did you mean \"web\"?",
        ),
        (
            "group:cor",
            "--hosts: unknown group \"cor\"; did you mean \"core\"?",
        ),
        ("mail-*", "--hosts: no host is named like \"mail-*\""),
        (
            "web-*,!web-4",
            "--hosts: \"!web-4\" excludes nothing; did you mean \"web-1\"?",
        ),
        (
            "web-1,!web-*",
            "--hosts: an empty selection: everything in it is excluded",
        ),
        (
            "",
            "--hosts: an empty selection; name a group, a host, or user@host",
        ),
        (
            ",",
            "--hosts: an empty selection; name a group, a host, or user@host",
        ),
        (
            "-oProxyCommand=x",
            "--hosts: address \"-oProxyCommand=x\" starts with '-', which ssh would take for an option",
        ),
        (
            "web-1:99999",
            "--hosts: \"99999\" is not a port (1 to 65535); a path starts with '/'",
        ),
        (
            "nobody",
            "--hosts: an empty selection: no host is in it; see `logtrail-tui hosts`",
        ),
        (
            "!web-1:/var/log/x",
            "--hosts: \"!web-1:…\" excludes a path; only hosts can be excluded",
        ),
        (
            "web-[",
            "--hosts: \"web-[\" is not a valid glob: unclosed character class; missing ']'",
        ),
    ] {
        assert_eq!(
            names(FLEET, selection),
            Err(expect.to_owned()),
            "{selection}"
        );
    }
}

#[test]
fn a_target_needs_no_inventory_entry() {
    for (selection, expect) in [
        ("ops@10.0.0.7:2222", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("[::1]:22", "::1"),
        ("new.example.com", "new.example.com"),
        ("ssh://mybox,!web-*,web-1", "mybox"),
        ("ann@box,bob@box", "ann@box bob@box"),
        ("web-1,root@web-1", "web-1 root@web-1"),
        ("a@x,b@x,!b@x", "x"),
        ("web-1,root@web-1,!root@web-1", "web-1"),
        ("ssh://h1.example.com,10.0.0.9,!10.*", "h1.example.com"),
        ("10.0.0.1:22,10.0.0.2:22,!10.0.0.2", "10.0.0.1"),
    ] {
        let got = names(FLEET, selection);
        assert_eq!(got.as_deref(), Ok(expect), "{selection}");
    }
}

#[test]
fn a_name_that_is_nearly_one_of_the_inventory_is_taken_for_a_typing_error() {
    let hosts = "[hosts.\"web.example.com\"]";
    assert_eq!(
        names(hosts, "web.exmaple.com"),
        Err(
            "--hosts: unknown host or group \"web.exmaple.com\"; did you mean \"web.example.com\"?"
                .to_owned()
        )
    );
    assert_eq!(
        names(hosts, "ssh://web.exmaple.com").as_deref(),
        Ok("web.exmaple.com")
    );
}

#[test]
fn a_target_has_the_settings_of_the_host_it_names_and_the_defaults() {
    let plan = plan(FLEET, &["--hosts", "root@db-1:2222,ssh://mybox"]).expect("a plan");
    let [db, mybox] = &plan.hosts[..] else {
        panic!("{:?}", plan.hosts)
    };
    assert_eq!(
        db.endpoint.user.as_ref().map(UserName::as_str),
        Some("root")
    );
    assert_eq!(db.endpoint.port, Some(2222));
    assert_eq!(db.sources[0].name, "pg");
    assert_eq!(
        mybox.endpoint.user.as_ref().map(UserName::as_str),
        Some("ops")
    );
}

#[test]
fn a_path_narrows_what_it_follows_to_that_file() {
    let plan = plan(
        FLEET,
        &[
            "--hosts",
            "db-1:/var/log/a.log,db-1:/var/log/b.log",
            "--hosts",
            "tag:web:/srv/app.log",
        ],
    );
    let plan = plan.expect("a plan");
    let sources: Vec<Vec<&str>> = plan
        .hosts
        .iter()
        .map(|host| {
            host.sources
                .iter()
                .map(|source| source.name.as_str())
                .collect()
        })
        .collect();
    assert_eq!(
        sources,
        [
            vec!["a", "b"],
            vec!["srv/app"],
            vec!["srv/app"],
            vec!["srv/app"]
        ]
    );
    let kind = &plan.hosts[0].sources[0].kind;
    assert_eq!(*kind, SourceKind::Path("/var/log/a.log".to_owned()));
}

#[test]
fn without_an_inventory_a_plain_name_is_a_host_of_the_users_ssh_configuration() {
    let world = World::new(b"");
    let plan = world
        .plan_of(&["--hosts", "mybox,web1:/var/log/app.log,user@host:22:/path"])
        .expect("a plan");
    let found: Vec<_> = plan
        .hosts
        .iter()
        .map(|host| (host.name().as_str(), host.sources.len()))
        .collect();
    assert_eq!(found, [("mybox", 0), ("web1", 1), ("host", 1)]);
    assert!(
        plan.hosts
            .iter()
            .all(|host| host.transport == TransportKind::Auto && host.endpoint.address.is_none())
    );
    for (selection, word) in [
        ("tag:x", "tag:x"),
        ("web-*", "web-*"),
        ("!web", "excludes nothing"),
    ] {
        let error = world
            .plan_of(&["--hosts", selection])
            .expect_err("no inventory");
        assert!(error.contains(word), "{error}");
    }
}

/// Terms over six hosts, each with the hosts that it means.
const TERMS: [(&str, &[usize]); 9] = [
    ("h0", &[0]),
    ("h1", &[1]),
    ("h4", &[4]),
    ("h[23]", &[2, 3]),
    ("tag:even", &[0, 2, 4]),
    ("group:pair", &[5, 1]),
    ("pair", &[5, 1]),
    ("nested", &[3, 5]),
    ("*", &[0, 1, 2, 3, 4, 5]),
];

fn six_hosts() -> String {
    let tags = |n: usize| {
        if n.is_multiple_of(2) {
            "tags = [\"even\"]"
        } else {
            ""
        }
    };
    let hosts: String = (0..6)
        .map(|n| format!("[hosts.h{n}]\n{}\n", tags(n)))
        .collect();
    format!("{hosts}[groups]\npair = [\"h5\", \"h1\"]\nnested = [\"h3\", \"pair\", \"!h1\"]\n")
}

proptest! {
    #[test]
    fn a_selection_is_what_was_named_first_to_last_without_repeats_and_without_the_excluded(
        parts in prop::collection::vec((any::<bool>(), 0..TERMS.len()), 1..12),
    ) {
        let typed: Vec<String> =
            parts.iter().map(|(not, term)| format!("{}{}", if *not { "!" } else { "" }, TERMS[*term].0)).collect();
        let meant = |excluded: bool| parts.iter().filter(move |part| part.0 == excluded).flat_map(|part| TERMS[part.1].1);
        let mut expect: Vec<usize> = meant(false).copied().collect();
        if expect.is_empty() {
            expect = (0..6).collect();
        }
        let mut seen = std::collections::HashSet::new();
        expect.retain(|n| seen.insert(*n) && meant(true).all(|excluded| excluded != n));
        let expect: Vec<String> = expect.iter().map(|n| format!("h{n}")).collect();
        match names(&six_hosts(), &typed.join(",")) {
            Ok(names) => prop_assert_eq!(names, expect.join(" ")),
            Err(error) => prop_assert!(expect.is_empty(), "{}", error),
        }
    }

    #[test]
    fn no_text_is_a_panic(hosts in "\\PC{0,60}", selection in "\\PC{0,30}") {
        let _ = plan(&hosts, &[&format!("--hosts={selection}")]);
    }

    #[test]
    fn no_inventory_is_a_panic(lines in prop::collection::vec("(\\[(hosts|groups|defaults)(\\.[a-c])?\\]|(a|b|via|tags|port|sources|identity) = (1|\"[a-c!*:,@/]{0,5}\"|\\[\"[a-c!*:,@]{0,4}\"\\]|\\[\\{path=\"/[a-c*]{0,3}\"\\}\\]))", 0..12)) {
        let _ = plan(&lines.join("\n"), &[]);
    }
}
