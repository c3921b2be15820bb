//! One HTTP/1.1 connection that stays open, used by one client at a time.
//!
//! Invariant: it leads to this machine. Whatever the bench measures went through a socket.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use axum::body::{Body, BodyDataStream, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, Method, Request, header};
use futures::StreamExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take, unless said otherwise.
pub(super) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(20);

/// Largest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Characters of an unexpected answer that an error repeats.
const EXCERPT_CHARS: usize = 300;

/// A request to be sent.
pub(super) struct Call {
    method: Method,
    /// With its query.
    path: String,
    headers: Vec<(HeaderName, String)>,
    body: Bytes,
}

impl Call {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(super) fn json(path: &str, body: String) -> Self {
        Self::post(path, "application/json", body)
    }

    /// A form as a browser posts it from our own page.
    pub(super) fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self::post(path, "application/x-www-form-urlencoded", body)
            .with(HeaderName::from_static("sec-fetch-site"), "same-origin")
    }

    fn post(path: &str, content_type: &str, body: String) -> Self {
        Self {
            method: Method::POST,
            path: path.to_owned(),
            headers: vec![(header::CONTENT_TYPE, content_type.to_owned())],
            body: Bytes::from(body),
        }
    }

    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When its head was here.
    pub(super) first_byte_at: Instant,
    /// What was asked, for errors.
    asked: String,
}

impl Answer {
    /// # Errors
    /// Any other status; the beginning of the answer is repeated.
    pub(super) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let text: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(EXCERPT_CHARS)
            .collect();
        let (asked, got) = (self.asked, self.status);
        bail!("{asked} answered {got} instead of {status}: {text}")
    }

    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} answered something that is not JSON", self.asked))
    }
}

/// An answer that goes on.
pub(super) struct Flow {
    data: BodyDataStream,
    /// The connection is open as long as this is there.
    _sender: SendRequest<Body>,
}

impl Flow {
    /// The next piece of it; `None` at its end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        Ok(self.data.next().await.transpose()?)
    }
}

/// An open connection to the server under test.
pub(super) struct Connection {
    sender: SendRequest<Body>,
    /// Value of `Host`.
    host: String,
}

impl Connection {
    /// # Errors
    /// An address of another machine, or nobody listens.
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        ensure!(
            address.ip().is_loopback(),
            "{address} is not this machine: the bench talks to nobody else"
        );
        let stream = timeout(ANSWER_WAIT_MAX, TcpStream::connect(address))
            .await
            .with_context(|| format!("{address} took no connection in time"))??;
        // Small requests would wait for acknowledgements otherwise.
        stream.set_nodelay(true)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // What ends it is told to the request that was under way.
            let _ended = driver.await;
        });
        Ok(Self {
            sender,
            host: address.to_string(),
        })
    }

    /// One request and its whole answer, within [`ANSWER_WAIT_MAX`].
    pub(super) async fn send(&mut self, call: Call) -> anyhow::Result<Answer> {
        self.send_within(call, ANSWER_WAIT_MAX).await
    }

    /// # Errors
    /// The connection broke, or the answer was not here in time.
    pub(super) async fn send_within(
        &mut self,
        call: Call,
        wait_max: Duration,
    ) -> anyhow::Result<Answer> {
        let asked = format!("{} {}", call.method, call.path);
        match timeout(wait_max, self.exchange(call, asked.clone())).await {
            Ok(answered) => answered.context(asked),
            Err(_) => bail!("{asked} was not answered within {} s", wait_max.as_secs()),
        }
    }

    /// One request whose answer comes bit by bit and keeps the connection for itself.
    ///
    /// # Errors
    /// Its head was not here within [`ANSWER_WAIT_MAX`], or is not a success.
    pub(super) async fn stream(mut self, call: Call) -> anyhow::Result<Flow> {
        let asked = format!("{} {}", call.method, call.path);
        let request = self.request(call)?;
        let answered = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        let response = timeout(ANSWER_WAIT_MAX, answered)
            .await
            .with_context(|| format!("{asked} was not answered in time"))?
            .with_context(|| asked.clone())?;
        let status = response.status();
        ensure!(
            status.is_success(),
            "{asked} answered {}: no stream",
            status.as_u16()
        );
        Ok(Flow {
            data: Body::new(response.into_body()).into_data_stream(),
            _sender: self.sender,
        })
    }

    fn request(&self, call: Call) -> anyhow::Result<Request<Body>> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header(header::HOST, self.host.as_str());
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        Ok(request.body(Body::from(call.body))?)
    }

    async fn exchange(&mut self, call: Call, asked: String) -> anyhow::Result<Answer> {
        let request = self.request(call)?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let first_byte_at = Instant::now();
        let (head, body) = response.into_parts();
        let body = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            first_byte_at,
            asked,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::Router;
    use axum::extract::Request as Received;
    use axum::routing::any;
    use tokio::net::TcpListener;

    use super::*;

    /// Says what it received.
    async fn echo(request: Received) -> String {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap();
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap());
        format!(
            "{} {} {:?} {:?} {}",
            head.method,
            head.uri,
            header("content-type"),
            header("content-length"),
            String::from_utf8_lossy(&body)
        )
    }

    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/{*path}", any(echo));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn requests_go_one_after_the_other_over_one_connection() {
        let mut connection = Connection::open(server().await).await.unwrap();
        let got = connection.send(Call::get("/a?b=c")).await.unwrap();
        assert_eq!(&got.body[..], b"GET /a?b=c None None ");
        let form = Call::form("/form", &[("method", "BTC"), ("x", "a b&")]);
        let got = connection.send(form).await.unwrap();
        let expected = r#"POST /form Some("application/x-www-form-urlencoded") Some("19") method=BTC&x=a+b%26"#;
        assert_eq!(String::from_utf8_lossy(&got.body), expected);
    }

    #[tokio::test]
    async fn an_unexpected_status_is_told_with_what_was_answered() {
        let mut connection = Connection::open(server().await).await.unwrap();
        let answer = connection.send(Call::json("/a", "{}".to_owned())).await;
        let error = answer.unwrap().expect(201).err().unwrap().to_string();
        assert!(
            error.starts_with("POST /a answered 200 instead of 201: POST /a"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_stream_is_read_piece_by_piece_to_its_end() {
        let connection = Connection::open(server().await).await.unwrap();
        let mut flow = connection.stream(Call::get("/a")).await.unwrap();
        let mut text = Vec::new();
        while let Some(piece) = flow.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        assert_eq!(text, b"GET /a None None ");
        let connection = Connection::open(server().await).await.unwrap();
        let refused = connection.stream(Call::get("/")).await;
        let error = refused.err().unwrap().to_string();
        assert!(error.starts_with("GET / answered 404"), "{error}");
    }

    #[tokio::test]
    async fn another_machine_is_refused() {
        let refused = Connection::open("192.0.2.1:80".parse().unwrap()).await;
        let error = refused.err().unwrap().to_string();
        assert!(error.contains("not this machine"), "{error}");
    }
}
