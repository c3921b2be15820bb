//! JSON-RPC 2.0 over HTTP, as EVM nodes speak it.
//!
//! Invariants: a request takes a limited time and its answer a limited space; each failure says
//! which call of which node failed, and never shows the node's URL.

mod error;

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, ClientBuilder, Response, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub use self::error::RpcError;

use super::endpoint::NodeUrl;
use crate::outbox::install_crypto_provider;

const IDLE_MAX: Duration = Duration::from_secs(20);

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Name resolution, connection and TLS handshake together.
    pub connect: Duration,
    /// All of the request, the answer's body included.
    pub total: Duration,
    /// Size of an answer's body.
    pub bytes: usize,
}

impl Default for Limits {
    /// A full block with its receipts has a few megabytes, a full pool some ten.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(30),
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// One method and its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    method: &'static str,
    params: Value,
}

impl Call {
    /// `params` is a JSON array.
    pub fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

/// What a node answered to one call of a batch.
#[derive(Debug)]
pub struct Answer {
    node: Arc<NodeUrl>,
    method: &'static str,
    result: Result<Box<RawValue>, RpcError>,
}

impl Answer {
    /// The result as a type; `null` is read as such, so ask for an `Option` where it is allowed.
    ///
    /// # Errors
    /// The node's refusal of this call, or [`RpcError::Unreadable`].
    pub fn read<T: DeserializeOwned>(self) -> Result<T, RpcError> {
        let raw = self.result?;
        serde_json::from_str(raw.get()).map_err(|error| unreadable(&self.node, self.method, &error))
    }
}

/// A node's JSON-RPC. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rpc {
    client: Client,
    node: Arc<NodeUrl>,
    limits: Limits,
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: usize,
    method: &'static str,
    params: &'a Value,
}

