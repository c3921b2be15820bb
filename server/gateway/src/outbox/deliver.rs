//! Delivering for whoever waits for it: the hands of test mode. Workers run the pipeline.

use std::time::Duration as Wait;

use futures::future::join_all;

use super::{attempt, in_flight, record, store};
use crate::{Gateway, Result};

/// Attempts made at the same time.
const AT_ONCE: usize = 64;

/// Whether there was anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Idle,
    Worked,
}

/// Takes what is due and waits for those attempts; `Worked` as long as something was due.
///
/// # Errors
/// The database's, when nothing could be taken.
pub async fn deliver_due(gateway: &Gateway) -> Result<Outcome> {
    let now = gateway.clock().now();
    let claimed = in_flight::claim(gateway, AT_ONCE).await?;
    if !claimed.is_empty() {
        let attempts = claimed
            .into_iter()
            .map(|delivery| attempt::make(gateway, delivery));
        let made = join_all(attempts).await.into_iter().flatten().collect();
        record::record_all(gateway, made).await;
        return Ok(Outcome::Worked);
    }
    // Another worker may be at it: what is due must be over before the caller goes on.
    if store::count_due(gateway.pool(), now).await? == 0 {
        return Ok(Outcome::Idle);
    }
    tokio::time::sleep(Wait::from_millis(20)).await;
    Ok(Outcome::Worked)
}
