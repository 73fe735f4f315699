//! Questions to a host while it is followed: they are asked over the connection that it has, a few at a time, and are
//! answered at once where it has none. Keeping the connection is left to `supervise`, the questions to `ask`.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};

use crate::model::HostSpec;
use crate::model::ask::{Ask, Reply};
use crate::transport::Connection;

use super::ask::ask;

/// Questions that are asked of a host at once, each in a session of its own beside the one that follows.
const AT_ONCE: usize = 2;

/// A question, and where its answer goes.
pub type Question = (Ask, mpsc::Sender<Reply>);

/// Whether a host can be asked at present.
#[derive(Clone)]
pub(super) enum Link {
    /// Over this.
    Up(Arc<Connection>),
    /// No, and why.
    Down(String),
}

/// Serves questions for ever.
pub(super) async fn serve(host: &HostSpec, link: watch::Receiver<Link>, questions: &mut mpsc::Receiver<Question>) {
    let mut asked = FuturesUnordered::new();
    loop {
        tokio::select! {
            question = questions.recv(), if asked.len() < AT_ONCE => match question {
                Some((what, replies)) => asked.push(answer(host, link.clone(), what, replies)),
                None => return std::future::pending().await,
            },
            Some(()) = asked.next() => {}
        }
    }
}

/// Answers a question, until nobody waits for it any more or the connection ends.
async fn answer(host: &HostSpec, mut link: watch::Receiver<Link>, what: Ask, replies: mpsc::Sender<Reply>) {
    let now = link.borrow().clone();
    let why = match now {
        Link::Down(why) => why,
        Link::Up(connection) => tokio::select! {
            ended = ask(&connection, host, &what, replies.clone()) => match ended {
                Ok(()) => return,
                Err(error) => error.status.reason.unwrap_or_else(|| error.status.state.to_string()),
            },
            () = replies.closed() => return,
            _ = link.wait_for(|link| matches!(link, Link::Down(_))) => "the connection was lost".to_owned(),
        },
    };
    // Whoever asked may be gone.
    let _ = replies.send(Reply::Failed("".into(), why)).await;
}
