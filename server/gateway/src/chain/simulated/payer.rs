use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{SimChain, store};
use crate::chain::backend::{ChainOutput, ChainTx, OutPoint, Payer, SignedTx};
use crate::{Error, Result};

/// The bytes of a simulated transaction: its content, as text.
#[derive(Serialize, Deserialize)]
struct Bytes {
    txid: String,
    inputs: Vec<OutPoint>,
    address: String,
    raw: String,
}

#[async_trait]
impl Payer for SimChain {
    /// The same reference gives the same coins to spend and the same id, so two transactions for one
    /// withdrawal exclude each other here as they would on a real chain.
    async fn build(&self, reference: &str, address: &str, raw: u128) -> Result<SignedTx> {
        let txid = self.ids.named(&format!("transaction {reference}"));
        let bytes = Bytes {
            txid: txid.clone(),
            inputs: vec![OutPoint {
                txid: self.ids.named(&format!("coins {reference}")),
                vout: 0,
            }],
            address: address.to_owned(),
            raw: raw.to_string(),
        };
        Ok(SignedTx {
            txid,
            raw: serde_json::to_vec(&bytes).map_err(Error::internal)?,
        })
    }
}

impl SimChain {
    /// Takes a signed transaction into the mempool. One that is known stays where it is; one that
    /// vanished comes back, unless another transaction spends its coins by now.
    pub(super) async fn accept(&self, raw: &[u8]) -> Result<()> {
        let bytes: Bytes = serde_json::from_slice(raw).map_err(Error::internal)?;
        let mut edit = self.begin().await?;
        let known = store::find_tx(&mut *edit.tx, self.code, &bytes.txid).await?;
        if known.as_ref().is_some_and(|known| !known.gone) {
            return Ok(());
        }
        let spent = store::is_spent(&mut edit.tx, self.code, &bytes.txid, &bytes.inputs).await?;
        if spent {
            return Err(Error::Conflict("the coins of this transaction are spent"));
        }
        if known.is_some() {
            store::revive(&mut edit.tx, self.code, &bytes.txid).await?;
            return edit.finish().await;
        }
        let seq = edit.next_place();
        let tx = ChainTx {
            txid: bytes.txid,
            inputs: bytes.inputs,
            outputs: vec![ChainOutput {
                vout: 0,
                address: bytes.address,
                raw: bytes.raw.parse().map_err(Error::internal)?,
            }],
        };
        store::insert_tx(&mut edit.tx, self.code, seq, tx).await?;
        edit.finish().await
    }
}
