//! What is refused, and with what words.

use std::fs;
use std::path::Path;

use super::super::file::MAX_FILE_BYTES;
use super::{World, plan};

#[track_caller]
fn fails(hosts: &str, expect: &str) {
    match plan(hosts, &[]) {
        Ok(plan) => panic!("{hosts}\nis accepted: {:#?}", plan.hosts),
        Err(error) => assert_eq!(error, expect),
    }
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_probably_meant() {
    fails(
        "[hosts.web-1]\nadress = \"x\"",
        "hosts.toml:2:1: unknown key \"adress\" in host \"web-1\"; did you mean \"address\"?",
    );
    fails(
        "[defaults]\nusr = \"x\"",
        "hosts.toml:2:1: unknown key \"usr\" in [defaults]; did you mean \"user\"?",
    );
    fails(
        "[host.web-1]\n",
        "hosts.toml:1:2: unknown section \"host\"; did you mean \"hosts\"?",
    );
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
        (
            "[hosts.a]\ntags = \"web\"",
            "hosts.toml:2:8: invalid type: string \"web\", expected a list in host \"a\"; write [\"web\"]",
        ),
        (
            "[hosts.a]\nagent = true",
            "hosts.toml:2:9: expected a string in host \"a\"",
        ),
        (
            "[hosts.a]\ntransport = \"custom\"",
            "hosts.toml:2:13: unknown value \"custom\" in host \"a\"; known values: auto, russh, system",
        ),
        (
            "[hosts.a]\nuser = 7",
            "hosts.toml:2:8: invalid type: integer `7`, expected a string in host \"a\"",
        ),
        (
            "[hosts.a]\nidentity = 7",
            "hosts.toml:2:12: invalid type: integer `7`, expected a path or a list of paths in host \"a\"",
        ),
        (
            "[hosts]\na = 7",
            "hosts.toml:2:5: invalid type: integer `7`, expected a table in host \"a\"",
        ),
        (
            "[hosts.a]\nsources = [7]",
            "hosts.toml:2:12: invalid type: integer `7`, expected a table such as { path = \"/var/log/syslog\" } in host \"a\"",
        ),
        (
            "[hosts.a]\nuser = {}",
            "hosts.toml:2:8: invalid type: table, expected a string in host \"a\"",
        ),
        (
            "hosts = 7",
            "hosts.toml:1:9: [hosts] must be a table with a key for each host",
        ),
        (
            "[groups]\na = \"b\"",
            "hosts.toml:2:5: invalid type: string \"b\", expected a list in group \"a\"; write [\"b\"]",
        ),
    ] {
        fails(hosts, expect);
    }
}

#[test]
fn what_is_written_twice_or_not_toml_is_named_with_its_place() {
    fails(
        "[hosts.a]\n[hosts.b]\n[hosts.a]\n",
        "hosts.toml:3:8: duplicate key \"a\"",
    );
    fails(
        "[hosts.a]\nport = 1\nport = 2\n",
        "hosts.toml:3:1: duplicate key \"port\"",
    );
    let error = plan("[hosts.a\n", &[]).expect_err("not TOML");
    assert!(error.starts_with("hosts.toml:1:9: "), "{error}");
    let twice = "[hosts.a]\nsources = [{ path = \"/a\" }, { path = \"/a\" }]";
    fails(twice, "hosts.toml:2:29: \"/a\" is a source twice");
    let two =
        "[hosts.a]\nsources = [{ name = \"x\", path = \"/a\" }, { name = \"x\", path = \"/b\" }]";
    fails(two, "hosts.toml:2:50: two sources have the name \"x\"");
}

