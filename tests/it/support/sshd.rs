//! Real OpenSSH servers for tests, each on a port of its own with its own keys, and with a hand on
//! the wire.
//!
//! ```text
//! let sshd = Sshd::builder().config("MaxSessions 1").start();
//! let host = sshd.host("web-1");            // a HostSpec that gets in
//! sshd.cut();                               // every live connection is gone
//! sshd.freeze(true);                        // … stays open, and nothing passes
//! ```
//!
//! A listener of ours takes each connection, gives it to an `sshd -i` of its own, and copies the
//! bytes both ways; so connections can be cut, frozen and counted. Everything is in a temporary
//! folder and goes with the server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use logtrail::model::host::{Address, Endpoint, HostName, HostSpec, TransportKind, UserName};

use super::{make_key, program, run};

/// What a server is to be like.
#[derive(Default)]
pub(crate) struct Builder {
    config: Vec<String>,
    authorized: Vec<PathBuf>,
    host_key_type: Option<String>,
    mute: bool,
}

/// A running server. Stops when it is dropped.
pub(crate) struct Sshd {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
    addr: SocketAddr,
}

struct Shared {
    config: PathBuf,
    log: PathBuf,
    /// Takes connections and never says a word.
    mute: bool,
    stopped: AtomicBool,
    frozen: Mutex<bool>,
    thawed: Condvar,
    /// Bytes that it may still say before it freezes.
    left: AtomicUsize,
    live: Mutex<Vec<Live>>,
    accepted: AtomicUsize,
}

struct Live {
    socket: TcpStream,
    child: Option<Child>,
}

