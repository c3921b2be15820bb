use std::collections::BTreeSet;

use domain::charge::{Position, ReceiptState};
use domain::ledger::template::{deposit_restored, deposit_reversed, deposit_suspended};
use domain::money::{Currency, Money};

use super::store::{self, NewDeposit};
use super::{DepositRow, Disposition, wake_name};
use crate::addresses::DepositAddressView;
use crate::charges::depths::Depth;
use crate::charges::receiving::SeenOutput;
use crate::ledger::{Unit, with_ids};
use crate::mail::tell_operators;
use crate::operations::{
    NewOperation, OperationKind, OperationRow, OperationStatus, ToldAgain, event_of,
    store as operations,
};
use crate::{Error, Gateway, Result, addresses, futures};

/// Records outputs to deposit addresses, known or not. Answers the operations concerned.
pub(crate) async fn record_outputs(
    gateway: &Gateway,
    unit: &mut Unit,
    outputs: &[SeenOutput],
) -> Result<BTreeSet<i64>> {
    let mut touched = BTreeSet::new();
    let paid: BTreeSet<i64> = outputs.iter().map(|output| output.address_id).collect();
    if paid.is_empty() {
        return Ok(touched);
    }
    let paid: Vec<i64> = paid.into_iter().collect();
    let addresses =
        addresses::store::find_by_chain_addresses(unit.conn(), gateway.currencies(), &paid).await?;
    for output in outputs {
        let Some(address) = addresses.get(&output.address_id) else {
            continue;
        };
        let amount = Money::from_units(output.units, output.coin);
        if let Some(known) = store::find_by_output(unit.conn(), output).await? {
            retell(gateway, unit, known, address, amount).await?;
            touched.insert(known);
            continue;
        }
        // What counts at first sight is lent: the deposits before it are counted, too.
        let depth = Depth::of(gateway, unit, amount.currency()).await?;
        let new = Arrived {
            amount,
            txid: &output.txid,
            vout: output.vout,
            confirmations_required: depth.required(amount),
            internal_from: None,
        };
        touched.insert(record(gateway, unit, address, &new).await?);
    }
    Ok(touched)
}

/// What came to an address.
struct Arrived<'a> {
    amount: Money,
    txid: &'a str,
    vout: i32,
    confirmations_required: u32,
    internal_from: Option<i64>,
}

/// A transfer from another account of this instance: final at once, over no chain.
pub(crate) async fn record_internal(
    gateway: &Gateway,
    unit: &mut Unit,
    address: &DepositAddressView,
    amount: Money,
    from: i64,
) -> Result<()> {
    let txid = format!("internal:{from}");
    let new = Arrived {
        amount,
        txid: &txid,
        vout: 0,
        confirmations_required: 0,
        internal_from: Some(from),
    };
    let id = record(gateway, unit, address, &new).await?;
    bind_promises(gateway, unit, address.id).await?;
    settle_one(gateway, unit, id, Lost::MayComeBack).await
}

async fn record(
    gateway: &Gateway,
    unit: &mut Unit,
    address: &DepositAddressView,
    new: &Arrived<'_>,
) -> Result<i64> {
    let (now, coin) = (unit.now(), new.amount.currency());
    let (kind, target) = wish(address, coin);
    let operation = NewOperation {
        merchant_id: address.merchant_id,
        kind,
        status: OperationStatus::NotConfirmed,
        foreign_id: None,
        request_hash: None,
        sent: new.amount,
        received_currency: target.unwrap_or(coin),
        received: target.is_none().then_some(new.amount),
        received_net: None,
        requested: new.amount,
        price: None,
        quote_id: None,
    };
    let expected = gateway.expected_of(unit, new.amount, target).await?;
    let row = operations::insert(unit.conn(), gateway.currencies(), &operation, now).await?;
    let id = row.id;
    let deposit = NewDeposit {
        operation_id: id,
        deposit_address_id: address.id,
        amount: new.amount,
        expected,
        txid: new.txid,
        vout: new.vout,
        confirmations_required: new.confirmations_required,
        internal_from: new.internal_from,
    };
    store::insert(unit.conn(), &deposit, now).await?;
    tell(gateway, unit, row).await?;
    unit.notify(&wake_name(address.id));
    Ok(id)
}

