//! One host: an SSH server that lets in one user by one key, and runs one command.
//!
//! The command is `exec /bin/sh -s`, the only one the console ever sends; anything else is refused,
//! and so are terminals, subsystems, forwarding and environment variables. [`super::shell`] runs
//! the shell.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::{Shutdown, TcpStream as StdTcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::public::KeyData;
use russh::server::{
    self, Auth, ChannelOpenHandle, Config, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, Disconnect, Limits, MethodKind, MethodSet, Preferred,
    Pty, Sig, cipher, compression,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::cast::USER;
use super::shell;

/// The one command that is run.
const COMMAND: &[u8] = b"exec /bin/sh -s";

/// Connections to one host at a time: a console, a pipe or two, and room for curiosity. More wait
/// in the backlog.
const MAX_CONNECTIONS: usize = 32;

/// Sessions on one connection: OpenSSH's default for `MaxSessions`, so that the console lives
/// within it here too.
const MAX_SESSIONS: usize = 10;

/// Time for a client to have logged in; nobody on this machine may hold a connection for nothing.
const LOGIN_GRACE: Duration = Duration::from_secs(20);

/// How often the host with the bad cable loses its connections.
const CUT_EVERY: Duration = Duration::from_secs(45);

/// Time for a goodbye to reach the client.
const GOODBYE: Duration = Duration::from_millis(500);

/// What the client may send before we take it: requests are short, scripts a few kilobytes.
const WINDOW: u32 = 1024 * 1024;

/// Pause after an accept that failed, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// One SSH server.
pub(super) struct DemoServer {
    config: Arc<Config>,
    let_in: Arc<KeyData>,
    home: Arc<PathBuf>,
    cuts: bool,
}

impl DemoServer {
    /// With its host key, the key it lets in, and the folder its shells start in; `cuts`: it loses
    /// its connections every now and then.
    pub(super) fn new(
        host_key: PrivateKey,
        let_in: Arc<KeyData>,
        home: PathBuf,
        cuts: bool,
    ) -> Self {
        Self {
            config: Arc::new(config(host_key)),
            let_in,
            home: Arc::new(home),
            cuts,
        }
    }

    /// Serves until `stop` is closed. `alive` is held by every task of this server.
    pub(super) async fn run(
        self,
        listener: TcpListener,
        mut stop: watch::Receiver<()>,
        alive: mpsc::Sender<()>,
    ) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let next = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                next = next => next,
                _ = stop.changed() => return,
            };
            let Ok((socket, _)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let connection = self.connection(socket, stop.clone(), alive.clone());
            tokio::spawn(async move {
                // An end with an error is the client's to report.
                let _ = connection.await;
                drop(permit);
            });
        }
    }

    fn connection(
        &self,
        socket: TcpStream,
        mut stop: watch::Receiver<()>,
        alive: mpsc::Sender<()>,
    ) -> impl Future<Output = Result<(), russh::Error>> + Send + 'static {
        let logged_in = Arc::new(AtomicBool::new(false));
        let handler = SessionHandler {
            let_in: Arc::clone(&self.let_in),
            home: Arc::clone(&self.home),
            logged_in: Arc::clone(&logged_in),
            channels: HashMap::new(),
            sessions: Arc::new(Semaphore::new(MAX_SESSIONS)),
            stop: stop.clone(),
            alive: alive.clone(),
        };
        let config = Arc::clone(&self.config);
        let cuts = self.cuts;
        async move {
            socket.set_nodelay(true)?;
            let (socket, cable) = with_cable(socket)?;
            let greeting = timeout(LOGIN_GRACE, server::run_stream(config, socket, handler));
            let Ok(session) = greeting.await else {
                return Ok(());
            };
            let mut session = session?;
            let handle = session.handle();
            tokio::select! {
                ended = &mut session => return ended,
                () = cut_off(cuts, &logged_in) => {}
                _ = stop.changed() => {
                    let why = "the demo has ended".to_owned();
                    let goodbye = handle.disconnect(Disconnect::ByApplication, why, String::new());
                    let _ = timeout(GOODBYE, goodbye).await;
                    let _ = timeout(GOODBYE, &mut session).await;
                }
            }
            let _ = cable.shutdown(Shutdown::Both);
            drop(alive);
            Ok(())
        }
    }
}

