use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::ledger::template::{Ids, house};
use domain::ledger::{AccountId, AccountKey, AccountKind, AccountState, JournalEntry};
use domain::money::{CurrencyId, Money};
use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::accounts::Accounts;
use super::drawn::{Drawn, accounts_of};
use super::row_store::Others;
use super::rows::{self, Reach, Row};
use super::staged::{Line, Log, Place, Staged};
use super::{posting_store, store};
use crate::outbox::event_id;
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
    staged: Staged,
    /// An entry that is durable when this unit is.
    last_written: Option<Uuid>,
    reach: Reach,
    has_mark: bool,
}

/// Where a unit stood before a piece of work began.
pub(super) struct Mark {
    staged: Place,
    locked: BTreeSet<AccountId>,
    floors: usize,
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
            staged: Staged::default(),
            last_written: None,
            reach: Reach::Everything,
            has_mark: false,
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
        self.lock_ids(ids).await
    }

    async fn lock_ids(&mut self, ids: HashMap<AccountKey, AccountId>) -> Result<()> {
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

    /// Locks merchants, in id order and before everything else but advisory locks.
    pub(crate) async fn lock_merchants(&mut self, ids: &BTreeSet<i64>) -> Result<()> {
        if ids.is_subset(&self.staged.merchants) {
            return Ok(());
        }
        let wanted: Vec<i64> = ids.iter().copied().collect();
        store::lock_merchants(&mut self.tx, &wanted).await?;
        self.staged.merchants.extend(wanted);
        Ok(())
    }

    /// Locks those of these rows that nobody else has, and from now on no others that exist already.
    pub(super) async fn reach_for(&mut self, rows: &BTreeSet<Row>) -> Result<()> {
        let held = rows::lock(&mut self.tx, rows, Others::LeftAlone).await?;
        self.reach = Reach::Rows(held);
        Ok(())
    }

    /// Locks these rows, whoever has them before.
    pub(super) async fn wait_for(&mut self, rows: &BTreeSet<Row>) -> Result<()> {
        rows::lock(&mut self.tx, rows, Others::WaitedFor)
            .await
            .map(drop)
    }

    /// Whether this is a unit of committers, in which nothing that exists may be locked but what was said
    /// before.
    pub(crate) fn is_of_group(&self) -> bool {
        matches!(self.reach, Reach::Rows(_))
    }

    /// To be asked before a row is locked that may not be among those that were said before.
    ///
    /// # Errors
    /// [`Error::StepsOut`] when it is not, and this is a unit of committers.
    pub(crate) fn require(&self, row: Row) -> Result<()> {
        self.reach.require(row)
    }

    /// To be asked before a row is locked that no group ever has.
    ///
    /// # Errors
    /// [`Error::StepsOut`] when this is a unit of committers.
    pub(crate) fn require_all(&self) -> Result<()> {
        match self.reach {
            Reach::Everything => Ok(()),
            Reach::Rows(_) => Err(Error::StepsOut),
        }
    }

    /// Takes on work of many. Those of their accounts that exist are locked now.
    pub(super) async fn share(&mut self, accounts: &[AccountKey]) -> Result<()> {
        let ids = self.accounts.existing(accounts).await?;
        self.lock_ids(ids).await
    }

    /// Where it stands before a piece of work.
    pub(super) async fn mark(&mut self) -> Result<Mark> {
        store::save_place(&mut self.tx, !self.has_mark).await?;
        self.has_mark = true;
        Ok(Mark {
            staged: self.staged.place(),
            locked: self.drawn.locked(),
            floors: self.drawn.floors_set(),
        })
    }

    /// Leaves nothing of the piece of work that began at the mark, and was not booked.
    pub(super) async fn undo(&mut self, mark: Mark) -> Result<()> {
        store::go_back(&mut self.tx).await?;
        self.entries.clear();
        self.staged.go_back(mark.staged);
        self.drawn.keep_floors(mark.floors);
        self.drawn.keep_locked(&mark.locked);
        Ok(())
    }

    /// The entry that was staged last and is not booked yet.
    pub(super) fn last_staged(&self) -> Option<Uuid> {
        self.entries.last().map(|entry| entry.id)
    }

    /// Books what is staged, in memory: all of it or nothing.
    pub(super) async fn book_staged(&mut self) -> Result<()> {
        let staged = std::mem::take(&mut self.entries);
        if staged.is_empty() {
            return Ok(());
        }
        self.lock_accounts(&accounts_of(&staged)).await?;
        self.drawn.apply_all(&staged)?;
        // From here on the accounts show it themselves.
        self.staged.delivered.clear();
        Ok(())
    }

    /// Stages a journal entry.
    pub fn post(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }

    /// Whether our liquidity can deliver this much, counting what this unit has taken already; if so
    /// it counts as taken from now on.
    pub(crate) async fn take_liquidity(&mut self, amount: Money) -> Result<bool> {
        let liquidity = house(AccountKind::Liquidity, amount.currency().id);
        let left = match self.drawn.left_of(liquidity) {
            Some(left) => left,
            None => store::liquidity_left(&mut self.tx, amount.currency()).await?,
        };
        Ok(self.take_from(left, amount))
    }

    /// How much the accounts of our liquidity have left, by currency; what is left out delivers as much
    /// as is asked for. For [`Self::take_from`], where many amounts are taken.
    pub(crate) async fn liquidity_left(
        &mut self,
        currencies: &BTreeSet<CurrencyId>,
    ) -> Result<HashMap<CurrencyId, i128>> {
        let mut left = store::liquidity_left_each(&mut self.tx, currencies).await?;
        for currency in currencies {
            // What others in this unit booked is in no row yet.
            match self.drawn.left_of(house(AccountKind::Liquidity, *currency)) {
                Some(Some(units)) => left.insert(*currency, units),
                Some(None) => left.remove(currency),
                None => None,
            };
        }
        Ok(left)
    }

    /// The same as [`Self::take_liquidity`], out of what the account was read to have left; `None` = as
    /// much as is asked for.
    pub(crate) fn take_from(&mut self, left: Option<i128>, amount: Money) -> bool {
        let taken = self
            .staged
            .delivered
            .entry(amount.currency().id)
            .or_default();
        let covered = left.is_none_or(|left| *taken + amount.units() <= left);
        if covered {
            *taken += amount.units();
        }
        covered
    }

    /// What this unit has booked on accounts of which rows do not show it yet: how much more these can give, in
    /// ledger units.
    pub(crate) fn gained(&self, counts: impl Fn(&AccountKey) -> bool) -> i128 {
        self.drawn.gained(counts)
    }

    /// The figures of an account that is locked, with what this unit has booked on it.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not locked.
    pub(crate) fn figures(&self, key: AccountKey) -> Result<&AccountState> {
        self.drawn
            .state(key)
            .ok_or_else(|| Error::Internal(format!("{key:?} is not locked")))
    }

    /// Gives an account that is locked another floor, in ledger units, `None` for none; not above what it can
    /// give now. It is written at the unit's end, and entries after it are judged by it.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not locked.
    pub(crate) fn set_floor(&mut self, key: AccountKey, floor: Option<i128>) -> Result<()> {
        self.drawn.set_floor(key, floor)
    }

    /// Stages an event.
    pub fn emit(&mut self, event: NewEvent) {
        self.staged.events.push(event);
    }

    /// Stages the first event about an object that this unit has made, so that the number of the last
    /// one need not be looked up.
    pub(crate) fn emit_first(&mut self, event: NewEvent) {
        self.staged.made.insert(event.object.clone());
        self.staged.events.push(event);
    }

    /// Objects about which there is no event yet.
    pub(crate) fn made(&self) -> &HashSet<String> {
        &self.staged.made
    }

    /// Notes a line that this unit has written to a log: should nobody answer its commit, work that neither
    /// books nor tells anything is known by it.
    pub(crate) fn note_line(&mut self, log: Log, id: i64, at: OffsetDateTime) {
        self.staged.line = Some(Line { log, id, at });
    }

    /// The line that was noted last; nobody finds it a second time.
    pub(super) fn take_line(&mut self) -> Option<Line> {
        self.staged.line.take()
    }

    /// Wakes the live pages of a charge once the change is committed.
    pub fn notify(&mut self, public_id: &str) {
        if self.staged.notified.insert(public_id.to_owned()) {
            self.staged.notifications.push(public_id.to_owned());
        }
    }

    /// Books what is staged and writes everything that is booked.
    pub(super) async fn write_entries(&mut self) -> Result<()> {
        self.book_staged().await?;
        let drawn = std::mem::take(&mut self.drawn);
        let (wider, tighter) = drawn.new_floors();
        store::set_floors(&mut self.tx, &wider).await?;
        if !drawn.entries().is_empty() {
            posting_store::write(&mut self.tx, &drawn, self.now).await?;
            self.last_written = drawn.entries().last().map(|entry| entry.id);
        }
        store::set_floors(&mut self.tx, &tighter).await
    }

    /// An entry of what was written, if there is any.
    pub(super) fn last_written(&self) -> Option<Uuid> {
        self.last_written
    }

    /// Events that are staged so far.
    pub(super) fn events_staged(&self) -> usize {
        self.staged.events.len()
    }

    /// Draws the ids of all events that are staged; answers the last one's, when there are more than
    /// there were.
    pub(super) fn name_events(&mut self, before: usize) -> Result<Option<String>> {
        let staged = &mut self.staged;
        if staged.events.len() <= before {
            return Ok(None);
        }
        while staged.event_ids.len() < staged.events.len() {
            staged.event_ids.push(event_id()?);
        }
        Ok(staged.event_ids.last().cloned())
    }

    /// What is staged, and the ids that the first of them have.
    pub(super) fn take_events(&mut self) -> (Vec<NewEvent>, Vec<String>) {
        let staged = &mut self.staged;
        (
            std::mem::take(&mut staged.events),
            std::mem::take(&mut staged.event_ids),
        )
    }

    pub(super) async fn send_notifications(&mut self) -> Result<()> {
        let public_ids = std::mem::take(&mut self.staged.notifications);
        self.staged.notified.clear();
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
