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
            committers: committers(&self.committers()),
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
            committers: process.committers,
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

fn committers(running: &[(&'static str, CommitterStats)]) -> Vec<CommitterFigures> {
    let figures = |&(name, stats): &(&'static str, CommitterStats)| CommitterFigures {
        name,
        queued: wide(stats.depth),
        batches: stats.batches,
        batched_units: stats.items,
        last_batch: wide(stats.last_batch),
        refused: stats.refused,
        commit_micros: stats.commit_micros_sum,
    };
    running.iter().map(figures).collect()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when they are added up: a queue that grows would hide behind one that shrinks.
    #[test]
    fn each_committer_has_figures_of_its_own() {
        let busy = CommitterStats {
            depth: 7,
            batches: 2,
            items: 300,
            last_batch: 200,
            commit_micros_sum: 42,
            refused: 1,
            ended: 0,
        };
        let running = [("charges", busy), ("grouped", CommitterStats::default())];
        let idle = CommitterFigures {
            name: "grouped",
            queued: 0,
            batches: 0,
            batched_units: 0,
            last_batch: 0,
            refused: 0,
            commit_micros: 0,
        };
        let expected = CommitterFigures {
            name: "charges",
            queued: 7,
            batches: 2,
            batched_units: 300,
            last_batch: 200,
            refused: 1,
            commit_micros: 42,
        };
        assert_eq!(committers(&running), [expected, idle]);
        assert!(committers(&[]).is_empty());
    }
}
