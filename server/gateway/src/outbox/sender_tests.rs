#![allow(clippy::unwrap_used)]
// The receivers are threads that the tests join. The connections live on the runtime's worker,
// so a test that waits for its receiver does not keep the connection from closing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::*;

/// Generous where the answer comes at once, so that a busy machine fails no test.
const PATIENT: Duration = Duration::from_secs(30);
const IMPATIENT: Duration = Duration::from_millis(500);
/// Waited for in full; what comes before it comes at once, but for a busy machine, which gets another try.
const LATER_THAN_THE_HEAD: Duration = Duration::from_secs(4);

fn sender(allow_private: bool, total: Duration) -> Sender {
    let guard = Arc::new(AddressGuard::new(allow_private, Vec::new()));
    Sender::with_timeouts(
        guard,
        Timeouts {
            connect: PATIENT,
            total,
            ..Timeouts::default()
        },
    )
    .unwrap()
}

fn request(url: String) -> OutgoingRequest {
    OutgoingRequest {
        url,
        headers: vec![("webhook-id".to_owned(), "evt_1".to_owned())],
        content_type: "application/json",
        body: br#"{"event":"order.paid"}"#.to_vec(),
    }
}

/// Serves one connection and gives back the request it read.
fn receiver(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_write_timeout(Some(PATIENT)).unwrap();
        let request = read_request(&mut stream);
        answer(&mut stream);
        request
    });
    (url, serving)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(br#"{"event":"order.paid"}"#) {
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

fn until_closed(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENT)).unwrap();
    let mut byte = [0];
    while matches!(stream.read(&mut byte), Ok(count) if count > 0) {}
}

