use std::collections::HashSet;

use sqlx::{AssertSqlSafe, PgConnection};

use crate::Result;

/// What is done about a row that somebody else has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    WaitedFor,
    /// The row is left out.
    LeftAlone,
}

impl Others {
    const fn words(self) -> &'static str {
        match self {
            Self::WaitedFor => "",
            Self::LeftAlone => " SKIP LOCKED",
        }
    }
}

pub(super) async fn charges(
    conn: &mut PgConnection,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = "SELECT id FROM charges WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    lock(conn, query, ids, others).await
}

pub(super) async fn operations(
    conn: &mut PgConnection,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = "SELECT id FROM operations WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    lock(conn, query, ids, others).await
}

pub(super) async fn payouts(
    conn: &mut PgConnection,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = "SELECT id FROM payouts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    lock(conn, query, ids, others).await
}

/// Addresses that are watched on a chain, which is more than those that payers are given.
pub(super) async fn watched(
    conn: &mut PgConnection,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = "SELECT id FROM chain_addresses WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    lock(conn, query, ids, others).await
}

/// Deposit addresses, each with its promises that have not ended: while an address is locked nobody makes
/// another one there. One of whose promises somebody else has any is left to him.
pub(super) async fn addresses(
    conn: &mut PgConnection,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = "SELECT id FROM deposit_addresses WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    let mut held = lock(conn, query, ids, others).await?;
    let query = "SELECT id FROM futures
         WHERE deposit_address_id = ANY($1) AND state IN ('open', 'matched')
         ORDER BY id FOR NO KEY UPDATE";
    let promises = lock(conn, query, &held, others).await?;
    if others == Others::LeftAlone {
        let taken = with_other_promises(conn, &held, &promises).await?;
        held.retain(|id| !taken.contains(id));
    }
    Ok(held)
}

async fn lock(
    conn: &mut PgConnection,
    query: &str,
    ids: &[i64],
    others: Others,
) -> Result<Vec<i64>> {
    let query = format!("{query}{}", others.words());
    Ok(sqlx::query_scalar(AssertSqlSafe(query))
        .bind(ids)
        .fetch_all(conn)
        .await?)
}

/// Those of these addresses that have a promise beside the known ones.
async fn with_other_promises(
    conn: &mut PgConnection,
    addresses: &[i64],
    known: &[i64],
) -> Result<HashSet<i64>> {
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT deposit_address_id FROM futures
         WHERE deposit_address_id = ANY($1) AND state IN ('open', 'matched') AND id <> ALL($2)",
    )
    .bind(addresses)
    .bind(known)
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}
