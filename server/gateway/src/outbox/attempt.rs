//! One attempt: sign, send, decide what becomes of the delivery.

use time::Duration;

use super::attempt_store::{After, Attempt, Made};
use super::claim_store::Claimed;
use super::schedule::{FailureKind, Schedule, next_attempt};
use super::sender::{AttemptOutcome, OutgoingRequest};
use super::signature::{WebhookSecret, standard_headers};
use crate::{Error, Gateway, Result};

/// Makes the attempt. `None` when it cannot be said what becomes of the delivery, which is in the log:
/// the lease runs out and another worker tries again.
pub(super) async fn make(gateway: &Gateway, delivery: Claimed) -> Option<Made> {
    match attempt(gateway, &delivery).await {
        Ok(made) => Some(made),
        Err(error) => {
            tracing::error!(delivery = delivery.id, %error, "webhook attempt cannot be judged");
            None
        }
    }
}

async fn attempt(gateway: &Gateway, delivery: &Claimed) -> Result<Made> {
    let at = gateway.clock().now();
    let made = match request(delivery, at.unix_timestamp()) {
        Ok(request) => {
            let outcome = gateway.sender().send(&request).await;
            Made {
                delivery_id: delivery.id,
                claim_id: delivery.claim_id,
                endpoint_id: delivery.endpoint_id,
                is_gone: outcome.failure == Some(FailureKind::Gone),
                after: decide(delivery, &outcome, at)?,
                attempt: Attempt {
                    at,
                    status: outcome.status.map(i32::from),
                    duration_ms: i64::try_from(outcome.duration_ms)?,
                    error: outcome.error,
                    response_head: outcome.response_head,
                },
            }
        }
        Err(error) => {
            // It never can be: kept in the log instead of tried for ever.
            tracing::error!(delivery = delivery.id, %error, "webhook cannot be signed");
            Made {
                delivery_id: delivery.id,
                claim_id: delivery.claim_id,
                endpoint_id: delivery.endpoint_id,
                is_gone: false,
                after: After::GivenUp,
                attempt: Attempt {
                    at,
                    status: None,
                    duration_ms: 0,
                    error: Some("the delivery could not be signed".to_owned()),
                    response_head: String::new(),
                },
            }
        }
    };
    gateway.attempts().note(made.after);
    Ok(made)
}

fn request(delivery: &Claimed, timestamp: i64) -> Result<OutgoingRequest> {
    let secrets = delivery
        .secrets
        .iter()
        .map(|secret| WebhookSecret::parse(secret))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(Error::internal)?;
    let mut headers = standard_headers(&secrets, &delivery.event_id, timestamp, &delivery.body);
    headers.extend(delivery.headers.iter().cloned());
    Ok(OutgoingRequest {
        url: delivery.url.clone(),
        headers,
        content_type: content_type(&delivery.content_type),
        body: delivery.body.clone(),
    })
}

fn content_type(stored: &str) -> &'static str {
    match stored {
        "application/x-www-form-urlencoded" => "application/x-www-form-urlencoded",
        _ => "application/json",
    }
}

fn decide(delivery: &Claimed, outcome: &AttemptOutcome, at: time::OffsetDateTime) -> Result<After> {
    let failure = match outcome.failure {
        None => return Ok(After::Delivered),
        // Only managed endpoints are ever switched off (80, Webhooks).
        Some(FailureKind::Gone) if delivery.endpoint_id.is_none() => FailureKind::Status(410),
        Some(failure) => failure,
    };
    let schedule = Schedule::from_word(&delivery.schedule)
        .ok_or_else(|| Error::Internal(format!("retry schedule {}", delivery.schedule)))?;
    let mut jitter = [0u8; 2];
    getrandom::fill(&mut jitter).map_err(Error::internal)?;
    let made = u32::try_from(delivery.attempts)?.saturating_add(1);
    let wait = next_attempt(
        schedule,
        made,
        u16::from_ne_bytes(jitter),
        outcome.retry_after,
        failure,
    );
    Ok(match wait {
        Some(wait) => After::RetryAt(at + Duration::try_from(wait).map_err(Error::internal)?),
        None => After::GivenUp,
    })
}
