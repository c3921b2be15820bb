//! How a chain is followed: blocks a second with few and with many watched addresses, and how long after
//! its announcement a payment is seen. The node is made up in this process, so nothing but our own
//! work is measured, and whatever part of it grew with the history would show.
//!
//! Addresses are stored in bulk, which the gateway does in a bench's own database only.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::money::Currency;
use gateway::Gateway;
use gateway::chain::follower;
use gateway::chain::generated::{self, CODE, GeneratedChain, News};
use tokio::sync::watch;
use tokio::time::sleep;

use super::figure::Figure;
use super::report::{Report, Subject, Unit};
use super::{Run, audit, say};
use crate::config::Config;
use crate::database::Database;
use crate::shutdown::Shutdown;

/// Blocks of a third of a round: the first and the last third are compared.
const BLOCKS: u32 = 50;
const THIRDS: u32 = 3;

/// Payments that are waited for in a round.
const PAYMENTS: u64 = 40;
/// Longest wait for one of them.
const SEEN_WAIT_MAX: Duration = Duration::from_secs(60);
/// Between two looks at whether it was seen: what the times may be off.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Payments come at any moment of the follower's own rhythm: their pauses go through this many
/// milliseconds, `PAUSE_STEP` further each time.
const PAUSE_MAX: u64 = 200;
const PAUSE_STEP: u64 = 73;

/// A number of watched addresses and the rows of it.
struct Crowd {
    addresses: u64,
    all: Subject,
    first: Subject,
    last: Subject,
}

const CROWDS: [Crowd; 2] = [
    Crowd {
        addresses: 10_000,
        all: rate("chain_blocks_10k", "blocks, 10 000 addresses"),
        first: rate(
            "chain_blocks_10k_first",
            "blocks, 10 000 addresses, first third",
        ),
        last: rate(
            "chain_blocks_10k_last",
            "blocks, 10 000 addresses, last third",
        ),
    },
    Crowd {
        addresses: 1_000_000,
        all: rate("chain_blocks_1m", "blocks, 1 000 000 addresses"),
        first: rate(
            "chain_blocks_1m_first",
            "blocks, 1 000 000 addresses, first third",
        ),
        last: rate(
            "chain_blocks_1m_last",
            "blocks, 1 000 000 addresses, last third",
        ),
    },
];

/// How the follower learns of a payment, and the percentiles of that.
const SEEN: [(News, [(usize, Subject); 2]); 2] = [
    (
        News::Polled,
        [
            (
                50,
                time("chain_seen_polled_p50", "payment seen, node polled, p50"),
            ),
            (
                95,
                time("chain_seen_polled_p95", "payment seen, node polled, p95"),
            ),
        ],
    ),
    (
        News::Told,
        [
            (
                50,
                time("chain_seen_told_p50", "payment seen, node tells, p50"),
            ),
            (
                95,
                time("chain_seen_told_p95", "payment seen, node tells, p95"),
            ),
        ],
    ),
];

const fn rate(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::PerSecond,
    }
}

const fn time(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::Milliseconds,
    }
}

/// The instance that follows, and what it follows.
struct Site {
    gateway: Gateway,
    chain: Arc<GeneratedChain>,
    coin: Currency,
}

/// All rounds, then the audit of what they left.
///
/// # Errors
/// A block was not connected, a payment not seen, the books are not in order, or the bench was
/// interrupted.
pub(super) async fn measure(
    database_url: &str,
    config: Config,
    run: &Run<'_>,
    mut shutdown: Shutdown,
) -> anyhow::Result<String> {
    let chain = GeneratedChain::new();
    let config = Config {
        chains: chain.settings()?,
        ..config
    };
    // Nobody is to come to it.
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let database = Database::Named(database_url.to_owned());
    let gateway = database
        .open(&config, config.public_url_at(nowhere))
        .await?;
    let coin = gateway.currencies().by_code(CODE);
    let site = Site {
        coin: coin.with_context(|| format!("there is no {CODE}"))?,
        gateway,
        chain,
    };
    tokio::select! {
        measured = rounds(&site, run) => measured,
        () = shutdown.requested() => Err(anyhow::anyhow!("interrupted")),
    }
}

