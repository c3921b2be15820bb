//! Cases of callbacks: receivers that hang, and receivers that do everything else wrong.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::broken_receiver::{BrokenReceivers, Mood};
use crate::cases::SOME;
use crate::crowd::{Log, Mix, try_until_it_works, wait_for};
use crate::field::{Field, SERVERS};
use crate::hearing::{Sale, sell, sell_one, time_to_hear};
use crate::oracle;
use crate::report::{Outcome, Strain};
use crate::spread::Spread;
use crate::telling::{self, PLACES, Told};

/// Receivers of one webhook each; one of each broken kind is among them.
const RECEIVERS: usize = 20;
const RECEIVERS_LONG: usize = 100;

/// Orders of each receiver while all are well, and while some are broken.
const ROUNDS: usize = 3;

/// Clients beside them. More would ask for withdrawals faster than the sandbox sends them, one by one, and each
/// block waits for those that were asked for before it.
const BESIDE: usize = 2;

/// Longer than the second wait of the schedule, seconds.
const NEXT_ATTEMPT_SECONDS: i64 = 400;

/// How often the clock is moved so far, and how many looks there are in between.
const MOVES: usize = 5;
const LOOKS: usize = 50;

/// Whoever takes a callback and never answers delays nobody but what goes to the same URL: the same merchant's
/// and another one's orders are heard of where they are told while it has all the places of its URL.
pub async fn receivers_hang(field: &mut Field) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hangs", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let receiver = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    field.call_back(&url).await;
    let tag = field.tag();
    let crowd = field.crowd();
    wait_for(|| taken.load(Ordering::SeqCst) >= PLACES).await;
    let (mut log, mut orders) = (Log::default(), Vec::new());
    for (number, shop) in [&field.shop, &field.neighbour].into_iter().enumerate() {
        let key = format!("{tag}-{number}");
        // Where nobody else is told of anything.
        let at = field.hook.url(&key);
        let (order, acks) = sell_one(shop, &field.bases, key, number, Some(at.as_str())).await;
        log.acks.extend(acks);
        orders.push(order);
    }
    let since = Instant::now();
    field.mine().await;
    wait_for(|| orders.iter().all(|order| field.hook.has_heard_of(order))).await;
    let heard = since.elapsed();
    let recovery = crowd.recovery(Instant::now()).await.max(heard);
    crowd.more(2 * SOME).await;
    field.call_back_again().await;
    let mut outcome = field.end(crowd, recovery).await;
    receiver.abort();
    let pool = field.cluster.pool().await;
    let (_, unheard) = telling::marked(&pool, &url, |_| false).await;
    outcome.faults += unheard;
    add(&mut outcome, &pool, &log).await;
    pool.close().await;
    outcome
}

