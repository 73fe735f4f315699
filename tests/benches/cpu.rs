//! CPU that a server and everything it started has used.

use crate::support::sshd::Sshd;

/// Seconds of CPU of all processes that serve those who are logged in, with their children that
/// have ended: what a connection costs the host, its sshd included.
pub(crate) fn of_sessions(sshd: &Sshd) -> f64 {
    let sessions = sshd.session_processes().into_iter().map(|(pid, _)| pid);
    let ticks: u64 = sessions.chain(sshd.servers()).map(ticks).sum();
    // USER_HZ is 100 on every Linux.
    ticks as f64 / 100.0
}

/// utime, stime, cutime and cstime of proc_pid_stat(5).
fn ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}
