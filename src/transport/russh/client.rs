//! One SSH connection: its settings, its handler, its watchdog and its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::russh::client::{
    self, Config, DisconnectReason, Handle, Handler, RemoteDisconnectInfo, Session,
};
use ::russh::keys::{HashAlg, PublicKeyOrCertificate};
use ::russh::{ChannelId, ChannelOpenFailure, Disconnect, Error, Limits, Names};
use tokio::sync::watch;

use super::trust::{self, HostKeyJudge, JudgedKey};
use crate::model::state::LinkState;
use crate::transport::failure::{self, ConnectionEnd, ServerLabel};
use crate::transport::known_hosts::KeyVerdict;
use crate::transport::pace::LinkPacer;
use crate::transport::stream::{ByteStream, CuttableStream, StreamCut};
use crate::transport::{LinkError, algorithms};

use super::watchdog::{self, Ping, WatchedLink};

/// Longer than the watchdog needs, and than sshd waits for a person to log in (LoginGraceTime, two
/// minutes), when there is no watchdog yet; also ends what hangs in the library before the login.
const INACTIVITY: Duration = Duration::from_secs(150);

/// By how much the silence that the library bears is longer than a login may take: ours is the
/// limit that is reported.
const AFTER_LOGIN_TIME: Duration = Duration::from_secs(30);

/// Small, for latency: measured, a request behind a flood over 2 MB/s takes 104 ms at 256 KiB and
/// 695 ms at 2 MiB.
const WINDOW_BYTES: u32 = 256 * 1024;

/// What `close` grants the goodbye.
const GOODBYE: Duration = Duration::from_millis(1500);

/// A connection that has logged in.
pub(crate) struct RusshClient {
    pub(super) handle: Handle<ClientHandler>,
    pub(super) notes: Arc<HandlerNotes>,
    pub(crate) place: ServerLabel,
    pub(crate) pacer: LinkPacer,
    /// Whether a person was asked in the login.
    pub(crate) person_was_asked: bool,
    cut: StreamCut,
    /// The connection that carries this one.
    outer: Option<Arc<RusshClient>>,
}

/// What the handler leaves for the others.
pub(crate) struct HandlerNotes {
    pub(crate) ending: ConnectionEnd,
    /// The server's words when it last refused a channel: they are nowhere else.
    pub(super) refusal: Mutex<Option<String>>,
    /// What the server last said in the login.
    pub(super) banner: Mutex<Option<String>>,
    /// With what it took its leave.
    pub(super) goodbye: Mutex<Option<String>>,
    /// The key that the handler judged, and how.
    judged: Mutex<Option<JudgedKey>>,
    over: watch::Sender<bool>,
}

/// Key exchange done, nobody logged in yet.
pub(crate) struct HandshakenClient {
    pub(super) handle: Handle<ClientHandler>,
    pub(crate) notes: Arc<HandlerNotes>,
    pub(crate) cut: StreamCut,
    pub(crate) person_was_asked: bool,
    pacer: LinkPacer,
}

/// How quick a connection is, and how long its login may take.
pub(crate) struct LoginPacing {
    pub(crate) pacer: LinkPacer,
    pub(crate) login_time: Duration,
}

/// Callbacks of the library. They must not wait: the session loop is blocked until they return.
pub(super) struct ClientHandler {
    trust: HostKeyJudge,
    notes: Arc<HandlerNotes>,
    place: String,
    /// Whether the first key exchange is done.
    negotiated: bool,
    /// What was presented and accepted: it is not judged again when keys are exchanged again.
    accepted: Option<String>,
}

impl ClientHandler {
    fn new(trust: HostKeyJudge, notes: Arc<HandlerNotes>, place: &ServerLabel) -> Self {
        Self {
            trust,
            notes,
            place: place.to_string(),
            negotiated: false,
            accepted: None,
        }
    }
}

