//! Answers of hosts on their way to the console: one queue for all questions, bounded, so that a
//! host waits while the console is busy.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::app::AskId;
use crate::query::request::LogResponse;

/// Parts of answers that are taken together.
const TOGETHER: usize = 64;

/// Batches of them on their way.
const BATCHES: usize = 8;

/// Some of an answer, or `None` at its end.
pub(super) type Part = (AskId, Option<Vec<LogResponse>>);

/// The answers that are awaited.
pub(super) struct PendingResponses {
    parts: mpsc::Receiver<Part>,
    sender: mpsc::Sender<Part>,
    tasks: HashMap<AskId, AbortHandle>,
}

impl Default for PendingResponses {
    fn default() -> Self {
        let (sender, parts) = mpsc::channel(BATCHES);
        Self {
            parts,
            sender,
            tasks: HashMap::new(),
        }
    }
}

impl PendingResponses {
    /// Waits for an answer.
    pub(super) fn add(&mut self, id: AskId, mut replies: mpsc::Receiver<LogResponse>) {
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            loop {
                let mut some = Vec::new();
                let over = replies.recv_many(&mut some, TOGETHER).await == 0;
                let part = (id, (!over).then_some(some));
                if sender.send(part).await.is_err() || over {
                    return;
                }
            }
        });
        self.tasks.insert(id, task.abort_handle());
    }

    /// Waits for it no more, which ends the work on the host.
    pub(super) fn cancel(&mut self, id: AskId) {
        if let Some(task) = self.tasks.remove(&id) {
            task.abort();
        }
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Part {
        match self.parts.recv().await {
            Some(part) => {
                if part.1.is_none() {
                    self.tasks.remove(&part.0);
                }
                part
            }
            // There is always a sender.
            None => std::future::pending().await,
        }
    }
}

impl Drop for PendingResponses {
    fn drop(&mut self) {
        self.tasks.values().for_each(AbortHandle::abort);
    }
}
