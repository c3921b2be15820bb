//! One call: its caller, its place, its parameters and its body, read in that order.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::Method;
use gateway::Gateway;
use gateway::idempotency::Once;

use super::Error;
use super::auth::{Caller, Principal};
use crate::http::json::{self, Fields, Object, Received, Value};
use crate::http::{Problems, Query, idempotency};
use crate::state::AppState;

/// Whole numbers beyond it are not exact in every JSON reader.
const MERCHANT_ID_MAX: i64 = 9_007_199_254_740_991;

/// Everything a handler may want to know about its request.
pub struct Call {
    caller: Caller,
    order_id: Option<String>,
    query: Query,
    path: String,
    key: Result<Option<String>, &'static str>,
    body: Received,
}

impl FromRequest<AppState> for Call {
    type Rejection = Error;

    /// The key is judged first, then the body's size, type and syntax.
    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        let order_id = RawPathParams::from_request_parts(&mut parts, state)
            .await
            .ok()
            .and_then(|params| params.iter().next().map(|(_, value)| value.to_owned()));
        let body = match parts.method {
            Method::POST => json::receive(&parts.headers, body).await?,
            _ => Received::default(),
        };
        Ok(Self {
            caller,
            order_id,
            query: Query::of(&parts.uri),
            path: parts.uri.path().to_owned(),
            key: idempotency::key(&parts.headers),
            body,
        })
    }
}

impl Call {
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The order in the path; what is not shaped like an order id names no order.
    pub fn order_id(&self) -> Result<&str, Error> {
        self.order_id
            .as_deref()
            .filter(|id| is_order_id(id))
            .ok_or_else(Error::not_found)
    }

    /// The members of the body, none when there is no body.
    ///
    /// # Errors
    /// 422 when the body is JSON but no object.
    pub fn members(&self) -> Result<Option<&Object>, Error> {
        match &self.body.value {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(Error::not_an_object()),
        }
    }

    /// The members of a body that has to be there.
    pub fn required_members(&self) -> Result<&Object, Error> {
        self.members()?.ok_or_else(Error::empty_body)
    }

    /// The merchant the call acts for. A merchant key has its own; the static key names one in the
    /// body, or else in the query (`80`, Orders).
    ///
    /// # Errors
    /// 404 for a merchant that does not exist. A missing or malformed number is a problem.
    pub async fn merchant(
        &self,
        gateway: &Gateway,
        problems: &mut Problems,
    ) -> Result<Option<i64>, Error> {
        if let Principal::Merchant(id) = self.caller.principal {
            return Ok(Some(id));
        }
        let Some(id) = self.named_merchant(problems)? else {
            return Ok(None);
        };
        if gateway.merchant_exists(id).await? {
            Ok(Some(id))
        } else {
            Err(Error::not_found())
        }
    }

    fn named_merchant(&self, problems: &mut Problems) -> Result<Option<i64>, Error> {
        const FIELD: &str = "merchant_id";
        if let Some(body) = self.members()? {
            let mut fields = Fields::new(body, problems);
            if fields.value(FIELD).is_some() {
                return Ok(fields.optional_integer(FIELD, 1..=MERCHANT_ID_MAX));
            }
        }
        if !self.query.iter().any(|(name, _)| name == FIELD) {
            problems.add(FIELD, "is required");
            return Ok(None);
        }
        let Some(text) = self.query.one(FIELD, problems) else {
            return Ok(None);
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let id: Option<i64> = digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|id| *id >= 1);
        if id.is_none() {
            problems.add(FIELD, "must be a whole number from 1");
        }
        Ok(id)
    }

    /// The caller's wish that the call takes effect once.
    pub fn once(&self, merchant_id: Option<i64>, problems: &mut Problems) -> Option<Once> {
        match &self.key {
            Ok(key) => idempotency::once(
                merchant_id?,
                "POST",
                &self.path,
                key.clone(),
                &self.body.bytes,
            ),
            Err(message) => {
                problems.add(idempotency::FIELD, *message);
                None
            }
        }
    }

    /// Who acted, for timelines and the audit log.
    pub fn actor(&self) -> String {
        match self.caller.principal {
            Principal::Merchant(id) => format!("merchant {id}"),
            Principal::Operator => "operator".to_owned(),
        }
    }
}

/// `EX-` and 10 characters of A–Z2–7 (`00-domain.md`, Identifiers).
fn is_order_id(text: &str) -> bool {
    let letter = |byte: u8| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
    text.strip_prefix("EX-")
        .is_some_and(|rest| rest.len() == 10 && rest.bytes().all(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_have_one_shape() {
        assert!(is_order_id("EX-SVUGY4KYEF"));
        for text in [
            "EX-SVUGY4KYE",
            "EX-SVUGY4KYEFA",
            "ex-svugy4kyef",
            "EX-SVUGY4KYE1",
            "EX-",
            "\0",
        ] {
            assert!(!is_order_id(text), "{text:?}");
        }
    }
}
