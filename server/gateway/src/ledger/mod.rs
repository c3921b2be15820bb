//! The book: the only way money, business rows and outbox rows change.
//!
//! A caller hands over work that locks and changes its business rows and *stages* journal entries
//! and events. The book then locks the accounts in id order, applies the pure rule, writes
//! everything set-based in the same transaction and commits. Because callers never see the
//! transaction's end, a batching committer can run several pieces of work in one transaction
//! without any of them changing.
//!
//! Lock order, everywhere: business rows by id, then accounts by id, then unique keys. A cycle of
//! waits would have to be strictly increasing, so there is none.

mod accounts;
pub(crate) mod store;
mod tally;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use domain::ledger::{AccountId, AccountKey, JournalEntry, Leg, apply};
use domain::view::system::{CommitFigures, CommitterFigures};
use futures::future::BoxFuture;
use rust_decimal::Decimal;
use sqlx::PgPool;

pub use unit::{DirectTarget, NewEvent, Unit, with_ids};

use self::accounts::Accounts;
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
}

impl Book {
    pub(crate) fn new(pool: PgPool, side_pool: PgPool, clock: Clock, fanout: Fanout) -> Self {
        Self {
            pool,
            clock,
            accounts: Arc::new(Accounts::new(side_pool)),
            fanout,
            tally: Arc::default(),
        }
    }

    /// Runs `work` and commits what it did, or nothing of it.
    ///
    /// # Errors
    /// What `work` returned; [`Error::Ledger`] when an entry is refused (overdraft, overflow);
    /// [`Error::AlreadyBooked`] when the fact of an entry is in the journal already.
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

    /// What became of the units of this process.
    pub fn commits(&self) -> CommitFigures {
        self.tally.figures()
    }

    /// What waits to be committed together; `None`, because every unit has a transaction of its own.
    /// The one place where a committer that batches tells of itself.
    pub fn committer(&self) -> Option<CommitterFigures> {
        None
    }

    async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send,
    {
        let tx = self.pool.begin().await?;
        let mut unit = Unit::new(tx, self.clock.now());
        let done = match work(&mut unit).await {
            Ok(value) => self.flush(&mut unit).await.map(|()| value),
            Err(error) => Err(error),
        };
        let tx = unit.into_transaction();
        match done {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // Waited for: a transaction that is only dropped rolls back some time later, and who
                // tries again at once would meet the locks of the try before. If it cannot be said,
                // the connection is gone and Postgres rolls back by itself.
                if let Err(lost) = tx.rollback().await {
                    tracing::debug!(%lost, "a refused unit could not be rolled back by word");
                }
                Err(error)
            }
        }
    }

    /// Id of an account, made when it does not exist yet. Not for wallets.
    pub async fn account_id(&self, key: AccountKey) -> Result<AccountId> {
        self.accounts.id(key, self.clock.now()).await
    }

    async fn flush(&self, unit: &mut Unit) -> Result<()> {
        let entries = unit.take_entries();
        if !entries.is_empty() {
            self.post(unit, entries).await?;
        }
        let events = unit.take_events();
        if !events.is_empty() {
            self.fanout.write(unit, events).await?;
        }
        unit.send_notifications().await
    }

    async fn post(&self, unit: &mut Unit, entries: Vec<JournalEntry>) -> Result<()> {
        let now = unit.now();
        let mut resolved = Vec::with_capacity(entries.len());
        for entry in entries {
            resolved.push(self.resolve(entry).await?);
        }
        let ids: BTreeSet<AccountId> = resolved
            .iter()
            .flat_map(|entry| &entry.legs)
            .flat_map(|leg| [leg.debit, leg.credit])
            .collect();
        let before = store::lock_accounts(unit.conn(), &ids).await?;
        let mut after = before.clone();
        let mut applied = Vec::with_capacity(resolved.len());
        for entry in &resolved {
            applied.push(apply(&mut after, entry)?);
        }
        store::insert_entries(unit.conn(), &resolved, now).await?;
        store::insert_postings(unit.conn(), &resolved, &applied, &after, now).await?;
        let changed: Vec<_> = before
            .values()
            .filter_map(|old| {
                after
                    .get(&old.id)
                    .filter(|new| *new != old)
                    .map(|new| (old, new))
            })
            .collect();
        store::update_accounts(unit.conn(), &changed).await
    }

    async fn resolve(&self, entry: JournalEntry) -> Result<JournalEntry<AccountId>> {
        let mut ids: BTreeMap<usize, (AccountId, AccountId)> = BTreeMap::new();
        for (position, leg) in entry.legs.iter().enumerate() {
            let debit = self.accounts.id(leg.debit, self.clock.now()).await?;
            let credit = self.accounts.id(leg.credit, self.clock.now()).await?;
            ids.insert(position, (debit, credit));
        }
        let legs = entry
            .legs
            .into_iter()
            .enumerate()
            .map(|(position, leg)| {
                let (debit, credit) = ids
                    .get(&position)
                    .copied()
                    .ok_or_else(|| Error::Internal("leg without accounts".to_owned()))?;
                Ok(Leg {
                    id: leg.id,
                    movement: leg.movement,
                    debit,
                    credit,
                    amount: leg.amount,
                    label: leg.label,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(JournalEntry {
            id: entry.id,
            merchant: entry.merchant,
            kind: entry.kind,
            subject: entry.subject,
            dedupe: entry.dedupe,
            legs,
        })
    }
}

impl crate::Gateway {
    /// What an account stands for.
    pub(crate) async fn account_kind(&self, id: AccountId) -> Result<domain::ledger::AccountKind> {
        store::account_kind(self.pool(), id).await
    }
}
