//! Exchequer's use cases over Postgres: one folder per capability, SQL only in its `store.rs`.
//!
//! Invariant: money, status and outbox rows change together, in one transaction of
//! [`ledger::Book::commit`], or not at all.

pub mod addresses;
mod advance;
pub mod audit;
pub mod auth;
pub mod bench;
pub mod chain;
pub mod charges;
pub mod clock;
mod copying;
pub mod currencies;
pub mod dashboard;
pub mod demo;
mod deposits;
pub mod error;
pub mod exchange;
pub mod futures;
pub mod histogram;
pub mod idempotency;
pub mod instance;
pub mod invoices;
pub mod ledger;
pub mod mail;
pub mod merchants;
mod open;
pub mod operations;
pub mod operator;
pub mod outbox;
pub mod own_funds;
pub mod payouts;
pub mod rates;
pub mod roster;
pub mod settings;
pub mod terminal;
pub mod terms;
pub mod treasury;
pub mod wallets;
pub mod withdrawals;
pub mod workers;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::view::system::{AdmissionFigures, WorkerFigures, WorkerState};
pub use sqlx::PgPool;
use tokio::sync::broadcast;

pub use error::{Error, FieldError, Result};
pub use instance::Instance;
pub use open::{Options, migrate, schema_is_current};
pub use settings::Settings;

/// How long committers get for what waits when the instance ends.
const COMMITTERS_END: Duration = Duration::from_secs(5);

/// How long connections to the database get to be given back.
const POOL_END: Duration = Duration::from_secs(5);

/// Everything the edge may ask for. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>, Behalf);

/// For whom a handle works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behalf {
    /// Somebody who asks, and may be turned away.
    Caller,
    /// The instance itself: followers, timers, senders.
    Instance,
}

struct Inner {
    pool: PgPool,
    side_pool: PgPool,
    /// Connections of simulated chains.
    of_simulated: PgPool,
    clock: clock::Clock,
    currencies: currencies::Currencies,
    instance: Instance,
    settings: Settings,
    book: ledger::Book,
    /// The same for the instance's own work.
    own_book: ledger::Book,
    known_keys: auth::KnownKeys,
    seen_wallets: Arc<wallets::SeenWallets>,
    /// Digest of the static key, none when such calls are off.
    static_key: OnceLock<Option<[u8; 32]>>,
    new_charges: OnceLock<ledger::Committer<charges::creating::NewCharges>>,
    chains: chain::Chains,
    renderer: Arc<dyn outbox::Render>,
    sender: outbox::Sender,
    guard: Arc<outbox::AddressGuard>,
    changed: broadcast::Sender<String>,
    attempts: outbox::AttemptTally,
    roster: roster::Roster,
}

impl Gateway {
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    /// Connections for what is held or taken while the main pool is waited for.
    pub(crate) fn side_pool(&self) -> &PgPool {
        &self.0.side_pool
    }

    pub(crate) fn seen_wallets(&self) -> &wallets::SeenWallets {
        &self.0.seen_wallets
    }

    pub fn clock(&self) -> &clock::Clock {
        &self.0.clock
    }

    pub fn currencies(&self) -> &currencies::Currencies {
        &self.0.currencies
    }

    pub fn instance(&self) -> &Instance {
        &self.0.instance
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn book(&self) -> &ledger::Book {
        match self.1 {
            Behalf::Caller => &self.0.book,
            Behalf::Instance => &self.0.own_book,
        }
    }

    /// The same gateway for what the instance does by itself: no caller keeps that from being done.
    pub(crate) fn of_the_instance(&self) -> Self {
        Self(self.0.clone(), Behalf::Instance)
    }

    pub fn chains(&self) -> &chain::Chains {
        &self.0.chains
    }

    pub fn renderer(&self) -> &dyn outbox::Render {
        self.0.renderer.as_ref()
    }

    pub(crate) fn sender(&self) -> &outbox::Sender {
        &self.0.sender
    }

    /// Keys that were looked up a moment ago.
    pub(crate) fn known_keys(&self) -> &auth::KnownKeys {
        &self.0.known_keys
    }

    /// Which addresses webhooks may go to.
    pub fn guard(&self) -> &outbox::AddressGuard {
        &self.0.guard
    }

    /// What became of the deliveries this process tried.
    pub(crate) fn attempts(&self) -> &outbox::AttemptTally {
        &self.0.attempts
    }

    /// Who of the workers is at work.
    pub(crate) fn roster(&self) -> &roster::Roster {
        &self.0.roster
    }

    /// What runs by itself in this process and how it is: workers, then the committers that were begun.
    pub fn workers(&self) -> Vec<WorkerFigures> {
        let mut workers = self.roster().workers();
        workers.extend(self.committers().into_iter().map(|(of, stats)| {
            let state = match stats.ended {
                0 => WorkerState::Running,
                // Also when another task of it goes on: it may end of the same.
                _ => WorkerState::Ended,
            };
            WorkerFigures {
                name: format!("{of} committer"),
                state,
            }
        }));
        workers
    }

    /// Figures of the committers that run, by what they commit.
    pub fn committers(&self) -> Vec<(&'static str, ledger::CommitterStats)> {
        let charges = self.0.new_charges.get().map(ledger::Committer::stats);
        let known = [
            ("postings", self.0.book.postings_stats()),
            ("charges", charges),
            ("grouped", self.0.book.grouped_stats()),
            ("decisions", self.0.book.decisions_stats()),
        ];
        known
            .into_iter()
            .filter_map(|(name, stats)| Some((name, stats?)))
            .collect()
    }

    /// Who is at the door of units that are committed alone.
    pub fn admission(&self) -> AdmissionFigures {
        self.0.book.admission()
    }

    /// Ends the committers once what waits is done. What is asked for meanwhile is turned away, and so is
    /// what has not begun after some seconds; nobody waits for an answer afterwards.
    pub async fn end_committers(&self) {
        let charges = async {
            match self.0.new_charges.get() {
                Some(charges) => charges.end_within(COMMITTERS_END).await,
                None => true,
            }
        };
        let (book, charges) = tokio::join!(self.0.book.end_within(COMMITTERS_END), charges);
        if !(book && charges) {
            tracing::warn!("some of what waits was not committed");
        }
    }

    /// Ends the committers, then gives the connections back.
    pub async fn close(&self) {
        self.end_committers().await;
        // One that answers nothing is never given back.
        let all = async {
            let Inner {
                pool,
                side_pool,
                of_simulated,
                ..
            } = &*self.0;
            tokio::join!(pool.close(), side_pool.close(), of_simulated.close())
        };
        if tokio::time::timeout(POOL_END, all).await.is_err() {
            tracing::warn!("some connections to the database were not given back");
        }
    }

    /// Public ids of charges as they change, in any process of this instance.
    pub fn subscribe(&self) -> broadcast::Receiver<String> {
        self.0.changed.subscribe()
    }

    pub(crate) fn announce(&self, public_id: String) {
        // Nobody listening is the normal case.
        let _ = self.0.changed.send(public_id);
    }
}
