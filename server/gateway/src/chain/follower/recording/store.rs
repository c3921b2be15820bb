use std::collections::HashMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::foreign::Taken;
use crate::chain::backend::{BlockRef, ChainOutput, ChainTx, OutPoint};
use crate::ledger::decimal;
use crate::{Error, Result};

/// Ids of those of the addresses that are ours, whatever coin they were given out for.
///
/// One look into the index for each: asked for thousands at once, Postgres would rather read the whole
/// table, and a block would cost more the more addresses are watched.
pub(super) async fn owners(
    conn: &mut PgConnection,
    addresses: &[&str],
) -> Result<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT t.address, k.id FROM unnest($1::text[]) AS t (address)
             CROSS JOIN LATERAL (
                 SELECT id FROM chain_addresses WHERE address = t.address LIMIT 1
             ) k",
    )
    .bind(addresses)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Transactions of ours are in `block`, or in the mempool for `None`.
///
/// A confirmed one stays so until its block is disconnected.
pub(super) async fn insert_txs(
    conn: &mut PgConnection,
    chain: &str,
    txs: &[&ChainTx],
    block: Option<&BlockRef>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO chain_txs (chain, txid, first_seen_at, block_hash, height, status)
         SELECT $1, txid, $3, $4, $5, $6 FROM unnest($2::text[]) AS t (txid)
         ON CONFLICT (chain, txid) DO UPDATE
         SET block_hash = EXCLUDED.block_hash, height = EXCLUDED.height,
             status = EXCLUDED.status, replaced_by = NULL, replaced_height = NULL
         WHERE EXCLUDED.status = 'confirmed' OR chain_txs.status <> 'confirmed'",
    )
    .bind(chain)
    .bind(txs.iter().map(|tx| tx.txid.as_str()).collect::<Vec<&str>>())
    .bind(now)
    .bind(block.map(|block| block.hash.as_str()))
    .bind(block.map(|block| block.height))
    .bind(if block.is_some() {
        "confirmed"
    } else {
        "mempool"
    })
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_spends(
    conn: &mut PgConnection,
    chain: &str,
    txs: &[&ChainTx],
) -> Result<()> {
    let spends: Vec<(&str, &OutPoint)> = txs
        .iter()
        .flat_map(|tx| tx.inputs.iter().map(move |input| (tx.txid.as_str(), input)))
        .collect();
    let (spenders, txids, vouts) = columns(&spends);
    sqlx::query(
        "INSERT INTO chain_spends (chain, txid, prev_txid, prev_vout)
         SELECT $1, t.* FROM unnest($2::text[], $3::text[], $4::int[]) AS t
         ON CONFLICT DO NOTHING",
    )
    .bind(chain)
    .bind(spenders)
    .bind(txids)
    .bind(vouts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Spends, column by column: who spends, and which output of which transaction.
fn columns<'a>(spends: &[(&'a str, &'a OutPoint)]) -> (Vec<&'a str>, Vec<&'a str>, Vec<i32>) {
    let spenders = spends.iter().map(|(spender, _)| *spender).collect();
    let txids = spends
        .iter()
        .map(|(_, input)| input.txid.as_str())
        .collect();
    let vouts = spends.iter().map(|(_, input)| input.vout).collect();
    (spenders, txids, vouts)
}

/// Which of the stored outputs are spent by `spends`: `(spender, input)`. As in [`owners`], one look
/// for each, however much was stored.
pub(super) async fn taken(
    conn: &mut PgConnection,
    chain: &str,
    spends: &[(&str, &OutPoint)],
) -> Result<Vec<Taken>> {
    let (spenders, txids, vouts) = columns(spends);
    let rows: Vec<(String, String, i32, Decimal)> = sqlx::query_as(
        "SELECT i.spender, o.txid, o.vout, o.raw
         FROM unnest($2::text[], $3::text[], $4::int[]) AS i (spender, prev_txid, prev_vout)
         CROSS JOIN LATERAL (
             SELECT txid, vout, raw FROM chain_outputs
             WHERE chain = $1 AND txid = i.prev_txid AND vout = i.prev_vout LIMIT 1
         ) o",
    )
    .bind(chain)
    .bind(spenders)
    .bind(txids)
    .bind(vouts)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(spender, txid, vout, raw)| {
            let raw = raw
                .to_u128()
                .ok_or_else(|| Error::Internal(format!("an output of {raw} base units")))?;
            Ok(Taken {
                spender,
                txid,
                vout,
                raw,
            })
        })
        .collect()
}

