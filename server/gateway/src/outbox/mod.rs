//! Outbox and deliveries: an event is written in the transaction of what it reports, rendered once
//! per receiver, and delivered at least once, in order per object and URL (`50-webhooks.md`).

mod answered;
mod attempt;
mod attempt_store;
mod callback;
mod callback_store;
mod claim_store;
mod connections;
mod deliver;
mod drain;
mod endpoint;
mod endpoint_store;
mod fanout;
mod fanout_store;
mod forgetting;
mod forgetting_store;
pub mod guard;
mod in_flight;
mod pipeline;
mod record;
pub mod schedule;
mod sender;
pub mod signature;
pub(crate) mod store;
mod tally;

use time::OffsetDateTime;

pub use callback::{CallbackChange, TestCallback};
pub use deliver::{Outcome, deliver_due};
pub(crate) use deliver::{any_due, deliver_due_by};
pub(crate) use drain::drain_due;
pub(crate) use fanout::{Fanout, event_id};
pub(crate) use forgetting::forget_until;
pub use guard::AddressGuard;
pub(crate) use pipeline::run;
pub use sender::{Sender, Timeouts, install_crypto_provider};
pub(crate) use tally::AttemptTally;

/// How a receiver wants events written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Standard Webhooks envelope.
    Standard,
    /// Orders API, `order.paid`.
    Orders,
    /// Gateway API.
    Gateway,
    /// Processing API callbacks.
    Processing,
    /// Command API, form-encoded.
    Ipn,
}

impl Format {
    pub const ALL: [Self; 5] = [
        Self::Standard,
        Self::Orders,
        Self::Gateway,
        Self::Processing,
        Self::Ipn,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Orders => "orders",
            Self::Gateway => "gateway",
            Self::Processing => "processing",
            Self::Ipn => "ipn",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// Stored word of the retry schedule its deliveries follow.
    pub(crate) fn schedule_word(self) -> &'static str {
        match self {
            Self::Standard | Self::Orders | Self::Gateway => "standard",
            Self::Processing => "processing",
            Self::Ipn => "ipn",
        }
    }
}

/// A fact as it stands in the outbox.
#[derive(Debug, Clone)]
pub struct EventRecord {
    /// `evt_…`, the webhook-id of all its deliveries.
    pub id: String,
    pub merchant_id: i64,
    /// Canonical type, e.g. `charge.paid`.
    pub kind: String,
    pub object: String,
    /// Number among the events about the object, from 1.
    pub sequence: i64,
    pub payload: serde_json::Value,
    pub created_at: OffsetDateTime,
}

/// Keys a format signs its body with.
pub struct MerchantKeys {
    pub app_key: String,
    /// Public and private key of the merchant's oldest active pair.
    pub processing: Option<(String, String)>,
}

/// A body ready to send, byte-identical at every attempt.
pub struct RenderedBody {
    pub content_type: &'static str,
    /// The format's own headers.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Writes events in the words of a dialect. Pure: called inside the transaction of the event.
pub trait Render: Send + Sync {
    /// `None` when the format has no word for the event; such a receiver is not called.
    fn render(
        &self,
        format: Format,
        event: &EventRecord,
        keys: &MerchantKeys,
    ) -> Option<RenderedBody>;
}

impl crate::Gateway {
    /// Sends a delivery of this merchant again at once, with the same id and body.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`], also for those of others; [`crate::Error::Conflict`] while an
    /// attempt is under way.
    pub async fn redeliver(&self, merchant_id: i64, delivery_id: i64) -> crate::Result<()> {
        let now = self.clock().now();
        if store::redeliver(self.pool(), merchant_id, delivery_id, now).await? {
            Ok(())
        } else if store::is_known(self.pool(), merchant_id, delivery_id).await? {
            Err(crate::Error::Conflict(
                "this delivery is being attempted right now",
            ))
        } else {
            Err(crate::Error::NotFound)
        }
    }
}