#[test]
fn a_value_that_would_harm_is_refused_with_its_place() {
    for (hosts, expect) in [
        (
            "[hosts.-x]",
            "hosts.toml:1:8: host name \"-x\" starts with '-', which ssh would take for an option",
        ),
        (
            "[hosts.a]\naddress = \"-x\"",
            "hosts.toml:2:11: address \"-x\" starts with '-', which ssh would take for an option",
        ),
        (
            "[hosts.a]\nuser = \"-x\"",
            "hosts.toml:2:8: user \"-x\" starts with '-', which ssh would take for an option",
        ),
        (
            "[hosts.a]\naddress = \"a;b\"",
            "hosts.toml:2:11: address \"a;b\" contains ';', which is not allowed",
        ),
        (
            "[hosts.a]\nvia = [\"-x\"]",
            "hosts.toml:2:8: jump host: address \"-x\" starts with '-', which ssh would take for an option",
        ),
        (
            "[hosts.a]\nvia = [\"\"]",
            "hosts.toml:2:8: jump host: address is empty",
        ),
        (
            "[hosts.a]\ntags = [\"a,b\"]",
            "hosts.toml:2:9: tag \"a,b\" contains ',', which is not allowed",
        ),
        (
            "[hosts.a]\nagent = \"require\"",
            "hosts.toml:2:9: agent = \"require\": this version has no agent yet; use \"auto\" or \"never\"",
        ),
        (
            "[hosts.a]\nsources = [{ name = \"x\" }]",
            "hosts.toml:2:12: a source needs a path, a journal, a container, a pod or a command",
        ),
        (
            "[hosts.a]\nsources = [{ path = \"/x\", journal = \"y\" }]",
            "hosts.toml:2:37: a source has a path or a journal, not both",
        ),
        (
            "[hosts.a]\nsources = [{ journal = \"-M x\" }]",
            "hosts.toml:2:24: journal unit \"-M x\" contains ' ', which is not allowed",
        ),
        (
            "[hosts.a]\nsources = [{ container = \"a b\" }]",
            "hosts.toml:2:26: container \"a b\" contains ' ', which is not allowed",
        ),
        (
            "[hosts.a]\nsources = [{ container = \"-f\" }]",
            "hosts.toml:2:26: container \"-f\" starts with '-'",
        ),
        (
            "[hosts.a]\nsources = [{ path = \"/x\", engine = \"docker\" }]",
            "hosts.toml:2:36: engine belongs to a container; this source is none",
        ),
        (
            "[hosts.a]\nsources = [{ container = \"x\", engine = \"dcoker\" }]",
            "hosts.toml:2:40: unknown value \"dcoker\" in host \"a\"; did you mean \"docker\"?",
        ),
        (
            "[hosts.a]\nsources = [{ pod = \"a/b\", namespace = \"c\" }]",
            "hosts.toml:2:39: \"a/b\" has its namespace already",
        ),
        (
            "[hosts.a]\nsources = [{ pod = \"prod-*/b\" }]",
            "hosts.toml:2:20: namespace \"prod-*\" is a pattern; name one, or \"*\" for all of them",
        ),
        (
            "[hosts.a]\nsources = [{ command = \"vmstat 5\" }]",
            "hosts.toml:2:24: invalid type: string \"vmstat 5\", expected a list in host \"a\"; write [\"vmstat\", \"5\"]",
        ),
        (
            "[hosts.a]\nsources = [{ command = [\"vmstat 5\"] }]",
            "hosts.toml:2:24: \"vmstat 5\" is one word, which names a program; write [\"vmstat\", \"5\"]",
        ),
        (
            "[hosts.a]\nsources = [{ command = [] }]",
            "hosts.toml:2:24: command names no program; write [\"vmstat\", \"5\"]",
        ),
        (
            "[hosts.a]\nsources = [{ path = \"/x\", become = \"root\" }]",
            "hosts.toml:2:36: unknown value \"root\" in host \"a\"; known values: sudo",
        ),
        (
            "[hosts.a]\nidentity = \"~bob/id\"",
            "hosts.toml:2:12: \"~bob/id\": only '~' and '~/…' are expanded, not the home of another user",
        ),
        (
            "",
            "hosts.toml:1:1: no host: add [hosts.NAME], or name a target with --hosts user@host",
        ),
    ] {
        fails(hosts, expect);
    }
}

