//! From a withdrawal that waits to a transaction with a number, stored before anybody is asked to sign it.
//!
//! Invariant: the number, the payment and what is planned are written in one unit, so a crash before its
//! end leaves a withdrawal that waits and no gap.

use domain::withdrawal::WithdrawalState;
use signing::evm::{Account, Transaction};

use super::attention;
use super::fees::Price;
use super::row::{Purpose, TxRow, shown};
use super::store::{self, NewPayment, Place};
use super::wallet::Treasury;
use super::{tx_store, work};
use crate::chain::evm::{self, Asset, Estimate, Funds};
use crate::chain::{Chain, base_units};
use crate::operations::store as operations;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result, roster};

/// How long a withdrawal may be planned with before another process may try.
const LEASE_SECONDS: i32 = 120;
/// Withdrawals planned in one go.
const BATCH: i64 = 20;

/// More gas than moving ether or tokens ever takes; what a receiver's contract does beyond is its own.
const GAS_MAX: u64 = 300_000;
/// What moving ether between plain accounts takes, always.
const GAS_OF_ETHER: u64 = 21_000;

/// Who makes transactions that nobody asked for.
pub(super) const BY_ITSELF: &str = "exchequer";

/// What became of a withdrawal that was looked at.
enum Drafted {
    /// This transaction pays it.
    As(i64),
    /// Not now, and people should know why.
    Waits(String),
    /// Somebody else was faster, or has used the key.
    Nothing,
}

/// Plans what is due on one chain; true when there was something.
pub(super) async fn draft_due(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
) -> Result<bool> {
    let now = gateway.clock().now();
    let coin = chain.coin.id;
    let mut due = Vec::new();
    // What a signer has refused comes last.
    for is_refused in [false, true] {
        let mut claimed =
            withdrawals::claim_of_coin(gateway.pool(), coin, now, LEASE_SECONDS, BATCH, is_refused)
                .await?;
        claimed.sort_unstable();
        due.extend(claimed);
    }
    if due.is_empty() {
        return Ok(false);
    }
    for id in due {
        roster::note_step();
        let (why, is_waiting) = match draft(gateway, chain, treasury, id).await {
            Ok(Drafted::As(tx)) => {
                if treasury.signs_by_itself() {
                    // One after the other: an unsigned one keeps all behind it waiting.
                    work::step_now(gateway, tx).await?;
                }
                continue;
            }
            Ok(Drafted::Nothing) => ("it waits for another payment".to_owned(), false),
            Ok(Drafted::Waits(why)) => (why, true),
            Err(error) => {
                tracing::error!(operation = id, %error, "a payment could not be planned");
                (error.to_string(), false)
            }
        };
        let still_waits =
            withdrawals::failed(gateway.pool(), id, &why, now, work::pause_after).await?;
        if is_waiting && still_waits {
            attention::tell_of_waiting(gateway, id, &why).await?;
        }
    }
    Ok(true)
}

/// A withdrawal as the chain pays it.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) receiver: Account,
    /// Base units of the coin.
    pub(super) raw: u128,
    /// What the transaction says.
    pub(super) to: Account,
    pub(super) value: u128,
    pub(super) data: Vec<u8>,
}

async fn draft(gateway: &Gateway, chain: &Chain, treasury: &Treasury, id: i64) -> Result<Drafted> {
    let place = Place {
        chain_id: treasury.chain_id()?,
        address: treasury.address(),
    };
    let mut conn = gateway.pool().acquire().await?;
    let row = withdrawals::find(&mut conn, gateway.currencies(), id).await?;
    let terms = gateway.terms_of(&mut conn, chain.coin).await?;
    let paused = store::paused(&mut conn, &place).await?;
    let is_behind = treasury.signs_by_itself() && store::any_draft(&mut conn, &place).await?;
    drop(conn);
    if row.state != WithdrawalState::Queued || is_behind {
        return Ok(Drafted::Nothing);
    }
    if let Some(why) = paused {
        return Ok(Drafted::Waits(format!("payments are paused: {why}")));
    }
    let digits = base_units::digits(chain.params);
    let raw = base_units::from_ledger(row.sent, digits)
        .ok_or_else(|| Error::Internal(format!("{} is no amount of its chain", row.sent)))?;
    let receiver: evm::Account = row.address.parse().map_err(Error::internal)?;
    let wish = wish(treasury.node.asset(), Account(receiver.0), raw);
    let funds = treasury.node.funds(treasury.node_account()).await?;
    if funds.asset < raw {
        let (has, needed) = (
            shown(chain.coin, digits, funds.asset),
            shown(chain.coin, digits, raw),
        );
        let address = &place.address;
        return Ok(Drafted::Waits(format!(
            "waiting for funds: {address} has {has}, and {needed} are needed"
        )));
    }
    let market = treasury.node.fee_market().await?;
    let Some(price) = treasury.rules.price(market.base, market.tip) else {
        return Ok(Drafted::Waits(
            "gas costs more than the settings allow".to_owned(),
        ));
    };
    let gas = match gas_of(treasury, treasury.node_account(), &wish).await? {
        Ok(gas) => gas,
        Err(why) => return Ok(Drafted::Waits(why)),
    };
    store_draft(
        gateway,
        chain,
        treasury,
        Draft {
            id,
            wish,
            place,
            funds,
            price,
            gas,
            confirmations: terms.confirmations,
        },
    )
    .await
}

