//! Delivering for whoever waits for it: the hands of test mode. Workers run the pipeline.

use std::time::Duration as Wait;

use futures::future::join_all;
use time::OffsetDateTime;

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

impl Outcome {
    pub(crate) fn of(has_worked: bool) -> Self {
        if has_worked { Self::Worked } else { Self::Idle }
    }
}

/// Takes what is due and waits for those attempts; `Worked` as long as something was due.
///
/// # Errors
/// The database's, when nothing could be taken.
pub async fn deliver_due(gateway: &Gateway) -> Result<Outcome> {
    let now = gateway.clock().now();
    if deliver_due_by(gateway, now).await? == Outcome::Worked {
        return Ok(Outcome::Worked);
    }
    // Another worker may be at it: what is due must be over before the caller goes on.
    if !any_due(gateway, now).await? {
        return Ok(Outcome::Idle);
    }
    tokio::time::sleep(Wait::from_millis(20)).await;
    Ok(Outcome::Worked)
}

/// Takes what is due at `by` and nobody else has, and waits for those attempts; `Worked` when there was any.
///
/// # Errors
/// The database's, when nothing could be taken.
pub(crate) async fn deliver_due_by(gateway: &Gateway, by: OffsetDateTime) -> Result<Outcome> {
    let claimed = in_flight::claim(gateway, by, AT_ONCE).await?;
    let has_any = !claimed.is_empty();
    let attempts = claimed
        .into_iter()
        .map(|delivery| attempt::make(gateway, delivery));
    let made = join_all(attempts).await.into_iter().flatten().collect();
    record::record_all(gateway, made).await;
    Ok(Outcome::of(has_any))
}

/// Whether some delivery that is due at `by` was not attempted yet, or is being attempted.
pub(crate) async fn any_due(gateway: &Gateway, by: OffsetDateTime) -> Result<bool> {
    store::any_due(gateway.pool(), by).await
}