#[derive(Deserialize)]
struct Reply {
    id: Option<usize>,
    /// `None` when there is none at all; `null` is a result.
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Rpc {
    /// Talks to nobody yet.
    ///
    /// # Errors
    /// [`RpcError::Unreachable`] when this machine cannot make HTTP requests at all.
    pub fn new(node: NodeUrl, limits: Limits) -> Result<Self, RpcError> {
        install_crypto_provider();
        // A machine without CA certificates still reaches a node over plain HTTP.
        let client = client_builder(limits)
            .build()
            .or_else(|_| client_builder(limits).tls_certs_only([]).build())
            .map_err(|_| RpcError::Unreachable {
                node: node.to_string(),
                reason: "no HTTP client can be made".to_owned(),
            })?;
        Ok(Self {
            client,
            node: Arc::new(node),
            limits,
        })
    }

    /// Calls one method.
    ///
    /// # Errors
    /// Every [`RpcError`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let request = Request {
            jsonrpc: "2.0",
            id: 0,
            method,
            params: &params,
        };
        let (status, body) = self.exchange(method, &request).await?;
        let reply: Reply =
            serde_json::from_slice(&body).map_err(|error| self.not_json(status, method, &error))?;
        self.answer(method, status, reply)?.read()
    }

    /// Calls several methods in one round trip. The node may work on them in any order, even at
    /// once: none can rely on another.
    ///
    /// # Errors
    /// Every [`RpcError`] but those of single calls, which are in the [`Answer`]s.
    pub async fn batch<const N: usize>(&self, calls: [Call; N]) -> Result<[Answer; N], RpcError> {
        let answers = self.batch_of(&calls).await?;
        <[Answer; N]>::try_from(answers).map_err(|_| self.unreadable("a batch", "of another size"))
    }

    /// Like [`Self::batch`]; as many answers as calls, in their order.
    ///
    /// # Errors
    /// As for [`Self::batch`].
    pub async fn batch_of(&self, calls: &[Call]) -> Result<Vec<Answer>, RpcError> {
        let Some(first) = calls.first() else {
            return Ok(Vec::new());
        };
        let requests: Vec<Request<'_>> = calls
            .iter()
            .enumerate()
            .map(|(id, call)| Request {
                jsonrpc: "2.0",
                id,
                method: call.method,
                params: &call.params,
            })
            .collect();
        let (status, body) = self.exchange(first.method, &requests).await?;
        let replies: Vec<Reply> = match serde_json::from_slice(&body) {
            Ok(replies) => replies,
            Err(error) => {
                // A node that refuses the whole batch answers with one error.
                if let Ok(reply) = serde_json::from_slice::<Reply>(&body) {
                    self.answer(first.method, status, reply)?.result?;
                }
                return Err(self.not_json(status, first.method, &error));
            }
        };
        let mut by_call: Vec<Option<Reply>> = calls.iter().map(|_| None).collect();
        for reply in replies {
            let place = reply.id.and_then(|id| by_call.get_mut(id));
            if let Some(place) = place {
                *place = Some(reply);
            }
        }
        calls
            .iter()
            .zip(by_call)
            .map(|(call, reply)| match reply {
                Some(reply) => Ok(self.answer_of_batch(call.method, reply)),
                None => Err(self.unreadable(call.method, "the answer is missing in the batch")),
            })
            .collect()
    }

    /// An answer that could be read and yet makes no sense.
    pub(super) fn unreadable(
        &self,
        method: &'static str,
        problem: impl std::fmt::Display,
    ) -> RpcError {
        unreadable(&self.node, method, &problem)
    }

    /// Host and port, for messages.
    pub(super) fn node(&self) -> String {
        self.node.to_string()
    }

    /// Sends the request; answers HTTP status and body.
    async fn exchange(
        &self,
        method: &'static str,
        request: &impl Serialize,
    ) -> Result<(u16, Vec<u8>), RpcError> {
        let body = serde_json::to_vec(request).map_err(|error| self.unreadable(method, error))?;
        let mut response = self
            .client
            .post(self.node.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let body = self.read_body(method, &mut response).await?;
        Ok((status, body))
    }

    async fn read_body(
        &self,
        method: &'static str,
        response: &mut Response,
    ) -> Result<Vec<u8>, RpcError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error))?
        {
            if body.len() + chunk.len() > self.limits.bytes {
                return Err(RpcError::TooLarge {
                    node: self.node.to_string(),
                    method,
                    limit: self.limits.bytes,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The answer to a lone call.
    fn answer(&self, method: &'static str, status: u16, reply: Reply) -> Result<Answer, RpcError> {
        // Some nodes say with the status, too, that a call failed; no result comes with one.
        if reply.error.is_none() && !is_success(status) {
            return Err(self.status(status));
        }
        Ok(self.answer_of_batch(method, reply))
    }

    fn answer_of_batch(&self, method: &'static str, reply: Reply) -> Answer {
        let result = match (reply.error, reply.result) {
            (Some(refusal), _) => Err(RpcError::Refused {
                node: self.node.to_string(),
                method,
                code: refusal.code,
                message: self.node.quote(&refusal.message),
            }),
            (None, Some(result)) => Ok(result),
            (None, None) => Err(self.unreadable(method, "neither a result nor an error")),
        };
        Answer {
            node: Arc::clone(&self.node),
            method,
            result,
        }
    }

    fn not_json(&self, status: u16, method: &'static str, error: &serde_json::Error) -> RpcError {
        if is_success(status) {
            self.unreadable(method, error)
        } else {
            self.status(status)
        }
    }

    fn status(&self, status: u16) -> RpcError {
        RpcError::Status {
            node: self.node.to_string(),
            status,
        }
    }

    /// Says in words of our own what broke: the client's error shows the URL.
    fn unreachable(&self, error: &reqwest::Error) -> RpcError {
        let reason = if error.is_timeout() {
            "no answer in time".to_owned()
        } else if let Some(cause) = io_cause(error) {
            cause.kind().to_string()
        } else if error.is_connect() {
            "no connection".to_owned()
        } else {
            "the connection broke off".to_owned()
        };
        RpcError::Unreachable {
            node: self.node.to_string(),
            reason,
        }
    }
}

fn client_builder(limits: Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Exchequer/", env!("CARGO_PKG_VERSION")))
        // The URL may hold a key, which is nobody else's.
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // Shorter than nodes keep an idle connection, so that none is used that is just closed.
        .pool_idle_timeout(IDLE_MAX)
        .connect_timeout(limits.connect)
        .timeout(limits.total)
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(value).map(Some)
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn unreadable(node: &NodeUrl, method: &'static str, problem: &dyn std::fmt::Display) -> RpcError {
    RpcError::Unreadable {
        node: node.to_string(),
        method,
        // Parts of the answer may be in it.
        problem: node.quote(&problem.to_string()),
    }
}

/// The first error of the operating system among the causes.
fn io_cause(error: &reqwest::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
