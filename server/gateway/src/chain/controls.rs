//! Test mode's hands on the simulated chains. Each control is followed by [`follower::sync`], so
//! its effect is applied before the answer. Outside test mode none of them exists.

mod target;

use super::{Chain, follower};
use crate::advance::send_all_due;
use crate::{Error, Gateway, Result};

/// What [`Gateway::sandbox_mine`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mined {
    pub currency: &'static str,
    /// Height of the last new block.
    pub height: i64,
    /// Hashes of the new blocks, oldest first.
    pub blocks: Vec<String>,
}

/// One simulated chain as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainState {
    pub code: &'static str,
    pub height: i64,
    /// Oldest first.
    pub mempool: Vec<MempoolTx>,
}

/// An unconfirmed transaction of a simulated chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MempoolTx {
    pub txid: String,
    /// Address and amount, the amount in its shortest form.
    pub outputs: Vec<(String, String)>,
}

impl Gateway {
    /// Broadcasts a payment of `amount` to any valid address of the coin; answers its id.
    ///
    /// The coin is `currency`; else the one the address was given out for; else the one its form is
    /// usual for. With `txid` that transaction is announced again, which changes nothing; address
    /// and amount are not looked at then.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode; `Error::Invalid` on `address`, `amount`, `currency`
    /// or `txid`.
    pub async fn sandbox_pay(
        &self,
        address: &str,
        amount: &str,
        currency: Option<&str>,
        txid: Option<&str>,
    ) -> Result<String> {
        if let Some(txid) = txid {
            let known = self.simulated_tx(txid, "txid").await?;
            let txid = known.sim.pay_again(txid).await?;
            follower::sync(self, known.chain.coin).await?;
            return Ok(txid);
        }
        let paid = match currency {
            Some(code) => self.simulated(code)?,
            None => self.simulated_of_address(address).await?,
        };
        let address = paid.address(address)?;
        let raw = paid.raw(amount)?;
        let txid = paid.sim.pay(&address, raw).await?;
        follower::sync(self, paid.chain.coin).await?;
        Ok(txid)
    }

    /// Mines 1 to [`MINE_BLOCKS_MAX`](super::simulated::MINE_BLOCKS_MAX) blocks, by default one.
    ///
    /// Without a currency: on the only chain with something in its mempool, else on Bitcoin's.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode; `Error::Invalid` on `currency` or `blocks`; `Error::Overloaded` while
    /// somebody else sends withdrawals and does not end: nothing is mined then. What fails after a block was made
    /// is [`Error::OutcomeUnknown`] if it may be asked again.
    pub async fn sandbox_mine(&self, currency: Option<&str>, blocks: Option<u32>) -> Result<Mined> {
        self.all_simulated()?;
        // What was asked for before this call is in its mempool when a chain is chosen and a block made.
        send_all_due(self).await?;
        let mined = match currency {
            Some(code) => self.simulated(code)?,
            None => {
                let mut busy = Vec::new();
                for each in self.all_simulated()? {
                    if !each.chain.backend.mempool().await?.is_empty() {
                        busy.push(each);
                    }
                }
                self.only_or_default(&busy)?
            }
        };
        let blocks = mined.sim.mine(blocks.unwrap_or(1)).await?;
        let height = self.read_mined(mined.chain, &blocks).await;
        Ok(Mined {
            currency: mined.chain.params.code,
            height: height.map_err(Error::once_begun)?,
            blocks,
        })
    }

    /// The height of the last of these blocks, when they have had their effect.
    async fn read_mined(&self, chain: &Chain, blocks: &[String]) -> Result<i64> {
        follower::sync(self, chain.coin).await?;
        // Not the tip: somebody else may have mined meanwhile.
        Ok(match blocks.last() {
            Some(last) => chain.backend.block(last).await?.reference.height,
            None => chain.backend.tip().await?.height,
        })
    }

    /// Replaces an unconfirmed transaction by one that spends the same; answers the new id.
    ///
    /// Without an address the new one pays nobody of ours, whatever the amount.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode; `Error::Invalid` on `txid`, `address` or `amount`.
    pub async fn sandbox_replace(
        &self,
        txid: &str,
        address: Option<&str>,
        amount: Option<&str>,
    ) -> Result<String> {
        let paid = self.simulated_tx(txid, "txid").await?;
        let address = address.map(|text| paid.address(text)).transpose()?;
        let raw = amount.map(|text| paid.raw(text)).transpose()?;
        let new = paid.sim.replace(txid, address.as_deref(), raw).await?;
        follower::sync(self, paid.chain.coin).await?;
        Ok(new)
    }

    /// Replaces the last `depth` blocks by `depth + 1` new ones; answers the new height.
    ///
    /// Transactions in `drop` do not come back. Without a currency: on the chain of the first of
    /// them, else on the only chain with blocks to replace, else on Bitcoin's.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode; `Error::Invalid` on `currency`, `depth` or `drop`.
    pub async fn sandbox_reorg(
        &self,
        currency: Option<&str>,
        depth: u32,
        drop: &[String],
    ) -> Result<i64> {
        let changed = match (currency, drop.first()) {
            (Some(code), _) => self.simulated(code)?,
            (None, Some(txid)) => self.simulated_tx(txid, "drop").await?,
            (None, None) => {
                let mut mined = Vec::new();
                for each in self.all_simulated()? {
                    if each.chain.backend.tip().await?.height > 0 {
                        mined.push(each);
                    }
                }
                self.only_or_default(&mined)?
            }
        };
        let height = changed.sim.reorg(depth, drop).await?;
        follower::sync(self, changed.chain.coin).await?;
        Ok(height)
    }

    /// Lets an unconfirmed transaction vanish without a replacement.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode; `Error::Invalid` on `txid`.
    pub async fn sandbox_drop(&self, txid: &str) -> Result<()> {
        let lost = self.simulated_tx(txid, "txid").await?;
        lost.sim.drop_tx(txid).await?;
        follower::sync(self, lost.chain.coin).await?;
        Ok(())
    }

    /// Every simulated chain, in listing order.
    ///
    /// # Errors
    /// `Error::NotFound` outside test mode.
    pub async fn chain_states(&self) -> Result<Vec<ChainState>> {
        let mut states = Vec::new();
        for each in self.all_simulated()? {
            let height = each.chain.backend.tip().await?.height;
            let txs = each.sim.mempool_txs().await?;
            let mempool = txs
                .into_iter()
                .map(|tx| MempoolTx {
                    txid: tx.txid,
                    outputs: tx
                        .outputs
                        .into_iter()
                        .map(|output| (output.address, each.text(output.raw)))
                        .collect(),
                })
                .collect();
            states.push(ChainState {
                code: each.chain.params.code,
                height,
                mempool,
            });
        }
        Ok(states)
    }
}
