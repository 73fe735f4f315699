//! The user's own `ssh` as transport, for what russh cannot do: GSSAPI, smart cards,
//! `KnownHostsCommand` and the like.
//!
//! One master process per host logs in and holds the connection; each shell is a small process that
//! uses it (`ControlPath` in a private folder). Nobody can be asked anything here: `BatchMode` is
//! on.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, Command};

use super::child::ProcessGroup;
use super::connector_state::ConnectorState;
use super::failure::{self, ConnectionEnd, ServerLabel};
use super::pace::LinkPacer;
use super::plan::ConnectPlan;
use super::sessions::SessionPermit;
use super::shell::{ShellInput, ShellOutput};
use super::{LinkError, child, hops, openssh, route};
use crate::model::host::{Endpoint, HostSpec};
use crate::model::state::LinkState;

mod words;

use words::explain;

/// How often we look for the master's socket, which appears once it has logged in.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is kept of the words of `ssh`.
const WORDS_BYTES: u64 = 16 * 1024;

/// A connection that `ssh` holds.
pub(super) struct SystemSsh {
    ending: ConnectionEnd,
    /// Counts what the shells say, for nobody can see the socket of `ssh`.
    pub(super) pacer: LinkPacer,
    /// Everything before the remote command, for a shell that uses the master.
    arguments: Vec<String>,
    place: ServerLabel,
    /// The master goes on while this is open: see `UNTIL_WE_END`.
    _held: Option<ChildStdin>,
    /// Removed with its socket when the connection is dropped.
    _folder: tempfile::TempDir,
}

impl SystemSsh {
    /// Logs in through a master process, by the first route that answers.
    ///
    /// # Errors
    /// As `ssh` puts it, mapped to a state.
    pub(super) async fn connect(
        host: &HostSpec,
        inner: &ConnectorState,
    ) -> Result<Self, LinkError> {
        let target = inner.plan(&host.endpoint).await?;
        let mut failed = None::<LinkError>;
        let mut wrong = None;
        let chains = route::chains(inner, host, target).await;
        for (n, chain) in chains.into_iter().enumerate() {
            let chain = match chain {
                Ok(chain) => chain,
                // The configuration has this route wrong, which says nothing of the others.
                Err(error) => {
                    wrong = Some(error);
                    continue;
                }
            };
            let way = SystemRoute {
                host,
                jumps: host.via.get(n),
                chain: &chain,
            };
            match Self::by(&way, inner).await {
                Ok(system) => return Ok(system),
                Err(error) if error.state().needs_a_person() => return Err(error),
                Err(error) => failed = Some(after(failed, error)),
            }
        }
        Err(failed.or(wrong).unwrap_or_else(|| route::no_route(host)))
    }

    async fn by(way: &SystemRoute<'_>, inner: &ConnectorState) -> Result<Self, LinkError> {
        let place = place(&way.host.endpoint);
        let folder = private_folder().map_err(unusable)?;
        let socket = folder.path().join("c");
        let config = hops::configuration(way.chain, inner, folder.path()).map_err(unusable)?;
        let (options, destination) = arguments(way, config, inner);
        let socket_text = socket.to_string_lossy().into_owned();
        let _permit = inner.budget.handshake(&place.dialled()).await;
        let pacer = LinkPacer::new();
        let master = ["-M", "-N", "-oControlPersist=no", "-S", &socket_text].map(str::to_owned);
        let arguments = master.iter().chain(&options).chain(&destination);
        let mut child = start(folder.path(), arguments, &place)?;
        let ending = ConnectionEnd::new();
        // Waiting for a child closes its standard input where that is left in it.
        let held = child.stdin.take();
        let stderr = child.stderr.take();
        let login = MasterLogin {
            socket: &socket,
            place: &place,
            limit: inner.login_time(),
            ending: &ending,
            checking_is_off: way.chain.iter().any(|plan| plan.checking_is_off),
        };
        login.wait(&mut child, stderr).await?;
        pacer.logged_in();
        let arguments = ["-T", "-oControlMaster=no", "-S", &socket_text].map(str::to_owned);
        Ok(Self {
            arguments: arguments
                .into_iter()
                .chain(options)
                .chain(destination)
                .collect(),
            ending: keep(child, ending, &place),
            pacer,
            place,
            _held: held,
            _folder: folder,
        })
    }

    pub(super) fn place(&self) -> String {
        self.place.to_string()
    }

    pub(super) async fn ended(&self) -> LinkError {
        self.ending.ended().await
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ending.get().is_some()
    }

    /// Ends every shell and the master; their permits say when the shells are gone.
    pub(super) fn close(&self) {
        self.ending.end(failure::closed_by_us());
    }

