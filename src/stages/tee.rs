//! One feed for several readers at once, so that showing, recording and alerting each have their
//! own.
//!
//! ```text
//!  feed ──▶ Tee ──▶ the main reader, who drives it
//!            ├────▶ bounded ──▶ TeeBranch
//!            └────▶ bounded ──▶ TeeBranch
//! ```
//!
//! Each branch is bounded in batches. What happens at that limit is decided when the branch is made:
//! it holds back the feed and with it all readers, or it misses batches, whose lines are counted.
//! The main reader misses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{self, error::TrySendError};

use crate::fleet::Feed;
use crate::model::update::Update;

/// What happens where the reader of a branch is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowReader {
    /// All readers wait for it: it misses nothing.
    HoldsBack,
    /// Nobody waits for it: it misses batches, and the lines in them are counted.
    Misses,
}

/// A feed whose batches also go to branches.
pub struct Tee<F> {
    feed: F,
    branches: Vec<BranchSender>,
    /// A batch that goes to the main reader once all branches have it.
    pending: Option<PendingBatch>,
    is_closed: bool,
}

struct PendingBatch {
    batch: Vec<Update>,
    /// The number of branches that have it.
    delivered: usize,
}

impl<F: Feed> Tee<F> {
    /// A feed without branches.
    #[must_use]
    pub fn new(feed: F) -> Self {
        Self {
            feed,
            branches: Vec::new(),
            pending: None,
            is_closed: false,
        }
    }

    /// Adds a branch that holds at most this many unread batches. It gets what is read from now
    /// on; dropping it ends it.
    #[must_use]
    pub fn branch(&mut self, batches: usize, slow: SlowReader) -> TeeBranch {
        let (sender, receiver) = mpsc::channel(batches);
        let missed = Arc::default();
        self.branches.push(BranchSender {
            batches: sender,
            slow,
            missed: Arc::clone(&missed),
        });
        TeeBranch {
            batches: receiver,
            missed,
        }
    }

    /// Hands the pending batch on. Returns it where all branches have it.
    fn deliver(&mut self) -> Option<Vec<Update>> {
        let pending = self.pending.as_mut()?;
        for branch in self.branches.get(pending.delivered..)? {
            if !branch.offer(&pending.batch, self.is_closed) {
                return None;
            }
            pending.delivered += 1;
        }
        self.pending.take().map(|pending| pending.batch)
    }

    /// The branch that the pending batch waits for.
    fn holding_back(&self) -> Option<&BranchSender> {
        self.branches.get(self.pending.as_ref()?.delivered)
    }

    fn put(&mut self, batch: Vec<Update>) {
        self.pending = Some(PendingBatch {
            batch,
            delivered: 0,
        });
    }
}

impl<F: Feed> Feed for Tee<F> {
    async fn next(&mut self) -> Option<Vec<Update>> {
        loop {
            if self.pending.is_none() {
                let batch = self.feed.next().await?;
                self.put(batch);
            }
            if let Some(batch) = self.deliver() {
                return Some(batch);
            }
            if let Some(branch) = self.holding_back() {
                branch.room().await;
            }
        }
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        if self.pending.is_none() {
            let batch = self.feed.try_next()?;
            self.put(batch);
        }
        self.deliver()
    }

    /// There is no time to wait for branches either: those that would hold back the feed miss
    /// batches.
    fn close(&mut self) {
        self.feed.close();
        self.is_closed = true;
    }
}

struct BranchSender {
    batches: mpsc::Sender<Vec<Update>>,
    slow: SlowReader,
    missed: Arc<AtomicU64>,
}

impl BranchSender {
    /// Waits until there is room, or its reader has gone.
    async fn room(&self) {
        drop(self.batches.reserve().await);
    }

    /// Returns false where the batch has to wait.
    fn offer(&self, batch: &[Update], is_closed: bool) -> bool {
        match self.batches.try_reserve() {
            Ok(room) => room.send(batch.to_vec()),
            Err(TrySendError::Full(())) if self.slow == SlowReader::HoldsBack && !is_closed => {
                return false;
            }
            Err(TrySendError::Full(())) => {
                self.missed.fetch_add(lines_in(batch), Ordering::Relaxed);
            }
            Err(TrySendError::Closed(())) => {}
        }
        true
    }
}

fn lines_in(batch: &[Update]) -> u64 {
    let count = |update: &Update| match update {
        Update::Lines(lines) => lines.len() as u64,
        _ => 0,
    };
    batch.iter().map(count).sum()
}

