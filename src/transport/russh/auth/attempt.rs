//! The state of a login under way. Its steps are in `auth`, `prompts` and `failures`.

use std::time::{Duration, Instant};

use ::russh::MethodSet;

use crate::model::host::HostName;
use crate::transport::PromptAnswerer;
use crate::transport::deadline::Deadline;
use crate::transport::keyring::Keyring;
use crate::transport::plan::ConnectPlan;
use crate::transport::russh::client::HandshakenClient;

/// What a login needs to know and to ask.
pub(crate) struct LoginContext<'a> {
    pub(crate) plan: &'a ConnectPlan,
    pub(crate) host: &'a HostName,
    pub(crate) keyring: &'a Keyring,
    pub(crate) asker: &'a dyn PromptAnswerer,
    /// When the attempt to connect began.
    pub(crate) begun: Instant,
    /// How long the agent may take for a signature.
    pub(crate) agent_time: Duration,
}

/// A login under way.
pub(super) struct LoginAttempt<'a, 'b> {
    pub(super) login: &'a LoginContext<'a>,
    pub(super) greeted: &'b mut HandshakenClient,
    pub(super) deadline: &'b mut Deadline,
    /// What the server says may go on.
    pub(super) allowed: MethodSet,
    /// What was tried, for the message.
    pub(super) offered: Vec<String>,
    pub(super) offers: usize,
    /// Whether a person was asked on this connection.
    pub(super) asked: bool,
    /// Whether it ended while a person was being asked.
    pub(super) ended_while_asking: bool,
    /// Whether a key was an RSA key and the server has not said that it knows better hashes than
    /// SHA-1.
    pub(super) wants_sha1: bool,
    /// Whether there is an ssh-agent.
    pub(super) agent_answers: bool,
    /// Whether there is an agent that did not list its keys, so that they were not offered.
    pub(super) agent_is_silent: bool,
}
