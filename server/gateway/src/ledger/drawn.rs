mod floors;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::ledger::{
    AccountId, AccountKey, AccountState, AppliedEntry, EntryKind, JournalEntry, Leg, apply,
};
use domain::money::CurrencyId;
use uuid::Uuid;

use crate::{Error, Result};

/// The accounts a unit has locked, and what its entries made of them in memory so far. Later entries
/// see earlier ones; a refused one changes nothing.
#[derive(Default)]
pub(super) struct Drawn {
    ids: HashMap<AccountKey, AccountId>,
    before: BTreeMap<AccountId, AccountState>,
    after: BTreeMap<AccountId, AccountState>,
    entries: Vec<JournalEntry<AccountId>>,
    applied: Vec<AppliedEntry>,
    facts: HashSet<(EntryKind, String)>,
    /// Holds that end in this unit.
    ended: HashSet<Uuid>,
    /// Floors that others took the place of, the oldest first.
    replaced_floors: Vec<(AccountId, Option<i128>)>,
}

impl Drawn {
    pub(super) fn entries(&self) -> &[JournalEntry<AccountId>] {
        &self.entries
    }

    /// Legs of [`Self::entries`], with the balances they left.
    pub(super) fn applied(&self) -> &[AppliedEntry] {
        &self.applied
    }

    pub(super) fn currency(&self, account: AccountId) -> CurrencyId {
        self.after.get(&account).map_or(0, |state| state.currency)
    }

    /// Accounts whose figures moved, as they were and as they are.
    pub(super) fn changed(&self) -> Vec<(&AccountState, &AccountState)> {
        self.before
            .values()
            .filter_map(|old| {
                self.after
                    .get(&old.id)
                    .filter(|new| *new != old)
                    .map(|new| (old, new))
            })
            .collect()
    }

    /// What an account that is locked can still give, after what was booked on it in memory; `None` within
    /// when there is no limit.
    pub(super) fn left_of(&self, key: AccountKey) -> Option<Option<i128>> {
        let state = self.after.get(self.ids.get(&key)?)?;
        Some(state.floor.map(|floor| state.available() - floor))
    }

    /// What entries in memory added to what these accounts can give, in ledger units. No row shows it yet.
    pub(super) fn gained(&self, counts: impl Fn(&AccountKey) -> bool) -> i128 {
        let counted = self.ids.iter().filter(|(key, _)| counts(key));
        counted
            .filter_map(|(_, id)| Some((self.before.get(id)?, self.after.get(id)?)))
            .map(|(before, after)| after.available() - before.available())
            .sum()
    }

    /// An account that is locked, after what was booked on it in memory.
    pub(super) fn state(&self, key: AccountKey) -> Option<&AccountState> {
        self.after.get(self.ids.get(&key)?)
    }

    /// Those of `wanted` that have to be locked yet.
    ///
    /// # Errors
    /// When one of them comes before an account that is locked already: taking locks out of their
    /// order is how two units come to wait for each other.
    pub(super) fn unlocked(
        &self,
        wanted: &HashMap<AccountKey, AccountId>,
    ) -> Result<BTreeSet<AccountId>> {
        let fresh: BTreeSet<AccountId> = wanted
            .values()
            .copied()
            .filter(|id| !self.before.contains_key(id))
            .collect();
        let last = self.before.keys().next_back();
        match (fresh.first(), last) {
            (Some(first), Some(last)) if first < last => Err(Error::Internal(
                "accounts are locked in the order of their ids, so all at once".to_owned(),
            )),
            _ => Ok(fresh),
        }
    }

    pub(super) fn add(
        &mut self,
        ids: HashMap<AccountKey, AccountId>,
        locked: BTreeMap<AccountId, AccountState>,
    ) {
        self.ids.extend(ids);
        self.after.extend(locked.clone());
        self.before.extend(locked);
    }

    /// Accounts that are locked.
    pub(super) fn locked(&self) -> BTreeSet<AccountId> {
        self.before.keys().copied().collect()
    }

    /// Forgets accounts whose locks were given back; nothing was booked on them.
    pub(super) fn keep_locked(&mut self, locked: &BTreeSet<AccountId>) {
        self.before.retain(|id, _| locked.contains(id));
        self.after.retain(|id, _| locked.contains(id));
    }

    /// Books entries that belong together, or none of them.
    pub(super) fn apply_all(&mut self, entries: &[JournalEntry]) -> Result<()> {
        if let [entry] = entries {
            return self.apply(entry);
        }
        let (after, booked) = (self.after.clone(), self.entries.len());
        for entry in entries {
            if let Err(refusal) = self.apply(entry) {
                self.after = after;
                self.forget_from(booked);
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn forget_from(&mut self, booked: usize) {
        for entry in self.entries.split_off(booked) {
            for hold in entry.legs.iter().filter_map(|leg| leg.movement.resolves()) {
                self.ended.remove(&hold);
            }
            self.facts.remove(&(entry.kind, entry.dedupe));
        }
        self.applied.truncate(booked);
    }

    /// Books an entry in memory, or refuses it whole.
    pub(super) fn apply(&mut self, entry: &JournalEntry) -> Result<()> {
        let fact = (entry.kind, entry.dedupe.clone());
        if self.facts.contains(&fact) {
            return Err(Error::AlreadyBooked);
        }
        let mut ends = HashSet::new();
        for hold in entry.legs.iter().filter_map(|leg| leg.movement.resolves()) {
            if self.ended.contains(&hold) || !ends.insert(hold) {
                return Err(Error::AlreadyBooked);
            }
        }
        let entry = self.resolved(entry)?;
        let applied = apply(&mut self.after, &entry)?;
        self.entries.push(entry);
        self.applied.push(applied);
        self.facts.insert(fact);
        self.ended.extend(ends);
        Ok(())
    }

    fn resolved(&self, entry: &JournalEntry) -> Result<JournalEntry<AccountId>> {
        let legs = entry
            .legs
            .iter()
            .map(|leg| {
                Ok(Leg {
                    id: leg.id,
                    movement: leg.movement,
                    debit: self.id(leg.debit)?,
                    credit: self.id(leg.credit)?,
                    amount: leg.amount,
                    label: leg.label,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(JournalEntry {
            id: entry.id,
            merchant: entry.merchant,
            kind: entry.kind,
            subject: entry.subject.clone(),
            dedupe: entry.dedupe.clone(),
            legs,
        })
    }

    fn id(&self, key: AccountKey) -> Result<AccountId> {
        self.ids
            .get(&key)
            .copied()
            .ok_or_else(|| Error::Internal(format!("{key:?} does not exist, or is not locked")))
    }
}

/// Every account these entries touch.
pub(super) fn accounts_of<'e>(
    entries: impl IntoIterator<Item = &'e JournalEntry>,
) -> Vec<AccountKey> {
    entries
        .into_iter()
        .flat_map(|entry| &entry.legs)
        .flat_map(|leg| [leg.debit, leg.credit])
        .collect()
}
