//! Entries of no business: accounts of merchants who do not exist, and of the house, in one currency.

use domain::ledger::{AccountId, AccountKey, AccountKind, EntryKind, HOUSE, JournalEntry};
use domain::ledger::{Leg, Movement};
use uuid::Uuid;

/// Currency of these accounts.
pub const CURRENCY: i16 = 145;

pub fn wallet(merchant: i64) -> AccountKey {
    AccountKey {
        merchant,
        currency: CURRENCY,
        kind: AccountKind::Wallet,
        user_id: 0,
    }
}

pub fn house() -> AccountKey {
    AccountKey {
        merchant: HOUSE,
        currency: CURRENCY,
        kind: AccountKind::Liquidity,
        user_id: 0,
    }
}

/// Each leg: what it does, who is debited and who is credited, and how much.
pub fn entry(legs: &[(Movement, AccountKey, AccountKey, i128)]) -> JournalEntry {
    let id = Uuid::now_v7();
    JournalEntry {
        id,
        merchant: HOUSE,
        kind: EntryKind::TestFunding,
        subject: "test".into(),
        dedupe: id.to_string(),
        legs: legs
            .iter()
            .map(|&(movement, debit, credit, amount)| Leg {
                id: Uuid::now_v7(),
                movement,
                debit,
                credit,
                amount,
                label: "test",
            })
            .collect(),
    }
}

/// The same by the ids of its accounts, as the rule takes it.
pub fn resolved(
    entry: &JournalEntry,
    id: impl Fn(AccountKey) -> AccountId,
) -> JournalEntry<AccountId> {
    JournalEntry {
        id: entry.id,
        merchant: entry.merchant,
        kind: entry.kind,
        subject: entry.subject.clone(),
        dedupe: entry.dedupe.clone(),
        legs: entry
            .legs
            .iter()
            .map(|leg| Leg {
                id: leg.id,
                movement: leg.movement,
                debit: id(leg.debit),
                credit: id(leg.credit),
                amount: leg.amount,
                label: leg.label,
            })
            .collect(),
    }
}
