//! The ledger itself, without HTTP: how many entries a second it books, how soon, and what it costs to
//! read a long one.
//!
//! Invariant: all of it is booked by the book, into wallets of the bench's own, so the audit at the end
//! of a run proves these rows, too.

mod lanes;
mod latency;
mod pages;
mod queue;
mod spread;
mod submit;

use std::time::Instant;

use anyhow::ensure;
use gateway::Gateway;
use gateway::bench::Workbench;

use self::lanes::{Done, closed};
pub(super) use self::spread::Load;
use self::spread::{Spread, seed};
use self::submit::{direct, submit};
use super::Plan;
use super::figure::Figure;
use super::report::Report;
use super::say;
use super::subject::{FLOOR, LEDGER_UNIFORM, Subject, Unit};
use crate::shutdown::Shutdown;

/// Postings between two words about how far the loading is.
const SAID_EVERY: i64 = 500_000;

/// Callers who each wait for a transaction of their own.
const CALLERS: u32 = 32;

const fn rate(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::PerSecond,
    }
}

const TRANSFERS: [(Load, Subject); 3] = [
    (Load::Uniform, LEDGER_UNIFORM),
    (Load::Hot, rate("ledger_hot", "ledger, one hot account")),
    (Load::Zipf, rate("ledger_zipf", "ledger, Zipf 1.0")),
];

const CALLS: [(Load, Subject); 2] = [
    (
        Load::Uniform,
        rate("percall_uniform", "one call a transaction, uniform"),
    ),
    (
        Load::Hot,
        rate("percall_hot", "one call a transaction, hot"),
    ),
];

const PAIRS: Subject = rate("hold_pairs", "holds, each settled");

/// What is measured of the ledger.
pub(super) struct Ledger {
    gateway: Gateway,
    bench: Workbench,
    spread: Spread,
    plan: Plan,
    stop: Shutdown,
}

impl Ledger {
    /// Makes the wallets in the database named `own`.
    ///
    /// # Errors
    /// The gateway works on another database.
    pub(super) async fn open(
        gateway: &Gateway,
        own: &str,
        plan: Plan,
        stop: Shutdown,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            gateway: gateway.clone(),
            bench: Workbench::open(gateway, own, plan.accounts).await?,
            spread: Spread::over(plan.accounts),
            plan,
            stop,
        })
    }

    pub(super) fn rounds(&self) -> u32 {
        self.plan.rounds
    }

    /// Merchants that payments are spread over.
    pub(super) fn merchants(&self) -> &[i64] {
        self.bench.merchants()
    }

    /// Entries in flight where nothing else is said.
    pub(super) fn in_flight(&self) -> u32 {
        self.plan.in_flight
    }

    /// Loads the ledger until it holds `postings`; answers how many it holds. Says how far it is, and
    /// ends early when the bench is called off.
    pub(super) async fn grow_to(&self, postings: u32) -> anyhow::Result<u64> {
        let wanted = i64::from(postings);
        let started = Instant::now();
        let mut said = 0;
        let held = self
            .bench
            .grow_to(wanted, |held| {
                if held - said >= SAID_EVERY || held >= wanted {
                    said = held;
                    let seconds = started.elapsed().as_secs();
                    say(&format!("{held} of {wanted} postings after {seconds} s"));
                }
                !self.stop.is_requested()
            })
            .await?;
        Ok(u64::try_from(held)?)
    }

    /// One round of the floor: the rows alone, 500 a transaction, one connection.
    pub(super) async fn floor(&self, report: &mut Report) -> anyhow::Result<()> {
        let mut floor = self.bench.floor().await?;
        let lap = report.meter.start().await;
        let started = Instant::now();
        let mut count = 0_u64;
        while started.elapsed() < self.plan.round() && !self.stop.is_requested() {
            count = count.saturating_add(floor.insert().await?);
        }
        let rate = Figure::per_second(count, started.elapsed());
        report.add_rate(FLOOR, rate, lap.stop().await.each(count));
        Ok(())
    }

    /// One round of transfers through the committer, of each kind of load.
    pub(super) async fn transfers(&self, round: u32, report: &mut Report) -> anyhow::Result<()> {
        for (load, subject) in TRANSFERS {
            let lap = report.meter.start().await;
            let done = self.book(load, self.plan.in_flight, round).await?;
            report.add_rate(subject, done.rate(), lap.stop().await.each(done.count));
        }
        Ok(())
    }

    /// Transfers for the time of a round, with so many of them in flight all the time.
    pub(super) async fn book(
        &self,
        load: Load,
        in_flight: u32,
        round: u32,
    ) -> anyhow::Result<Done> {
        let (gateway, bench, spread) = (
            self.gateway.clone(),
            self.bench.clone(),
            self.spread.clone(),
        );
        let done = closed(
            in_flight,
            self.plan.round(),
            &self.stop,
            move |lane, turn| {
                let (debit, credit) = spread.pair(load, seed(round, lane, turn));
                let (gateway, entry) = (gateway.clone(), bench.transfer(debit, credit));
                async move { submit(&gateway, entry).await }
            },
        )
        .await?;
        ensure!(done.count > 0, "no transfer was booked in time");
        Ok(done)
    }

    /// One round of transfers that each are a transaction of their own.
    pub(super) async fn calls(&self, round: u32, report: &mut Report) -> anyhow::Result<()> {
        for (load, subject) in CALLS {
            let (gateway, bench, spread) = (
                self.gateway.clone(),
                self.bench.clone(),
                self.spread.clone(),
            );
            let lap = report.meter.start().await;
            let done = closed(CALLERS, self.plan.round(), &self.stop, move |lane, turn| {
                let (debit, credit) = spread.pair(load, seed(round, lane, turn));
                let (gateway, entry) = (gateway.clone(), bench.transfer(debit, credit));
                async move { direct(&gateway, entry).await }
            })
            .await?;
            report.add_rate(subject, done.rate(), lap.stop().await.each(done.count));
        }
        Ok(())
    }

    /// One round of pairs: money is held, then paid out of the hold.
    pub(super) async fn pairs(&self, round: u32, report: &mut Report) -> anyhow::Result<()> {
        let (gateway, bench, spread) = (
            self.gateway.clone(),
            self.bench.clone(),
            self.spread.clone(),
        );
        let lap = report.meter.start().await;
        let done = closed(
            self.plan.in_flight,
            self.plan.round(),
            &self.stop,
            move |lane, turn| {
                let (wallet, _) = spread.pair(Load::Uniform, seed(round, lane, turn));
                let (hold, id) = bench.hold(wallet);
                let settle = bench.settle(wallet, id);
                let gateway = gateway.clone();
                async move {
                    submit(&gateway, hold).await?;
                    submit(&gateway, settle).await
                }
            },
        )
        .await?;
        report.add_rate(PAIRS, done.rate(), lap.stop().await.each(done.count));
        Ok(())
    }
}
