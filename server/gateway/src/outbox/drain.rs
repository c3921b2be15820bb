use futures::future::try_join_all;
use time::OffsetDateTime;

use super::store::{self, After, Attempt};
use crate::{Gateway, Result};

/// Longer than noting a batch takes, seconds.
const LEASE_SECONDS: i32 = 60;

/// Claims up to `limit` deliveries that are due by `by`, as a worker does, and notes an attempt of each
/// that went well without making it: what the queue itself can do. Returns how many.
pub(crate) async fn drain_due(gateway: &Gateway, by: OffsetDateTime, limit: i64) -> Result<u64> {
    let claimed = store::claim(gateway.pool(), by, LEASE_SECONDS, limit).await?;
    let at = gateway.clock().now();
    try_join_all(claimed.iter().map(|delivery| {
        let attempt = Attempt {
            at,
            status: Some(200),
            duration_ms: 0,
            error: None,
            response_head: String::new(),
        };
        store::record_attempt(gateway.pool(), delivery, attempt, After::Delivered)
    }))
    .await?;
    Ok(u64::try_from(claimed.len())?)
}
