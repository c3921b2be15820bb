mod store;

use std::collections::HashMap;

use crate::Result;
use crate::chain::Chain;
use crate::chain::backend::{BlockRef, ChainOutput, ChainTx};
use crate::chain::base_units;
use crate::charges::receiving::SeenOutput;
use crate::ledger::Unit;

/// An output to one of our addresses.
struct Payment<'a> {
    tx: &'a ChainTx,
    output: &'a ChainOutput,
    address_id: i64,
    /// Ledger units of the coin.
    units: i128,
}

/// Stores those of `txs` that pay us, with their place: a block, or the mempool for `None`.
///
/// Answers their outputs to us, whether or not they were known before. An address counts whatever
/// coin it was given out for: coins that share a form of address can be sent to each other's.
pub(super) async fn record(
    unit: &mut Unit,
    chain: &Chain,
    txs: &[ChainTx],
    block: Option<&BlockRef>,
) -> Result<Vec<SeenOutput>> {
    let mut addresses: Vec<&str> = txs
        .iter()
        .flat_map(|tx| &tx.outputs)
        .map(|output| output.address.as_str())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let owners = store::owners(unit.conn(), &addresses).await?;
    let payments = payments(chain, txs, &owners);
    if payments.is_empty() {
        return Ok(Vec::new());
    }
    let mut paying: Vec<&ChainTx> = payments.iter().map(|payment| payment.tx).collect();
    // Payments of one transaction are neighbours.
    paying.dedup_by(|tx, before| tx.txid == before.txid);
    let (code, now) = (chain.params.code, unit.now());
    store::insert_txs(unit.conn(), code, &paying, block, now).await?;
    store::insert_spends(unit.conn(), code, &paying).await?;
    let mut rows = store::OutputRows::default();
    for payment in &payments {
        rows.push(payment.tx, payment.output, payment.address_id)?;
    }
    rows.insert(unit.conn(), code).await?;
    Ok(payments.iter().map(|payment| payment.seen(chain)).collect())
}

/// The outputs worth something to us.
fn payments<'a>(
    chain: &Chain,
    txs: &'a [ChainTx],
    owners: &HashMap<String, i64>,
) -> Vec<Payment<'a>> {
    let digits = base_units::digits(chain.params);
    let mut payments = Vec::new();
    for tx in txs {
        for output in tx.outputs.iter().filter(|output| output.raw > 0) {
            let Some(&address_id) = owners.get(&output.address) else {
                continue;
            };
            let Some(units) = base_units::to_ledger(chain.coin, digits, output.raw) else {
                // More than any coin has in existence: a worthless token, or a broken node.
                tracing::error!(
                    chain = chain.params.code, txid = tx.txid, vout = output.vout,
                    raw = %output.raw, "an output is larger than the ledger holds; ignored"
                );
                continue;
            };
            payments.push(Payment {
                tx,
                output,
                address_id,
                units,
            });
        }
    }
    payments
}

impl Payment<'_> {
    fn seen(&self, chain: &Chain) -> SeenOutput {
        SeenOutput {
            coin: chain.coin,
            txid: self.tx.txid.clone(),
            vout: self.output.vout,
            address_id: self.address_id,
            units: self.units,
        }
    }
}
