//! Servers that end a login in odd ways: what listens is no SSH, hangs up at a given moment, or
//! speaks SSH and refuses what OpenSSH never refuses.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use logtrail::model::host::HostSpec;
use russh::keys::PublicKey;
use russh::server::{
    self, Auth, ChannelOpenHandle, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, Disconnect, Error, MethodKind, MethodSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::make_key;
use super::sshd::Sshd;

/// A port where something of ours listens; closed with the last of it.
pub(crate) struct Gate {
    port: u16,
    host_key: String,
    accepted: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Gate {
    /// Serves each connection by `serve`, which ends it when it returns.
    pub(crate) async fn with<F, R>(host_key: String, serve: F) -> Self
    where
        F: Fn(TcpStream) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&accepted);
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(socket));
            }
        });
        Self {
            port,
            host_key,
            accepted,
            serving,
        }
    }

    /// Says `words` when the client has said something, and then hangs up or stays.
    pub(crate) async fn saying(words: &'static [u8], stays: bool) -> Self {
        Self::with(String::new(), move |mut socket| async move {
            let _ = socket.read(&mut [0; 512]).await;
            let _ = socket.write_all(words).await;
            while stays && matches!(socket.read(&mut [0; 512]).await, Ok(1..)) {}
        })
        .await
    }

    /// Resets each connection at once.
    pub(crate) async fn resetting() -> Self {
        Self::with(String::new(), |socket| async move {
            let _ = socket.set_zero_linger();
        })
        .await
    }

    /// Listens to nobody: the port is ours, so that it is nobody else's, and refuses.
    pub(crate) fn refusing() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind("127.0.0.1:0".parse().expect("an address"))
            .expect("a port");
        let port = socket.local_addr().expect("bound").port();
        let serving = tokio::spawn(async move {
            let _held = socket;
            std::future::pending::<()>().await;
        });
        Self {
            port,
            host_key: String::new(),
            accepted: Arc::default(),
            serving,
        }
    }

    /// Takes no connection and refuses none: what is sent to it is dropped.
    pub(crate) async fn dropping() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind("127.0.0.1:0".parse().expect("an address"))
            .expect("a port");
        let listener = socket.listen(1).expect("it listens");
        let address = listener.local_addr().expect("bound");
        let mut waiting = Vec::new();
        // Nobody accepts: once its queue is full the kernel drops what comes.
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            waiting.push(stream);
        }
        let serving = tokio::spawn(async move {
            let _held = (listener, waiting);
            std::future::pending::<()>().await;
        });
        Self {
            port: address.port(),
            host_key: String::new(),
            accepted: Arc::default(),
            serving,
        }
    }

    /// Passes everything on to `server`, and cuts each connection after so many bytes of its
    /// answers.
    pub(crate) async fn cutting(server: &Sshd, bytes: usize) -> Self {
        let to = server.addr();
        Self::with(server.host_key(), move |near| {
            pass_on_at_most(near, to, bytes as u64)
        })
        .await
    }

    /// A host that is not ready yet: before this time each connection is closed at once, or else
    /// kept in silence until then; after it everything is passed on to `server`.
    pub(crate) async fn late(server: &Sshd, ready: Instant, closes: bool) -> Self {
        let to = server.addr();
        Self::with(server.host_key(), move |near| async move {
            if closes && Instant::now() < ready {
                return;
            }
            tokio::time::sleep_until(ready.into()).await;
            pass_on(near, to).await;
        })
        .await
    }

    /// Passes everything on to `server`, and cuts the first so many connections after so many bytes
    /// of its answers.
    pub(crate) async fn cutting_first(server: &Sshd, connections: usize, bytes: usize) -> Self {
        let (to, left) = (server.addr(), Arc::new(AtomicUsize::new(connections)));
        Self::with(server.host_key(), move |near| {
            let one_less = |left: usize| left.checked_sub(1);
            let is_cut = left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_ok();
            pass_on_at_most(near, to, if is_cut { bytes as u64 } else { u64::MAX })
        })
        .await
    }

    /// Speaks SSH in such a manner.
    pub(crate) async fn speaking(manner: Manner) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        make_key(&key, "ed25519", "");
        let config = Arc::new(server::Config {
            keys: vec![russh::keys::load_secret_key(&key, None).expect("a key")],
            methods: manner.methods(),
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let host_key = std::fs::read_to_string(folder.path().join("key.pub")).expect("a key");
        Self::with(host_key, move |socket| {
            let config = Arc::clone(&config);
            async move {
                if let Ok(session) = server::run_stream(
                    config,
                    socket,
                    Odd {
                        manner,
                        keys: Vec::new(),
                    },
                )
                .await
                {
                    let _ = session.await;
                }
            }
        })
        .await
    }

    /// How many connections it has taken.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// A host of this name behind the port, otherwise like `near`.
    pub(crate) fn host(&self, near: &Sshd, name: &str) -> HostSpec {
        let mut host = near.host(name);
        let known = near.path(&format!("known_by_{}", self.port));
        std::fs::write(
            &known,
            format!("[127.0.0.1]:{} {}\n", self.port, self.host_key),
        )
        .expect("written");
        host.endpoint.port = Some(self.port);
        host.endpoint.known_hosts = vec![known];
        host
    }
}

