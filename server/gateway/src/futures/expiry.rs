use time::OffsetDateTime;

use super::{FuturesState, store, void};
use crate::{Gateway, Result, roster};

/// Promises taken per unit of work.
const BATCH: i64 = 100;

/// Voids every promise whose window is over and that no deposit is bound to; answers how many.
pub(crate) async fn expire_due(gateway: &Gateway) -> Result<usize> {
    let mut total = 0;
    loop {
        let inner = gateway.clone();
        let done = gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let rows = store::lock_due(unit.conn(), inner.currencies(), now, BATCH).await?;
                    for row in &rows {
                        debug_assert_eq!(row.state, FuturesState::Open);
                        void(unit, row, "expired").await?;
                    }
                    Ok(rows.len())
                })
            })
            .await?;
        roster::note_step();
        total += done;
        if done == 0 {
            return Ok(total);
        }
    }
}

pub(crate) async fn any_due(gateway: &Gateway, now: OffsetDateTime) -> Result<bool> {
    store::any_due(gateway.pool(), now).await
}
