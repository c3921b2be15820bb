use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

use super::Batch;
use super::aside::Aside;
use super::attempt::{Attempt, attempt, is_contention};
use super::gauge::Gauge;
use super::part::Part;
use super::patience::{Patience, within};
use super::queue::{Queue, Reply};
use super::tries::{LOST_TRIES_MAX, tries_of, wait_before};
use crate::ledger::Book;
use crate::{Error, Result};

/// How often a single item is tried again that lost against somebody else's locks.
const CONTENDED_TRIES_MAX: u32 = 5;

/// Items put aside at the same time; one more is turned away.
const ASIDE_MAX: usize = 1_000;

/// One task of a committer.
pub(super) struct Worker<B: Batch> {
    pub(super) book: Book,
    pub(super) batch: Arc<B>,
    pub(super) queue: Arc<Queue<B>>,
    pub(super) gauge: Arc<Gauge>,
    pub(super) batch_max: usize,
    pub(super) patience: Patience,
    pub(super) _running: Running<B>,
}

/// Counts a task until it ends, however it ends.
pub(super) struct Running<B: Batch> {
    pub(super) count: watch::Sender<usize>,
    pub(super) queue: Arc<Queue<B>>,
    pub(super) gauge: Arc<Gauge>,
}

impl<B: Batch> Drop for Running<B> {
    fn drop(&mut self) {
        // Whoever asks the tasks to end closes the queue before.
        if !self.queue.is_closed() {
            self.gauge.note_ended();
        }
        let mut is_last = false;
        self.count.send_modify(|running| {
            *running = running.saturating_sub(1);
            is_last = *running == 0;
        });
        if is_last {
            // Nobody would ever come to it. After an orderly end there is nothing.
            drop(self.queue.clear());
        }
    }
}

impl<B: Batch> Worker<B> {
    pub(super) async fn run(self) {
        let mut aside = Aside::new();
        let mut queue_first = false;
        while let Some(part) = self.next(&mut aside, queue_first).await {
            // By turns: each try of a contended item may wait for a lock.
            queue_first = part.contended > 0;
            self.settle(part, &mut aside).await;
        }
    }

    /// An item whose pause is over, or everything that waits, up to the limit; `None` at the end.
    async fn next(&self, aside: &mut Aside<B>, queue_first: bool) -> Option<Part<B>> {
        loop {
            // Before the look, or what comes in between would be missed.
            let changed = self.queue.changed();
            if !queue_first && let Some(part) = aside.due() {
                return Some(part);
            }
            let taken = self.queue.take(self.batch_max);
            let is_over = taken.is_none();
            if let Some(waiting) = taken.filter(|waiting| !waiting.is_empty()) {
                return Some(Part::of(waiting));
            }
            if let Some(part) = aside.due() {
                return Some(part);
            }
            match aside.next_due() {
                Some(due) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
                None if is_over => return None,
                None => changed.await,
            }
        }
    }

