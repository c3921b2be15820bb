//! Blocks and transactions in a node's own JSON, for chains whose serialised form nobody else
//! reads: Litecoin's has an extension block (MWEB) behind it.
//!
//! Invariant: amounts are read from the digits the node wrote, addresses from the script and not
//! from the node's text. Inputs and outputs inside the extension block have neither and are left
//! out.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::amount::satoshi;
use super::reading::{NO_HASH, ReadBlock, ReadError, ReadTx, TxKind};
use crate::chain::address::{CoinParams, output_address};
use crate::chain::backend::{ChainOutput, ChainTx, OutPoint};

#[derive(Deserialize)]
struct BlockJson {
    hash: String,
    previousblockhash: Option<String>,
    tx: Vec<TxJson>,
    /// There is an extension block, and so a transaction that connects it.
    mweb: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct TxJson {
    txid: String,
    vin: Vec<InputJson>,
    vout: Vec<OutputJson>,
    /// Only of transactions in a block.
    pub(super) blockhash: Option<String>,
}

#[derive(Deserialize)]
struct InputJson {
    txid: Option<String>,
    vout: Option<u32>,
    coinbase: Option<String>,
    #[serde(default)]
    ismweb: bool,
}

#[derive(Deserialize)]
struct OutputJson {
    value: Option<Box<RawValue>>,
    n: Option<i32>,
    #[serde(rename = "scriptPubKey")]
    script: Option<ScriptJson>,
    #[serde(default)]
    ismweb: bool,
}

#[derive(Deserialize)]
struct ScriptJson {
    hex: String,
}

/// Reads the block with this hash from the answer to `getblock` at verbosity 2.
pub(super) fn block(coin: &CoinParams, hash: &str, json: &str) -> Result<ReadBlock, ReadError> {
    let block: BlockJson = serde_json::from_str(json).map_err(ReadError::new)?;
    if block.hash != hash {
        return Err(ReadError::new("it is another block"));
    }
    let last = block.tx.len().saturating_sub(1);
    let mut txs = Vec::with_capacity(block.tx.len());
    for (place, tx) in block.tx.iter().enumerate() {
        let kind = if tx.vin.iter().any(|input| input.coinbase.is_some()) {
            TxKind::Coinbase
        } else if place == last && block.mweb.is_some() {
            TxKind::PegOut
        } else {
            TxKind::Payment
        };
        let tx = tx.read(coin)?;
        txs.push(ReadTx { tx, kind });
    }
    Ok(ReadBlock {
        prev_hash: block.previousblockhash.unwrap_or_else(|| NO_HASH.into()),
        txs,
    })
}

impl TxJson {
    pub(super) fn read(&self, coin: &CoinParams) -> Result<ChainTx, ReadError> {
        let mut inputs = Vec::new();
        for input in &self.vin {
            inputs.extend(input.read()?);
        }
        let mut outputs = Vec::new();
        for output in &self.vout {
            outputs.extend(output.read(coin)?);
        }
        Ok(ChainTx {
            txid: self.txid.clone(),
            inputs,
            outputs,
        })
    }
}

impl InputJson {
    fn read(&self) -> Result<Option<OutPoint>, ReadError> {
        match (&self.txid, self.vout) {
            (Some(txid), Some(vout)) => Ok(Some(OutPoint {
                txid: txid.clone(),
                vout: i32::try_from(vout).map_err(ReadError::new)?,
            })),
            _ if self.ismweb || self.coinbase.is_some() => Ok(None),
            _ => Err(ReadError::new("an input spends nothing")),
        }
    }
}

impl OutputJson {
    fn read(&self, coin: &CoinParams) -> Result<Option<ChainOutput>, ReadError> {
        if self.ismweb {
            return Ok(None);
        }
        let (Some(value), Some(vout), Some(script)) = (&self.value, self.n, &self.script) else {
            return Err(ReadError::new("an output is not whole"));
        };
        let raw = satoshi(value.get())
            .ok_or_else(|| ReadError::new(format!("{} is no amount", value.get())))?;
        let script = hex::decode(&script.hex).map_err(ReadError::new)?;
        Ok(output_address(coin, &script).map(|address| ChainOutput { vout, address, raw }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chain::address::{Network, params_on};

    fn coin() -> &'static CoinParams {
        params_on("LTC", Network::Regtest).unwrap()
    }

    /// A block with a coinbase, a payment into the extension block and one out of it.
    fn blocks_json() -> Value {
        json!({
            "hash": "b0", "height": 434, "previousblockhash": "a0", "mweb": {"height": 434},
            "tx": [
                {"txid": "c0", "vin": [{"ismweb": false, "coinbase": "02b1", "sequence": 1}],
                 "vout": [{"ismweb": false, "value": 12, "n": 0,
                           "scriptPubKey": {"hex": "00142bc03557b1c7f0a233f33cbb4bb5fb7e9d50b452"}}]},
                {"txid": "d0",
                 "vin": [{"ismweb": false, "txid": "e0", "vout": 1}, {"ismweb": true, "output_id": "f0"}],
                 "vout": [{"ismweb": true, "output_id": "f1"},
                          {"ismweb": false, "value": 3, "n": 1,
                           "scriptPubKey": {"hex": "6a", "type": "nulldata"}}]},
                {"txid": "d1", "vin": [{"ismweb": false, "txid": "e1", "vout": 0}],
                 "vout": [{"ismweb": false, "value": 777, "n": 1,
                           "scriptPubKey": {"hex": "0014248754b71b7f3143b5902c2bc94c9e8123a20c1b"}}]},
            ],
        })
    }

    #[test]
    fn a_block_with_an_extension_block() {
        let read = block(coin(), "b0", &blocks_json().to_string()).unwrap();
        assert_eq!(read.prev_hash, "a0");
        let kinds: Vec<TxKind> = read.txs.iter().map(|tx| tx.kind).collect();
        assert_eq!(kinds, [TxKind::Coinbase, TxKind::Payment, TxKind::PegOut]);
        let spent = |txid: &str, vout| OutPoint {
            txid: txid.to_owned(),
            vout,
        };
        assert_eq!(read.txs[0].tx.inputs, []);
        assert_eq!(read.txs[1].tx.inputs, [spent("e0", 1)]);
        assert_eq!(read.txs[1].tx.outputs, []);
        assert_eq!(
            read.txs[2].tx.outputs,
            [ChainOutput {
                vout: 1,
                address: "rltc1qyjr4fdcm0uc58dvs9s4ujny7sy36yrqmu57edw".into(),
                raw: 77_700_000_000,
            }]
        );
    }

    #[test]
    fn an_amount_is_read_digit_by_digit() {
        let text = blocks_json()
            .to_string()
            .replace("777", "90071992.54740993");
        let read = block(coin(), "b0", &text).unwrap();
        assert_eq!(read.txs[2].tx.outputs[0].raw, 9_007_199_254_740_993);
    }

    #[test]
    fn without_an_extension_block_the_last_transaction_is_a_payment() {
        let mut json = blocks_json();
        json["mweb"] = Value::Null;
        json["previousblockhash"] = Value::Null;
        let read = block(coin(), "b0", &json.to_string()).unwrap();
        assert_eq!(read.txs[2].kind, TxKind::Payment);
        assert_eq!(read.prev_hash, NO_HASH);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        assert!(block(coin(), "b1", &blocks_json().to_string()).is_err());
        for (pointer, wrong) in [
            ("/tx/2/vin/0/txid", Value::Null),
            ("/tx/2/vin/0/vout", json!(-1)),
            ("/tx/2/vout/0/value", json!("1.0")),
            ("/tx/2/vout/0/value", json!(-1)),
            ("/tx/2/vout/0/n", Value::Null),
            ("/tx/2/vout/0/scriptPubKey/hex", json!("0")),
            ("/tx/2/vout/0/scriptPubKey", Value::Null),
            ("/tx", Value::Null),
        ] {
            let mut json = blocks_json();
            *json.pointer_mut(pointer).unwrap() = wrong;
            assert!(block(coin(), "b0", &json.to_string()).is_err(), "{pointer}");
        }
    }
}
