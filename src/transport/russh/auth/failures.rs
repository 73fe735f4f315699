//! Why a login failed, in words: what was tried, what the server allows, and what helps.

use std::sync::PoisonError;

use super::attempt::LoginAttempt;
use crate::model::state::LinkState;
use crate::transport::plan::ConnectPlan;
use crate::transport::russh::agent;
use crate::transport::{LinkError, failure};

/// After the name of a key for which nobody gave the passphrase.
pub(super) const LOCKED: &str = " (locked)";

/// Of a public key file that came to nothing.
pub(super) const OF_THE_AGENT: &str = "a public key, which stands for one of the ssh-agent";

impl LoginAttempt<'_, '_> {
    pub(super) fn unsigned(&self) -> LinkError {
        let ConnectPlan { place, user, .. } = self.login.plan;
        let waited = self.login.agent_time.as_secs_f64();
        LinkError::new(
            LinkState::Timeout,
            format!(
                "the ssh-agent did not sign the login of {user} at {place} within {waited:.1} s"
            ),
            "it is dialled again; touch or confirm the key when the agent asks, and see whether `ssh-add -l` answers",
        )
    }

    pub(super) fn silent(&self) -> LinkError {
        failure::no_answer(&self.login.plan.place, "the login", self.deadline.whole())
    }

    /// The connection ended in the middle of the login: no refusal, unless the server said so.
    /// Whether it was the server that hung up, and whether for what we offered, nobody can know.
    pub(super) fn hung_up(&self) -> LinkError {
        let place = &self.login.plan.place;
        let what = format!("{}{}", self.login.plan.user, self.tried());
        let banner = self.take_banner();
        match self.greeted.notes.ending.get() {
            Some(why) if matches!(why.state(), LinkState::Denied | LinkState::Timeout) => why,
            // To go on, a person would have to type it all again.
            _ if self.ended_while_asking => failure::denied(
                format!("{place} hung up before it had an answer to its prompt"),
                "sshd waits two minutes for a login (LoginGraceTime); connect again and answer sooner",
            ),
            why => {
                let goodbye = self
                    .greeted
                    .notes
                    .goodbye
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                let mut error = failure::left_in_login(place, &what, banner.or(goodbye));
                if self.offers == 0 && !self.asked {
                    // Nothing that could be counted against us.
                    error.status.retry_in_s = None;
                }
                tracing::debug!("{}: {why:?}", error.reason());
                error
            }
        }
    }

    pub(super) fn refused(&self) -> LinkError {
        let ConnectPlan { place, user, .. } = self.login.plan;
        let allowed: Vec<&str> = self.allowed.iter().map(<&str>::from).collect();
        let locked = self
            .offered
            .iter()
            .find_map(|offered| offered.strip_suffix(LOCKED));
        let is_of_the_agent = self
            .offered
            .iter()
            .any(|offered| offered.contains(OF_THE_AGENT));
        let silent_agent = if self.agent_is_silent {
            format!(
                "the ssh-agent did not list its keys within {} s, and ",
                agent::LIST_TIME.as_secs()
            )
        } else {
            String::new()
        };
        if self.agent_is_silent && self.offers == 0 && !self.asked {
            return LinkError::new(
                LinkState::Timeout,
                format!(
                    "{silent_agent}{place} refused the login of {user}{}",
                    self.tried()
                ),
                "it is dialled again; see whether `ssh-add -l` answers",
            );
        }
        let hint = match locked {
            // The server has refused something: to offer that again and again locks out.
            _ if self.agent_is_silent => {
                "see whether `ssh-add -l` answers, for a key of the ssh-agent may be the one that lets in; then connect \
                 again"
                    .to_owned()
            }
            Some(key) => format!("its passphrase was not given: load the key into the ssh-agent (ssh-add {key})"),
            None if is_of_the_agent => {
                "load the private key into the ssh-agent (ssh-add), or name the private key file in `identity`"
                    .to_owned()
            }
            None => format!(
                "check `user` and `identity`; `ssh -v -p {} {user}@{}` shows each step",
                place.port, place.address
            ),
        };
        let ours = self.login.plan.login_methods.restriction();
        let ours = ours.map_or_else(String::new, |ours| format!(", and ~/.ssh/config {ours}"));
        let refused = failure::denied(
            format!(
                "{silent_agent}{place} refused the login of {user}{}; it allows {}{ours}",
                self.tried(),
                allowed.join(", ")
            ),
            hint,
        );
        LinkError {
            beyond_russh: self.sha1(),
            ..refused
        }
    }

    /// That `ssh` would have signed with SHA-1, which the server may know nothing better than.
    fn sha1(&self) -> Option<Box<str>> {
        let may = self.wants_sha1 && !self.asked && self.login.plan.signs_with_sha1;
        may.then(|| "its server takes RSA keys with SHA-1 only".into())
    }

    fn tried(&self) -> String {
        if self.offered.is_empty() {
            ", having nothing to offer".to_owned()
        } else {
            format!(", having tried {}", self.offered.join(", "))
        }
    }
}
