//! Responses of hosts to the console. Each is read straight from the channel that its host fills,
//! which is bounded, so that a host waits while the console is busy.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::app::AskId;
use crate::query::request::LogResponse;

/// Replies that are taken together.
const TOGETHER: usize = 64;

/// Some replies of a response, or `None` at its end.
pub(super) type Part = (AskId, Option<Vec<LogResponse>>);

/// The responses that are awaited, beginning with the one whose turn is next.
#[derive(Default)]
pub(super) struct PendingResponses {
    open: VecDeque<OpenResponse>,
}

struct OpenResponse {
    id: AskId,
    replies: mpsc::Receiver<LogResponse>,
}

impl PendingResponses {
    /// Waits for a response.
    pub(super) fn add(&mut self, id: AskId, replies: mpsc::Receiver<LogResponse>) {
        self.open.push_back(OpenResponse { id, replies });
    }

    /// Waits for it no more, which ends the work on the host.
    pub(super) fn cancel(&mut self, id: AskId) {
        self.open.retain(|response| response.id != id);
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Part {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Part> {
        for at in 0..self.open.len() {
            let mut taken = Vec::new();
            let OpenResponse { id, replies } = &mut self.open[at];
            let id = *id;
            if let Poll::Ready(count) = replies.poll_recv_many(context, &mut taken, TOGETHER) {
                self.end_turn(at, count == 0);
                return Poll::Ready((id, (count > 0).then_some(taken)));
            }
        }
        Poll::Pending
    }

    /// The others have their turn before this one has another.
    fn end_turn(&mut self, at: usize, is_over: bool) {
        if let Some(response) = self.open.remove(at).filter(|_| !is_over) {
            self.open.push_back(response);
        }
    }
}
