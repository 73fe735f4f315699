//! Shares the connections to jump hosts among the hosts behind them. A jump host whose connection is
//! dead is dialled again for the next host; `route` does that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::error::LinkError;
use super::russh::client::RusshClient;

/// A jump host that refused us, or hung up in the login, is not asked again for the sake of another
/// host that starts a moment later: each such login counts towards a lock-out of everybody who
/// comes through it.
const REFUSED_FOR: Duration = Duration::from_secs(5);

type DialResult = Result<Arc<RusshClient>, LinkError>;
type Dialling = BoxFuture<'static, DialResult>;

/// The shared connections to jump hosts, by the chain that leads to them.
#[derive(Default)]
pub(super) struct BastionPool {
    by_chain: Mutex<HashMap<String, Bastion>>,
}

#[derive(Default)]
struct Bastion {
    live: Weak<RusshClient>,
    dialling: Option<WeakShared<Dialling>>,
    /// Until when it is not asked again, and why.
    refused: Option<(Instant, LinkError)>,
}

impl BastionPool {
    /// The connection to the last server of a chain: the one that lives, the one being dialled, or
    /// a new one by `dial`.
    pub(super) async fn get(&self, chain: &str, dial: impl FnOnce() -> Dialling) -> DialResult {
        let dialling = {
            let mut all = self.lock();
            let bastion = all.entry(chain.to_owned()).or_default();
            if let Some(known) = bastion.known() {
                return known;
            }
            bastion.dialling().unwrap_or_else(|| {
                let shared = dial().shared();
                bastion.dialling = shared.downgrade();
                shared
            })
        };
        dialling.await
    }

    /// Remembers what came of a dial.
    pub(super) fn record(&self, chain: String, result: &DialResult) {
        let mut all = self.lock();
        let bastion = all.entry(chain).or_default();
        match result {
            Ok(client) => {
                bastion.live = Arc::downgrade(client);
                bastion.refused = None;
            }
            Err(error) => {
                let pause = refused_for(error);
                bastion.refused = pause.map(|pause| (Instant::now() + pause, error.clone()));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bastion>> {
        self.by_chain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bastion {
    /// What is known without dialling it.
    fn known(&self) -> Option<DialResult> {
        if let Some(client) = self.live.upgrade().filter(|client| !client.is_over()) {
            return Some(Ok(client));
        }
        let (until, error) = self.refused.as_ref()?;
        (Instant::now() < *until).then(|| Err(error.clone()))
    }

    fn dialling(&self) -> Option<Shared<Dialling>> {
        let dialling = self.dialling.as_ref()?.upgrade()?;
        dialling.peek().is_none().then_some(dialling)
    }
}

/// For how long a jump host is not asked again after it failed so.
fn refused_for(error: &LinkError) -> Option<Duration> {
    if error.state().needs_a_person() {
        Some(REFUSED_FOR)
    } else {
        error.status.retry_in_s.map(Duration::from_secs)
    }
}
