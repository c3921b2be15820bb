//! What of the account that pays is not decided, for whoever runs the instance.

use super::list_store;
use crate::{Gateway, Result};

/// A withdrawal that waits for coins, a signature, a block or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryLine {
    pub operation_id: i64,
    /// Of the coin.
    pub code: String,
    /// `None` until it has one.
    pub nonce: Option<i64>,
    /// Of the withdrawal, or of its newest transaction.
    pub state: String,
    pub txid: Option<String>,
    /// Why it goes no further.
    pub problem: Option<String>,
}

/// A move between accounts of ours that is not done.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TreasuryMove {
    pub id: i64,
    /// `sweep` or `gas`.
    pub purpose: String,
    /// Of the coin.
    pub code: String,
    pub from_address: String,
    pub to_address: String,
    pub nonce: i64,
    /// Of its newest transaction, or what came of it.
    pub state: String,
    pub txid: Option<String>,
    /// Why it goes no further.
    pub problem: Option<String>,
}

/// An account that pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryAccount {
    pub address: String,
    /// EIP-155.
    pub chain_id: i64,
    /// Of its next payment; `None` while it never paid.
    pub next_nonce: Option<i64>,
    /// Why it pays nothing new.
    pub paused: Option<String>,
}

impl Gateway {
    /// The accounts that pay with the settings of this instance, one for each network.
    ///
    /// # Errors
    /// The database's.
    pub async fn treasury_accounts(&self) -> Result<Vec<TreasuryAccount>> {
        let mut found: Vec<TreasuryAccount> = Vec::new();
        let mut conn = self.pool().acquire().await?;
        for chain in self.chains().all() {
            let Some(treasury) = chain.payer.treasury() else {
                continue;
            };
            let (address, chain_id) = (treasury.address(), treasury.chain_id()?);
            if found.iter().any(|each| each.address == address) {
                continue;
            }
            let (next_nonce, paused) = list_store::account(&mut conn, &address, chain_id).await?;
            found.push(TreasuryAccount {
                address,
                chain_id,
                next_nonce,
                paused,
            });
        }
        Ok(found)
    }

    /// At most 200 moves of deposits and of their gas that are not done.
    ///
    /// # Errors
    /// The database's.
    pub async fn treasury_moves(&self) -> Result<Vec<TreasuryMove>> {
        list_store::moves(self.pool()).await
    }

    /// At most 200 withdrawals that are not decided, those asked for first in front.
    ///
    /// # Errors
    /// The database's.
    pub async fn treasury_lines(&self) -> Result<Vec<TreasuryLine>> {
        let coins: Vec<i16> = self
            .chains()
            .all()
            .iter()
            .filter(|chain| chain.payer.treasury().is_some())
            .map(|chain| chain.coin.id)
            .collect();
        list_store::lines(self.pool(), &coins).await
    }
}
