//! Bytes on their way to the network, and people who end what they pay: never at once.
//!
//! Whoever sends holds this from the last look at whether it may be sent until the network has
//! answered; whoever ends takes it first. It is an advisory lock, held by a transaction of its own as the
//! follower's is, so no row is locked during an outside call.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::{Error, Result};

const IS_SENT: Error = Error::Conflict("it is being sent at this very moment; look again");

/// What is sent: the bytes of a payout, or those of one withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Payout(i64),
    Withdrawal(i64),
}

impl Sending {
    /// Of a withdrawal, which may ride in a payout.
    pub(crate) fn of(operation_id: i64, payout_id: Option<i64>) -> Self {
        payout_id.map_or(Self::Withdrawal(operation_id), Self::Payout)
    }

    fn key(self) -> String {
        match self {
            Self::Payout(id) => format!("sending payout {id}"),
            Self::Withdrawal(id) => format!("sending withdrawal {id}"),
        }
    }
}

/// Waits until nobody else sends or ends it; ending the transaction lets go.
pub(crate) async fn hold(pool: &PgPool, what: Sending) -> Result<Transaction<'static, Postgres>> {
    let mut tx = pool.begin().await?;
    // It idles for as long as the network takes to answer.
    sqlx::query(
        "SELECT set_config('idle_in_transaction_session_timeout', '0', true),
                pg_advisory_xact_lock(hashtextextended($1, 0))",
    )
    .bind(what.key())
    .execute(&mut *tx)
    .await?;
    Ok(tx)
}

/// Keeps it from being sent until the caller's transaction ends; take it before anything is read that it decides
/// by. It is never waited for, so it may be taken behind rows and accounts.
///
/// # Errors
/// [`Error::Conflict`] while somebody sends it.
pub(crate) async fn keep_from(conn: &mut PgConnection, what: Sending) -> Result<()> {
    let taken: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(what.key())
            .fetch_one(conn)
            .await?;
    if taken { Ok(()) } else { Err(IS_SENT) }
}
