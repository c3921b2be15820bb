//! Clients that keep a server waiting lose their connection, and those that do not keep it.
//!
//! A limit is short where a test waits for it and longer than any test where it must not be met.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::get;
use futures::stream;
use server::http::listening::{Limits, serve};
use server::testing::TestApp;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};

const SHORT: Duration = Duration::from_millis(500);
/// Waited for by a test in which others have to keep within it: enough for a busy machine.
const MET: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(600);

const PATIENT: Limits = Limits {
    head: LONG,
    idle: LONG,
    body: LONG,
    answer: LONG,
    connections: 16,
};

const ASK: &str = "GET / HTTP/1.1\r\nHost: pay.example\r\n\r\n";
const HALF: &str = "GET / HTTP/1.1\r\nHost: pay.";

async fn start(router: Router, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, limits, pending()));
    address
}

fn greeting() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Whatever never comes fails the test.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what)
        .await
        .unwrap()
}

async fn open(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Reads on until `text` came so many times.
async fn hear(stream: &mut TcpStream, text: &str, times: usize) -> String {
    let mut heard = Vec::new();
    in_time(async {
        loop {
            let said = String::from_utf8_lossy(&heard).into_owned();
            if said.matches(text).count() >= times {
                return said;
            }
            let read = stream.read_buf(&mut heard).await.unwrap();
            assert!(read > 0, "closed after {said:?}");
        }
    })
    .await
}

/// Waits until the server has closed a connection, without another word.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let ended = in_time(stream.read_to_end(&mut rest)).await;
    assert!(
        ended.is_err() || rest.is_empty(),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut() {
    let limits = Limits {
        head: SHORT,
        ..PATIENT
    };
    let address = start(greeting(), limits).await;
    for begun in ["", "G", HALF] {
        let mut stream = open(address, begun).await;
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_kept_connection_outlives_the_limit_of_a_head_and_has_it_for_the_next_one() {
    let limits = Limits {
        head: MET,
        ..PATIENT
    };
    let address = start(greeting(), limits).await;
    let mut kept = open(address, ASK).await;
    hear(&mut kept, "hello", 1).await;
    // Begins to wait after the kept one, and waits for as long as a head may take.
    closed(&mut open(address, HALF).await).await;
    kept.write_all(ASK.as_bytes()).await.unwrap();
    hear(&mut kept, "hello", 1).await;
    kept.write_all(HALF.as_bytes()).await.unwrap();
    closed(&mut kept).await;
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let limits = Limits {
        idle: SHORT,
        ..PATIENT
    };
    let address = start(greeting(), limits).await;
    let mut stream = open(address, ASK).await;
    hear(&mut stream, "hello", 1).await;
    closed(&mut stream).await;
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_turn() {
    let address = start(greeting(), PATIENT).await;
    let mut stream = open(address, &ASK.repeat(3)).await;
    let said = hear(&mut stream, "hello", 3).await;
    assert_eq!(said.matches("200 OK").count(), 3, "{said}");
}

/// Each byte comes long before the limit, all of them long after it: the limit is that of the whole body.
#[sqlx::test(migrations = "../migrations")]
async fn a_form_that_drips_is_refused_with_408(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let limits = Limits {
        body: SHORT,
        ..PATIENT
    };
    let address = start(app.router(), limits).await;
    let head = "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nSec-Fetch-Site: same-origin\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n";
    let (mut from, mut to) = open(address, head).await.into_split();
    let dripping = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        // Until nobody takes it any more.
        while to.write_all(b"a").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut heard = Vec::new();
    while heard.len() < 16 {
        let read = in_time(from.read_buf(&mut heard)).await.unwrap();
        assert!(read > 0, "closed without an answer");
    }
    let said = String::from_utf8_lossy(&heard);
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    dripping.abort();
}

#[tokio::test]
async fn an_event_stream_outlives_every_limit() {
    let (tell, told) = mpsc::unbounded_channel::<&'static str>();
    let told = Arc::new(tokio::sync::Mutex::new(told));
    let events = get(move || async move {
        Body::from_stream(stream::unfold(told, |told| async move {
            let text = told.lock().await.recv().await?;
            Some((
                Ok::<_, Infallible>(Bytes::from_static(text.as_bytes())),
                told,
            ))
        }))
    });
    let limits = Limits {
        head: MET,
        idle: MET,
        body: MET,
        answer: MET,
        ..PATIENT
    };
    let address = start(Router::new().route("/", events), limits).await;
    let mut stream = open(address, ASK).await;
    tell.send("first").unwrap();
    hear(&mut stream, "first", 1).await;
    for text in ["second", "third"] {
        // As long as the limits are.
        closed(&mut open(address, HALF).await).await;
        tell.send(text).unwrap();
        hear(&mut stream, text, 1).await;
    }
}

/// Tells when it is dropped.
struct Told(mpsc::UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        // Nobody listens any more when the test is over.
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let (tell, mut gone) = mpsc::unbounded_channel();
    let endless = get(move || {
        let told = Told(tell.clone());
        async move {
            Body::from_stream(stream::repeat_with(move || {
                let _until_dropped = &told;
                Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 4_096]))
            }))
        }
    });
    let limits = Limits {
        answer: SHORT,
        ..PATIENT
    };
    let address = start(Router::new().route("/", endless), limits).await;
    let stream = open(address, ASK).await;
    in_time(gone.recv()).await.unwrap();
    drop(stream);
}

/// One connection is served, the next one waits until it has ended; handlers are told who asks.
#[tokio::test]
async fn connections_above_the_number_wait_for_their_turn() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let note = get(
        move |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
            noted.lock().unwrap().push(peer);
            "hello"
        },
    );
    let limits = Limits {
        connections: 1,
        ..PATIENT
    };
    let address = start(Router::new().route("/", note), limits).await;
    let mut first = open(address, ASK).await;
    hear(&mut first, "hello", 1).await;
    let mut second = open(address, ASK).await;
    for _ in 0..20 {
        first.write_all(ASK.as_bytes()).await.unwrap();
        hear(&mut first, "hello", 1).await;
    }
    let mut expected = vec![first.local_addr().unwrap(); 21];
    expected.push(second.local_addr().unwrap());
    drop(first);
    hear(&mut second, "hello", 1).await;
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn at_the_end_requests_are_answered_and_idle_connections_closed() {
    let (begin, mut begun) = mpsc::unbounded_channel();
    let release = Arc::new(Notify::new());
    let held = Arc::clone(&release);
    let slow = get(move || async move {
        begin.send(()).unwrap();
        held.notified().await;
        "done"
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ask, asked) = oneshot::channel::<()>();
    let stop = async move {
        let _ = asked.await;
    };
    let router = greeting().route("/slow", slow);
    let serving = tokio::spawn(serve(listener, router, PATIENT, stop));
    let mut idle = open(address, ASK).await;
    hear(&mut idle, "hello", 1).await;
    let mut busy = open(address, &ASK.replacen('/', "/slow", 1)).await;
    in_time(begun.recv()).await.unwrap();
    ask.send(()).unwrap();
    closed(&mut idle).await;
    assert!(!serving.is_finished());
    release.notify_one();
    hear(&mut busy, "done", 1).await;
    closed(&mut busy).await;
    in_time(serving).await.unwrap();
}
