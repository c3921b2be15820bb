use std::collections::BTreeMap;

use domain::ledger::JournalEntry;
use domain::ledger::template::Ids;
use domain::money::{CurrencyId, Money};
use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Error, Result};

/// A fact to report, staged with the change it reports.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub merchant_id: i64,
    /// Canonical type, e.g. `charge.paid`.
    pub kind: &'static str,
    /// What it is about, e.g. `charge:17`; that row is locked by the caller.
    pub object: String,
    pub payload: serde_json::Value,
    /// URL that came with the request; when present, only it gets the event, in this format.
    pub direct: Option<DirectTarget>,
}

/// Where an event goes that was given a URL of its own.
#[derive(Debug, Clone)]
pub struct DirectTarget {
    pub url: String,
    pub format: crate::outbox::Format,
}

/// One unit of work: an open transaction and what will be written at its end.
pub struct Unit {
    tx: Transaction<'static, Postgres>,
    now: OffsetDateTime,
    entries: Vec<JournalEntry>,
    events: Vec<NewEvent>,
    notifications: Vec<String>,
    /// What this unit has taken out of our liquidity. Entries are applied at its end, so the accounts
    /// do not show it yet.
    delivered: BTreeMap<CurrencyId, i128>,
}

impl Unit {
    pub(super) fn new(tx: Transaction<'static, Postgres>, now: OffsetDateTime) -> Self {
        Self {
            tx,
            now,
            entries: Vec::new(),
            events: Vec::new(),
            notifications: Vec::new(),
            delivered: BTreeMap::new(),
        }
    }

    /// The transaction, for business rows. Lock them in id order before reading what you decide on.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Instance time of this unit.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Stages a journal entry.
    pub fn post(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }

    /// Whether our liquidity can deliver this much, counting what this unit has taken already; if so
    /// it counts as taken from now on.
    pub(crate) async fn take_liquidity(&mut self, amount: Money) -> Result<bool> {
        let currency = amount.currency();
        let left = super::store::liquidity_left(&mut self.tx, currency).await?;
        let taken = self.delivered.entry(currency.id).or_default();
        let covered = left.is_none_or(|left| *taken + amount.units() <= left);
        if covered {
            *taken += amount.units();
        }
        Ok(covered)
    }

    /// Stages an event.
    pub fn emit(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Wakes the live pages of a charge once the change is committed.
    pub fn notify(&mut self, public_id: &str) {
        if !self.notifications.iter().any(|known| known == public_id) {
            self.notifications.push(public_id.to_owned());
        }
    }

    pub(super) fn take_entries(&mut self) -> Vec<JournalEntry> {
        std::mem::take(&mut self.entries)
    }

    pub(super) fn take_events(&mut self) -> Vec<NewEvent> {
        std::mem::take(&mut self.events)
    }

    pub(super) async fn send_notifications(&mut self) -> Result<()> {
        for public_id in std::mem::take(&mut self.notifications) {
            super::store::notify(&mut self.tx, &public_id).await?;
        }
        Ok(())
    }

    pub(super) fn into_transaction(self) -> Transaction<'static, Postgres> {
        self.tx
    }
}

/// Draws time-ordered ids for a posting template.
pub fn with_ids<T>(draw: impl FnOnce(&mut Ids<'_>) -> T) -> T {
    let mut next = Uuid::now_v7;
    draw(&mut Ids { next: &mut next })
}

/// A staged entry's amounts were refused by a rule that should have held before.
impl From<std::num::TryFromIntError> for Error {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::Internal(error.to_string())
    }
}
