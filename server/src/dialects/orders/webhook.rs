//! The `order.paid` webhook (`10-orders-api.md`). The body keeps this shape for ever; newer, safer
//! signatures travel in headers beside it (`50-webhooks.md`).

use gateway::outbox::signature::legacy_order_signature;
use gateway::outbox::{EventRecord, MerchantKeys, RenderedBody};
use serde::{Deserialize, Serialize};

/// The one event this dialect has a word for.
const CHARGE_PAID: &str = "charge.paid";

/// What an event about a charge tells of it.
#[derive(Deserialize)]
struct Charge {
    public_id: String,
    /// At the currency's precision.
    amount: String,
    currency: String,
}

/// In the order of the contract's example.
#[derive(Serialize)]
struct OrderPaid<'a> {
    event: &'static str,
    order_id: &'a str,
    amount: &'a str,
    currency: &'a str,
    status: &'static str,
    /// Unix seconds, instance clock.
    timestamp: i64,
    signature: String,
}

/// `None` for every event but a paid charge.
pub fn render(event: &EventRecord, keys: &MerchantKeys) -> Option<RenderedBody> {
    if event.kind != CHARGE_PAID {
        return None;
    }
    let charge = match Charge::deserialize(&event.payload) {
        Ok(charge) => charge,
        Err(error) => {
            tracing::error!(event = event.id, %error, "a paid charge is incomplete");
            return None;
        }
    };
    let body = OrderPaid {
        event: "order.paid",
        order_id: &charge.public_id,
        amount: &charge.amount,
        currency: &charge.currency,
        status: "success",
        timestamp: event.created_at.unix_timestamp(),
        signature: legacy_order_signature(&keys.app_key, &charge.public_id, &charge.amount),
    };
    let body = serde_json::to_vec(&body).ok()?;
    Some(RenderedBody {
        content_type: "application/json",
        headers: Vec::new(),
        body,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;
    use time::macros::datetime;

    use super::*;

    fn event(kind: &str, payload: Value) -> EventRecord {
        EventRecord {
            id: "evt_1".to_owned(),
            merchant_id: 1000,
            kind: kind.to_owned(),
            object: "charge:17".to_owned(),
            sequence: 1,
            payload,
            created_at: datetime!(2026-04-27 13:39:59.5 UTC),
        }
    }

    fn payload() -> Value {
        json!({
            "public_id": "EX-SVUGY4KYEF", "status": "paid", "flags": [], "resolution": "none",
            "amount": "149.98", "currency": "USD", "origin": "order", "coin": "BTC",
            "coin_amount": "0.00288400",
        })
    }

    fn keys() -> MerchantKeys {
        MerchantKeys {
            app_key: "00112233".to_owned(),
            processing: None,
        }
    }

    #[test]
    fn the_body_is_the_contracts_example() {
        let rendered = render(&event("charge.paid", payload()), &keys()).unwrap();
        let text = String::from_utf8(rendered.body).unwrap();
        let (body, signature) = text.split_once(r#","signature":""#).unwrap();
        assert_eq!(
            body,
            r#"{"event":"order.paid","order_id":"EX-SVUGY4KYEF","amount":"149.98","currency":"USD","status":"success","timestamp":1777297199"#
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(b"00112233").unwrap();
        mac.update(b"EX-SVUGY4KYEF149.98");
        assert_eq!(
            signature,
            format!("{}\"}}", hex::encode(mac.finalize().into_bytes()))
        );
        assert_eq!(rendered.content_type, "application/json");
    }

    #[test]
    fn other_events_have_no_word() {
        for kind in [
            "charge.created",
            "charge.expired",
            "charge.pending",
            "webhook.test",
        ] {
            assert!(render(&event(kind, payload()), &keys()).is_none(), "{kind}");
        }
    }

    #[test]
    fn a_payload_without_an_amount_is_not_sent() {
        assert!(
            render(
                &event("charge.paid", json!({ "public_id": "EX-1" })),
                &keys()
            )
            .is_none()
        );
    }
}
