//! tinysshd, which starts commands in no session of their own.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use logtrail::model::host::{
    Address, Endpoint, HostKeyPolicy, HostName, HostSpec, TransportKind, UserName,
};
use logtrail::model::source::SourceSpec;

use super::sshd::me;
use super::{make_key, program, run};

/// A tinysshd behind a program that listens: it starts commands in the process group of that
/// program.
pub(crate) struct TinySshd {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) listener: Child,
    port: u16,
}

impl TinySshd {
    /// `serve` is the command that listens on a port and runs `tinysshd` with the folder of its
    /// keys.
    pub(crate) fn start(serve: impl Fn(u16, &str) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let client = folder.path().join("client_key");
        run(Command::new(program("tinysshd-makekey")).arg(&keys));
        make_key(&client, "ed25519", "");
        let tinysshd = format!("{} -L {}", program("tinysshd").display(), keys.display());
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .expect("a port");
            let mut listener = Self::listen(folder.path(), &serve(free.port(), &tinysshd));
            while listener.try_wait().expect("a child").is_none() {
                if TcpStream::connect(free).is_ok() {
                    return Self {
                        folder,
                        listener,
                        port: free.port(),
                    };
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("tinysshd does not start");
    }

    /// By the usual one.
    pub(crate) fn under_tcpserver() -> Self {
        let tcpserver = program("tcpserver").display().to_string();
        Self::start(|port, tinysshd| format!("{tcpserver} -HRDl0 127.0.0.1 {port} {tinysshd}"))
    }

    /// It reads the keys of the user's home, which is another folder for it than for everybody
    /// else.
    pub(crate) fn listen(folder: &Path, serve: &str) -> Child {
        let script = format!(
            "home=$(getent passwd {} | cut -d: -f6) && mount -t tmpfs -o mode=755 none \"$home\" && \
             mkdir -m 700 \"$home/.ssh\" && cp {}/client_key.pub \"$home/.ssh/authorized_keys\" && exec {serve}",
            me(),
            folder.display(),
        );
        let mut command = Command::new(program("unshare"));
        command.args(["--mount", "--propagation", "private"]);
        if me() != "root" {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.process_group(0).spawn().expect("unshare")
    }

    pub(crate) fn host(&self, sources: Vec<SourceSpec>) -> HostSpec {
        let endpoint = Endpoint {
            address: Some(Address::new("127.0.0.1").expect("an address")),
            port: Some(self.port),
            user: Some(UserName::new(&me()).expect("a user")),
            identity: vec![self.folder.path().join("client_key")],
            known_hosts: vec![self.folder.path().join("known_hosts")],
            host_keys: Some(HostKeyPolicy::AcceptNew),
            ..Endpoint::new(HostName::new("tiny").expect("a name"))
        };
        HostSpec {
            sources,
            transport: TransportKind::Russh,
            ..HostSpec::new(endpoint)
        }
    }

    /// What runs in it for those who are logged in.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let all = run(Command::new("ps").args(["-e", "-o", "pid=,ppid=,args="]));
        let rows: Vec<(u32, u32, &str)> = all
            .lines()
            .filter_map(|line| {
                let (pid, rest) = line.trim_start().split_once(' ')?;
                let (parent, args) = rest.trim_start().split_once(' ')?;
                Some((pid.parse().ok()?, parent.parse().ok()?, args.trim()))
            })
            .collect();
        let mut found = vec![self.listener.id()];
        while let Some(row) = rows
            .iter()
            .find(|row| found.contains(&row.1) && !found.contains(&row.0))
        {
            found.push(row.0);
        }
        let below = |row: &&(u32, u32, &str)| row.0 != found[0] && found.contains(&row.0);
        rows.iter()
            .filter(below)
            .map(|row| format!("{} {}", row.0, row.2))
            .collect()
    }
}

impl Drop for TinySshd {
    fn drop(&mut self) {
        let _ = self.listener.kill();
        let _ = self.listener.wait();
    }
}
