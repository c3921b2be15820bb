//! Floors that a unit sets: how low an account may go, from then on.

use domain::ledger::{AccountId, AccountKey};

use super::Drawn;
use crate::{Error, Result};

/// Accounts with their floors; `None` = as low as one likes.
pub(in crate::ledger) type Floors = Vec<(AccountId, Option<i128>)>;

impl Drawn {
    /// Gives an account that is locked another floor: entries after it are judged by that one.
    pub(in crate::ledger) fn set_floor(
        &mut self,
        key: AccountKey,
        floor: Option<i128>,
    ) -> Result<()> {
        let id = self.id(key)?;
        let state = self
            .after
            .get_mut(&id)
            .ok_or_else(|| Error::Internal(format!("{key:?} is not locked")))?;
        let before = std::mem::replace(&mut state.floor, floor);
        self.replaced_floors.push((id, before));
        Ok(())
    }

    /// How many floors were set so far.
    pub(in crate::ledger) fn floors_set(&self) -> usize {
        self.replaced_floors.len()
    }

    /// Takes back what floors were set after so many.
    pub(in crate::ledger) fn keep_floors(&mut self, count: usize) {
        let kept = count.min(self.replaced_floors.len());
        for (id, floor) in self.replaced_floors.split_off(kept).into_iter().rev() {
            if let Some(state) = self.after.get_mut(&id) {
                state.floor = floor;
            }
        }
    }

    /// Floors that are others now: those that allow more than before, and those that allow less. The database
    /// judges each statement, so the first are written before the accounts move, and the others after it.
    pub(in crate::ledger) fn new_floors(&self) -> (Floors, Floors) {
        if self.replaced_floors.is_empty() {
            return (Floors::new(), Floors::new());
        }
        let (mut wider, mut tighter) = (Floors::new(), Floors::new());
        for (old, new) in self.changed() {
            if allows_more(old.floor, new.floor) {
                wider.push((new.id, new.floor));
            } else if old.floor != new.floor {
                tighter.push((new.id, new.floor));
            }
        }
        (wider, tighter)
    }
}

/// Whether an account may go lower by the new floor than by the old one.
fn allows_more(old: Option<i128>, new: Option<i128>) -> bool {
    match (old, new) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new < old,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::ledger::template::house;
    use domain::ledger::{
        AccountKind, AccountState, EntryKind, HOUSE, JournalEntry, LedgerError, Leg, Movement,
    };
    use uuid::Uuid;

    use super::*;

    const LIQUIDITY: AccountId = AccountId(1);
    const FEES: AccountId = AccountId(2);

    fn key(kind: AccountKind) -> AccountKey {
        house(kind, 145)
    }

    /// Two accounts of the house with nothing on them, one of which may not go below zero.
    fn drawn() -> Drawn {
        let state = |id, floor| AccountState {
            id,
            currency: 145,
            posted: 0,
            held: 0,
            floor,
            version: 0,
        };
        let ids = [
            (key(AccountKind::Liquidity), LIQUIDITY),
            (key(AccountKind::Fees), FEES),
        ];
        let locked = [
            (LIQUIDITY, state(LIQUIDITY, Some(0))),
            (FEES, state(FEES, None)),
        ];
        let mut drawn = Drawn::default();
        drawn.add(ids.into(), locked.into());
        drawn
    }

    /// Out of the liquidity.
    fn give(amount: i128) -> JournalEntry {
        let id = Uuid::now_v7();
        JournalEntry {
            id,
            merchant: HOUSE,
            kind: EntryKind::TestFunding,
            subject: "test".to_owned(),
            dedupe: id.to_string(),
            legs: vec![Leg {
                id: Uuid::now_v7(),
                movement: Movement::Post,
                debit: key(AccountKind::Liquidity),
                credit: key(AccountKind::Fees),
                amount,
                label: "test",
            }],
        }
    }

    fn is_short(refused: &Result<()>) -> bool {
        matches!(
            refused,
            Err(Error::Ledger(LedgerError::InsufficientFunds { .. }))
        )
    }

    /// Otherwise a group would book what a floor that was raised before it refuses, and the database would undo
    /// all of it.
    #[test]
    fn entries_are_judged_by_the_floor_of_their_moment() {
        let mut drawn = drawn();
        let liquidity = key(AccountKind::Liquidity);
        assert!(is_short(&drawn.apply(&give(10))));
        drawn.set_floor(liquidity, Some(-10)).unwrap();
        drawn.apply(&give(10)).unwrap();
        assert!(is_short(&drawn.apply(&give(1))));
        assert_eq!(drawn.state(liquidity).unwrap().available(), -10);
        assert_eq!(drawn.new_floors(), (vec![(LIQUIDITY, Some(-10))], vec![]));
        drawn.set_floor(liquidity, None).unwrap();
        drawn.apply(&give(1)).unwrap();
        assert_eq!(drawn.new_floors(), (vec![(LIQUIDITY, None)], vec![]));
        assert!(drawn.set_floor(key(AccountKind::Suspense), None).is_err());
    }

    #[test]
    fn floors_of_what_was_refused_are_taken_back() {
        let mut drawn = drawn();
        let liquidity = key(AccountKind::Liquidity);
        drawn.set_floor(liquidity, Some(-5)).unwrap();
        let kept = drawn.floors_set();
        drawn.set_floor(liquidity, Some(-50)).unwrap();
        drawn.set_floor(liquidity, None).unwrap();
        drawn.keep_floors(kept);
        assert_eq!(drawn.state(liquidity).unwrap().floor, Some(-5));
        assert!(is_short(&drawn.apply(&give(6))));
        drawn.keep_floors(0);
        assert_eq!(drawn.state(liquidity).unwrap().floor, Some(0));
        assert_eq!(drawn.new_floors(), (vec![], vec![]));
    }

    #[test]
    fn a_floor_that_allows_less_is_written_last() {
        let mut drawn = drawn();
        drawn.set_floor(key(AccountKind::Fees), Some(-7)).unwrap();
        drawn
            .set_floor(key(AccountKind::Liquidity), Some(-1))
            .unwrap();
        let expected = (vec![(LIQUIDITY, Some(-1))], vec![(FEES, Some(-7))]);
        assert_eq!(drawn.new_floors(), expected);
        for (old, new, more) in [
            (None, None, false),
            (None, Some(-5), false),
            (Some(-5), None, true),
            (Some(-5), Some(-6), true),
            (Some(-5), Some(-5), false),
            (Some(-5), Some(-4), false),
        ] {
            assert_eq!(allows_more(old, new), more, "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_was_gained_is_that_of_the_accounts_that_count() {
        let mut drawn = drawn();
        drawn.set_floor(key(AccountKind::Liquidity), None).unwrap();
        drawn.apply(&give(4)).unwrap();
        assert_eq!(drawn.gained(|key| key.kind == AccountKind::Fees), 4);
        assert_eq!(drawn.gained(|key| key.kind == AccountKind::Liquidity), -4);
        assert_eq!(drawn.gained(|_| true), 0);
        assert_eq!(drawn.gained(|key| key.currency != 145), 0);
    }
}