async fn outcome_of(answer: &'static str) -> AttemptOutcome {
    let (url, serving) = receiver(move |stream| stream.write_all(answer.as_bytes()).unwrap());
    let outcome = sender(true, PATIENT).send(&request(url)).await;
    serving.join().unwrap();
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_request_arrives_as_given_and_2xx_is_success() {
    let (url, serving) = receiver(|stream| {
        stream
            .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nth\0nx")
            .unwrap();
    });
    let outcome = sender(true, PATIENT).send(&request(url)).await;
    let received = serving.join().unwrap();

    assert!(outcome.is_success());
    assert_eq!(outcome.status, Some(202));
    assert_eq!(outcome.response_head, "thnx");
    assert_eq!(outcome.error, None);
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"event":"order.paid"}"#);
    assert!(head.starts_with("POST /hook HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    let agent = format!("user-agent: {}", USER_AGENT.to_ascii_lowercase());
    for line in [
        "webhook-id: evt_1",
        "content-type: application/json",
        agent.as_str(),
    ] {
        assert!(
            head.lines().any(|found| found == line),
            "{line} not in {head}"
        );
    }
    assert!(
        !head.contains("referer") && !head.contains("cookie"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statuses_outside_2xx_are_failures_by_name() {
    let cases = [
        (
            "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno",
            500,
            FailureKind::Status(500),
        ),
        (
            "HTTP/1.1 404 Oops\r\nContent-Length: 2\r\n\r\nno",
            404,
            FailureKind::Status(404),
        ),
        (
            "HTTP/1.1 410 Gone\r\nContent-Length: 2\r\n\r\nno",
            410,
            FailureKind::Gone,
        ),
        ("HTTP/1.1 304 Same\r\n\r\n", 304, FailureKind::Redirect),
    ];
    for (answer, status, failure) in cases {
        let outcome = outcome_of(answer).await;
        assert!(!outcome.is_success());
        assert_eq!(outcome.status, Some(status));
        assert_eq!(outcome.failure, Some(failure));
        assert_eq!(outcome.error, Some(failure.sentence()));
        assert_eq!(outcome.response_head, if status == 304 { "" } else { "no" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn retry_after_is_reported_with_the_failure() {
    let answer = "HTTP/1.1 429 Slow\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n";
    let outcome = outcome_of(answer).await;
    assert_eq!(outcome.failure, Some(FailureKind::Status(429)));
    assert_eq!(outcome.retry_after, Some(Duration::from_secs(90)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    let (url, serving) = receiver(move |stream| {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: http://{target}/\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"Content-Length: 0\r\n\r\n").unwrap();
    });
    let outcome = sender(true, PATIENT).send(&request(url)).await;
    serving.join().unwrap();

    assert_eq!(
        (outcome.status, outcome.failure),
        (Some(302), Some(FailureKind::Redirect))
    );
    assert_eq!(
        elsewhere.accept().err().unwrap().kind(),
        io::ErrorKind::WouldBlock
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_receiver_that_hangs_is_given_up() {
    let (url, serving) = receiver(until_closed);
    let outcome = sender(true, IMPATIENT).send(&request(url)).await;
    serving.join().unwrap();

    assert_eq!(
        (outcome.status, outcome.failure),
        (None, Some(FailureKind::Timeout))
    );
    assert!(outcome.duration_ms >= 400, "{}", outcome.duration_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_that_hangs_is_given_up_with_its_status() {
    for total in [LATER_THAN_THE_HEAD, LATER_THAN_THE_HEAD * 4] {
        let (url, serving) = receiver(|stream| {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nstart")
                .unwrap();
            until_closed(stream);
        });
        let outcome = sender(true, total).send(&request(url)).await;
        if outcome.response_head.is_empty() && total == LATER_THAN_THE_HEAD {
            // The machine stood still; what came of the receiver does not matter then.
            continue;
        }
        serving.join().unwrap();

        assert_eq!(
            (outcome.status, outcome.failure),
            (Some(200), Some(FailureKind::Timeout))
        );
        assert_eq!(outcome.response_head, "start");
        return;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_that_breaks_off_takes_nothing_back() {
    let outcome = outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nstart").await;
    assert!(outcome.is_success());
    assert_eq!(outcome.response_head, "start");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_the_head_of_a_huge_body_is_read() {
    let (url, serving) = receiver(|stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            .unwrap();
        let block = vec![b'x'; 1 << 16];
        let blocks_taken = (0..1 << 14)
            .take_while(|_| stream.write_all(&block).is_ok())
            .count();
        assert!(blocks_taken < 1 << 14, "the sender read all of it");
    });
    let outcome = sender(true, PATIENT).send(&request(url)).await;

    assert!(outcome.is_success());
    assert_eq!(outcome.response_head, "x".repeat(RESPONSE_HEAD_BYTES_MAX));
    serving.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_inside_address_is_never_connected_to() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let strict = sender(false, PATIENT);
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let outcome = strict
            .send(&request(format!("http://{host}:{port}/hook")))
            .await;
        assert_eq!(outcome.failure, Some(FailureKind::Blocked), "{host}");
        assert_eq!(outcome.status, None);
    }

    // A name that passes the URL check and leads inside all the same.
    let url = Url::parse(&format!("http://localhost:{port}/hook")).unwrap();
    let outcome = strict.post(url, HeaderMap::new(), Vec::new()).await;
    assert_eq!(outcome.failure, Some(FailureKind::Blocked));
    assert_eq!(
        inside.accept().err().unwrap().kind(),
        io::ErrorKind::WouldBlock
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_closed_port_is_a_failed_connection() {
    // Nobody is given this port; one that was free a moment ago may be somebody else's by now.
    let url = "http://127.0.0.1:1/hook".to_owned();
    let outcome = sender(true, PATIENT).send(&request(url)).await;
    assert_eq!(outcome.failure, Some(FailureKind::Connect));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_answer_without_tls_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        until_closed(&mut stream);
    });
    let outcome = sender(true, PATIENT).send(&request(url)).await;
    assert_eq!(outcome.failure, Some(FailureKind::Tls));
    serving.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn headers_and_urls_cannot_smuggle_lines() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let url = format!("http://{}/hook", inside.local_addr().unwrap());
    let cases = [
        ("x-note", "a\r\nx-injected: b"),
        ("x-note", "a\nb"),
        ("x-note", "a\0b"),
        ("x-note\r\nx-injected", "b"),
        ("x note", "b"),
        ("", "b"),
        ("Host", "elsewhere"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
    ];
    for (name, value) in cases {
        let mut request = request(url.clone());
        request.headers.push((name.to_owned(), value.to_owned()));
        let outcome = sender(true, PATIENT).send(&request).await;
        assert_eq!(
            outcome.failure,
            Some(FailureKind::Invalid),
            "{name:?}: {value:?}"
        );
    }
    let outcome = sender(true, PATIENT)
        .send(&request(format!("{url}\r\nx-injected: b")))
        .await;
    assert_eq!(outcome.failure, Some(FailureKind::Invalid));
    assert_eq!(
        inside.accept().err().unwrap().kind(),
        io::ErrorKind::WouldBlock
    );
}

#[test]
fn text_is_cut_between_characters_and_damage_is_replaced() {
    let cases: [(&[u8], &str); 5] = [
        (b"plain", "plain"),
        ("zaļš".as_bytes(), "zaļš"),
        (b"za\xc4", "za"),
        (b"a\xffb\xc4", "a\u{fffd}b\u{fffd}"),
        (b"a\0b", "ab"),
    ];
    for (bytes, text) in cases {
        assert_eq!(as_text(bytes), text, "{bytes:?}");
    }
}

#[test]
fn retry_after_is_read_as_seconds_or_against_the_date() {
    let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    let cases = [
        ("120", None, Some(120)),
        ("0", None, Some(0)),
        ("99999999999999999999999", None, Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:51:37 GMT", date, Some(120)),
        ("Sun, 06 Nov 1994 08:51:37 GMT", None, None),
        ("Sun, 06 Nov 1994 08:49:36 GMT", date, None),
        ("-5", date, None),
        ("1.5", date, None),
        ("soon", date, None),
        ("", date, None),
    ];
    for (text, date, seconds) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        assert_eq!(
            retry_after(&headers),
            seconds.map(Duration::from_secs),
            "{text:?}"
        );
    }
}
