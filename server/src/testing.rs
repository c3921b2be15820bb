//! A whole server in a test: the real router over a database of the test's own, no port.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use gateway::demo::DemoSet;
use gateway::{Gateway, PgPool, Settings};
use serde_json::Value;
use tower::ServiceExt;

use crate::dialects::WebhookBodies;
use crate::router::router;
use crate::shutdown::Shutdown;
use crate::state::{AppState, Edge};

/// Where the server believes to be.
pub const PUBLIC_URL: &str = "http://127.0.0.1:3000";

/// The peer of every call: this machine.
const PEER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50_000);

/// Largest answer read, bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A server without workers: nothing happens by itself, so a test says when it does, through
/// `/sandbox/advance` or [`TestApp::gateway`].
pub struct TestApp {
    router: Router,
    state: AppState,
    gateway: Gateway,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestApp {
    /// Test mode with its usual settings, on a migrated database.
    pub async fn start(pool: &PgPool) -> TestApp {
        Self::start_with(pool, Settings::test(PUBLIC_URL)).await
    }

    /// Any settings, e.g. those of a live instance.
    pub async fn start_with(pool: &PgPool, settings: Settings) -> TestApp {
        gateway::outbox::install_crypto_provider();
        let gateway = Gateway::open_with_pool(pool.clone(), settings, Arc::new(WebhookBodies))
            .await
            .expect("the instance opens");
        let state = AppState::new(gateway.clone(), Edge::default());
        let site = Path::new("no site in tests");
        let router = router(state.clone(), site, Shutdown::never());
        TestApp {
            router,
            state,
            gateway,
        }
    }

    /// The page of metrics, which the router does not have.
    pub async fn metrics(&self) -> TestResponse {
        let request = Request::builder().uri("/metrics").body(Body::empty());
        let answer = crate::metrics::router(self.state.clone())
            .oneshot(request.expect("a request"))
            .await
            .expect("infallible");
        Self::read(answer).await
    }

    /// For what has no call: workers, deliveries, the clock.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The router itself, for answers that do not end, such as event streams.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// One request and its whole answer.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.into())).expect("a request");
        request.extensions_mut().insert(ConnectInfo(PEER));
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        Self::read(answer).await
    }

    async fn read(answer: Response) -> TestResponse {
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX)
            .await
            .expect("a whole body");
        TestResponse {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_vec(),
        }
    }

    /// A GET without headers.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.call("GET", path, &[], Vec::new()).await
    }

    /// A form as a browser posts it from our own page.
    pub async fn post_form(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> TestResponse {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut all = vec![
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        all.extend_from_slice(headers);
        self.call("POST", path, &all, body).await
    }

    /// The demo set; made when it is not there.
    pub async fn demo(&self) -> DemoSet {
        self.gateway.demo().await.expect("a demo set")
    }

    /// Signs somebody in and returns the `Cookie` header of the session.
    pub async fn sign_in(&self, email: &str, password: &str) -> String {
        let fields = [("email", email), ("password", password)];
        let answer = self.post_form("/sign-in", &[], &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let cookie = answer.header("set-cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// A control of test mode, e.g. `sandbox("mine", json!({}))`; it has to answer 200.
    pub async fn sandbox(&self, path: &str, body: Value) -> Value {
        let path = format!("/sandbox/{}", path.trim_start_matches("/sandbox/"));
        let headers = [("content-type", "application/json")];
        let answer = self.call("POST", &path, &headers, body.to_string()).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        answer.json()
    }
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Value of a header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
