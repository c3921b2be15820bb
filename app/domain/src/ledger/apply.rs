use std::collections::BTreeMap;

use thiserror::Error;
use uuid::Uuid;

use super::{AccountId, AccountState, JournalEntry, Leg, Movement};
use crate::money::UNITS_MAX;

/// Why an entry is refused; the accounts are then unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    #[error("an entry needs at least one posting")]
    Empty,
    #[error("amount of posting {0} is not above zero")]
    AmountNotPositive(Uuid),
    #[error("account {0:?} does not exist")]
    UnknownAccount(AccountId),
    #[error("posting {0} moves between an account and itself")]
    SameAccount(Uuid),
    #[error("posting {0} moves between two currencies")]
    CurrencyMismatch(Uuid),
    #[error("posting {0} settles more than was held")]
    ExceedsHold(Uuid),
    #[error("account {account:?} would fall {short} units below its floor")]
    InsufficientFunds { account: AccountId, short: i128 },
    #[error("account {0:?} would exceed the largest amount")]
    Overflow(AccountId),
}

/// A leg with the state of its accounts right after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedLeg {
    pub leg: Leg<AccountId>,
    pub debit_version: i64,
    pub debit_after: i128,
    pub debit_held_after: i128,
    /// Version and balance of the credited account; `None` for holds and voids, which leave it alone.
    pub credit_after: Option<(i64, i128)>,
}

/// Legs in order, each with the balances it left.
pub type AppliedEntry = Vec<AppliedLeg>;

/// Applies an entry whole or refuses it whole.
///
/// Floors are judged on the balances after the last leg, as the database judges them at the end of
/// the statement. The same function is the reference model of the property tests and of the audit.
pub fn apply(
    accounts: &mut BTreeMap<AccountId, AccountState>,
    entry: &JournalEntry<AccountId>,
) -> Result<AppliedEntry, LedgerError> {
    if entry.legs.is_empty() {
        return Err(LedgerError::Empty);
    }
    let mut touched: BTreeMap<AccountId, AccountState> = BTreeMap::new();
    for id in entry.legs.iter().flat_map(|leg| [leg.debit, leg.credit]) {
        let account = accounts.get(&id).ok_or(LedgerError::UnknownAccount(id))?;
        touched.entry(id).or_insert_with(|| account.clone());
    }
    let applied = entry
        .legs
        .iter()
        .map(|leg| apply_leg(&mut touched, leg))
        .collect::<Result<Vec<_>, _>>()?;
    for account in touched.values() {
        check_bounds(account, accounts.get(&account.id))?;
    }
    accounts.extend(touched);
    Ok(applied)
}

fn apply_leg(
    accounts: &mut BTreeMap<AccountId, AccountState>,
    leg: &Leg<AccountId>,
) -> Result<AppliedLeg, LedgerError> {
    if leg.amount <= 0 || leg.amount > UNITS_MAX {
        return Err(LedgerError::AmountNotPositive(leg.id));
    }
    if leg.debit == leg.credit {
        return Err(LedgerError::SameAccount(leg.id));
    }
    let currency = |id| accounts.get(&id).map(|account| account.currency);
    if currency(leg.debit) != currency(leg.credit) {
        return Err(LedgerError::CurrencyMismatch(leg.id));
    }
    let (moved, held_change) = match leg.movement {
        Movement::Post => (leg.amount, 0),
        Movement::Hold => (0, leg.amount),
        Movement::Settle { held, .. } if leg.amount > held => {
            return Err(LedgerError::ExceedsHold(leg.id));
        }
        Movement::Settle { held, .. } => (leg.amount, -held),
        Movement::Void { held, .. } if leg.amount != held => {
            return Err(LedgerError::ExceedsHold(leg.id));
        }
        Movement::Void { held, .. } => (0, -held),
    };
    let debit = accounts
        .get_mut(&leg.debit)
        .ok_or(LedgerError::UnknownAccount(leg.debit))?;
    debit.posted -= moved;
    debit.held += held_change;
    debit.version += 1;
    if debit.held < 0 {
        return Err(LedgerError::ExceedsHold(leg.id));
    }
    let (debit_version, debit_after, debit_held_after) = (debit.version, debit.posted, debit.held);
    let credit_after = if moved > 0 {
        let credit = accounts
            .get_mut(&leg.credit)
            .ok_or(LedgerError::UnknownAccount(leg.credit))?;
        credit.posted += moved;
        credit.version += 1;
        Some((credit.version, credit.posted))
    } else {
        None
    };
    Ok(AppliedLeg {
        leg: leg.clone(),
        debit_version,
        debit_after,
        debit_held_after,
        credit_after,
    })
}

fn check_bounds(after: &AccountState, before: Option<&AccountState>) -> Result<(), LedgerError> {
    if after.posted.abs() > UNITS_MAX || after.held > UNITS_MAX {
        return Err(LedgerError::Overflow(after.id));
    }
    let Some(floor) = after.floor else {
        return Ok(());
    };
    // A floor that is already broken (a lowered limit) must not stop money from coming in.
    let lowered = before.is_none_or(|before| after.available() < before.available());
    if lowered && after.available() < floor {
        return Err(LedgerError::InsufficientFunds {
            account: after.id,
            short: floor - after.available(),
        });
    }
    Ok(())
}
