use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ledger::template::Ids;
use domain::ledger::{AccountKey, JournalEntry};
use domain::money::{CurrencyId, Money};
use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::accounts::Accounts;
use super::drawn::{Drawn, accounts_of};
use super::{posting_store, store};
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
    accounts: Arc<Accounts>,
    entries: Vec<JournalEntry>,
    drawn: Drawn,
    events: Vec<NewEvent>,
    notifications: Vec<String>,
    /// What this unit has taken out of our liquidity. Entries are applied at its end, so the accounts
    /// do not show it yet.
    delivered: BTreeMap<CurrencyId, i128>,
}

impl Unit {
    pub(super) fn new(
        tx: Transaction<'static, Postgres>,
        accounts: Arc<Accounts>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            tx,
            now,
            accounts,
            entries: Vec::new(),
            drawn: Drawn::default(),
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

    /// Locks accounts, so that entries can be judged one by one with [`Self::try_post`]. Business rows
    /// are locked before. Everything the unit will touch is locked at once, for accounts are taken in
    /// the order of their ids.
    ///
    /// Wallets of a merchant's customers that do not exist are left out; an entry that names one is
    /// refused.
    ///
    /// # Errors
    /// [`Error::Internal`] for a second call that would lock out of order.
    pub async fn lock_accounts(&mut self, keys: &[AccountKey]) -> Result<()> {
        let ids = self.accounts.ids(keys, self.now).await?;
        let fresh = self.drawn.unlocked(&ids)?;
        let locked = if fresh.is_empty() {
            BTreeMap::new()
        } else {
            store::lock_accounts(&mut self.tx, &fresh).await?
        };
        self.drawn.add(ids, locked);
        Ok(())
    }

    /// Books an entry on locked accounts, in memory; it is written at the unit's end. Entries after it
    /// see what it left.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the rule refuses it, [`Error::AlreadyBooked`] when this unit booked the
    /// same fact before, [`Error::Internal`] when an account is not locked. It has changed nothing
    /// then, and the unit goes on.
    pub fn try_post(&mut self, entry: &JournalEntry) -> Result<()> {
        self.drawn.apply(entry)
    }

    /// Stages a journal entry.
    pub fn post(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }

    /// Whether our liquidity can deliver this much, counting what this unit has taken already; if so
    /// it counts as taken from now on.
    pub(crate) async fn take_liquidity(&mut self, amount: Money) -> Result<bool> {
        let currency = amount.currency();
        let left = store::liquidity_left(&mut self.tx, currency).await?;
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

    /// Books what is staged and writes everything that is booked.
    pub(super) async fn write_entries(&mut self) -> Result<()> {
        let staged = std::mem::take(&mut self.entries);
        if !staged.is_empty() {
            self.lock_accounts(&accounts_of(&staged)).await?;
            for entry in &staged {
                self.drawn.apply(entry)?;
            }
        }
        let drawn = std::mem::take(&mut self.drawn);
        if drawn.entries().is_empty() {
            return Ok(());
        }
        posting_store::write(&mut self.tx, &drawn, self.now).await
    }

    pub(super) fn take_events(&mut self) -> Vec<NewEvent> {
        std::mem::take(&mut self.events)
    }

    pub(super) async fn send_notifications(&mut self) -> Result<()> {
        let public_ids = std::mem::take(&mut self.notifications);
        if public_ids.is_empty() {
            return Ok(());
        }
        store::notify(&mut self.tx, &public_ids).await
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
