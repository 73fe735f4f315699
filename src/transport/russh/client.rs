//! One SSH connection: its settings, its handler, its watchdog and its end.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ::russh::client::{self, Config, DisconnectReason, Handle, Handler, Session};
use ::russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};
use ::russh::{ChannelId, ChannelOpenFailure, Disconnect, Error, Limits, Preferred, cipher, compression};
use tokio::sync::{Semaphore, watch};

use crate::model::LinkState;
use crate::transport::LinkError;
use crate::transport::failure::{self, Ending, Place};
use crate::transport::known_hosts::{KnownHosts, Subject, Verdict, fingerprint};
use crate::transport::pace::Pacer;
use crate::transport::stream::{ByteStream, Cut, Cuttable};

use super::watchdog;

/// sshd allows ten sessions per connection; two stay free because a session that we closed is freed later.
pub(in crate::transport) const SESSIONS: usize = 8;

/// Longer than the watchdog needs, and than sshd waits for a person to log in (LoginGraceTime, two minutes), when
/// there is no watchdog yet; also ends what hangs in the library before the login.
const INACTIVITY: Duration = Duration::from_secs(150);

/// Small, for latency: measured, a request beside a flood over 2 MB/s takes 104 ms at 256 KiB and 695 ms at 2 MiB.
const WINDOW_BYTES: u32 = 256 * 1024;

/// What `close` grants the goodbye.
const GOODBYE: Duration = Duration::from_millis(1500);

/// A connection that has logged in.
pub(in crate::transport) struct Client {
    pub(super) handle: Handle<Watcher>,
    pub(super) sessions: Arc<Semaphore>,
    pub(super) notes: Arc<Notes>,
    pub(in crate::transport) place: Place,
    pub(in crate::transport) pacer: Pacer,
    cut: Cut,
    /// The connection that carries this one.
    outer: Option<Arc<Client>>,
}

/// What the handler leaves for the others.
pub(in crate::transport) struct Notes {
    pub(in crate::transport) ending: Ending,
    /// The server's words when it last refused a channel: they are nowhere else.
    pub(super) refusal: Mutex<Option<String>>,
    /// The key that the handler judged, and how.
    pub(in crate::transport) judged: Mutex<Option<(PublicKey, Verdict)>>,
    over: watch::Sender<bool>,
}

/// How the handler judges a host key.
pub(in crate::transport) struct Trust {
    pub(in crate::transport) known: KnownHosts,
    pub(in crate::transport) subject: Subject,
    /// A key that a person has just accepted.
    pub(in crate::transport) pinned: Option<PublicKey>,
    pub(in crate::transport) accept_new: bool,
}

/// Key exchange done, nobody logged in yet.
pub(in crate::transport) struct Greeted {
    pub(super) handle: Handle<Watcher>,
    pub(in crate::transport) notes: Arc<Notes>,
    pub(in crate::transport) cut: Cut,
    pacer: Pacer,
}

/// Callbacks of the library. They must not wait: the session loop stands still meanwhile.
pub(super) struct Watcher {
    trust: Trust,
    notes: Arc<Notes>,
    place: String,
}

/// Speaks SSH up to the login. The caller wraps this in a time limit; when it is dropped the stream is cut.
pub(in crate::transport) async fn handshake(
    stream: Box<dyn ByteStream>,
    pacer: Pacer,
    place: &Place,
    trust: Trust,
) -> Result<Greeted, (Error, Arc<Notes>)> {
    let (stream, cut) = Cuttable::new(stream, pacer.clone());
    let guard = cut.on_drop();
    let notes = Arc::new(Notes::new());
    let config = Arc::new(config(&trust));
    let watcher = Watcher { trust, notes: Arc::clone(&notes), place: place.to_string() };
    match client::connect_stream(config, stream, watcher).await {
        Ok(handle) => {
            guard.disarm();
            Ok(Greeted { handle, notes, cut, pacer })
        }
        Err(error) => Err((error, notes)),
    }
}

impl Notes {
    fn new() -> Self {
        Self {
            ending: Ending::new(),
            refusal: Mutex::default(),
            judged: Mutex::default(),
            over: watch::Sender::new(false),
        }
    }

    /// Waits until the library has let go of the connection.
    async fn over(&self) {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }
}

impl Client {
    pub(in crate::transport) fn new(greeted: Greeted, place: Place, outer: Option<Arc<Client>>) -> Arc<Self> {
        let Greeted { handle, notes, cut, pacer } = greeted;
        let sessions = Arc::new(Semaphore::new(SESSIONS));
        pacer.logged_in();
        let client = Arc::new(Self { handle, sessions, notes, place, pacer, cut, outer });
        tokio::spawn(watchdog::watch_over(Arc::downgrade(&client), client.notes.ending.clone()));
        client
    }

