//! How long after its broadcast a payer sees a payment on the page: with a real node, once asked again and
//! again and once heard by ZMQ.
//!
//! For each payment an order is made, its coin picked and its page's stream opened as a browser does. The
//! clock runs from the call that broadcasts to the last byte of the event that shows the payment. Then a
//! block confirms it, and the next one begins when the page says so.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use domain::view::checkout::CheckoutState;
use gateway::Gateway;
use tokio::time::sleep;

use super::connection::Connection;
use super::purse::Purse;
use super::regtest::{self, CODE, Regtest};
use super::report::Report;
use super::scope::{Payments, Scope};
use super::subject::{Subject, Unit};
use super::watching::OpenPage;
use super::{Run, Site, audit, checkout, orders, say, served};
use crate::config::Config;
use crate::database::Database;
use crate::shutdown::Shutdown;

/// Longest wait until a server follows the node, and hears it.
const READY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Between two looks at whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Payments come at any moment of the rhythm in which the node is asked: the pauses before them go
/// through this many milliseconds, `PAUSE_STEP` further each time.
const PAUSE_MAX: u64 = 200;
const PAUSE_STEP: u64 = 73;

/// Connections of the instance that only looks and audits.
const POOL_BESIDE: u32 = 4;

/// How a server learns of a payment, and the percentiles of that.
struct Way {
    with_zmq: bool,
    rows: [(usize, Subject); 2],
}

const WAYS: [Way; 2] = [
    Way {
        with_zmq: false,
        rows: [
            (
                50,
                time(
                    "page_seen_polled_p50",
                    "payment seen on the page, polled, p50",
                ),
            ),
            (
                95,
                time(
                    "page_seen_polled_p95",
                    "payment seen on the page, polled, p95",
                ),
            ),
        ],
    },
    Way {
        with_zmq: true,
        rows: [
            (
                50,
                time("page_seen_zmq_p50", "payment seen on the page, ZMQ, p50"),
            ),
            (
                95,
                time("page_seen_zmq_p95", "payment seen on the page, ZMQ, p95"),
            ),
        ],
    },
];

const fn time(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::Milliseconds,
    }
}

/// The node, and what pays there.
struct Payer {
    node: Regtest,
    purse: Purse,
}

impl Payer {
    async fn start(program: &Path) -> anyhow::Result<Self> {
        let node = Regtest::start(program).await?;
        let purse = Purse::filled(&node).await?;
        Ok(Self { node, purse })
    }
}

/// All rounds, then the proof of the books they left.
///
/// # Errors
/// The node cannot be started, a payment was not seen, the books are not in order, or the bench was
/// interrupted. The node is gone then, too.
pub(super) async fn measure(
    database_url: &str,
    config: Config,
    run: &Run<'_>,
    shutdown: Shutdown,
) -> anyhow::Result<String> {
    let program = regtest::find(run.args.bitcoind.as_deref())?;
    say(&format!("starting {}", program.display()));
    let mut payer = served::unless_interrupted(&shutdown, Payer::start(program)).await?;
    let (tpcb, plan, payments) = (&run.tpcb, run.args.plan, run.args.payments);
    say(&format!("filling TPC-B's tables at scale {}", plan.scale));
    served::unless_interrupted(&shutdown, tpcb.fill()).await?;
    let gateway = beside(database_url, &config, &payer.node).await?;
    let (room, machine, meter) = run.look(&gateway).await?;
    let scope = Payments {
        payments,
        look_every: payer.node.look_every()?,
    };
    let mut report = Report::new(Scope::seen(plan, scope), machine, meter);
    for round in 1..=plan.rounds {
        served::unless_interrupted(&shutdown, tpcb.measure(room, &mut report)).await?;
        for way in &WAYS {
            let config = Config {
                chains: payer.node.chains(way.with_zmq)?,
                ..config.clone()
            };
            let stop = shutdown.clone();
            let seen = served::during(
                database_url,
                &config,
                plan,
                stop,
                async |site: &Site, gateway: &Gateway| {
                    until_it_follows(gateway, way.with_zmq).await?;
                    visits(site, &mut payer, payments).await
                },
            )
            .await?;
            report.add_percentiles(&way.rows, &seen)?;
        }
        say(&format!(
            "round {round} of {}: {}",
            plan.rounds,
            report.latest()
        ));
    }
    say("auditing");
    let proof = audit::prove(&gateway);
    report.set_postings(served::unless_interrupted(&shutdown, proof).await?);
    Ok(run.args.shape(&report))
}

/// An instance that nobody comes to.
async fn beside(url: &str, config: &Config, node: &Regtest) -> anyhow::Result<Gateway> {
    let config = Config {
        chains: node.chains(false)?,
        database_connections: POOL_BESIDE,
        ..config.clone()
    };
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let database = Database::Named(url.to_owned());
    database.open(&config, config.public_url_at(nowhere)).await
}

/// Waits until the server has read the chain to its tip and, where it was told to, hears the node.
async fn until_it_follows(gateway: &Gateway, with_zmq: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let statuses = gateway.chain_statuses().await?;
        let status = statuses.into_iter().find(|status| status.code == CODE);
        let status = status.with_context(|| format!("there is no {CODE}"))?;
        let (is_current, is_heard) = (
            status.following.at_tip.is_some(),
            status.is_heard == Some(true),
        );
        if is_current && (is_heard || !with_zmq) {
            return Ok(());
        }
        if began.elapsed() > READY_WAIT_MAX {
            ensure!(
                is_current,
                "the node is not followed: {:?}",
                status.following
            );
            bail!("the node announces nothing: it has to be one with ZeroMQ");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// So many payments, one after the other: how long each took, sorted.
///
/// One more comes before them and is not counted: connections are opened by it, and nobody tells when
/// the node has taken a subscription in.
async fn visits(site: &Site, payer: &mut Payer, count: u32) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(site.address).await?;
    let mut seen = Vec::new();
    for number in 0..=count {
        let took = visit(site, &mut connection, payer, u64::from(number)).await?;
        if number > 0 {
            seen.push(took);
        }
    }
    seen.sort_unstable();
    Ok(seen)
}

/// One order from its making to its payment's block; answers how long the payment took to be seen.
async fn visit(
    site: &Site,
    connection: &mut Connection,
    payer: &mut Payer,
    number: u64,
) -> anyhow::Result<Duration> {
    let page = orders::place(site, connection, number).await?;
    checkout::pick(connection, &page).await?;
    let mut open = OpenPage::follow(site.address, &page).await?;
    let asked = open
        .until(|state| state == CheckoutState::Awaiting)
        .await?
        .view
        .payment
        .context("a page that asks for nothing")?;
    let Payer { node, purse } = payer;
    let draft = purse.draft(node, &asked.address, &asked.amount).await?;
    sleep(Duration::from_millis(number * PAUSE_STEP % PAUSE_MAX)).await;
    let sent_at = Instant::now();
    // The page may show it before the node has answered.
    let (shown, ()) = tokio::try_join!(
        open.until(|state| state == CheckoutState::Seen),
        purse.send(node, draft)
    )?;
    purse.confirm(node).await?;
    open.until(|state| matches!(state, CheckoutState::Confirming | CheckoutState::Paid))
        .await?;
    Ok(shown.at.saturating_duration_since(sent_at))
}
