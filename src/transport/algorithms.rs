//! Which algorithms are negotiated with a server, and how strong keys must be.
//!
//! What is used and what is refused is in one table; the user's configuration goes before it. From
//! both are made the words about a server that has nothing else. `known_hosts` decides whether a key is the right one.

use std::borrow::Cow;

use ::russh::keys::ssh_key::public::KeyData;
use ::russh::keys::{Algorithm, Certificate};
use ::russh::{AlgorithmKind, Preferred, cipher, compression, kex, mac};

use super::openssh::{AlgorithmLists, OpenSsh};

mod table;

use table::{AlgorithmRow, AlgorithmUse, TABLE};

/// The least size of an RSA key where the user's configuration does not ask for more.
const RSA_BITS: u32 = 1024;

/// What the names on either side of a negotiation are made from.
fn names(part: AlgorithmUse) -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .filter(move |row| row.part == part && row.used)
        .map(|row| row.name)
}

fn row(part: AlgorithmUse, name: &str) -> Option<&'static AlgorithmRow> {
    TABLE
        .iter()
        .find(|row| row.part == part && row.name == name)
}

/// How strong the keys and signatures of a server must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeyPolicy {
    /// `RequiredRSASize`; it may only be raised.
    rsa_bits: Option<u32>,
    /// What `ssh` would negotiate. `HostKeyAlgorithms` may take away from the table and not add.
    said: AlgorithmLists,
    /// What it would negotiate if nothing were configured.
    defaults: AlgorithmLists,
    /// `CASignatureAlgorithms`, likewise.
    authorities: Option<Vec<String>>,
}

impl KeyPolicy {
    /// The table, and what the user's configuration takes away from it.
    pub(super) fn new(said: &OpenSsh) -> Self {
        Self {
            rsa_bits: said.required_rsa_size,
            said: said.algorithms.clone(),
            defaults: said.default_algorithms.clone(),
            authorities: said.ca_signature_algorithms.clone(),
        }
    }

    /// Why a key of anybody is too weak, where it is.
    pub(super) fn weakness(&self, key: &KeyData) -> Option<String> {
        let needed = self.rsa_bits.unwrap_or(RSA_BITS).max(RSA_BITS);
        let bits = key.rsa()?.key_size();
        (bits < needed).then(|| format!("RSA of {bits} bits, and RequiredRSASize is {needed}"))
    }