    pub(super) fn open_shell(
        &self,
        permit: SessionPermit,
    ) -> Result<(ShellInput, ShellOutput), LinkError> {
        let mut command = Command::new("ssh");
        command
            .args(&self.arguments)
            .arg("exec /bin/sh -s")
            .env("SSH_ASKPASS_REQUIRE", "never");
        child::spawn(
            command,
            Some(self.pacer.clone()),
            self.ending.clone(),
            permit,
        )
    }
}

impl Drop for SystemSsh {
    fn drop(&mut self) {
        self.close();
    }
}

/// The failure of a route after that of another: a server that hung up in a login on one route is
/// not dialled again sooner because another route failed too, nor is what may pass on one route final
/// because another route is.
fn after(before: Option<LinkError>, mut error: LinkError) -> LinkError {
    if let Some(before) = before {
        error.status.retry_in_s = error.status.retry_in_s.max(before.status.retry_in_s);
        error.may_pass |= before.may_pass;
    }
    error
}

fn unusable(error: std::io::Error) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("cannot make a folder for ssh: {error}"),
        "check $TMPDIR",
    )
}

/// Runs `ssh` and ends it, and what it leaves in its folder, when standard input ends: as it does
/// when this process is killed, which no destructor sees.
#[cfg(unix)]
const UNTIL_WE_END: &str = "folder=$1; shift; exec 3<&0; \"$@\" </dev/null 3<&- & ssh=$!; \
    { cat <&3; kill \"$ssh\"; } >/dev/null 2>&1 & guard=$!; exec 3<&-; wait \"$ssh\"; status=$?; \
    kill \"$guard\" 2>/dev/null; rm -f \"$folder/config\" \"$folder/c\"; rmdir \"$folder\"; exit $status";

#[cfg(unix)]
fn master_command(folder: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", UNTIL_WE_END, "sh"])
        .arg(folder)
        .arg("ssh");
    command
}

#[cfg(not(unix))]
fn master_command(_: &Path) -> Command {
    Command::new("ssh")
}

/// Longer names have no room for a socket: 108 bytes with its name, and 17 that `ssh` adds while it
/// makes it.
const FOLDER_BYTES: usize = 80;

/// A folder of our own for a socket, where its name is not too long.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let run = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let others = run.into_iter().chain([PathBuf::from("/tmp")]);
    let all = std::iter::once(std::env::temp_dir()).chain(others);
    let mut fits =
        all.filter(|folder| folder.as_os_str().len() + "/ltxxxxxx".len() <= FOLDER_BYTES);
    let parent = fits.next().unwrap_or_else(std::env::temp_dir);
    tempfile::Builder::new().prefix("lt").tempdir_in(parent)
}

fn start<'a>(
    folder: &Path,
    arguments: impl Iterator<Item = &'a String>,
    place: &ServerLabel,
) -> Result<Child, LinkError> {
    let mut command = master_command(folder);
    command.args(arguments).env("SSH_ASKPASS_REQUIRE", "never");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|error| {
        LinkError::new(
            LinkState::Unreachable,
            format!("cannot run ssh to reach {place}: {error}"),
            "install OpenSSH's client, or set transport = \"russh\"",
        )
    })
}

/// The login of a master process.
struct MasterLogin<'a> {
    socket: &'a Path,
    place: &'a ServerLabel,
    limit: Duration,
    ending: &'a ConnectionEnd,
    /// Whether the configuration of a server on the way has the checking of host keys off.
    checking_is_off: bool,
}

impl MasterLogin<'_> {
    /// Waits for the socket of the master, or for its last words.
    async fn wait(&self, master: &mut Child, stderr: Option<ChildStderr>) -> Result<(), LinkError> {
        // Read to the end of the connection, or a talkative master would block on its pipe.
        let words = tokio::spawn(words_of(stderr));
        tokio::select! {
            () = self.socket_appears() => Ok(()),
            status = master.wait() => {
                let words = words.await.unwrap_or_default();
                let mut error = explain(self.place, status.ok(), &words);
                if self.checking_is_off && words.contains("Host key verification failed") {
                    error.not_checked();
                }
                self.ending.end(error.clone());
                Err(error)
            }
            // For a host that does not answer at all `ssh` has its own ConnectTimeout.
            () = tokio::time::sleep(self.limit) => {
                Err(failure::no_answer(self.place, "ssh to log in", self.limit))
            }
        }
    }

    async fn socket_appears(&self) {
        while !self.socket.exists() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn words_of(stderr: Option<ChildStderr>) -> String {
    let mut words = Vec::new();
    if let Some(mut stderr) = stderr {
        let _ = (&mut stderr)
            .take(WORDS_BYTES)
            .read_to_end(&mut words)
            .await;
        let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&words).into_owned()
}

/// Holds the master until it ends or is to be ended.
fn keep(mut master: Child, ending: ConnectionEnd, place: &ServerLabel) -> ConnectionEnd {
    let watched = ending.clone();
    let place = place.clone();
    tokio::spawn(async move {
        tokio::select! {
            status = master.wait() => watched.end(explain(&place, status.ok(), "the connection was lost").passing()),
            _ = watched.ended() => ProcessGroup::of(&master).end(&mut master).await,
        }
    });
    ending
}

/// One way to a host.
struct SystemRoute<'a> {
    host: &'a HostSpec,
    /// The jump hosts that the inventory names; where it names none, `ssh` follows its own
    /// configuration.
    jumps: Option<&'a Vec<Endpoint>>,
    /// Every server on the way as it is planned, the host last.
    chain: &'a [ConnectPlan],
}

