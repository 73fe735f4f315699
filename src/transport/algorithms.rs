//! Which algorithms are used and which are refused, in one table, and how strong keys must be.
//!
//! What is negotiated with a server is made from the table, and so are the words about a server
//! that has nothing else. `known_hosts` decides whether a key is the right one.

use std::borrow::Cow;

use ::russh::keys::ssh_key::public::KeyData;
use ::russh::keys::{Algorithm, Certificate};
use ::russh::{AlgorithmKind, Preferred, cipher, compression, kex, mac};

use super::openssh::OpenSsh;

/// The least size of an RSA key where the user's configuration does not ask for more.
const RSA_BITS: u32 = 1024;

/// What an algorithm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlgorithmUse {
    /// Key exchange.
    Kex,
    /// Signatures: of a host key, and of an authority in a certificate.
    Signature,
    Cipher,
    Mac,
}

/// An algorithm by its name on the wire.
pub(super) struct AlgorithmRow {
    part: AlgorithmUse,
    name: &'static str,
    used: bool,
    /// Why, with the release or the manual of OpenSSH that says so.
    source: &'static str,
}

const fn used(part: AlgorithmUse, name: &'static str, source: &'static str) -> AlgorithmRow {
    AlgorithmRow {
        part,
        name,
        used: true,
        source,
    }
}

const fn refused(part: AlgorithmUse, name: &'static str, source: &'static str) -> AlgorithmRow {
    AlgorithmRow {
        part,
        name,
        used: false,
        source,
    }
}

const SHA1_KEX: &str = "SHA-1; not in the default KexAlgorithms of OpenSSH 9.2, ssh_config(5)";
const CBC: &str = "CBC; the client of OpenSSH 7.6 ceased to offer it";
const SHORT_MAC: &str = "MD5 or a shortened tag; off in the client since OpenSSH 7.2";
const REMOVED_CIPHER: &str = "removed in OpenSSH 7.6";

/// Of what is used, the first of each part is preferred.
const TABLE: &[AlgorithmRow] = &[
    used(
        AlgorithmUse::Kex,
        "mlkem768x25519-sha256",
        "OpenSSH 9.9; the first choice since 10.0",
    ),
    used(
        AlgorithmUse::Kex,
        "curve25519-sha256",
        "OpenSSH 7.4; in its defaults",
    ),
    used(
        AlgorithmUse::Kex,
        "curve25519-sha256@libssh.org",
        "OpenSSH 6.5; the same under its first name",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group-exchange-sha256",
        "in the defaults of OpenSSH 9.2, with groups of 2048 bits or more",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group18-sha512",
        "OpenSSH 7.3; in its defaults",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group17-sha512",
        "RFC 8268; OpenSSH has its neighbours",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group16-sha512",
        "OpenSSH 7.3; in its defaults",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group15-sha512",
        "RFC 8268; OpenSSH has its neighbours",
    ),
    used(
        AlgorithmUse::Kex,
        "diffie-hellman-group14-sha256",
        "OpenSSH 7.3; in its defaults",
    ),
    refused(
        AlgorithmUse::Kex,
        "diffie-hellman-group1-sha1",
        "a group of 1024 bits; off since OpenSSH 7.0",
    ),
    refused(
        AlgorithmUse::Kex,
        "diffie-hellman-group14-sha1",
        "SHA-1; off since OpenSSH 8.2",
    ),
    refused(
        AlgorithmUse::Kex,
        "diffie-hellman-group-exchange-sha1",
        SHA1_KEX,
    ),
    refused(
        AlgorithmUse::Kex,
        "none",
        "no key exchange; OpenSSH never had it",
    ),
    used(
        AlgorithmUse::Signature,
        "ssh-ed25519",
        "OpenSSH 6.5; the first choice since 8.5",
    ),
    used(
        AlgorithmUse::Signature,
        "ecdsa-sha2-nistp256",
        "OpenSSH 5.7; in its defaults",
    ),
    used(
        AlgorithmUse::Signature,
        "ecdsa-sha2-nistp384",
        "OpenSSH 5.7; in its defaults",
    ),
    used(
        AlgorithmUse::Signature,
        "ecdsa-sha2-nistp521",
        "OpenSSH 5.7; in its defaults",
    ),
    used(
        AlgorithmUse::Signature,
        "rsa-sha2-512",
        "OpenSSH 7.2; in its defaults",
    ),
    used(
        AlgorithmUse::Signature,
        "rsa-sha2-256",
        "OpenSSH 7.2; in its defaults",
    ),
    refused(
        AlgorithmUse::Signature,
        "ssh-rsa",
        "SHA-1; off since OpenSSH 8.8, of authorities since 8.2 (CASignatureAlgorithms)",
    ),
    refused(
        AlgorithmUse::Signature,
        "ssh-dss",
        "DSA of 1024 bits with SHA-1; off since OpenSSH 7.0, removed in 10.0",
    ),
    used(
        AlgorithmUse::Cipher,
        "aes128-gcm@openssh.com",
        "OpenSSH 6.2; in its defaults",
    ),
    used(
        AlgorithmUse::Cipher,
        "aes256-gcm@openssh.com",
        "OpenSSH 6.2; in its defaults",
    ),
    used(
        AlgorithmUse::Cipher,
        "chacha20-poly1305@openssh.com",
        "OpenSSH 6.5; in its defaults, and safe with strict key exchange (9.6)",
    ),
    used(
        AlgorithmUse::Cipher,
        "aes256-ctr",
        "in the defaults of OpenSSH 9.2",
    ),
    used(
        AlgorithmUse::Cipher,
        "aes128-ctr",
        "in the defaults of OpenSSH 9.2",
    ),
    refused(AlgorithmUse::Cipher, "aes128-cbc", CBC),
    refused(AlgorithmUse::Cipher, "aes192-cbc", CBC),
    refused(AlgorithmUse::Cipher, "aes256-cbc", CBC),
    refused(
        AlgorithmUse::Cipher,
        "3des-cbc",
        "blocks of 64 bits; off in the client since OpenSSH 7.4",
    ),
    refused(AlgorithmUse::Cipher, "blowfish-cbc", REMOVED_CIPHER),
    refused(AlgorithmUse::Cipher, "cast128-cbc", REMOVED_CIPHER),
    refused(AlgorithmUse::Cipher, "arcfour", REMOVED_CIPHER),
    refused(AlgorithmUse::Cipher, "arcfour128", REMOVED_CIPHER),
    refused(AlgorithmUse::Cipher, "arcfour256", REMOVED_CIPHER),
    refused(
        AlgorithmUse::Cipher,
        "none",
        "no encryption; OpenSSH never had it",
    ),
    used(
        AlgorithmUse::Mac,
        "hmac-sha2-512-etm@openssh.com",
        "OpenSSH 6.2; in its defaults",
    ),
    used(
        AlgorithmUse::Mac,
        "hmac-sha2-256-etm@openssh.com",
        "OpenSSH 6.2; in its defaults",
    ),
    used(
        AlgorithmUse::Mac,
        "hmac-sha2-512",
        "in the defaults of OpenSSH 9.2",
    ),
    used(
        AlgorithmUse::Mac,
        "hmac-sha2-256",
        "in the defaults of OpenSSH 9.2",
    ),
    refused(
        AlgorithmUse::Mac,
        "hmac-sha1",
        "SHA-1; OpenSSH 9.2 still has it as its last choice",
    ),
    refused(
        AlgorithmUse::Mac,
        "hmac-sha1-etm@openssh.com",
        "SHA-1; OpenSSH 9.2 still has it among its last choices",
    ),
    refused(AlgorithmUse::Mac, "hmac-sha1-96", SHORT_MAC),
    refused(AlgorithmUse::Mac, "hmac-md5", SHORT_MAC),
    refused(AlgorithmUse::Mac, "hmac-md5-96", SHORT_MAC),
    refused(
        AlgorithmUse::Mac,
        "none",
        "no integrity; OpenSSH never had it",
    ),
];

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
    /// `HostKeyAlgorithms`, which may take away and not add.
    host_keys: Option<Vec<String>>,
    /// `CASignatureAlgorithms`, likewise.
    authorities: Option<Vec<String>>,
}

