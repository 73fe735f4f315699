//! What is typed and written against the plan that it comes to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use proptest::prelude::*;
use tempfile::TempDir;

use super::file::{HOST_KEYS, MAX_FILE_BYTES, Source};
use super::*;
use crate::model::{SourceKind, SourceSpec};

/// A folder with a `hosts.toml` and an environment in which nothing else exists.
struct World {
    folder: TempDir,
    env: Environment,
}

impl World {
    fn new(hosts: &[u8]) -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        fs::write(folder.path().join("hosts.toml"), hosts).expect("a file in it");
        let env = Environment { home: Some(folder.path().join("home")), ..Environment::default() };
        Self { folder, env }
    }

    fn file(&self) -> String {
        self.folder.path().join("hosts.toml").display().to_string()
    }

    /// The plan of a command line, after `--config` with the file; errors without the name of the folder.
    fn plan(&self, options: &[&str]) -> Result<Plan, String> {
        let file = self.file();
        self.plan_of(["--config", &file].iter().chain(options))
    }

    fn plan_of<'a>(&self, options: impl IntoIterator<Item = &'a &'a str>) -> Result<Plan, String> {
        let line = ["logtrail-tui"].iter().chain(options).copied();
        let args = Args::try_parse_from(line).expect("a valid command line");
        let folder = format!("{}/", self.folder.path().display());
        load(&args, &self.env).map_err(|error| error.to_string().replace(&folder, ""))
    }
}

fn plan(hosts: &str, options: &[&str]) -> Result<Plan, String> {
    World::new(hosts.as_bytes()).plan(options)
}

/// Names of the selected hosts.
fn names(hosts: &str, selection: &str) -> Result<String, String> {
    let plan = plan(hosts, &[&format!("--hosts={selection}")])?;
    Ok(plan.hosts.iter().map(|host| host.name().to_string()).collect::<Vec<_>>().join(" "))
}

#[track_caller]
fn fails(hosts: &str, expect: &str) {
    match plan(hosts, &[]) {
        Ok(plan) => panic!("{hosts}\nis accepted: {:#?}", plan.hosts),
        Err(error) => assert_eq!(error, expect),
    }
}

const FLEET: &str = r#"
[defaults]
user = "ops"
[hosts.web-1]
tags = ["web"]
[hosts.web-2]
tags = ["web"]
[hosts.web-3]
tags = ["web", "canary"]
[hosts.db-1]
tags = ["db"]
sources = [{ name = "pg", journal = "postgresql.service" }]
[hosts.localhost]
[groups]
prod = ["group:core", "web-*", "!web-3"]
core = ["tag:db"]
"#;

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
        assert_eq!(names(FLEET, selection).as_deref(), Ok(expect), "{selection}");
    }
}

#[test]
fn a_selection_that_names_nothing_is_an_error_with_a_suggestion() {
    for (selection, expect) in [
        ("prdo", "--hosts: unknown host or group \"prdo\"; did you mean \"prod\"?"),
        (
            "nowhere",
            "--hosts: unknown host or group \"nowhere\"; to dial a host outside the inventory write ssh://nowhere",
        ),
        ("tag:webb", "--hosts: no host has the tag \"webb\"; did you mean \"web\"?"),
        ("group:cor", "--hosts: unknown group \"cor\"; did you mean \"core\"?"),
        ("mail-*", "--hosts: no host is named like \"mail-*\""),
        ("web-*,!web-4", "--hosts: \"!web-4\" excludes nothing; did you mean \"web-1\"?"),
        ("web-1,!web-*", "--hosts: an empty selection: everything in it is excluded"),
        ("", "--hosts: an empty selection; name a group, a host, or user@host"),
        (",", "--hosts: an empty selection; name a group, a host, or user@host"),
        (
            "-oProxyCommand=x",
            "--hosts: address \"-oProxyCommand=x\" starts with '-', which ssh would take for an option",
        ),
        ("web-1:99999", "--hosts: \"99999\" is not a port (1 to 65535); a path starts with '/'"),
        ("!web-1:/var/log/x", "--hosts: \"!web-1:…\" excludes a path; only hosts can be excluded"),
        ("web-[", "--hosts: \"web-[\" is not a valid glob: unclosed character class; missing ']'"),
    ] {
        assert_eq!(names(FLEET, selection), Err(expect.to_owned()), "{selection}");
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
        Err("--hosts: unknown host or group \"web.exmaple.com\"; did you mean \"web.example.com\"?".to_owned())
    );
    assert_eq!(names(hosts, "ssh://web.exmaple.com").as_deref(), Ok("web.exmaple.com"));
}