/// A second handle on the socket, to cut it under russh, which has no way to drop a connection
/// without a goodbye.
fn with_cable(socket: TcpStream) -> io::Result<(TcpStream, StdTcpStream)> {
    let socket = socket.into_std()?;
    let cable = socket.try_clone()?;
    Ok((TcpStream::from_std(socket)?, cable))
}

/// Returns when the connection is to be cut: it has not logged in in time, or the cable of this
/// host is bad.
async fn cut_off(cuts: bool, logged_in: &AtomicBool) {
    sleep(LOGIN_GRACE).await;
    if !logged_in.load(Ordering::Relaxed) {
        return;
    }
    if !cuts {
        pending::<()>().await;
    }
    sleep(CUT_EVERY.saturating_sub(LOGIN_GRACE)).await;
}

/// What the server offers: ciphers that are fast on any machine, and no compression.
const PREFERRED: Preferred = Preferred {
    cipher: Cow::Borrowed(&[
        cipher::AES_128_GCM,
        cipher::AES_256_GCM,
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_CTR,
        cipher::AES_128_CTR,
    ]),
    compression: Cow::Borrowed(&[compression::NONE]),
    ..Preferred::DEFAULT
};

fn config(host_key: PrivateKey) -> Config {
    Config {
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::from_millis(300),
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: 6,
        keys: vec![host_key],
        preferred: PREFERRED,
        nodelay: true,
        window_size: WINDOW,
        // A run of the demo never gets near a need for new keys, and rekeying under load is a weak
        // spot of russh.
        limits: Limits {
            rekey_write_limit: 1 << 40,
            rekey_read_limit: 1 << 40,
            rekey_time_limit: Duration::from_secs(30 * 24 * 3600),
        },
        inactivity_timeout: None,
        keepalive_interval: Some(Duration::from_secs(30)),
        ..Config::default()
    }
}

struct SessionHandler {
    let_in: Arc<KeyData>,
    home: Arc<PathBuf>,
    logged_in: Arc<AtomicBool>,
    /// Opened, and still without a command.
    channels: HashMap<ChannelId, Channel<Msg>>,
    sessions: Arc<Semaphore>,
    stop: watch::Receiver<()>,
    alive: mpsc::Sender<()>,
}

impl SessionHandler {
    fn judge(&self, user: &str, key: &KeyData) -> Auth {
        if user == USER && *key == *self.let_in {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl server::Handler for SessionHandler {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, offer.public_key.key_data()))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key.key_data()))
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.logged_in.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() >= self.sessions.available_permits() {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
        } else {
            self.channels.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let permit = Arc::clone(&self.sessions).try_acquire_owned();
        let (Some(opened), Ok(permit)) = (
            self.channels
                .remove(&channel)
                .filter(|_| command == COMMAND),
            permit,
        ) else {
            session.channel_failure(channel)?;
            return session.close(channel);
        };
        session.channel_success(channel)?;
        let home = Arc::clone(&self.home);
        let stop = self.stop.clone();
        let alive = self.alive.clone();
        tokio::spawn(async move {
            shell::serve(opened, &home, stop).await;
            drop((permit, alive));
        });
        Ok(())
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn signal(
        &mut self,
        _channel: ChannelId,
        _signal: Sig,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_bad_cable_and_those_who_do_not_log_in_are_cut_off() {
        let lasts = async |cuts, logged_in| {
            let (started, logged_in) = (Instant::now(), AtomicBool::new(logged_in));
            let cut = timeout(Duration::from_secs(3600), cut_off(cuts, &logged_in)).await;
            cut.is_ok().then(|| started.elapsed().as_secs())
        };
        assert_eq!(lasts(false, true).await, None);
        assert_eq!(lasts(true, true).await, Some(45));
        assert_eq!(lasts(false, false).await, Some(20));
    }
}
