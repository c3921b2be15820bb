//! The house sends itself coins, and somebody says so: once, twice, too early, after they are gone.

use gateway::Error;

use crate::commands::Command;
use crate::world::{Run, nth};

/// An address of the house that no payer is given.
const HOUSE: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

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
            _ => Ok(()),
        }
    }
}
