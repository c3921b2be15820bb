use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::row_store::{self as store, Others};
use crate::{Error, Result};

/// A business row that exists already, in the order in which such rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Charge(i64),
    Operation(i64),
    /// A payout, after the withdrawals that ride in it, which are operations.
    Payout(i64),
    /// A deposit address, and the promises at it that have not ended.
    Address(i64),
    /// An address that is watched on a chain. Who books own funds is alone in locking any: the chain's
    /// follower reads them.
    Watched(i64),
}

/// What a unit may lock of what exists already.
#[derive(Debug)]
pub(super) enum Reach {
    /// It is alone, and waits for whatever it needs.
    Everything,
    /// Others are in it: these rows, which are locked already.
    Rows(BTreeSet<Row>),
}

impl Reach {
    /// Whether this row may be locked now.
    ///
    /// # Errors
    /// [`Error::StepsOut`] when it may not.
    pub(super) fn require(&self, row: Row) -> Result<()> {
        match self {
            Self::Rows(held) if !held.contains(&row) => Err(Error::StepsOut),
            Self::Everything | Self::Rows(_) => Ok(()),
        }
    }
}

/// Locks rows in their order, a statement for each kind; answers which of them it got. Those that others
/// have are waited for, or left to them. One that does not exist is not among them.
pub(super) async fn lock(
    conn: &mut PgConnection,
    wanted: &BTreeSet<Row>,
    others: Others,
) -> Result<BTreeSet<Row>> {
    let ids = Ids::of(wanted);
    let mut held = BTreeSet::new();
    if !ids.charges.is_empty() {
        let locked = store::charges(conn, &ids.charges, others).await?;
        held.extend(locked.into_iter().map(Row::Charge));
    }
    if !ids.operations.is_empty() {
        let locked = store::operations(conn, &ids.operations, others).await?;
        held.extend(locked.into_iter().map(Row::Operation));
    }
    if !ids.payouts.is_empty() {
        let locked = store::payouts(conn, &ids.payouts, others).await?;
        held.extend(locked.into_iter().map(Row::Payout));
    }
    if !ids.addresses.is_empty() {
        let locked = store::addresses(conn, &ids.addresses, others).await?;
        held.extend(locked.into_iter().map(Row::Address));
    }
    if !ids.watched.is_empty() {
        let locked = store::watched(conn, &ids.watched, others).await?;
        held.extend(locked.into_iter().map(Row::Watched));
    }
    Ok(held)
}

/// Rows by their kind.
#[derive(Default)]
struct Ids {
    charges: Vec<i64>,
    operations: Vec<i64>,
    payouts: Vec<i64>,
    addresses: Vec<i64>,
    watched: Vec<i64>,
}

impl Ids {
    fn of(rows: &BTreeSet<Row>) -> Self {
        let mut ids = Self::default();
        for row in rows {
            match *row {
                Row::Charge(id) => ids.charges.push(id),
                Row::Operation(id) => ids.operations.push(id),
                Row::Payout(id) => ids.payouts.push(id),
                Row::Address(id) => ids.addresses.push(id),
                Row::Watched(id) => ids.watched.push(id),
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_reaches_what_it_has_locked_and_whoever_is_alone_everything() {
        let held = BTreeSet::from([Row::Charge(1), Row::Address(2)]);
        let reach = Reach::Rows(held);
        assert!(reach.require(Row::Charge(1)).is_ok());
        for other in [
            Row::Charge(2),
            Row::Operation(1),
            Row::Payout(1),
            Row::Address(1),
            Row::Watched(2),
        ] {
            assert!(matches!(reach.require(other), Err(Error::StepsOut)));
            assert!(Reach::Everything.require(other).is_ok());
        }
    }

    /// The order of locks is that of the kinds, then that of the ids.
    #[test]
    fn rows_stand_in_the_order_of_locks() {
        let mut rows = [
            Row::Watched(1),
            Row::Address(1),
            Row::Payout(2),
            Row::Operation(9),
            Row::Charge(7),
            Row::Charge(3),
        ];
        rows.sort_unstable();
        let sorted = [
            Row::Charge(3),
            Row::Charge(7),
            Row::Operation(9),
            Row::Payout(2),
            Row::Address(1),
            Row::Watched(1),
        ];
        assert_eq!(rows, sorted);
    }
}
