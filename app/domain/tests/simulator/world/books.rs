//! The accounts of the model. The rule under test applies every entry; a tally beside it counts the
//! same postings on its own.

use std::collections::{BTreeMap, HashSet};

use domain::ledger::template::{house, primary_wallet, suspense};
use domain::ledger::{
    AccountId, AccountKey, AccountKind, AccountState, EntryKind, JournalEntry, LedgerError, Leg,
    Movement, apply,
};
use uuid::Uuid;

use super::money::{ALL, Coin};

/// Merchants of the model are numbered from 0 here, and from 1 in account keys.
pub const MERCHANTS: usize = 4;
/// How far the house may owe: small enough to be reached sometimes.
const LIQUIDITY_CENTS: u32 = 600_000;

pub fn merchant_id(merchant: usize) -> i64 {
    i64::try_from(merchant).unwrap() + 1
}

#[derive(Debug, Clone)]
pub struct Hold {
    pub account: AccountId,
    pub amount: i128,
    pub resolutions: u32,
}

/// What the postings of an account say, counted apart from the rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub posted: i128,
    pub lines: i64,
}

#[derive(Clone)]
pub struct Books {
    keys: Vec<AccountKey>,
    pub accounts: BTreeMap<AccountId, AccountState>,
    pub tallies: Vec<Tally>,
    pub holds: BTreeMap<Uuid, Hold>,
    facts: HashSet<(EntryKind, String)>,
}

/// Lowest available balance of an account; no bug changes what this says.
pub fn floor_of(key: &AccountKey) -> Option<i128> {
    match key.kind {
        // The second merchant is POSTPAID: it may owe up to ten euros' worth.
        AccountKind::Wallet if key.merchant == merchant_id(1) => {
            Some(-Coin::of(key.currency).payable(1_000).units())
        }
        AccountKind::Wallet => Some(0),
        AccountKind::Liquidity => Some(-Coin::of(key.currency).payable(LIQUIDITY_CENTS).units()),
        _ => None,
    }
}

impl Books {
    pub fn new(ignore_floors: bool) -> Self {
        let mut keys = Vec::new();
        for coin in ALL {
            let id = coin.currency().id;
            for merchant in 0..MERCHANTS {
                keys.push(primary_wallet(merchant_id(merchant), id));
                keys.push(suspense(merchant_id(merchant), id));
            }
            for kind in [
                AccountKind::ChainHoldings,
                AccountKind::Fees,
                AccountKind::NetworkFees,
                AccountKind::Liquidity,
                AccountKind::Rounding,
                AccountKind::OwnFunds,
                AccountKind::TestFunding,
            ] {
                keys.push(house(kind, id));
            }
        }
        let accounts = keys
            .iter()
            .enumerate()
            .map(|(index, key)| {
                let id = AccountId(i64::try_from(index).unwrap());
                let floor = floor_of(key).filter(|_| !ignore_floors);
                let state = AccountState {
                    id,
                    currency: key.currency,
                    posted: 0,
                    held: 0,
                    floor,
                    version: 0,
                };
                (id, state)
            })
            .collect();
        Self {
            tallies: vec![Tally::default(); keys.len()],
            keys,
            accounts,
            holds: BTreeMap::new(),
            facts: HashSet::new(),
        }
    }

    pub fn id(&self, key: AccountKey) -> AccountId {
        let index = self.keys.iter().position(|known| *known == key).unwrap();
        AccountId(i64::try_from(index).unwrap())
    }

    pub fn state(&self, key: AccountKey) -> &AccountState {
        &self.accounts[&self.id(key)]
    }

    pub fn each(&self) -> impl Iterator<Item = (&AccountKey, &AccountState, &Tally)> {
        self.keys
            .iter()
            .zip(self.accounts.values())
            .zip(&self.tallies)
            .map(|((key, state), tally)| (key, state, tally))
    }

    /// What our liquidity can still deliver, by currency.
    pub fn liquidity_left(&self) -> [i128; 3] {
        ALL.map(|coin| {
            let key = house(AccountKind::Liquidity, coin.currency().id);
            let state = self.state(key);
            state.available() - floor_of(&key).unwrap()
        })
    }

    /// All of them, or none.
    pub fn post(&mut self, entries: Vec<JournalEntry>) -> Result<(), Unposted> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = entries
            .into_iter()
            .map(|entry| self.resolve(entry))
            .collect();
        let mut after = self.accounts.clone();
        for (position, entry) in entries.iter().enumerate() {
            let fact = (entry.kind, entry.dedupe.clone());
            let twice = entries[..position]
                .iter()
                .any(|other| (other.kind, &other.dedupe) == (fact.0, &fact.1));
            if twice || self.facts.contains(&fact) {
                return Err(Unposted::Twice(format!("{} {}", fact.0.word(), fact.1)));
            }
            apply(&mut after, entry).map_err(Unposted::Refused)?;
        }
        self.accounts = after;
        for entry in entries {
            self.facts.insert((entry.kind, entry.dedupe));
            for leg in entry.legs {
                self.count(&leg);
            }
        }
        Ok(())
    }

    fn count(&mut self, leg: &Leg<AccountId>) {
        let moved = match leg.movement {
            Movement::Post | Movement::Settle { .. } => leg.amount,
            Movement::Hold | Movement::Void { .. } => 0,
        };
        let index = |id: AccountId| usize::try_from(id.0).unwrap();
        let debit = &mut self.tallies[index(leg.debit)];
        debit.posted -= moved;
        debit.lines += 1;
        if moved > 0 {
            let credit = &mut self.tallies[index(leg.credit)];
            credit.posted += moved;
            credit.lines += 1;
        }
        if leg.movement == Movement::Hold {
            let hold = Hold {
                account: leg.debit,
                amount: leg.amount,
                resolutions: 0,
            };
            self.holds.insert(leg.id, hold);
        }
        if let Some(id) = leg.movement.resolves()
            && let Some(hold) = self.holds.get_mut(&id)
        {
            hold.resolutions += 1;
        }
    }

    fn resolve(&self, entry: JournalEntry) -> JournalEntry<AccountId> {
        let legs = entry
            .legs
            .iter()
            .map(|leg| Leg {
                id: leg.id,
                movement: leg.movement,
                debit: self.id(leg.debit),
                credit: self.id(leg.credit),
                amount: leg.amount,
                label: leg.label,
            })
            .collect();
        JournalEntry {
            id: entry.id,
            merchant: entry.merchant,
            kind: entry.kind,
            subject: entry.subject,
            dedupe: entry.dedupe,
            legs,
        }
    }
}

/// Why a unit's entries were not booked.
pub enum Unposted {
    Refused(LedgerError),
    /// The journal has this fact.
    Twice(String),
}
