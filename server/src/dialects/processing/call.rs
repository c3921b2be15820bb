//! One call: its key, its signature, its body, judged in that order.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use gateway::auth::KeyPairPrincipal;
use gateway::idempotency::Once;

use super::{Error, auth};
use crate::http::json::{self, Object, Received, Value};
use crate::http::{Problems, client, idempotency};
use crate::state::AppState;

/// The field a wrong `Idempotency-Key` is blamed on in this dialect.
const IDEMPOTENCY_FIELD: &str = "idempotency_key";

/// Everything a handler may want to know about its request.
pub struct Call {
    pair: Arc<KeyPairPrincipal>,
    path: String,
    key: Result<Option<String>, &'static str>,
    body: Received,
    nothing: Object,
    /// Where it came from, for limits by address.
    pub address: std::net::IpAddr,
}

impl FromRequest<AppState> for Call {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let (extensions, headers) = (&parts.extensions, &parts.headers);
        let proxies = &state.edge.trusted_proxies;
        if client::is_plain_http(extensions, headers, proxies) {
            return Err(Error::plain_http());
        }
        let address = client::address(extensions, headers, proxies);
        let pair = match auth::identify(&state.gateway, headers).await {
            Ok(pair) => pair,
            Err(error) => {
                state.limits.check_address(address)?;
                return Err(error);
            }
        };
        let bytes = json::receive_bytes(headers, body).await?;
        if let Err(error) = auth::verify(&pair, headers, &bytes) {
            state.limits.check_address(address)?;
            return Err(error);
        }
        state.limits.check_credential(&pair.public_key)?;
        Ok(Self {
            path: parts.uri.path().to_owned(),
            key: idempotency::key(headers),
            // Of a call without a body only the signature counts.
            body: match parts.method {
                axum::http::Method::POST => json::read(bytes)?,
                _ => Received::default(),
            },
            nothing: Object::default(),
            pair,
            address,
        })
    }
}

impl Call {
    pub fn merchant_id(&self) -> i64 {
        self.pair.merchant_id
    }

    /// Who asked, for the record.
    pub fn actor(&self) -> String {
        format!("key pair {}", self.pair.id)
    }

    /// The person who made the pair, who is not the second pair of eyes for what it asks.
    pub fn person(&self) -> Option<i64> {
        self.pair.creator_id
    }

    /// # Errors
    /// 403 unless the pair may do this.
    pub fn permit(&self, command: &str) -> Result<(), Error> {
        if self.pair.permits(command) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    /// The members of the body; an array has none.
    ///
    /// # Errors
    /// 400 on `body` when it is neither an object nor an array.
    pub fn members(&self) -> Result<&Object, Error> {
        match &self.body.value {
            Some(Value::Object(object)) => Ok(object),
            Some(Value::Array(_)) => Ok(&self.nothing),
            Some(_) => Err(Error::of_field("body", "must be a JSON object or array")),
            None => Err(Error::of_field(
                "body",
                "must be a JSON object, {} when there is nothing to say",
            )),
        }
    }

    /// The caller's wish that the call takes effect once.
    pub fn once(&self, problems: &mut Problems) -> Option<Once> {
        match &self.key {
            Ok(key) => idempotency::once(
                self.merchant_id(),
                "POST",
                &self.path,
                key.clone(),
                &self.body.bytes,
            ),
            Err(message) => {
                problems.add(IDEMPOTENCY_FIELD, *message);
                None
            }
        }
    }
}

/// A path of ours that does not exist: said only to those who sign.
pub async fn refuse_path(_call: Call) -> Error {
    Error::not_found()
}

/// A path that exists, with another method.
pub async fn refuse_method(_call: Call) -> Error {
    Error::method_not_allowed()
}