/// Speaks SSH up to the login. The caller wraps this in a time limit; when it is dropped the stream
/// is cut.
pub(crate) async fn handshake(
    stream: Box<dyn ByteStream>,
    pacing: LoginPacing,
    place: &ServerLabel,
    trust: HostKeyJudge,
) -> Result<HandshakenClient, (Error, Arc<HandlerNotes>)> {
    let LoginPacing { pacer, login_time } = pacing;
    let (stream, cut) = CuttableStream::new(stream, pacer.clone());
    let guard = cut.on_drop();
    let notes = Arc::new(HandlerNotes::new());
    let config = Arc::new(config(&trust, login_time));
    let watcher = ClientHandler::new(trust, Arc::clone(&notes), place);
    match client::connect_stream(config, stream, watcher).await {
        Ok(handle) => {
            if let Some(unfit) = handle
                .agent_session_binding()
                .and_then(trust::unfit_signature)
            {
                notes.distrust(unfit);
                return Err((Error::UnknownKey, notes));
            }
            guard.disarm();
            Ok(HandshakenClient {
                handle,
                notes,
                cut,
                person_was_asked: false,
                pacer,
            })
        }
        Err(error) => Err((error, notes)),
    }
}

impl HandlerNotes {
    /// Takes out the key that the handler judged.
    pub(crate) fn take_judged(&self) -> Option<JudgedKey> {
        self.judged().take()
    }

