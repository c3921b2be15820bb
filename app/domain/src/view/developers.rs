//! What the pages for developers show: key pairs, callbacks, deliveries, rates (ux §1.9, §1.10).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{DeliveryRow, Paging, StatusPill};

/// One command that can be switched on for a key pair, as a checkbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionChoice {
    /// Word of the command, as the API and the form say it.
    pub word: String,
    /// What it lets a program do.
    pub text: String,
    pub checked: bool,
}

/// Commands that do one kind of thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionGroup {
    pub name: String,
    pub choices: Vec<PermissionChoice>,
}

/// A key pair without its private half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPairItem {
    pub id: i64,
    pub name: String,
    /// First characters of the public key.
    pub prefix: String,
    /// How much may be done with it: `rates and balances only`, `3 of 14 commands`.
    pub summary: String,
    pub created_at: OffsetDateTime,
    pub created_by: Option<String>,
    pub last_used_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    /// `active` or `revoked`.
    pub status: StatusPill,
    /// With those that are switched on checked; empty for a revoked pair.
    pub groups: Vec<PermissionGroup>,
}

/// The form that makes a pair, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyForm {
    pub name: String,
    pub groups: Vec<PermissionGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysView {
    /// Newest first.
    pub live: Vec<KeyPairItem>,
    /// Live pairs a merchant may have.
    pub live_max: u32,
    /// A page of them, newest first.
    pub revoked: Vec<KeyPairItem>,
    /// Around the revoked ones.
    pub paging: Paging,
    pub form: KeyForm,
    pub notice: Option<Notice>,
}

/// A pair just made. The private key is shown on one page, once; there is no `Debug`, so that no
/// log can hold it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreatedView {
    pub name: String,
    pub public_key: String,
    pub private_key: String,
    pub summary: String,
}

/// Where callbacks go and what they are signed with. No `Debug`: it may hold a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbacksView {
    /// As typed, or as stored.
    pub url: String,
    /// A callback can be sent: there is an address.
    pub has_url: bool,
    /// Name and first characters of the pair that signs; `None` = no callback can be signed.
    pub signed_by: Option<(String, String)>,
    /// `whsec_…` of the Standard Webhooks headers; only for those who may see secrets.
    pub webhook_secret: Option<String>,
    /// Latest test callbacks, newest first.
    pub tests: Vec<DeliveryRow>,
    pub notice: Option<Notice>,
}

/// Filters of the delivery log as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFilter {
    /// `pending`, `delivered`, `failed`.
    pub state: String,
    /// Type of the event, e.g. `charge.paid`.
    pub event: String,
}

/// One delivery as a row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryItem {
    pub id: i64,
    pub created_at: OffsetDateTime,
    pub delivered_at: Option<OffsetDateTime>,
    pub event_id: String,
    pub event_type: String,
    /// What the event is about, with its page when there is one.
    pub about: String,
    pub href: Option<String>,
    pub format: String,
    pub url: String,
    pub status: StatusPill,
    pub attempts: u32,
    /// What came of the last attempt: `200`, `timed out`.
    pub answer: Option<String>,
    /// How long the last attempt took, milliseconds.
    pub duration_ms: Option<u64>,
    pub next_attempt_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryListView {
    pub filter: DeliveryFilter,
    /// Events that can be asked for.
    pub events: Vec<String>,
    pub rows: Vec<DeliveryItem>,
    pub paging: Paging,
    /// The merchant has no delivery at all.
    pub never_used: bool,
    pub may_redeliver: bool,
    pub notice: Option<Notice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDetailView {
    pub item: DeliveryItem,
    /// Headers of the format, as sent; the signature of each attempt is not among them.
    pub headers: Vec<(String, String)>,
    /// With all its attempts.
    pub delivery: DeliveryRow,
}

/// The rate of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateItem {
    pub from: String,
    pub to: String,
    /// Units of `to` for one of `from`, after our margin; the last known one when it is stale.
    pub rate: String,
    /// The same before our margin.
    pub mid: String,
    /// Against a day before, with its sign: `+1.25 %`; `None` when nothing is known of then.
    pub change: Option<String>,
    /// `12 s`, `3 min`, or `fixed` for one that does not age.
    pub age: String,
    pub observed_at: OffsetDateTime,
    pub sources: String,
    /// `current` or `stale`.
    pub status: StatusPill,
}

/// What a futures promise costs now, by its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesTiers {
    pub address: String,
    /// `BTC/EUR`.
    pub pair: String,
    /// A deposit has to be seen until then.
    pub release_at: OffsetDateTime,
    /// A size and its price; `None` where it cannot be promised.
    pub tiers: Vec<(AmountText, Option<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatesView {
    pub now: OffsetDateTime,
    /// Code to which the list is cut down; empty = all.
    pub currency: String,
    pub currencies: Vec<String>,
    pub rows: Vec<RateItem>,
    pub paging: Paging,
    /// There is no rate at all.
    pub never_used: bool,
    /// After so long without news a rate is not used: `10 min`.
    pub stale_after: String,
    /// As typed: the deposit address futures are asked for.
    pub address: String,
    pub futures: Option<FuturesTiers>,
    pub notice: Option<Notice>,
}
