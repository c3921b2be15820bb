#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::sender::install_crypto_provider;
use super::*;

const PATIENT: Duration = Duration::from_secs(30);
const BODY: &[u8] = b"{}";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// More than any test needs; it only ends one that would have no end.
const REQUESTS_MAX: usize = 10_000;

fn connections() -> Connections {
    install_crypto_provider();
    let guard = Arc::new(AddressGuard::new(true, Vec::new()));
    let timeouts = Timeouts {
        connect: PATIENT,
        total: PATIENT,
        ..Timeouts::default()
    };
    Connections::new(&guard, timeouts).unwrap()
}

/// What a receiver saw: requests by connection.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<HashMap<usize, usize>>>);

impl Seen {
    /// Counts a request of this connection; answers its number there, from 1.
    fn count(&self, connection: usize) -> usize {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.entry(connection).or_default();
        *count += 1;
        *count
    }

    fn most(&self) -> usize {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.values().copied().max().unwrap_or_default()
    }

    fn requests(&self) -> usize {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.values().sum()
    }
}

/// Answers those requests of a connection, by their number, that `answers` names, and closes at the first
/// other one.
async fn receiver(answers: fn(usize) -> bool) -> (Url, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = Seen::default();
    let counted = seen.clone();
    tokio::spawn(async move {
        let connections = AtomicUsize::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            let connection = connections.fetch_add(1, Ordering::Relaxed);
            let seen = counted.clone();
            tokio::spawn(serve(stream, connection, seen, answers));
        }
    });
    (Url::parse(&url).unwrap(), seen)
}

async fn serve(stream: TcpStream, connection: usize, seen: Seen, answers: fn(usize) -> bool) {
    let mut stream = BufReader::new(stream);
    let mut request = Vec::new();
    let end: Vec<u8> = [&b"\r\n\r\n"[..], BODY].concat();
    while let Ok(byte) = stream.read_u8().await {
        request.push(byte);
        if !request.ends_with(&end) {
            continue;
        }
        request.clear();
        let number = seen.count(connection);
        if !answers(number) || stream.write_all(OK).await.is_err() {
            return;
        }
    }
}

async fn post(connections: &Connections, url: &Url) -> Result<u16, reqwest::Error> {
    let answer = connections
        .post(url.clone(), HeaderMap::new(), BODY.to_vec())
        .await?;
    let status = answer.status().as_u16();
    // Read to its end, the connection is free.
    answer.text().await?;
    Ok(status)
}

#[tokio::test]
async fn a_connection_is_used_again_but_not_for_ever() {
    let (url, seen) = receiver(|_| true).await;
    let connections = connections();
    for _ in 0..2_000 {
        assert_eq!(post(&connections, &url).await.unwrap(), 200);
    }
    assert!(seen.most() > 1, "no connection was used again");
    // They may take turns, and which one is closed is chance.
    let limit = usize::try_from(REQUESTS_PER_CONNECTION).unwrap() * 5;
    assert!(seen.most() < limit, "{} on one connection", seen.most());
}

#[tokio::test]
async fn a_kept_connection_that_ends_is_no_failure() {
    // Every second request of a connection breaks it off.
    let (url, seen) = receiver(|number| number == 1).await;
    let connections = connections();
    for _ in 0..REQUESTS_MAX {
        if seen.most() > 1 {
            break;
        }
        assert_eq!(post(&connections, &url).await.unwrap(), 200);
    }
    assert!(seen.most() > 1, "no connection was used again");
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_asked_once() {
    let (url, seen) = receiver(|_| false).await;
    assert!(post(&connections(), &url).await.is_err());
    assert_eq!(seen.requests(), 1);
}

#[test]
fn a_receiver_says_whether_it_keeps_connections() {
    let said = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static(value));
        closes(&headers)
    };
    assert!(said("close") && said("Close") && said("x-own, close"));
    assert!(!said("keep-alive") && !said("x-close") && !closes(&HeaderMap::new()));
}
