//! Requests to the hosts of a running fleet, over the connections that it has.

use tokio::sync::mpsc;

use crate::host::Question;
use crate::model::host::HostId;
use crate::query::request::{LogRequest, LogResponse};

/// Pending replies to one request; a slow reader makes the host wait.
pub(super) const REPLIES: usize = 16;

/// Sends requests to the hosts of a fleet.
#[derive(Debug, Clone, Default)]
pub struct RequestClient {
    /// In the order of the hosts.
    hosts: Vec<mpsc::Sender<Question>>,
}

impl RequestClient {
    /// Adds a host, behind those that are there.
    pub(super) fn add(&mut self, host: mpsc::Sender<Question>) {
        self.hosts.push(host);
    }

    /// Asks a host, over the connection that it has. A host that is down says so at once; dropping
    /// the receiver ends the work there. A response that is whole ends with [`LogResponse::Done`].
    #[must_use]
    pub fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        let (sender, receiver) = mpsc::channel(REPLIES);
        let sent = self
            .hosts
            .get(host.index())
            .is_some_and(|host| host.try_send((ask, sender.clone())).is_ok());
        if !sent {
            // There is room for the first.
            let _ = sender.try_send(LogResponse::Failed(
                "".into(),
                "it has not answered what was asked before".into(),
            ));
        }
        receiver
    }
}
