use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, Transaction};

use crate::chain::backend::{BlockRef, ChainOutput, ChainTx, Held, OutPoint};
use crate::{Error, Result};

/// A transaction with where it is: in a block, gone, or else in the mempool.
pub(super) struct StoredTx {
    pub(super) tx: ChainTx,
    pub(super) block_hash: Option<String>,
    pub(super) gone: bool,
}

/// An output as stored. The amount is text because JSON numbers do not reach 10^28.
#[derive(Serialize, Deserialize)]
struct StoredOutput {
    vout: i32,
    address: String,
    raw: String,
}

type BlockRow = (String, i64, String);
type TxRow = (String, Json<Vec<OutPoint>>, Json<Vec<StoredOutput>>);

pub(super) async fn insert_chain(executor: impl PgExecutor<'_>, chain: &str) -> Result<()> {
    sqlx::query("INSERT INTO sim.chains (chain) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(chain)
        .execute(executor)
        .await?;
    Ok(())
}

/// Locks the chain for one control.
pub(super) async fn lock_counter(conn: &mut PgConnection, chain: &str) -> Result<i64> {
    Ok(
        sqlx::query_scalar("SELECT counter FROM sim.chains WHERE chain = $1 FOR UPDATE")
            .bind(chain)
            .fetch_one(conn)
            .await?,
    )
}

pub(super) async fn save_counter(conn: &mut PgConnection, chain: &str, counter: i64) -> Result<()> {
    sqlx::query("UPDATE sim.chains SET counter = $2 WHERE chain = $1")
        .bind(chain)
        .bind(counter)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn tip(executor: impl PgExecutor<'_>, chain: &str) -> Result<Option<BlockRef>> {
    let row: Option<BlockRow> = sqlx::query_as(
        "SELECT hash, height, prev_hash FROM sim.blocks WHERE chain = $1 AND active
         ORDER BY height DESC LIMIT 1",
    )
    .bind(chain)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(block_ref))
}

pub(super) async fn block_at(
    executor: impl PgExecutor<'_>,
    chain: &str,
    height: i64,
) -> Result<Option<BlockRef>> {
    let row: Option<BlockRow> = sqlx::query_as(
        "SELECT hash, height, prev_hash FROM sim.blocks
         WHERE chain = $1 AND active AND height = $2",
    )
    .bind(chain)
    .bind(height)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(block_ref))
}

pub(super) async fn block(
    executor: impl PgExecutor<'_>,
    chain: &str,
    hash: &str,
) -> Result<Option<BlockRef>> {
    let row: Option<BlockRow> = sqlx::query_as(
        "SELECT hash, height, prev_hash FROM sim.blocks WHERE chain = $1 AND hash = $2",
    )
    .bind(chain)
    .bind(hash)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(block_ref))
}

pub(super) async fn insert_blocks(
    conn: &mut PgConnection,
    chain: &str,
    blocks: &[BlockRef],
) -> Result<()> {
    let hashes: Vec<&str> = blocks.iter().map(|block| block.hash.as_str()).collect();
    let heights: Vec<i64> = blocks.iter().map(|block| block.height).collect();
    let parents: Vec<&str> = blocks.iter().map(|b| b.prev_hash.as_str()).collect();
    sqlx::query(
        "INSERT INTO sim.blocks (chain, hash, height, prev_hash, active)
         SELECT $1, hash, height, prev_hash, true
         FROM unnest($2::text[], $3::bigint[], $4::text[]) AS t (hash, height, prev_hash)",
    )
    .bind(chain)
    .bind(hashes)
    .bind(heights)
    .bind(parents)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the blocks above `height` off the chain; answers their hashes.
pub(super) async fn deactivate_above(
    conn: &mut PgConnection,
    chain: &str,
    height: i64,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "UPDATE sim.blocks SET active = false WHERE chain = $1 AND active AND height > $2
         RETURNING hash",
    )
    .bind(chain)
    .bind(height)
    .fetch_all(conn)
    .await?)
}

/// Puts a transaction into the mempool; `seq` orders it there.
pub(super) async fn insert_tx(
    conn: &mut PgConnection,
    chain: &str,
    seq: i64,
    tx: ChainTx,
) -> Result<()> {
    let outputs: Vec<StoredOutput> = tx.outputs.into_iter().map(StoredOutput::from).collect();
    sqlx::query(
        "INSERT INTO sim.txs (chain, txid, seq, inputs, outputs) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(chain)
    .bind(tx.txid)
    .bind(seq)
    .bind(Json(tx.inputs))
    .bind(Json(outputs))
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn find_tx(
    executor: impl PgExecutor<'_>,
    chain: &str,
    txid: &str,
) -> Result<Option<StoredTx>> {
    type Row = (
        String,
        Json<Vec<OutPoint>>,
        Json<Vec<StoredOutput>>,
        Option<String>,
        bool,
    );
    let row: Option<Row> = sqlx::query_as(
        "SELECT txid, inputs, outputs, block_hash, gone FROM sim.txs
         WHERE chain = $1 AND txid = $2",
    )
    .bind(chain)
    .bind(txid)
    .fetch_optional(executor)
    .await?;
    row.map(|(txid, inputs, outputs, block_hash, gone)| {
        Ok(StoredTx {
            tx: chain_tx((txid, inputs, outputs))?,
            block_hash,
            gone,
        })
    })
    .transpose()
}

pub(super) async fn txs_of_block(
    executor: impl PgExecutor<'_>,
    chain: &str,
    hash: &str,
) -> Result<Vec<ChainTx>> {
    let rows: Vec<TxRow> = sqlx::query_as(
        "SELECT txid, inputs, outputs FROM sim.txs
         WHERE chain = $1 AND block_hash = $2 ORDER BY seq",
    )
    .bind(chain)
    .bind(hash)
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(chain_tx).collect()
}

/// What waits for a block, in the order it came: all of it, or those of some transactions.
pub(super) async fn mempool(
    executor: impl PgExecutor<'_>,
    chain: &str,
    only: Option<&[String]>,
) -> Result<Vec<ChainTx>> {
    let rows: Vec<TxRow> = sqlx::query_as(
        "SELECT txid, inputs, outputs FROM sim.txs
         WHERE chain = $1 AND block_hash IS NULL AND NOT gone
           AND ($2::text[] IS NULL OR txid = ANY($2)) ORDER BY seq",
    )
    .bind(chain)
    .bind(only.map(<[String]>::to_vec))
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(chain_tx).collect()
}

pub(super) async fn mempool_ids(executor: impl PgExecutor<'_>, chain: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT txid FROM sim.txs
         WHERE chain = $1 AND block_hash IS NULL AND NOT gone ORDER BY seq",
    )
    .bind(chain)
    .fetch_all(executor)
    .await?)
}