/// What one of several readers gets. It ends with the feed, or when the [`Tee`] is dropped.
pub struct TeeBranch {
    batches: mpsc::Receiver<Vec<Update>>,
    missed: Arc<AtomicU64>,
}

impl TeeBranch {
    /// Lines that this branch has missed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Feed for TeeBranch {
    async fn next(&mut self) -> Option<Vec<Update>> {
        self.batches.recv().await
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        self.batches.try_recv().ok()
    }

    fn close(&mut self) {
        self.batches.close();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::host::HostId;
    use crate::model::line::{ByteSpan, FleetLine, Line};
    use crate::model::source::SourceId;
    use crate::model::time::{Time, TimeSource};

    /// Batches that are all there, and then the end.
    struct Numbered(VecDeque<Vec<Update>>);

    impl Numbered {
        /// So many batches of one line each.
        fn new(count: u64) -> Self {
            Self((0..count).map(|number| vec![line(number)]).collect())
        }
    }

    impl Feed for Numbered {
        async fn next(&mut self) -> Option<Vec<Update>> {
            self.0.pop_front()
        }

        fn try_next(&mut self) -> Option<Vec<Update>> {
            self.0.pop_front()
        }

        fn close(&mut self) {}
    }

    fn line(offset: u64) -> Update {
        let file = FileId { dev: 0, ino: 1 };
        let line = Line {
            time: Time(0),
            time_from: TimeSource::Arrival,
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            cursor: Cursor { file, offset },
            raw: Bytes::new(),
            stored: None,
        };
        Update::Lines(vec![FleetLine::new(HostId(0), SourceId(0), line)])
    }

    fn read(batch: Option<Vec<Update>>, into: &mut Vec<u64>) {
        for update in batch.into_iter().flatten() {
            if let Update::Lines(lines) = update {
                into.extend(lines.iter().map(|line| line.content.cursor.offset));
            }
        }
    }

    proptest! {
        #[test]
        fn whoever_reads_when_no_reader_misses_what_it_should_not(
            count in 0u64..40,
            room in 1usize..5,
            steps in prop::collection::vec(0u8..4, 0..120),
        ) {
            let mut tee = Tee::new(Numbered::new(count));
            let mut holding = tee.branch(room, SlowReader::HoldsBack);
            let mut missing = tee.branch(room, SlowReader::Misses);
            let (mut main, mut held, mut some) = (Vec::new(), Vec::new(), Vec::new());
            for step in steps {
                match step {
                    // Each is dropped where it would wait.
                    0 => read(tee.next().now_or_never().flatten(), &mut main),
                    1 => read(tee.try_next(), &mut main),
                    2 => read(holding.try_next(), &mut held),
                    _ => read(missing.try_next(), &mut some),
                }
                prop_assert!(main.len() <= held.len() + room, "it is held back");
            }
            for _ in 0..=2 * count {
                read(tee.try_next(), &mut main);
                read(holding.try_next(), &mut held);
                read(missing.try_next(), &mut some);
            }
            for _ in 0..room {
                read(missing.try_next(), &mut some);
                read(holding.try_next(), &mut held);
            }
            let all: Vec<u64> = (0..count).collect();
            prop_assert_eq!(&main, &all);
            prop_assert_eq!(&held, &all);
            prop_assert!(some.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(some.len() as u64 + missing.missed(), count);
            prop_assert_eq!(holding.missed(), 0);
        }
    }

    #[tokio::test]
    async fn a_reader_that_waits_goes_on_when_the_one_that_held_it_back_has_read() {
        let mut tee = Tee::new(Numbered::new(2));
        let mut branch = tee.branch(1, SlowReader::HoldsBack);
        assert!(tee.next().await.is_some());
        let (second, read) = tokio::join!(tee.next(), branch.next());
        assert!(second.is_some() && read.is_some());
    }

    #[tokio::test]
    async fn a_branch_that_is_gone_holds_back_nobody() {
        let mut tee = Tee::new(Numbered::new(3));
        let branch = tee.branch(1, SlowReader::HoldsBack);
        assert!(tee.next().await.is_some());
        drop(branch);
        assert!(tee.next().await.is_some() && tee.next().await.is_some());
        assert!(tee.next().await.is_none());
    }

    #[test]
    fn at_the_deadline_nobody_waits_for_a_branch_and_what_it_misses_is_counted() {
        let mut tee = Tee::new(Numbered::new(3));
        let branch = tee.branch(1, SlowReader::HoldsBack);
        assert!(tee.try_next().is_some() && tee.try_next().is_none());
        tee.close();
        assert!(tee.try_next().is_some() && tee.try_next().is_some());
        assert_eq!(branch.missed(), 2);
    }
}
