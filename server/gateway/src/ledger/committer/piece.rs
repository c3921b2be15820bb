use std::any::Any;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::ledger::AccountKey;
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::Result;
use crate::ledger::rows::Row;
use crate::ledger::staged::{Line, Log};
use crate::ledger::{Unit, store};

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
    pub(super) needs: Arc<Needs>,
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
    /// What it wrote to a log, when it told nothing either.
    Line(Line),
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
    pub(super) fn is_ready(&self, unit: &Unit) -> Result<()> {
        let mut rows = self.needs.rows.iter();
        rows.try_for_each(|row| unit.require(*row))
    }

    fn keep(&self, trace: Option<Trace>) {
        *self.trace.lock().unwrap_or_else(PoisonError::into_inner) = trace;
    }

    fn trace(&self) -> Option<Trace> {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets what it left: that was undone.
    pub(super) fn forget(&self) {
        self.keep(None);
    }

    /// Whether nothing tells that it was done, though it may have been.
    pub(super) fn leaves_no_trace(&self) -> bool {
        self.leaves_no_trace.load(Ordering::Relaxed)
    }

    /// Whether it came to its end when it was tried last, or ever did so without a trace.
    pub(super) fn was_done(&self) -> bool {
        self.trace().is_some() || self.leaves_no_trace()
    }

    pub(super) async fn run(&self, unit: &mut Unit) -> Result<Value> {
        self.is_ready(unit)?;
        let told_before = unit.events_staged();
        let value = (self.work)(unit).await?;
        let line = unit.take_line();
        let trace = match unit.last_staged() {
            Some(entry) => Some(Trace::Entry(entry)),
            None => {
                let event = unit.name_events(told_before)?;
                event.map(Trace::Event).or(line.map(Trace::Line))
            }
        };
        if trace.is_none() {
            self.leaves_no_trace.store(true, Ordering::Relaxed);
        }
        self.keep(trace);
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

/// Whether what these pieces left is there, each.
pub(super) async fn durable(unit: &mut Unit, pieces: &[Piece]) -> Result<Vec<bool>> {
    let traces: Vec<Option<Trace>> = pieces.iter().map(Piece::trace).collect();
    let (mut entries, mut events) = (Vec::new(), Vec::new());
    let (mut of_timelines, mut of_audits) = (Vec::new(), Vec::new());
    for trace in traces.iter().flatten() {
        match trace {
            Trace::Entry(id) => entries.push(*id),
            Trace::Event(id) => events.push(id.clone()),
            Trace::Line(line) => match line.log {
                Log::Timeline => of_timelines.push(line.id),
                Log::Audit => of_audits.push(line.id),
            },
        }
    }
    let booked = store::booked(unit.conn(), &entries).await?;
    let told = if events.is_empty() {
        HashSet::new()
    } else {
        store::told(unit.conn(), &events).await?
    };
    let written = store::lines(unit.conn(), Log::Timeline, &of_timelines).await?;
    let recorded = store::lines(unit.conn(), Log::Audit, &of_audits).await?;
    let is_there = |trace: &Option<Trace>| match trace {
        Some(Trace::Entry(id)) => booked.contains(id),
        Some(Trace::Event(id)) => told.contains(id),
        Some(Trace::Line(line)) => match line.log {
            Log::Timeline => written.contains(&(line.id, line.at)),
            Log::Audit => recorded.contains(&(line.id, line.at)),
        },
        None => false,
    };
    Ok(traces.iter().map(is_there).collect())
}
