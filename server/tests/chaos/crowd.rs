//! Clients that never give up, and the log of what they were told.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::task::JoinHandle;

use crate::field::Bases;
use crate::shop::{Kind, Said, Shop, Wish};
use crate::spread::Spread;

/// Clients at once: enough to be in the middle of everything, few enough for two cores.
pub const CLIENTS: usize = 6;

/// Longest wait for one answer, over all attempts: enough for a machine that stands still in between.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Between two attempts.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Something that was acknowledged, and how.
#[derive(Clone)]
pub struct Ack {
    pub wish: Wish,
    pub body: Vec<u8>,
    /// The payment of the order, if that was acknowledged, too.
    pub txid: Option<String>,
    /// From the request that was answered so to its answer.
    pub took: Duration,
}

/// What these clients were told.
#[derive(Clone, Default)]
pub struct Log {
    pub acks: Vec<Ack>,
    /// What they were told is not done and never will be.
    pub refused: Vec<Wish>,
}

impl Log {
    /// How long what was acknowledged took.
    pub fn spread(&self) -> Spread {
        Spread::of(self.acks.iter().map(|ack| ack.took).collect())
    }
}

/// What they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    Everything,
    /// All want the same three or four accounts.
    Exchanges,
}

struct Inner {
    shop: Shop,
    tag: String,
    bases: Bases,
    mix: Mix,
    log: Mutex<Log>,
    /// How often each client was answered.
    answered: Vec<AtomicUsize>,
    stop: AtomicBool,
}

pub struct Crowd {
    inner: Arc<Inner>,
    clients: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// `tag` begins every key of these clients.
    pub fn start(shop: Shop, tag: String, bases: Bases, mix: Mix, clients: usize) -> Self {
        let inner = Arc::new(Inner {
            shop,
            tag,
            bases,
            mix,
            log: Mutex::default(),
            answered: (0..clients).map(|_| AtomicUsize::new(0)).collect(),
            stop: AtomicBool::new(false),
        });
        let clients = (0..clients)
            .map(|client| tokio::spawn(buy(inner.clone(), client)))
            .collect();
        Self { inner, clients }
    }

    pub fn acked(&self) -> usize {
        self.inner.log.lock().unwrap().acks.len()
    }

    /// So far.
    pub fn log(&self) -> Log {
        self.inner.log.lock().unwrap().clone()
    }

    pub async fn more(&self, acks: usize) {
        let wanted = self.acked() + acks;
        wait_for(|| self.acked() >= wanted).await;
    }

    /// How long it takes until requests are acknowledged again and nobody is left out: each client is
    /// answered from now on, and one more.
    pub async fn recovery(&self, since: Instant) -> Duration {
        let before = self.answered();
        let wanted = self.acked() + self.clients.len() + 1;
        wait_for(|| {
            let now = self.answered();
            self.acked() >= wanted && now.iter().zip(&before).all(|(now, before)| now > before)
        })
        .await;
        since.elapsed()
    }

    fn answered(&self) -> Vec<usize> {
        let counts = self.inner.answered.iter();
        counts.map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Everybody gets the answer to what they have asked for last, and goes.
    pub async fn leave(self) -> Log {
        self.inner.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.unwrap();
        }
        let log = self.inner.log.lock().unwrap().clone();
        // Who asks again gets the same bytes, of whichever server.
        for (at, part) in log.acks.chunks(CLIENTS).enumerate() {
            let (shop, bases) = (&self.inner.shop, &self.inner.bases);
            let again = part.iter().map(|ack| answer(shop, bases, &ack.wish, at));
            for (ack, again) in part.iter().zip(join_all(again).await) {
                let same = again.is_some_and(|(body, _)| body == ack.body);
                assert!(same, "{:?} is answered otherwise now", ack.wish);
            }
        }
        log
    }
}

async fn buy(crowd: Arc<Inner>, client: usize) {
    let mut number = 0;
    while !crowd.stop.load(Ordering::SeqCst) {
        let key = format!("{}-{client}-{number}", crowd.tag);
        let turn = client + number;
        let wish = match crowd.mix {
            Mix::Everything => crowd.shop.wish(key, turn),
            Mix::Exchanges => Shop::exchange(key, 2 * turn + 1),
        };
        match answer(&crowd.shop, &crowd.bases, &wish, turn).await {
            Some((body, took)) => {
                let txid = if wish.kind == Kind::PaidOrder {
                    crowd.shop.pay(&crowd.bases.one(turn), &body).await
                } else {
                    None
                };
                let ack = Ack {
                    wish,
                    body,
                    txid,
                    took,
                };
                crowd.log.lock().unwrap().acks.push(ack);
            }
            None => crowd.log.lock().unwrap().refused.push(wish),
        }
        crowd.answered[client].fetch_add(1, Ordering::SeqCst);
        number += 1;
    }
}

/// Asks until there is an answer, one server after the other: what it was, and how long that one took; `None`
/// when it was refused.
pub async fn answer(
    shop: &Shop,
    bases: &Bases,
    wish: &Wish,
    first: usize,
) -> Option<(Vec<u8>, Duration)> {
    let begun = Instant::now();
    for attempt in first.. {
        let asked = Instant::now();
        match shop.ask(&bases.one(attempt), wish).await {
            Said::Done(body) => return Some((body, asked.elapsed())),
            Said::Refused => return None,
            // Done or not: asking again tells.
            Said::Later(..) | Said::Unknown => {}
        }
        assert!(begun.elapsed() < PATIENCE, "{wish:?} gets no answer");
        tokio::time::sleep(PAUSE).await;
    }
    unreachable!("attempts have no end");
}

pub async fn wait_for(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("condition came true in time");
}

/// Tries until it works; it is told how often it was tried before.
pub async fn try_until_it_works<F: Future<Output = bool>>(work: impl Fn(usize) -> F) {
    try_until_there_is(|attempt| {
        let tried = work(attempt);
        async move { tried.await.then_some(()) }
    })
    .await;
}

/// The same, and gives what came of it.
pub async fn try_until_there_is<T, F: Future<Output = Option<T>>>(work: impl Fn(usize) -> F) -> T {
    let waited = tokio::time::timeout(PATIENCE, async {
        let mut attempts = 0;
        loop {
            if let Some(found) = work(attempts).await {
                return found;
            }
            attempts += 1;
            tokio::time::sleep(PAUSE).await;
        }
    });
    waited.await.expect("it worked in time")
}