    /// Why the signature of an authority does not count, where it does not.
    pub(super) fn distrusted_authority(&self, cert: &Certificate) -> Option<String> {
        let name = cert.signature().algorithm().as_str().to_owned();
        if let Some(why) = refusal(&name) {
            return Some(format!("its authority signed it with {name} ({why})"));
        }
        if self
            .authorities
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(&name))
        {
            return Some(format!(
                "its authority signed it with {name}, which CASignatureAlgorithms excludes"
            ));
        }
        let why = self.weakness(cert.signature_key())?;
        Some(format!("the key of its authority is too weak ({why})"))
    }

    /// Whether `HostKeyAlgorithms` has a name.
    fn allows(&self, name: &str) -> bool {
        let allowed = &self.said.host_keys;
        allowed.is_empty() || allowed.iter().any(|one| one == name)
    }

    fn lists(&self, part: AlgorithmUse) -> (&[String], &[String]) {
        (list_of(&self.said, part), list_of(&self.defaults, part))
    }

    /// What is offered for a part: what the table uses, with what the configuration adds to the
    /// defaults of `ssh` at the end; or what the configuration has in place of these, as far as the
    /// library has it, with what the table refuses at the end.
    fn offered(&self, part: AlgorithmUse) -> Vec<&'static str> {
        let (said, defaults) = self.lists(part);
        let known = |name: &String| row(part, name).filter(|row| has(row));
        if let Some(added) = said.strip_prefix(defaults) {
            let mut offered: Vec<_> = names(part).collect();
            let new = added.iter().filter_map(known).map(|row| row.name);
            offered.extend(new.filter(|name| !names(part).any(|used| used == *name)));
            return offered;
        }
        let rows = said.iter().filter_map(known);
        let (first, last): (Vec<_>, Vec<_>) = rows.partition(|row| row.used);
        first.into_iter().chain(last).map(|row| row.name).collect()
    }

    /// What the configuration asks for and the library has nothing of.
    pub(super) fn beyond(&self) -> Option<&'static str> {
        let is_empty = |part| self.offered(part).is_empty();
        let certified = || {
            let mut all =
                names(AlgorithmUse::Signature).filter_map(|name| Algorithm::new(name).ok());
            all.any(|one| self.allows(one.as_str()) || self.allows(&one.to_certificate_type()))
        };
        if is_empty(AlgorithmUse::Kex) {
            Some("KexAlgorithms")
        } else if is_empty(AlgorithmUse::Cipher) {
            Some("Ciphers")
        } else if is_empty(AlgorithmUse::Mac) {
            Some("MACs")
        } else if !certified() {
            Some("HostKeyAlgorithms")
        } else {
            None
        }
    }

    /// What `ssh` has in common with a server with which we have nothing in common.
    pub(super) fn only_ssh_can(&self, error: &::russh::Error) -> Option<Box<str>> {
        let ::russh::Error::NoCommonAlgo { kind, theirs, .. } = error else {
            return None;
        };
        let part = part_of(kind)?;
        let (said, _) = self.lists(part);
        let common: Vec<&str> = theirs
            .iter()
            .filter(|name| said.contains(name))
            .map(String::as_str)
            .collect();
        let what = part.in_words();
        (!common.is_empty())
            .then(|| format!("its server has no {what} but {}", common.join(", ")).into())
    }

    /// What to negotiate with a server. Types on record go first, or a server with several keys
    /// would present one that nobody ever saw; `certificates` is whether those of an authority are
    /// wanted.
    pub(super) fn preferred(&self, recorded: &[Algorithm], certificates: bool) -> Preferred {
        let signatures: Vec<Algorithm> = names(AlgorithmUse::Signature)
            .filter_map(|name| Algorithm::new(name).ok())
            .collect();
        let plain = signatures
            .iter()
            .filter(|a| self.allows(a.as_str()))
            .cloned()
            .collect();
        let certified = signatures
            .iter()
            .filter(|a| certificates && self.allows(&a.to_certificate_type()))
            .cloned()
            .collect();
        Preferred {
            kex: self
                .offered(AlgorithmUse::Kex)
                .into_iter()
                .filter_map(|name| kex::Name::try_from(name).ok())
                .chain(EXTENSIONS)
                .collect(),
            key: Cow::Owned(recorded_first(plain, recorded)),
            host_key_certificates: Cow::Owned(certified),
            cipher: self
                .offered(AlgorithmUse::Cipher)
                .into_iter()
                .filter_map(|name| cipher::Name::try_from(name).ok())
                .collect(),
            mac: self
                .offered(AlgorithmUse::Mac)
                .into_iter()
                .filter_map(|name| mac::Name::try_from(name).ok())
                .collect(),
            compression: Cow::Borrowed(&[compression::NONE]),
        }
    }
}

fn list_of(lists: &AlgorithmLists, part: AlgorithmUse) -> &[String] {
    match part {
        AlgorithmUse::Kex => &lists.kex,
        AlgorithmUse::Signature => &lists.host_keys,
        AlgorithmUse::Cipher => &lists.ciphers,
        AlgorithmUse::Mac => &lists.macs,
    }
}

/// Whether the library has an algorithm of the table. The pseudo-algorithms that protect nothing
/// are none.
fn has(row: &AlgorithmRow) -> bool {
    let name = row.name;
    name != "none"
        && match row.part {
            AlgorithmUse::Kex => kex::Name::try_from(name).is_ok(),
            AlgorithmUse::Cipher => cipher::Name::try_from(name).is_ok(),
            AlgorithmUse::Mac => mac::Name::try_from(name).is_ok(),
            AlgorithmUse::Signature => row.used,
        }
}

/// Not algorithms: that signatures may be RSA with SHA-2 (RFC 8308), and that packets before the
/// keys count (OpenSSH 9.6).
const EXTENSIONS: [kex::Name; 2] = [
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

/// A type on record goes first; RSA is on record as one type and is negotiated as two.
fn recorded_first(all: Vec<Algorithm>, recorded: &[Algorithm]) -> Vec<Algorithm> {
    let is_recorded = |a: &Algorithm| recorded.iter().any(|r| r == a || (is_rsa(r) && is_rsa(a)));
    let (mut first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_recorded);
    first.extend(rest);
    first
}

fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

/// Why a signature of this algorithm does not count, where it does not.
pub(super) fn refusal(signature: &str) -> Option<&'static str> {
    match row(AlgorithmUse::Signature, signature) {
        Some(row) if row.used => None,
        Some(row) => Some(row.source),
        None => Some("it is not in the table of this version"),
    }
}

