mod foreign;
mod store;
mod vanished;

use std::collections::{HashMap, HashSet};

use self::store::StoredOutputs;
use crate::chain::Chain;
use crate::chain::backend::{BlockRef, ChainOutput, ChainTx};
use crate::chain::base_units;
use crate::charges::receiving::SeenOutput;
use crate::ledger::Unit;
use crate::{Result, payouts, withdrawals};

/// An output to one of our addresses.
struct Payment<'a> {
    tx: &'a ChainTx,
    output: &'a ChainOutput,
    address_id: i64,
    /// Ledger units of the coin.
    units: i128,
}

/// Stores those of `txs` that pay us, that we pay with or that spend what is ours, with their place: a
/// block, or the mempool for `None`. Of the last ones that nobody here made, people are told.
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
    let txids: Vec<&str> = txs.iter().map(|tx| tx.txid.as_str()).collect();
    if txids.is_empty() {
        return Ok(Vec::new());
    }
    // Before anything about outputs: a waiting transaction that calls a contract shows none.
    payouts::note_other_ids(unit, chain, txs).await?;
    let withdrawals = withdrawals::on_chain_store::ours(unit.conn(), chain.coin, &txids).await?;
    let owners = store::owners(unit.conn(), &addresses).await?;
    let payments = payments(chain, txs, &owners);
    let taken = foreign::taken(unit.conn(), chain, txs, &payments, &withdrawals).await?;
    // What pays us, what we pay with, and what takes what is ours.
    let reasons: HashSet<&str> = withdrawals
        .iter()
        .map(String::as_str)
        .chain(payments.iter().map(|payment| payment.tx.txid.as_str()))
        .chain(taken.iter().map(|coin| coin.spender.as_str()))
        .collect();
    let watched: Vec<&ChainTx> = txs
        .iter()
        .filter(|tx| reasons.contains(tx.txid.as_str()))
        .collect();
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let (code, now) = (chain.params.code, unit.now());
    // Before they are stored: what is stored was told of.
    foreign::tell(unit, chain, &taken).await?;
    // Most of what a block brings was stored when it was announced.
    let stored = match block {
        Some(_) => StoredOutputs::of(unit.conn(), code, &watched).await?,
        None => StoredOutputs::default(),
    };
    store::insert_txs(unit.conn(), code, &watched, block, now).await?;
    let mut fresh = watched;
    fresh.retain(|tx| !stored.has_any_of(tx));
    store::insert_spends(unit.conn(), code, &fresh).await?;
    if block.is_some() {
        vanished::forget(unit, chain, &stored, &payments).await?;
    }
    let mut rows = store::OutputRows::default();
    for payment in &payments {
        rows.push(payment.tx, payment.output, payment.address_id, &stored)?;
    }
    rows.insert(unit.conn(), code).await?;
    // Stored, and nobody's deposit: coins that stay ours.
    let senders = senders(unit, &payments).await?;
    Ok(payments
        .iter()
        .filter(|payment| sender(payment.tx).is_none_or(|from| !senders.contains(from)))
        .map(|payment| payment.seen(chain))
        .collect())
}

/// Whose account a transaction is from, on chains of accounts.
fn sender(tx: &ChainTx) -> Option<&str> {
    let input = tx.inputs.first()?;
    input.txid.split_once(':').map(|(account, _)| account)
}

/// Which of those that pay us are accounts of ours.
async fn senders(unit: &mut Unit, payments: &[Payment<'_>]) -> Result<HashSet<String>> {
    let mut accounts: Vec<&str> = payments
        .iter()
        .filter_map(|payment| sender(payment.tx))
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() {
        return Ok(HashSet::new());
    }
    let ours = store::owners(unit.conn(), &accounts).await?;
    Ok(ours.into_keys().collect())
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