#[test]
fn cycles_are_named_with_their_place() {
    fails(
        "[hosts.a]\nvia = [\"b\"]\n[hosts.b]\nvia = [\"a\"]",
        "hosts.toml:4:8: jump cycle: a via b via a",
    );
    fails(
        "[hosts.a]\nvia = [\"a\"]",
        "hosts.toml:2:8: jump cycle: a via a",
    );
    fails(
        "[hosts.a]\n[groups]\nx = [\"group:y\"]\ny = [\"x\"]",
        "hosts.toml:4:6: group \"y\": group cycle: x has y has x",
    );
    fails(
        "[hosts.a]\nvia = [\"u@b,u@b\"]",
        "hosts.toml:2:8: jump cycle: b is twice on the same route",
    );
}

#[test]
fn unknown_names_in_the_file_are_errors_with_a_suggestion() {
    fails(
        "[hosts.web-1]\n[groups]\nx = [\"web1\"]",
        "hosts.toml:3:6: group \"x\": unknown member \"web1\"; did you mean \"web-1\"?",
    );
    fails(
        "[hosts.web-1]\n[groups]\nx = [\"db-*\"]",
        "hosts.toml:3:6: group \"x\": no host is named like \"db-*\"",
    );
    fails(
        "[hosts.web-1]\n[groups]\nx = [\"group:z\"]",
        "hosts.toml:3:6: group \"x\": unknown group \"z\"",
    );
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
    let chain: String = (0..12)
        .map(|n| format!("[hosts.h{n}]\nvia = [\"h{}\"]\n", n + 1))
        .collect();
    let error = plan(&format!("{chain}[hosts.h12]"), &[]).expect_err("12 hops");
    assert!(error.contains("more than 8 hops"), "{error}");
    let many: Vec<String> = (0..20).map(|n| format!("\"10.0.0.{n}\"")).collect();
    let error =
        plan(&format!("[hosts.a]\nvia = [{}]", many.join(",")), &[]).expect_err("20 routes");
    assert!(error.contains("more than 16 jump routes"), "{error}");
    let nested: String = (0..40)
        .map(|n| format!("g{n} = [\"group:g{}\"]\n", n + 1))
        .collect();
    let error =
        plan(&format!("[hosts.a]\n[groups]\n{nested}g40 = [\"a\"]"), &[]).expect_err("40 deep");
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
    assert_eq!(
        world.plan(&[]).expect_err("UTF-16"),
        "hosts.toml: UTF-16 text; save it as UTF-8"
    );
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
    assert!(
        world
            .plan_of(&["--config", &folder])
            .expect_err("a folder")
            .ends_with("is a folder, not a file")
    );
    let gone = format!("{folder}/gone.toml");
    assert_eq!(
        world.plan_of(&["--config", &gone]).expect_err("missing"),
        "gone.toml: no such file"
    );
    let world = World::new(&vec![
        b'#';
        usize::try_from(MAX_FILE_BYTES).expect("fits") + 1
    ]);
    let expect = "hosts.toml: larger than 4 MiB, the limit for an inventory; is it the right file?";
    assert_eq!(world.plan(&[]).expect_err("10 MB"), expect);
}

#[test]
fn keys_are_checked_before_anything_is_dialled() {
    let world = World::new(b"[hosts.a]\nidentity = [\"id\"]\n[hosts.b]");
    assert_eq!(
        world.plan(&[]).expect_err("no key"),
        "hosts.toml:2:12: identity: id: no such file"
    );
    assert!(
        world.plan(&["--hosts", "b"]).is_ok(),
        "the key of a host that is not meant is not looked at"
    );
    let id = world.folder.path().join("id");
    fs::write(&id, "key").expect("a file");
    set_mode(&id, 0o644);
    let open = "hosts.toml:2:12: identity: id: mode 0644 lets others at a private key; run chmod 600 on it";
    assert_eq!(world.plan(&[]).expect_err("an open key"), open);
    set_mode(&id, 0o600);
    assert_eq!(
        world
            .plan(&[])
            .map(|plan| plan.hosts[0].endpoint.identity.clone()),
        Ok(vec![id])
    );
}

fn set_mode(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(path, permissions).expect("our own file");
}
