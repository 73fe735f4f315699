//! Sends the parts of an answer and counts what they come to.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::query::request::{LogResponse, ResponseTotals};

use super::stop_reason::StopReason;

/// Where the parts of an answer go.
pub(crate) struct ResponseSender<'a> {
    replies: &'a mpsc::Sender<LogResponse>,
    /// What they came to.
    pub(crate) totals: ResponseTotals,
}

impl<'a> ResponseSender<'a> {
    /// Goes on from these totals.
    pub(crate) fn new(replies: &'a mpsc::Sender<LogResponse>, totals: ResponseTotals) -> Self {
        Self { replies, totals }
    }

    pub(super) fn channel(&self) -> &'a mpsc::Sender<LogResponse> {
        self.replies
    }

    pub(crate) async fn send(&mut self, reply: LogResponse) -> Result<(), StopReason> {
        let sent = self.replies.send(reply).await;
        sent.map_err(|_| StopReason::Closed)
    }

    /// Something that a reader of the answer should know of the source of this name.
    pub(crate) async fn note(&mut self, name: &Arc<str>, text: String) -> Result<(), StopReason> {
        self.send(LogResponse::Note(Arc::clone(name), text)).await
    }

    /// The source of this name could not be read in full.
    pub(super) async fn fail(&mut self, name: &Arc<str>, why: String) -> Result<(), StopReason> {
        self.send(LogResponse::Failed(Arc::clone(name), why)).await
    }
}
