//! Requests to many hosts at once: each is connected, asked, and left again, and what it answers
//! comes out as it arrives.
//!
//! ```text
//!  a task per host ──▶ silence, failures, end ──┐
//!  a task per host ──▶ silence, failures, end ──┼─▶ bounded ──▶ Pages (of lines) ──▶ FanOut::next
//! ```
//!
//! Backpressure: a slow reader slows the hosts. A host that is slow, stopped or hung holds back
//! nobody, for hits go out at once. Only lines of pages wait for each other ([`Pages`]), and only
//! until every host has answered or been given up. How a host is asked is left to
//! [`host_requests`](super::host_requests) and `host`, what is printed of it to `report`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::host_requests::{CLOSE_LIMIT, HostResponse, HostTask, Reach, TaggedResponse};
use super::pages::Pages;
use crate::model::host::{HostId, HostSpec};
use crate::model::state::{HostStatus, LinkState};
use crate::model::update::Update;
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::Connector;

/// Pending responses of all hosts. One has a few hundred KiB at most, so this bounds the bytes too.
const RESPONSES: usize = 32;

/// Hosts that are being asked. Dropping it stops everything.
pub struct FanOut {
    responses: mpsc::Receiver<TaggedResponse>,
    tasks: JoinSet<()>,
    pages: Pages,
    ready: VecDeque<FanOutEvent>,
    undone: usize,
}

/// What is known of the hosts.
#[derive(Debug)]
pub enum FanOutEvent {
    /// The state of a host, what it says of itself, a source, lines of pages in their order, a gap.
    Update(Update),
    /// Any other reply.
    Reply(HostId, LogResponse),
    /// A host is done: it has answered everything, or failed. Its state has come before.
    Done(HostId),
}

impl FanOut {
    /// Asks every host all of `asks`, one after the other. Host `n` of `hosts` is `HostId(n)`. A
    /// host that says nothing for `silence` has timed out; while it says something it may go on.
    #[must_use]
    pub fn start(
        hosts: Vec<HostSpec>,
        asks: &[LogRequest],
        silence: Duration,
        connector: Connector,
    ) -> Self {
        Self::start_by(hosts, asks, silence, connector)
    }

    pub(super) fn start_by(
        hosts: Vec<HostSpec>,
        asks: &[LogRequest],
        silence: Duration,
        reach: impl Reach,
    ) -> Self {
        let (sender, responses) = mpsc::channel(RESPONSES);
        let mut tasks = JoinSet::new();
        let undone = hosts.len();
        let asks = Arc::<[LogRequest]>::from(asks);
        for (id, host) in (0..).map(HostId).zip(hosts) {
            let task = HostTask {
                id,
                host,
                asks: Arc::clone(&asks),
                silence,
                sender: sender.clone(),
            };
            tasks.spawn(task.run(reach.clone()));
        }
        Self {
            responses,
            tasks,
            pages: Pages::default(),
            ready: VecDeque::new(),
            undone,
        }
    }

    /// What comes next; `None` after every host is done. Cancel-safe.
    pub async fn next(&mut self) -> Option<FanOutEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.undone == 0 {
                let rest = self.pages.release(true);
                if rest.is_empty() {
                    return None;
                }
                self.updates(rest);
                continue;
            }
            let TaggedResponse { host, response } = self.responses.recv().await?;
            self.take(host, response);
        }
    }

    /// Ends every connection in order; returns within 2 seconds.
    pub async fn stop(mut self) {
        self.responses.close();
        // Pending responses are given up, so that nobody waits to send one.
        while self.responses.try_recv().is_ok() {}
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(CLOSE_LIMIT, ended).await;
    }

    fn take(&mut self, host: HostId, response: HostResponse) {
        match response {
            HostResponse::Alive | HostResponse::Waits(_) | HostResponse::Greeted => {}
            HostResponse::Connected => {
                self.update(Update::Status(host, HostStatus::plain(LinkState::Ok)));
            }
            // It is part of the last state.
            HostResponse::Warned(_) => {}
            HostResponse::Facts(facts) => self.update(Update::Facts(host, Arc::from(facts))),
            HostResponse::Reply(reply) => self.reply(host, reply),
            HostResponse::Ended(status) => {
                self.undone -= 1;
                self.update(Update::Status(host, status));
                self.ready.push_back(FanOutEvent::Done(host));
            }
        }
    }

    fn reply(&mut self, host: HostId, reply: LogResponse) {
        match reply {
            LogResponse::Lines(source, lines) => {
                let named = self.pages.lines(host, &source, lines);
                self.updates(named);
            }
            LogResponse::Gap(source, missing) => {
                let named = self.pages.gap(host, &source, &missing);
                self.updates(named);
            }
            LogResponse::Source(info, files) => {
                let known = self.pages.info(host, &info);
                self.update(known);
                let reply = LogResponse::Source(info, files);
                self.ready.push_back(FanOutEvent::Reply(host, reply));
            }
            other => self.ready.push_back(FanOutEvent::Reply(host, other)),
        }
        let released = self.pages.release(false);
        self.updates(released);
    }

    fn update(&mut self, update: Update) {
        self.ready.push_back(FanOutEvent::Update(update));
    }

    fn updates(&mut self, updates: impl IntoIterator<Item = Update>) {
        let events = updates.into_iter().map(FanOutEvent::Update);
        self.ready.extend(events);
    }
}

#[cfg(test)]
#[path = "fan_out_tests.rs"]
mod tests;
