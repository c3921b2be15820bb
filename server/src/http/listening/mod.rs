//! Connections: taken up to a number, cut when their client keeps them waiting, ended when the server stops.
//!
//! One address may still open all of them: who may connect how often is for the proxy in front to say.

mod body;
mod stream;

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use self::body::Timely;
pub use self::body::is_late;
use self::stream::{Patience, Stream};

/// Connections served at the same time at most, where the system lets us have that many. More than a process has
/// event streams: those alone must not keep requests out.
const CONNECTIONS_MAX: u16 = 8_192;

/// How long nobody is taken when the system has no more to give, such as files.
const PAUSE: Duration = Duration::from_secs(1);

/// What clients may take of a server. Times are real time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The head of a request is whole: after connecting, or after its first byte on a connection that was kept.
    pub head: Duration,
    /// A connection is kept for its next request. Longer than the minute that load balancers keep theirs, or they
    /// send requests into connections that are just being closed.
    pub idle: Duration,
    /// The whole body of a request, from when it is first waited for. Longer than any handler gives it itself.
    pub body: Duration,
    /// An answer does not move on because its client takes nothing of it.
    pub answer: Duration,
    /// Connections at the same time, 1 or more. Others wait to be taken.
    pub connections: u16,
}

impl Limits {
    /// Those of a server that strangers reach. Takes as many files as it needs for them from the system.
    pub fn for_strangers() -> Self {
        let connections = CONNECTIONS_MAX.min(half_of_the_files());
        if connections < CONNECTIONS_MAX {
            tracing::warn!(
                "the system lets this process have few files, so it serves {connections} connections at a time \
                 instead of {CONNECTIONS_MAX}: raise the limit of open files"
            );
        }
        Self::usual(connections)
    }

    /// The usual times, with so many connections.
    pub fn usual(connections: u16) -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(60),
            answer: Duration::from_secs(30),
            connections,
        }
    }
}

/// The other half of the files a process may open is for the database, nodes and receivers of webhooks: strangers
/// must not be able to take them.
#[cfg(unix)]
fn half_of_the_files() -> u16 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let Ok((given, most)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return CONNECTIONS_MAX;
    };
    let wanted = u32::from(CONNECTIONS_MAX) * 2;
    // Systems give few by default to programs that ask for none.
    let more = most.min(wanted.into());
    let files = if more > given && setrlimit(Resource::RLIMIT_NOFILE, more, most).is_ok() {
        more
    } else {
        given
    };
    u16::try_from(files / 2).unwrap_or(u16::MAX).max(1)
}

#[cfg(not(unix))]
fn half_of_the_files() -> u16 {
    CONNECTIONS_MAX
}

/// Serves until `stop` is over, then until every connection has ended: requests under way are answered, connections
/// that wait for one are closed. Event streams have to end by themselves.
///
/// Handlers are given the peer as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    // Routes are made ready now instead of at every request.
    let router: Router = router.with_state(());
    let slots = Arc::new(Semaphore::new(usize::from(limits.connections)));
    let (open, stopping) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let (slot, stream, peer) = tokio::select! {
            () = &mut stop => break,
            Some(taken) = next(&listener, &slots) => taken,
        };
        let (router, stopping) = (router.clone(), stopping.clone());
        tokio::spawn(async move {
            attend(stream, peer, router, limits, stopping).await;
            drop(slot);
        });
    }
    drop(listener);
    drop(open);
    // Every connection has given its slot back.
    drop(slots.acquire_many(u32::from(limits.connections)).await);
}

/// The next connection. `None` only if there were no slots any more, which nobody takes away.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    if slots.available_permits() == 0 {
        tracing::debug!("as many connections are open as are served: others wait");
    }
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((slot, stream, peer)),
            Err(error) if is_of_the_peer(error.kind()) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be taken: trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The connection went away before it was taken; the next one may be all right.
fn is_of_the_peer(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

/// Answers what comes on one connection until it ends.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    // What is written in two pieces, events of a live page above all, must not wait for the
    // acknowledgement of the first one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection went away while it was taken");
    }
    let stream = Stream::new(stream, limits.answer);
    let patience = Patience::new(stream.bytes_read(), limits.head);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| Body::new(Timely::new(body, limits.body)));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(patience).header_read_timeout(limits.idle);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection.with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        // Its other end is dropped when the server stops.
        _ = stopping.changed() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was cut");
    }
}
