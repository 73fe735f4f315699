//! The user's own `ssh` as transport, for what russh cannot do: GSSAPI, smart cards,
//! `KnownHostsCommand` and the like.
//!
//! One master process per host logs in and holds the connection; each shell is a small process that
//! uses it (`ControlPath` in a private folder). Nobody can be asked anything here: `BatchMode` is
//! on.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Semaphore;

use super::failure::{self, ConnectionEnd, ServerLabel};
use super::noise::is_noise;
use super::pace::LinkPacer;
use super::plan::ConnectPlan;
use super::shell::{ShellInput, ShellOutput};
use super::{ConnectorState, LinkError, child, hops, route};
use crate::model::host::{Endpoint, HostSpec};
use crate::model::state::LinkState;

/// Sessions on the master's connection, as with russh.
const SESSIONS: usize = super::russh::client::SESSIONS;

/// How often we look for the master's socket, which appears once it has logged in.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is kept of the words of `ssh`.
const WORDS_BYTES: u64 = 16 * 1024;

/// A connection that `ssh` holds.
pub(super) struct SystemSsh {
    ending: ConnectionEnd,
    /// Counts what the shells say, for nobody can see the socket of `ssh`.
    pub(super) pacer: LinkPacer,
    sessions: Arc<Semaphore>,
    /// Everything before the remote command, for a shell that uses the master.
    arguments: Vec<String>,
    place: ServerLabel,
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
        let (mut failed, mut wrong) = (None::<LinkError>, None);
        for (n, chain) in route::chains(inner, host, target)
            .await
            .into_iter()
            .enumerate()
        {
            let chain = match chain {
                Ok(chain) => chain,
                // The configuration has this route wrong, which says nothing of the others.
                Err(error) => {
                    wrong = Some(error);
                    continue;
                }
            };
            let mut error = match Self::by(
                &SystemRoute {
                    host,
                    jumps: host.via.get(n),
                    chain: &chain,
                },
                inner,
            )
            .await
            {
                Ok(system) => return Ok(system),
                Err(error) if error.state().needs_a_person() => return Err(error),
                Err(error) => error,
            };
            if let Some(before) = failed {
                // Who hung up in a login on one way is not dialled again sooner because another way
                // failed too, nor is what may pass on one way final because another way is.
                error.status.retry_in_s = error.status.retry_in_s.max(before.status.retry_in_s);
                error.may_pass |= before.may_pass;
            }
            failed = Some(error);
        }
        Err(failed.or(wrong).unwrap_or_else(|| route::no_route(host)))
    }

    async fn by(way: &SystemRoute<'_>, inner: &ConnectorState) -> Result<Self, LinkError> {
        let place = place(&way.host.endpoint);
        let unusable = |error: std::io::Error| {
            LinkError::new(
                LinkState::Unreachable,
                format!("cannot make a folder for ssh: {error}"),
                "check $TMPDIR",
            )
        };
        let folder = tempfile::Builder::new()
            .prefix("lt")
            .tempdir()
            .map_err(unusable)?;
        let socket = folder.path().join("c");
        let config = hops::configuration(way.chain, inner, folder.path()).map_err(unusable)?;
        let (options, destination) = arguments(way, config, inner);
        let socket_text = socket.to_string_lossy().into_owned();
        let _permit = inner.budget.handshake(&place.dialled()).await;
        let pacer = LinkPacer::new();
        let master = ["-M", "-N", "-oControlPersist=no", "-S", &socket_text].map(str::to_owned);
        let mut child = start(master.iter().chain(&options).chain(&destination), &place)?;
        let ending = ConnectionEnd::new();
        let stderr = child.stderr.take();
        log_in(
            &mut child,
            stderr,
            &socket,
            &place,
            inner.login_time(),
            &ending,
        )
        .await?;
        pacer.logged_in();
        let arguments = ["-T", "-oControlMaster=no", "-S", &socket_text].map(str::to_owned);
        Ok(Self {
            sessions: Arc::new(Semaphore::new(SESSIONS)),
            arguments: arguments
                .into_iter()
                .chain(options)
                .chain(destination)
                .collect(),
            ending: keep(child, ending, &place),
            pacer,
            place,
            _folder: folder,
        })
    }

    pub(super) fn place(&self) -> String {
        self.place.to_string()
    }

    pub(super) async fn ended(&self) -> LinkError {
        self.ending.ended().await
    }

    /// Ends every shell and waits until they are gone; the master goes too.
    pub(super) async fn close(&self) {
        self.ending.end(failure::closed_by_us());
        child::all_gone(&self.sessions, SESSIONS).await;
    }

    pub(super) async fn open_shell(&self) -> Result<(ShellInput, ShellOutput), LinkError> {
        let acquired = Arc::clone(&self.sessions).acquire_owned();
        let permit = tokio::select! {
            permit = acquired => permit.map_err(|_| failure::closed_by_us())?,
            why = self.ending.ended() => return Err(why),
        };
        if let Some(why) = self.ending.get() {
            return Err(why);
        }
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
        self.ending.end(failure::closed_by_us());
    }
}