async fn rounds(site: &Site, run: &Run<'_>) -> anyhow::Result<String> {
    let (tpcb, plan) = (&run.tpcb, run.args.plan);
    say(&format!("filling TPC-B's tables at scale {}", plan.scale));
    tpcb.fill().await?;
    let merchant = site.gateway.demo().await?.merchant.id;
    let (room, machine) = run.look(&site.gateway).await?;
    let mut report = Report::new(plan, machine);
    let mut watched = 0;
    for crowd in &CROWDS {
        let addresses = crowd.addresses;
        say(&format!("watching {addresses} addresses"));
        generated::watch(&site.gateway, site.coin, merchant, watched..addresses).await?;
        watched = addresses;
        for round in 1..=plan.rounds {
            tpcb.measure(room, &mut report).await?;
            catch_up(site, crowd, &mut report).await?;
            say(&format!(
                "round {round} of {}: {}",
                plan.rounds,
                report.latest()
            ));
        }
    }
    for (news, rows) in &SEEN {
        for _ in 0..plan.rounds {
            let seen = sight(site, *news, watched).await?;
            report.add_percentiles(rows, &seen)?;
        }
    }
    say("auditing");
    audit::measure(&site.gateway, plan.rounds, &mut report).await?;
    Ok(run.args.shape(&report))
}

/// One round of blocks that are there already.
async fn catch_up(site: &Site, crowd: &Crowd, report: &mut Report) -> anyhow::Result<()> {
    let mut thirds = Vec::new();
    for _ in 0..THIRDS {
        site.chain.grow(BLOCKS, crowd.addresses);
        let started = Instant::now();
        let progress = follower::sync(&site.gateway, site.coin).await?;
        thirds.push(started.elapsed());
        let connected = progress.connected;
        ensure!(
            progress.tip.is_some() && connected >= BLOCKS,
            "{connected} of {BLOCKS} blocks were connected"
        );
    }
    let blocks = u64::from(BLOCKS);
    let all: Duration = thirds.iter().sum();
    report.add(
        crowd.all,
        Figure::per_second(u64::from(THIRDS) * blocks, all),
    );
    for (row, third) in [(crowd.first, thirds.first()), (crowd.last, thirds.last())] {
        let third = third.context("nothing was measured")?;
        report.add(row, Figure::per_second(blocks, *third));
    }
    Ok(())
}

/// One round of payments, each announced when the one before was seen: how long each took, sorted.
async fn sight(site: &Site, news: News, watched: u64) -> anyhow::Result<Vec<Duration>> {
    site.chain.tell(news);
    let (stop, stopping) = watch::channel(false);
    let following = follower::run(site.gateway.clone(), site.coin, stopping);
    let following = tokio::spawn(following);
    let seen = see(site, watched).await;
    // It may have ended by itself, which the next payment would have shown.
    let _ = stop.send(true);
    following.await.context("the follower broke off")?;
    let mut seen = seen?;
    // The next round begins with an empty mempool.
    site.chain.grow(1, watched);
    follower::sync(&site.gateway, site.coin).await?;
    seen.sort_unstable();
    Ok(seen)
}

async fn see(site: &Site, watched: u64) -> anyhow::Result<Vec<Duration>> {
    let mut seen = Vec::new();
    for number in 0..PAYMENTS {
        sleep(Duration::from_millis(number * PAUSE_STEP % PAUSE_MAX)).await;
        let started = Instant::now();
        let txid = site.chain.announce(number % watched);
        while !generated::is_seen(&site.gateway, site.coin, &txid).await? {
            ensure!(
                started.elapsed() < SEEN_WAIT_MAX,
                "a payment was not seen within {} s",
                SEEN_WAIT_MAX.as_secs()
            );
            sleep(LOOK_EVERY).await;
        }
        seen.push(started.elapsed());
    }
    Ok(seen)
}