#[test]
fn a_target_has_the_settings_of_the_host_it_names_and_the_defaults() {
    let plan = plan(FLEET, &["--hosts", "root@db-1:2222,ssh://mybox"]).expect("a plan");
    let [db, mybox] = &plan.hosts[..] else { panic!("{:?}", plan.hosts) };
    assert_eq!(db.endpoint.user.as_ref().map(|user| user.as_str()), Some("root"));
    assert_eq!(db.endpoint.port, Some(2222));
    assert_eq!(db.sources[0].name, "pg");
    assert_eq!(mybox.endpoint.user.as_ref().map(|user| user.as_str()), Some("ops"));
}

#[test]
fn a_path_narrows_what_it_follows_to_that_file() {
    let plan = plan(FLEET, &["--hosts", "db-1:/var/log/a.log,db-1:/var/log/b.log", "--hosts", "tag:web:/srv/app.log"]);
    let plan = plan.expect("a plan");
    let sources: Vec<Vec<&str>> =
        plan.hosts.iter().map(|host| host.sources.iter().map(|source| source.name.as_str()).collect()).collect();
    assert_eq!(sources, [vec!["a", "b"], vec!["srv/app"], vec!["srv/app"], vec!["srv/app"]]);
    let kind = &plan.hosts[0].sources[0].kind;
    assert_eq!(*kind, SourceKind::Path("/var/log/a.log".to_owned()));
}

#[test]
fn without_an_inventory_a_plain_name_is_a_host_of_the_users_ssh_configuration() {
    let world = World::new(b"");
    let plan = world.plan_of(&["--hosts", "mybox,web1:/var/log/app.log,user@host:22:/path"]).expect("a plan");
    let found: Vec<_> = plan.hosts.iter().map(|host| (host.name().as_str(), host.sources.len())).collect();
    assert_eq!(found, [("mybox", 0), ("web1", 1), ("host", 1)]);
    assert!(plan.hosts.iter().all(|host| host.transport == TransportKind::Auto && host.endpoint.address.is_none()));
    for (selection, word) in [("tag:x", "tag:x"), ("web-*", "web-*"), ("!web", "excludes nothing")] {
        let error = world.plan_of(&["--hosts", selection]).expect_err("no inventory");
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn localhost_is_this_machine_unless_something_says_how_to_log_in() {
    let local = |hosts: &str, options: &[&str]| plan(hosts, options).expect("a plan").hosts[0].transport.clone();
    assert_eq!(local(FLEET, &["--hosts", "localhost"]), TransportKind::Local);
    assert_eq!(local("[hosts.a]", &["--hosts", "localhost:/var/log/syslog"]), TransportKind::Local);
    assert_eq!(local("[hosts.localhost]\ntransport = \"auto\"", &[]), TransportKind::Local);
    for own in ["port = 2222", "user = \"ann\"", "address = \"127.0.0.1\"", "via = [\"ssh://gw\"]"] {
        assert_eq!(local(&format!("[hosts.localhost]\n{own}"), &[]), TransportKind::Auto, "{own}");
    }
    assert_eq!(local("[hosts.localhost]\ntransport = \"system\"", &[]), TransportKind::System);
    assert_eq!(local(FLEET, &["--hosts", "localhost:2222"]), TransportKind::Auto);
    assert_eq!(local(FLEET, &["--hosts", "ssh://localhost"]), TransportKind::Auto);
}

#[test]
fn without_file_and_selection_it_is_this_machines_own_logs() {
    let plan = World::new(b"").plan_of(&[]).expect("a plan");
    assert_eq!(plan.hosts.len(), 1);
    assert_eq!(plan.hosts[0].name().as_str(), "localhost");
    assert_eq!(plan.hosts[0].transport, TransportKind::Local);
    assert_eq!(plan.hosts[0].sources, Vec::<SourceSpec>::new());
}

#[test]
fn the_inventory_is_that_of_the_option_then_of_the_environment_then_of_the_configuration_folder() {
    let mut world = World::new(b"[hosts.of-option]");
    let folder = world.folder.path().to_owned();
    fs::create_dir_all(folder.join("conf/logtrail")).expect("a folder");
    fs::write(folder.join("conf/logtrail/hosts.toml"), "[hosts.of-folder]").expect("a file");
    fs::write(folder.join("env.toml"), "[hosts.of-environment]").expect("a file");
    let first = |plan: Result<Plan, String>| plan.map(|plan| plan.hosts[0].name().to_string());

    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("localhost"));
    world.env.config_dir = Some(folder.join("conf"));
    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("of-folder"));
    world.env.variables.insert("LOGTRAIL_HOSTS", folder.join("env.toml").into());
    assert_eq!(first(world.plan_of(&[])).as_deref(), Ok("of-environment"));
    assert_eq!(first(world.plan(&[])).as_deref(), Ok("of-option"));
    world.env.variables.insert("LOGTRAIL_HOSTS", folder.join("gone.toml").into());
    assert_eq!(first(world.plan_of(&[])), Err("LOGTRAIL_HOSTS: gone.toml: no such file".to_owned()));
}