    /// Tries a part until everybody in it has an answer.
    async fn settle(&self, whole: Part<B>, aside: &mut Aside<B>) {
        // The last one is next, so that who came first is served first.
        let mut parts = vec![whole];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let started = Instant::now();
            let batch = self.batch.as_ref();
            match attempt(&self.book, batch, &part.items, self.patience).await {
                Attempt::Committed(results) => {
                    self.gauge.note_batch(part.len(), started.elapsed());
                    self.answer(part, results).await;
                }
                Attempt::Refused(error) => parts.extend(self.apart(part, error, aside).await),
                Attempt::Lost(error) => parts.extend(self.again(part, &error).await),
                Attempt::Overloaded => self.give_up(part),
                Attempt::Unknown(results) => parts.extend(self.resolve(part, results).await),
            }
        }
    }

    async fn answer(&self, part: Part<B>, results: Vec<Result<B::Done>>) {
        let unsure = part.unsure;
        for ((item, reply), result) in part.into_pairs().zip(results) {
            let result = match result {
                // Its first commit may have come through after all: then it is in its own way.
                Err(refusal) if unsure => match self.found_after_all(&item).await {
                    Some(done) => Ok(done),
                    // It may have waited for that commit until it was given up.
                    None if is_for_now(&refusal) => Err(outcome_unknown()),
                    None => Err(self.batch.in_doubt(&item, refusal)),
                },
                result => result,
            };
            self.reply(reply, result);
        }
    }

    fn reply(&self, reply: Reply<B::Done>, result: Result<B::Done>) {
        // What steps out is answered elsewhere.
        if !matches!(result, Ok(_) | Err(Error::StepsOut)) {
            self.gauge.note_refused();
        }
        // Whoever does not wait any more need not know.
        let _ = reply.send(result);
    }

    /// A part with something in it that cannot be done: in two, so that it comes to stand alone. An item
    /// alone that somebody else's locks are in the way of is put aside for a while.
    async fn apart(&self, mut part: Part<B>, error: Error, aside: &mut Aside<B>) -> Vec<Part<B>> {
        if part.len() > 1 {
            tracing::debug!(%error, items = part.len(), "a batch is taken apart");
            let (first, second) = part.halves();
            return vec![second, first];
        }
        let refusal = if is_contention(&error) {
            tracing::warn!(%error, "an item lost against other locks");
            if part.contended < CONTENDED_TRIES_MAX && aside.len() < ASIDE_MAX {
                part.contended += 1;
                let pause = wait_before(part.contended);
                aside.put(part, pause);
                return Vec::new();
            }
            if part.unsure {
                // The lock may be that of its own commit, which nobody answered.
                outcome_unknown()
            } else {
                Error::overloaded()
            }
        } else {
            error
        };
        self.answer(part, vec![Err(refusal)]).await;
        Vec::new()
    }

    /// The connection went away before the commit, so nothing happened.
    async fn again(&self, mut part: Part<B>, error: &Error) -> Option<Part<B>> {
        tracing::warn!(%error, items = part.len(), "a batch lost its connection");
        part.lost += tries_of(error);
        if part.lost > LOST_TRIES_MAX || self.book.pool().is_closed() {
            self.give_up(part);
            return None;
        }
        sleep(wait_before(part.lost)).await;
        Some(part)
    }

    fn give_up(&self, part: Part<B>) {
        let why = if part.unsure {
            outcome_unknown
        } else {
            Error::overloaded
        };
        for _ in 0..part.len() {
            self.gauge.note_refused();
        }
        part.refuse(why);
    }

    /// Nobody answered the commit: asks what is durable. The rest is tried again under the same names.
    async fn resolve(&self, mut part: Part<B>, results: Vec<Result<B::Done>>) -> Option<Part<B>> {
        part.unsure = true;
        part.lost += 1;
        let Some(found) = self.find(&part.items).await else {
            self.give_up(part);
            return None;
        };
        // A transaction is durable as a whole.
        let durable = found.iter().any(Option::is_some);
        // What was refused may be found from before.
        let is_this_one = results
            .iter()
            .zip(&found)
            .any(|(result, found)| result.is_ok() && found.is_some());
        let mut rest = part.like();
        for (((item, reply), result), found) in part.into_pairs().zip(results).zip(found) {
            match (result, found) {
                (Ok(done), Some(_)) | (Err(_), Some(done)) => self.reply(reply, Ok(done)),
                (Ok(done), None) if is_this_one => self.reply(reply, Ok(done)),
                (Err(refusal), None) if durable => self.reply(reply, Err(refusal)),
                (_, None) => rest.push(item, reply),
            }
        }
        if rest.lost > LOST_TRIES_MAX {
            self.give_up(rest);
            return None;
        }
        Some(rest)
    }

    async fn found_after_all(&self, item: &B::Item) -> Option<B::Done> {
        let found = self.find(std::slice::from_ref(item)).await?;
        found.into_iter().next().flatten()
    }

    /// What is durable of these items; asks until the database answers, within bounds.
    async fn find(&self, items: &[B::Item]) -> Option<Vec<Option<B::Done>>> {
        let mut tries = 0;
        while tries < LOST_TRIES_MAX {
            // As in an attempt, a batch that panics must not take the committer of everybody with it.
            let looking = async { self.batch.find(&self.book, items).await };
            let looking = AssertUnwindSafe(looking).catch_unwind();
            let finding = async {
                looking
                    .await
                    .unwrap_or_else(|_| Err(Error::Internal("a batch panicked".to_owned())))
            };
            match within(self.patience.find, finding).await {
                Ok(found) if found.len() == items.len() => return Some(found),
                Ok(_) => {
                    tracing::error!("a batch did not say of each item whether it is durable");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "what is durable cannot be read yet");
                    tries += tries_of(&error);
                }
            }
            if self.book.pool().is_closed() {
                return None;
            }
            sleep(wait_before(tries)).await;
        }
        None
    }
}

/// The database could not do it now, and says nothing about what was asked for.
fn is_for_now(refusal: &Error) -> bool {
    matches!(refusal, Error::Database(_)) && refusal.is_transient()
}

/// The caller has to ask again, under the same key: it may have happened.
pub(super) fn outcome_unknown() -> Error {
    Error::OutcomeUnknown
}
