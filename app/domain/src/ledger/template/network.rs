use super::{Ids, entry, house, of_payment, of_payout, post};
use crate::ledger::{AccountKey, AccountKind, EntryKind, HOUSE, JournalEntry};
use crate::money::Money;

/// The miner of a transaction of ours was paid: network fees → chain holdings, because the coins are
/// not there any more.
///
/// `booking` counts from 1; each time a payout's fee is booked is a fact of its own. `None` when the
/// transaction paid nothing.
pub fn network_fee(
    ids: &mut Ids<'_>,
    payout: i64,
    booking: i32,
    fee: Money,
) -> Option<JournalEntry> {
    let (costs, holdings) = accounts(fee);
    moved(
        ids,
        EntryKind::NetworkFee,
        of_payout(payout),
        booking,
        costs,
        holdings,
        fee,
    )
}

/// The exact opposite of [`network_fee`] with the same `booking`: another transaction of the payout
/// is in the chain instead.
pub fn network_fee_reversed(
    ids: &mut Ids<'_>,
    payout: i64,
    booking: i32,
    fee: Money,
) -> Option<JournalEntry> {
    let (costs, holdings) = accounts(fee);
    let kind = EntryKind::NetworkFeeReversed;
    let subject = of_payout(payout);
    moved(ids, kind, subject, booking, holdings, costs, fee)
}

/// The gas of a transaction from an account of ours was paid, whatever it did: network fees → chain holdings
/// of the coin that gas is paid with.
///
/// `booking` counts from 1, as for [`network_fee`]. `None` when it paid nothing.
pub fn treasury_fee(
    ids: &mut Ids<'_>,
    payment: i64,
    booking: i32,
    fee: Money,
) -> Option<JournalEntry> {
    let (costs, holdings) = accounts(fee);
    let (kind, subject) = (EntryKind::NetworkFee, of_payment(payment));
    moved(ids, kind, subject, booking, costs, holdings, fee)
}

/// The exact opposite of [`treasury_fee`] with the same `booking`: another transaction with its number is in
/// the chain instead.
pub fn treasury_fee_reversed(
    ids: &mut Ids<'_>,
    payment: i64,
    booking: i32,
    fee: Money,
) -> Option<JournalEntry> {
    let (costs, holdings) = accounts(fee);
    let (kind, subject) = (EntryKind::NetworkFeeReversed, of_payment(payment));
    moved(ids, kind, subject, booking, holdings, costs, fee)
}

fn accounts(fee: Money) -> (AccountKey, AccountKey) {
    let coin = fee.currency().id;
    (
        house(AccountKind::NetworkFees, coin),
        house(AccountKind::ChainHoldings, coin),
    )
}

fn moved(
    ids: &mut Ids<'_>,
    kind: EntryKind,
    subject: String,
    booking: i32,
    debit: AccountKey,
    credit: AccountKey,
    fee: Money,
) -> Option<JournalEntry> {
    if !fee.is_positive() {
        return None;
    }
    let leg = post(ids, "network_fee", debit, credit, fee);
    let dedupe = format!("{subject}/{booking}");
    Some(entry(ids, HOUSE, kind, subject, dedupe, vec![leg]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::money::{Currency, CurrencyKind};

    fn coin() -> Currency {
        Currency {
            id: 1,
            code: "BTC".parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        }
    }

    fn with_ids<T>(make: impl FnOnce(&mut Ids<'_>) -> T) -> T {
        let mut drawn = 0;
        let mut next = || {
            drawn += 1;
            Uuid::from_u128(drawn)
        };
        make(&mut Ids { next: &mut next })
    }

    #[test]
    fn a_fee_leaves_the_holdings_and_comes_back_to_them() {
        let fee = Money::from_units(1_410, coin());
        let paid = with_ids(|ids| network_fee(ids, 7, 1, fee)).unwrap();
        let back = with_ids(|ids| network_fee_reversed(ids, 7, 1, fee)).unwrap();
        let (there, again) = (paid.legs.first().unwrap(), back.legs.first().unwrap());
        assert_eq!(there.credit.kind, AccountKind::ChainHoldings);
        assert_eq!(there.debit.kind, AccountKind::NetworkFees);
        assert_eq!((there.debit, there.credit), (again.credit, again.debit));
        assert_eq!((there.amount, again.amount), (1_410, 1_410));
        assert_eq!(paid.dedupe, "payout:7/1");
        assert_ne!(paid.kind, back.kind);
    }

    #[test]
    fn gas_is_booked_apart_from_payouts_with_the_same_number() {
        let fee = Money::from_units(21_000, coin());
        let paid = with_ids(|ids| treasury_fee(ids, 7, 2, fee)).unwrap();
        let back = with_ids(|ids| treasury_fee_reversed(ids, 7, 2, fee)).unwrap();
        let (there, again) = (paid.legs.first().unwrap(), back.legs.first().unwrap());
        assert_eq!(there.credit.kind, AccountKind::ChainHoldings);
        assert_eq!((there.debit, there.credit), (again.credit, again.debit));
        assert_eq!(paid.dedupe, "treasury:7/2");
        let other = with_ids(|ids| network_fee(ids, 7, 2, fee)).unwrap();
        assert_ne!(paid.dedupe, other.dedupe);
    }

    #[test]
    fn nothing_is_booked_for_nothing() {
        let none = Money::zero(coin());
        assert!(with_ids(|ids| network_fee(ids, 7, 1, none)).is_none());
    }
}
