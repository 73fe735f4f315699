//! What comes into the console, and what is to be done outside of it.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::pending_requests::AskId;
use super::questions::QuestionId;
use crate::model::host::HostId;
use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::model::update::Update;
use crate::query::request::{LogRequest, LogResponse};

/// Something that has happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The fleet has news.
    Batch(Vec<Update>),
    /// The fleet will have no more news.
    Ended,
    /// A host asks the operator.
    Ask(QuestionId, OperatorPrompt),
    /// The host no longer waits for this answer.
    Withdrawn(QuestionId),
    /// An effect has something to say.
    Notice(String),
    /// A host answers what was asked.
    Replies(AskId, Vec<LogResponse>),
    /// No more replies come to that.
    Answered(AskId),
    /// Time has passed, or there is time to spare for [`App::has_work`](super::App::has_work).
    Tick,
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave the console.
    Quit,
    /// Hand the terminal back to the shell until it is wanted again.
    Suspend,
    /// Repaint every cell.
    Redraw,
    /// Put text into the clipboard; any bytes, which the terminal layer makes safe.
    Copy(String),
    /// Dial a host now.
    Reconnect(HostId),
    /// Hand an answer to whoever asked.
    Answer(QuestionId, PromptReply),
    /// Use another theme.
    Theme(String),
    /// Ask a host, while it is followed.
    Ask(AskId, HostId, RequestHandle),
    /// The console no longer waits for this answer.
    CancelAsk(AskId),
}

/// What is asked of a host.
#[derive(Debug, Clone)]
pub struct RequestHandle(pub Arc<LogRequest>);

impl PartialEq for RequestHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for RequestHandle {}