    pub(in crate::transport) fn is_over(&self) -> bool {
        self.handle.is_closed() || self.notes.ending.get().is_some()
    }

    pub(in crate::transport) async fn ended(&self) -> LinkError {
        let why = self.notes.ending.ended().await;
        match self.outer.as_ref().and_then(|outer| Some((outer, outer.notes.ending.get()?))) {
            // The host itself did nothing: what carried its connection went away.
            Some((outer, lost)) if why.reason() != failure::closed_by_us().reason() => lost.at_hop(&outer.place.name),
            _ => why,
        }
    }

    /// Nothing comes any more.
    pub(super) fn give_up(&self) {
        self.notes.ending.end(silent(&self.place.to_string()));
        self.cut.cut();
    }

    /// Says goodbye, and cuts after a short while whatever the peer does.
    pub(in crate::transport) async fn close(&self) {
        self.notes.ending.end(failure::closed_by_us());
        let goodbye = async {
            let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
            self.notes.over().await;
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        self.cut.cut();
    }

    /// Ends it at once, without a goodbye.
    pub(in crate::transport) fn hang_up(&self) {
        self.notes.ending.end(failure::closed_by_us());
        self.cut.cut();
    }

    /// A byte stream from the host to somewhere else, as for `ProxyJump`.
    pub(in crate::transport) async fn tunnel(&self, to: &Place) -> Result<Box<dyn ByteStream>, LinkError> {
        let opened =
            self.handle.channel_open_direct_tcpip(to.address.as_str(), u32::from(to.port), "127.0.0.1", 0).await;
        match opened {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(Error::ChannelOpenFailure(why)) => Err(self.no_tunnel(to, &why)),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn no_tunnel(&self, to: &Place, why: &ChannelOpenFailure) -> LinkError {
        let said = self.refusal().map(|words| format!(" ({words})")).unwrap_or_default();
        let via = &self.place.name;
        match why {
            ChannelOpenFailure::AdministrativelyProhibited => LinkError::new(
                LinkState::Unreachable,
                format!("jump host {via} does not forward to {}{said}", to.dialled()),
                format!("sshd on {via} needs AllowTcpForwarding, and PermitOpen must not exclude it"),
            ),
            _ => LinkError::new(
                LinkState::Unreachable,
                format!("jump host {via} cannot connect to {}{said}", to.dialled()),
                "is it up, and is its address right as seen from the jump host?",
            ),
        }
    }

    pub(super) fn refusal(&self) -> Option<String> {
        self.notes.refusal.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|words| !words.is_empty())
    }

    /// The true reason where it is known, for the library's errors after the end say nothing.
    pub(super) fn lost(&self, error: &Error) -> LinkError {
        self.notes.ending.get().unwrap_or_else(|| broken(&self.place.to_string(), error))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Watcher {
    fn judge(&self, presented: &PublicKeyOrCertificate) -> Verdict {
        let key = presented.public_key();
        if let Some(cert) = presented.certificate() {
            match self.trust.known.check_certificate(&self.trust.subject, cert, SystemTime::now()) {
                Verdict::Unknown => {}
                verdict => return verdict,
            }
        }
        let verdict = self.trust.known.check(&self.trust.subject, key.key_data());
        let pinned = self.trust.pinned.as_ref().is_some_and(|pinned| pinned.key_data() == key.key_data());
        if verdict == Verdict::Unknown && pinned { Verdict::Known } else { verdict }
    }
}

impl Handler for Watcher {
    type Error = Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Error> {
        let verdict = self.judge(presented);
        let accepted = match &verdict {
            Verdict::Known => true,
            Verdict::Unknown => self.trust.accept_new,
            Verdict::Revoked(_) | Verdict::Changed { .. } => false,
        };
        let judged = (presented.public_key(), verdict);
        *self.notes.judged.lock().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        Ok(accepted)
    }

    async fn channel_open_failure(
        &mut self,
        _: ChannelId,
        _: ChannelOpenFailure,
        description: &str,
        _: &str,
        _: &mut Session,
    ) -> Result<(), Error> {
        *self.notes.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(description.to_owned());
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        let why = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => said_goodbye(&self.place, &info.message),
            DisconnectReason::Error(error) => broken(&self.place, error),
        };
        self.notes.ending.end(why);
        Ok(())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.notes.ending.end(broken(&self.place, &Error::HUP));
        self.notes.over.send_replace(true);
    }
}

/// A key judged while shaking hands, as the error it leads to. `Unknown` is for the caller to ask about.
pub(in crate::transport) fn distrusted(
    place: &Place,
    subject: &Subject,
    key: &PublicKey,
    verdict: &Verdict,
) -> LinkError {
    let presented = format!("{} {}", key.algorithm().as_str(), fingerprint(key.key_data()));
    match verdict {
        Verdict::Changed { recorded, at } => LinkError::new(
            LinkState::HostKeyChanged,
            format!("the host key of {place} has changed: it presents {presented}, on record is {recorded} at {at}"),
            format!(
                "if the host was really rebuilt: ssh-keygen -R '{}' -f '{}', then connect again",
                subject.name(),
                at.file.display()
            ),
        ),
        Verdict::Revoked(at) => LinkError::new(
            LinkState::HostKeyChanged,
            format!("the host key of {place} is marked @revoked at {at}: {presented}"),
            "the key was compromised or retired; give the host a new one",
        ),
        Verdict::Unknown | Verdict::Known => failure::denied(
            format!("the host key of {place} is not on record and was not accepted: {presented}"),
            "compare it with the host's own, then accept it in the console or with ssh, or use --host-keys accept-new",
        ),
    }
}

/// A handshake that failed for another reason than the host key.
pub(in crate::transport) fn shaking_hands(place: &Place, error: &Error) -> LinkError {
    match error {
        Error::IO(io) if failure::is_hang_up(io) => failure::turned_away(place, "closed the connection"),
        Error::HUP | Error::Disconnect => failure::turned_away(place, "closed the connection"),
        Error::InactivityTimeout | Error::KeepaliveTimeout | Error::ConnectionTimeout | Error::Elapsed(_) => {
            failure::no_answer(place, "the key exchange", Duration::ZERO)
        }
        Error::NoCommonAlgo { kind, theirs, .. } => failure::denied(
            format!("{place} and we have no {kind:?} algorithm in common; it offers {}", theirs.join(",")),
            "try transport = \"system\" for this host, or update its sshd",
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
}

fn silent(place: &str) -> LinkError {
    LinkError::new(
        LinkState::Timeout,
        format!("{place} stopped answering"),
        "it is dialled again; the host hangs or the network in between drops",
    )
}

fn said_goodbye(place: &str, words: &str) -> LinkError {
    if words.contains("Too many authentication failures") {
        return failure::denied(
            format!("{place} refused us: {words}"),
            "fewer keys are offered with `identity` in the inventory (the agent holds too many)",
        );
    }
    let words = if words.is_empty() { "without a word" } else { words };
    LinkError::new(LinkState::Unreachable, format!("{place} ended the connection: {words}"), "it is dialled again")
}

fn config(trust: &Trust) -> Config {
    let never = usize::MAX / 2;
    Config {
        preferred: preferred(trust),
        nodelay: true,
        // It counts whole packets only, and not those of the key exchange: see `watchdog`.
        keepalive_interval: None,
        inactivity_timeout: Some(INACTIVITY),
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

fn preferred(trust: &Trust) -> Preferred {
    // AES-GCM costs 0.6 of the processor time of ChaCha20 where AES is in hardware, which is nearly everywhere.
    const CIPHERS: &[cipher::Name] = &[
        cipher::AES_128_GCM,
        cipher::AES_256_GCM,
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_CTR,
        cipher::AES_128_CTR,
    ];
    let mut preferred = Preferred::DEFAULT;
    preferred.cipher = Cow::Borrowed(CIPHERS);
    preferred.compression = Cow::Borrowed(&[compression::NONE]);
    let strong: Vec<Algorithm> =
        Preferred::DEFAULT.key.iter().filter(|a| !matches!(a, Algorithm::Rsa { hash: None })).cloned().collect();
    if trust.known.has_authority(&trust.subject) {
        preferred.host_key_certificates = Cow::Owned(strong.clone());
    }
    preferred.key = Cow::Owned(recorded_first(strong, &trust.known.recorded_types(&trust.subject)));
    preferred
}

/// A type on record goes first; RSA is on record as one type and is negotiated as two.
fn recorded_first(all: Vec<Algorithm>, recorded: &[Algorithm]) -> Vec<Algorithm> {
    let is_recorded = |a: &Algorithm| recorded.iter().any(|r| r == a || (is_rsa(r) && is_rsa(a)));
    let (mut first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_recorded);
    first.extend(rest);
    first
}

fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

/// The hash for signatures by an RSA key; the old SHA-1 is never used, whatever the server says.
pub(super) fn rsa_hash(supported: Option<Option<HashAlg>>) -> HashAlg {
    supported.flatten().unwrap_or(HashAlg::Sha512)
}
