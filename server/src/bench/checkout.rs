//! The hosted checkout under many viewers: time to first byte of a page with its coin picked.
//!
//! Each viewer has an order of its own, made anew in every round, so that no page is watched beyond
//! the quarter of an hour for which its rate stands.

use anyhow::Context;
use axum::http::header;

use super::Site;
use super::connection::{Call, Connection};
use super::load::{Crowd, closed, paced};
use super::orders;
use super::report::Report;
use super::subject::{Subject, Unit};

/// People who look at a page at the same time.
const VIEWERS: u32 = 50;

/// Percentiles and their rows.
const CLOSED: [(usize, Subject); 3] = [
    (
        50,
        row("checkout_closed_p50", "checkout, 50 viewers at once, p50"),
    ),
    (
        95,
        row("checkout_closed_p95", "checkout, 50 viewers at once, p95"),
    ),
    (
        99,
        row("checkout_closed_p99", "checkout, 50 viewers at once, p99"),
    ),
];

const PACED: [(usize, Subject); 3] = [
    (
        50,
        row(
            "checkout_paced_p50",
            "checkout, 50 viewers, one a second, p50",
        ),
    ),
    (
        95,
        row(
            "checkout_paced_p95",
            "checkout, 50 viewers, one a second, p95",
        ),
    ),
    (
        99,
        row(
            "checkout_paced_p99",
            "checkout, 50 viewers, one a second, p99",
        ),
    ),
];

const fn row(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::Milliseconds,
    }
}

/// One round of each loop over the same pages.
pub(super) async fn measure(site: &Site, report: &mut Report) -> anyhow::Result<()> {
    let pages = open_pages(site).await?;
    let crowd = Crowd {
        clients: pages.len(),
        ..site.crowd()
    };
    let shown = pages.clone();
    let seen = closed(crowd.clone(), 200, move |viewer, _| look(&shown, viewer)).await?;
    report.add_percentiles(&CLOSED, &seen.latencies)?;
    let seen = paced(crowd, 200, move |viewer| look(&pages, viewer)).await?;
    report.add_percentiles(&PACED, &seen.latencies)
}

/// Makes an order for each viewer and picks its coin.
async fn open_pages(site: &Site) -> anyhow::Result<Vec<String>> {
    let mut connection = Connection::open(site.address).await?;
    let mut pages = Vec::new();
    for number in 0..VIEWERS {
        let page = orders::place(site, &mut connection, u64::from(number)).await?;
        pick(&mut connection, &page).await?;
        pages.push(page);
    }
    Ok(pages)
}

/// Picks Bitcoin on an order's page.
///
/// # Errors
/// The page says why it cannot be picked.
pub(super) async fn pick(connection: &mut Connection, page: &str) -> anyhow::Result<()> {
    let pick = Call::form(page, &[("method", "BTC")]);
    let picked = connection.send(pick).await?.expect(303)?;
    // The way back names what went wrong.
    let back = picked.headers.get(header::LOCATION);
    let back = back.and_then(|back| back.to_str().ok());
    let back = back.context("a form leads nowhere")?;
    anyhow::ensure!(!back.contains("notice="), "no coin could be picked: {back}");
    Ok(())
}

/// As a browser asks.
fn look(pages: &[String], viewer: usize) -> Call {
    let page = pages.get(viewer).map_or("/", String::as_str);
    Call::get(page)
        .with(header::ACCEPT, "text/html")
        .with(header::ACCEPT_ENCODING, "gzip, br")
}