/// Moves the whole mempool into a block.
pub(super) async fn confirm_mempool(
    conn: &mut PgConnection,
    chain: &str,
    hash: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE sim.txs SET block_hash = $2
         WHERE chain = $1 AND block_hash IS NULL AND NOT gone",
    )
    .bind(chain)
    .bind(hash)
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves what is left in replaced blocks into another one.
pub(super) async fn move_txs(
    conn: &mut PgConnection,
    chain: &str,
    replaced: &[String],
    hash: &str,
) -> Result<()> {
    sqlx::query("UPDATE sim.txs SET block_hash = $3 WHERE chain = $1 AND block_hash = ANY($2)")
        .bind(chain)
        .bind(replaced)
        .bind(hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Lets transactions vanish from wherever they are, for ever.
pub(super) async fn forget(conn: &mut PgConnection, chain: &str, txids: &[String]) -> Result<()> {
    sqlx::query(
        "UPDATE sim.txs SET gone = true, block_hash = NULL WHERE chain = $1 AND txid = ANY($2)",
    )
    .bind(chain)
    .bind(txids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether another transaction that did not vanish spends one of the inputs.
pub(super) async fn is_spent(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
    inputs: &[OutPoint],
) -> Result<bool> {
    for input in inputs {
        let spent: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sim.txs WHERE chain = $1 AND txid <> $2 AND NOT gone
                            AND inputs @> $3)",
        )
        .bind(chain)
        .bind(txid)
        .bind(Json(vec![input]))
        .fetch_one(&mut *conn)
        .await?;
        if spent {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One instant of a chain, for several questions.
pub(super) async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>> {
    Ok(pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?)
}

/// Outputs of blocks to these addresses that no transaction of a block spends.
pub(super) async fn held(
    conn: &mut PgConnection,
    chain: &str,
    addresses: &[String],
) -> Result<Vec<Held>> {
    let rows: Vec<(String, String, i32, String)> = sqlx::query_as(
        "WITH mined AS (
             SELECT t.txid, t.inputs, t.outputs FROM sim.txs t
             JOIN sim.blocks b ON b.chain = t.chain AND b.hash = t.block_hash AND b.active
             WHERE t.chain = $1),
         spent AS (
             SELECT i->>'txid' AS txid, (i->>'vout')::int AS vout
             FROM mined CROSS JOIN LATERAL jsonb_array_elements(inputs) i)
         SELECT o->>'address', m.txid, (o->>'vout')::int, o->>'raw'
         FROM mined m CROSS JOIN LATERAL jsonb_array_elements(m.outputs) o
         WHERE o->>'address' = ANY($2) AND (o->>'raw')::numeric > 0
           AND NOT EXISTS (SELECT FROM spent s
                           WHERE s.txid = m.txid AND s.vout = (o->>'vout')::int)",
    )
    .bind(chain)
    .bind(addresses)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(address, txid, vout, raw)| {
            Ok(Held {
                address,
                place: Some(OutPoint { txid, vout }),
                raw: raw.parse().map_err(Error::internal)?,
                may_be_immature: false,
            })
        })
        .collect()
}

/// Takes a vanished transaction back into the mempool.
pub(super) async fn revive(conn: &mut PgConnection, chain: &str, txid: &str) -> Result<()> {
    sqlx::query(
        "UPDATE sim.txs SET gone = false, block_hash = NULL WHERE chain = $1 AND txid = $2",
    )
    .bind(chain)
    .bind(txid)
    .execute(conn)
    .await?;
    Ok(())
}

fn block_ref((hash, height, prev_hash): BlockRow) -> BlockRef {
    BlockRef {
        hash,
        height,
        prev_hash,
    }
}

fn chain_tx((txid, Json(inputs), Json(outputs)): TxRow) -> Result<ChainTx> {
    let outputs = outputs
        .into_iter()
        .map(ChainOutput::try_from)
        .collect::<Result<_>>()?;
    Ok(ChainTx {
        txid,
        inputs,
        outputs,
    })
}

impl From<ChainOutput> for StoredOutput {
    fn from(output: ChainOutput) -> Self {
        Self {
            vout: output.vout,
            address: output.address,
            raw: output.raw.to_string(),
        }
    }
}

impl TryFrom<StoredOutput> for ChainOutput {
    type Error = Error;

    fn try_from(stored: StoredOutput) -> Result<Self> {
        let raw = stored.raw.parse::<u128>().map_err(Error::internal)?;
        Ok(Self {
            vout: stored.vout,
            address: stored.address,
            raw,
        })
    }
}
