//! The one private folder of a demo, and the watcher that removes it when we cannot.
//!
//! The watcher is a `/bin/sh` that waits for the end of a pipe whose other end only this process
//! holds. However we end, the kernel closes that end, and the watcher removes the folder. It has a
//! process group of its own, so that neither Ctrl-C nor a kill of our group takes it with us. Others
//! fill the folder.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::error::DemoError;

const PREFIX: &str = "logtrail-demo-";

/// Removes its first argument, and only if that is a real folder with the name we give to ours.
const WATCH: &str = r#"trap '' HUP INT QUIT TERM
read -r nothing
case $1 in
/*/logtrail-demo-*) [ -d "$1" ] && [ ! -L "$1" ] && rm -rf -- "$1" ;;
esac"#;

/// A folder (mode 0700) that lives as long as this value or this process, whichever ends first.
pub(super) struct DemoFolder {
    dir: Option<TempDir>,
    path: PathBuf,
    watcher: Child,
}

impl DemoFolder {
    /// In memory where the system has such a place for users.
    pub(super) fn create() -> Result<Self, DemoError> {
        let dir = make_dir()?;
        let path = dir.path().to_owned();
        let watcher = watch(&path).map_err(|source| DemoError::Watcher {
            path: path.display().to_string(),
            source,
        })?;
        Ok(Self {
            dir: Some(dir),
            path,
            watcher,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // An error here is not ours to tell: the watcher tries again.
        let _ = self.dir.take().map(TempDir::close);
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

fn make_dir() -> Result<TempDir, DemoError> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute());
    let temp = std::path::absolute(std::env::temp_dir()).unwrap_or_else(|_| PathBuf::from("/tmp"));
    let places = runtime.into_iter().chain([PathBuf::from("/dev/shm")]);
    for place in places {
        if let Ok(dir) = make_dir_in(&place) {
            return Ok(dir);
        }
    }
    make_dir_in(&temp).map_err(|source| DemoError::Folder {
        what: "make a folder in",
        path: temp.display().to_string(),
        source,
    })
}

fn make_dir_in(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}

fn watch(path: &Path) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", WATCH, "logtrail-demo-watcher"])
        .arg(path)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_gone_after_drop() {
        let folder = DemoFolder::create().expect("a folder");
        let path = folder.path().to_owned();
        std::fs::create_dir_all(path.join("web-1")).expect("fill it");
        std::fs::write(path.join("web-1/access.log"), "x").expect("fill it");
        let mode = std::fs::metadata(&path)
            .expect("it exists")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(folder);
        assert!(!path.exists(), "{} is still there", path.display());
    }

    #[test]
    fn the_watcher_leaves_every_other_folder_alone() {
        let other = tempfile::tempdir().expect("a folder");
        let mut watcher = watch(other.path()).expect("/bin/sh");
        drop(watcher.stdin.take());
        watcher.wait().expect("it ends");
        assert!(other.path().exists());
    }
}
