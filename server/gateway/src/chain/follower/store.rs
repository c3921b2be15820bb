use domain::money::Currency;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::{Error, Result};

/// First key of the advisory locks of followers; the second is the coin's id.
const FOLLOWER_LOCKS: i32 = 7_001;
/// Postgres: a lock was not granted within `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Waits until nobody else follows the chain, at most 30 s; ending the transaction lets go of it.
///
/// A transaction holds the lock, not a session: it ends when its connection goes back to the pool,
/// so a caller that is dropped halfway leaves no lock behind.
pub(super) async fn lock_chain(
    pool: &PgPool,
    coin: Currency,
) -> Result<Transaction<'static, Postgres>> {
    let mut tx = pool.begin().await?;
    // It idles for as long as the catching up takes, and holds back nothing but other followers.
    sqlx::query(
        "SELECT set_config('lock_timeout', '30s', true),
                set_config('idle_in_transaction_session_timeout', '0', true)",
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(FOLLOWER_LOCKS)
        .bind(i32::from(coin.id))
        .execute(&mut *tx)
        .await
        .map_err(|error| match &error {
            sqlx::Error::Database(refusal)
                if refusal.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
            {
                Error::overloaded()
            }
            _ => error.into(),
        })?;
    Ok(tx)
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
