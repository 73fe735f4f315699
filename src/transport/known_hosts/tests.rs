//! What the record says, against what sshd(8) says it should say.

use proptest::prelude::*;

use super::*;

const KEY_A: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const KEY_B: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMN2LAcHTXRxI5h1QIhSNxoeXRnD9HWk4OWx9dK8H8FGwZuA92QmlWWEjNGBPvnNOvaoWTDW7SLuZ/hSBDwVT/w=";

fn key(text: &str) -> KeyData {
    PublicKey::from_openssh(text)
        .expect("a test key")
        .key_data()
        .clone()
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("known_hosts"), text);
    known
}

fn check(text: &str, host: &str, port: u16, presented: &str) -> KeyVerdict {
    known(text).check(&RecordedServer::new(host, port), &key(presented))
}

#[test]
fn a_plain_line_is_known_in_any_case_and_with_tabs() {
    assert_eq!(
        check(&format!("web-1,10.0.0.1 {KEY_A}"), "WEB-1", 22, KEY_A),
        KeyVerdict::Known
    );
    assert_eq!(
        check(
            &format!("  Web-1\t{} me@home", KEY_A.replace(' ', "\t")),
            "web-1",
            22,
            KEY_A
        ),
        KeyVerdict::Known
    );
}

#[test]
fn a_host_that_is_not_on_record_is_unknown() {
    assert_eq!(
        check(&format!("web-1 {KEY_A}"), "web-2", 22, KEY_A),
        KeyVerdict::Unknown
    );
}

#[test]
fn another_key_is_changed_and_names_the_line() {
    let KeyVerdict::Changed { recorded, at } =
        check(&format!("# comment\n\nweb-1 {KEY_A}"), "web-1", 22, KEY_B)
    else {
        panic!("not changed");
    };
    assert_eq!(at.to_string(), "known_hosts:3");
    assert_eq!(recorded, fingerprint(&key(KEY_A)));
}

#[test]
fn a_key_of_another_type_is_changed_too_for_recorded_types_are_negotiated_first() {
    assert!(matches!(
        check(&format!("web-1 {ECDSA}"), "web-1", 22, KEY_A),
        KeyVerdict::Changed { .. }
    ));
}

#[test]
fn any_of_several_keys_of_a_host_will_do() {
    assert_eq!(
        check(&format!("web-1 {KEY_A}\nweb-1 {KEY_B}"), "web-1", 22, KEY_B),
        KeyVerdict::Known
    );
}

#[test]
fn a_port_other_than_22_is_part_of_the_name() {
    assert_eq!(
        check(&format!("[web-1]:2222 {KEY_A}"), "web-1", 2222, KEY_A),
        KeyVerdict::Known
    );
    assert_eq!(
        check(&format!("[web-1]:2222 {KEY_A}"), "web-1", 22, KEY_A),
        KeyVerdict::Unknown
    );
    assert_eq!(
        check(&format!("[web-1]:2222 {KEY_A}"), "web-1", 2223, KEY_B),
        KeyVerdict::Unknown
    );
}

#[test]
fn the_same_key_under_the_name_without_a_port_will_do_but_another_is_only_unknown() {
    assert_eq!(
        check(&format!("web-1 {KEY_A}"), "web-1", 2222, KEY_A),
        KeyVerdict::Known
    );
    assert_eq!(
        check(&format!("web-1 {KEY_A}"), "web-1", 2222, KEY_B),
        KeyVerdict::Unknown
    );
}

#[test]
fn wildcards_match_and_a_negation_excludes() {
    let text = format!("*.example.org,!db?.example.org {KEY_A}");
    assert_eq!(
        check(&text, "web.example.org", 22, KEY_A),
        KeyVerdict::Known
    );
    assert_eq!(
        check(&text, "db1.example.org", 22, KEY_A),
        KeyVerdict::Unknown
    );
    assert_eq!(check(&text, "example.org", 22, KEY_A), KeyVerdict::Unknown);
}

#[test]
fn a_hashed_name_that_we_wrote_is_found_again_and_no_other() {
    let text = format!("{} {KEY_A}", hash_name("[web-1]:2222"));
    assert_eq!(check(&text, "web-1", 2222, KEY_A), KeyVerdict::Known);
    assert_eq!(check(&text, "web-2", 2222, KEY_A), KeyVerdict::Unknown);
}