/// The algorithm of a signature as it is on the wire, where it has one.
pub(super) fn of_signature(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let name = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    std::str::from_utf8(name).ok()
}

fn part_of(kind: &AlgorithmKind) -> Option<AlgorithmUse> {
    match kind {
        AlgorithmKind::Kex => Some(AlgorithmUse::Kex),
        AlgorithmKind::Key => Some(AlgorithmUse::Signature),
        AlgorithmKind::Cipher => Some(AlgorithmUse::Cipher),
        AlgorithmKind::Mac => Some(AlgorithmUse::Mac),
        AlgorithmKind::Compression => None,
    }
}

/// What a server offers where it offers nothing that is used: each name that is refused with the
/// reason.
pub(super) fn offers(kind: &AlgorithmKind, theirs: &[String]) -> String {
    let part = part_of(kind);
    let each = theirs.iter().map(|name| {
        let known = part
            .and_then(|part| row(part, name))
            .filter(|row| !row.used);
        known.map_or_else(|| name.clone(), |row| format!("{name} ({})", row.source))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documents have it.
    fn document() -> String {
        let mut text = String::from(
            "# Algorithms\n\nWhat the built-in SSH client negotiates, by preference, and what it refuses unless `~/.ssh/config` \
             asks for it: what\n`KexAlgorithms`, `Ciphers` or `MACs` add there is offered last, and a list of your own takes the \
             place of the table's.\n`HostKeyAlgorithms` and `CASignatureAlgorithms` can take away, not add; `RequiredRSASize` can be \
             raised from 1024 bits, and holds for\nhost keys, for keys of authorities (which `ssh` does not measure), and for your \
             own.\n\nA host with which the built-in client has nothing in common and your `ssh` has, by its defaults or by \
             `~/.ssh/config`, is reached by\n`ssh` (unless it has `transport = \"russh\"`), and says so. Any other that has \
             nothing but what is refused needs a new `sshd`.\n",
        );
        for (part, title) in [
            (AlgorithmUse::Kex, "Key exchange"),
            (
                AlgorithmUse::Signature,
                "Signatures of host keys and of authorities",
            ),
            (AlgorithmUse::Cipher, "Ciphers"),
            (
                AlgorithmUse::Mac,
                "Message authentication, for the ciphers in CTR mode",
            ),
        ] {
            text += &format!("\n## {title}\n\n| algorithm | | source |\n|---|---|---|\n");
            for row in TABLE.iter().filter(|row| row.part == part) {
                text += &format!(
                    "| `{}` | {} | {} |\n",
                    row.name,
                    if row.used { "used" } else { "refused" },
                    row.source
                );
            }
        }
        text
    }

    #[test]
    fn the_table_in_the_documents_is_the_table() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/algorithms.md");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, document()).expect("docs/ is writable");
        }
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            stored == document(),
            "docs/algorithms.md is stale: run this test with UPDATE=1"
        );
    }

    #[test]
    fn everything_that_is_used_is_offered_in_the_order_of_the_table_and_nothing_that_is_refused() {
        let offered = KeyPolicy::default().preferred(&[], true);
        fn texts<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
            names.iter().map(AsRef::as_ref).collect()
        }
        let table = |part| names(part).collect::<Vec<_>>();
        assert_eq!(
            texts(&offered.kex),
            [
                table(AlgorithmUse::Kex),
                vec!["ext-info-c", "kex-strict-c-v00@openssh.com"]
            ]
            .concat()
        );
        assert_eq!(texts(&offered.cipher), table(AlgorithmUse::Cipher));
        assert_eq!(texts(&offered.mac), table(AlgorithmUse::Mac));
        assert_eq!(
            offered
                .key
                .iter()
                .map(Algorithm::as_str)
                .collect::<Vec<_>>(),
            table(AlgorithmUse::Signature)
        );
        assert_eq!(offered.host_key_certificates, offered.key);
        for (n, row) in TABLE.iter().enumerate() {
            assert!(
                !TABLE[..n]
                    .iter()
                    .any(|r| (r.part, r.name) == (row.part, row.name)),
                "{} twice",
                row.name
            );
        }
    }

    #[test]
    fn types_on_record_are_negotiated_first_and_the_configuration_takes_away() {
        let said = OpenSsh::parse(
            "hostkeyalgorithms rsa-sha2-512,ssh-ed25519,ssh-rsa,ssh-ed25519-cert-v01@openssh.com\n",
        );
        let rsa = Algorithm::Rsa { hash: None };
        let offered = KeyPolicy::new(&said).preferred(&[rsa], true);
        assert_eq!(
            offered
                .key
                .iter()
                .map(Algorithm::as_str)
                .collect::<Vec<_>>(),
            ["rsa-sha2-512", "ssh-ed25519"]
        );
        assert_eq!(
            offered
                .host_key_certificates
                .iter()
                .map(Algorithm::as_str)
                .collect::<Vec<_>>(),
            ["ssh-ed25519"]
        );
        assert!(
            KeyPolicy::default()
                .preferred(&[], false)
                .host_key_certificates
                .is_empty()
        );
    }

    #[test]
    fn signatures_with_sha_1_and_of_unknown_algorithms_do_not_count() {
        for name in ["ssh-rsa", "ssh-dss", "", "rsa-sha1-999"] {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in names(AlgorithmUse::Signature) {
            assert_eq!(refusal(name), None);
        }
    }

    #[test]
    fn the_algorithm_of_a_signature_is_its_first_text() {
        assert_eq!(
            of_signature(b"\0\0\0\x07ssh-rsa\0\0\0\x01x"),
            Some("ssh-rsa")
        );
        assert_eq!(
            of_signature(b"\0\0\0\x0crsa-sha2-512"),
            Some("rsa-sha2-512")
        );
        for broken in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\x09ssh-rsa",
            b"\xff\xff\xff\xffssh",
            b"\0\0\0\x02\xff\xfe",
        ] {
            assert_eq!(of_signature(broken), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_of_signatures_panic(bytes in proptest::collection::vec(0_u8.., 0..40)) {
            let _ = of_signature(&bytes);
        }
    }

    #[test]
    fn what_a_server_offers_is_told_with_the_reason_why_it_is_refused() {
        let offered = offers(
            &AlgorithmKind::Key,
            &["ssh-rsa".to_owned(), "x@y".to_owned()],
        );
        assert!(
            offered.starts_with("ssh-rsa (SHA-1; off since OpenSSH 8.8")
                && offered.ends_with("), x@y"),
            "{offered}"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_required_size_can_only_be_raised(required in 0_u32..5000) {
            let policy = KeyPolicy { rsa_bits: Some(required), ..KeyPolicy::default() };
            let key = ::russh::keys::PublicKey::from_openssh(RSA_2048).expect("a key");
            proptest::prop_assert_eq!(policy.weakness(key.key_data()).is_some(), required > 2048);
            let key = ::russh::keys::PublicKey::from_openssh(RSA_768).expect("a key");
            proptest::prop_assert!(policy.weakness(key.key_data()).is_some());
        }
    }

    const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCv5uhbr5aViTTib3h7hp8Cuq6a7izXB1lZPH2K1gFVUMJJteUKcGpjDX+XfuTrUKxgkPfKPU1/mvZDxH88aNnRz+uweqFKC0vrNRU9o/P6ADH3zYYvOF8paKjntjRpLfzZy0QuMZQyIgErIdU10gi0rtqX1Rv2ahgXpJYhDdhy5iEY1q9cKAbVbAijIAwqWrYuD9KUrUQQhfsKk58Oxsz+QkESxtg+jScaleXv5EfNq9HZv1EH5urbBu2ettBwVYibLj9a4uyeWeFOx2PHmmcD9UwXhh+oQAipSbMg3ZWr0XVizLyQ7p+x0FiKfKTNvPv0FHy+x0kmuW1+liHtw35f";
    const RSA_768: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAYQClscIAT+ONysftkc8CDulxqAbPtBVEdbKgyddVzi4K0agbdWLVgO9VOF6nO7K3wf0BZiw+rhfe3/fd15G7VR7LuUPXEWi/y9gvfW92eoDhfFybNidbRgp3cAa0i5SvfK0=";
}
