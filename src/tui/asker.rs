//! Questions of hosts on their way to the console.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::{mpsc, oneshot};

use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::transport::PromptAnswerer;

/// Questions that wait to be shown. A host with another one waits until there is room, which holds
/// up no other host.
const MAX_QUEUED: usize = 64;

/// A question with the way back for its answer.
pub type Asked = (OperatorPrompt, oneshot::Sender<PromptReply>);

/// Asks the operator at the console.
#[derive(Debug, Clone)]
pub struct ConsoleAsker {
    sender: mpsc::Sender<Asked>,
}

/// The asker for the transport, and the questions for [`run`](super::run).
#[must_use]
pub fn questions() -> (ConsoleAsker, mpsc::Receiver<Asked>) {
    let (sender, receiver) = mpsc::channel(MAX_QUEUED);
    (ConsoleAsker { sender }, receiver)
}

impl PromptAnswerer for ConsoleAsker {
    /// Without a console any more, the answer is no.
    fn ask(
        &self,
        question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            if self.sender.send((question, answer)).await.is_err() {
                return PromptReply::No;
            }
            answered.await.unwrap_or(PromptReply::No)
        })
    }
}
