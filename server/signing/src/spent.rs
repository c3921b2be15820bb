//! What the signer has let out, by day, so that a daily limit is one.
//!
//! Transactions that spend the same output exclude each other: at most one of them can be mined.
//! They are kept together as one [`Claim`] that counts once, at the most any of them takes. So a
//! replacement with a higher fee counts its increase, and the same transaction again counts
//! nothing.
//!
//! Invariant: the sum for a day is never less than what the transactions signed on it can take.

use std::collections::BTreeSet;

use bitcoin::{OutPoint, Txid};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// Days that a claim is remembered after it last changed: nodes forget what was not mined for 14.
/// Asked for again later, a transaction counts again.
const DAYS_KEPT: i64 = 15;

/// A day in UTC, `2030-01-31`. Compares as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(String);

impl Day {
    pub fn of(moment: OffsetDateTime) -> Self {
        Self::of_date(moment.to_offset(UtcOffset::UTC).date())
    }

    fn of_date(date: Date) -> Self {
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }
}

/// Satoshis that left on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Charge {
    day: Day,
    satoshi: u64,
}

/// Transactions of which at most one can be mined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    /// Outputs that all of them spend; at least one.
    outpoints: BTreeSet<OutPoint>,
    /// Their ids without signatures.
    transactions: BTreeSet<Txid>,
    /// Together the most that any of them takes.
    charges: Vec<Charge>,
    /// When the last one joined.
    changed: Day,
}

impl Claim {
    fn total(&self) -> u64 {
        self.charges
            .iter()
            .fold(0_u64, |sum, charge| sum.saturating_add(charge.satoshi))
    }

    /// Takes a transaction in; returns by how many satoshis that raises the total.
    fn join(&mut self, leaving: &Leaving<'_>, today: Day) -> u64 {
        // What is in all of them keeps them from being mined together, and nothing less does.
        self.outpoints = &self.outpoints & leaving.outpoints;
        self.transactions.insert(leaving.unsigned_txid);
        let added = leaving.satoshi.saturating_sub(self.total());
        if added > 0 {
            self.charges.push(Charge {
                day: today.clone(),
                satoshi: added,
            });
        }
        self.changed = today;
        added
    }
}

/// Everything that left lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    claims: Vec<Claim>,
}

/// A transaction about to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    pub unsigned_txid: Txid,
    pub outpoints: &'a BTreeSet<OutPoint>,
    /// Satoshis of payments and fee.
    pub satoshi: u64,
}

/// The clock shows a day before one on which something was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the clock went back behind the day of the last signature")]
pub struct ClockWentBack;

impl Spent {
    /// Satoshis that left on `day`.
    pub fn on(&self, day: &Day) -> u64 {
        let charges = self.claims.iter().flat_map(|claim| &claim.charges);
        charges
            .filter(|charge| charge.day == *day)
            .fold(0_u64, |sum, charge| sum.saturating_add(charge.satoshi))
    }

    /// What is kept once `leaving` has left at `now`, and by how much the sum of the day has grown.
    ///
    /// # Errors
    /// [`ClockWentBack`]: a day that is over must not begin again.
    pub fn with(
        &self,
        leaving: &Leaving<'_>,
        now: OffsetDateTime,
    ) -> Result<(Self, u64), ClockWentBack> {
        let today = Day::of(now);
        if self.claims.iter().any(|claim| claim.changed > today) {
            return Err(ClockWentBack);
        }
        let mut claims = self.claims.clone();
        if let Some(moment) = now.checked_sub(Duration::days(DAYS_KEPT)) {
            let oldest = Day::of(moment);
            claims.retain(|claim| claim.changed >= oldest);
        }
        let its_own = |claim: &Claim| claim.transactions.contains(&leaving.unsigned_txid);
        let conflicting = |claim: &Claim| !claim.outpoints.is_disjoint(leaving.outpoints);
        let place = claims
            .iter()
            .position(its_own)
            .or_else(|| claims.iter().position(conflicting));
        let mut claim = match place {
            Some(place) => claims.remove(place),
            None => Claim {
                outpoints: leaving.outpoints.clone(),
                transactions: BTreeSet::new(),
                charges: Vec::new(),
                changed: today.clone(),
            },
        };
        let added = claim.join(leaving, today);
        claims.push(claim);
        Ok((Self { claims }, added))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
