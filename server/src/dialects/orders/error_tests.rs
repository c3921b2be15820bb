use domain::charge::Status;

use super::*;

#[track_caller]
fn check(error: impl Into<Error>, status: u16, json: &str) {
    let error = error.into();
    assert_eq!(error.status.as_u16(), status);
    assert_eq!(serde_json::to_string(&error.body).unwrap(), json);
}

#[test]
fn fields_are_named_and_nothing_else() {
    let field = |field: &str, message: &str| FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    check(
        gateway::Error::Invalid(vec![
            field("customer_details.email", "is required"),
            field("amount", "must be greater than zero"),
        ]),
        422,
        r#"{"message":"The request is not valid.","errors":{"amount":["The amount must be greater than zero."],"customer_details.email":["The customer_details.email is required."]}}"#,
    );
    check(
        gateway::Error::IdempotencyMismatch,
        422,
        r#"{"message":"The request is not valid.","errors":{"Idempotency-Key":["The Idempotency-Key was used with another body."]}}"#,
    );
    check(
        gateway::Error::IdempotencyInProgress,
        409,
        r#"{"message":"The first request with this key is still running.","errors":{"Idempotency-Key":["The Idempotency-Key belongs to a request that is still running."]}}"#,
    );
}

#[test]
fn without_a_field_there_is_a_message_alone() {
    check(
        BodyError::TooLarge,
        413,
        r#"{"message":"The body is larger than 64 KiB."}"#,
    );
    check(
        BodyError::NotJson,
        415,
        r#"{"message":"The content type must be application/json."}"#,
    );
    check(
        TransitionError::WrongStatus(Status::Failed),
        409,
        r#"{"message":"An order that is expired cannot do this."}"#,
    );
    check(
        gateway::Error::OutcomeUnknown,
        503,
        r#"{"message":"We could not learn whether this was done. Send it again with the same Idempotency-Key: it is done once. Without a key, look first."}"#,
    );
    check(
        gateway::Error::overloaded(),
        503,
        r#"{"message":"We are too busy right now. Please try again in a moment."}"#,
    );
    check(
        TooMany {
            retry_after_seconds: 7,
        },
        429,
        r#"{"message":"Too many requests. Please wait 7 seconds."}"#,
    );
}

#[test]
fn our_own_failures_tell_nothing() {
    let json = r#"{"message":"Something went wrong on our side. Please try again."}"#;
    check(
        gateway::Error::Internal("select secret from".to_owned()),
        500,
        json,
    );
}

#[test]
fn headers_say_when_to_come_back_and_how_to_sign_in() {
    let response = Error::from(TooMany {
        retry_after_seconds: 7,
    })
    .into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    let overloaded = gateway::Error::Overloaded {
        retry_after: std::time::Duration::from_millis(2_500),
    };
    let response = Error::from(overloaded).into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "3");
    let response = Error::unauthorized().into_response();
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
}

impl From<TransitionError> for Error {
    fn from(refusal: TransitionError) -> Self {
        gateway::Error::Refused(refusal).into()
    }
}