fn start<'a>(
    arguments: impl Iterator<Item = &'a String>,
    place: &ServerLabel,
) -> Result<Child, LinkError> {
    let mut command = Command::new("ssh");
    command.args(arguments).env("SSH_ASKPASS_REQUIRE", "never");
    command
        .stdin(Stdio::null())
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

/// Waits for the socket of the master, or for its last words.
async fn log_in(
    master: &mut Child,
    stderr: Option<ChildStderr>,
    socket: &Path,
    place: &ServerLabel,
    limit: Duration,
    ending: &ConnectionEnd,
) -> Result<(), LinkError> {
    // Read to the end of the connection, or a talkative master would block on its pipe.
    let words = tokio::spawn(words_of(stderr));
    let appears = async {
        while !socket.exists() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = appears => Ok(()),
        status = master.wait() => {
            let words = words.await.unwrap_or_default();
            let error = explain(place, status.ok(), &words);
            ending.end(error.clone());
            Err(error)
        }
        // For a host that does not answer at all `ssh` has its own ConnectTimeout.
        () = tokio::time::sleep(limit) => Err(failure::no_answer(place, "ssh to log in", limit)),
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
    let (watched, place) = (ending.clone(), place.clone());
    tokio::spawn(async move {
        tokio::select! {
            status = master.wait() => watched.end(explain(&place, status.ok(), "the connection was lost").passing()),
            _ = watched.ended() => { let _ = master.kill().await; }
        }
    });
    ending
}

/// The words of `ssh` as a state.
fn explain(place: &ServerLabel, status: Option<ExitStatus>, words: &str) -> LinkError {
    let words = &telling(words);
    let line = |l: &&str| !is_noise(l) && !l.starts_with("Warning:") && !l.starts_with('@');
    let why = |line: &&str| WHY_DISTRUSTED.iter().any(|words| line.contains(words));
    let last = words
        .lines()
        .find(why)
        .or_else(|| words.lines().rev().find(line))
        .unwrap_or("it said nothing")
        .trim();
    let reason = match status.and_then(|status| status.code()) {
        Some(255) | None => format!("ssh did not reach {place}: {last}"),
        Some(code) => format!("ssh ended with exit status {code} for {place}: {last}"),
    };
    let (state, hint) = state_of(words);
    let mut error = LinkError::new(state, reason, hint);
    if state == LinkState::Unreachable && hung_up(words) {
        error.status.retry_in_s = Some(failure::AFTER_LOGIN_S);
        error.may_pass = true;
    }
    error
}

/// What a line has in it that says why a host key is not trusted. The last line says only that it
/// is not.
const WHY_DISTRUSTED: [&str; 4] = [
    "is marked as revoked",
    "revoked by file",
    "in revoked keys file",
    "has changed and you have requested strict",
];

/// The words without those that only follow from others: where the `ssh` of a jump host failed and
/// has said why, the one that waited for it ends with a line about a server that it does not know.
fn telling(words: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut before_it = None;
    for line in words.lines().filter(|line| !is_noise(line)) {
        if line.contains("UNKNOWN port 65535") {
            before_it =
                kept.pop_if(|before| OF_THE_SAME.iter().any(|words| before.starts_with(words)));
        } else if line.trim() != "stdio forwarding failed" {
            kept.push(line);
        }
    }
    match before_it {
        // It is all that is known.
        Some(line) if kept.is_empty() => line.to_owned(),
        _ => kept.join("\n"),
    }
}

/// What comes right before that line.
const OF_THE_SAME: [&str; 2] = [
    "kex_exchange_identification:",
    "Connection timed out during banner exchange",
];

fn hung_up(words: &str) -> bool {
    words.contains("Connection reset by") || words.contains("Connection closed by")
}

fn state_of(words: &str) -> (LinkState, &'static str) {
    let has = |what: &str| words.contains(what);
    if has("REVOKED HOST KEY") || has(" revoked by file ") {
        (LinkState::HostKeyChanged, failure::REVOKED)
    } else if has(" in revoked keys file ") {
        (LinkState::Denied, failure::UNREADABLE_REVOKED)
    } else if has("IDENTIFICATION HAS CHANGED") {
        (
            LinkState::HostKeyChanged,
            "if the host was really rebuilt: ssh-keygen -R HOST, then connect again",
        )
    } else if has("Host key verification failed") {
        (
            LinkState::Denied,
            "its host key is not on record; log in once by hand with ssh and accept it",
        )
    } else if has(": Permission denied (") || has("Too many authentication failures") {
        (
            LinkState::Denied,
            "nobody can be asked by the system's ssh; use a key, the agent or a ticket (kinit)",
        )
    } else if has("timed out") {
        (
            LinkState::Timeout,
            "it may be down, overloaded or behind a firewall that drops",
        )
    } else if has("banner line contains invalid characters") || has("remote software version") {
        (
            LinkState::Unreachable,
            "what listens there does not speak SSH 2; check the address and the port",
        )
    } else if has("kex_exchange_identification") {
        (
            LinkState::Throttled,
            "sshd limits connections at once (MaxStartups); it is not down",
        )
    } else if hung_up(words) {
        (
            LinkState::Unreachable,
            "it hung up before the login was over; a host that is booting (/run/nologin) does this",
        )
    } else {
        (LinkState::Unreachable, "try the same with `ssh -v`")
    }
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

fn endpoint_options(endpoint: &Endpoint) -> Vec<String> {
    let mut options = Vec::new();
    if let Some(address) = &endpoint.address {
        options.push(format!("-oHostName={address}"));
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
        format!("[{}]", hop.name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ssh_become_states() {
        for (words, state) in [
            ("ops@web: Permission denied (publickey).", LinkState::Denied),
            (
                "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!",
                LinkState::HostKeyChanged,
            ),
            (
                "ssh: connect to host web port 22: Connection timed out",
                LinkState::Timeout,
            ),
            (
                "ssh: connect to host web port 22: Connection refused",
                LinkState::Unreachable,
            ),
            (
                "kex_exchange_identification: Connection closed by remote host",
                LinkState::Throttled,
            ),
            (
                "System is booting up.\nConnection closed by 10.0.0.1 port 22",
                LinkState::Unreachable,
            ),
            (
                "Load key \"/k\": Permission denied\nConnection reset by 10.0.0.1 port 22",
                LinkState::Unreachable,
            ),
            (
                "kex_exchange_identification: banner line contains invalid characters",
                LinkState::Unreachable,
            ),
        ] {
            assert_eq!(state_of(words).0, state, "{words}");
        }
    }

    #[test]
    fn a_revoked_key_is_not_taken_for_that_of_a_rebuilt_host() {
        let place = ServerLabel {
            name: "web".into(),
            address: "10.0.0.1".into(),
            port: 22,
        };
        let end = "Host key verification failed.\r\n";
        for (words, state, hint, shown) in [
            (
                "@  WARNING: REVOKED HOST KEY DETECTED!  @\nThe ED25519 host key for web is marked as revoked.\nThis could mean",
                LinkState::HostKeyChanged,
                failure::REVOKED,
                "is marked as revoked.",
            ),
            (
                "Host key ED25519 SHA256:x revoked by file /k",
                LinkState::HostKeyChanged,
                failure::REVOKED,
                "by file /k",
            ),
            (
                "Error checking host key ED25519 SHA256:x in revoked keys file /k: No such file or directory",
                LinkState::Denied,
                failure::UNREADABLE_REVOKED,
                "No such file or directory",
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key for web has changed and you have requested \
                 strict checking.",
                LinkState::HostKeyChanged,
                "if the host was really rebuilt: ssh-keygen -R HOST, then connect again",
                "you have requested strict checking.",
            ),
        ] {
            let error = explain(&place, None, &format!("{words}\n{end}"));
            assert_eq!(
                (error.state(), error.status.hint.as_deref()),
                (state, Some(hint)),
                "{words}"
            );
            assert!(error.reason().ends_with(shown), "{}", error.reason());
        }
    }

    #[test]
    fn of_a_jump_host_that_failed_its_own_words_are_shown_and_a_hang_up_is_not_followed_at_once() {
        let place = ServerLabel {
            name: "web".into(),
            address: "10.0.0.1".into(),
            port: 22,
        };
        let end = "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535";
        for (words, state, shown, retry_in_s) in [
            (
                "ssh: connect to host b port 22: Connection refused",
                LinkState::Unreachable,
                "Connection refused",
                None,
            ),
            (
                "ops@b: Permission denied (publickey).",
                LinkState::Denied,
                "Permission denied (publickey).",
                None,
            ),
            (
                "kex_exchange_identification: read: reset",
                LinkState::Throttled,
                "read: reset",
                None,
            ),
            (
                "channel 0: open failed: connect failed: No route to host\nstdio forwarding failed",
                LinkState::Unreachable,
                "connect failed: No route to host",
                None,
            ),
            (
                "Connection closed by 10.0.0.2 port 22",
                LinkState::Unreachable,
                "by 10.0.0.2 port 22",
                Some(10),
            ),
            (
                "",
                LinkState::Throttled,
                "Connection closed by remote host",
                None,
            ),
        ] {
            let error = explain(&place, None, &format!("{words}\r\n{end}\r\n"));
            assert_eq!(
                (error.state(), error.status.retry_in_s),
                (state, retry_in_s),
                "{words}: {}",
                error.reason()
            );
            assert!(
                error.reason().ends_with(shown),
                "{words}: {}",
                error.reason()
            );
        }
        let late = "Connection timed out during banner exchange\nConnection to UNKNOWN port 65535 timed out\n";
        let error = explain(&place, None, late);
        assert_eq!(error.state(), LinkState::Timeout, "{}", error.reason());
        assert!(
            error.reason().ends_with("timed out during banner exchange"),
            "{}",
            error.reason()
        );
        let error = explain(&place, None, "Connection reset by 10.0.0.1 port 22\n");
        assert_eq!(error.status.retry_in_s, Some(10), "{}", error.reason());
        let hint = error.status.hint.unwrap_or_default();
        assert!(
            hint.starts_with("it hung up before the login was over"),
            "{hint}"
        );
        let error = explain(&place, None, "the connection was lost");
        assert_eq!(
            (error.state(), error.status.retry_in_s),
            (LinkState::Unreachable, None)
        );
    }
}
