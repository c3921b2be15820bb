//! What deposits brought, to the account that pays: ether as it is, tokens after their address was sent ether for
//! the gas.
//!
//! Invariants: only what is final in the books is moved, and only between accounts of ours, so the books change
//! by the gas alone; what comes from an account of ours is nobody's deposit; each address has numbers of its
//! own, planned and stored like those of payments.

use domain::money::{Currency, Money, Rounding, convert};
use signing::evm::{Account, Transaction};
use time::{Duration, OffsetDateTime};

use super::drafting::{self, BY_ITSELF, Wish};
use super::fees::Price;
use super::row::{self, Purpose};
use super::store::{self, NewPayment, Place};
use super::sweep_store::{self, Source};
use super::wallet::Treasury;
use super::{attention, tx_store, work};
use crate::chain::evm::{self, Asset, Funds};
use crate::chain::{Chain, base_units};
use crate::{Error, Gateway, Result, roster};

/// How often the deposits of a chain are looked through.
const EVERY: Duration = Duration::minutes(10);
/// What failed or was refused is not tried again for as long: each time may cost gas.
const REST: Duration = Duration::DAY;
/// Addresses looked at in one pass.
const BATCH: i64 = 100;

/// The coin that gas is paid with.
const ETHER: &str = "ETH";
/// What moving ether takes.
const GAS_OF_ETHER: u64 = 21_000;

/// Moves what is worth it; true when there was something. Where people sign, it is planned and waits for them.
pub(super) async fn sweep_due(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
) -> Result<bool> {
    let Some(multiple) = treasury.rules.sweep_multiple else {
        return Ok(false);
    };
    let (now, code) = (gateway.clock().now(), chain.params.code);
    if !sweep_store::begin_pass(gateway.pool(), code, now, now + EVERY).await? {
        return Ok(false);
    }
    let chain_id = treasury.chain_id()?;
    let sources =
        sweep_store::sources(gateway.pool(), chain.coin, chain_id, now - REST, BATCH).await?;
    if sources.is_empty() {
        return Ok(false);
    }
    let market = treasury.node.fee_market().await?;
    let Some(price) = treasury.rules.price(market.base, market.tip) else {
        return Ok(false);
    };
    // Before anything is tried: what takes a process down has had its turn, too.
    sweep_store::looked_at(gateway.pool(), code, &sources, now).await?;
    let mut worked = false;
    for source in sources {
        roster::note_step();
        match plan_one(gateway, chain, treasury, &source, price, multiple).await {
            Ok(Some(tx)) => {
                worked = true;
                if treasury.signs_by_itself() {
                    work::step_now(gateway, tx).await?;
                }
            }
            Ok(None) => {}
            Err(error) => {
                let address = source.address;
                tracing::error!(address, %error, "a deposit could not be moved, will try again");
            }
        }
    }
    Ok(worked)
}

/// Whether something would be looked at by `now`.
pub(super) async fn any_due(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
    now: OffsetDateTime,
) -> Result<bool> {
    if treasury.rules.sweep_multiple.is_none()
        || !sweep_store::is_pass_due(gateway.pool(), chain.params.code, now).await?
    {
        return Ok(false);
    }
    let chain_id = treasury.chain_id()?;
    let sources = sweep_store::sources(gateway.pool(), chain.coin, chain_id, now - REST, 1).await?;
    Ok(!sources.is_empty())
}

/// Plans the transaction that comes next for an address: its sweep, or the gas for it.
async fn plan_one(
    gateway: &Gateway,
    chain: &Chain,
    treasury: &Treasury,
    source: &Source,
    price: Price,
    multiple: u32,
) -> Result<Option<i64>> {
    let from: evm::Account = source.address.parse().map_err(Error::internal)?;
    let place = Place {
        chain_id: treasury.chain_id()?,
        address: source.address.clone(),
    };
    let mut conn = gateway.pool().acquire().await?;
    let is_busy = store::paused(&mut conn, &place).await?.is_some()
        || store::any_draft(&mut conn, &place).await?;
    let terms = gateway.terms_of(&mut conn, chain.coin).await?;
    drop(conn);
    if is_busy {
        return Ok(None);
    }
    let funds = treasury.node.funds(from).await?;
    let asset = treasury.node.asset();
    let there = match asset {
        // Room for a replacement with a higher fee.
        Asset::Native => funds.ether.saturating_sub(
            u128::from(GAS_OF_ETHER)
                .saturating_mul(price.max)
                .saturating_mul(2),
        ),
        Asset::Token { .. } => funds.asset,
    };
    let raw = there.min(source.raw);
    if raw == 0 {
        return Ok(None);
    }
    let wish = drafting::wish(asset, treasury.account, raw);
    let gas = match drafting::gas_of(treasury, from, &wish).await? {
        Ok(gas) => gas,
        Err(why) => {
            tracing::warn!(address = place.address, why, "a deposit cannot be moved");
            return Ok(None);
        }
    };
    let fee = u128::from(gas)
        .checked_mul(price.max)
        .ok_or_else(|| Error::Internal("gas costs more than there is".to_owned()))?;
    if !is_worth_it(gateway, chain, raw, fee, multiple).await? {
        return Ok(None);
    }
    if matches!(asset, Asset::Token { .. }) && funds.ether < fee {
        // A quarter more: the price may rise until it is there.
        let wei = (fee + fee / 4).saturating_sub(funds.ether);
        return send_gas(gateway, &place, Account(from.0), wei, price).await;
    }
    let new = Move {
        purpose: Purpose::Sweep,
        place,
        wish,
        funds,
        price,
        gas,
        confirmations: terms.confirmations,
        by_hand: !treasury.signs_by_itself(),
    };
    store_move(gateway, chain.coin, new).await
}

