use uuid::Uuid;

use super::{Ids, entry, fee_leg, house, leg, of_operation, post, primary_wallet, suspense};
use crate::ledger::{AccountKey, AccountKind, EntryKind, JournalEntry, Movement};
use crate::money::Money;

/// A final deposit is the merchant's: chain holdings → wallet, then the fee.
pub fn deposit_final(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
    fee: Money,
) -> JournalEntry {
    let coin = amount.currency().id;
    let wallet = primary_wallet(merchant, coin);
    let holdings = house(AccountKind::ChainHoldings, coin);
    let mut legs = vec![post(ids, "deposit", holdings, wallet, amount)];
    legs.extend(fee_leg(ids, "fee", wallet, fee));
    let subject = of_operation(operation);
    entry(
        ids,
        merchant,
        EntryKind::DepositFinal,
        subject,
        dedupe,
        legs,
    )
}

/// What a deposit becomes in another currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converted {
    /// Coins that came.
    pub coins: Money,
    /// What they buy, before the fee.
    pub gross: Money,
    /// In the currency of `gross`, at most all of it.
    pub fee: Money,
    /// The hold of a promise that this deposit meets, and how much it holds.
    pub promise: Option<(Uuid, i128)>,
}

/// A final deposit is exchanged on arrival: its coins go to our liquidity, what they buy comes out of
/// it, or out of the part of it that a promise has reserved.
pub fn deposit_converted(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    converted: Converted,
) -> JournalEntry {
    let holdings = house(AccountKind::ChainHoldings, converted.coins.currency().id);
    let legs = conversion(ids, merchant, holdings, converted);
    let subject = of_operation(operation);
    let kind = EntryKind::DepositConverted;
    entry(ids, merchant, kind, subject, dedupe, legs)
}

fn conversion(
    ids: &mut Ids<'_>,
    merchant: i64,
    source: AccountKey,
    converted: Converted,
) -> Vec<crate::ledger::Leg> {
    let Converted {
        coins,
        gross,
        fee,
        promise,
    } = converted;
    let (from, to) = (coins.currency().id, gross.currency().id);
    let wallet = primary_wallet(merchant, to);
    let movement = match promise {
        Some((hold, held)) => Movement::Settle { hold, held },
        None => Movement::Post,
    };
    let (given, taken) = (
        house(AccountKind::Liquidity, from),
        house(AccountKind::Liquidity, to),
    );
    let mut legs = vec![
        post(ids, "exchange_in", source, given, coins),
        leg(ids, movement, "exchange_out", taken, wallet, gross),
    ];
    legs.extend(fee_leg(ids, "fee", wallet, fee));
    legs
}

/// Coins that came and belong to no wallet yet: too few, or of another coin.
pub fn deposit_suspended(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    into_suspense(
        ids,
        EntryKind::DepositSuspended,
        merchant,
        operation,
        dedupe,
        amount,
    )
}

/// A deposit that had been reversed is in the chain again. Its merchant kept the credit.
pub fn deposit_restored(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    into_suspense(
        ids,
        EntryKind::DepositRestored,
        merchant,
        operation,
        dedupe,
        amount,
    )
}

fn into_suspense(
    ids: &mut Ids<'_>,
    kind: EntryKind,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    let coin = amount.currency().id;
    let holdings = house(AccountKind::ChainHoldings, coin);
    let legs = vec![post(
        ids,
        "deposit",
        holdings,
        suspense(merchant, coin),
        amount,
    )];
    entry(ids, merchant, kind, of_operation(operation), dedupe, legs)
}

/// A reorganisation took a final deposit away. It is booked against suspense, not against a wallet
/// that may have been spent (`80`, Charges, on `paid`).
pub fn deposit_reversed(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    let coin = amount.currency().id;
    let holdings = house(AccountKind::ChainHoldings, coin);
    let legs = vec![post(
        ids,
        "reversal",
        suspense(merchant, coin),
        holdings,
        amount,
    )];
    let kind = EntryKind::DepositReversed;
    entry(ids, merchant, kind, of_operation(operation), dedupe, legs)
}

/// The operator credits a suspended deposit after all: in its own coin, less the fee.
pub fn deposit_released(
    ids: &mut Ids<'_>,
    merchant: i64,
    operation: i64,
    dedupe: String,
    amount: Money,
    fee: Money,
) -> JournalEntry {
    let coin = amount.currency().id;
    let wallet = primary_wallet(merchant, coin);
    let mut legs = vec![post(
        ids,
        "deposit",
        suspense(merchant, coin),
        wallet,
        amount,
    )];
    legs.extend(fee_leg(ids, "fee", wallet, fee));
    let kind = EntryKind::DepositReleased;
    entry(ids, merchant, kind, of_operation(operation), dedupe, legs)
}
