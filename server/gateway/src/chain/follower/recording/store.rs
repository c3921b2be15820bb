use std::collections::{BTreeMap, HashMap};

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

/// What these transactions spend. What a transaction spends never changes.
pub(super) async fn insert_spends(
    conn: &mut PgConnection,
    chain: &str,
    txs: &[&ChainTx],
) -> Result<()> {
    let spends: Vec<(&str, &OutPoint)> = txs
        .iter()
        .flat_map(|tx| tx.inputs.iter().map(move |input| (tx.txid.as_str(), input)))
        .collect();
    if spends.is_empty() {
        return Ok(());
    }
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
    /// Takes an output to account `address_id`, unless it is `stored` like that. Its amount must be one the
    /// ledger holds.
    pub(super) fn push(
        &mut self,
        tx: &'a ChainTx,
        output: &ChainOutput,
        address_id: i64,
        stored: &StoredOutputs,
    ) -> Result<()> {
        let raw = decimal(i128::try_from(output.raw)?);
        if stored.has(&tx.txid, output.vout, (address_id, raw)) {
            return Ok(());
        }
        self.txid.push(&tx.txid);
        self.vout.push(output.vout);
        self.address_id.push(address_id);
        self.raw.push(raw);
        Ok(())
    }

    /// What a block tells last counts: run again in another one, a contract may pay another amount
    /// or account.
    pub(super) async fn insert(self, conn: &mut PgConnection, chain: &str) -> Result<()> {
        if self.txid.is_empty() {
            return Ok(());
        }
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

/// Outputs of transactions as they are stored: account and base units, by transaction and place.
#[derive(Default)]
pub(super) struct StoredOutputs(BTreeMap<String, BTreeMap<i32, (i64, Decimal)>>);

impl StoredOutputs {
    /// Those of these transactions. As in [`owners`], one look for each.
    pub(super) async fn of(conn: &mut PgConnection, chain: &str, txs: &[&ChainTx]) -> Result<Self> {
        let txids: Vec<&str> = txs.iter().map(|tx| tx.txid.as_str()).collect();
        let rows: Vec<(String, i32, i64, Decimal)> = sqlx::query_as(
            "SELECT o.txid, o.vout, o.address_id, o.raw FROM unnest($2::text[]) AS t (txid)
                 CROSS JOIN LATERAL (
                     SELECT txid, vout, address_id, raw FROM chain_outputs
                     WHERE chain = $1 AND txid = t.txid OFFSET 0
                 ) o",
        )
        .bind(chain)
        .bind(txids)
        .fetch_all(conn)
        .await?;
        let mut stored = Self::default();
        for (txid, vout, address_id, raw) in rows {
            let of_tx = stored.0.entry(txid).or_default();
            of_tx.insert(vout, (address_id, raw));
        }
        Ok(stored)
    }

    /// The unit that stored an output has stored the transaction and what it spends as well.
    pub(super) fn has_any_of(&self, tx: &ChainTx) -> bool {
        self.0.contains_key(&tx.txid)
    }

    /// Where they are: transaction and place.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, i32)> {
        self.0
            .iter()
            .flat_map(|(txid, outputs)| outputs.keys().map(move |vout| (txid.as_str(), *vout)))
    }

    fn has(&self, txid: &str, vout: i32, account_and_raw: (i64, Decimal)) -> bool {
        self.0.get(txid).and_then(|outputs| outputs.get(&vout)) == Some(&account_and_raw)
    }
}

/// Forgets outputs that were never made after all. What a person has booked as ours stays, and is looked
/// at where it is shown.
pub(super) async fn forget_outputs(
    conn: &mut PgConnection,
    chain: &str,
    outputs: &[(&str, i32)],
) -> Result<()> {
    let (txids, vouts): (Vec<&str>, Vec<i32>) = outputs.iter().copied().unzip();
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