pub(super) fn wish(asset: Asset, receiver: Account, raw: u128) -> Wish {
    match asset {
        Asset::Native => Wish {
            receiver,
            raw,
            to: receiver,
            value: raw,
            data: Vec::new(),
        },
        Asset::Token { contract, .. } => Wish {
            receiver,
            raw,
            to: Account(contract.0),
            value: 0,
            data: Transaction::transfer_data(receiver, raw),
        },
    }
}

/// Units of gas to allow, or why it would be spent for nothing.
pub(super) async fn gas_of(
    treasury: &Treasury,
    from: evm::Account,
    wish: &Wish,
) -> Result<Result<u64, String>> {
    let to = evm::Account(wish.to.0);
    let estimate = treasury
        .node
        .estimate(from, to, wish.value, &wish.data)
        .await?;
    Ok(match estimate {
        Estimate::WouldFail(why) => Err(format!("the node says that it would fail: {why}")),
        Estimate::Gas(gas) if gas <= GAS_OF_ETHER => Ok(GAS_OF_ETHER),
        // Others change meanwhile what the call finds.
        Estimate::Gas(gas) if gas <= GAS_MAX => Ok((gas + gas / 4).min(GAS_MAX)),
        Estimate::Gas(gas) => Err(format!(
            "it would take {gas} units of gas, and at most {GAS_MAX} are paid for"
        )),
    })
}

struct Draft {
    id: i64,
    wish: Wish,
    place: Place,
    funds: Funds,
    price: Price,
    gas: u64,
    confirmations: u32,
}

async fn store_draft(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
    draft: Draft,
) -> Result<Drafted> {
    let (inner, coin) = (gateway.clone(), chain.coin);
    let digits = base_units::digits(chain.params);
    let by_hand = !treasury.signs_by_itself();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let Draft {
                    id,
                    wish,
                    place,
                    funds,
                    price,
                    gas,
                    confirmations,
                } = draft;
                let mut operation =
                    operations::lock_one(unit.conn(), inner.currencies(), id).await?;
                let row = withdrawals::find(unit.conn(), inner.currencies(), id).await?;
                let known = i64::try_from(funds.mined.max(funds.waiting))?;
                // What waits may vanish again, and would leave a gap for ever.
                let first = i64::try_from(funds.mined)?;
                let book = store::lock(unit.conn(), &place, first, now).await?;
                let is_paid = store::of_withdrawal(unit.conn(), id).await?.is_some();
                // Again, under the lock: behind one that may be refused nothing is signed.
                let is_behind = !by_hand && store::any_draft(unit.conn(), &place).await?;
                if row.state != WithdrawalState::Queued
                    || is_paid
                    || is_behind
                    || book.paused_why.is_some()
                {
                    return Ok(Drafted::Nothing);
                }
                if known > book.next_nonce {
                    let what = format!(
                        "the network knows {known} transactions of it, and here are {}",
                        book.next_nonce
                    );
                    attention::pause(unit, &place, &what).await?;
                    return Ok(Drafted::Nothing);
                }
                let plan = Transaction {
                    chain_id: u64::try_from(place.chain_id)?,
                    nonce: u64::try_from(book.next_nonce)?,
                    gas_limit: gas,
                    max_fee_per_gas: price.max,
                    max_priority_fee_per_gas: price.tip,
                    to: wish.to,
                    value: wish.value,
                    data: wish.data.clone(),
                };
                let mined = i64::try_from(funds.mined)?;
                let (ether, asset) = store::committed(unit.conn(), &place, mined, coin).await?;
                let cost = plan.fee_max().and_then(|fee| fee.checked_add(plan.value));
                let ether_needed = cost.and_then(|cost| cost.checked_add(ether));
                let asset_needed = asset.checked_add(wish.raw);
                let address = &place.address;
                if asset_needed.is_none_or(|needed| needed > funds.asset) {
                    let (has, taken) = (
                        shown(coin, digits, funds.asset),
                        shown(coin, digits, asset),
                    );
                    return Ok(Drafted::Waits(format!(
                        "waiting for funds: {address} has {has}, of which {taken} are on their way"
                    )));
                }
                if ether_needed.is_none_or(|needed| needed > funds.ether) {
                    let (has, needed) = (funds.ether, ether_needed.unwrap_or(u128::MAX));
                    return Ok(Drafted::Waits(format!(
                        "waiting for funds: {address} has {has} wei of ether, and with gas and what is \
                         on its way {needed} are needed"
                    )));
                }
                let to = wish.receiver.to_string();
                let new = NewPayment {
                    place: &place,
                    nonce: book.next_nonce,
                    purpose: Purpose::Withdrawal,
                    operation_id: Some(id),
                    coin,
                    to: &to,
                    raw: i128::try_from(wish.raw)?,
                    confirmations,
                };
                let payment = store::insert_payment(unit.conn(), new, now).await?;
                let tx =
                    tx_store::insert(unit.conn(), payment, None, &plan, BY_ITSELF, now).await?;
                // One that was refused needs a person until it is signed.
                if operation.needs_attention && !row.is_refused {
                    operation.needs_attention = false;
                    operation.error = None;
                    operation.updated_at = now;
                    operations::update(unit.conn(), &operation).await?;
                }
                if by_hand {
                    let title = format!("Withdrawal {id}");
                    attention::tell_signers(unit, &title, coin.code.as_str()).await?;
                }
                Ok(Drafted::As(tx))
            })
        })
        .await
}

/// A stored transaction, for whoever goes on with it.
pub(super) async fn stored(gateway: &Gateway, id: i64) -> Result<TxRow> {
    let mut conn = gateway.pool().acquire().await?;
    tx_store::find(&mut conn, gateway.currencies(), id).await
}
