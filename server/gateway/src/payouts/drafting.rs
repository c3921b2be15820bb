//! From withdrawals that wait to a transaction that is stored and waits for its signatures.
//!
//! Invariant: until the last unit nothing is kept, so a crash before it leaves withdrawals that wait;
//! after it they ride.

use std::collections::BTreeMap;

use bitcoin::{Psbt, ScriptBuf, Transaction, Txid};
use domain::withdrawal::WithdrawalState;
use signing::{Payment, Plan, Purpose, Selection, psbt, select};

use super::attention::tell_of_waiting;
use super::choosing::{Chosen, Wish, choose};
use super::coins_store as coins;
use super::store::{self, NewTx};
use super::wallet::Wallet;
use super::{lock_store, reference, refused_store, rider_store, work};
use crate::chain::address::{output_address, parse_address};
use crate::chain::{Chain, base_units};
use crate::ledger::Unit;
use crate::mail::tell_operators;
use crate::operations::{OperationRow, store as operations};
use crate::withdrawals::{WithdrawalRow, store as withdrawals};
use crate::{Error, Gateway, Result};

const MEANWHILE: Error = Error::Conflict("somebody else has planned with the same coins");

/// Transactions that made coins, by their ids.
type Previous = BTreeMap<Txid, Transaction>;

/// How long a withdrawal may be planned with before another process may try.
const LEASE_SECONDS: i32 = 120;

/// Plans what is due on one chain; true when there was something.
pub(super) async fn draft_due(gateway: &Gateway, chain: &Chain, wallet: &Wallet) -> Result<bool> {
    let now = gateway.clock().now();
    let limit = i64::from(wallet.rules.batch_max);
    let coin = chain.coin.id;
    let pool = gateway.pool();
    let mut due = withdrawals::claim_of_coin(pool, coin, now, LEASE_SECONDS, limit, false).await?;
    if due.is_empty() {
        // What a signer has refused is tried alone: it keeps nobody else waiting.
        due = withdrawals::claim_of_coin(pool, coin, now, LEASE_SECONDS, 1, true).await?;
    }
    if due.is_empty() {
        return Ok(false);
    }
    let left = match draft(gateway, chain, wallet, &due).await {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(chain = chain.params.code, %error, "a payout could not be planned");
            let why = error.to_string();
            due.into_iter().map(|id| (id, why.clone(), false)).collect()
        }
    };
    for (id, why, is_waiting) in left {
        let still_waits =
            withdrawals::failed(gateway.pool(), id, &why, now, work::pause_after).await?;
        if is_waiting && still_waits {
            tell_of_waiting(gateway, chain.coin, id, &why).await?;
        }
    }
    Ok(true)
}

/// Answers those that were left out, why, and whether people should know.
async fn draft(
    gateway: &Gateway,
    chain: &Chain,
    wallet: &Wallet,
    due: &[i64],
) -> Result<Vec<(i64, String, bool)>> {
    let mut wishes = Vec::new();
    let mut left = Vec::new();
    let mut conn = gateway.pool().acquire().await?;
    for id in due {
        let row = withdrawals::find(&mut conn, gateway.currencies(), *id).await?;
        if row.state != WithdrawalState::Queued || row.payout_id.is_some() {
            continue;
        }
        match wish(chain, &row) {
            Ok(wish) => wishes.push(wish),
            Err(error) => left.push((*id, error.to_string(), true)),
        }
    }
    let terms = gateway.terms_of(&mut conn, chain.coin).await?;
    drop(conn);
    if wishes.is_empty() {
        return Ok(left);
    }
    // A coin is ours to spend once a deposit of any size would be final.
    let deep = terms.confirmations_large;
    // In the order they were asked for.
    wishes.sort_by_key(|wish| wish.operation_id);
    let (chosen, previous) = plan(gateway, chain, wallet, &wishes, deep).await?;
    let Chosen { plan, left: unpaid } = chosen;
    left.extend(
        unpaid
            .into_iter()
            .map(|(id, why)| (id, why.to_string(), true)),
    );
    let Some((plan, riders)) = plan else {
        return Ok(left);
    };
    let psbt = psbt::build(&plan, &wallet.account, &previous).map_err(Error::internal)?;
    let draft = Draft { plan, psbt, riders };
    store_draft(gateway, chain, wallet, draft, terms.confirmations).await?;
    Ok(left)
}

