//! A gateway in memory: the pure rules, and around them as little as a gateway needs: rows, books,
//! an outbox, chains, receivers, a clock. A unit of work changes all of it together or nothing.

pub mod books;
pub mod chain;
mod charges;
mod deposits;
mod following;
pub mod money;
pub mod outbox;
mod own_funds;
mod refunds;
pub mod rows;
mod steps;
mod trades;
pub mod withdrawals;

use std::rc::Rc;

use domain::charge::TransitionError;
use domain::ledger::template::{Ids, primary_wallet, test_funding};
use domain::ledger::{JournalEntry, LedgerError};
use domain::withdrawal::WithdrawalError;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use self::books::{Books, MERCHANTS, Unposted, merchant_id};
use self::chain::Chain;
use self::money::{ALL, Coin, Rates};
use self::outbox::{Object, Outbox};
use self::rows::Rows;
use crate::bugs::Bug;

pub const START: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

/// What everybody can read while a unit runs.
#[derive(Clone, Copy)]
pub struct Terms {
    pub now: OffsetDateTime,
    pub rates: Rates,
    pub fee_points: u32,
    /// Above it somebody has to approve a withdrawal; euro cents, by merchant.
    pub limit_cents: [u32; MERCHANTS],
    pub bug: Option<Bug>,
}

pub struct World {
    pub terms: Terms,
    pub rows: Rows,
    pub books: Books,
    pub outbox: Outbox,
    /// By currency; that of the euro stays empty.
    pub chains: [Chain; 3],
    /// The next commit does not happen.
    pub crash: bool,
    /// The process is dead for the rest of this step.
    pub is_dead: bool,
    /// Key of the request that is being made.
    pub key: usize,
    /// What must never happen, and did.
    pub broken: Option<String>,
    drawn: u128,
}

/// A request that changes nothing; part of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl From<TransitionError> for Refused {
    fn from(_: TransitionError) -> Self {
        Self
    }
}

impl From<WithdrawalError> for Refused {
    fn from(_: WithdrawalError) -> Self {
        Self
    }
}

/// One unit of work: rows as they would be, and what would be written with them.
pub struct Unit {
    pub terms: Terms,
    pub rows: Rows,
    pub key: usize,
    entries: Vec<JournalEntry>,
    events: Vec<(Object, &'static str)>,
    liquidity_left: [i128; 3],
    drawn: u128,
}

impl Unit {
    /// Draws ids for a posting template.
    pub fn draw<T>(&mut self, make: impl FnOnce(&mut Ids<'_>) -> T) -> T {
        let drawn = &mut self.drawn;
        let mut next = || {
            *drawn += 1;
            Uuid::from_u128(*drawn)
        };
        make(&mut Ids { next: &mut next })
    }

    pub fn post(&mut self, make: impl FnOnce(&mut Ids<'_>) -> JournalEntry) {
        let entry = self.draw(make);
        self.entries.push(entry);
    }

    pub fn stage(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }

    pub fn emit(&mut self, about: Object, word: &'static str) {
        self.events.push((about, word));
    }

    /// Whether our liquidity can deliver this much besides what the unit took already.
    pub fn take_liquidity(&mut self, coin: Coin, units: i128) -> bool {
        let left = &mut self.liquidity_left[coin.index()];
        let is_there = units <= *left;
        if is_there {
            *left -= units;
        }
        is_there
    }

    /// Whether this request was answered before; if not, it is from now on.
    pub fn is_answered(&mut self) -> bool {
        let is_known = self.rows.keys.contains(&self.key);
        if !is_known && self.terms.bug != Some(Bug::KeyNotKept) {
            Rc::make_mut(&mut self.rows.keys).push(self.key);
        }
        is_known
    }
}

impl World {
    pub fn new(bug: Option<Bug>) -> Self {
        let terms = Terms {
            now: START,
            rates: Rates::new(),
            fee_points: 100,
            limit_cents: [50_000; MERCHANTS],
            bug,
        };
        let mut world = Self {
            terms,
            rows: Rows::default(),
            books: Books::new(bug == Some(Bug::NoFloors)),
            outbox: Outbox::default(),
            chains: Default::default(),
            crash: false,
            is_dead: false,
            key: 0,
            broken: None,
            drawn: 0,
        };
        for chain in &mut world.chains {
            chain.height = 10;
        }
        let funded = world.commit(|unit, _| {
            for coin in ALL {
                for merchant in 0..MERCHANTS {
                    let wallet = primary_wallet(merchant_id(merchant), coin.currency().id);
                    unit.post(|ids| test_funding(ids, wallet, Self::funding(coin)));
                }
            }
            Ok(())
        });
        assert_eq!(funded, Ok(()));
        world
    }

    /// What each wallet has at the start.
    pub fn funding(coin: Coin) -> domain::money::Money {
        coin.payable(100_000)
    }

    /// Runs `work` and keeps all it did, or nothing.
    pub fn commit(
        &mut self,
        work: impl FnOnce(&mut Unit, &[Chain; 3]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        if self.is_dead {
            return Err(Refused);
        }
        let mut unit = Unit {
            terms: self.terms,
            rows: self.rows.clone(),
            key: self.key,
            entries: Vec::new(),
            events: Vec::new(),
            liquidity_left: self.books.liquidity_left(),
            drawn: self.drawn,
        };
        work(&mut unit, &self.chains)?;
        self.drawn = unit.drawn;
        let crashes = std::mem::take(&mut self.crash);
        self.is_dead |= crashes;
        if crashes && self.terms.bug == Some(Bug::BooksBeforeRows) {
            // The books are ahead of the rows now.
            drop(self.books.post(unit.entries));
            return Err(Refused);
        }
        if crashes && self.terms.bug != Some(Bug::EventsAfterCommit) {
            return Err(Refused);
        }
        match self.books.post(unit.entries) {
            Ok(()) => {}
            Err(Unposted::Refused(LedgerError::InsufficientFunds { .. })) => return Err(Refused),
            Err(Unposted::Refused(error)) => {
                self.broken = Some(format!("an entry makes no sense: {error}"));
                return Err(Refused);
            }
            Err(Unposted::Twice(fact)) => {
                self.broken = Some(format!("booked twice: {fact}"));
                return Err(Refused);
            }
        }
        self.rows = unit.rows;
        if !crashes {
            for (about, word) in unit.events {
                self.outbox.write(about, word);
            }
        }
        Ok(())
    }

    /// The same for what nobody asked for: the chain and the clock cannot be refused.
    pub fn commit_always(
        &mut self,
        what: &str,
        work: impl FnOnce(&mut Unit, &[Chain; 3]) -> Result<(), Refused>,
    ) {
        let was_dead = self.is_dead;
        let crashes = self.crash;
        if self.commit(work).is_err() && !was_dead && !crashes && self.broken.is_none() {
            self.broken = Some(format!("{what} was refused"));
        }
    }

    pub fn advance(&mut self, seconds: u32) {
        self.terms.now += Duration::seconds(i64::from(seconds));
    }
}