impl KeyPolicy {
    /// The table, and what the user's configuration takes away from it.
    pub(super) fn new(said: &OpenSsh) -> Self {
        Self {
            rsa_bits: said.required_rsa_size,
            host_keys: said.host_key_algorithms.clone(),
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

    /// What to negotiate with a server. Types on record go first, or a server with several keys
    /// would present one that nobody ever saw; `certificates` is whether those of an authority are
    /// wanted.
    pub(super) fn preferred(&self, recorded: &[Algorithm], certificates: bool) -> Preferred {
        let allows = |name: &String| {
            self.host_keys
                .as_ref()
                .is_none_or(|allowed| allowed.contains(name))
        };
        let signatures: Vec<Algorithm> = names(AlgorithmUse::Signature)
            .filter_map(|name| Algorithm::new(name).ok())
            .collect();
        let plain = signatures
            .iter()
            .filter(|a| allows(&a.as_str().to_owned()))
            .cloned()
            .collect();
        let certified = signatures
            .iter()
            .filter(|a| certificates && allows(&a.to_certificate_type()))
            .cloned()
            .collect();
        Preferred {
            kex: names(AlgorithmUse::Kex)
                .filter_map(|name| kex::Name::try_from(name).ok())
                .chain(EXTENSIONS)
                .collect(),
            key: Cow::Owned(recorded_first(plain, recorded)),
            host_key_certificates: Cow::Owned(certified),
            cipher: names(AlgorithmUse::Cipher)
                .filter_map(|name| cipher::Name::try_from(name).ok())
                .collect(),
            mac: names(AlgorithmUse::Mac)
                .filter_map(|name| mac::Name::try_from(name).ok())
                .collect(),
            compression: Cow::Borrowed(&[compression::NONE]),
        }
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

/// What a server offers where it offers nothing that is used: each name that is refused with the
/// reason.
pub(super) fn offers(kind: &AlgorithmKind, theirs: &[String]) -> String {
    let part = match kind {
        AlgorithmKind::Kex => Some(AlgorithmUse::Kex),
        AlgorithmKind::Key => Some(AlgorithmUse::Signature),
        AlgorithmKind::Cipher => Some(AlgorithmUse::Cipher),
        AlgorithmKind::Mac => Some(AlgorithmUse::Mac),
        AlgorithmKind::Compression => None,
    };
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
            "# Algorithms\n\nWhat the built-in SSH client (`transport = \"russh\"`) negotiates, by preference, and what it refuses. \
             `HostKeyAlgorithms` and\n`CASignatureAlgorithms` of `~/.ssh/config` can take away from it, not add; `RequiredRSASize` can \
             be raised from 1024 bits, and holds for\nhost keys, for keys of authorities (which `ssh` does not measure), and for your \
             own. A host that has nothing else than what is refused\nneeds a new `sshd`, or `transport = \"system\"` and the \
             algorithm in `~/.ssh/config`.\n",
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
