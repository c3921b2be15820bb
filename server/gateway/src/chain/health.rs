//! How the following of one chain goes, as far as this process knows.
//!
//! Invariant: it is for people and decides nothing; what counts is in the tables. An error stays
//! until the chain was followed to the node's tip again.

use std::sync::{Mutex, PoisonError};

use time::OffsetDateTime;

use super::backend::BlockRef;

/// What went wrong last, and since when nothing went right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The sentence of the newest failure; never holds a secret.
    pub error: String,
    /// Instance clock: of the first failure in a row.
    pub since: OffsetDateTime,
    /// Failures in a row.
    pub failures: u32,
}

/// A moment of a chain's follower.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Following {
    /// Of our best block; `None` before the first.
    pub height: Option<i64>,
    /// Of the node's best block when it was last asked; `None` before it ever answered.
    pub node_height: Option<i64>,
    /// Instance clock: when our tip was last the node's.
    pub at_tip: Option<OffsetDateTime>,
    pub trouble: Option<Trouble>,
    /// What will stop the follower unless somebody looks after it.
    pub warning: Option<String>,
}

impl Following {
    /// Blocks we do not have yet; `None` before the node ever answered.
    pub fn lag(&self) -> Option<i64> {
        let node = self.node_height?;
        Some((node - self.height.unwrap_or(-1)).max(0))
    }
}

/// Shared by the follower, which writes it, and the pages, which read it.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Following>);

impl Health {
    pub(super) fn now(&self) -> Following {
        self.lock().clone()
    }

    pub(super) fn saw(&self, ours: Option<i64>, theirs: &BlockRef) {
        let mut following = self.lock();
        following.height = ours;
        following.node_height = Some(theirs.height);
    }

    pub(super) fn warn(&self, warning: Option<String>) {
        self.lock().warning = warning;
    }

    pub(super) fn reached_tip(&self, tip: &BlockRef, now: OffsetDateTime) {
        let mut following = self.lock();
        following.height = Some(tip.height);
        following.node_height = Some(tip.height);
        following.at_tip = Some(now);
        following.trouble = None;
    }

    pub(super) fn failed(&self, error: String, now: OffsetDateTime) {
        let mut following = self.lock();
        let (since, failures) = following
            .trouble
            .as_ref()
            .map_or((now, 0), |before| (before.since, before.failures));
        following.trouble = Some(Trouble {
            error,
            since,
            failures: failures.saturating_add(1),
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Following> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
    }

    fn block(height: i64) -> BlockRef {
        BlockRef {
            hash: format!("hash {height}"),
            height,
            prev_hash: String::new(),
        }
    }

    #[test]
    fn trouble_counts_from_its_first_failure_and_ends_at_the_tip() {
        let health = Health::default();
        health.failed("away".to_owned(), at(10));
        health.failed("behind".to_owned(), at(20));
        let trouble = health.now().trouble.unwrap();
        assert_eq!((trouble.error.as_str(), trouble.failures), ("behind", 2));
        assert_eq!(trouble.since, at(10));
        health.saw(Some(4), &block(5));
        assert!(health.now().trouble.is_some());
        health.reached_tip(&block(5), at(30));
        let following = health.now();
        assert_eq!(following.trouble, None);
        assert_eq!(following.at_tip, Some(at(30)));
        assert_eq!(following.lag(), Some(0));
    }

    #[test]
    fn a_chain_without_blocks_lags_by_all_of_the_node_s() {
        let health = Health::default();
        assert_eq!(health.now().lag(), None);
        health.saw(None, &block(9));
        assert_eq!(health.now().lag(), Some(10));
        health.saw(Some(12), &block(9));
        assert_eq!(health.now().lag(), Some(0));
    }
}
