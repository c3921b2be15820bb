//! The house sends itself coins or takes them away, and somebody says so: once, twice, too early, after they are gone.

use gateway::Error;

use crate::commands::Command;
use crate::world::{Run, nth};

/// An address of the house that no payer is given.
const HOUSE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/// Coins of the house that nothing in the mempool or a block takes.
const LEFT: &str = "
    SELECT o.txid FROM chain_outputs o JOIN chain_addresses a ON a.id = o.address_id
    WHERE a.address = $1 AND NOT EXISTS (
        SELECT FROM sim.txs s WHERE s.chain = 'BTC' AND NOT s.gone
            AND s.inputs @> jsonb_build_array(jsonb_build_object('txid', o.txid, 'vout', o.vout)))
    ORDER BY o.txid";

/// A transaction that nobody here made, with an id of its own for each coin it takes.
const TAKE: &str = "
    WITH place AS (UPDATE sim.chains SET counter = counter + 1 WHERE chain = 'BTC' RETURNING counter)
    INSERT INTO sim.txs (chain, txid, seq, inputs, outputs)
    SELECT 'BTC', encode(sha256(convert_to('taken ' || $1::text, 'UTF8')), 'hex'), counter,
        jsonb_build_array(jsonb_build_object('txid', $1::text, 'vout', 0)),
        jsonb_build_array(jsonb_build_object('vout', 0, 'address', $2::text, 'raw', '1000'))
    FROM place ON CONFLICT DO NOTHING";

/// What took coins of the house.
const TAKEN: &str = "
    SELECT DISTINCT s.txid FROM chain_spends s
    JOIN chain_outputs o ON o.chain = s.chain AND o.txid = s.prev_txid AND o.vout = s.prev_vout
    JOIN chain_addresses a ON a.id = o.address_id
    WHERE a.address = $1 ORDER BY s.txid";

/// Of nobody here.
const ELSEWHERE: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

impl Run {
    /// Has the address of the house watched.
    pub async fn watch_house(&self) {
        sqlx::query(
            "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
             VALUES ('BTC', 1, 0, $1, NULL, now())",
        )
        .bind(HOUSE)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    pub async fn own_funds(&self, command: Command) -> Result<(), Error> {
        let gateway = self.gateway();
        match command {
            Command::OwnCoins { parts } => {
                let amount = self.money("BTC", parts).shortest();
                gateway
                    .sandbox_pay(HOUSE, &amount, Some("BTC"), None)
                    .await
                    .map(drop)
            }
            Command::BookOwn { tx } => {
                let came: Vec<String> = sqlx::query_scalar(
                    "SELECT o.txid FROM chain_outputs o JOIN chain_addresses a ON a.id = o.address_id
                     WHERE a.address = $1 ORDER BY o.txid",
                )
                .bind(HOUSE)
                .fetch_all(&self.pool)
                .await?;
                let Some(txid) = nth(&came, tx) else {
                    return Ok(());
                };
                gateway
                    .book_own_funds("BTC", txid, "for payouts", "simulator")
                    .await
                    .map(drop)
            }
            Command::TakeOwn { tx } => {
                let left: Vec<String> = sqlx::query_scalar(LEFT)
                    .bind(HOUSE)
                    .fetch_all(&self.pool)
                    .await?;
                if let Some(txid) = nth(&left, tx) {
                    sqlx::query(TAKE)
                        .bind(txid)
                        .bind(ELSEWHERE)
                        .execute(&self.pool)
                        .await?;
                }
                Ok(())
            }
            Command::BookOut { tx } => {
                let taken: Vec<String> = sqlx::query_scalar(TAKEN)
                    .bind(HOUSE)
                    .fetch_all(&self.pool)
                    .await?;
                let Some(txid) = nth(&taken, tx) else {
                    return Ok(());
                };
                gateway
                    .book_own_funds_out("BTC", txid, true, "taken home", "simulator")
                    .await
                    .map(drop)
            }
            _ => Ok(()),
        }
    }
}
