//! One question to one host, over the connection that it has.

use tokio::sync::mpsc;

use crate::model::HostSpec;
use crate::model::ask::{Ask, Reply};
use crate::transport::{Connection, LinkError};

/// Asks a host.
///
/// # Errors
/// When the connection breaks.
pub async fn ask(
    _connection: &Connection,
    _host: &HostSpec,
    _ask: &Ask,
    replies: mpsc::Sender<Reply>,
) -> Result<(), LinkError> {
    let _ = replies.send(Reply::Failed("".into(), "not yet".into())).await;
    Ok(())
}
