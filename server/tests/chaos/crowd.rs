//! Clients that never give up, and the log of what they were told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::field::Bases;
use crate::shop::{Kind, Said, Shop, Wish, email};

/// Clients at once: enough to be in the middle of everything, few enough for two cores.
pub const CLIENTS: usize = 6;

/// A fault is over when one request of everybody and one more were answered after it.
const RECOVERED: usize = CLIENTS + 1;

/// Longest wait for one answer, over all attempts.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Something that was acknowledged, and how.
#[derive(Clone)]
pub struct Ack {
    pub wish: Wish,
    body: Vec<u8>,
}

struct Inner {
    shop: Shop,
    tag: String,
    bases: Bases,
    acks: Mutex<Vec<Ack>>,
    stop: AtomicBool,
}

pub struct Crowd {
    inner: Arc<Inner>,
    clients: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// `tag` begins every key of these clients.
    pub fn start(shop: Shop, tag: String, bases: Bases) -> Self {
        let inner = Arc::new(Inner {
            shop,
            tag,
            bases,
            acks: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let clients = (0..CLIENTS)
            .map(|client| tokio::spawn(buy(inner.clone(), client)))
            .collect();
        Self { inner, clients }
    }

    pub fn acked(&self) -> usize {
        self.inner.acks.lock().unwrap().len()
    }

    pub fn acks(&self) -> Vec<Ack> {
        self.inner.acks.lock().unwrap().clone()
    }

    pub async fn more(&self, acks: usize) {
        let wanted = self.acked() + acks;
        wait_for(|| self.acked() >= wanted).await;
    }

    /// How long it takes from now until requests are acknowledged again.
    pub async fn recovery(&self, since: Instant) -> Duration {
        self.more(RECOVERED).await;
        since.elapsed()
    }

    /// Everybody gets the answer to what they have asked for last, and goes.
    pub async fn leave(self) -> Vec<Ack> {
        self.inner.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        let acks = self.inner.acks.lock().unwrap().clone();
        // Who asks again gets the same bytes, of whichever server.
        for (at, part) in acks.chunks(CLIENTS).enumerate() {
            let again = part.iter().map(|ack| answer(&self.inner, &ack.wish, at));
            for (ack, again) in part.iter().zip(join_all(again).await) {
                let same = ack.body == again;
                assert!(same, "{:?} is answered otherwise now", ack.wish);
            }
        }
        acks
    }
}

async fn buy(crowd: Arc<Inner>, client: usize) {
    let mut number = 0;
    while !crowd.stop.load(Ordering::SeqCst) {
        let key = format!("{}-{client}-{number}", crowd.tag);
        let wish = Wish::new(key, client + number);
        let body = answer(&crowd, &wish, client + number).await;
        crowd.acks.lock().unwrap().push(Ack { wish, body });
        number += 1;
    }
}

/// Asks until there is an answer, one server after the other.
async fn answer(crowd: &Inner, wish: &Wish, first: usize) -> Vec<u8> {
    let begun = Instant::now();
    for attempt in first.. {
        match crowd.shop.ask(&crowd.bases.one(attempt), wish).await {
            Said::Done(body) => return body,
            // Done or not: asking again tells.
            Said::Later(..) | Said::Unknown => {}
        }
        assert!(begun.elapsed() < PATIENCE, "{wish:?} gets no answer");
        tokio::time::sleep(PAUSE).await;
    }
    unreachable!("attempts have no end");
}

/// How many of these are missing, and how many are there more than once.
pub async fn lost_and_doubled(pool: &PgPool, acks: &[Ack]) -> (usize, usize) {
    let keys = |kind: Kind| -> Vec<String> {
        let wishes = acks.iter().map(|ack| &ack.wish);
        wishes
            .filter(|wish| wish.kind == kind)
            .map(|wish| wish.key.clone())
            .collect()
    };
    let emails: Vec<String> = keys(Kind::Order).iter().map(|key| email(key)).collect();
    let orders: Vec<i64> = sqlx::query_scalar(
        "SELECT count(c.id) FROM unnest($1::text[]) AS k (email)
         LEFT JOIN charges c ON c.customer ->> 'email' = k.email GROUP BY k.email",
    )
    .bind(&emails)
    .fetch_all(pool)
    .await
    .unwrap();
    let exchanges: Vec<i64> = sqlx::query_scalar(
        "SELECT count(o.id) FROM unnest($1::text[]) AS k (foreign_id)
         LEFT JOIN operations o ON o.foreign_id = k.foreign_id GROUP BY k.foreign_id",
    )
    .bind(keys(Kind::Exchange))
    .fetch_all(pool)
    .await
    .unwrap();
    let counts = || orders.iter().chain(&exchanges);
    assert_eq!(counts().count(), acks.len(), "a key was used twice");
    (
        counts().filter(|count| **count == 0).count(),
        counts().filter(|count| **count > 1).count(),
    )
}

pub async fn wait_for(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("condition came true in time");
}
