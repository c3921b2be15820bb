//! Blocks and transactions in their serialised form, in hexadecimal: exact, compact, and provable
//! against the hash they were asked by.

use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Block, Transaction};

use super::reading::{ReadBlock, ReadError, ReadTx, TxKind};
use crate::chain::address::{CoinParams, output_address};
use crate::chain::backend::{ChainOutput, ChainTx, OutPoint};

/// Reads the block with this hash.
pub(super) fn block(coin: &CoinParams, hash: &str, hex: &str) -> Result<ReadBlock, ReadError> {
    let block: Block = deserialize_hex(hex).map_err(ReadError::new)?;
    if block.block_hash().to_string() != hash {
        return Err(ReadError::new("it is another block"));
    }
    if !block.check_merkle_root() {
        return Err(ReadError::new(
            "its transactions are not those of its header",
        ));
    }
    let txs = block.txdata.iter().map(|tx| read(coin, tx));
    Ok(ReadBlock {
        prev_hash: block.header.prev_blockhash.to_string(),
        txs: txs.collect::<Result<_, _>>()?,
    })
}

/// Reads the transaction with this id.
pub(super) fn transaction(coin: &CoinParams, txid: &str, hex: &str) -> Result<ChainTx, ReadError> {
    let tx: Transaction = deserialize_hex(hex).map_err(ReadError::new)?;
    let read = read(coin, &tx)?.tx;
    if read.txid == txid {
        Ok(read)
    } else {
        Err(ReadError::new("it is another transaction"))
    }
}

fn read(coin: &CoinParams, tx: &Transaction) -> Result<ReadTx, ReadError> {
    let is_coinbase = tx.is_coinbase();
    let mut inputs = Vec::new();
    if !is_coinbase {
        for input in &tx.input {
            inputs.push(OutPoint {
                txid: input.previous_output.txid.to_string(),
                vout: i32::try_from(input.previous_output.vout).map_err(ReadError::new)?,
            });
        }
    }
    let mut outputs = Vec::new();
    for (vout, output) in (0..).zip(&tx.output) {
        outputs.extend(
            output_address(coin, output.script_pubkey.as_bytes()).map(|address| ChainOutput {
                vout,
                address,
                raw: u128::from(output.value.to_sat()),
            }),
        );
    }
    Ok(ReadTx {
        tx: ChainTx {
            txid: tx.compute_txid().to_string(),
            inputs,
            outputs,
        },
        kind: if is_coinbase {
            TxKind::Coinbase
        } else {
            TxKind::Payment
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bitcoin::blockdata::constants::genesis_block;
    use bitcoin::consensus::encode::serialize_hex;

    use super::*;
    use crate::chain::address::params;

    const GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    fn coin() -> &'static CoinParams {
        params("BTC").unwrap()
    }

    /// The first payment between two people: block 170 of the main network.
    const FIRST_PAYMENT: &str = concat!(
        "0100000001c997a5e56e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402",
        "204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4",
        "acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca9a3b00000000434104ae1a62fe09c5f51b",
        "13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7303b8a0626f1ba",
        "ded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482e",
        "cad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000",
    );
    const FIRST_PAYMENT_ID: &str =
        "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";

    #[test]
    fn the_first_block_has_a_coinbase_without_inputs() {
        let hex = serialize_hex(&genesis_block(bitcoin::Network::Bitcoin));
        let read = block(coin(), GENESIS, &hex).unwrap();
        assert_eq!(read.prev_hash, "0".repeat(64));
        let [only] = read.txs.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(only.kind, TxKind::Coinbase);
        assert_eq!(
            only.tx,
            ChainTx {
                txid: "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b".into(),
                inputs: Vec::new(),
                // It pays a bare public key.
                outputs: Vec::new(),
            }
        );
    }

    #[test]
    fn a_block_is_read_only_as_the_one_that_was_asked_for() {
        let mut changed = genesis_block(bitcoin::Network::Bitcoin);
        let other = genesis_block(bitcoin::Network::Regtest);
        assert!(block(coin(), GENESIS, &serialize_hex(&other)).is_err());
        changed.txdata.push(changed.txdata[0].clone());
        changed.txdata[1].version.0 = 7;
        assert!(block(coin(), GENESIS, &serialize_hex(&changed)).is_err());
        let whole = serialize_hex(&genesis_block(bitcoin::Network::Bitcoin));
        for hex in ["", "00", "zz", &whole[2..], &whole[..whole.len() - 2]] {
            assert!(block(coin(), GENESIS, hex).is_err());
        }
        assert!(block(coin(), GENESIS, &format!("{whole}00")).is_err());
    }

    #[test]
    fn a_transaction_is_read_with_what_it_spends() {
        let read = transaction(coin(), FIRST_PAYMENT_ID, FIRST_PAYMENT).unwrap();
        assert_eq!(
            read.inputs,
            [OutPoint {
                txid: "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9".into(),
                vout: 0,
            }]
        );
        assert_eq!(read.outputs, []);
        assert!(transaction(coin(), GENESIS, FIRST_PAYMENT).is_err());
    }

    #[test]
    fn outputs_keep_their_places_and_amounts() {
        let mut tx: Transaction = deserialize_hex(FIRST_PAYMENT).unwrap();
        let script = hex::decode("0014751e76e8199196d454941c45d1b3a323f1433bd6").unwrap();
        tx.output[1].script_pubkey = script.into();
        let txid = tx.compute_txid().to_string();
        let read = transaction(coin(), &txid, &serialize_hex(&tx)).unwrap();
        assert_eq!(
            read.outputs,
            [ChainOutput {
                vout: 1,
                address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".into(),
                raw: 4_000_000_000,
            }]
        );
    }
}