impl Builder {
    /// A line of `sshd_config`. Before ours, so it wins.
    #[must_use]
    pub(crate) fn config(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// What is sent is run by this shell, as sshd runs it with the login shell of a user.
    #[must_use]
    pub(crate) fn login_shell(self, shell: &str) -> Self {
        self.config(format!(
            "ForceCommand exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""
        ))
    }

    /// Those who log in have this in their environment; once for each server. `HOME=…` is where
    /// their rc files are.
    #[must_use]
    pub(crate) fn environment(self, variables: &[&str]) -> Self {
        self.config(format!("SetEnv {}", variables.join(" ")))
    }

    /// Another public key file that may log in, besides the client key.
    #[must_use]
    pub(crate) fn authorize(mut self, public_key: impl Into<PathBuf>) -> Self {
        self.authorized.push(public_key.into());
        self
    }

    /// The type of the host key: `ed25519` (default), `ecdsa`, `rsa`.
    #[must_use]
    pub(crate) fn host_key_type(mut self, kind: &str) -> Self {
        self.host_key_type = Some(kind.to_owned());
        self
    }

    /// It takes connections and never answers.
    #[must_use]
    pub(crate) fn mute(mut self) -> Self {
        self.mute = true;
        self
    }

    /// Starts it. Fails with what to install where OpenSSH is missing.
    #[must_use]
    pub(crate) fn start(self) -> Sshd {
        // OpenSSH's own place for unprivileged processes; missing where sshd never ran as a
        // service.
        let _ = std::fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_key(
            &folder.path().join("host_key"),
            self.host_key_type.as_deref().unwrap_or("ed25519"),
            "",
        );
        make_key(&folder.path().join("client_key"), "ed25519", "");
        self.write_files(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("a bound listener");
        let shared = Arc::new(Shared {
            config: folder.path().join("sshd_config"),
            log: folder.path().join("log"),
            mute: self.mute,
            stopped: AtomicBool::new(false),
            frozen: Mutex::new(false),
            thawed: Condvar::new(),
            left: AtomicUsize::new(usize::MAX),
            live: Mutex::default(),
            accepted: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || serving.serve(&listener));
        Sshd {
            folder,
            shared,
            addr,
        }
    }

    fn write_files(&self, folder: &Path) {
        let mut keys = std::fs::read_to_string(folder.join("client_key.pub")).expect("just made");
        for file in &self.authorized {
            keys += &std::fs::read_to_string(file).expect("an authorized key");
        }
        std::fs::write(folder.join("authorized_keys"), keys).expect("written");
        let at = folder.display();
        let ours = format!(
            "HostKey {at}/host_key\nAuthorizedKeysFile {at}/authorized_keys\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n\
             LogLevel VERBOSE\nUseDNS no\nPrintMotd no\nPrintLastLog no\n"
        );
        std::fs::write(
            folder.join("sshd_config"),
            self.config.join("\n") + "\n" + &ours,
        )
        .expect("written");
    }
}

impl Sshd {
    /// A server that lets in its client key, and nothing else.
    #[must_use]
    pub(crate) fn start() -> Self {
        Self::builder().start()
    }

    /// A server with wishes.
    #[must_use]
    pub(crate) fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    #[must_use]
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The port it listens on.
    #[must_use]
    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// `SHA256:…` of its host key.
    #[must_use]
    pub(crate) fn host_key_fingerprint(&self) -> String {
        let listed = run(Command::new(program("ssh-keygen"))
            .arg("-lf")
            .arg(self.path("host_key.pub")));
        listed
            .split_whitespace()
            .nth(1)
            .expect("a fingerprint")
            .to_owned()
    }

    /// `ssh-ed25519 AAAA…` of its host key.
    #[must_use]
    pub(crate) fn host_key(&self) -> String {
        let text = std::fs::read_to_string(self.path("host_key.pub")).expect("made at the start");
        text.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The line that makes it known.
    #[must_use]
    pub(crate) fn known_hosts_line(&self) -> String {
        format!("[127.0.0.1]:{} {}", self.port(), self.host_key())
    }

    /// The private key that it lets in.
    #[must_use]
    pub(crate) fn client_key_path(&self) -> PathBuf {
        self.path("client_key")
    }

    /// A file in its folder.
    #[must_use]
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it logged.
    #[must_use]
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.shared.log).unwrap_or_default()
    }

    /// How many connections it has taken.
    #[must_use]
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections live. One that its client closed lives on until sshd has noticed.
    #[must_use]
    pub(crate) fn live(&self) -> usize {
        let mut live = self.shared.live.lock().expect("no panic");
        live.retain_mut(|live| {
            live.child
                .as_mut()
                .is_none_or(|child| matches!(child.try_wait(), Ok(None)))
        });
        live.len()
    }

    /// A known_hosts file in its folder that knows it.
    #[must_use]
    pub(crate) fn known_hosts(&self) -> PathBuf {
        let file = self.path("known_hosts");
        if !file.exists() {
            std::fs::write(&file, self.known_hosts_line() + "\n").expect("written");
        }
        file
    }

    /// An endpoint of this name that gets in: the right key, the right known_hosts.
    #[must_use]
    pub(crate) fn endpoint(&self, name: &str) -> Endpoint {
        Endpoint {
            address: Some(Address::new("127.0.0.1").expect("an address")),
            port: Some(self.port()),
            user: Some(UserName::new(&me()).expect("a user")),
            identity: vec![self.client_key_path()],
            known_hosts: vec![self.known_hosts()],
            ..Endpoint::new(HostName::new(name).expect("a host name"))
        }
    }

    /// A host of this name that gets in.
    #[must_use]
    pub(crate) fn host(&self, name: &str) -> HostSpec {
        HostSpec {
            transport: TransportKind::Russh,
            ..HostSpec::new(self.endpoint(name))
        }
    }

    /// The process numbers of what serves its connections.
    pub(crate) fn servers(&self) -> Vec<u32> {
        let live = self.shared.live.lock().expect("no panic");
        live.iter()
            .filter_map(|live| Some(live.child.as_ref()?.id()))
            .collect()
    }

    /// Everything that runs on this server for those who are logged in: process numbers, and when
    /// each began.
    pub(crate) fn session_processes(&self) -> Vec<(u32, String)> {
        self.servers().into_iter().flat_map(descendants).collect()
    }

    /// Ends every connection that lives, as a reboot or a broken network does; new ones are taken.
    pub(crate) fn cut(&self) {
        self.shared.cut();
    }

    /// While frozen, connections stay open and nothing passes, as with a host that hangs.
    pub(crate) fn freeze(&self, frozen: bool) {
        *self.shared.frozen.lock().expect("no panic") = frozen;
        self.shared.thawed.notify_all();
    }

    /// Freezes once it has said so many bytes more; a host that hangs in the middle of an answer.
    pub(crate) fn freeze_after(&self, bytes: usize) {
        self.shared.left.store(bytes, Ordering::SeqCst);
    }

    /// Whether it is frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        *self.shared.frozen.lock().expect("no panic")
    }

    /// Takes no more connections, and ends those that live. The port refuses from now on.
    pub(crate) fn stop(&self) {
        if self.shared.stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        self.freeze(false);
        // Wakes the listener, which then closes.
        let _ = TcpStream::connect(self.addr);
        self.cut();
        while TcpStream::connect(self.addr).is_ok() {
            std::thread::yield_now();
        }
    }

    /// From now on it presents another host key on the same port; live connections are cut.
    pub(crate) fn restart_with_new_host_key(&self) {
        for name in ["host_key", "host_key.pub"] {
            std::fs::remove_file(self.path(name)).expect("there was one");
        }
        make_key(&self.path("host_key"), "ed25519", "");
        self.cut();
    }
}

/// All processes below `root`, with the time at which each began, by which a reused number is told
/// apart.
fn descendants(root: u32) -> Vec<(u32, String)> {
    let stat = |pid: u32| -> Option<(u32, String)> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        (fields[0] != "Z").then(|| (fields[1].parse().unwrap_or(0), fields[19].to_owned()))
    };
    let pids = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let all: Vec<(u32, u32, String)> = pids
        .filter_map(|pid: u32| stat(pid).map(|(parent, began)| (pid, parent, began)))
        .collect();
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(all.iter().filter(|row| row.1 == parent).map(|row| row.0));
        at += 1;
    }
    all.into_iter()
        .filter(|row| row.0 != root && found.contains(&row.0))
        .map(|row| (row.0, row.2))
        .collect()
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn serve(self: Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let Ok(socket) = socket else { continue };
            self.accepted.fetch_add(1, Ordering::SeqCst);
            let _ = socket.set_nodelay(true);
            self.take(socket);
        }
    }

    fn take(self: &Arc<Self>, socket: TcpStream) {
        let child = (!self.mute).then(|| self.spawn(&socket));
        self.live
            .lock()
            .expect("no panic")
            .push(Live { socket, child });
    }

    fn spawn(self: &Arc<Self>, socket: &TcpStream) -> Child {
        let mut child = Command::new(program("sshd"))
            .args(["-i", "-f"])
            .arg(&self.config)
            .arg("-E")
            .arg(&self.log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd starts");
        let (mut stdin, mut stdout) = (
            child.stdin.take().expect("piped"),
            child.stdout.take().expect("piped"),
        );
        let (mut reader, mut writer) = (
            socket.try_clone().expect("a socket"),
            socket.try_clone().expect("a socket"),
        );
        let (inward, outward) = (Arc::clone(self), Arc::clone(self));
        std::thread::spawn(move || inward.copy(&mut reader, &mut stdin, |_| {}));
        std::thread::spawn(move || {
            outward.copy(&mut stdout, &mut writer, |bytes| outward.count(bytes));
            let _ = writer.shutdown(Shutdown::Both);
        });
        child
    }

    fn copy(&self, from: &mut impl Read, to: &mut impl Write, count: impl Fn(usize)) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(n @ 1..) = from.read(&mut buffer) else {
                return;
            };
            count(n);
            let mut frozen = self.frozen.lock().expect("no panic");
            while *frozen {
                frozen = self.thawed.wait(frozen).expect("no panic");
            }
            drop(frozen);
            if to
                .write_all(&buffer[..n])
                .and_then(|()| to.flush())
                .is_err()
            {
                return;
            }
        }
    }

    fn count(&self, bytes: usize) {
        let less = |left: usize| (left < usize::MAX).then(|| left.saturating_sub(bytes));
        if self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok_and(|left| left <= bytes)
        {
            self.left.store(usize::MAX, Ordering::SeqCst);
            *self.frozen.lock().expect("no panic") = true;
        }
    }

    fn cut(&self) {
        for mut live in self.live.lock().expect("no panic").drain(..) {
            let _ = live.socket.shutdown(Shutdown::Both);
            if let Some(child) = &mut live.child {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// An `sshd` that listens by itself, for what only the listening one does (MaxStartups). With the
/// keys of another.
pub(crate) struct Daemon {
    process: Child,
    port: u16,
}

impl Daemon {
    /// Starts one on a free port with the configuration and the keys of `like`.
    pub(crate) fn start(like: &Sshd) -> Self {
        // Somebody else may take the port between our looking and its binding; then it exits, and
        // we look again.
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .expect("a port");
            let mut process = Command::new(program("sshd"))
                .args([
                    "-D",
                    "-o",
                    &format!("ListenAddress 127.0.0.1:{}", free.port()),
                    "-f",
                ])
                .arg(&like.shared.config)
                .arg("-E")
                .arg(like.path("daemon.log"))
                .spawn()
                .expect("sshd starts");
            while process.try_wait().expect("a child").is_none() {
                if TcpStream::connect(free).is_ok() {
                    return Self {
                        process,
                        port: free.port(),
                    };
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        panic!(
            "sshd does not start; see `sshd -D -e -f CONFIG` with {}",
            like.shared.config.display()
        );
    }

    /// A host of this name that gets in.
    pub(crate) fn host(&self, like: &Sshd, name: &str) -> HostSpec {
        let mut host = like.host(name);
        host.endpoint.port = Some(self.port);
        host.endpoint.known_hosts = vec![like.path("daemon_known_hosts")];
        let line = format!("[127.0.0.1]:{} {}\n", self.port, like.host_key());
        std::fs::write(like.path("daemon_known_hosts"), line).expect("written");
        host
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The user that runs the tests, who logs in on its own machine.
#[must_use]
pub(crate) fn me() -> String {
    run(Command::new("id").arg("-un")).trim().to_owned()
}
