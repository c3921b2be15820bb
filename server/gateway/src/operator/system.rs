//! How the server is, for the operator's page of the system and for the metrics: one place that both
//! read, so that they never disagree.

use std::time::Duration;

use domain::view::system::{
    CommitterFigures, FollowerFigures, OutboxFigures, PoolFigures, ProcessFigures, SystemFigures,
    WaitingWithdrawals,
};
use domain::withdrawal::WithdrawalState;
use time::OffsetDateTime;

use super::system_store as store;
use crate::chain::ChainStatus;
use crate::ledger::CommitterStats;
use crate::{Error, Gateway, Result};

/// How long the database may take for all of it.
const LIMIT: Duration = Duration::from_secs(5);

/// States in which a withdrawal still waits for something.
const OPEN: [WithdrawalState; 4] = [
    WithdrawalState::Pending,
    WithdrawalState::Queued,
    WithdrawalState::Built,
    WithdrawalState::Broadcast,
];

impl Gateway {
    /// Every figure but those of requests.
    ///
    /// # Errors
    /// The database's; [`Error::Overloaded`] when it takes longer than five seconds.
    pub async fn system_figures(&self) -> Result<SystemFigures> {
        // Before this call needs a connection itself.
        let process = self.process_figures();
        let reading = self.read_figures(process);
        let read = tokio::time::timeout(LIMIT, reading).await;
        read.map_err(|_| Error::overloaded())?
    }

    /// What this process knows of itself; nobody is asked for it.
    pub fn process_figures(&self) -> ProcessFigures {
        ProcessFigures {
            commits: self.book().commits(),
            committer: together(&self.committers()),
            admission: self.admission(),
            pool: self.pool_figures(),
            attempts: self.attempts().figures(),
            workers: self.workers(),
        }
    }

    /// Connections of the main pool.
    fn pool_figures(&self) -> PoolFigures {
        let size = u64::from(self.pool().size());
        let idle = u64::try_from(self.pool().num_idle()).unwrap_or(size);
        PoolFigures {
            in_use: size.saturating_sub(idle),
            idle: idle.min(size),
            most: u64::from(self.settings().database_connections),
        }
    }

    async fn read_figures(&self, process: ProcessFigures) -> Result<SystemFigures> {
        let now = self.clock().now();
        let outbox = outbox(&store::outbox(self.pool(), now).await?, now);
        let counted = store::open_withdrawals(self.pool()).await?;
        let withdrawals = OPEN.map(|state| {
            let found = counted.iter().find(|(word, _)| word == state.word());
            WaitingWithdrawals {
                state: state.word(),
                count: found.map_or(0, |(_, count)| natural(*count)),
            }
        });
        let followers = self.chain_statuses().await?;
        Ok(SystemFigures {
            now,
            commits: process.commits,
            committer: process.committer,
            admission: process.admission,
            pool: process.pool,
            attempts: process.attempts,
            outbox,
            withdrawals: withdrawals.to_vec(),
            followers: followers.into_iter().map(follower).collect(),
            workers: process.workers,
            audit: self.last_audit().await?,
        })
    }
}

fn outbox(waiting: &store::Waiting, now: OffsetDateTime) -> OutboxFigures {
    let age = |since: Option<OffsetDateTime>| {
        since.map_or(0, |since| natural((now - since).whole_seconds()))
    };
    OutboxFigures {
        pending: natural(waiting.pending),
        retrying: natural(waiting.retrying),
        oldest_seconds: age(waiting.oldest),
        lag_seconds: age(waiting.due_since),
        attempts_most: natural(i64::from(waiting.attempts_most)),
        given_up_today: natural(waiting.given_up_today),
    }
}

fn follower(status: ChainStatus) -> FollowerFigures {
    let following = status.following;
    FollowerFigures {
        chain: status.code,
        state: status.state.words(),
        height: following.height,
        lag: following.lag(),
        at_tip: following.at_tip,
        failures: following
            .trouble
            .map_or(0, |trouble| u64::from(trouble.failures)),
    }
}

/// Counts and ages, which are never negative but for a clock that was set back.
fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The committers of this process as one; `None` while none has been needed.
fn together(committers: &[(&'static str, CommitterStats)]) -> Option<CommitterFigures> {
    if committers.is_empty() {
        return None;
    }
    let sum =
        |figure: fn(&CommitterStats) -> u64| committers.iter().map(|(_, one)| figure(one)).sum();
    Some(CommitterFigures {
        queued: sum(|one| wide(one.depth)),
        batches: sum(|one| one.batches),
        batched_units: sum(|one| one.items),
        last_batch: committers
            .iter()
            .max_by_key(|(_, one)| one.last_ended)
            .map_or(0, |(_, one)| wide(one.last_batch)),
    })
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Fails when it is the largest one: the full batch of a busy hour would be shown for ever.
    #[test]
    fn the_newest_batch_is_that_of_whoever_committed_last() {
        let now = Instant::now();
        let one = |last_batch, last_ended| CommitterStats {
            last_batch,
            last_ended,
            items: 1,
            ..CommitterStats::default()
        };
        let committers = [
            ("charges", one(200, Some(now))),
            ("grouped", one(3, Some(now + Duration::from_secs(60)))),
            ("postings", one(0, None)),
        ];
        let figures = together(&committers);
        let newest = figures.map(|figures| (figures.last_batch, figures.batched_units));
        assert_eq!(newest, Some((3, 3)));
    }
}
