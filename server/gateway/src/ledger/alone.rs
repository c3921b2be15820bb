//! One unit in a transaction of its own.
//!
//! Invariant: no step of it waits for ever, and what may be durable is never called a failure.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::committer::attempt::is_answer;
use super::committer::patience::{Patience, is_silence, within};
use super::committer::tries::{LOST_TRIES_MAX, wait_before};
use super::{Book, Unit, roll_back, store};
use crate::{Error, Result};

/// What a block brings is done in one unit, however much that is.
pub(crate) const WORK_OF_A_BLOCK: Duration = Duration::from_secs(600);

/// Most times that is doubled: ten hours.
const DOUBLINGS_MAX: u32 = 6;

impl Book {
    /// The same book with other limits of time for [`Self::commit`]; its committers keep theirs.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// How long each step of a unit may take, for those who do some of them beside a unit.
    pub(crate) const fn patience(&self) -> Patience {
        self.patience
    }

    /// For units of which nobody knows beforehand how much they have to do: `cuts` tries before this one
    /// took longer than they might.
    pub(crate) fn for_blocks(&self, cuts: u32) -> Self {
        self.with_patience(Patience {
            work: work_of_a_block(cuts),
            ..self.patience
        })
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send,
        F: for<'u> FnOnce(&'u mut Unit) -> BoxFuture<'u, Result<T>> + Send,
    {
        let mut unit = within(self.patience.begin, self.begin()).await?;
        let worked: Result<T> = within(self.patience.work, async {
            let value = work(&mut unit).await?;
            self.flush(&mut unit).await?;
            Ok(value)
        })
        .await;
        let value = match worked {
            Ok(value) => value,
            Err(error) => {
                // One that has fallen silent is left to the pool. Nobody told it to commit.
                let is_silent = is_silence(&error);
                if !is_silent
                    && timeout(self.patience.commit, roll_back(unit))
                        .await
                        .is_err()
                {
                    tracing::warn!("a rollback was not answered");
                }
                return Err(error);
            }
        };
        let entry = unit.last_written();
        match within(self.patience.commit, unit.into_transaction().commit()).await {
            Ok(()) => Ok(value),
            Err(error) if is_answer(&error) => Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "a commit was not answered");
                if self.is_booked(entry).await {
                    Ok(value)
                } else {
                    Err(Error::OutcomeUnknown)
                }
            }
        }
    }

    /// Whether a unit is durable, by an entry of it. False says nothing: it may have none, or be on its way
    /// still, or nobody could say within the patience.
    async fn is_booked(&self, entry: Option<Uuid>) -> bool {
        let Some(entry) = entry else { return false };
        let looked_up = within(self.patience.find, self.look_for(entry)).await;
        looked_up.unwrap_or_else(|error| {
            tracing::warn!(%error, "nobody can say whether a unit is durable");
            false
        })
    }

    /// Whether an entry is durable. Asks until the database answers: what took the answer to the commit away
    /// may be a crash, after which Postgres says nothing for a while.
    async fn look_for(&self, entry: Uuid) -> Result<bool> {
        let mut tries = 0;
        loop {
            let error = match store::booked(&self.pool, &[entry]).await {
                Ok(found) => return Ok(found.contains(&entry)),
                Err(error) => error,
            };
            tries += 1;
            if tries == LOST_TRIES_MAX || self.pool.is_closed() {
                return Err(error);
            }
            tracing::warn!(%error, "what is durable cannot be read yet");
            sleep(wait_before(tries)).await;
        }
    }
}

/// Twice as long after each try that was cut: whoever fills a block with payments of dust must not stop a
/// chain for ever.
fn work_of_a_block(cuts: u32) -> Duration {
    WORK_OF_A_BLOCK.saturating_mul(1 << cuts.min(DOUBLINGS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_was_cut_gets_more_time_within_bounds() {
        let seconds = |cuts| work_of_a_block(cuts).as_secs();
        assert_eq!([0, 1, 2].map(seconds), [600, 1_200, 2_400]);
        assert_eq!(seconds(6), 38_400);
        assert_eq!(seconds(u32::MAX), 38_400);
    }
}
