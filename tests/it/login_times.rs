//! Whose time it is in a login: the server's, the ssh-agent's, or that of a person; and what a
//! login without a shell says for itself when a question to it is over.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use logtrail::fleet::{Asking, Told};
use logtrail::model::host::HostSpec;
use logtrail::model::prompt::OperatorPrompt;
use logtrail::model::state::{HostStatus, LinkState};
use logtrail::model::update::Update;
use logtrail::query::request::{LogRequest, RequestKind};
use logtrail::transport::{Connector, LinkError};

use crate::support::gate::{Gate, Manner};
use crate::support::sshd::Sshd;
use crate::support::{Person, make_key, secret, within};
use crate::transport::connector;
use crate::transport_login::{Agent, Prompting};

/// What the agent of these tests has for a signature.
const AGENT_TIME: Duration = Duration::from_secs(1);

async fn failure(connector: &Connector, host: &HostSpec) -> HostStatus {
    match within("connecting", connector.connect(host)).await {
        Ok(_) => panic!("{} let us in", host.name()),
        Err(LinkError { status, .. }) => status,
    }
}

/// A host that has no key file, so that it is the agent which lets in.
fn without_files(mut host: HostSpec) -> HostSpec {
    host.endpoint.identity = Vec::new();
    host
}

/// An agent of ours.
struct OddAgent {
    socket: std::path::PathBuf,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for OddAgent {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A real agent whose owner takes so long over each signature.
async fn hesitating(agent: &Agent, folder: &Path, hesitates: Duration) -> OddAgent {
    let (socket, real) = (folder.join("hesitating"), agent.socket.clone());
    let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
    let serving = tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let real = real.clone();
            tokio::spawn(async move {
                let far = tokio::net::UnixStream::connect(real).await?;
                relay(near, far, hesitates).await
            });
        }
    });
    OddAgent { socket, serving }
}

/// Passes on questions and answers in turn.
async fn relay(
    mut near: UnixStream,
    mut far: UnixStream,
    hesitates: Duration,
) -> std::io::Result<()> {
    const SIGN_REQUEST: u8 = 13;
    loop {
        let question = message(&mut near).await?;
        if question[4] == SIGN_REQUEST {
            tokio::time::sleep(hesitates).await;
        }
        far.write_all(&question).await?;
        near.write_all(&message(&mut far).await?).await?;
    }
}

/// A message of the agent's protocol, with its length before it.
async fn message(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut whole = length.to_be_bytes().to_vec();
    whole.resize(4 + length as usize, 0);
    stream.read_exact(&mut whole[4..]).await?;
    Ok(whole)
}

impl OddAgent {
    /// It says nothing, whatever it is asked.
    fn silent(folder: &Path) -> Self {
        let socket = folder.join("silent");
        let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let serving = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        Self { socket, serving }
    }
}

#[tokio::test]
async fn r31_a_server_may_take_longer_over_an_agent_key_than_the_agent_over_its_signature() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "");
    let agent = Agent::start(folder.path()).await;
    agent.add(&key);
    let near = Sshd::start();
    let gate = Gate::speaking(Manner::JudgeSlowly(3 * AGENT_TIME)).await;
    let slow = without_files(gate.host(&near, "slow"));
    let person = Person::absent();
    let ample = connector(&person)
        .with_agent(agent.socket.clone())
        .with_agent_time(AGENT_TIME);
    within("connecting", ample.connect(&slow))
        .await
        .map(drop)
        .map_err(|e| e.status)
        .expect("it is only slow");
    // The limit that ends it is that of the login, by its own name.
    let short = connector(&person)
        .with_agent(agent.socket.clone())
        .with_login_time(AGENT_TIME);
    let status = failure(&short, &slow).await;
    let reason = status.reason.unwrap_or_default();
    assert_eq!(status.state, LinkState::Timeout, "{reason}");
    assert!(
        reason.ends_with("did not answer within 1.0 s, waiting for the login"),
        "{reason}"
    );
}

#[tokio::test]
async fn r31_the_time_that_the_owner_of_an_agent_key_takes_is_not_the_servers_and_has_a_limit_of_its_own()
 {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "");
    let agent = Agent::start(folder.path()).await;
    agent.add(&key);
    let sshd = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    let host = without_files(sshd.host("web-1"));
    let login_time = Duration::from_secs(4);
    let hesitating = hesitating(&agent, folder.path(), login_time + AGENT_TIME).await;
    let person = Person::absent();
    let ours = || {
        connector(&person)
            .with_agent(hesitating.socket.clone())
            .with_login_time(login_time)
    };
    within("connecting", ours().connect(&host))
        .await
        .map(drop)
        .map_err(|e| e.status)
        .expect("the owner was slow");
    let status = failure(&ours().with_agent_time(AGENT_TIME), &host).await;
    let reason = status.reason.unwrap_or_default();
    assert_eq!(status.state, LinkState::Timeout, "{reason}");
    assert!(
        reason.starts_with("the ssh-agent did not sign the login of "),
        "{reason}"
    );
    assert!(reason.ends_with(" within 1.0 s"), "{reason}");
}