#[test]
fn options_go_before_the_file_and_the_file_before_the_defaults() {
    let hosts =
        "[defaults]\nhost_keys = \"accept-new\"\ntags = [\"a\"]\n[hosts.x]\ntags = [\"b\"]\n[hosts.y]\nport = 23";
    let by_file = plan(hosts, &[]).expect("a plan");
    assert_eq!(by_file.hosts[0].endpoint.host_keys, HostKeyPolicy::AcceptNew);
    assert_eq!(
        (by_file.hosts[0].tags.as_slice(), by_file.hosts[1].tags.as_slice()),
        (&["b".into()][..], &["a".into()][..])
    );
    assert_eq!((by_file.lines, by_file.interval, by_file.once), (200, Duration::from_secs(2), false));
    let by_option =
        plan(hosts, &["--host-keys", "strict", "--once", "--timeout", "3s", "--no-ssh-config"]).expect("a plan");
    assert!(by_option.hosts.iter().all(|host| host.endpoint.host_keys == HostKeyPolicy::Strict));
    assert_eq!((by_option.lines, by_option.timeout), (10, Duration::from_secs(3)));
    assert_eq!(by_option.connector_settings().connect_timeout, Duration::from_secs(3));
    assert!(!by_option.connector_settings().ssh_config);
    assert!(matches!(by_option.fleet_options().goal, Goal::Once { .. }));
}

#[test]
fn hosts_are_in_the_order_of_the_file() {
    let plan = plan("[hosts.z]\n[hosts.a]\n[hosts.m]\n", &[]).expect("a plan");
    let names: Vec<_> = plan.hosts.iter().map(|host| host.name().as_str()).collect();
    assert_eq!(names, ["z", "a", "m"]);
}

/// Routes as text: hops by `>`, routes by ` | `.
fn routes(hosts: &str, host: &str) -> String {
    let plan = plan(hosts, &["--hosts", host]).expect("a plan");
    let hop = |hop: &Endpoint| hop.name.to_string();
    let chain = |chain: &Vec<Endpoint>| chain.iter().map(hop).collect::<Vec<_>>().join(">");
    plan.hosts[0].via.iter().map(chain).collect::<Vec<_>>().join(" | ")
}

