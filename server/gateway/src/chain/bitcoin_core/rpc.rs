//! JSON-RPC calls to one node.
//!
//! Invariants: no secret is in a message, in a log or in `Debug`; an answer is read up to a bound
//! and within a time limit; numbers stay the text the node wrote until a type without a float
//! reads them.

mod credentials;
mod error;

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

pub use self::credentials::{Credentials, Password};
pub use self::error::{Refusal, RpcError};

use self::credentials::Login;
use self::error::root_cause;
use crate::outbox::install_crypto_provider;

/// Largest answer: a full block in hexadecimal takes 8 MB, one in JSON or a mempool of 300 000
/// transactions about 30 MB.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Shorter than nodes keep an idle connection (30 s), so that none is used that they just closed.
const IDLE_MAX: Duration = Duration::from_secs(20);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What Core answers while it loads (`RPC_IN_WARMUP`).
const IN_WARMUP: i64 = -28;

/// The client of one node. Its connections are reused.
#[derive(Debug)]
pub struct Rpc {
    client: Client,
    url: Url,
    login: Login,
    limit: Duration,
    answer_bytes_max: usize,
}

/// What a node answers to one call. In version 1 both members are always there, one of them null.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ErrorObject>,
    #[serde(default)]
    id: Option<u64>,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Rpc {
    /// Connects to nothing yet. `limit` bounds each call, from the first byte to the last.
    ///
    /// # Errors
    /// [`RpcError::Client`] when this system cannot make HTTP calls.
    pub fn new(url: Url, credentials: Credentials, limit: Duration) -> Result<Self, RpcError> {
        install_crypto_provider();
        let builder = || {
            Client::builder()
                // The credentials are for this node alone.
                .no_proxy()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_MAX)
                .pool_idle_timeout(IDLE_MAX)
        };
        // Most nodes are reached without TLS; a system without CA certificates still does that.
        let client = builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(|error| RpcError::Client(root_cause(&error)))?;
        Ok(Self {
            client,
            url,
            login: Login::new(credentials),
            limit,
            answer_bytes_max: ANSWER_BYTES_MAX,
        })
    }

    /// Reads at most so many bytes of an answer.
    #[must_use]
    pub fn with_answer_bytes_max(self, answer_bytes_max: usize) -> Self {
        Self {
            answer_bytes_max,
            ..self
        }
    }

    /// Calls `method` with `params`, an array.
    ///
    /// # Errors
    /// [`RpcError::Refused`] when the node says no; whatever kept its answer from being read.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let request = request(method, &params, 0);
        let body = self.exchange(method, request.to_string()).await?;
        let answer: Answer<'_> =
            serde_json::from_slice(&body).map_err(|error| RpcError::unreadable(method, &error))?;
        answer.read(method)?.map_err(|refusal| refusal.of(method))
    }

    /// Calls `method` once per element of `params`, in one exchange; the answers are in their
    /// order, and each may be a refusal.
    ///
    /// # Errors
    /// Whatever kept the answers from being read, all of them.
    pub async fn call_each<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> Result<Vec<Result<T, Refusal>>, RpcError> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let requests: Vec<Value> = (0..)
            .zip(params)
            .map(|(id, params)| request(method, params, id))
            .collect();
        let body = self
            .exchange(method, Value::Array(requests).to_string())
            .await?;
        let mut answers: Vec<Answer<'_>> =
            serde_json::from_slice(&body).map_err(|error| RpcError::unreadable(method, &error))?;
        answers.sort_by_key(|answer| answer.id);
        let complete = answers.len() == params.len()
            && (0..)
                .zip(&answers)
                .all(|(id, answer)| answer.id == Some(id));
        if !complete {
            return Err(RpcError::unreadable(method, &"answers are missing"));
        }
        answers
            .into_iter()
            .map(|answer| answer.read(method))
            .collect()
    }

    /// Sends a body and reads the answer's; a cookie that is refused is read again, once.
    async fn exchange(&self, method: &'static str, body: String) -> Result<Vec<u8>, RpcError> {
        let first = self.send(method, body.clone()).await?;
        let response = if first.status() == StatusCode::UNAUTHORIZED && self.login.expire().await {
            self.send(method, body).await?
        } else {
            first
        };
        let status = response.status();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(RpcError::Credentials),
            StatusCode::SERVICE_UNAVAILABLE => return Err(RpcError::Busy),
            _ => {}
        }
        let body = self.read_body(method, response).await?;
        // Refusals of single calls come with 404 or 500, and their reason is in the body.
        if status.is_success() || body.first().is_some_and(|byte| *byte == b'{') {
            return Ok(body);
        }
        Err(RpcError::unreadable(
            method,
            &format!("HTTP status {}", status.as_u16()),
        ))
    }

    async fn send(&self, method: &'static str, body: String) -> Result<Response, RpcError> {
        let (user, password) = self.login.pair().await?;
        self.client
            .post(self.url.clone())
            .basic_auth(user, Some(password))
            .header(CONTENT_TYPE, "application/json")
            .timeout(self.limit)
            .body(body)
            .send()
            .await
            .map_err(|error| self.transport(method, &error))
    }

    async fn read_body(
        &self,
        method: &'static str,
        mut response: Response,
    ) -> Result<Vec<u8>, RpcError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.transport(method, &error))?
        {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(RpcError::TooLarge {
                    method,
                    bytes_max: self.answer_bytes_max,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn transport(&self, method: &'static str, error: &reqwest::Error) -> RpcError {
        if error.is_timeout() && !error.is_connect() {
            RpcError::TimedOut {
                method,
                limit: self.limit,
            }
        } else {
            RpcError::Unreachable(root_cause(error))
        }
    }
}

impl Answer<'_> {
    /// The result, or the node's refusal.
    fn read<T: DeserializeOwned>(
        self,
        method: &'static str,
    ) -> Result<Result<T, Refusal>, RpcError> {
        match self.error {
            Some(error) if error.code == IN_WARMUP => {
                let refusal = Refusal::new(error.code, &error.message);
                Err(RpcError::WarmingUp(refusal.message))
            }
            Some(error) => Ok(Err(Refusal::new(error.code, &error.message))),
            None => serde_json::from_str(self.result.map_or("null", RawValue::get))
                .map(Ok)
                .map_err(|error| RpcError::unreadable(method, &error)),
        }
    }
}

/// Version 1, which every node understands; answers of version 2 are read as well.
fn request(method: &str, params: &Value, id: u64) -> Value {
    json!({ "jsonrpc": "1.0", "id": id, "method": method, "params": params })
}