/// What is to become of coins at an address.
fn wish(address: &DepositAddressView, coin: Currency) -> (OperationKind, Option<Currency>) {
    // Coins of another chain are not exchanged: they were not what was asked for.
    match address.convert_to.filter(|_| coin.id == address.coin.id) {
        Some(target) => (OperationKind::DepositExchange, Some(target)),
        None => (OperationKind::Deposit, None),
    }
}

/// A block tells an output otherwise than an earlier one did: where contracts pay, the same
/// transaction may pay another amount or account when it is run again. What was not booked yet
/// follows the chain; what was is for a person.
async fn retell(
    gateway: &Gateway,
    unit: &mut Unit,
    id: i64,
    address: &DepositAddressView,
    amount: Money,
) -> Result<()> {
    let known = store::find(unit.conn(), gateway.currencies(), id).await?;
    if known.deposit_address_id == address.id && known.amount == amount {
        return Ok(());
    }
    if known.bookings > 0 {
        tracing::error!(
            operation = id, booked = %known.amount, told = %amount,
            "the chain tells another amount or address than was booked; a person has to look"
        );
        return Ok(());
    }
    operations::lock(unit.conn(), gateway.currencies(), &[id]).await?;
    let (kind, target) = wish(address, amount.currency());
    let told = ToldAgain {
        merchant_id: address.merchant_id,
        kind,
        sent: amount,
        received_currency: target.unwrap_or(amount.currency()),
        received: target.is_none().then_some(amount),
    };
    let now = unit.now();
    operations::tell_again(unit.conn(), id, &told, now).await?;
    // Never less deep than was decided when it was first seen; deeper when it has grown.
    let depth = Depth::of(gateway, unit, amount.currency()).await?;
    let required = known.confirmations_required.max(depth.required(amount));
    store::tell_again(unit.conn(), id, address.id, amount, required).await
}

/// What it means that a final deposit's transaction is not in the chain right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// In the middle of a reorganisation: a block to come may hold it.
    MayComeBack,
    /// The follower is at the node's tip.
    IsGone,
}

/// Brings the coin's unsettled deposits in line with the chain tables. `tip_height` is that of our
/// active tip.
pub(crate) async fn settle(
    gateway: &Gateway,
    unit: &mut Unit,
    coin: Currency,
    tip_height: i64,
    mut touched: BTreeSet<i64>,
) -> Result<()> {
    touched.extend(store::with_changes(unit.conn(), coin, tip_height).await?);
    settle_all(gateway, unit, &touched, Lost::MayComeBack).await?;
    for address in store::waiting(unit.conn(), coin).await? {
        unit.notify(&wake_name(address));
    }
    Ok(())
}

/// Reverses final deposits whose transaction is not in the chain any more; called at the node's tip.
pub(crate) async fn reverse_lost(gateway: &Gateway, unit: &mut Unit, coin: Currency) -> Result<()> {
    let lost = store::lost_finals(unit.conn(), coin).await?;
    settle_all(gateway, unit, &lost, Lost::IsGone).await
}

async fn settle_all(
    gateway: &Gateway,
    unit: &mut Unit,
    ids: &BTreeSet<i64>,
    lost: Lost,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let all: Vec<i64> = ids.iter().copied().collect();
    // In id order, before anything about them is decided.
    operations::lock(unit.conn(), gateway.currencies(), &all).await?;
    let mut addresses: BTreeSet<i64> = store::addresses_of(unit.conn(), &all)
        .await?
        .into_iter()
        .collect();
    // Told again, a deposit may have left an address, and its promise waits for another one.
    addresses.extend(futures::store::addresses_bound_to(unit.conn(), &all).await?);
    for address in addresses {
        bind_promises(gateway, unit, address).await?;
    }
    for id in all {
        settle_one(gateway, unit, id, lost).await?;
    }
    Ok(())
}

