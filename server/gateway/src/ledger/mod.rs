//! The book: the only way money, business rows and outbox rows change.
//!
//! A caller hands over work that locks and changes its business rows and *stages* journal entries
//! and events. The book then locks the accounts in id order, applies the pure rule, writes
//! everything set-based in the same transaction and commits.
//!
//! Work of which much comes at once goes through a [`Committer`]: what waits while one transaction
//! commits is done together in the next. What is committed alone goes through a door ([`Room`]), unless the
//! instance does it by itself.
//!
//! Lock order, everywhere: business rows by id, then accounts by id, then unique keys. A cycle of
//! waits would have to be strictly increasing, so there is none.

mod accounts;
mod admission;
mod alone;
mod committer;
mod drawn;
mod posting_copy_store;
mod posting_store;
mod row_store;
mod rows;
mod staged;
pub(crate) mod store;
mod tally;
mod together;
mod unit;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use domain::ledger::{AccountId, AccountKey};
use domain::view::system::{AdmissionFigures, CommitFigures};
use futures::future::BoxFuture;
use rust_decimal::Decimal;
use sqlx::PgPool;
use tokio::sync::SemaphorePermit;

pub use admission::Room;
pub(crate) use alone::WORK_OF_A_BLOCK;
pub(crate) use committer::patience::{is_silence, within};
pub use committer::{Batch, Committer, CommitterStats, Limits, Patience, PostedEntry, Postings};
pub(crate) use committer::{Needs, PAYERS};
pub(crate) use rows::Row;
pub(crate) use staged::Log;
pub use unit::{DirectTarget, NewEvent, Unit, with_ids};

use self::accounts::Accounts;
use self::admission::Admission;
use self::committer::grouped::Grouped;
use self::tally::CommitTally;
use crate::Result;
use crate::clock::Clock;
use crate::error::out_of_room;
use crate::outbox::Fanout;

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
    /// Of the same; `None` for what the instance does by itself.
    admission: Option<Arc<Admission>>,
    postings: Arc<OnceLock<Committer<Postings>>>,
    grouped: Arc<OnceLock<Committer<Grouped>>>,
    decisions: Arc<OnceLock<Committer<Grouped>>>,
}

impl Book {
    pub(crate) fn new(pool: PgPool, side_pool: PgPool, clock: Clock, fanout: Fanout) -> Self {
        let room = Room::within(pool.options().get_max_connections());
        Self {
            pool,
            clock,
            accounts: Arc::new(Accounts::new(side_pool)),
            fanout,
            tally: Arc::default(),
            patience: Patience::default(),
            admission: Some(Arc::new(Admission::new(room))),
            postings: Arc::default(),
            grouped: Arc::default(),
            decisions: Arc::default(),
        }
    }

    /// Runs `work` and commits what it did, or nothing of it.
    ///
    /// # Errors
    /// What `work` returned; [`crate::Error::Ledger`] when an entry is refused (overdraft, overflow);
    /// [`crate::Error::AlreadyBooked`] when the fact of an entry is in the journal already. The error of a
    /// lost connection when the database falls silent before the commit, and the database's own when it has no
    /// room or gives a statement up: nothing was done then, and [`crate::Error::is_transient`] says so;
    /// [`crate::Error::Overloaded`] when too many units run and wait already, with nothing done;
    /// [`crate::Error::OutcomeUnknown`] when nobody answered the commit.
    pub async fn commit<T, F>(&self, work: F) -> Result<T>
    where
        T: Send,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send,
    {
        let entered = self.enter().await;
        let _inside = entered.inspect_err(|full| self.tally.note_error(full))?;
        // A wait at the door says how much is under way, not how long a commit takes.
        let begun = Instant::now();
        // A unit's future is large, and whoever commits one is often deep inside others.
        let done = Box::pin(self.run(work)).await;
        match &done {
            Ok(_) => self.tally.note_committed(begun.elapsed()),
            Err(error) => self.tally.note_error(error),
        }
        if let Err(crate::Error::Database(cause)) = &done
            && out_of_room(cause)
        {
            tracing::error!(%cause, "the database has no room for a unit");
        }
        done
    }

    /// The same book with another door; whoever has the book of before has that one's.
    #[must_use]
    pub fn with_room(&self, room: Room) -> Self {
        Self {
            admission: Some(Arc::new(Admission::new(room))),
            ..self.clone()
        }
    }

    /// The same book without a door, for what the instance does by itself: callers who fill it must not
    /// keep a chain from being followed. Its units are as many as there are workers.
    pub(crate) fn of_the_instance(&self) -> Self {
        Self {
            admission: None,
            ..self.clone()
        }
    }

    async fn enter(&self) -> Result<Option<SemaphorePermit<'_>>> {
        match &self.admission {
            Some(door) => door.enter().await.map(Some),
            None => Ok(None),
        }
    }

    /// Who is at the door of units that are committed alone.
    pub fn admission(&self) -> AdmissionFigures {
        self.admission
            .as_ref()
            .map(|door| door.figures())
            .unwrap_or_default()
    }

    /// What became of the units of this process.
    pub fn commits(&self) -> CommitFigures {
        self.tally.figures()
    }

    /// Id of an account, made when it does not exist yet. Not for wallets.
    pub async fn account_id(&self, key: AccountKey) -> Result<AccountId> {
        self.accounts.id(key, self.clock.now()).await
    }

    /// Plain journal entries, many of which are booked in one transaction with nothing else in it: the
    /// books alone, as the bench measures them. The tasks start with the first use.
    pub fn postings(&self) -> &Committer<Postings> {
        self.postings
            .get_or_init(|| Committer::start(self.clone(), Postings, Limits::default()))
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

    /// The same of units that change what exists.
    pub(crate) fn decisions_stats(&self) -> Option<CommitterStats> {
        self.decisions.get().map(Committer::stats)
    }

    /// Ends its committers, then what is committed alone, for what steps out of a group goes there; false
    /// when what they had taken could not be done within the limit.
    pub async fn end_within(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        let (grouped, decisions, postings) = tokio::join!(
            end(&self.grouped, limit),
            end(&self.decisions, limit),
            end(&self.postings, limit),
        );
        let alone = match &self.admission {
            Some(door) => door.end_within(limit.saturating_sub(begun.elapsed())).await,
            None => true,
        };
        grouped && decisions && postings && alone
    }

    /// A book without committers of its own, for the tasks of one: whoever owns a committer must not
    /// be owned by its tasks, or they would never end.
    fn without_committers(&self) -> Self {
        Self {
            postings: Arc::default(),
            grouped: Arc::default(),
            decisions: Arc::default(),
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
        let (events, ids) = unit.take_events();
        if !events.is_empty() {
            self.fanout.write(unit, events, ids).await?;
        }
        unit.send_notifications().await
    }
}

/// Ends a committer, if it runs.
async fn end<B: Batch>(committer: &OnceLock<Committer<B>>, limit: Duration) -> bool {
    match committer.get() {
        Some(committer) => committer.end_within(limit).await,
        None => true,
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
