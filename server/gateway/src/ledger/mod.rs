//! The book: the only way money, business rows and outbox rows change.
//!
//! A caller hands over work that locks and changes its business rows and *stages* journal entries
//! and events. The book then locks the accounts in id order, applies the pure rule, writes
//! everything set-based in the same transaction and commits.
//!
//! Work of which much comes at once goes through a [`Committer`]: what waits while one transaction
//! commits is done together in the next.
//!
//! Lock order, everywhere: business rows by id, then accounts by id, then unique keys. A cycle of
//! waits would have to be strictly increasing, so there is none.

mod accounts;
mod alone;
mod committer;
mod drawn;
mod posting_store;
mod staged;
pub(crate) mod store;
mod tally;
mod unit;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use domain::ledger::{AccountId, AccountKey};
use domain::view::system::CommitFigures;
use futures::future::BoxFuture;
use rust_decimal::Decimal;
use sqlx::PgPool;

pub(crate) use alone::WORK_OF_A_BLOCK;
pub(crate) use committer::Needs;
pub(crate) use committer::patience::{is_silence, within};
pub use committer::{Batch, Committer, CommitterStats, Limits, Patience, PostedEntry, Postings};
pub use unit::{DirectTarget, NewEvent, Unit, with_ids};

use self::accounts::Accounts;
use self::committer::grouped::{self, Grouped, Piece};
use self::tally::CommitTally;
use crate::clock::Clock;
use crate::outbox::Fanout;
use crate::{Error, Result};

/// Units as the database driver carries them.
pub fn decimal(units: i128) -> Decimal {
    // Stored amounts are below 10^28, well inside a Decimal's 96 bits.
    Decimal::try_from_i128_with_scale(units, 0).unwrap_or_default()
}

/// Units read back from the database.
pub fn units(stored: Decimal) -> i128 {
    let whole = stored.trunc();
    whole.mantissa() / 10i128.pow(whole.scale())
}

/// Commits units of work. Cheap to clone.
#[derive(Clone)]
pub struct Book {
    pool: PgPool,
    clock: Clock,
    accounts: Arc<Accounts>,
    fanout: Fanout,
    tally: Arc<CommitTally>,
    /// Of units that are committed alone.
    patience: Patience,
    postings: Arc<OnceLock<Committer<Postings>>>,
    grouped: Arc<OnceLock<Committer<Grouped>>>,
}

impl Book {
    pub(crate) fn new(pool: PgPool, side_pool: PgPool, clock: Clock, fanout: Fanout) -> Self {
        Self {
            pool,
            clock,
            accounts: Arc::new(Accounts::new(side_pool)),
            fanout,
            tally: Arc::default(),
            patience: Patience::default(),
            postings: Arc::default(),
            grouped: Arc::default(),
        }
    }

    /// Runs `work` and commits what it did, or nothing of it.
    ///
    /// # Errors
    /// What `work` returned; [`crate::Error::Ledger`] when an entry is refused (overdraft, overflow);
    /// [`crate::Error::AlreadyBooked`] when the fact of an entry is in the journal already. The error of a
    /// lost connection when the database falls silent before the commit, and nothing was done then;
    /// [`crate::Error::OutcomeUnknown`] when nobody answered the commit.
    pub async fn commit<T, F>(&self, work: F) -> Result<T>
    where
        T: Send,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send,
    {
        let begun = Instant::now();
        let done = self.run(work).await;
        self.tally.note(begun.elapsed(), done.as_ref().err());
        done
    }

    /// Commits `work` in one transaction with whatever else waits, or alone when nothing does. It may
    /// run more than once, and locks nothing but what it `needs` and rows it makes itself.
    ///
    /// # Errors
    /// Those of [`Self::commit`]; [`Error::Overloaded`] when too much waits already, and nothing was
    /// done then.
    pub(crate) async fn commit_grouped<T, F>(&self, needs: Needs, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send + Sync + 'static,
    {
        let begun = Instant::now();
        let piece = Piece::new(needs, work);
        let done = self.grouped().submit(piece).await.and_then(|value| {
            value.downcast::<T>().map(|value| *value).map_err(|_| {
                Error::Internal("a piece of work gave the answer of another one".to_owned())
            })
        });
        if let Err(error) = &done {
            self.tally.note(begun.elapsed(), Some(error));
        }
        done
    }

    fn grouped(&self) -> &Committer<Grouped> {
        self.grouped
            .get_or_init(|| Committer::start(self.clone(), Grouped, grouped::LIMITS))
    }

    /// What became of the units of this process.
    pub fn commits(&self) -> CommitFigures {
        self.tally.figures()
    }

    /// Id of an account, made when it does not exist yet. Not for wallets.
    pub async fn account_id(&self, key: AccountKey) -> Result<AccountId> {
        self.accounts.id(key, self.clock.now()).await
    }

    /// Plain journal entries, many of which are booked in one transaction. The tasks start with the
    /// first use.
    pub fn postings(&self) -> &Committer<Postings> {
        self.postings
            .get_or_init(|| { let e = |n: &str, d: usize| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d); Committer::start(self.clone(), Postings, Limits { queue: 10_000, batch: e("EXP_B", 1000), committers: e("EXP_K", 1) }) })
    }

    /// The database the books are in.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Figures of the committer of plain entries, once it runs.
    pub(crate) fn postings_stats(&self) -> Option<CommitterStats> {
        self.postings.get().map(Committer::stats)
    }

    /// The same of grouped units of work.
    pub(crate) fn grouped_stats(&self) -> Option<CommitterStats> {
        self.grouped.get().map(Committer::stats)
    }

    /// Ends its committers; false when what they had taken could not be done within the limit.
    pub(crate) async fn end_within(&self, limit: Duration) -> bool {
        let grouped = async {
            match self.grouped.get() {
                Some(committer) => committer.end_within(limit).await,
                None => true,
            }
        };
        let postings = async {
            match self.postings.get() {
                Some(committer) => committer.end_within(limit).await,
                None => true,
            }
        };
        let (grouped, postings) = tokio::join!(grouped, postings);
        grouped && postings
    }

    /// A book without committers of its own, for the tasks of one: whoever owns a committer must not
    /// be owned by its tasks, or they would never end.
    fn without_committers(&self) -> Self {
        Self {
            postings: Arc::default(),
            grouped: Arc::default(),
            ..self.clone()
        }
    }

    async fn begin(&self) -> Result<Unit> {
        let tx = self.pool.begin().await?;
        Ok(Unit::new(tx, self.accounts.clone(), self.clock.now()))
    }

    /// Writes what the unit has staged. The last thing before its commit.
    async fn flush(&self, unit: &mut Unit) -> Result<()> {
        unit.write_entries().await?;
        let events = unit.take_events();
        if !events.is_empty() {
            self.fanout.write(unit, events).await?;
        }
        unit.send_notifications().await
    }
}

/// Waited for: a transaction that is only dropped rolls back some time later, and who tries again at
/// once would meet the locks of the try before. If it cannot be said, the connection is gone and
/// Postgres rolls back by itself.
async fn roll_back(unit: Unit) {
    if let Err(lost) = unit.into_transaction().rollback().await {
        tracing::debug!(%lost, "a refused unit could not be rolled back by word");
    }
}

impl crate::Gateway {
    /// Plain journal entries, committed in batches.
    pub fn postings(&self) -> &Committer<Postings> {
        self.book().postings()
    }

    /// What an account stands for.
    pub(crate) async fn account_kind(&self, id: AccountId) -> Result<domain::ledger::AccountKind> {
        store::account_kind(self.pool(), id).await
    }
}
