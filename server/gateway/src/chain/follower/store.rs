use domain::money::Currency;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::ledger::{Patience, within};
use crate::{Error, Result};

/// First key of the advisory locks of followers; the second is the coin's id.
const FOLLOWER_LOCKS: i32 = 7_001;
/// Postgres: a lock was not granted within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Waits until nobody else follows the chain, at most 30 s; ending the transaction lets go of it.
///
/// A transaction holds the lock, not a session: it ends when its connection goes back to the pool,
/// so a caller that is dropped halfway leaves no lock behind.
///
/// # Errors
/// [`Error::Overloaded`] when somebody else followed it all the time; that of a lost connection when the
/// database says nothing for as long as `patience` allows.
pub(super) async fn lock_chain(
    pool: &PgPool,
    coin: Currency,
    patience: Patience,
) -> Result<Transaction<'static, Postgres>> {
    let mut tx = within(patience.begin, pool.begin()).await?;
    within(patience.work, take_lock(&mut tx, coin)).await?;
    Ok(tx)
}

async fn take_lock(conn: &mut PgConnection, coin: Currency) -> Result<()> {
    // It idles for as long as the catching up takes, and holds back nothing but other followers.
    sqlx::query(
        "SELECT set_config('lock_timeout', '30s', true),
                set_config('idle_in_transaction_session_timeout', '0', true)",
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(FOLLOWER_LOCKS)
        .bind(i32::from(coin.id))
        .execute(conn)
        .await
        .map_err(|error| match &error {
            sqlx::Error::Database(refusal)
                if refusal.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
            {
                Error::overloaded()
            }
            _ => error.into(),
        })?;
    Ok(())
}

/// From here to its end the transaction takes plans that do not depend on how many rows a statement is given.
/// Made for hundreds at once, a plan would read whole tables, and be made anew for each part of a block.
pub(super) async fn plan_for_any_number(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
        .execute(conn)
        .await?;
    Ok(())
}

/// Waiting transactions lost to others: `(lost, spender)`.
pub(super) async fn mark_replaced(
    conn: &mut PgConnection,
    chain: &str,
    replaced: &[(String, String)],
) -> Result<()> {
    if replaced.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE chain_txs c SET status = 'replaced', replaced_by = t.spender
         FROM unnest($2::text[], $3::text[]) AS t (txid, spender)
         WHERE c.chain = $1 AND c.txid = t.txid AND c.status = 'mempool'",
    )
    .bind(chain)
    .bind(
        replaced
            .iter()
            .map(|(lost, _)| lost.as_str())
            .collect::<Vec<&str>>(),
    )
    .bind(
        replaced
            .iter()
            .map(|(_, spender)| spender.as_str())
            .collect::<Vec<&str>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Transactions lost to others in the block at `height`: `(lost, spender)`. Also those that were lost
/// to a waiting one before, or forgotten: from here on it is known how deep their end is.
pub(super) async fn mark_replaced_in(
    conn: &mut PgConnection,
    chain: &str,
    replaced: &[(String, String)],
    height: i64,
) -> Result<()> {
    if replaced.is_empty() {
        return Ok(());
    }
    let (lost, spenders): (Vec<&str>, Vec<&str>) = replaced
        .iter()
        .map(|(lost, spender)| (lost.as_str(), spender.as_str()))
        .unzip();
    sqlx::query(
        "UPDATE chain_txs c SET status = 'replaced', replaced_by = t.spender, replaced_height = $4
         FROM unnest($2::text[], $3::text[]) AS t (txid, spender)
         WHERE c.chain = $1 AND c.txid = t.txid AND c.status <> 'confirmed'",
    )
    .bind(chain)
    .bind(lost)
    .bind(spenders)
    .bind(height)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use domain::money::CurrencyKind;
    use sqlx::Connection as _;
    use tokio::time::timeout;

    use super::*;
    use crate::ledger::is_silence;

    /// The next unit on the same connection is another one's.
    #[sqlx::test(migrations = "../../migrations")]
    async fn plans_are_another_units_own_again(pool: PgPool) {
        const MODE: &str = "SELECT current_setting('plan_cache_mode')";
        let mut conn = pool.acquire().await.unwrap();
        let before: String = sqlx::query_scalar(MODE)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        let mut tx = conn.begin().await.unwrap();
        plan_for_any_number(&mut tx).await.unwrap();
        let inside: String = sqlx::query_scalar(MODE).fetch_one(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let after: String = sqlx::query_scalar(MODE)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        assert_eq!(inside, "force_generic_plan");
        assert_eq!(after, before);
    }

    /// Who holds the lock stands for a database that says nothing. By itself it would be asked for 30 s.
    #[sqlx::test(migrations = "../../migrations")]
    async fn a_lock_that_is_not_answered_is_given_up(pool: PgPool) {
        let coin = Currency {
            id: 1,
            code: "BTC".parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        };
        let held = lock_chain(&pool, coin, Patience::default()).await.unwrap();
        let impatient = Patience {
            work: Duration::from_millis(200),
            ..Patience::default()
        };
        let asked = timeout(Duration::from_secs(20), lock_chain(&pool, coin, impatient));
        let refused = asked.await.unwrap().unwrap_err();
        assert!(is_silence(&refused), "{refused}");
        held.rollback().await.unwrap();
        let again = lock_chain(&pool, coin, Patience::default()).await.unwrap();
        again.rollback().await.unwrap();
    }
}
