use std::any::Any;
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::ledger::AccountKey;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::attempt::is_contention;
use super::worker::outcome_unknown;
use super::{Batch, Limits};
use crate::error::connection_lost;
use crate::ledger::rows::Row;
use crate::ledger::{Book, Unit, store};
use crate::{Error, Result};

/// Of work that locks nothing that exists but its merchants.
///
/// Each piece of work is a subtransaction, and Postgres keeps 64 of those at hand; with more, every
/// reader has to look them up. One task: all of them want the same house accounts.
pub(in crate::ledger) const LIMITS: Limits = Limits {
    queue: 5_000,
    batch: 50,
    committers: 1,
};

/// Of work that changes rows which exist.
///
/// Several tasks: none of them waits for such a row, but each does for merchants and accounts, and which
/// those are differs from decision to decision. Three connections are what a group may hold of a pool
/// without anybody noticing. Twenty in a group, for a group holds the rows of all its items until its
/// commit, and a follower may want any of them. The queue is what three tasks do in some tens of seconds;
/// people and shops decide less often than they exchange.
pub(in crate::ledger) const DECISIONS: Limits = Limits {
    queue: 2_000,
    batch: 20,
    committers: 3,
};

/// Of those who pay, and are no merchant: their lane.
pub(crate) const PAYERS: i64 = -1;

/// What a piece of work locks. It may lock nothing else but rows it makes itself: whatever others
/// make or lock without the lock of its merchant, a group would come to in no order.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    /// Whose turn it is: a merchant, or [`PAYERS`], or the house.
    pub(crate) owner: i64,
    /// Whose references, quotes and limits it reads.
    pub(crate) merchants: Vec<i64>,
    /// Rows that exist already.
    pub(crate) rows: Vec<Row>,
    /// Accounts it is likely to book on. One that does not exist is left out, one that is missing here
    /// costs a round trip.
    pub(crate) accounts: Vec<AccountKey>,
}

/// What a piece of work answers.
pub(in crate::ledger) type Value = Box<dyn Any + Send>;

type Work = dyn for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<Value>> + Send + Sync;

/// A unit of work that is done together with others.
#[derive(Clone)]
pub(crate) struct Piece {
    needs: Arc<Needs>,
    work: Arc<Work>,
    /// What it left when it was tried last; that is how it is looked for. One that leaves nothing moves no
    /// money and changes no status, and is done again instead.
    trace: Arc<Mutex<Option<Trace>>>,
    /// It was done once without one, in a transaction that may have come through.
    leaves_no_trace: Arc<AtomicBool>,
}

/// A row that is durable when a piece of work is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trace {
    /// The last one it booked.
    Entry(Uuid),
    /// The last one it told, when it booked nothing.
    Event(String),
}

impl Piece {
    /// `work` runs again when its transaction comes to nothing.
    pub(in crate::ledger) fn new<T, F>(needs: Needs, work: F) -> Self
    where
        T: Send + 'static,
        F: for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send + Sync + 'static,
    {
        let work = for_every_unit(move |unit| {
            let working = work(unit);
            Box::pin(async move { working.await.map(|done| Box::new(done) as Value) })
        });
        Self {
            needs: Arc::new(needs),
            work: Arc::new(work),
            trace: Arc::default(),
            leaves_no_trace: Arc::default(),
        }
    }

    /// Whether all its rows are locked.
    fn is_ready(&self, unit: &Unit) -> Result<()> {
        let mut rows = self.needs.rows.iter();
        rows.try_for_each(|row| unit.require(*row))
    }

    fn note(&self, trace: Option<Trace>) {
        *self.trace.lock().unwrap_or_else(PoisonError::into_inner) = trace;
    }

    fn trace(&self) -> Option<Trace> {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn run(&self, unit: &mut Unit) -> Result<Value> {
        self.is_ready(unit)?;
        let told_before = unit.events_staged();
        let value = (self.work)(unit).await?;
        let trace = match unit.last_staged() {
            Some(entry) => Some(Trace::Entry(entry)),
            None => unit.name_events(told_before)?.map(Trace::Event),
        };
        if trace.is_none() {
            self.leaves_no_trace.store(true, Ordering::Relaxed);
        }
        self.note(trace);
        Ok(value)
    }
}

/// Tells the compiler that a closure takes a unit of any lifetime.
fn for_every_unit<F>(work: F) -> F
where
    F: for<'u> Fn(&'u mut Unit) -> BoxFuture<'u, Result<Value>> + Send + Sync + 'static,
{
    work
}

