//! What is measured of a server, round by round, so that a machine that slows down slows all of it down.

use gateway::Gateway;

use super::callbacks::Callbacks;
use super::ledger::Ledger;
use super::part::{Part, Parts};
use super::report::Report;
use super::{Run, Site, checkout, orders, payments, processing, say};

/// All rounds of all parts.
pub(super) async fn all(
    site: &Site,
    gateway: &Gateway,
    run: &Run<'_>,
    ledger: &Ledger,
    parts: &Parts,
    room: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    if parts.has(Part::Exchanges) || parts.has(Part::Withdrawals) {
        processing::fund(site).await?;
    }
    let mut callbacks = None;
    if parts.has(Part::Callbacks) {
        callbacks = Some(Callbacks::start(site).await?);
    }
    let count = site.plan.rounds;
    for round in 1..=count {
        run.tpcb.measure(room, report).await?;
        run.anchors.measure(site.plan, room, report).await?;
        of_ledger(ledger, parts, round, report).await?;
        if parts.has(Part::Payments) {
            payments::measure(site, gateway, ledger.merchants(), report).await?;
        }
        if parts.has(Part::Orders) {
            orders::measure(site, report).await?;
        }
        if parts.has(Part::Exchanges) {
            processing::exchange(site, round, report).await?;
        }
        if parts.has(Part::Checkout) {
            checkout::measure(site, report).await?;
        }
        if let Some(callbacks) = &mut callbacks {
            callbacks.measure(site, report).await?;
        }
        if parts.has(Part::Withdrawals) {
            processing::withdraw(site, round, report).await?;
        }
        say(&format!("round {round} of {count}: {}", report.latest()));
    }
    Ok(())
}

/// One round of the parts that need no HTTP.
async fn of_ledger(
    ledger: &Ledger,
    parts: &Parts,
    round: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    if parts.has(Part::Floor) {
        ledger.floor(report).await?;
    }
    if parts.has(Part::Ledger) {
        ledger.transfers(round, report).await?;
    }
    if parts.has(Part::Holds) {
        ledger.pairs(round, report).await?;
    }
    if parts.has(Part::PerCall) {
        ledger.calls(round, report).await?;
    }
    if parts.has(Part::Latency) {
        ledger.latency(round, report).await?;
    }
    if parts.has(Part::Queue) {
        ledger.queue(report).await?;
    }
    if parts.has(Part::Deliveries) {
        ledger.deliveries(report).await?;
    }
    if parts.has(Part::Pages) {
        ledger.pages(report).await?;
    }
    Ok(())
}
