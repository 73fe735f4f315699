//! Lines that `ssh` writes in addition to why it failed: each version has more of them. None must be
//! mistaken for the reason.

/// How such lines begin.
const NOISE: [&str; 14] = [
    "Pseudo-terminal will not be allocated",
    "Warning: Permanently added",
    "Warning: No xauth data",
    "Warning: untrusted X11 forwarding",
    "** WARNING: connection is not using a post-quantum",
    "** This session may be vulnerable to",
    "** The server may need to be upgraded",
    "Authenticated to ",
    "Authenticated using ",
    "Transferred: sent ",
    "Bytes per second: sent ",
    "debug1: ",
    "debug2: ",
    "debug3: ",
];

/// What only follows from the line before it.
const ECHOES: [&str; 2] = ["failed", "invalid environment variable expansion"];

/// True of a line that says nothing of why something failed.
pub(crate) fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || NOISE.iter().any(|start| line.starts_with(start))
}

/// True of a line that only repeats that something failed, where another has said what.
pub(super) fn is_echo(line: &str) -> bool {
    ECHOES.contains(&line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_run_of_ssh_may_print_is_noise_and_what_failed_is_not() {
        for line in [
            "Pseudo-terminal will not be allocated because stdin is not a terminal.",
            "Warning: Permanently added '[127.0.0.1]:2222' (ED25519) to the list of known hosts.\r",
            "** WARNING: connection is not using a post-quantum key exchange algorithm.",
            "** This session may be vulnerable to \"store now, decrypt later\" attacks.",
            "** The server may need to be upgraded. See https://openssh.com/pq.html",
            "debug1: Connecting to web [10.0.0.1] port 22.",
            "Authenticated to web ([10.0.0.1]:22) using \"publickey\".",
            " ",
        ] {
            assert!(is_noise(line), "{line}");
        }
        for line in [
            "ops@web: Permission denied (publickey).",
            "Warning: Identity file /k not accessible: No such file or directory.",
            "debugging is off",
            "** everybody out",
        ] {
            assert!(!is_noise(line), "{line}");
        }
    }
}
