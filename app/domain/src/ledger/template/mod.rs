//! One posting template per business fact: which accounts it moves money between, and in which order.

mod charge;
mod deposit;
mod exchange;
mod network;
mod own_funds;
mod withdrawal;

use uuid::Uuid;

use super::{AccountKey, AccountKind, EntryKind, HOUSE, JournalEntry, Leg, Movement};
use crate::money::{CurrencyId, Money};

pub use charge::{ChargeCredit, charge_paid, receipt_final, receipt_reversed, test_funding};
pub use deposit::{
    Converted, deposit_converted, deposit_final, deposit_released, deposit_restored,
    deposit_reversed, deposit_suspended,
};
pub use exchange::{exchange, futures_held, futures_void};
pub use network::{network_fee, network_fee_reversed, treasury_fee, treasury_fee_reversed};
pub use own_funds::{own_funds, own_funds_out, own_funds_out_reversed, own_funds_reversed};
pub use withdrawal::{Fact, Held, Holds, withdrawal_held, withdrawal_settled, withdrawal_void};

/// Fresh ids for an entry and its legs; the caller draws them, rules do not.
pub struct Ids<'a> {
    pub next: &'a mut dyn FnMut() -> Uuid,
}

impl Ids<'_> {
    fn draw(&mut self) -> Uuid {
        (self.next)()
    }
}

/// The house's own account of a kind.
pub fn house(kind: AccountKind, currency: CurrencyId) -> AccountKey {
    AccountKey {
        merchant: HOUSE,
        currency,
        kind,
        user_id: 0,
    }
}

/// Where a merchant's not yet attributed money waits.
pub fn suspense(merchant: i64, currency: CurrencyId) -> AccountKey {
    AccountKey {
        merchant,
        currency,
        kind: AccountKind::Suspense,
        user_id: 0,
    }
}

/// The merchant's own wallet in a currency.
pub fn primary_wallet(merchant: i64, currency: CurrencyId) -> AccountKey {
    AccountKey {
        merchant,
        currency,
        kind: AccountKind::Wallet,
        user_id: 0,
    }
}

fn of_operation(operation: i64) -> String {
    format!("operation:{operation}")
}

fn of_payout(payout: i64) -> String {
    format!("payout:{payout}")
}

fn of_payment(payment: i64) -> String {
    format!("treasury:{payment}")
}

fn post(
    ids: &mut Ids<'_>,
    label: &'static str,
    debit: AccountKey,
    credit: AccountKey,
    amount: Money,
) -> Leg {
    leg(ids, Movement::Post, label, debit, credit, amount)
}

fn leg(
    ids: &mut Ids<'_>,
    movement: Movement,
    label: &'static str,
    debit: AccountKey,
    credit: AccountKey,
    amount: Money,
) -> Leg {
    Leg {
        id: ids.draw(),
        movement,
        debit,
        credit,
        amount: amount.units(),
        label,
    }
}

/// A fee as a leg of its own; none when there is none.
fn fee_leg(ids: &mut Ids<'_>, label: &'static str, from: AccountKey, fee: Money) -> Option<Leg> {
    fee.is_positive().then(|| {
        let fees = house(AccountKind::Fees, fee.currency().id);
        post(ids, label, from, fees, fee)
    })
}

fn entry(
    ids: &mut Ids<'_>,
    merchant: i64,
    kind: EntryKind,
    subject: String,
    dedupe: String,
    legs: Vec<Leg>,
) -> JournalEntry {
    JournalEntry {
        id: ids.draw(),
        merchant,
        kind,
        subject,
        dedupe,
        legs,
    }
}