/// Units of work of any kind, one after the other in one transaction: merchants, then rows, then accounts
/// are locked for all of them together; each sees what those before it did, and is undone alone when it is
/// refused.
///
/// A row that somebody else has is left to him: the piece that needs it steps out of its group before it
/// does anything, and is done alone, so a group waits for no row.
///
/// No circle of waits: after the accounts a group takes only rows of its own and unique keys that
/// nobody takes without the lock of their merchant, or of a row that it has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grouped;

impl Batch for Grouped {
    type Item = Piece;
    type Done = Value;

    fn lane(&self, item: &Piece) -> Option<i64> {
        Some(item.needs.owner)
    }

    fn run<'u>(
        &'u self,
        unit: &'u mut Unit,
        items: &'u [Piece],
    ) -> BoxFuture<'u, Result<Vec<Result<Value>>>> {
        Box::pin(async move {
            for item in items {
                item.note(None);
            }
            unit.lock_merchants(&merchants_of(items)).await?;
            unit.reach_for(&rows_of(items)).await?;
            match items {
                // As any unit: what it staged is locked, judged and written at its end.
                [alone] => Ok(vec![Ok(alone.run(unit).await?)]),
                _ => run_each(unit, items).await,
            }
        })
    }

    /// A transaction that may still commit holds the locks of its merchants and rows: whoever has them
    /// knows that it has ended.
    fn find<'a>(
        &'a self,
        book: &'a Book,
        items: &'a [Piece],
    ) -> BoxFuture<'a, Result<Vec<Option<Value>>>> {
        Box::pin(async move {
            let mut unit = book.begin().await?;
            unit.lock_merchants(&merchants_of(items)).await?;
            unit.wait_for(&rows_of(items)).await?;
            let traces: Vec<Option<Trace>> = items.iter().map(Piece::trace).collect();
            let durable = durable(&mut unit, &traces).await?;
            unit.into_transaction().rollback().await?;
            // Only an item that was answered is ever looked for with a trace: its answer is kept by
            // whoever asks, and this one only says that it counts.
            Ok(durable
                .into_iter()
                .map(|is_durable| is_durable.then(|| Box::new(()) as Value))
                .collect())
        })
    }

    /// Done again, it may have been in its own way, and nothing tells.
    fn in_doubt(&self, item: &Piece, refusal: Error) -> Error {
        if item.leaves_no_trace.load(Ordering::Relaxed) {
            outcome_unknown()
        } else {
            refusal
        }
    }
}

/// Whether what these traces name is there, each.
async fn durable(unit: &mut Unit, traces: &[Option<Trace>]) -> Result<Vec<bool>> {
    let (mut entries, mut events) = (Vec::new(), Vec::new());
    for trace in traces.iter().flatten() {
        match trace {
            Trace::Entry(id) => entries.push(*id),
            Trace::Event(id) => events.push(id.clone()),
        }
    }
    let booked = store::booked(unit.conn(), &entries).await?;
    let told = if events.is_empty() {
        HashSet::new()
    } else {
        store::told(unit.conn(), &events).await?
    };
    let is_there = |trace: &Option<Trace>| match trace {
        Some(Trace::Entry(id)) => booked.contains(id),
        Some(Trace::Event(id)) => told.contains(id),
        None => false,
    };
    Ok(traces.iter().map(is_there).collect())
}

fn merchants_of(items: &[Piece]) -> BTreeSet<i64> {
    items
        .iter()
        .flat_map(|item| item.needs.merchants.iter().copied())
        .collect()
}

fn rows_of(items: &[Piece]) -> BTreeSet<Row> {
    items
        .iter()
        .flat_map(|item| item.needs.rows.iter().copied())
        .collect()
}

async fn run_each(unit: &mut Unit, items: &[Piece]) -> Result<Vec<Result<Value>>> {
    let accounts: Vec<AccountKey> = items
        .iter()
        .filter(|item| item.is_ready(unit).is_ok())
        .flat_map(|item| item.needs.accounts.iter().copied())
        .collect();
    unit.share(&accounts).await?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        if let Err(steps_out) = item.is_ready(unit) {
            results.push(Err(steps_out));
            continue;
        }
        let mark = unit.mark().await?;
        let result = match item.run(unit).await {
            Ok(value) => unit.book_staged().await.map(|()| value),
            Err(error) => Err(error),
        };
        match result {
            Ok(value) => results.push(Ok(value)),
            Err(error) if is_of_all(&error) => return Err(error),
            Err(error) => {
                item.note(None);
                unit.undo(mark).await?;
                results.push(Err(error));
            }
        }
    }
    Ok(results)
}

/// Whether the transaction cannot go on, or should not: its connection, somebody else's locks, an
/// account that comes too late for the order of locks, a mistake of ours.
fn is_of_all(error: &Error) -> bool {
    match error {
        Error::Internal(_) => true,
        Error::Database(cause) => connection_lost(cause) || is_contention(error),
        _ => false,
    }
}
