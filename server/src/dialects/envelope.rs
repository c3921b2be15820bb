//! The Standard Webhooks body for endpoints a merchant manages (`50-webhooks.md`).

use gateway::outbox::{EventRecord, RenderedBody};
use serde::Serialize;

use crate::http::moment::rfc3339;

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'a str,
    timestamp: String,
    data: &'a serde_json::Value,
}

/// Every event has an envelope; its kind is the type.
pub fn render(event: &EventRecord) -> Option<RenderedBody> {
    let envelope = Envelope {
        r#type: &event.kind,
        timestamp: rfc3339(event.created_at),
        data: &event.payload,
    };
    let body = serde_json::to_vec(&envelope).ok()?;
    Some(RenderedBody {
        content_type: "application/json",
        headers: Vec::new(),
        body,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_envelope_holds_type_time_and_data_in_that_order() {
        let event = EventRecord {
            id: "evt_1".to_owned(),
            merchant_id: 1000,
            kind: "charge.expired".to_owned(),
            object: "charge:17".to_owned(),
            sequence: 3,
            payload: json!({ "status": "expired" }),
            created_at: datetime!(2026-11-21 12:00:00.25 UTC),
        };
        let rendered = render(&event).unwrap();
        assert_eq!(
            String::from_utf8(rendered.body).unwrap(),
            r#"{"type":"charge.expired","timestamp":"2026-11-21T12:00:00Z","data":{"status":"expired"}}"#
        );
        assert!(rendered.headers.is_empty());
    }
}
