//! Puts questions to the operator.

use std::future::Future;
use std::pin::Pin;

use crate::model::prompt::{OperatorPrompt, PromptReply};

/// Answers what only a person can. `ask` may take as long as a person does; dropping the future
/// withdraws the question.
pub trait PromptAnswerer: Send + Sync {
    /// Puts a question and waits for its answer.
    fn ask(
        &self,
        question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>>;
}
