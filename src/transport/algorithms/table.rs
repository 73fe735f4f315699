//! The table of algorithms: which the built-in client uses by itself, and why it does not use the
//! others.
//!
//! What is negotiated is made from it in `algorithms`.

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

impl AlgorithmUse {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Kex => "key exchange",
            Self::Signature => "host key",
            Self::Cipher => "cipher",
            Self::Mac => "message authentication",
        }
    }
}

/// An algorithm by its name on the wire.
pub(super) struct AlgorithmRow {
    pub(super) part: AlgorithmUse,
    pub(super) name: &'static str,
    pub(super) used: bool,
    /// Why, with the release or the manual of OpenSSH that says so.
    pub(super) source: &'static str,
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
pub(super) const TABLE: &[AlgorithmRow] = &[
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
    used(
        AlgorithmUse::Kex,
        "ecdh-sha2-nistp256",
        "OpenSSH 5.7; in its defaults",
    ),
    used(
        AlgorithmUse::Kex,
        "ecdh-sha2-nistp384",
        "OpenSSH 5.7; in its defaults",
    ),
    used(
        AlgorithmUse::Kex,
        "ecdh-sha2-nistp521",
        "OpenSSH 5.7; in its defaults",
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
    used(
        AlgorithmUse::Cipher,
        "aes192-ctr",
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