#[test]
fn a_revoked_key_is_refused_even_where_it_is_also_on_a_plain_line() {
    let text = format!("web-1 {KEY_A}\n@revoked * {KEY_A}");
    assert!(matches!(check(&text, "web-1", 22, KEY_A), KeyVerdict::Revoked(at) if at.line == 2));
}

#[test]
fn lines_that_cannot_be_understood_are_skipped() {
    let text = format!(
        "web-1\nweb-1 ssh-ed25519 !!!\n|1|x|y {KEY_B}\n@other web-1 {KEY_B}\nweb-1 {KEY_A}"
    );
    assert_eq!(check(&text, "web-1", 22, KEY_A), KeyVerdict::Known);
}

#[test]
fn an_authority_is_not_a_host_key() {
    let known = known(&format!("@cert-authority *.example.org {KEY_A}"));
    let subject = RecordedServer::new("web.example.org", 22);
    assert!(known.has_authority(&subject));
    assert_eq!(known.check(&subject, &key(KEY_A)), KeyVerdict::Unknown);
}

#[test]
fn recorded_types_come_in_the_order_of_the_file() {
    let known = known(&format!("web-1 {ECDSA}\nweb-1 {KEY_A}"));
    let types: Vec<String> = known
        .recorded_types(&RecordedServer::new("web-1", 22))
        .iter()
        .map(|a| a.as_str().to_owned())
        .collect();
    assert_eq!(types, ["ecdsa-sha2-nistp256", "ssh-ed25519"]);
}

#[test]
fn a_stored_key_is_known_afterwards_and_the_file_is_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new/known_hosts");
    let subject = RecordedServer::new("web-1", 2222);
    let public = PublicKey::from_openssh(KEY_A).expect("a test key");
    append(&file, &subject, &public, false).expect("stored");
    append(&file, &RecordedServer::new("web-2", 22), &public, true).expect("stored");
    let known = KnownHosts::read(std::slice::from_ref(&file)).expect("readable");
    assert_eq!(known.check(&subject, public.key_data()), KeyVerdict::Known);
    assert_eq!(
        known.check(&RecordedServer::new("web-2", 22), public.key_data()),
        KeyVerdict::Known
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&file)
                .expect("exists")
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
    }
}

#[test]
fn a_last_line_without_its_end_is_not_glued_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, format!("web-1 {KEY_A}")).expect("written");
    append(
        &file,
        &RecordedServer::new("web-2", 22),
        &PublicKey::from_openssh(KEY_B).expect("a key"),
        false,
    )
    .expect("stored");
    let known = KnownHosts::read(&[file]).expect("readable");
    assert_eq!(
        known.check(&RecordedServer::new("web-1", 22), &key(KEY_A)),
        KeyVerdict::Known
    );
    assert_eq!(
        known.check(&RecordedServer::new("web-2", 22), &key(KEY_B)),
        KeyVerdict::Known
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*", host in "\\PC{0,20}") {
        known(&text).check(&RecordedServer::new(&host, 22), &key(KEY_A));
    }

    #[test]
    fn a_pattern_without_wildcards_matches_itself_only(a in "[a-z.]{0,8}", b in "[a-z.]{0,8}") {
        prop_assert_eq!(glob(&a, &b), a == b);
    }
}

proptest! {
    #[test]
    fn an_authority_without_a_port_is_one_for_every_port_and_one_with_a_port_for_that_alone(
        recorded in 1_u16..,
        asked in 1_u16..,
    ) {
        let any = known(&format!("@cert-authority web-1 {KEY_A}"));
        prop_assert!(any.has_authority(&RecordedServer::new("web-1", asked)));
        prop_assert!(!any.has_authority(&RecordedServer::new("web-2", asked)));
        let name = RecordedServer::new("web-1", recorded).name();
        let one = known(&format!("@cert-authority {name} {KEY_A}"));
        // Port 22 is written without a port.
        prop_assert_eq!(one.has_authority(&RecordedServer::new("web-1", asked)), recorded == 22 || recorded == asked);
    }
}