async fn pass_on(near: TcpStream, to: SocketAddr) {
    pass_on_at_most(near, to, u64::MAX).await;
}

/// Until one side ends, or so many bytes of the far one have come.
async fn pass_on_at_most(near: TcpStream, to: SocketAddr, bytes: u64) {
    let Ok(far) = TcpStream::connect(to).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (far_in, mut far_out) = far.into_split();
    let mut answers = far_in.take(bytes);
    tokio::select! {
        _ = tokio::io::copy(&mut near_in, &mut far_out) => {}
        _ = tokio::io::copy(&mut answers, &mut near_out) => {}
    }
}

/// What a server of ours does with a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It hangs up at the key of this number and refuses those before.
    LeaveAtKey(usize),
    /// It would take any key, and hangs up when it is signed.
    LeaveAtSignature,
    /// It takes so long to judge what is signed, and lets in.
    JudgeSlowly(Duration),
    /// It asks for a password, and hangs up when it has one.
    LeaveAtPassword,
    /// It refuses everything and allows but what nobody can do.
    AllowHostBasedOnly,
    /// It lets in and takes its leave with words.
    LeaveAfterLogin(&'static str),
    /// It lets in, and hangs up when it is asked for a session.
    LeaveAtSession,
    /// It lets in and runs no command.
    RefuseCommands,
    /// It lets in, and takes so long to open a session, and as long again to take its command; then
    /// nothing answers.
    SlowSessions(Duration),
    /// It lets in, and closes each session at once.
    CloseSessions,
}

impl Manner {
    fn methods(self) -> MethodSet {
        let method = match self {
            Self::AllowHostBasedOnly => MethodKind::HostBased,
            Self::LeaveAtPassword => MethodKind::Password,
            _ => MethodKind::PublicKey,
        };
        MethodSet::from(&[method][..])
    }
}

struct Odd {
    manner: Manner,
    keys: Vec<PublicKey>,
}

impl Odd {
    fn refuse(&self) -> Auth {
        Auth::Reject {
            proceed_with_methods: Some(self.manner.methods()),
            partial_success: false,
        }
    }

    fn judge(&mut self, key: &PublicKey) -> Result<Auth, Error> {
        if !self
            .keys
            .iter()
            .any(|known| known.key_data() == key.key_data())
        {
            self.keys.push(key.clone());
        }
        match self.manner {
            Manner::LeaveAtKey(number) if self.keys.len() >= number => Err(Error::Disconnect),
            Manner::LeaveAtKey(_) | Manner::AllowHostBasedOnly => Ok(self.refuse()),
            _ => Ok(Auth::Accept),
        }
    }
}

impl server::Handler for Odd {
    type Error = Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Error> {
        Ok(self.refuse())
    }

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Error> {
        self.judge(offer.public_key)
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        match self.manner {
            Manner::LeaveAtSignature => return Err(Error::Disconnect),
            Manner::JudgeSlowly(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        self.judge(key.public_key)
    }

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, Error> {
        if self.manner == Manner::LeaveAtPassword {
            Err(Error::Disconnect)
        } else {
            Ok(self.refuse())
        }
    }

    async fn auth_succeeded(&mut self, session: &mut Session) -> Result<(), Error> {
        match self.manner {
            Manner::LeaveAfterLogin(words) => {
                session.disconnect(Disconnect::ByApplication, words, "")
            }
            _ => Ok(()),
        }
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        if self.manner == Manner::LeaveAtSession {
            return Err(Error::Disconnect);
        }
        if let Manner::SlowSessions(pause) = self.manner {
            tokio::time::sleep(pause).await;
        }
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Error> {
        if self.manner == Manner::CloseSessions {
            session.channel_success(channel)?;
            session.close(channel)
        } else if let Manner::SlowSessions(pause) = self.manner {
            tokio::time::sleep(pause).await;
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }
}