/// Receivers fail, drip, reset, send elsewhere, flood, say that they are gone, and hang. The others hear of
/// their orders meanwhile, which is measured beside how they hear of them while all are well; those that
/// recover hear of theirs afterwards. An endpoint that is gone is switched off.
pub async fn receivers_broken(field: &mut Field, is_long: bool) -> Outcome {
    let receivers = BrokenReceivers::start().await;
    let count = if is_long { RECEIVERS_LONG } else { RECEIVERS };
    let moods = Mood::BROKEN.into_iter().chain(iter::repeat(Mood::Takes));
    let urls: Vec<String> = moods
        .take(count)
        .enumerate()
        .map(|(number, mood)| receivers.url(mood, number))
        .collect();
    let broken = &urls[..Mood::BROKEN.len()];
    let endpoint = receivers.url(Mood::Gone, count);
    let pool = field.cluster.pool().await;
    register(&pool, &endpoint).await;
    // Events bear the time of whichever server connects the block.
    for at in 0..SERVERS {
        field.shop.look_at_clock(&field.bases.one(at)).await;
    }

    let tag = field.tag();
    let crowd = field.crowd_of(field.bases.clone(), Mix::Everything, BESIDE);
    crowd.more(SOME / 2).await;
    let (mut log, mut normal) = (Log::default(), Vec::new());
    for round in 0..ROUNDS {
        let sales = sell(field, &format!("{tag}-well-{round}"), &urls, &mut log).await;
        wait_for(|| sales.iter().all(|sale| sale.is_heard_by(&receivers))).await;
        normal.extend(time_to_hear(&pool, &receivers, &sales[broken.len()..]).await);
    }

    receivers.break_down();
    // The endpoint hears of an order that names nobody.
    let key = format!("{tag}-nobody");
    let (_, acks) = sell_one(&field.shop, &field.bases, key, 0, None).await;
    log.acks.extend(acks);
    let (mut strained, mut recovery) = (Vec::new(), Duration::ZERO);
    let mut unheard: Vec<Sale> = Vec::new();
    for round in 0..ROUNDS {
        let mut sales = sell(field, &format!("{tag}-broken-{round}"), &urls, &mut log).await;
        let since = Instant::now();
        let others = sales.split_off(broken.len());
        wait_for(|| others.iter().all(|sale| sale.is_heard_by(&receivers))).await;
        recovery = recovery.max(since.elapsed());
        strained.extend(time_to_hear(&pool, &receivers, &others).await);
        unheard.extend(sales);
    }
    let (looking, gone) = (&pool, endpoint.as_str());
    try_until_it_works(|_| async move {
        have_failed(looking, broken).await && is_off(looking, gone).await
    })
    .await;
    crowd.more(SOME / 2).await;
    let mut outcome = field.end(crowd, recovery).await;

    let is_heard = unheard.iter().any(|sale| sale.is_heard_by(&receivers));
    assert!(!is_heard, "a receiver is not broken");
    receivers.recover();
    let (all, at, shop) = (&receivers, field.bases.one(0), &field.shop);
    let (base, unheard) = (at.as_str(), unheard.as_slice());
    try_until_it_works(|look| async move {
        if look % LOOKS == 0 && look / LOOKS < MOVES {
            shop.advance(base, NEXT_ATTEMPT_SECONDS).await;
        }
        unheard.iter().all(|sale| sale.is_heard_by(all))
    })
    .await;
    assert!(!receivers.was_followed(), "a redirect was followed");
    assert!(!receivers.has_taken(&endpoint), "it was switched off");
    let is_heard = |told: &Told| receivers.told_at(&told.url, &told.of).is_some();
    let (_, unheard) = telling::marked(&pool, &receivers.base(), is_heard).await;
    outcome.faults += unheard;
    add(&mut outcome, &pool, &log).await;
    outcome.strain = Some(Strain {
        what: "the others heard of their orders",
        normal: Spread::of(normal),
        strained: Spread::of(strained),
    });
    pool.close().await;
    outcome
}

/// What was sold beside the crowd.
async fn add(outcome: &mut Outcome, pool: &PgPool, log: &Log) {
    outcome.faults += oracle::requests(pool, log).await;
    outcome.faults += oracle::payments(pool, &log.acks).await;
    outcome.acked += log.acks.len();
    outcome.paid += log.acks.iter().filter(|ack| ack.txid.is_some()).count();
}

/// An endpoint of each merchant that hears of payments.
async fn register(pool: &PgPool, url: &str) {
    sqlx::query(
        "INSERT INTO webhook_endpoints (merchant_id, url, format, events, secret, created_at)
         SELECT id, $1, 'standard', '{charge.paid}'::text[], webhook_secret, now() FROM merchants",
    )
    .bind(url)
    .execute(pool)
    .await
    .unwrap();
}

/// Whether an attempt at each of these has failed.
async fn have_failed(pool: &PgPool, urls: &[String]) -> bool {
    let failed: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT d.url) FROM deliveries d
         JOIN delivery_attempts a ON a.delivery_id = d.id
         WHERE d.url = ANY($1) AND a.error IS NOT NULL",
    )
    .bind(urls)
    .fetch_one(pool)
    .await
    .unwrap();
    usize::try_from(failed).unwrap() == urls.len()
}

/// Whether the endpoint of whoever it was tried for is switched off.
async fn is_off(pool: &PgPool, url: &str) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM webhook_endpoints WHERE url = $1 AND status = 'disabled')",
    )
    .bind(url)
    .fetch_one(pool)
    .await
    .unwrap()
}
