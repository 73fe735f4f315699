//! Processes of this machine, as `/proc` has them.

use std::fs;

use super::sshd::Sshd;

/// Whether none of these processes, each with when it began, is there any more.
pub(crate) fn none_alive(processes: &[(u32, String)]) -> Result<(), String> {
    let began = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(19)
            .map(str::to_owned)
    };
    let left: Vec<_> = processes
        .iter()
        .filter(|(pid, at)| began(*pid).as_ref() == Some(at))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("{left:?}"))
    }
}

/// What serves the logins of a server, by name, without sshd itself.
pub(crate) fn session_names(sshd: &Sshd) -> Vec<String> {
    let name_of = |(pid, _)| fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    let names = sshd.session_processes().into_iter().filter_map(name_of);
    names
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.starts_with("sshd"))
        .collect()
}

/// The memory of a process in bytes, now; 0 of one that has ended.
pub(crate) fn memory(pid: u32) -> u64 {
    memory_row(pid, "VmRSS:")
}

/// The most memory in bytes that a process has had; 0 of one that has ended.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    memory_row(pid, "VmHWM:")
}

fn memory_row(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let row = status.lines().find_map(|row| row.strip_prefix(name));
    let kib = row.and_then(|row| row.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
