//! How the server itself is: what the operator's page of the system and the metrics say.
//!
//! Counters begin at zero with the process; what is read from the database is of the whole instance.
//! Nothing here names a merchant, a customer, a key or an amount.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How often something took how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// Shortest first, not added up; the last one has no upper end.
    pub buckets: Vec<Bucket>,
    /// Of all that were counted, microseconds.
    pub sum_micros: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The longest duration that counts here, microseconds; `None` = any.
    pub up_to_micros: Option<u64>,
    pub count: u64,
}

impl Durations {
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }

    /// Upper end of the bucket in which this share of all has ended, in thousandths; `None` when
    /// nothing was counted, or when that bucket has no end.
    pub fn within(&self, per_mille: u64) -> Option<u64> {
        let needed = self.count().checked_mul(per_mille)?.div_ceil(1_000);
        if needed == 0 {
            return None;
        }
        let mut seen = 0;
        let reached = self.buckets.iter().find(|bucket| {
            seen += bucket.count;
            seen >= needed
        });
        reached.and_then(|bucket| bucket.up_to_micros)
    }

    /// The same with another one added, bucket by bucket.
    pub fn plus(mut self, other: &Self) -> Self {
        if self.buckets.is_empty() {
            return other.clone();
        }
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            bucket.count += more.count;
        }
        self.sum_micros = self.sum_micros.saturating_add(other.sum_micros);
        self
    }
}

/// Units of work since the process began. Of those that share a transaction, what is done counts as one unit,
/// what is not as one each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitFigures {
    pub committed: u64,
    /// By a rule: nothing was changed.
    pub refused: u64,
    /// Too many waited already, or there was no connection in time; nothing was changed.
    pub overloaded: u64,
    /// The database or we were at fault, or nobody answered the commit.
    pub failed: u64,
    /// Of those that were committed.
    pub durations: Durations,
}

/// One committer that batches, and what waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitterFigures {
    /// What it commits, a word of a fixed list.
    pub name: &'static str,
    /// Units that wait.
    pub queued: u64,
    /// Transactions it has committed.
    pub batches: u64,
    /// Units in them; by `batches` it is the mean size of one.
    pub batched_units: u64,
    /// Units in the newest one.
    pub last_batch: u64,
    /// Units that it had taken and answered with an error. Who found its queue full is not among them.
    pub refused: u64,
    /// Its transactions, each from the begin to the end of the commit, summed, microseconds.
    pub commit_micros: u64,
}

/// Units that are committed alone, and their door.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AdmissionFigures {
    /// Before it.
    pub waiting: u64,
    /// Behind it.
    pub running: u64,
    /// So many may run.
    pub most: u64,
    pub admitted: u64,
    /// Turned away; nothing was done.
    pub refused: u64,
}

/// Connections of this process to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolFigures {
    pub in_use: u64,
    pub idle: u64,
    pub most: u64,
}

/// Attempts at deliveries that this process made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttemptFigures {
    pub delivered: u64,
    /// Failed, and tried again later.
    pub failed: u64,
    /// Failed for the last time.
    pub given_up: u64,
}

/// Deliveries that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxFigures {
    pub pending: u64,
    /// Of these, tried before.
    pub retrying: u64,
    /// Age of the oldest one that waits, seconds.
    pub oldest_seconds: u64,
    /// How long the one that is due longest has been due, seconds.
    pub lag_seconds: u64,
    /// Most attempts that one of them had.
    pub attempts_most: u64,
    /// Given up within the last 24 hours.
    pub given_up_today: u64,
}

/// Withdrawals in one state that is not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingWithdrawals {
    /// Stored word.
    pub state: &'static str,
    pub count: u64,
}

/// How one chain is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerFigures {
    /// Currency code.
    pub chain: &'static str,
    /// Stored word of its state, as the page of the chains has it.
    pub state: &'static str,
    /// Of our best block.
    pub height: Option<i64>,
    /// Blocks the node has and we have not.
    pub lag: Option<i64>,
    /// When our best block was last the node's, as this process saw it.
    pub at_tip: Option<OffsetDateTime>,
    /// Failures in a row.
    pub failures: u64,
}

/// Something that runs by itself in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerFigures {
    pub name: String,
    pub state: WorkerState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    Running,
    /// It is there, and has come to the end of no step for longer than any of its steps should take.
    Stuck,
    /// It is gone although nobody asked it to go.
    Ended,
}

