//! A server that asks for passwords and codes, as OpenSSH does with PAM only.

use std::sync::Arc;
use std::time::Duration;

use russh::server::{self, Auth, Response};
use russh::{MethodKind, MethodSet, Preferred};

use super::make_key;
use super::sshd::Sshd;

/// A server that asks for what OpenSSH asks for with PAM only. `right` and `123456` let in.
pub(crate) struct PromptingServer {
    port: u16,
    host_key: String,
    sessions: Arc<std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>>,
    _folder: tempfile::TempDir,
}

impl PromptingServer {
    pub(crate) async fn password() -> Self {
        Self::start(PromptKind::Password).await
    }

    pub(crate) async fn start(kind: PromptKind) -> Self {
        Self::start_with(kind, Preferred::DEFAULT).await
    }

    pub(crate) async fn start_with(kind: PromptKind, preferred: Preferred) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        make_key(&key, "ed25519", "");
        let config = Arc::new(server::Config {
            keys: vec![russh::keys::load_secret_key(&key, None).expect("a key")],
            methods: MethodSet::from(&[kind.method()][..]),
            preferred,
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let sessions: Arc<std::sync::Mutex<Vec<_>>> = Arc::default();
        let taken = Arc::clone(&sessions);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                let (mut near, mut far) = (socket, tokio::io::duplex(64 * 1024));
                tokio::spawn(async move {
                    if let Ok(session) =
                        server::run_stream(config, far.0, PromptHandler(kind)).await
                    {
                        let _ = session.await;
                    }
                });
                let copying =
                    async move { drop(tokio::io::copy_bidirectional(&mut near, &mut far.1).await) };
                taken.lock().expect("no panic").push(tokio::spawn(copying));
            }
        });
        let host_key = std::fs::read_to_string(folder.path().join("key.pub")).expect("a key");
        Self {
            port,
            host_key,
            sessions,
            _folder: folder,
        }
    }

    /// Ends every connection.
    pub(crate) fn hang_up(&self) {
        self.sessions
            .lock()
            .expect("no panic")
            .drain(..)
            .for_each(|session| session.abort());
    }

    pub(crate) fn host(&self, near: &Sshd) -> logtrail::model::host::HostSpec {
        let mut host = near.host("gate");
        let known = near.path("gate_known_hosts");
        std::fs::write(
            &known,
            format!("[127.0.0.1]:{} {}", self.port, self.host_key),
        )
        .expect("written");
        host.endpoint.port = Some(self.port);
        host.endpoint.known_hosts = vec![known];
        host
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptKind {
    Password,
    Interactive,
}

impl PromptKind {
    pub(crate) fn method(self) -> MethodKind {
        match self {
            Self::Password => MethodKind::Password,
            Self::Interactive => MethodKind::KeyboardInteractive,
        }
    }
}

pub(crate) struct PromptHandler(PromptKind);

impl PromptHandler {
    pub(crate) fn decide(&self, right: bool) -> Auth {
        let methods = MethodSet::from(&[self.0.method()][..]);
        if right {
            Auth::Accept
        } else {
            // As OpenSSH does: the same method may be tried again.
            Auth::Reject {
                proceed_with_methods: Some(methods),
                partial_success: false,
            }
        }
    }
}

impl server::Handler for PromptHandler {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.decide(self.0 == PromptKind::Password && password == "right"))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("One-time code: ".into(), true)].into(),
            });
        };
        let code = response.next();
        Ok(self.decide(code.is_some_and(|code| code == "123456")))
    }
}
