//! The load generator: many clients, each with a connection of its own, in a closed or an open loop.
//!
//! Invariant: it runs on a thread of its own, so that no request waits for the server's tasks before
//! it is sent, and it ends with its time, with its last answer, or when the bench is called off.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::try_join_all;
use tokio::time::sleep_until;

use super::connection::{Call, Connection};
use super::figure::Figure;
use crate::shutdown::Shutdown;

/// How often a paced client asks.
const PACE: Duration = Duration::from_secs(1);

/// Between the opening of the connections and the first intended start.
const LEAD: Duration = Duration::from_millis(20);

/// Who asks whom, and for how long.
#[derive(Clone)]
pub(super) struct Crowd {
    pub(super) address: SocketAddr,
    pub(super) clients: usize,
    pub(super) lasts: Duration,
    /// Requests of all clients together at most.
    pub(super) calls_max: u64,
    /// Called off: the loops end early, their figures are not used.
    pub(super) stop: Shutdown,
}

/// What a crowd saw.
#[derive(Debug)]
pub(super) struct Seen {
    /// Times to first byte, ascending.
    pub(super) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
}

impl Seen {
    fn of(latencies: Vec<Vec<Duration>>, elapsed: Duration) -> Self {
        let mut latencies = latencies.concat();
        latencies.sort_unstable();
        Self { latencies, elapsed }
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.latencies.len()).unwrap_or(u64::MAX)
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> Figure {
        Figure::per_second(self.count(), self.elapsed)
    }
}

/// Every client asks again as soon as it is answered. `make` gets the client's number and that of
/// the request among those of all clients.
///
/// # Errors
/// Any answer that is not `expected`: figures about failures would say nothing.
pub(super) async fn closed(
    crowd: Crowd,
    expected: u16,
    make: impl Fn(usize, u64) -> Call + Send + Sync + 'static,
) -> anyhow::Result<Seen> {
    apart(async move {
        let connections = connect(&crowd).await?;
        let asked = AtomicU64::new(0);
        let started = Instant::now();
        let clients = connections
            .into_iter()
            .enumerate()
            .map(|(client, connection)| {
                press(client, connection, &crowd, started, &asked, expected, &make)
            });
        let latencies = try_join_all(clients).await?;
        Ok(Seen::of(latencies, started.elapsed()))
    })
    .await
}

async fn press(
    client: usize,
    mut connection: Connection,
    crowd: &Crowd,
    started: Instant,
    asked: &AtomicU64,
    expected: u16,
    make: &(impl Fn(usize, u64) -> Call + Sync),
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while started.elapsed() < crowd.lasts && !crowd.stop.is_requested() {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        if number >= crowd.calls_max {
            break;
        }
        let call = make(client, number);
        let sent_at = Instant::now();
        let answer = connection.send(call).await?.expect(expected)?;
        latencies.push(answer.first_byte_at.saturating_duration_since(sent_at));
    }
    Ok(latencies)
}

/// Every client asks once in each second, at an instant that was fixed beforehand, whether or not it
/// has been answered. Latencies count from that instant, so that an answer which keeps the next
/// request waiting is felt by both. The timer's step of a millisecond is part of them.
///
/// # Errors
/// As [`closed`].
pub(super) async fn paced(
    crowd: Crowd,
    expected: u16,
    make: impl Fn(usize) -> Call + Send + Sync + 'static,
) -> anyhow::Result<Seen> {
    apart(async move {
        let connections = connect(&crowd).await?;
        let started = Instant::now() + LEAD;
        let clients = connections
            .into_iter()
            .enumerate()
            .map(|(client, connection)| pace(client, connection, &crowd, started, expected, &make));
        let latencies = try_join_all(clients).await?;
        Ok(Seen::of(latencies, started.elapsed()))
    })
    .await
}

async fn pace(
    client: usize,
    mut connection: Connection,
    crowd: &Crowd,
    started: Instant,
    expected: u16,
    make: &(impl Fn(usize) -> Call + Sync),
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    for second in 0..crowd.lasts.as_secs() {
        let intended = started + Duration::from_secs(second) + moment(client, second);
        sleep_until(intended.into()).await;
        if crowd.stop.is_requested() {
            break;
        }
        let answer = connection.send(make(client)).await?.expect(expected)?;
        latencies.push(answer.first_byte_at.saturating_duration_since(intended));
    }
    Ok(latencies)
}

/// When in a second a client asks: anywhere, for people do not queue up evenly, but the same in
/// every round, so that rounds compare.
fn moment(client: usize, second: u64) -> Duration {
    let mut hasher = DefaultHasher::new();
    hasher.write_usize(client);
    hasher.write_u64(second);
    let within = u64::try_from(PACE.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(hasher.finish() % within)
}

async fn connect(crowd: &Crowd) -> anyhow::Result<Vec<Connection>> {
    try_join_all((0..crowd.clients).map(|_| Connection::open(crowd.address))).await
}

/// Runs the clients on a thread and a timer of their own.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(work)
    });
    done.await.context("the load generator ended")?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// A server that counts, with a path that fails.
    async fn crowd(clients: usize, calls_max: u64) -> (Crowd, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let router = Router::new()
            .route(
                "/count",
                get(move || async move {
                    counted.fetch_add(1, Ordering::Relaxed);
                }),
            )
            .route("/fail", get(|| async { StatusCode::BAD_GATEWAY }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let crowd = Crowd {
            address,
            clients,
            lasts: Duration::from_secs(60),
            calls_max,
            stop: Shutdown::never(),
        };
        (crowd, count)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_loop_ends_with_its_last_request() {
        let (crowd, count) = crowd(4, 50).await;
        let seen = closed(crowd, 200, |_, _| Call::get("/count"))
            .await
            .unwrap();
        assert_eq!(seen.count(), 50);
        assert_eq!(count.load(Ordering::Relaxed), 50);
        assert!(seen.latencies.is_sorted());
        assert!(seen.latencies.iter().all(|time| *time <= seen.elapsed));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_time_nothing_is_asked() {
        let (crowd, count) = crowd(2, 50).await;
        let none = Crowd {
            lasts: Duration::ZERO,
            ..crowd
        };
        let seen = closed(none.clone(), 200, |_, _| Call::get("/count")).await;
        assert_eq!(seen.unwrap().count(), 0);
        let seen = paced(none, 200, |_| Call::get("/count")).await;
        assert_eq!(seen.unwrap().count(), 0);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_failure_ends_it() {
        let (crowd, _) = crowd(2, 50).await;
        let error = closed(crowd, 200, |_, _| Call::get("/fail"))
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("502 instead of 200"),
            "{error:#}"
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn paced_clients_ask_once_in_each_second() {
        let (crowd, count) = crowd(8, 0).await;
        let second = Crowd {
            lasts: PACE,
            ..crowd
        };
        let seen = paced(second, 200, |_| Call::get("/count")).await.unwrap();
        assert_eq!(seen.count(), 8);
        assert_eq!(count.load(Ordering::Relaxed), 8);
    }

    #[test]
    fn moments_are_fixed_and_spread_over_the_second() {
        let moments: Vec<Duration> = (0..50).map(|client| moment(client, 3)).collect();
        assert!(moments.iter().all(|moment| *moment < PACE));
        assert_eq!(moments, (0..50).map(|n| moment(n, 3)).collect::<Vec<_>>());
        let early = moments.iter().filter(|moment| **moment < PACE / 2).count();
        assert!((10..=40).contains(&early), "{moments:?}");
        assert_ne!(moment(0, 1), moment(0, 2));
    }
}