impl WorkerState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stuck => "stuck",
            Self::Ended => "ended",
        }
    }
}

/// One question of an audit and what broke it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFound {
    /// What should be true.
    pub name: String,
    /// The first exceptions, each naming the row.
    pub violations: Vec<String>,
}

/// What an audit of the books found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFound {
    pub postings: i64,
    pub accounts: i64,
    pub checks: Vec<CheckFound>,
}

impl AuditFound {
    pub fn is_clean(&self) -> bool {
        self.violated() == 0
    }

    /// Checks that found an exception.
    pub fn violated(&self) -> usize {
        let broken = self
            .checks
            .iter()
            .filter(|check| !check.violations.is_empty());
        broken.count()
    }
}

/// The last audit of the books that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAudit {
    pub checked_at: OffsetDateTime,
    pub asked_by: String,
    pub took_ms: i64,
    pub found: AuditFound,
}

/// The last audit, and whether there is one right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFigures {
    /// Since when somebody audits.
    pub begun_at: Option<OffsetDateTime>,
    pub last: Option<LastAudit>,
}

/// What a process knows of itself: it can be told while the database is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFigures {
    pub commits: CommitFigures,
    /// Those that have been needed so far.
    pub committers: Vec<CommitterFigures>,
    pub admission: AdmissionFigures,
    pub pool: PoolFigures,
    pub attempts: AttemptFigures,
    pub workers: Vec<WorkerFigures>,
}

/// Everything but the requests, which only the edge sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemFigures {
    /// Instance clock.
    pub now: OffsetDateTime,
    pub commits: CommitFigures,
    /// Those that have been needed so far.
    pub committers: Vec<CommitterFigures>,
    pub admission: AdmissionFigures,
    pub pool: PoolFigures,
    pub attempts: AttemptFigures,
    pub outbox: OutboxFigures,
    pub withdrawals: Vec<WaitingWithdrawals>,
    pub followers: Vec<FollowerFigures>,
    pub workers: Vec<WorkerFigures>,
    pub audit: AuditFigures,
}

/// The requests this process has answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFigures {
    pub answered: u64,
    /// With a status from 500 on.
    pub failed: u64,
    /// Reason and number, for every reason there is.
    pub rejected: Vec<(&'static str, u64)>,
    pub durations: Durations,
}

/// The operator's page of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemView {
    /// When this process began, system clock.
    pub started_at: OffsetDateTime,
    pub figures: SystemFigures,
    pub requests: RequestFigures,
}

/// One figure of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureRow {
    pub figure: &'static str,
    /// What it is about; empty when there is one only.
    pub of: String,
    /// A whole number, a word or an instant.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(counts: [u64; 3]) -> Durations {
        let ends = [Some(1_000), Some(10_000), None];
        let buckets = ends.into_iter().zip(counts);
        Durations {
            buckets: buckets
                .map(|(up_to_micros, count)| Bucket {
                    up_to_micros,
                    count,
                })
                .collect(),
            sum_micros: 7,
        }
    }

    #[test]
    fn a_share_ends_in_the_first_bucket_that_reaches_it() {
        let most = durations([90, 9, 1]);
        assert_eq!(most.within(500), Some(1_000));
        assert_eq!(most.within(900), Some(1_000));
        assert_eq!(most.within(901), Some(10_000));
        assert_eq!(most.within(990), Some(10_000));
        assert_eq!(
            most.within(1_000),
            None,
            "longer than any bucket has an end"
        );
        assert_eq!(durations([0, 0, 0]).within(500), None);
        assert_eq!(Durations::default().within(500), None);
    }

    #[test]
    fn adding_keeps_the_buckets_apart() {
        let sum = Durations::default()
            .plus(&durations([1, 2, 3]))
            .plus(&durations([10, 20, 30]));
        assert_eq!((sum.count(), sum.sum_micros), (66, 14));
        assert_eq!(sum.within(100), Some(1_000));
    }

    #[test]
    fn one_exception_is_enough() {
        let check = |violations: &[&str]| CheckFound {
            name: "two and two make four".to_owned(),
            violations: violations.iter().map(|text| (*text).to_owned()).collect(),
        };
        let found = |checks| AuditFound {
            postings: 0,
            accounts: 0,
            checks,
        };
        assert!(found(vec![check(&[]), check(&[])]).is_clean());
        let broken = found(vec![check(&[]), check(&["account 1", "account 2"])]);
        assert!(!broken.is_clean());
        assert_eq!(broken.violated(), 1);
    }
}
