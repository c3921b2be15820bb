use std::sync::Arc;
use std::time::Duration as Wait;

use futures::future::join_all;
use time::Duration;
use tokio::sync::Semaphore;

use super::endpoint;
use super::schedule::{FailureKind, Schedule, next_attempt};
use super::sender::{AttemptOutcome, OutgoingRequest};
use super::signature::{WebhookSecret, standard_headers};
use super::store::{self, After, Attempt, Claimed};
use crate::{Error, Gateway, Result};

/// How long a worker may keep a delivery before another may take it; longer than an attempt lasts.
const LEASE_SECONDS: i32 = 60;

/// Attempts under way at once in one process.
pub(crate) const IN_FLIGHT_MAX: u16 = 64;

/// Whether there was anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Idle,
    Worked,
}

/// Takes what is due and starts an attempt for each, without waiting for the attempts to end: a slow
/// receiver delays nobody else's next claim.
pub(crate) async fn start_due(gateway: &Gateway, slots: &Arc<Semaphore>) -> Result<Outcome> {
    let free = i64::try_from(slots.available_permits())?.min(i64::from(IN_FLIGHT_MAX));
    if free == 0 {
        return Ok(Outcome::Idle);
    }
    let claimed = store::claim(gateway.pool(), gateway.clock().now(), LEASE_SECONDS, free).await?;
    if claimed.is_empty() {
        return Ok(Outcome::Idle);
    }
    for delivery in claimed {
        let slot = slots
            .clone()
            .acquire_owned()
            .await
            .map_err(Error::internal)?;
        let gateway = gateway.clone();
        tokio::spawn(async move {
            attempt_and_log(&gateway, &delivery).await;
            drop(slot);
        });
    }
    Ok(Outcome::Worked)
}

/// Takes what is due and waits for those attempts; `Worked` as long as something was due.
pub async fn deliver_due(gateway: &Gateway) -> Result<Outcome> {
    let now = gateway.clock().now();
    let claimed =
        store::claim(gateway.pool(), now, LEASE_SECONDS, i64::from(IN_FLIGHT_MAX)).await?;
    if !claimed.is_empty() {
        join_all(
            claimed
                .iter()
                .map(|delivery| attempt_and_log(gateway, delivery)),
        )
        .await;
        return Ok(Outcome::Worked);
    }
    // Another worker may be at it: what is due must be over before the caller goes on.
    if store::count_due(gateway.pool(), now).await? == 0 {
        return Ok(Outcome::Idle);
    }
    tokio::time::sleep(Wait::from_millis(20)).await;
    Ok(Outcome::Worked)
}

async fn attempt_and_log(gateway: &Gateway, delivery: &Claimed) {
    if let Err(error) = attempt(gateway, delivery).await {
        // The lease runs out and another worker tries again.
        tracing::error!(delivery = delivery.id, %error, "webhook attempt could not be recorded");
    }
}

async fn attempt(gateway: &Gateway, delivery: &Claimed) -> Result<()> {
    let at = gateway.clock().now();
    let request = match request(delivery, at.unix_timestamp()) {
        Ok(request) => request,
        Err(error) => {
            // It never can be: kept in the log instead of tried for ever.
            tracing::error!(delivery = delivery.id, %error, "webhook cannot be signed");
            let attempt = Attempt {
                at,
                status: None,
                duration_ms: 0,
                error: Some("the delivery could not be signed".to_owned()),
                response_head: String::new(),
            };
            gateway.attempts().note(&After::GivenUp);
            return store::record_attempt(gateway.pool(), delivery, attempt, After::GivenUp).await;
        }
    };
    let outcome = gateway.sender().send(&request).await;
    let after = decide(delivery, &outcome, at)?;
    gateway.attempts().note(&after);
    if let (Some(FailureKind::Gone), Some(endpoint_id)) = (outcome.failure, delivery.endpoint_id) {
        endpoint::give_up(gateway.pool(), endpoint_id, at).await?;
    }
    let attempt = Attempt {
        at,
        status: outcome.status.map(i32::from),
        duration_ms: i64::try_from(outcome.duration_ms)?,
        error: outcome.error,
        response_head: outcome.response_head,
    };
    store::record_attempt(gateway.pool(), delivery, attempt, after).await
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
