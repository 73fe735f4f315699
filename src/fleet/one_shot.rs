//! Sends requests to hosts without a live connection; each opens its own.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::requests::REPLIES;
use crate::host;
use crate::model::host::{HostId, HostSpec};
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::{Connector, LinkError};

/// Sends each request over a new connection.
#[derive(Clone)]
pub struct OneShotClient {
    hosts: Arc<[HostSpec]>,
    connector: Connector,
}

impl OneShotClient {
    /// Host `n` of `hosts` is `HostId(n)`.
    #[must_use]
    pub fn new(hosts: &[HostSpec], connector: Connector) -> Self {
        Self {
            hosts: hosts.into(),
            connector,
        }
    }

    /// Connects to a host and asks it; dropping the receiver ends both. A response that is whole
    /// ends with [`LogResponse::Done`].
    #[must_use]
    pub fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        let (sender, receiver) = mpsc::channel(REPLIES);
        let this = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = this.connect_and_ask(host, &ask, sender.clone()) => {
                    if let Err(error) = ended {
                        let failed = LogResponse::Failed("".into(), error.status.in_words());
                        // The client may be gone.
                        let _ = sender.send(failed).await;
                    }
                }
                () = sender.closed() => {}
            }
        });
        receiver
    }

    async fn connect_and_ask(
        &self,
        host: HostId,
        ask: &LogRequest,
        replies: mpsc::Sender<LogResponse>,
    ) -> Result<(), LinkError> {
        let Some(spec) = self.hosts.get(host.index()) else {
            return Ok(());
        };
        let connection = self.connector.connect(spec).await?;
        let answered = host::ask::ask(&connection, spec, ask, replies).await;
        connection.close().await;
        answered
    }
}