/// Plans a transaction for as many as can be paid, with the transactions that made its coins.
///
/// Coins whose transaction the node does not give away are not spent with others: a signer could not
/// know what they are worth.
async fn plan(
    gateway: &Gateway,
    chain: &Chain,
    wallet: &Wallet,
    wishes: &[Wish],
    confirmations: u32,
) -> Result<(Chosen, Previous)> {
    let mut found = coins::available(gateway.pool(), chain, wallet, confirmations).await?;
    let change = coins::next_change(gateway.pool(), chain, wallet).await?;
    let fee_rate = wallet.rate().await?;
    loop {
        let chosen = choose(wishes.to_vec(), |payments: &[Payment]| {
            select(&Selection {
                coins: &found,
                payments,
                change: &change,
                fee_rate,
                caps: wallet.rules.caps,
                confirmations_min: 1,
                chain: wallet.chain,
            })
        });
        let Some((plan, _)) = &chosen.plan else {
            return Ok((chosen, Previous::new()));
        };
        let previous = coins::previous(gateway.pool(), chain, wallet, plan).await?;
        let unproven = coins::unproven(plan, &previous, wallet);
        if unproven.is_empty() {
            return Ok((chosen, previous));
        }
        found.retain(|coin| !unproven.contains(&coin.outpoint));
    }
}

fn wish(chain: &Chain, row: &WithdrawalRow) -> Result<Wish> {
    let address = parse_address(chain.params, &row.address).map_err(Error::internal)?;
    let raw = base_units::from_ledger(row.sent, base_units::digits(chain.params))
        .ok_or_else(|| Error::Internal(format!("{} is no amount of its chain", row.sent)))?;
    Ok(Wish {
        operation_id: row.operation_id,
        payment: Payment {
            script: ScriptBuf::from_bytes(address.script),
            satoshi: u64::try_from(raw)?,
            reference: reference(row.operation_id),
        },
    })
}

struct Draft {
    plan: Plan,
    psbt: Psbt,
    riders: Vec<i64>,
}

async fn store_draft(
    gateway: &Gateway,
    chain: &Chain,
    wallet: &Wallet,
    draft: Draft,
    confirmations: u32,
) -> Result<()> {
    let (inner, coin) = (gateway.clone(), chain.coin);
    let change = change_address(chain, &draft.plan)?;
    let by_hand = !wallet.signs_by_itself();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let Draft { plan, psbt, riders } = draft;
                let now = unit.now();
                let locked = operations::lock(unit.conn(), inner.currencies(), &riders).await?;
                let payout = store::insert_payout(unit.conn(), coin, confirmations, now).await?;
                if !rider_store::ride(unit.conn(), payout, &riders).await? {
                    return Err(MEANWHILE);
                }
                let refused = refused_store::among(unit.conn(), &riders).await?;
                let calm = |row: &OperationRow| row.needs_attention && !refused.contains(&row.id);
                for mut operation in locked.into_iter().filter(calm) {
                    operation.needs_attention = false;
                    operation.error = None;
                    operation.updated_at = now;
                    operations::update(unit.conn(), &operation).await?;
                }
                let new = NewTx {
                    payout_id: payout,
                    chain: coin.code.as_str(),
                    replaces: None,
                    plan: &plan,
                    psbt: psbt.serialize(),
                    txid: id_of(&psbt),
                    made_by: super::bump::BY_ITSELF,
                };
                store::insert_tx(unit.conn(), new, now).await?;
                keep(unit, coin.code.as_str(), payout, &plan, change).await?;
                if by_hand {
                    tell_signers(unit, payout, coin.code.as_str()).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Keeps the coins of a plan for its payout, and the place where its change goes, if it is a new one.
pub(super) async fn keep(
    unit: &mut Unit,
    chain: &str,
    payout: i64,
    plan: &Plan,
    change: Option<(u32, String)>,
) -> Result<()> {
    let now = unit.now();
    if let Some((index, address)) = change
        && !coins::take_change(unit.conn(), chain, index, &address, now).await?
    {
        return Err(MEANWHILE);
    }
    if !lock_store::lock_coins(unit.conn(), chain, payout, plan).await? {
        return Err(MEANWHILE);
    }
    Ok(())
}

/// The id a transaction is looked for by: the one it will have, or, as long as nobody can know that, the
/// one it has without signatures.
pub(super) fn id_of(psbt: &Psbt) -> String {
    signing::psbt::known_txid(psbt)
        .unwrap_or_else(|| psbt.unsigned_tx.compute_txid())
        .to_string()
}

/// Where the change of a plan goes.
pub(super) fn change_address(chain: &Chain, plan: &Plan) -> Result<Option<(u32, String)>> {
    let change = plan.outputs.iter().find_map(|output| match output.purpose {
        Purpose::Change { index } => Some((index, &output.script)),
        Purpose::Payment { .. } => None,
    });
    change
        .map(|(index, script)| {
            output_address(chain.params, script.as_bytes())
                .map(|address| (index, address))
                .ok_or_else(|| Error::Internal("the change has no address".to_owned()))
        })
        .transpose()
}

/// Somebody has to sign it by hand.
pub(super) async fn tell_signers(unit: &mut Unit, payout: i64, coin: &str) -> Result<()> {
    let subject = format!("Payout {payout} waits for a signature");
    let text = format!(
        "A transaction of payout {payout} ({coin}) is ready to be signed. Download it from the \
         page of payouts, sign it where the key is, and upload it there again."
    );
    tell_operators(unit, &subject, &text).await
}