    fn judged(&self) -> MutexGuard<'_, Option<JudgedKey>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new() -> Self {
        Self {
            ending: ConnectionEnd::new(),
            refusal: Mutex::default(),
            banner: Mutex::default(),
            goodbye: Mutex::default(),
            judged: Mutex::default(),
            over: watch::Sender::new(false),
        }
    }

    /// Takes back that the key was accepted.
    fn distrust(&self, verdict: KeyVerdict) {
        if let Some(judged) = &mut *self.judged() {
            judged.verdict = verdict;
        }
    }

    /// Waits until the library has let go of the connection.
    async fn over(&self) {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

impl WatchedLink for RusshClient {
    fn pacer(&self) -> &LinkPacer {
        &self.pacer
    }

    fn has_ended(&self) -> bool {
        self.is_over()
    }

    fn ping(self: Arc<Self>) -> Ping {
        // Held until it is answered: no longer than the watchdog lives, which whoever lets go of
        // the connection ends.
        Box::pin(async move { self.handle.send_ping().await.is_ok() })
    }

    fn give_up(&self) {
        self.notes.ending.end(silent(&self.place.to_string()));
        self.cut.cut();
    }
}

impl RusshClient {
    pub(crate) fn new(
        greeted: HandshakenClient,
        place: ServerLabel,
        outer: Option<Arc<RusshClient>>,
    ) -> Arc<Self> {
        let HandshakenClient {
            handle,
            notes,
            cut,
            person_was_asked,
            pacer,
        } = greeted;
        pacer.logged_in();
        let client = Arc::new(Self {
            handle,
            notes,
            place,
            pacer,
            person_was_asked,
            cut,
            outer,
        });
        tokio::spawn(watchdog::watch_over(
            Arc::downgrade(&client),
            client.notes.ending.clone(),
        ));
        client
    }

    pub(crate) fn is_over(&self) -> bool {
        self.handle.is_closed() || self.notes.ending.get().is_some()
    }

    pub(crate) async fn ended(&self) -> LinkError {
        self.way().explain(self.notes.ending.ended().await)
    }

    /// What carries this connection.
    pub(super) fn way(&self) -> OuterClient {
        OuterClient::by(self.outer.clone())
    }

    /// Says goodbye, and cuts after a short while whatever the peer does.
    pub(crate) async fn close(&self) {
        self.notes.ending.end(failure::closed_by_us());
        let goodbye = async {
            let _ = self
                .handle
                .disconnect(Disconnect::ByApplication, "", "")
                .await;
            self.notes.over().await;
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        self.cut.cut();
    }

    /// Ends it at once, without a goodbye.
    pub(crate) fn hang_up(&self) {
        self.notes.ending.end(failure::closed_by_us());
        self.cut.cut();
    }

    /// A byte stream from the host to somewhere else, as for `ProxyJump`.
    pub(crate) async fn tunnel(&self, to: &ServerLabel) -> Result<Box<dyn ByteStream>, LinkError> {
        let opened = self
            .handle
            .channel_open_direct_tcpip(to.address.as_str(), u32::from(to.port), "127.0.0.1", 0)
            .await;
        match opened {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(Error::ChannelOpenFailure(why)) => Err(self.no_tunnel(to, &why)),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn no_tunnel(&self, to: &ServerLabel, why: &ChannelOpenFailure) -> LinkError {
        let said = self
            .refusal()
            .map(|words| format!(" ({words})"))
            .unwrap_or_default();
        let via = &self.place.name;
        match why {
            ChannelOpenFailure::AdministrativelyProhibited => LinkError::new(
                LinkState::Unreachable,
                format!("jump host {via} does not forward to {}{said}", to.dialled()),
                format!(
                    "sshd on {via} needs AllowTcpForwarding, and PermitOpen must not exclude it"
                ),
            ),
            _ => {
                let error = LinkError::new(
                    LinkState::Unreachable,
                    format!("jump host {via} cannot connect to {}{said}", to.dialled()),
                    "is it up, and is its address right as seen from the jump host?",
                );
                if said.contains("timed out") {
                    error.passing()
                } else {
                    error
                }
            }
        }
    }

    pub(super) fn refusal(&self) -> Option<String> {
        self.notes
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The true reason where it is known, for the library's errors after the end say nothing.
    pub(super) fn lost(&self, error: &Error) -> LinkError {
        let why = self
            .notes
            .ending
            .get()
            .unwrap_or_else(|| broken(&self.place.to_string(), error));
        self.way().explain(why)
    }
}

/// The jump host that carries a connection, where there is one.
pub(crate) struct OuterClient(Option<Arc<RusshClient>>);

impl OuterClient {
    pub(crate) fn by(outer: Option<Arc<RusshClient>>) -> Self {
        Self(outer)
    }

    /// Why a connection ended: where what carried it went away, the host itself did nothing.
    pub(crate) fn explain(&self, why: LinkError) -> LinkError {
        match self
            .0
            .as_ref()
            .and_then(|outer| Some((outer, outer.notes.ending.get()?)))
        {
            Some((outer, lost)) if why.reason() != failure::closed_by_us().reason() => {
                lost.at_hop(&outer.place.name)
            }
            _ => why,
        }
    }
}

impl Drop for RusshClient {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// A key or a certificate as it is written in files.
fn line_of(presented: &PublicKeyOrCertificate) -> Option<String> {
    match presented {
        PublicKeyOrCertificate::PublicKey { key, .. } => key.to_openssh().ok(),
        PublicKeyOrCertificate::Certificate(cert) => cert.to_openssh().ok(),
    }
}

impl Handler for ClientHandler {
    type Error = Error;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, Error> {
        let line = line_of(presented);
        if line.is_some() && line == self.accepted {
            return Ok(true);
        }
        let judged = self.trust.judge(presented).await;
        let accepted = match &judged.verdict {
            KeyVerdict::Known => true,
            KeyVerdict::Unknown => self.trust.accept_new,
            KeyVerdict::Revoked(_)
            | KeyVerdict::Listed(_)
            | KeyVerdict::Unfit { .. }
            | KeyVerdict::Changed { .. } => false,
        };
        *self.notes.judged() = Some(judged);
        self.accepted = line.filter(|_| accepted);
        Ok(accepted)
    }

    async fn kex_done(
        &mut self,
        _: Option<&[u8]>,
        names: &Names,
        _: &mut Session,
    ) -> Result<(), Error> {
        // What is agreed later tells nothing of how the first went.
        if !std::mem::replace(&mut self.negotiated, true) {
            trust::note_negotiated(&self.place, names);
        }
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _: ChannelId,
        _: ChannelOpenFailure,
        description: &str,
        _: &str,
        _: &mut Session,
    ) -> Result<(), Error> {
        keep(&self.notes.refusal, description.to_owned());
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Error> {
        keep(&self.notes.banner, failure::shown(banner));
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        let why = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                keep(&self.notes.goodbye, failure::shown(&info.message));
                said_goodbye(&self.place, info)
            }
            DisconnectReason::Error(error) => broken(&self.place, error),
        };
        self.notes.ending.end(why);
        Ok(())
    }
}

/// Keeps words of the server, if there are any.
fn keep(notes: &Mutex<Option<String>>, words: String) {
    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    *notes = Some(words).filter(|words| !words.is_empty());
}

impl Drop for ClientHandler {
    fn drop(&mut self) {
        self.notes.ending.end(broken(&self.place, &Error::HUP));
        self.notes.over.send_replace(true);
    }
}

/// A handshake that failed for another reason than the host key.
pub(crate) fn shaking_hands(place: &ServerLabel, error: &Error) -> LinkError {
    match error {
        Error::IO(io) if failure::is_hang_up(io) => {
            failure::turned_away(place, "closed the connection")
        }
        Error::HUP | Error::Disconnect => failure::turned_away(place, "closed the connection"),
        Error::InactivityTimeout
        | Error::KeepaliveTimeout
        | Error::ConnectionTimeout
        | Error::Elapsed(_) => failure::no_answer(place, "the key exchange", Duration::ZERO),
        Error::NoCommonAlgo { kind, theirs, .. } => failure::denied(
            format!(
                "{place} and we have no {kind:?} algorithm in common; it offers {}",
                algorithms::offers(kind, theirs)
            ),
            "update its sshd, or allow what it has in ~/.ssh/config and set transport = \"system\" for this host",
        ),
        Error::Version => LinkError::new(
            LinkState::Unreachable,
            format!("what listens at {place} does not speak SSH"),
            "check the port",
        ),
        other => LinkError::new(
            LinkState::Unreachable,
            format!("the key exchange with {place} failed: {other}"),
            "try `ssh -v` to the same host, or transport = \"system\"",
        ),
    }
}

/// A connection that broke.
pub(super) fn broken(place: &str, error: &Error) -> LinkError {
    match error {
        Error::KeepaliveTimeout | Error::InactivityTimeout => silent(place),
        Error::IO(io) if !failure::is_hang_up(io) => lost(place, &io.to_string()),
        Error::IO(_) | Error::HUP | Error::Disconnect | Error::SendError | Error::RecvError => {
            lost(place, "closed by it")
        }
        other => lost(place, &other.to_string()),
    }
}

fn lost(place: &str, how: &str) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("the connection to {place} was lost: {how}"),
        "it is dialled again; a reboot, a restart of sshd or the network in between are usual",
    )
    .passing()
}

fn silent(place: &str) -> LinkError {
    LinkError::new(
        LinkState::Timeout,
        format!("{place} stopped answering"),
        "it is dialled again; the host hangs or the network in between drops",
    )
}

fn said_goodbye(place: &str, info: &RemoteDisconnectInfo) -> LinkError {
    let words = failure::shown(&info.message);
    let no_more = matches!(
        info.reason_code,
        Disconnect::NoMoreAuthMethodsAvailable | Disconnect::IllegalUserName
    );
    if no_more || words.contains("Too many authentication failures") {
        return failure::denied(
            format!("{place} refused us: {words}"),
            "fewer keys are offered with `identity` in the inventory (the agent holds too many)",
        );
    }
    let words = if words.is_empty() {
        "without a word"
    } else {
        &words
    };
    LinkError::new(
        LinkState::Unreachable,
        format!("{place} ended the connection: {words}"),
        "it is dialled again",
    )
    .passing()
}

/// The longest silence of the library's own.
fn inactivity(login_time: Duration) -> Duration {
    INACTIVITY.max(login_time.saturating_add(AFTER_LOGIN_TIME))
}

fn config(trust: &HostKeyJudge, login_time: Duration) -> Config {
    let never = usize::MAX / 2;
    Config {
        preferred: trust.preferred(),
        nodelay: true,
        // It counts whole packets only, and not those of the key exchange: see `watchdog`.
        keepalive_interval: None,
        inactivity_timeout: Some(inactivity(login_time)),
        window_size: WINDOW_BYTES,
        maximum_packet_size: 32 * 1024,
        channel_buffer_size: 64,
        // Left to the server, as OpenSSH's client does: see the head of this folder.
        limits: Limits {
            rekey_read_limit: never,
            rekey_write_limit: never,
            rekey_time_limit: Duration::from_secs(30 * 24 * 3600),
        },
        ..Config::default()
    }
}

/// The hash for signatures by an RSA key; the old SHA-1 is never used, whatever the server says.
pub(super) fn rsa_hash(supported: Option<Option<HashAlg>>) -> HashAlg {
    supported.flatten().unwrap_or(HashAlg::Sha512)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::transport::algorithms::KeyPolicy;
    use crate::transport::known_hosts::{KnownHosts, RecordedServer, RevokedKeys};

    #[test]
    fn no_silence_is_cut_before_the_time_of_a_login_is_over() {
        for (login_time, silence) in [(1, 150), (120, 150), (300, 330), (86_400, 86_430)] {
            assert_eq!(
                inactivity(Duration::from_secs(login_time)).as_secs(),
                silence,
                "{login_time}"
            );
        }
    }

    fn keygen(folder: &Path, arguments: &[&str]) {
        let output = Command::new("ssh-keygen")
            .arg("-q")
            .args(arguments)
            .current_dir(folder)
            .output();
        let output = output.expect("ssh-keygen starts");
        assert!(output.status.success(), "{output:?}");
    }

    #[tokio::test]
    async fn a_key_that_was_accepted_is_not_judged_again_on_the_same_connection_and_another_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["ours", "others"] {
            keygen(folder.path(), &["-t", "ed25519", "-N", "", "-f", name]);
        }
        keygen(folder.path(), &["-k", "-f", "krl", "others.pub"]);
        let presented = |name: &str| {
            let key = ::russh::keys::load_public_key(folder.path().join(name)).expect("a key");
            PublicKeyOrCertificate::PublicKey {
                key,
                hash_alg: None,
            }
        };
        let krl = folder.path().join("krl");
        let trust = HostKeyJudge {
            known: KnownHosts::default(),
            subject: RecordedServer::new("web-1", 22),
            pinned: None,
            accept_new: true,
            revoked: RevokedKeys::read(std::slice::from_ref(&krl)).expect("a list"),
            policy: KeyPolicy::default(),
        };
        let place = ServerLabel {
            name: "web-1".into(),
            address: "web-1".into(),
            port: 22,
        };
        let mut watcher = ClientHandler::new(trust, Arc::new(HandlerNotes::new()), &place);
        assert!(
            !watcher
                .check_server_key(&presented("others.pub"))
                .await
                .expect("judged"),
            "it is revoked"
        );
        assert!(
            watcher
                .check_server_key(&presented("ours.pub"))
                .await
                .expect("judged")
        );
        // Nobody can read it from now on.
        std::fs::remove_file(krl).expect("there was one");
        assert!(
            watcher
                .check_server_key(&presented("ours.pub"))
                .await
                .expect("judged"),
            "it was judged before"
        );
        assert!(
            !watcher
                .check_server_key(&presented("others.pub"))
                .await
                .expect("judged"),
            "nobody can tell"
        );
    }
}
