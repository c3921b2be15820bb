use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::charge::TransitionError;
use gateway::FieldError;
use serde::Serialize;

use super::convert::status_word;
use crate::http::idempotency;
use crate::http::json::BodyError;
use crate::http::rate_limit::TooMany;

/// What the dialect answers instead of a result (`10-orders-api.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: StatusCode,
    body: Body,
    retry_after_seconds: Option<u64>,
}

/// `errors` is left out where no field is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Body {
    message: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    errors: BTreeMap<String, Vec<String>>,
}

impl Error {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let body = Body {
            message: message.into(),
            errors: BTreeMap::new(),
        };
        Self {
            status,
            body,
            retry_after_seconds: None,
        }
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "A valid key is needed: send it as Authorization: Bearer <key>, never in the address.",
        )
    }

    pub fn plain_http() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This request came over plain http, which exposes its key. Use https and replace the key.",
        )
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This address does not take that method.",
        )
    }

    pub fn empty_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "The body is empty; a JSON object is expected.",
        )
    }

    pub fn not_an_object() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The body must be a JSON object.",
        )
    }

    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side. Please try again.",
        )
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    fn unavailable(retry_after_seconds: u64) -> Self {
        let message = "We are too busy right now. Please try again in a moment.";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..error
        }
    }

    /// It may have been done, so nobody is told that it was not.
    fn unclear() -> Self {
        let message = "We could not learn whether this was done. Send it again with the same Idempotency-Key: \
                       it is done once. Without a key, look first.";
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    /// Logs what went wrong; the caller is not told.
    fn logged(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "an orders call failed");
        Self::internal()
    }

    fn with_fields(mut self, fields: &[FieldError]) -> Self {
        for field in fields {
            let sentence = format!("The {} {}.", field.field, field.message);
            self.body
                .errors
                .entry(field.field.clone())
                .or_default()
                .push(sentence);
        }
        self
    }

    fn with_idempotency_key(self, message: &str) -> Self {
        let field = idempotency::FIELD.to_owned();
        self.with_fields(&[FieldError {
            field,
            message: message.to_owned(),
        }])
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<TooMany> for Error {
    fn from(too_many: TooMany) -> Self {
        let seconds = too_many.retry_after_seconds;
        let message = format!("Too many requests. Please wait {seconds} seconds.");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, message);
        Self {
            retry_after_seconds: Some(seconds),
            ..error
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Malformed(_) | BodyError::Interrupted => StatusCode::BAD_REQUEST,
        };
        Self::new(status, sentence(&error.to_string()))
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as Gateway;
        let retry_after = error.retry_after_seconds().unwrap_or(1);
        match error {
            Gateway::Invalid(fields) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The request is not valid.",
            )
            .with_fields(&fields),
            Gateway::NotFound => Self::not_found(),
            Gateway::Unauthorized => Self::unauthorized(),
            Gateway::Forbidden => Self::new(StatusCode::FORBIDDEN, "This key may not do that."),
            Gateway::Refused(refusal) => Self::conflict(refusal_sentence(refusal)),
            Gateway::Conflict(message) => Self::conflict(sentence(message)),
            Gateway::QuoteUnavailable { coin, currency } => Self::conflict(format!(
                "There is no rate for {coin} in {currency} right now."
            )),
            Gateway::IdempotencyMismatch => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The request is not valid.",
            )
            .with_idempotency_key("was used with another body"),
            Gateway::IdempotencyInProgress => Self {
                retry_after_seconds: Some(1),
                ..Self::conflict("The first request with this key is still running.")
                    .with_idempotency_key("belongs to a request that is still running")
            },
            Gateway::AlreadyBooked => Self::conflict("This has been recorded already."),
            Gateway::Overloaded { .. } => Self::unavailable(retry_after),
            Gateway::Database(_) if error.is_transient() => {
                tracing::warn!(%error, "the database could not do what an orders call asked for");
                Self::unavailable(retry_after)
            }
            Gateway::OutcomeUnknown => Self::unclear(),
            Gateway::Ledger(_)
            | Gateway::Database(_)
            | Gateway::Internal(_)
            | Gateway::StepsOut => Self::logged(&error),
        }
    }
}

impl From<crate::documents::DocumentError> for Error {
    fn from(error: crate::documents::DocumentError) -> Self {
        Self::logged(&error)
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::logged(&error)
    }
}

/// Why the lifecycle refuses, in this dialect's words.
fn refusal_sentence(refusal: TransitionError) -> String {
    match refusal {
        TransitionError::WrongStatus(status) => {
            format!("An order that is {} cannot do this.", status_word(status))
        }
        TransitionError::MoneyArrived => "Money has already arrived for this order.".to_owned(),
        TransitionError::NothingFinal => {
            "No final payment has arrived for this order yet.".to_owned()
        }
        TransitionError::RateStillFixed => "The rate of this order is still fixed.".to_owned(),
    }
}

/// From an error's text, lower case and without a full stop, to a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
#[path = "error_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
