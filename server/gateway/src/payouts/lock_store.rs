//! Coins that a payout may spend, kept from all others.

use bitcoin::OutPoint;
use signing::Plan;
use sqlx::PgConnection;

use crate::Result;

/// Locks the coins of a plan for a payout; false when another one has some of them.
pub(super) async fn lock_coins(
    conn: &mut PgConnection,
    chain: &str,
    payout_id: i64,
    plan: &Plan,
) -> Result<bool> {
    let (txids, vouts) = outpoints(plan)?;
    sqlx::query(
        "INSERT INTO payout_coins (chain, prev_txid, prev_vout, payout_id)
         SELECT $1, c.txid, c.vout, $4 FROM unnest($2::text[], $3::int[]) AS c (txid, vout)
         ORDER BY c.txid, c.vout
         ON CONFLICT ON CONSTRAINT payout_coins_once DO NOTHING",
    )
    .bind(chain)
    .bind(&txids)
    .bind(&vouts)
    .bind(payout_id)
    .execute(&mut *conn)
    .await?;
    let ours: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM unnest($2::text[], $3::int[]) AS c (txid, vout)
         JOIN payout_coins l ON l.chain = $1 AND l.prev_txid = c.txid AND l.prev_vout = c.vout
         WHERE l.payout_id = $4",
    )
    .bind(chain)
    .bind(&txids)
    .bind(&vouts)
    .bind(payout_id)
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(ours)? == plan.inputs.len())
}

/// Gives back the coins of a payout that `plan`, which is in the chain, does not spend.
pub(super) async fn release_others(
    conn: &mut PgConnection,
    payout_id: i64,
    plan: &Plan,
) -> Result<()> {
    let (txids, vouts) = outpoints(plan)?;
    sqlx::query(
        "DELETE FROM payout_coins l WHERE l.payout_id = $1
         AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::int[]) AS c (txid, vout)
                         WHERE c.txid = l.prev_txid AND c.vout = l.prev_vout)",
    )
    .bind(payout_id)
    .bind(txids)
    .bind(vouts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives back the coins of a payout that none of its transactions may spend any more.
pub(super) async fn release_unplanned(conn: &mut PgConnection, payout_id: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM payout_coins l WHERE l.payout_id = $1
         AND NOT EXISTS (SELECT FROM payout_txs x
                         CROSS JOIN LATERAL jsonb_array_elements(x.plan->'inputs') i
                         WHERE x.payout_id = $1 AND x.state <> 'dropped'
                           AND i->>'outpoint' = l.prev_txid || ':' || l.prev_vout)",
    )
    .bind(payout_id)
    .execute(conn)
    .await?;
    Ok(())
}

fn outpoints(plan: &Plan) -> Result<(Vec<String>, Vec<i32>)> {
    let spent = plan.inputs.iter().map(|coin| coin.outpoint);
    let mut columns = (Vec::new(), Vec::new());
    for OutPoint { txid, vout } in spent {
        columns.0.push(txid.to_string());
        columns.1.push(i32::try_from(vout)?);
    }
    Ok(columns)
}
