//! What is old and over leaves the delivery log.
//!
//! Invariant: a batch is a transaction of its own. Its locks are few, and what is gone stays so when a later one fails.

use time::Duration;

use super::forgetting_store as store;
use crate::{Gateway, Result};

/// How long the delivery log is kept (`50-webhooks.md`).
const LOG_KEPT: Duration = Duration::days(30);

/// Deliveries that are looked at in one transaction.
const BATCH: i64 = 1_000;

impl Gateway {
    /// Forgets deliveries that are older than the log is kept and wait for nothing; returns how many.
    ///
    /// # Errors
    /// The database's; batches before it are done.
    pub async fn forget_old_deliveries(&self) -> Result<u64> {
        forget_until(self, || false).await
    }
}

/// The same, as long as it is not to stop: that is asked after each batch.
pub(crate) async fn forget_until(gateway: &Gateway, stops: impl Fn() -> bool) -> Result<u64> {
    let oldest = gateway.clock().now() - LOG_KEPT;
    let mut forgotten = 0;
    let mut after = i64::MIN;
    loop {
        let done = store::forget(gateway.pool(), oldest, after, BATCH).await?;
        forgotten += done.forgotten;
        match done.last {
            Some(last) if !stops() => after = last,
            _ => return Ok(forgotten),
        }
    }
}
