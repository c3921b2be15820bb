use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::json::BodyError;

/// What the sandbox answers instead of a result: `{"message": …}`, usually 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: StatusCode,
    message: String,
    retry_after_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Body {
    message: String,
}

impl Error {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after_seconds: None,
        }
    }

    /// What was asked for makes no sense.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    pub fn foreign() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This request was sent by a page of another site.",
        )
    }

    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This address does not take that method.",
        )
    }

    /// It may have been done, in whole or in part; there is no key under which it would be done once.
    fn unclear() -> Self {
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "We could not learn whether this was done. Look before you ask again.",
            )
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (
            self.status,
            Json(Body {
                message: self.message,
            }),
        )
            .into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Malformed(_) | BodyError::Interrupted => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl From<gateway::Error> for Error {
    fn from(error: gateway::Error) -> Self {
        use gateway::Error as Gateway;
        match error {
            Gateway::Invalid(fields) => {
                let sentences: Vec<String> = fields
                    .iter()
                    .map(|field| format!("The {} {}.", field.field, field.message))
                    .collect();
                Self::wrong(sentences.join(" "))
            }
            Gateway::NotFound
            | Gateway::Unauthorized
            | Gateway::Forbidden
            | Gateway::Refused(_)
            | Gateway::Conflict(_)
            | Gateway::QuoteUnavailable { .. }
            | Gateway::IdempotencyMismatch
            | Gateway::IdempotencyInProgress
            | Gateway::AlreadyBooked => Self::wrong(error.to_string()),
            Gateway::Overloaded { .. } => Self {
                retry_after_seconds: error.retry_after_seconds(),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "We are too busy right now. Please try again in a moment.",
                )
            },
            Gateway::OutcomeUnknown => Self::unclear(),
            // A control takes several steps, and each may be the one that came to nothing.
            Gateway::Database(_) if error.is_transient() => {
                tracing::warn!(%error, "the database could not do what a sandbox call asked for");
                Self::unclear()
            }
            Gateway::Ledger(_)
            | Gateway::Database(_)
            | Gateway::Internal(_)
            | Gateway::StepsOut => {
                tracing::error!(%error, "a sandbox call failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on our side.",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::FieldError;

    use super::*;

    #[test]
    fn wrong_fields_are_sentences() {
        let field = |field: &str, message: &str| FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let fields = vec![
            field("amount", "is required"),
            field("txid", "must be a string"),
        ];
        let error = Error::from(gateway::Error::Invalid(fields));
        assert_eq!(
            error,
            Error::wrong("The amount is required. The txid must be a string.")
        );
    }

    #[test]
    fn an_overload_says_when_to_come_back() {
        let error = Error::from(gateway::Error::Overloaded {
            retry_after: std::time::Duration::from_millis(2_500),
        });
        assert_eq!(error.status, StatusCode::SERVICE_UNAVAILABLE);
        let response = error.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    }

    #[test]
    fn our_own_failures_tell_nothing() {
        let error = Error::from(gateway::Error::Internal("secret".to_owned()));
        assert_eq!(error.status, 500);
        assert!(!error.message.contains("secret"));
    }
}