/// Ether from the account that pays to the address of a deposit.
async fn send_gas(
    gateway: &Gateway,
    to: &Place,
    receiver: Account,
    wei: u128,
    price: Price,
) -> Result<Option<i64>> {
    let Some(chain) = gateway.chains().get(ETHER) else {
        return Ok(None);
    };
    let Some(treasury) = chain.payer.treasury() else {
        return Ok(None);
    };
    let rest = gateway.clock().now() - REST;
    let mut conn = gateway.pool().acquire().await?;
    let is_coming = sweep_store::has_gas_coming(&mut conn, to, rest).await?;
    let terms = gateway.terms_of(&mut conn, chain.coin).await?;
    drop(conn);
    if is_coming {
        return Ok(None);
    }
    let new = Move {
        purpose: Purpose::Gas,
        place: Place {
            chain_id: treasury.chain_id()?,
            address: treasury.address(),
        },
        wish: drafting::wish(Asset::Native, receiver, wei),
        funds: treasury.node.funds(treasury.node_account()).await?,
        price,
        gas: GAS_OF_ETHER,
        confirmations: terms.confirmations,
        by_hand: !treasury.signs_by_itself(),
    };
    store_move(gateway, chain.coin, new).await
}

/// Whether `raw` base units are worth `multiple` times what moving them costs at most, in wei. Without a
/// price nobody knows, and nothing is moved.
async fn is_worth_it(
    gateway: &Gateway,
    chain: &Chain,
    raw: u128,
    fee: u128,
    multiple: u32,
) -> Result<bool> {
    let digits = base_units::digits(chain.params);
    let Some(units) = base_units::to_ledger(chain.coin, digits, raw) else {
        return Ok(false);
    };
    let value = Money::from_units(units, chain.coin);
    let fee = row::cost(gateway, fee)?;
    let (euro, now) = (gateway.euro()?, gateway.clock().now());
    let mut conn = gateway.pool().acquire().await?;
    let of_value = gateway.mid(&mut conn, chain.coin, euro, now).await?;
    let of_fee = gateway.mid(&mut conn, fee.currency(), euro, now).await?;
    let (Some(of_value), Some(of_fee)) = (of_value, of_fee) else {
        return Ok(false);
    };
    let worth = convert(value, of_value.rate, euro, Rounding::Down);
    let cost = convert(fee, of_fee.rate, euro, Rounding::Up);
    let (Some(worth), Some(cost)) = (worth, cost) else {
        return Ok(false);
    };
    let least = cost.units().checked_mul(i128::from(multiple));
    Ok(least.is_some_and(|least| worth.units() >= least))
}

/// A transaction between accounts of ours, to be stored.
struct Move {
    purpose: Purpose,
    /// Whose number it takes.
    place: Place,
    wish: Wish,
    funds: Funds,
    price: Price,
    gas: u64,
    confirmations: u32,
    /// People sign it.
    by_hand: bool,
}

/// Gives it the next number of its account; `None` when it cannot be now.
async fn store_move(gateway: &Gateway, coin: Currency, new: Move) -> Result<Option<i64>> {
    let inner = gateway.clone();
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move {
                let now = unit.now();
                let Move {
                    purpose,
                    place,
                    wish,
                    funds,
                    price,
                    gas,
                    confirmations,
                    by_hand,
                } = new;
                let to = Place {
                    chain_id: place.chain_id,
                    address: wish.receiver.to_string(),
                };
                let known = i64::try_from(funds.mined.max(funds.waiting))?;
                let mined = i64::try_from(funds.mined)?;
                let book = store::lock(unit.conn(), &place, mined, now).await?;
                if book.paused_why.is_some() || store::any_draft(unit.conn(), &place).await? {
                    return Ok(None);
                }
                // Again, under the lock: a pass of another process may have sent it meanwhile.
                if purpose == Purpose::Gas
                    && sweep_store::has_gas_coming(unit.conn(), &to, now - REST).await?
                {
                    return Ok(None);
                }
                if known > book.next_nonce {
                    let what = format!(
                        "the network knows {known} transactions of it, and here are {}",
                        book.next_nonce
                    );
                    attention::pause(unit, &place, &what).await?;
                    return Ok(None);
                }
                let plan = Transaction {
                    chain_id: u64::try_from(place.chain_id)?,
                    nonce: u64::try_from(book.next_nonce)?,
                    gas_limit: gas,
                    max_fee_per_gas: price.max,
                    max_priority_fee_per_gas: price.tip,
                    to: wish.to,
                    value: wish.value,
                    data: wish.data,
                };
                let (ether, asset) = store::committed(unit.conn(), &place, mined, coin).await?;
                let cost = plan.fee_max().and_then(|fee| fee.checked_add(plan.value));
                let ether_needed = cost.and_then(|cost| cost.checked_add(ether));
                let asset_needed = asset.checked_add(wish.raw);
                if asset_needed.is_none_or(|needed| needed > funds.asset)
                    || ether_needed.is_none_or(|needed| needed > funds.ether)
                {
                    return Ok(None);
                }
                let new = NewPayment {
                    place: &place,
                    nonce: book.next_nonce,
                    purpose,
                    operation_id: None,
                    coin,
                    to: &to.address,
                    raw: i128::try_from(wish.raw)?,
                    confirmations,
                };
                let payment = store::insert_payment(unit.conn(), new, now).await?;
                let tx =
                    tx_store::insert(unit.conn(), payment, None, &plan, BY_ITSELF, now).await?;
                if by_hand {
                    let row = tx_store::find(unit.conn(), inner.currencies(), tx).await?;
                    attention::tell_signers(unit, &row.title(), coin.code.as_str()).await?;
                }
                Ok(Some(tx))
            })
        })
        .await
}