async fn settle_one(gateway: &Gateway, unit: &mut Unit, id: i64, lost: Lost) -> Result<()> {
    let mut deposit = store::find(unit.conn(), gateway.currencies(), id).await?;
    let mut operation = operations::find(unit.conn(), gateway.currencies(), id)
        .await?
        .ok_or(Error::NotFound)?;
    let next = next_state(&deposit, lost);
    if next == deposit.state {
        return Ok(());
    }
    let now = unit.now();
    deposit.state = next;
    match next {
        ReceiptState::Final => {
            // Whatever was said while it was gone.
            operation.error = None;
            deposit.bookings += 1;
            deposit.final_at = Some(now);
            match deposit.disposition {
                Disposition::Open => {
                    gateway
                        .credit_or_suspend(unit, &mut operation, &mut deposit)
                        .await?;
                }
                Disposition::Credited => unit.post(with_ids(|ids| {
                    let (merchant, fact) = (operation.merchant_id, deposit.fact());
                    deposit_restored(ids, merchant, id, fact, deposit.amount)
                })),
                Disposition::Suspended | Disposition::Refunded => unit.post(with_ids(|ids| {
                    let (merchant, fact) = (operation.merchant_id, deposit.fact());
                    deposit_suspended(ids, merchant, id, fact, deposit.amount)
                })),
            }
        }
        ReceiptState::Reversed => {
            let (merchant, fact) = (operation.merchant_id, deposit.fact());
            unit.post(with_ids(|ids| {
                deposit_reversed(ids, merchant, id, fact, deposit.amount)
            }));
            operation.needs_attention = true;
            operation.updated_at = now;
            tell_of_reversal(unit, &operation, &deposit).await?;
        }
        ReceiptState::Dropped => {
            operation.error = Some("the transaction was replaced or double-spent".to_owned());
            operation.become_status(OperationStatus::Cancelled, now);
        }
        ReceiptState::Seen => {
            operation.error = None;
            operation.become_status(OperationStatus::NotConfirmed, now);
        }
    }
    store::update(unit.conn(), &deposit).await?;
    operations::update(unit.conn(), &operation).await?;
    if matches!(next, ReceiptState::Dropped | ReceiptState::Seen) {
        bind_promises(gateway, unit, deposit.deposit_address_id).await?;
    }
    unit.notify(&wake_name(deposit.deposit_address_id));
    // A reversal has no word: what was said to be final stays so (`80`, Charges).
    if next != ReceiptState::Reversed {
        tell(gateway, unit, operation).await?;
    }
    Ok(())
}

fn next_state(deposit: &DepositRow, lost: Lost) -> ReceiptState {
    if deposit.internal_from.is_some() {
        return ReceiptState::Final;
    }
    deposit.state.follow(Position {
        confirmed: deposit.confirmed,
        gone: deposit.gone,
        confirmations: deposit.confirmations,
        required: deposit.confirmations_required,
        at_tip: lost == Lost::IsGone,
    })
}

/// Gives each promise of an address to the first of its deposits that meets it and that no older promise
/// has, or to none. Derived anew whenever a deposit came, went or came back, so that a replacement takes
/// over. One that lost its deposit after another was made ends: that one has taken its place.
async fn bind_promises(gateway: &Gateway, unit: &mut Unit, address_id: i64) -> Result<()> {
    let running =
        futures::store::lock_running(unit.conn(), gateway.currencies(), address_id).await?;
    let Some(newest) = running.last().map(|row| row.id) else {
        return Ok(());
    };
    let open = store::open_at(unit.conn(), gateway.currencies(), address_id).await?;
    let mut taken = BTreeSet::new();
    for row in &running {
        let promise = row.promise();
        let keeps = open
            .iter()
            .filter(|(id, ..)| !taken.contains(id))
            .find(|(_, amount, seen_at)| promise.is_met_by(*amount, amount.currency(), *seen_at))
            .map(|(id, ..)| *id);
        taken.extend(keeps);
        if keeps.is_none() && row.id != newest {
            futures::void(unit, row, "replaced").await?;
        } else if keeps != row.operation_id {
            futures::store::bind(unit.conn(), row.id, keeps).await?;
        }
    }
    Ok(())
}

/// Stages the event about an operation as it stands.
pub(super) async fn tell(gateway: &Gateway, unit: &mut Unit, row: OperationRow) -> Result<()> {
    let view = gateway.operation_view(unit.conn(), row).await?;
    if let Some(event) = event_of(&view)? {
        unit.emit(event);
    }
    Ok(())
}

async fn tell_of_reversal(
    unit: &mut Unit,
    operation: &OperationRow,
    deposit: &DepositRow,
) -> Result<()> {
    let subject = format!("Deposit {}: a final deposit was reversed", operation.id);
    let text = format!(
        "A reorganisation of the chain removed the transaction {} of deposit {} ({}), which was \
         final.\n\nThe merchant {} keeps the credit; the amount is booked against its suspense \
         account, where it stays until the transaction is back or somebody settles it.",
        deposit.txid, operation.id, deposit.amount, operation.merchant_id
    );
    tell_operators(unit, &subject, &text).await
}
