use time::OffsetDateTime;

use super::attempt_store::{After, Attempt, Made};
use super::pipeline::LEASE_SECONDS;
use super::{claim_store, record};
use crate::{Gateway, Result};

/// Claims up to `limit` deliveries that are due by `by`, as a worker does, and records an attempt of each
/// that went well, as a worker does, without making it: what the queue itself can do. Returns how many.
pub(crate) async fn drain_due(gateway: &Gateway, by: OffsetDateTime, limit: i64) -> Result<u64> {
    let claimed = claim_store::claim(gateway.pool(), by, LEASE_SECONDS, limit).await?;
    let at = gateway.clock().now();
    let mut made: Vec<Made> = claimed
        .into_iter()
        .map(|delivery| Made {
            delivery_id: delivery.id,
            claim_id: delivery.claim_id,
            endpoint_id: delivery.endpoint_id,
            is_gone: false,
            attempt: Attempt {
                at,
                status: Some(200),
                duration_ms: 0,
                error: None,
                response_head: String::new(),
            },
            after: After::Delivered,
        })
        .collect();
    made.sort_by_key(|each| each.delivery_id);
    let count = u64::try_from(made.len())?;
    if count > 0 {
        record::commit_patiently(gateway, &made).await?;
    }
    Ok(count)
}
