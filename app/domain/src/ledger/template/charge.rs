use super::{Ids, entry, house, post, suspense};
use crate::ledger::{AccountKey, AccountKind, EntryKind, JournalEntry};
use crate::money::{Currency, Money};

fn of_charge(charge: i64) -> String {
    format!("charge:{charge}")
}

/// Coins of a final receipt enter: chain holdings → the merchant's suspense.
pub fn receipt_final(
    ids: &mut Ids<'_>,
    merchant: i64,
    charge: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    let currency = amount.currency().id;
    let leg = post(
        ids,
        "receipt",
        house(AccountKind::ChainHoldings, currency),
        suspense(merchant, currency),
        amount,
    );
    entry(
        ids,
        merchant,
        EntryKind::ReceiptFinal,
        of_charge(charge),
        dedupe,
        vec![leg],
    )
}

/// The exact opposite of [`receipt_final`]: a reorganisation took a final receipt away.
pub fn receipt_reversed(
    ids: &mut Ids<'_>,
    merchant: i64,
    charge: i64,
    dedupe: String,
    amount: Money,
) -> JournalEntry {
    let currency = amount.currency().id;
    let leg = post(
        ids,
        "reversal",
        suspense(merchant, currency),
        house(AccountKind::ChainHoldings, currency),
        amount,
    );
    entry(
        ids,
        merchant,
        EntryKind::ReceiptReversed,
        of_charge(charge),
        dedupe,
        vec![leg],
    )
}

/// What a paid charge moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeCredit {
    /// Coins taken out of suspense; what is beyond them stays there.
    pub consumed: Money,
    /// Credited to the merchant before the fee, charge currency.
    pub gross: Money,
    /// Our fee, charge currency; at most `gross`.
    pub fee: Money,
}

/// A charge is paid: suspense → (exchange through liquidity when the coin is another currency) →
/// wallet, then the fee as a leg of its own.
pub fn charge_paid(
    ids: &mut Ids<'_>,
    wallet: AccountKey,
    charge: i64,
    credit: &ChargeCredit,
) -> JournalEntry {
    let ChargeCredit {
        consumed,
        gross,
        fee,
    } = credit;
    let merchant = wallet.merchant;
    let from: Currency = consumed.currency();
    let to: Currency = gross.currency();
    let waiting = suspense(merchant, from.id);
    let mut legs = Vec::with_capacity(3);
    if from.id == to.id {
        legs.push(post(ids, "gross", waiting, wallet, *gross));
    } else {
        let coins = house(AccountKind::Liquidity, from.id);
        legs.push(post(ids, "exchange_in", waiting, coins, *consumed));
        let money = house(AccountKind::Liquidity, to.id);
        legs.push(post(ids, "exchange_out", money, wallet, *gross));
    }
    if fee.is_positive() {
        legs.push(post(
            ids,
            "fee",
            wallet,
            house(AccountKind::Fees, to.id),
            *fee,
        ));
    }
    let dedupe = format!("charge:{charge}");
    let subject = of_charge(charge);
    entry(ids, merchant, EntryKind::ChargePaid, subject, dedupe, legs)
}

/// Opening balance of a demo wallet.
pub fn test_funding(ids: &mut Ids<'_>, wallet: AccountKey, amount: Money) -> JournalEntry {
    let leg = post(
        ids,
        "funding",
        house(AccountKind::TestFunding, wallet.currency),
        wallet,
        amount,
    );
    JournalEntry {
        id: ids.draw(),
        merchant: wallet.merchant,
        kind: EntryKind::TestFunding,
        subject: "demo".to_owned(),
        dedupe: format!(
            "wallet:{}:{}:{}",
            wallet.merchant, wallet.currency, wallet.user_id
        ),
        legs: vec![leg],
    }
}
