use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::money::CurrencyId;
use time::OffsetDateTime;

use super::NewEvent;

/// Where lines are written that only ever are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// Those of charges.
    Timeline,
    /// The operator's.
    Audit,
}

/// A line of a log. A database that broke down may give its number once more; number and time together are one
/// line's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) log: Log,
    pub(super) id: i64,
    pub(super) at: OffsetDateTime,
}

/// What a unit will write beside its entries, and what it knows of its own rows and locks: all of it goes
/// with a rollback to a mark.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) events: Vec<NewEvent>,
    /// Ids of the first of them, as far as they have been drawn.
    pub(super) event_ids: Vec<String>,
    /// Objects this unit made and told of: there is no event about them yet.
    pub(super) made: HashSet<String>,
    pub(super) notifications: Vec<String>,
    /// The same, to find one among the thousands of a block.
    pub(super) notified: HashSet<String>,
    /// What this unit has taken out of our liquidity. Entries are applied at its end, so the accounts
    /// do not show it yet.
    pub(super) delivered: BTreeMap<CurrencyId, i128>,
    /// Merchants whose rows are locked.
    pub(super) merchants: BTreeSet<i64>,
    /// What was written to a log last, until somebody takes it.
    pub(super) line: Option<Line>,
}

/// Where it stood.
pub(super) struct Place {
    events: usize,
    made: HashSet<String>,
    notifications: usize,
    delivered: BTreeMap<CurrencyId, i128>,
    merchants: BTreeSet<i64>,
}

impl Staged {
    pub(super) fn place(&self) -> Place {
        Place {
            events: self.events.len(),
            made: self.made.clone(),
            notifications: self.notifications.len(),
            delivered: self.delivered.clone(),
            merchants: self.merchants.clone(),
        }
    }

    pub(super) fn go_back(&mut self, place: Place) {
        self.events.truncate(place.events);
        self.event_ids.truncate(place.events);
        self.made = place.made;
        for undone in self.notifications.drain(place.notifications..) {
            self.notified.remove(&undone);
        }
        self.delivered = place.delivered;
        self.merchants = place.merchants;
        self.line = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(object: &str) -> NewEvent {
        NewEvent {
            merchant_id: 1,
            kind: "charge.created",
            object: object.to_owned(),
            payload: serde_json::Value::Null,
            direct: None,
        }
    }

    fn stage(staged: &mut Staged, name: &str, number: i64) {
        staged.events.push(event(name));
        staged.event_ids.push(name.to_owned());
        staged.made.insert(name.to_owned());
        staged.notifications.push(name.to_owned());
        staged.notified.insert(name.to_owned());
        *staged.delivered.entry(2).or_default() += i128::from(number);
        staged.merchants.insert(number);
        staged.line = Some(Line {
            log: Log::Timeline,
            id: number,
            at: OffsetDateTime::UNIX_EPOCH,
        });
    }

    /// A lock that was given back with the rollback would be taken for held, and an event of an object that
    /// is not there for the first one.
    #[test]
    fn nothing_of_what_was_undone_is_left() {
        let mut staged = Staged::default();
        stage(&mut staged, "charge:1", 7);
        let place = staged.place();
        stage(&mut staged, "charge:2", 8);
        staged.go_back(place);
        let objects: Vec<&str> = staged
            .events
            .iter()
            .map(|event| event.object.as_str())
            .collect();
        assert_eq!(objects, ["charge:1"]);
        assert_eq!(staged.event_ids, ["charge:1"]);
        assert_eq!(staged.made, HashSet::from(["charge:1".to_owned()]));
        assert_eq!(staged.notifications, ["charge:1"]);
        assert_eq!(staged.notified, HashSet::from(["charge:1".to_owned()]));
        assert_eq!(staged.delivered, BTreeMap::from([(2, 7)]));
        assert_eq!(staged.merchants, BTreeSet::from([7]));
        assert_eq!(staged.line, None);
    }
}
