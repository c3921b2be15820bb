//! Cases of callbacks: receivers that hang, and receivers that do everything else wrong.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::broken_receiver::{BrokenReceivers, Mood};
use crate::cases::SOME;
use crate::crowd::{Ack, Log, try_until_it_works, wait_for};
use crate::field::Field;
use crate::oracle;
use crate::report::Outcome;
use crate::shop::{Kind, Said, Shop, Wish};

/// Receivers of one webhook each; one of each broken kind is among them.
const RECEIVERS: usize = 20;
const RECEIVERS_LONG: usize = 100;

/// Longer than the second wait of the schedule, seconds.
const NEXT_ATTEMPT_SECONDS: i64 = 400;

/// How often the clock is moved so far, and how many looks there are in between.
const MOVES: usize = 5;
const LOOKS: usize = 50;

/// Whoever takes a callback and never answers delays nobody but its own merchant's callbacks.
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
    let crowd = field.crowd();
    wait_for(|| taken.load(Ordering::SeqCst) > 0).await;
    let recovery = crowd.recovery(Instant::now()).await;
    crowd.more(2 * SOME).await;
    field.call_back_again().await;
    let outcome = field.end(crowd, recovery).await;
    receiver.abort();
    outcome
}

/// Receivers fail, drip, reset, send elsewhere, flood, say that they are gone, and hang. The others hear of
/// their orders meanwhile; those that recover hear of theirs afterwards. An endpoint that is gone is
/// switched off.
pub async fn receivers_broken(field: &mut Field, is_long: bool) -> Outcome {
    let receivers = BrokenReceivers::start().await;
    let count = if is_long { RECEIVERS_LONG } else { RECEIVERS };
    let moods = Mood::BROKEN.into_iter().chain(iter::repeat(Mood::Takes));
    let told: Vec<(Mood, String)> = moods
        .take(count)
        .enumerate()
        .map(|(number, mood)| (mood, receivers.url(mood, number)))
        .collect();
    let (well, broken): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(mood, _)| *mood == Mood::Takes);
    let urls = |those: Vec<(Mood, String)>| -> Vec<String> {
        those.into_iter().map(|(_, url)| url).collect()
    };
    let (well, broken) = (urls(well), urls(broken));
    let endpoint = receivers.url(Mood::Gone, count);
    let pool = field.cluster.pool().await;
    register(&pool, &endpoint).await;

    let tag = field.tag();
    let crowd = field.crowd();
    crowd.more(SOME / 2).await;
    let mut log = Log::default();
    // The endpoint hears of an order that names nobody.
    let all = broken.iter().chain(&well).map(|url| Some(url.as_str()));
    for (number, url) in all.chain([None]).enumerate() {
        let key = format!("{tag}-{number}");
        let wish = Shop::order_told_to(key, Kind::PaidOrder, url);
        log.acks.push(buy(field, wish).await);
    }
    // A server that is busy with the crowd may say to come again.
    let (bases, shop) = (&field.bases, &field.shop);
    try_until_it_works(|attempt| async move { shop.mine(&bases.one(attempt)).await }).await;
    let since = Instant::now();
    wait_for(|| well.iter().all(|url| receivers.has_taken(url))).await;
    let recovery = since.elapsed();
    let (looking, those, gone) = (&pool, &broken, endpoint.as_str());
    try_until_it_works(|_| async move {
        have_failed(looking, those).await && is_off(looking, gone).await
    })
    .await;
    crowd.more(SOME / 2).await;
    let mut outcome = field.end(crowd, recovery).await;

    receivers.recover();
    let (all, at, shop) = (&receivers, field.bases.one(0), &field.shop);
    let base = at.as_str();
    try_until_it_works(|look| async move {
        if look % LOOKS == 0 && look / LOOKS < MOVES {
            shop.advance(base, NEXT_ATTEMPT_SECONDS).await;
        }
        those.iter().all(|url| all.has_taken(url))
    })
    .await;
    assert!(!receivers.was_followed(), "a redirect was followed");
    assert!(!receivers.has_taken(&endpoint), "it was switched off");
    outcome.faults += oracle::requests(&pool, &log).await;
    outcome.faults += oracle::payments(&pool, &log.acks).await;
    outcome.acked += log.acks.len();
    outcome.paid += log.acks.len();
    pool.close().await;
    outcome
}

/// Orders and pays.
async fn buy(field: &Field, wish: Wish) -> Ack {
    let base = field.bases.one(0);
    let asked = Instant::now();
    let Said::Done(body) = field.shop.ask(&base, &wish).await else {
        panic!("{wish:?} is not made");
    };
    let took = asked.elapsed();
    let txid = field.shop.pay(&base, &body).await;
    assert!(txid.is_some(), "{wish:?} cannot be paid");
    Ack {
        wish,
        body,
        txid,
        took,
    }
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
