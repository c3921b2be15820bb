//! Many units of one kind in one transaction.
//!
//! No timer: a task takes what waits, up to a limit, and while it commits the next batch gathers. So
//! one caller alone waits for nothing, and many share the cost of one commit.
//!
//! Invariants: a caller hears of success after the durable commit only; what one caller asked for
//! cannot make another one's fail; nothing takes effect twice, whatever becomes of the connection.

mod aside;
pub(super) mod attempt;
mod batch;
mod gauge;
pub(super) mod grouped;
mod lanes;
mod part;
pub(super) mod patience;
pub(super) mod piece;
mod posting;
mod queue;
pub(super) mod tries;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

pub use self::batch::Batch;
pub use self::gauge::CommitterStats;
pub use self::patience::Patience;
pub(crate) use self::piece::{Needs, PAYERS};
pub use self::posting::{PostedEntry, Postings};

use self::gauge::Gauge;
use self::queue::{Queue, Waiting};
use self::worker::{Running, Worker, outcome_unknown};
use super::Book;
use super::tally::CommitTally;
use crate::{Error, Result};

/// How much a committer takes on. Zero counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items that may wait; one more is turned away.
    pub queue: usize,
    /// Items of one transaction.
    pub batch: usize,
    /// Transactions at the same time.
    pub committers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: 10_000,
            batch: 1_000,
            committers: 1,
        }
    }
}

/// Takes items one by one and does them in batches. Cheap to clone; its tasks end once the last clone
/// is gone and everything that waits is done.
pub struct Committer<B: Batch>(Arc<Owner<B>>);

/// What the callers of a committer share.
struct Owner<B: Batch> {
    queue: Arc<Queue<B>>,
    batch: Arc<B>,
    gauge: Arc<Gauge>,
    /// What is done is counted with its transaction, everything else here.
    tally: Arc<CommitTally>,
    running: watch::Sender<usize>,
    workers: Vec<AbortHandle>,
}

/// Nobody is left to ask for anything.
impl<B: Batch> Drop for Owner<B> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<B: Batch> Clone for Committer<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Batch> Committer<B> {
    /// Starts the tasks; called inside a Tokio runtime.
    pub fn start(book: Book, batch: B, limits: Limits) -> Self {
        Self::start_with(book, batch, limits, Patience::default())
    }

    /// The same with other limits of time.
    pub fn start_with(book: Book, batch: B, limits: Limits, patience: Patience) -> Self {
        let committers = limits.committers.max(1);
        let queue = Arc::new(Queue::new(limits.queue.max(1)));
        let gauge = Arc::<Gauge>::default();
        let tally = book.tally.clone();
        let running = watch::Sender::new(committers);
        let book = book.without_committers();
        let batch = Arc::new(batch);
        let workers = (0..committers)
            .map(|_| {
                let worker = Worker {
                    book: book.clone(),
                    batch: batch.clone(),
                    queue: queue.clone(),
                    gauge: gauge.clone(),
                    batch_max: limits.batch.max(1),
                    patience,
                    _running: Running {
                        count: running.clone(),
                        queue: queue.clone(),
                        gauge: gauge.clone(),
                    },
                };
                tokio::spawn(worker.run()).abort_handle()
            })
            .collect();
        Self(Arc::new(Owner {
            queue,
            batch,
            gauge,
            tally,
            running,
            workers,
        }))
    }

    /// Does an item and answers after the commit. A caller who stops waiting changes nothing about the
    /// others; the item itself is done whole or, when its turn had not come, not at all.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too much waits already; nothing was done then. Otherwise what the
    /// batch says of this item.
    pub async fn submit(&self, item: B::Item) -> Result<B::Done> {
        let done = self.ask(item).await;
        match &done {
            // What steps out is done elsewhere, and counted there.
            Ok(_) | Err(Error::StepsOut) => {}
            Err(error) => self.0.tally.note_error(error),
        }
        done
    }

    async fn ask(&self, item: B::Item) -> Result<B::Done> {
        let (reply, done) = oneshot::channel();
        let lane = self.0.batch.lane(&item);
        if !self.0.queue.push(lane, Waiting { item, reply }) {
            return Err(self.overloaded());
        }
        match done.await {
            Ok(result) => result,
            // The tasks were ended in the middle of it.
            Err(_) => Err(outcome_unknown()),
        }
    }

    fn overloaded(&self) -> Error {
        let retry_after = self.0.gauge.time_for(self.depth(), self.0.workers.len());
        Error::Overloaded { retry_after }
    }

    /// Items that wait for their turn.
    pub fn depth(&self) -> usize {
        self.0.queue.len()
    }

    /// What has been done so far.
    pub fn stats(&self) -> CommitterStats {
        self.0.gauge.stats(self.depth())
    }

    /// Takes nothing more, does everything that waits, and ends.
    pub async fn shut_down(&self) {
        self.0.queue.close();
        let mut running = self.0.running.subscribe();
        // The sender is ours, so this ends by the count alone.
        let _ = running.wait_for(|running| *running == 0).await;
    }

    /// The same within a limit; false when that was not enough. What has not begun by then is turned
    /// away as [`Error::Overloaded`]; whoever waits for what has hears that its outcome is not known.
    pub async fn end_within(&self, limit: Duration) -> bool {
        if timeout(limit, self.shut_down()).await.is_ok() {
            return true;
        }
        for Waiting { reply, .. } in self.0.queue.clear() {
            self.0.gauge.note_refused();
            // Whoever does not wait any more need not know.
            let _ = reply.send(Err(Error::overloaded()));
        }
        for worker in &self.0.workers {
            worker.abort();
        }
        false
    }
}
