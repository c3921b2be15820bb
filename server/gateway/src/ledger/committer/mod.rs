//! Many units of one kind in one transaction.
//!
//! No timer: a task takes what waits, up to a limit, and while it commits the next batch gathers. So
//! one caller alone waits for nothing, and many share the cost of one commit.
//!
//! Invariants: a caller hears of success after the durable commit only; what one caller asked for
//! cannot make another one's fail; nothing takes effect twice, whatever becomes of the connection.

mod attempt;
mod batch;
mod gauge;
pub(super) mod grouped;
mod posting;
mod queue;
mod worker;

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot, watch};

pub use self::batch::Batch;
pub use self::gauge::CommitterStats;
pub(crate) use self::grouped::Needs;
pub use self::posting::{PostedEntry, Postings};

use self::gauge::Gauge;
use self::queue::Waiting;
use self::worker::{Running, Worker};
use super::Book;
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
pub struct Committer<B: Batch> {
    queue: mpsc::Sender<Waiting<B>>,
    shared: Arc<Shared>,
}

/// What the callers and the tasks of a committer both see.
struct Shared {
    gauge: Arc<Gauge>,
    closing: watch::Sender<bool>,
    running: watch::Sender<usize>,
}

impl<B: Batch> Clone for Committer<B> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            shared: self.shared.clone(),
        }
    }
}

impl<B: Batch> Committer<B> {
    /// Starts the tasks; called inside a Tokio runtime.
    pub fn start(book: Book, batch: B, limits: Limits) -> Self {
        let committers = limits.committers.max(1);
        let (queue, waiting) = mpsc::channel(limits.queue.max(1));
        let shared = Arc::new(Shared {
            gauge: Arc::default(),
            closing: watch::Sender::new(false),
            running: watch::Sender::new(committers),
        });
        let book = book.without_committers();
        let batch = Arc::new(batch);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..committers {
            let worker = Worker {
                book: book.clone(),
                batch: batch.clone(),
                queue: waiting.clone(),
                closing: shared.closing.subscribe(),
                gauge: shared.gauge.clone(),
                batch_max: limits.batch.max(1),
                _running: Running(shared.running.clone()),
            };
            tokio::spawn(worker.run());
        }
        Self { queue, shared }
    }

    /// Does an item and answers after the commit. A caller who stops waiting changes nothing about the
    /// others; the item itself is done whole or, when its turn had not come, not at all.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too much waits already; nothing was done then. Otherwise what the
    /// batch says of this item.
    pub async fn submit(&self, item: B::Item) -> Result<B::Done> {
        let (reply, done) = oneshot::channel();
        if self.queue.try_send(Waiting { item, reply }).is_err() {
            let retry_after = self.shared.gauge.time_for(self.depth());
            return Err(Error::Overloaded { retry_after });
        }
        match done.await {
            Ok(result) => result,
            Err(_) => Err(Error::Internal(
                "the committer ended before it answered".to_owned(),
            )),
        }
    }

    /// Items that wait for their turn.
    pub fn depth(&self) -> usize {
        self.queue
            .max_capacity()
            .saturating_sub(self.queue.capacity())
    }

    /// What has been done so far.
    pub fn stats(&self) -> CommitterStats {
        self.shared.gauge.stats(self.depth())
    }

    /// Takes nothing more, does everything that waits, and ends.
    pub async fn shut_down(&self) {
        self.shared.closing.send_replace(true);
        let mut running = self.shared.running.subscribe();
        // The sender is ours, so this ends by the count alone.
        let _ = running.wait_for(|running| *running == 0).await;
    }
}
