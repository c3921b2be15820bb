//! How a chain is followed: blocks a second with few and with many watched addresses, and how long after
//! its announcement a payment is seen. The node is made up in this process, so nothing but our own
//! work is measured, and whatever part of it grew with the history would show.
//!
//! Addresses are stored in bulk, which the gateway does in a bench's own database only. Few and many of
//! them are watched by two instances with a database each, for what is watched once is watched for ever,
//! and only so can rounds of both take turns.

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
use super::report::Report;
use super::scope::{Blocks, Scope};
use super::scratch::Scratch;
use super::subject::{Subject, Unit};
use super::{Run, audit, say, served};
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

const FEW: Crowd = Crowd {
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
};

const MANY: Crowd = Crowd {
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
};

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

/// An instance that follows, and what it follows.
struct Site {
    gateway: Gateway,
    chain: Arc<GeneratedChain>,
    coin: Currency,
    crowd: &'static Crowd,
}

impl Site {
    /// Opens an instance in the database at `url` and has it watch its addresses.
    async fn open(url: &str, config: &Config, crowd: &'static Crowd) -> anyhow::Result<Self> {
        let chain = GeneratedChain::new();
        let config = Config {
            chains: chain.settings()?,
            // There are two of them beside pgbench.
            database_connections: pool_of_each(config),
            ..config.clone()
        };
        // Nobody is to come to it.
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let database = Database::Named(url.to_owned());
        let gateway = database
            .open(&config, config.public_url_at(nowhere))
            .await?;
        let coin = gateway.currencies().by_code(CODE);
        let coin = coin.with_context(|| format!("there is no {CODE}"))?;
        let merchant = gateway.demo().await?.merchant.id;
        let addresses = crowd.addresses;
        say(&format!("watching {addresses} addresses"));
        generated::watch(&gateway, coin, merchant, 0..addresses).await?;
        // The chain's first block is in place before any is measured.
        follower::sync(&gateway, coin).await?;
        Ok(Self {
            gateway,
            chain,
            coin,
            crowd,
        })
    }
}

fn pool_of_each(config: &Config) -> u32 {
    (config.database_connections / 2).max(2)
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
    shutdown: Shutdown,
) -> anyhow::Result<String> {
    let beside = Scratch::create(run.programs, run.cluster_url).await?;
    let work = on_two(database_url, beside.url(), &config, run);
    let measured = served::unless_interrupted(&shutdown, work).await;
    let removed = beside.remove().await;
    let told = measured?;
    removed?;
    Ok(told)
}

async fn on_two(
    url_of_many: &str,
    url_of_few: &str,
    config: &Config,
    run: &Run<'_>,
) -> anyhow::Result<String> {
    let (tpcb, plan) = (&run.tpcb, run.args.plan);
    say(&format!("filling TPC-B's tables at scale {}", plan.scale));
    tpcb.fill().await?;
    let few = Site::open(url_of_few, config, &FEW).await?;
    let many = Site::open(url_of_many, config, &MANY).await?;
    let (room, machine, meter) = run.look(&many.gateway).await?;
    // The other pool is not known to whoever looked.
    let room = room.saturating_sub(pool_of_each(config)).max(1);
    let mut report = Report::new(Scope::chain(plan, blocks()), machine, meter);
    for round in 1..=plan.rounds {
        tpcb.measure(room, &mut report).await?;
        for site in [&few, &many] {
            catch_up(site, &mut report).await?;
        }
        for (news, rows) in &SEEN {
            let seen = sight(&many, *news).await?;
            report.add_percentiles(rows, &seen)?;
        }
        say(&format!(
            "round {round} of {}: {}",
            plan.rounds,
            report.latest()
        ));
    }
    say("auditing");
    audit::prove(&few.gateway).await?;
    // Its postings are few, so what the proof takes would say nothing of a million.
    report.set_postings(audit::prove(&many.gateway).await?);
    Ok(run.args.shape(&report))
}

/// What a round does.
fn blocks() -> Blocks {
    Blocks {
        blocks: THIRDS * BLOCKS,
        few: FEW.addresses,
        many: MANY.addresses,
        payments: PAYMENTS,
    }
}

/// One round of blocks that are there already.
async fn catch_up(site: &Site, report: &mut Report) -> anyhow::Result<()> {
    let crowd = site.crowd;
    let mut thirds = Vec::new();
    for _ in 0..THIRDS {
        site.chain.grow(BLOCKS, crowd.addresses);
        let lap = report.meter.start().await;
        let started = Instant::now();
        let progress = follower::sync(&site.gateway, site.coin).await?;
        thirds.push((started.elapsed(), lap.stop().await));
        let connected = progress.connected;
        ensure!(
            progress.tip.is_some() && connected == BLOCKS,
            "{connected} of {BLOCKS} blocks were connected"
        );
    }
    let blocks = u64::from(BLOCKS);
    let whole = thirds
        .iter()
        .copied()
        .reduce(|(took, spent), (more, other)| (took + more, spent.and(other)));
    for (row, count, part) in [
        (crowd.all, u64::from(THIRDS) * blocks, whole),
        (crowd.first, blocks, thirds.first().copied()),
        (crowd.last, blocks, thirds.last().copied()),
    ] {
        let (took, spent) = part.context("nothing was measured")?;
        report.add_rate(row, Figure::per_second(count, took), spent.each(count));
    }
    Ok(())
}

/// One round of payments, each announced when the one before was seen: how long each took, sorted.
async fn sight(site: &Site, news: News) -> anyhow::Result<Vec<Duration>> {
    let watched = site.crowd.addresses;
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

#[cfg(test)]
mod tests {
    use super::super::plan::tests::usual;
    use super::*;

    #[test]
    fn the_title_tells_what_a_round_does() {
        let words = Scope::chain(usual(), blocks()).words();
        let expected = "3 rounds of 150 blocks with 10000 and 1000000 addresses by turns";
        assert!(words.starts_with(expected), "{words}");
        assert!(!words.contains("postings loaded"), "{words}");
    }
}