#[tokio::test]
async fn r33_a_silent_agent_makes_no_refusal_of_files_and_passwords_into_something_that_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let silent = OddAgent::silent(folder.path());
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let mut with_file = sshd.host("with-file");
    with_file.endpoint.identity = vec![other.client_key_path()];
    let prompting = Prompting::password().await;
    let with_password = prompting.host(&sshd);
    let without = without_files(sshd.host("without"));
    let person = Person::who_answers([secret("wrong"), secret("wrong")]);
    let connector = connector(&person).with_agent(silent.socket.clone());
    let refused = [
        failure(&connector, &with_file).await,
        failure(&connector, &with_password).await,
    ];
    for (status, tried) in refused.iter().zip([
        ", having tried key ",
        ", having tried a password, a password",
    ]) {
        let (reason, hint) = (
            status.reason.clone().unwrap_or_default(),
            status.hint.clone().unwrap_or_default(),
        );
        assert_eq!(
            (status.state, status.retry_in_s),
            (LinkState::Denied, None),
            "{reason}"
        );
        assert!(reason.contains(tried), "{reason}");
        // The password is asked for where no key is allowed: the agent was not asked then.
        if tried.contains("key") {
            assert!(
                reason.starts_with("the ssh-agent did not list its keys within 5 s, and "),
                "{reason}"
            );
            assert!(hint.contains("ssh-add -l"), "{hint}");
        }
    }
    // The server has refused nothing: an agent that lists its keys again may let us in.
    let status = failure(&connector, &without).await;
    assert_eq!(status.state, LinkState::Timeout, "{:?}", status.reason);
}

#[tokio::test]
async fn r33_a_server_that_hangs_up_at_an_answer_has_refused_nothing() {
    let near = Sshd::start();
    let gate = Gate::speaking(Manner::LeaveAtPassword).await;
    let person = Person::who_answers([secret("right")]);
    let status = failure(&connector(&person), &gate.host(&near, "web-1")).await;
    let reason = status.reason.unwrap_or_default();
    assert_eq!(status.state, LinkState::Unreachable, "{reason}");
    assert!(
        reason.contains("hung up during the login of ")
            && reason.contains("having tried a password"),
        "{reason}"
    );
    assert!(
        status.retry_in_s >= Some(10),
        "a server may count it: {:?}",
        status.retry_in_s
    );
    assert!(
        matches!(&person.asked()[..], [OperatorPrompt::Secret { .. }]),
        "{:?}",
        person.asked()
    );
}

/// What is told of one host at last.
async fn asked(host: HostSpec, silence: Duration) -> HostStatus {
    let connector = connector(&Person::absent()).with_login_time(silence);
    let asks = [LogRequest {
        sources: Vec::new(),
        what: RequestKind::List,
    }];
    let mut asking = Asking::start(vec![host], &asks, silence, connector);
    let mut last = None;
    while let Some(told) = asking.next().await {
        if let Told::Update(Update::Status(_, status)) = told {
            last = Some(status);
        }
    }
    last.expect("a state")
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_question_to_a_login_without_a_shell_says_what_the_login_does_in_place_of_one() {
    let silence = Duration::from_secs(4);
    let noisy = Sshd::builder()
        .config("ForceCommand while :; do echo noise; sleep 0.1; done")
        .start();
    let silent = Sshd::builder()
        .config("ForceCommand exec sleep 1000")
        .start();
    let both = async {
        tokio::join!(
            asked(noisy.host("noisy"), silence),
            asked(silent.host("silent"), silence)
        )
    };
    let (noisy, silent) = within("both", both).await;
    let reason = noisy.reason.unwrap_or_default();
    assert_eq!(noisy.state, LinkState::Timeout, "{reason}");
    assert!(
        reason.contains("no shell answered within 4.0 s; it printed ") && reason.ends_with("noise"),
        "{reason}"
    );
    let reason = silent.reason.unwrap_or_default();
    assert_eq!(silent.state, LinkState::Timeout, "{reason}");
    let says = [
        "logged in; waiting for its shell for ",
        "no shell answered within 4.0 s",
    ];
    assert!(says.iter().any(|words| reason.contains(words)), "{reason}");
}