#[test]
fn routes_are_chains_and_the_first_hop_brings_its_own_route() {
    let hosts = r#"
        [hosts.web]
        via = ["gw", "ann@10.0.0.1:2222", "edge,gw"]
        [hosts.gw]
        via = ["edge", "ssh://back"]
        [hosts.edge]
        "#;
    assert_eq!(routes(hosts, "web"), "edge>gw | back>gw | 10.0.0.1 | edge>gw");
}

#[test]
fn a_default_route_is_not_for_the_hosts_that_it_is_made_of() {
    let hosts = "[defaults]\nvia = [\"gw\"]\n[hosts.web]\n[hosts.gw]\n[hosts.localhost]\n[hosts.near]\nvia = []";
    assert_eq!(routes(hosts, "web"), "gw");
    assert_eq!(routes(hosts, "gw"), "");
    assert_eq!(routes(hosts, "near"), "");
    assert_eq!(routes(hosts, "localhost"), "");
    assert_eq!(routes(hosts, "ssh://elsewhere"), "gw");
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_probably_meant() {
    fails(
        "[hosts.web-1]\nadress = \"x\"",
        "hosts.toml:2:1: unknown key \"adress\" in host \"web-1\"; did you mean \"address\"?",
    );
    fails("[defaults]\nusr = \"x\"", "hosts.toml:2:1: unknown key \"usr\" in [defaults]; did you mean \"user\"?");
    fails("[host.web-1]\n", "hosts.toml:1:2: unknown section \"host\"; did you mean \"hosts\"?");
    fails(
        "[hosts.a]\nsources = [{ path = \"/x\", nmae = \"y\" }]",
        "hosts.toml:2:27: unknown key \"nmae\" in host \"a\"; did you mean \"name\"?",
    );
    fails(
        "[hosts.a]\ntransport = \"rush\"",
        "hosts.toml:2:13: unknown value \"rush\" in host \"a\"; did you mean \"russh\"?",
    );
}

#[test]
fn a_wrong_type_is_named_with_its_place() {
    for (hosts, expect) in [
        (
            "[hosts.a]\nport = \"22\"",
            "hosts.toml:2:8: invalid type: string \"22\", expected a port from 1 to 65535 in host \"a\"",
        ),
        (
            "[hosts.a]\nport = 0",
            "hosts.toml:2:8: invalid value: integer `0`, expected a port from 1 to 65535 in host \"a\"",
        ),
        (
            "[hosts.a]\nport = 70000",
            "hosts.toml:2:8: invalid value: integer `70000`, expected a port from 1 to 65535 in host \"a\"",
        ),
        ("[hosts.a]\ntags = \"web\"", "hosts.toml:2:8: invalid type: string \"web\", expected a list in host \"a\""),
        ("[hosts.a]\nuser = 7", "hosts.toml:2:8: invalid type: integer `7`, expected a string in host \"a\""),
        (
            "[hosts.a]\nidentity = 7",
            "hosts.toml:2:12: invalid type: integer `7`, expected a path or a list of paths in host \"a\"",
        ),
        ("hosts = 7", "hosts.toml:1:9: [hosts] must be a table with a key for each host"),
        ("[groups]\na = \"b\"", "hosts.toml:2:5: invalid type: string \"b\", expected a list in group \"a\""),
    ] {
        fails(hosts, expect);
    }
}

#[test]
fn what_is_written_twice_or_not_toml_is_named_with_its_place() {
    fails("[hosts.a]\n[hosts.b]\n[hosts.a]\n", "hosts.toml:3:8: duplicate key \"a\"");
    fails("[hosts.a]\nport = 1\nport = 2\n", "hosts.toml:3:1: duplicate key \"port\"");
    let error = plan("[hosts.a\n", &[]).expect_err("not TOML");
    assert!(error.starts_with("hosts.toml:1:9: "), "{error}");
    let two = "[hosts.a]\nsources = [{ name = \"x\", path = \"/a\" }, { name = \"x\", path = \"/b\" }]";
    fails(two, "hosts.toml:2:50: two sources have the name \"x\"");
}

#[test]
fn a_value_that_would_harm_is_refused_with_its_place() {
    for (hosts, expect) in [
        ("[hosts.-x]", "hosts.toml:1:8: host name \"-x\" starts with '-', which ssh would take for an option"),
        (
            "[hosts.a]\naddress = \"-x\"",
            "hosts.toml:2:11: address \"-x\" starts with '-', which ssh would take for an option",
        ),
        ("[hosts.a]\nuser = \"-x\"", "hosts.toml:2:8: user \"-x\" starts with '-', which ssh would take for an option"),
        ("[hosts.a]\naddress = \"a;b\"", "hosts.toml:2:11: address \"a;b\" contains ';', which is not allowed"),
        (
            "[hosts.a]\nvia = [\"-x\"]",
            "hosts.toml:2:8: jump host: address \"-x\" starts with '-', which ssh would take for an option",
        ),
        ("[hosts.a]\nvia = [\"\"]", "hosts.toml:2:8: jump host: address is empty"),
        ("[hosts.a]\ntags = [\"a,b\"]", "hosts.toml:2:9: tag \"a,b\" contains ',', which is not allowed"),
        (
            "[hosts.a]\nagent = \"require\"",
            "hosts.toml:2:9: agent = \"require\": this version has no agent yet; use \"auto\" or \"never\"",
        ),
        ("[hosts.a]\nsources = [{ name = \"x\" }]", "hosts.toml:2:12: a source needs a path or a journal"),
        (
            "[hosts.a]\nsources = [{ path = \"/x\", journal = \"y\" }]",
            "hosts.toml:2:37: a source has a path or a journal, not both",
        ),
        (
            "[hosts.a]\nsources = [{ journal = \"-M x\" }]",
            "hosts.toml:2:24: journal unit \"-M x\" contains ' ', which is not allowed",
        ),
        (
            "[hosts.a]\nidentity = \"~bob/id\"",
            "hosts.toml:2:12: \"~bob/id\": only '~' and '~/…' are expanded, not the home of another user",
        ),
        ("", "hosts.toml:1:1: no host: add [hosts.NAME], or name a target with --hosts user@host"),
    ] {
        fails(hosts, expect);
    }
}

#[test]
fn cycles_are_named_with_their_place() {
    fails("[hosts.a]\nvia = [\"b\"]\n[hosts.b]\nvia = [\"a\"]", "hosts.toml:4:8: jump cycle: a via b via a");
    fails("[hosts.a]\nvia = [\"a\"]", "hosts.toml:2:8: jump cycle: a via a");
    fails(
        "[hosts.a]\n[groups]\nx = [\"group:y\"]\ny = [\"x\"]",
        "hosts.toml:4:6: group \"y\": group cycle: x has y has x",
    );
    fails("[hosts.a]\nvia = [\"u@b,u@b\"]", "hosts.toml:2:8: jump cycle: b is twice on the same route");
}

#[test]
fn unknown_names_in_the_file_are_errors_with_a_suggestion() {
    fails(
        "[hosts.web-1]\n[groups]\nx = [\"web1\"]",
        "hosts.toml:3:6: group \"x\": unknown member \"web1\"; did you mean \"web-1\"?",
    );
    fails("[hosts.web-1]\n[groups]\nx = [\"db-*\"]", "hosts.toml:3:6: group \"x\": no host is named like \"db-*\"");
    fails("[hosts.web-1]\n[groups]\nx = [\"group:z\"]", "hosts.toml:3:6: group \"x\": unknown group \"z\"");
    fails(
        "[hosts.web-1]\n[groups]\nweb-1 = []",
        "hosts.toml:3:1: group \"web-1\" has the name of a host; rename one of them",
    );
    fails(
        "[hosts.web-1]\nvia = [\"bastoin\"]\n[hosts.bastion]",
        "hosts.toml:2:8: unknown jump host \"bastoin\"; did you mean \"bastion\"?",
    );
}

#[test]
fn too_deep_or_too_many_is_refused() {
    let chain: String = (0..12).map(|n| format!("[hosts.h{n}]\nvia = [\"h{}\"]\n", n + 1)).collect();
    let error = plan(&format!("{chain}[hosts.h12]"), &[]).expect_err("12 hops");
    assert!(error.contains("more than 8 hops"), "{error}");
    let many: Vec<String> = (0..20).map(|n| format!("\"10.0.0.{n}\"")).collect();
    let error = plan(&format!("[hosts.a]\nvia = [{}]", many.join(",")), &[]).expect_err("20 routes");
    assert!(error.contains("more than 16 jump routes"), "{error}");
    let nested: String = (0..40).map(|n| format!("g{n} = [\"group:g{}\"]\n", n + 1)).collect();
    let error = plan(&format!("[hosts.a]\n[groups]\n{nested}g40 = [\"a\"]"), &[]).expect_err("40 deep");
    assert!(error.contains("nested more than 32 deep"), "{error}");
}

#[test]
fn bom_and_crlf_are_tolerated_and_other_encodings_refused() {
    let world = World::new(b"\xef\xbb\xbf[hosts.a]\r\nport = 22\r\n");
    assert_eq!(world.plan(&[]).map(|plan| plan.hosts.len()), Ok(1));
    let world = World::new(b"\xef\xbb\xbf[hosts.a]\r\nprt = 22\r\n");
    let expect = "hosts.toml:2:1: unknown key \"prt\" in host \"a\"; did you mean \"port\"?";
    assert_eq!(world.plan(&[]).expect_err("a wrong key"), expect);
    let world = World::new(b"[hosts.a]\n# caf\xe9\n");
    assert_eq!(
        world.plan(&[]).expect_err("Latin-1"),
        "hosts.toml:2:6: byte 0xe9 is not UTF-8 text; save the file as UTF-8"
    );
    let world = World::new(b"\xff\xfe[\0h\0");
    assert_eq!(world.plan(&[]).expect_err("UTF-16"), "hosts.toml: UTF-16 text; save it as UTF-8");
}

#[test]
fn columns_count_characters() {
    fails(
        "hosts = { 'ä' = { prt = 1 } }",
        "hosts.toml:1:19: unknown key \"prt\" in host \"ä\"; did you mean \"port\"?",
    );
}

#[test]
fn a_file_that_cannot_be_an_inventory_is_refused() {
    let world = World::new(b"");
    let folder = world.folder.path().display().to_string();
    assert!(world.plan_of(&["--config", &folder]).expect_err("a folder").ends_with("is a folder, not a file"));
    let gone = format!("{folder}/gone.toml");
    assert_eq!(world.plan_of(&["--config", &gone]).expect_err("missing"), "gone.toml: no such file");
    let world = World::new(&vec![b'#'; usize::try_from(MAX_FILE_BYTES).expect("fits") + 1]);
    let expect = "hosts.toml: larger than 4 MiB, the limit for an inventory; is it the right file?";
    assert_eq!(world.plan(&[]).expect_err("10 MB"), expect);
}

#[test]
fn keys_are_checked_before_anything_is_dialled() {
    let world = World::new(b"[hosts.a]\nidentity = [\"id\"]\n[hosts.b]");
    assert_eq!(world.plan(&[]).expect_err("no key"), "identity: id: no such file (host a)");
    assert!(world.plan(&["--hosts", "b"]).is_ok(), "the key of a host that is not meant is not looked at");
    let id = world.folder.path().join("id");
    fs::write(&id, "key").expect("a file");
    set_mode(&id, 0o644);
    let open = "identity: id: mode 0644 lets others at a private key; run chmod 600 on it (host a)";
    assert_eq!(world.plan(&[]).expect_err("an open key"), open);
    set_mode(&id, 0o600);
    assert_eq!(world.plan(&[]).map(|plan| plan.hosts[0].endpoint.identity.clone()), Ok(vec![id]));
}

fn set_mode(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(path, permissions).expect("our own file");
}

#[test]
fn demo_makes_its_own_hosts() {
    let world = World::new(b"broken [");
    let plan = world.plan_of(&["demo", "--once", "--json"]).expect("a plan");
    assert!(plan.hosts.is_empty() && plan.once && plan.json);
    assert_eq!(
        world.plan(&["demo"]).expect_err("an inventory"),
        "--config: demo makes its own hosts; choose how many with --size"
    );
}

#[test]
fn themes_are_names_or_files_and_no_color_is_respected() {
    let mut world = World::new(b"[hosts.a]");
    let theme = |world: &World, options: &[&str]| world.plan(options).expect("a plan").theme;
    assert_eq!(theme(&world, &[]), Theme::Default);
    assert_eq!(theme(&world, &["--theme", "light"]), Theme::Named("light".to_owned()));
    assert_eq!(theme(&world, &["--theme", "./x"]), Theme::File("./x".into()));
    world.env.variables.insert("NO_COLOR", "1".into());
    assert_eq!(theme(&world, &[]), Theme::NoColour);
    assert_eq!(theme(&world, &["--theme", "dark"]), Theme::Named("dark".to_owned()));
    world.env.variables.insert("NO_COLOR", "".into());
    assert_eq!(theme(&world, &[]), Theme::Default);
}

fn example() -> Source {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts.example.toml")).expect("the example is readable")
}

#[test]
fn the_example_is_valid_and_its_defaults_are_the_built_in_ones() {
    let inventory = Inventory::new(example(), &Environment::default(), None).expect("the example is valid");
    assert_eq!(inventory.defaults, Inventory::none(None).defaults);
    assert!(!inventory.hosts.is_empty());
}

#[test]
fn the_example_has_every_key_in_its_defaults_and_every_key_of_a_source() {
    let text = example().text;
    let defaults = text.split("[defaults]").nth(1).and_then(|rest| rest.split("\n[hosts.").next()).expect("[defaults]");
    for key in HOST_KEYS {
        let documented = defaults.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")));
        assert!(documented, "{key} is not in [defaults] of hosts.example.toml");
    }
    for key in ["name", "path", "journal", "time"] {
        assert!(text.contains(&format!("{key} = ")), "{key}");
    }
}

#[test]
fn the_list_of_keys_is_the_one_that_the_parser_has() {
    let error = plan("[defaults]\nzzzzzz = 1", &[]).expect_err("an unknown key");
    assert_eq!(
        error,
        format!("hosts.toml:2:1: unknown key \"zzzzzz\" in [defaults]; known keys: {}", HOST_KEYS.join(", "))
    );
}

proptest! {
    #[test]
    fn a_selection_keeps_first_mentions_and_never_an_excluded_host(
        parts in prop::collection::vec((any::<bool>(), 0..6_usize), 1..12),
    ) {
        let fleet: String = (0..6).map(|n| format!("[hosts.h{n}]\n")).collect();
        let text: Vec<String> = parts.iter().map(|(not, n)| format!("{}h{n}", if *not { "!" } else { "" })).collect();
        let excluded: Vec<usize> = parts.iter().filter(|part| part.0).map(|part| part.1).collect();
        let mut expect: Vec<usize> = parts.iter().filter(|part| !part.0).map(|part| part.1).collect();
        if expect.is_empty() {
            expect = (0..6).collect();
        }
        let mut seen = std::collections::HashSet::new();
        expect.retain(|n| seen.insert(*n) && !excluded.contains(n));
        let expect: Vec<String> = expect.iter().map(|n| format!("h{n}")).collect();
        match names(&fleet, &text.join(",")) {
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
