//! Whether the private keys that the inventory names are there: before anything is connected, for a
//! key that is missing on ten hosts is one mistake and not ten refused logins.

use std::fs::File;
use std::path::Path;

use super::error::ConfigError;
use super::file::plain_io;
use super::inventory::Inventory;
use crate::model::host::{HostSpec, TransportKind};

/// Checks the keys of hosts and of their jump hosts.
///
/// # Errors
/// With the first that is missing, cannot be read, or is open to others.
pub(super) fn check(hosts: &[HostSpec], inventory: &Inventory) -> Result<(), ConfigError> {
    let mut checked = std::collections::HashSet::new();
    for host in hosts
        .iter()
        .filter(|host| host.transport != TransportKind::Local)
    {
        for endpoint in host.via.iter().flatten().chain([&host.endpoint]) {
            for path in endpoint
                .identity
                .iter()
                .filter(|path| checked.insert((*path).clone()))
            {
                check_key(path).map_err(|why| inventory.identity_error(path, &why))?;
            }
        }
    }
    Ok(())
}

fn check_key(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| plain_io(&error))?;
    let meta = file.metadata().map_err(|error| plain_io(&error))?;
    if meta.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    check_mode(path, &meta)
}

/// As OpenSSH: a private key of ours that others can read is not private, and is not used. The file
/// of a public key means the key in the ssh-agent.
#[cfg(unix)]
fn check_mode(path: &Path, meta: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;

    let public = path.extension().is_some_and(|extension| extension == "pub");
    let ours = meta.uid() == rustix::process::getuid().as_raw();
    if public || !ours || meta.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(format!(
        "mode {:04o} lets others at a private key; run chmod 600 on it",
        meta.mode() & 0o7777
    ))
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _meta: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}
