//! Questions to a host while it is followed: they are asked over the connection that it has, a few
//! at a time, and are answered at once where it has none. Keeping the connection is left to
//! `supervise`, the questions to `ask`.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::model::host::{HostSpec, SystemFacts};
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::{Connection, LinkError, sessions};

use super::ask::Answering;

/// For so long it is believed what a host said of itself over the same connection: its zone may
/// change, twice a year.
const FRESH: Duration = Duration::from_secs(300);

/// A question, and where its answer goes.
pub type Question = (LogRequest, mpsc::Sender<LogResponse>);

/// Whether a host can be asked at present.
#[derive(Clone)]
pub(super) enum ServedLink {
    /// Over this.
    Up(Arc<Connection>),
    /// No, and why.
    Down(String),
}

impl ServedLink {
    fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }
}

/// What a host said of itself when it was asked last, and over which connection: so that not each
/// page of a log costs it a dozen processes more.
#[derive(Default)]
struct Described(Mutex<Option<(Weak<Connection>, Instant, SystemFacts)>>);

impl Described {
    fn get(&self, connection: &Arc<Connection>) -> Option<SystemFacts> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (over, at, facts) = known.as_ref()?;
        (over.as_ptr() == Arc::as_ptr(connection) && at.elapsed() < FRESH).then(|| facts.clone())
    }

    fn put(&self, connection: &Arc<Connection>, facts: &SystemFacts) {
        let known = Some((Arc::downgrade(connection), Instant::now(), facts.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// Serves questions for ever.
pub(super) async fn serve(
    host: &HostSpec,
    link: watch::Receiver<ServedLink>,
    questions: &mut mpsc::Receiver<Question>,
) {
    let described = Described::default();
    let mut asked = FuturesUnordered::new();
    loop {
        tokio::select! {
            question = questions.recv(), if asked.len() < sessions::REQUESTS => match question {
                Some((what, replies)) => asked.push(answer(host, link.clone(), &described, what, replies)),
                None => return std::future::pending().await,
            },
            Some(()) = asked.next() => {}
        }
    }
}

/// Answers a question, until nobody waits for it any more or the connection ends.
async fn answer(
    host: &HostSpec,
    mut link: watch::Receiver<ServedLink>,
    described: &Described,
    what: LogRequest,
    replies: mpsc::Sender<LogResponse>,
) {
    let now = link.borrow().clone();
    let why = match now {
        ServedLink::Down(why) => why,
        ServedLink::Up(connection) => tokio::select! {
            ended = ask(&connection, described, host, &what, replies.clone()) => match ended {
                Ok(()) => return,
                Err(error) => error.status.in_words(),
            },
            () = replies.closed() => return,
            _ = link.wait_for(ServedLink::is_down) => "the connection was lost".to_owned(),
        },
    };
    // Whoever asked may be gone.
    let _ = replies.send(LogResponse::Failed("".into(), why)).await;
}

async fn ask(
    connection: &Arc<Connection>,
    described: &Described,
    host: &HostSpec,
    what: &LogRequest,
    replies: mpsc::Sender<LogResponse>,
) -> Result<(), LinkError> {
    let known = described.get(connection);
    let is_known = known.is_some();
    let mut answering = match known {
        Some(facts) => Answering::begin_knowing(connection, facts),
        None => Answering::begin(connection, host, std::slice::from_ref(what)).await?,
    };
    if !is_known {
        described.put(connection, answering.facts());
    }
    answering.answer(host, what, replies).await
}
