//! Transactions of ours that come with another id than they are stored with: where signatures are part of
//! the id, whoever signs or relays may change it.
//!
//! Invariant: only what spends exactly the coins of a plan and pays exactly its outputs is taken for it.

use std::collections::BTreeSet;

use bitcoin::OutPoint;
use domain::money::Currency;
use signing::Plan;

use super::{dropping, other_ids_store, store};
use crate::chain::Chain;
use crate::chain::address::{CoinParams, output_address};
use crate::chain::backend::ChainTx;
use crate::ledger::Unit;
use crate::{Gateway, Result};

/// Notes those of `txs` that are ours under another id, before anybody takes them for somebody else's.
pub(crate) async fn note_other_ids(unit: &mut Unit, chain: &Chain, txs: &[ChainTx]) -> Result<()> {
    if chain
        .payer
        .wallet()
        .is_none_or(|wallet| wallet.ids_are_known())
    {
        return Ok(());
    }
    let code = chain.params.code;
    for found in other_ids_store::candidates(unit.conn(), code, txs).await? {
        let Some(tx) = txs.iter().find(|tx| tx.txid == found.spender) else {
            continue;
        };
        if is_the_same(chain.params, &found.plan, tx) {
            other_ids_store::insert(unit.conn(), code, &tx.txid, found.tx_id).await?;
        }
    }
    Ok(())
}

fn is_the_same(coin: &CoinParams, plan: &Plan, tx: &ChainTx) -> bool {
    let planned: BTreeSet<(String, i32)> = plan
        .inputs
        .iter()
        .filter_map(|input| {
            let OutPoint { txid, vout } = input.outpoint;
            Some((txid.to_string(), i32::try_from(vout).ok()?))
        })
        .collect();
    let spent: BTreeSet<(String, i32)> = tx
        .inputs
        .iter()
        .map(|input| (input.txid.clone(), input.vout))
        .collect();
    let mut outputs = (0_i32..).zip(&plan.outputs);
    planned == spent
        && plan.outputs.len() == tx.outputs.len()
        && outputs.all(|(vout, planned)| {
            let address = output_address(coin, planned.script.as_bytes());
            tx.outputs.iter().any(|output| {
                output.vout == vout
                    && output.raw == u128::from(planned.satoshi)
                    && address.as_deref() == Some(output.address.as_str())
            })
        })
}

/// Calls transactions by the id under which the chain has them.
pub(super) async fn follow_ids(gateway: &Gateway, coin: Currency) -> Result<()> {
    let mut conn = gateway.side_pool().acquire().await?;
    let changed = other_ids_store::changed(&mut conn, coin.code.as_str()).await?;
    drop(conn);
    for (id, txid) in changed {
        let inner = gateway.clone();
        gateway
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let currencies = inner.currencies();
                    let payout = store::find(unit.conn(), currencies, id).await?.payout_id;
                    dropping::lock(unit, currencies, payout).await?;
                    let tx = store::find(unit.conn(), currencies, id).await?;
                    if tx.txid == txid {
                        return Ok(());
                    }
                    let code = coin.code.as_str();
                    // It may come back under the old one.
                    other_ids_store::insert(unit.conn(), code, &tx.txid, id).await?;
                    other_ids_store::rename(unit.conn(), &tx, &txid).await
                })
            })
            .await?;
    }
    Ok(())
}
