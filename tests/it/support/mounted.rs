//! Tests with mounts of their own. Each runs in a process that has its own mount namespace: what it
//! mounts nobody else sees, and it is gone with the process, however that ends.
//!
//! For root that is `unshare --mount`. Others get it in a user namespace, where they are root.

use std::future::Future;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use super::program;

/// Set in the process that has its own mounts.
const INSIDE: &str = "LOGTRAIL_TEST_OWN_MOUNTS";

/// So long one test may take at most; it has shorter deadlines of its own.
const LIMIT: Duration = Duration::from_secs(240);

/// Runs the test that calls this, by its name, in a process with its own mounts.
pub(crate) fn with_own_mounts<F: Future<Output = ()>, T: FnOnce() -> F>(test: T) {
    if std::env::var_os(INSIDE).is_some() {
        end_with_whoever_started_us();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        return runtime.block_on(test());
    }
    // "it::mounts::r18_…::{{closure}}"
    let name = std::any::type_name::<T>();
    let name = name
        .trim_end_matches("::{{closure}}")
        .split_once("::")
        .expect("a test of a crate")
        .1;
    run_inside(name);
}

fn run_inside(name: &str) {
    let mut unshare = Command::new(program("unshare"));
    unshare.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let test = std::env::current_exe().expect("this program");
    unshare
        .arg("--")
        .arg(test)
        .args(["--exact", name, "--nocapture", "--include-ignored"])
        .env(INSIDE, "1");
    unshare
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = unshare.spawn().expect("unshare starts");
    let (mut out, mut err) = (
        child.stdout.take().expect("piped"),
        child.stderr.take().expect("piped"),
    );
    let errors = std::thread::spawn(move || {
        let mut said = Vec::new();
        err.read_to_end(&mut said)
            .map(|_| String::from_utf8_lossy(&said).into_owned())
            .unwrap_or_default()
    });
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        out.read_to_end(&mut said)
            .map(|_| String::from_utf8_lossy(&said).into_owned())
            .unwrap_or_default()
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break Some(status);
        }
        if began.elapsed() > LIMIT {
            child.kill().expect("kill");
            child.wait().expect("wait");
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let (said, errors) = (
        said.join().expect("no panic"),
        errors.join().expect("no panic"),
    );
    assert!(
        !errors.contains("unshare: "),
        "{errors}: a test with mounts needs a mount namespace: root with CAP_SYS_ADMIN, or user namespaces for others"
    );
    let passed = status.is_some_and(|status| status.success()) && said.contains("1 passed");
    assert!(
        passed,
        "in its own mount namespace: {status:?} after {:?}\n{said}{errors}",
        began.elapsed()
    );
    // What it measured.
    let _ = std::io::stdout().write_all(errors.as_bytes());
}

/// Standard input is a pipe that nobody writes to: it ends when the test that started us is killed.
fn end_with_whoever_started_us() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}

/// A mount of the kernel's. Unmounted when it is dropped, whoever uses it.
pub(crate) struct Mounted(std::path::PathBuf);

impl Mounted {
    /// A file system in memory.
    pub(crate) fn tmpfs(point: &Path) -> Self {
        mount("tmpfs", point, "tmpfs", MountFlags::empty(), c"size=64m").expect("mount a tmpfs");
        Self(point.to_owned())
    }

    /// `lower` seen through `upper`, which takes what is changed.
    pub(crate) fn overlay(lower: &Path, upper: &Path, work: &Path, point: &Path) -> Self {
        let show = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let options = format!(
            "index=off,lowerdir={},upperdir={},workdir={}",
            show(lower),
            show(upper),
            show(work)
        );
        let options = std::ffi::CString::new(options).expect("no NUL");
        mount(
            "overlay",
            point,
            "overlay",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .expect("mount an overlay");
        Self(point.to_owned())
    }

    /// The same file or folder under a second name.
    pub(crate) fn bind(what: &Path, point: &Path) -> Self {
        mount_bind(what, point).expect("a bind mount");
        Self(point.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}
