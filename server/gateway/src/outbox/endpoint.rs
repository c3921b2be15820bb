//! Managed endpoints that do not take what is sent to them (`50-webhooks.md`).
//!
//! Invariant: none is switched off without its merchant being told, in the same transaction.

use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};

use super::endpoint_store::{self, SwitchedOff};
use crate::Result;
use crate::mail::tell_merchant;

/// How long an endpoint may do nothing but fail.
const FAILING_MAX: Duration = Duration::days(5);

/// Notes how an attempt ended, in its transaction.
pub(super) async fn note_attempt(
    conn: &mut PgConnection,
    endpoint_id: i64,
    delivered: bool,
    at: OffsetDateTime,
) -> Result<()> {
    endpoint_store::set_failing(conn, endpoint_id, delivered, at).await?;
    if delivered {
        return Ok(());
    }
    let off = endpoint_store::switch_off_failing(conn, endpoint_id, at - FAILING_MAX).await?;
    if let Some(off) = off {
        tell(conn, &off, at, "Nothing sent there arrived for five days.").await?;
    }
    Ok(())
}

/// 410: the receiver does not want this any more.
pub(super) async fn give_up(pool: &PgPool, endpoint_id: i64, at: OffsetDateTime) -> Result<()> {
    let mut tx = pool.begin().await?;
    let off = endpoint_store::switch_off(&mut tx, endpoint_id).await?;
    if let Some(off) = off {
        tell(
            &mut tx,
            &off,
            at,
            "It answered 410: it does not want them any more.",
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn tell(
    conn: &mut PgConnection,
    off: &SwitchedOff,
    at: OffsetDateTime,
    why: &str,
) -> Result<()> {
    let text = format!(
        "No more webhooks are sent to\n{}\n\n{why}\n\n\
         What it missed is in the delivery log of your dashboard and can be sent again from there.",
        off.url
    );
    let subject = "A webhook endpoint was switched off";
    tell_merchant(conn, at, off.merchant_id, subject, &text).await
}