/// Options, and the destination after `--`: a name is never an option, whatever it looks like.
/// `config` is the option for the configuration.
fn arguments(
    way: &SystemRoute<'_>,
    config: Option<String>,
    inner: &ConnectorState,
) -> (Vec<String>, Vec<String>) {
    let endpoint = &way.host.endpoint;
    let mut options: Vec<String> = [
        "-oBatchMode=yes",
        "-oPermitLocalCommand=no",
        "-oForwardAgent=no",
        "-oForwardX11=no",
        "-oClearAllForwardings=yes",
        "-oServerAliveInterval=5",
        "-oServerAliveCountMax=3",
    ]
    .map(str::to_owned)
    .into();
    options.push(format!(
        "-oConnectTimeout={}",
        inner.settings.connect_timeout.as_secs().max(1)
    ));
    let policy = way
        .chain
        .last()
        .map(|plan| plan.host_keys)
        .unwrap_or_default();
    options.push(format!(
        "-oStrictHostKeyChecking={}",
        hops::strictness(policy)
    ));
    options.extend(config);
    options.extend(session_options(way.chain));
    options.extend(endpoint_options(endpoint));
    options.extend(known_hosts_option(
        endpoint,
        inner.settings.known_hosts.as_deref(),
    ));
    if let Some(jumps) = way.jumps.filter(|jumps| !jumps.is_empty()) {
        options.push(format!(
            "-oProxyJump={}",
            jumps.iter().map(jump).collect::<Vec<_>>().join(",")
        ));
    }
    (options, vec!["--".to_owned(), endpoint.name.to_string()])
}

/// What makes a configuration for people at a terminal one under which our shell runs.
fn session_options(chain: &[ConnectPlan]) -> impl Iterator<Item = String> {
    let overrides = chain.last().map(|plan| plan.session_overrides.as_slice());
    let overrides = overrides.unwrap_or_default();
    overrides.iter().map(|option| format!("-o{option}"))
}

fn endpoint_options(endpoint: &Endpoint) -> Vec<String> {
    let mut options = Vec::new();
    if let Some(address) = &endpoint.address {
        options.extend(openssh::at_address(address));
    }
    if let Some(port) = endpoint.port {
        options.push(format!("-p{port}"));
    }
    if let Some(user) = &endpoint.user {
        options.push(format!("-l{user}"));
    }
    for file in &endpoint.identity {
        options.extend(["-i".to_owned(), file.to_string_lossy().into_owned()]);
    }
    if !endpoint.identity.is_empty() {
        options.push("-oIdentitiesOnly=yes".to_owned());
    }
    options
}

/// The files of the host; else the one of the run before the user's own; else what the
/// configuration says.
fn known_hosts_option(endpoint: &Endpoint, of_the_run: Option<&Path>) -> Option<String> {
    let quoted = |file: &Path| format!("\"{}\"", file.display());
    let files: Vec<String> = match of_the_run {
        _ if !endpoint.known_hosts.is_empty() => endpoint
            .known_hosts
            .iter()
            .map(|file| quoted(file))
            .collect(),
        Some(file) => vec![quoted(file), "~/.ssh/known_hosts".to_owned()],
        None => return None,
    };
    Some(format!("-oUserKnownHostsFile={}", files.join(" ")))
}

/// By its name, under which `hops` says the rest of it.
fn jump(hop: &Endpoint) -> String {
    let user = hop
        .user
        .as_ref()
        .map(|user| format!("{user}@"))
        .unwrap_or_default();
    let name = if hop.name.as_str().contains(':') {
        format!("[{}]", hop.name.as_str().replace('%', "%%"))
    } else {
        hop.name.to_string()
    };
    let port = hop.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{name}{port}")
}

fn place(endpoint: &Endpoint) -> ServerLabel {
    let address = endpoint
        .address
        .as_ref()
        .map_or_else(|| endpoint.name.to_string(), ToString::to_string);
    ServerLabel {
        name: endpoint.name.to_string(),
        address,
        port: endpoint.port.unwrap_or(22),
    }
}
