//! What the node answers.

use std::time::Duration;

use async_trait::async_trait;
use bitcoin::{Transaction, consensus};
use gateway::chain::address::{output_address, params};
use gateway::chain::backend::{
    BlockRef, ChainBackend, ChainBlock, ChainOutput, ChainTx, CoinNode, Held, Holdings,
    OutPoint as Spent,
};
use gateway::{Error, Result};

use super::Net;

fn told(tx: &Transaction) -> ChainTx {
    let coin = params("BTC").unwrap();
    let outputs = (0..).zip(&tx.output).filter_map(|(vout, output)| {
        Some(ChainOutput {
            vout,
            address: output_address(coin, output.script_pubkey.as_bytes())?,
            raw: u128::from(output.value.to_sat()),
        })
    });
    ChainTx {
        txid: tx.compute_txid().to_string(),
        inputs: tx
            .input
            .iter()
            .map(|input| Spent {
                txid: input.previous_output.txid.to_string(),
                vout: i32::try_from(input.previous_output.vout).unwrap(),
            })
            .collect(),
        outputs: outputs.collect(),
    }
}

#[async_trait]
impl ChainBackend for Net {
    async fn tip(&self) -> Result<BlockRef> {
        Ok(self.reached()?.blocks.last().unwrap().reference.clone())
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        let height = usize::try_from(height).unwrap();
        let state = self.reached()?;
        Ok(state
            .blocks
            .get(height)
            .map(|block| block.reference.clone()))
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        let state = self.reached()?;
        let block = state
            .blocks
            .iter()
            .find(|block| block.reference.hash == hash);
        let block = block.ok_or(Error::NotFound)?;
        Ok(ChainBlock {
            reference: block.reference.clone(),
            txs: block.txs.iter().map(told).collect(),
        })
    }

    async fn mempool(&self) -> Result<Vec<String>> {
        let state = self.reached()?;
        let waiting = state.mempool.iter();
        Ok(waiting.map(|tx| tx.compute_txid().to_string()).collect())
    }

    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        let state = self.reached()?;
        let mut waiting = state.mempool.iter();
        Ok(waiting
            .find(|tx| tx.compute_txid().to_string() == txid)
            .map(told))
    }

    async fn wait(&self, _: &BlockRef, max: Duration) -> Result<()> {
        tokio::time::sleep(max).await;
        Ok(())
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<()> {
        let tx: Transaction = consensus::deserialize(raw).map_err(Error::internal)?;
        self.state().asked += 1;
        let _turn = self.1.acquire().await.map_err(Error::internal)?;
        let mut state = self.reached()?;
        if let Some(refusal) = state.refusal {
            return Err(Error::Internal(refusal.to_owned()));
        }
        state.accept(tx)?;
        state.heard += 1;
        if state.loses_answers {
            return Err(Error::Internal(
                "the answer of the node was lost".to_owned(),
            ));
        }
        Ok(())
    }

    async fn holdings(&self, addresses: &[String]) -> Result<Holdings> {
        let state = self.reached()?;
        let tip = &state.blocks.last().unwrap().reference;
        let mined: Vec<ChainTx> = state
            .blocks
            .iter()
            .flat_map(|block| &block.txs)
            .map(told)
            .collect();
        let is_spent =
            |place: &Spent| -> bool { mined.iter().any(|other| other.inputs.contains(place)) };
        let mut held = Vec::new();
        for tx in &mined {
            for output in &tx.outputs {
                let place = Spent {
                    txid: tx.txid.clone(),
                    vout: output.vout,
                };
                if addresses.contains(&output.address) && !is_spent(&place) {
                    held.push(Held {
                        address: output.address.clone(),
                        place: Some(place),
                        raw: output.raw,
                        may_be_immature: false,
                    });
                }
            }
        }
        Ok(Holdings {
            hash: tip.hash.clone(),
            height: tip.height,
            held,
        })
    }

    fn drop_grace(&self) -> time::Duration {
        time::Duration::ZERO
    }
}

#[async_trait]
impl CoinNode for Net {
    async fn fee_rate(&self, _: u16) -> Result<Option<u64>> {
        Ok(self.reached()?.rate)
    }

    async fn incremental_rate(&self) -> Result<u64> {
        drop(self.reached()?);
        Ok(1_000)
    }

    async fn transaction(&self, txid: &str, block_hash: &str) -> Result<Option<Vec<u8>>> {
        let state = self.reached()?;
        let mut blocks = state.blocks.iter();
        let block = blocks.find(|block| block.reference.hash == block_hash);
        let txs = block.map_or(&[][..], |block| block.txs.as_slice());
        let found = txs.iter().find(|tx| {
            let id = tx.compute_txid();
            id.to_string() == txid && !state.withheld.contains(&id)
        });
        Ok(found.map(consensus::serialize))
    }
}