/// Which of the transactions are stored.
pub(super) async fn known(
    conn: &mut PgConnection,
    chain: &str,
    txids: &[&str],
) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT txid FROM chain_txs WHERE chain = $1 AND txid = ANY($2)")
            .bind(chain)
            .bind(txids)
            .fetch_all(conn)
            .await?,
    )
}

/// Outputs to our addresses, column by column.
#[derive(Default)]
pub(super) struct OutputRows<'a> {
    txid: Vec<&'a str>,
    vout: Vec<i32>,
    address_id: Vec<i64>,
    raw: Vec<Decimal>,
}

impl<'a> OutputRows<'a> {
    /// The output's amount must be one the ledger holds.
    pub(super) fn push(
        &mut self,
        tx: &'a ChainTx,
        output: &ChainOutput,
        address_id: i64,
    ) -> Result<()> {
        self.txid.push(&tx.txid);
        self.vout.push(output.vout);
        self.address_id.push(address_id);
        self.raw.push(decimal(i128::try_from(output.raw)?));
        Ok(())
    }

    /// What a block tells last counts: run again in another one, a contract may pay another amount
    /// or account.
    pub(super) async fn insert(self, conn: &mut PgConnection, chain: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO chain_outputs (chain, txid, vout, address_id, raw)
             SELECT $1, t.* FROM unnest($2::text[], $3::int[], $4::bigint[], $5::numeric[]) AS t
             ON CONFLICT (chain, txid, vout) DO UPDATE
             SET address_id = EXCLUDED.address_id, raw = EXCLUDED.raw
             WHERE (chain_outputs.address_id, chain_outputs.raw)
                   IS DISTINCT FROM (EXCLUDED.address_id, EXCLUDED.raw)",
        )
        .bind(chain)
        .bind(self.txid)
        .bind(self.vout)
        .bind(self.address_id)
        .bind(self.raw)
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Which outputs of these transactions are stored. As in [`owners`], one look for each.
pub(super) async fn outputs_of(
    conn: &mut PgConnection,
    chain: &str,
    txids: &[&str],
) -> Result<Vec<(String, i32)>> {
    Ok(sqlx::query_as(
        "SELECT o.txid, o.vout FROM unnest($2::text[]) AS t (txid)
             CROSS JOIN LATERAL (
                 SELECT txid, vout FROM chain_outputs WHERE chain = $1 AND txid = t.txid OFFSET 0
             ) o",
    )
    .bind(chain)
    .bind(txids)
    .fetch_all(conn)
    .await?)
}

/// Forgets outputs that were never made after all. What a person has booked as ours stays, and is looked
/// at where it is shown.
pub(super) async fn forget_outputs(
    conn: &mut PgConnection,
    chain: &str,
    outputs: &[(String, i32)],
) -> Result<()> {
    let (txids, vouts): (Vec<&str>, Vec<i32>) = outputs
        .iter()
        .map(|(txid, vout)| (txid.as_str(), *vout))
        .unzip();
    sqlx::query(
        "DELETE FROM chain_outputs o USING unnest($2::text[], $3::int[]) AS t (txid, vout)
         WHERE o.chain = $1 AND o.txid = t.txid AND o.vout = t.vout
           AND NOT EXISTS (SELECT FROM own_funds f WHERE f.chain = o.chain AND f.txid = o.txid
                           AND f.vout = o.vout)",
    )
    .bind(chain)
    .bind(txids)
    .bind(vouts)
    .execute(conn)
    .await?;
    Ok(())
}
