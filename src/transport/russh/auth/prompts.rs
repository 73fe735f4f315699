//! The prompts of a login: passwords, and whatever else a server asks a person for.

use ::russh::client::{AuthResult, KeyboardInteractiveAuthResponse, Prompt};
use zeroize::Zeroizing;

use super::attempt::LoginAttempt;
use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::transport::LinkError;
use crate::transport::login_methods::LoginMethod;

/// Wrong answers to prompts before we stop: sshd ≥ 9.8 locks out addresses that go on.
const MAX_ROUNDS: usize = 2;

/// Rounds of questions within one keyboard-interactive login; two-factor logins need two or three.
const MAX_QUESTIONS: usize = 16;

/// One round of prompts.
enum PromptRound {
    In,
    Wrong,
    Partial,
    Declined,
}

impl PromptRound {
    fn of(partial: bool) -> Self {
        if partial { Self::Partial } else { Self::Wrong }
    }
}

impl LoginAttempt<'_, '_> {
    /// Keyboard-interactive, or a password: whatever the server prompts for goes to a person.
    pub(super) async fn prompts(&mut self) -> Result<bool, LinkError> {
        let mut wrong = 0;
        // A partial success is no failure, but a server cannot keep a person at it for ever either.
        for _ in 0..MAX_QUESTIONS {
            let round = match self.prompting() {
                Some(LoginMethod::KeyboardInteractive) => self.interactive().await?,
                Some(LoginMethod::Password) => self.password().await?,
                Some(LoginMethod::Keys) | None => return Ok(false),
            };
            match round {
                PromptRound::In => return Ok(true),
                PromptRound::Declined => return Ok(false),
                PromptRound::Partial => {}
                PromptRound::Wrong => wrong += 1,
            }
            if wrong >= MAX_ROUNDS {
                return Ok(false);
            }
        }
        Ok(false)
    }

    async fn password(&mut self) -> Result<PromptRound, LinkError> {
        let user = self.login.plan.user.clone();
        let prompt = format!("password for {user}");
        let Some(password) = self.ask(prompt, false).await else {
            return Ok(PromptRound::Declined);
        };
        self.offered.push("a password".to_owned());
        let asking = self
            .greeted
            .handle
            .authenticate_password(user, password.to_string());
        let result = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        let partial = matches!(
            result,
            Ok(AuthResult::Failure {
                partial_success: true,
                ..
            })
        );
        Ok(if self.settle(result).await? {
            PromptRound::In
        } else {
            PromptRound::of(partial)
        })
    }

    async fn interactive(&mut self) -> Result<PromptRound, LinkError> {
        let asking = self
            .greeted
            .handle
            .authenticate_keyboard_interactive_start(self.login.plan.user.clone(), None);
        let mut reply = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        for _ in 0..MAX_QUESTIONS {
            let prompts = match reply {
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts,
                Ok(KeyboardInteractiveAuthResponse::Success) => return Ok(PromptRound::In),
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    self.settle(Ok(AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    }))
                    .await?;
                    return Ok(PromptRound::of(partial_success));
                }
                Err(error) => return self.settle(Err(error)).await.map(|_| PromptRound::Declined),
            };
            let Some(answers) = self.answers(prompts).await else {
                return Ok(PromptRound::Declined);
            };
            let asking = self
                .greeted
                .handle
                .authenticate_keyboard_interactive_respond(answers);
            reply = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        }
        Ok(PromptRound::Declined)
    }

    async fn answers(&mut self, prompts: Vec<Prompt>) -> Option<Vec<String>> {
        let mut answers = Vec::new();
        for prompt in prompts {
            let words = if prompt.prompt.trim().is_empty() {
                "answer".to_owned()
            } else {
                prompt.prompt
            };
            answers.push(self.ask(words, prompt.echo).await?.to_string());
            self.offered.push("an answer to its prompt".to_owned());
        }
        Some(answers)
    }

    async fn ask(&mut self, prompt: String, echo: bool) -> Option<Zeroizing<String>> {
        self.asked = true;
        let answer = self
            .login
            .asker
            .ask(OperatorPrompt::Secret {
                host: self.login.host.clone(),
                prompt,
                echo,
            })
            .await;
        self.ended_while_asking |=
            self.greeted.handle.is_closed() || self.greeted.notes.ending.get().is_some();
        match answer {
            PromptReply::Secret(secret) => Some(secret),
            PromptReply::Yes | PromptReply::No => None,
        }
    }
}
