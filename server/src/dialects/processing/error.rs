use std::collections::BTreeMap;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gateway::FieldError;
use serde::Serialize;

use crate::http::json::BodyError;
use crate::http::rate_limit::TooMany;

/// What the dialect answers instead of a result (`30-processing-api.md`, Errors).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: StatusCode,
    body: Body,
    retry_after_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Body {
    /// Of the request as a whole.
    Refused { error: String, code: &'static str },
    /// Of its fields, one sentence each.
    Fields { errors: BTreeMap<String, String> },
}

impl Error {
    fn refused(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self {
            status,
            body: Body::Refused {
                error: error.into(),
                code,
            },
            retry_after_seconds: None,
        }
    }

    fn fields(status: StatusCode, fields: &[FieldError]) -> Self {
        let mut errors = BTreeMap::new();
        for field in fields {
            let sentence = format!("The {} {}.", field.field, field.message);
            // The first thing wrong with a field is the one to mend first.
            errors.entry(field.field.clone()).or_insert(sentence);
        }
        Self {
            status,
            body: Body::Fields { errors },
            retry_after_seconds: None,
        }
    }

    pub fn of_field(field: &str, message: &str) -> Self {
        let field = FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        };
        Self::fields(StatusCode::BAD_REQUEST, &[field])
    }

    pub fn bad_key() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "bad_header_key", "Bad key header")
    }

    pub fn bad_signature() -> Self {
        Self::refused(
            StatusCode::FORBIDDEN,
            "bad_header_signature",
            "Bad signature header",
        )
    }

    pub fn forbidden() -> Self {
        let message = "This key pair may not do that: switch the permission on first";
        Self::refused(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub fn plain_http() -> Self {
        let message = "This request came over plain http. Use https";
        Self::refused(StatusCode::FORBIDDEN, "plain_http", message)
    }

    pub fn not_found() -> Self {
        Self::refused(StatusCode::NOT_FOUND, "not_found", "Not found")
    }

    pub fn method_not_allowed() -> Self {
        Self::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not take that method",
        )
    }

    pub fn internal() -> Self {
        Self::refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something went wrong on our side. Please try again",
        )
    }

    fn conflict(message: &str) -> Self {
        Self::refused(StatusCode::CONFLICT, "conflict", message)
    }

    fn busy(status: StatusCode, code: &'static str, seconds: u64, message: String) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..Self::refused(status, code, message)
        }
    }

    fn unavailable(seconds: u64) -> Self {
        let message = "We are too busy right now. Please try again in a moment".to_owned();
        Self::busy(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            seconds,
            message,
        )
    }

    /// It may have been done, so nobody is told that it was not.
    fn unclear() -> Self {
        let message = "We could not learn whether this was done. Ask again with the same foreign_id: it is \
                       done once. Without one, look first";
        Self::busy(
            StatusCode::SERVICE_UNAVAILABLE,
            "internal_error",
            1,
            message.to_owned(),
        )
    }

    /// Logs what went wrong; the caller is not told.
    fn logged(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a processing call failed");
        Self::internal()
    }

    fn idempotency(status: StatusCode, message: &str) -> Self {
        let field = FieldError {
            field: "idempotency_key".to_owned(),
            message: message.to_owned(),
        };
        Self::fields(status, &[field])
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<TooMany> for Error {
    fn from(too_many: TooMany) -> Self {
        let seconds = too_many.retry_after_seconds;
        let message = format!("Too many requests. Please wait {seconds} seconds");
        Self::busy(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            seconds,
            message,
        )
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "The body is larger than 64 KiB",
            ),
            BodyError::NotJson => Self::of_field("body", "must be JSON"),
            BodyError::Malformed(malformed) => {
                Self::of_field("body", &format!("must be JSON: {malformed}"))
            }
            BodyError::Interrupted => Self::of_field("body", "did not arrive"),
        }
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as Gateway;
        let retry_after = error.retry_after_seconds().unwrap_or(1);
        match error {
            Gateway::Invalid(fields) => Self::fields(StatusCode::BAD_REQUEST, &fields),
            Gateway::NotFound => Self::not_found(),
            Gateway::Unauthorized => Self::bad_key(),
            Gateway::Forbidden => Self::forbidden(),
            Gateway::Refused(refusal) => Self::conflict(&refusal.to_string()),
            Gateway::Conflict(message) => Self::conflict(message),
            Gateway::QuoteUnavailable { coin, currency } => Self::of_field(
                "sender_currency",
                &format!("has no rate right now: {coin} in {currency}"),
            ),
            Gateway::IdempotencyMismatch => Self::idempotency(
                StatusCode::UNPROCESSABLE_ENTITY,
                "was used with another body",
            ),
            Gateway::IdempotencyInProgress => Self {
                retry_after_seconds: Some(1),
                ..Self::idempotency(
                    StatusCode::CONFLICT,
                    "belongs to a request that is still running",
                )
            },
            Gateway::Overloaded { .. } => Self::unavailable(retry_after),
            Gateway::OutcomeUnknown => Self::unclear(),
            Gateway::Ledger(refusal) => Self::logged(&refusal),
            Gateway::AlreadyBooked => Self::conflict("This was done already"),
            Gateway::Database(cause) => {
                let error = Gateway::Database(cause);
                if error.is_transient() {
                    tracing::warn!(%error, "the database could not do what a processing call asked for");
                    Self::unavailable(retry_after)
                } else {
                    Self::logged(&error)
                }
            }
            Gateway::Internal(cause) => Self::logged(&cause),
            Gateway::StepsOut => Self::logged(&Gateway::StepsOut),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn json(error: &Error) -> String {
        serde_json::to_string(&error.body).unwrap()
    }

    #[test]
    fn refusals_have_the_published_shape() {
        assert_eq!(
            json(&Error::bad_signature()),
            r#"{"error":"Bad signature header","code":"bad_header_signature"}"#
        );
        assert_eq!(Error::bad_signature().status, StatusCode::FORBIDDEN);
        assert_eq!(Error::bad_key().status, StatusCode::UNAUTHORIZED);
    }

    #[test]
    fn each_field_has_one_sentence() {
        let fields = [
            ("amount", "is required"),
            ("amount", "is too large"),
            ("tag", "must be left out"),
        ]
        .map(|(field, message)| FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
        let error = Error::from(gateway::Error::Invalid(fields.to_vec()));
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            json(&error),
            r#"{"errors":{"amount":"The amount is required.","tag":"The tag must be left out."}}"#
        );
    }

    #[test]
    fn idempotency_is_told_in_this_dialects_words() {
        let error = Error::from(gateway::Error::IdempotencyMismatch);
        assert_eq!(error.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            json(&error),
            r#"{"errors":{"idempotency_key":"The idempotency_key was used with another body."}}"#
        );
        let error = Error::from(gateway::Error::IdempotencyInProgress);
        assert_eq!(error.status, StatusCode::CONFLICT);
        assert_eq!(error.retry_after_seconds, Some(1));
    }

    #[test]
    fn what_may_have_been_done_is_not_called_undone() {
        let error = Error::from(gateway::Error::OutcomeUnknown);
        assert_eq!(error.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(error.retry_after_seconds, Some(1));
        assert_eq!(
            json(&error),
            r#"{"error":"We could not learn whether this was done. Ask again with the same foreign_id: it is done once. Without one, look first","code":"internal_error"}"#
        );
    }

    #[test]
    fn an_overload_says_when_to_come_back() {
        let error = Error::from(gateway::Error::Overloaded {
            retry_after: std::time::Duration::from_millis(2_500),
        });
        assert_eq!(error.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            json(&error),
            r#"{"error":"We are too busy right now. Please try again in a moment","code":"overloaded"}"#
        );
        let response = error.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    }
}
