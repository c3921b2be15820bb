//! What the pages about futures show: prices, a look at a promise, promises made (ux §1.8).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{Paging, StatusPill};

/// One promise in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesItem {
    pub id: i64,
    /// `open`, `matched`, `settled` or `void`.
    pub status: StatusPill,
    pub fixed_at: OffsetDateTime,
    /// Last instant at which the deposit may be seen first.
    pub release_at: OffsetDateTime,
    /// Exactly this has to come.
    pub give: AmountText,
    /// Before the fee.
    pub get: AmountText,
    pub address: String,
    /// Of the address.
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesListView {
    /// State to which the list is cut down; empty = all.
    pub state: String,
    pub rows: Vec<FuturesItem>,
    pub paging: Paging,
    /// The merchant has no promise at all.
    pub never_used: bool,
    /// Number and text of the newest addresses that exchange what they receive.
    pub addresses: Vec<(String, String)>,
    /// There are older ones.
    pub more_addresses: bool,
}

/// What promises for one address cost now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesRatesView {
    pub address_id: i64,
    pub address: String,
    /// Of the address.
    pub reference: String,
    /// `BTC/EUR`.
    pub pair: String,
    /// Code of what the deposit is exchanged into.
    pub target: String,
    pub now: OffsetDateTime,
    /// A promise made now stands until then.
    pub release_at: OffsetDateTime,
    /// A size and its price; `None` where it cannot be promised.
    pub tiers: Vec<(AmountText, Option<String>)>,
    /// Largest promise, whole euros.
    pub limit_euros: u32,
    /// The amount as it was typed.
    pub typed: String,
    /// The reader may promise.
    pub may_act: bool,
    pub notice: Option<Notice>,
}

/// The part of a promise that moves with the rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsText {
    /// Exactly this has to come.
    pub give: AmountText,
    pub fee: AmountText,
    /// What the wallet gains.
    pub net: AmountText,
    /// `1 BTC = 60000 EUR`
    pub rate: String,
}

/// The same as a form carries it: every digit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsFields {
    pub receiver_amount: String,
    pub sender_amount: String,
    pub fee_amount: String,
    pub price: String,
}

/// A promise before it is made: nothing is held yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesReviewView {
    pub address_id: i64,
    pub address: String,
    /// Makes the confirmation take effect once.
    pub key: String,
    /// Before the fee.
    pub get: AmountText,
    pub terms: TermsText,
    pub fields: TermsFields,
    /// The terms that were shown before; they are others now.
    pub before: Option<TermsText>,
    /// How long it stands once it is confirmed: `100 minutes (6000 s)`.
    pub lock_time: String,
    /// Confirmed now, it would stand until then.
    pub release_at: OffsetDateTime,
    /// The promise that this one would take the place of.
    pub replaces: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuturesDetailView {
    pub item: FuturesItem,
    pub terms: TermsText,
    pub now: OffsetDateTime,
    /// It is open and its time is not over: exactly the amount can still come.
    pub waits: bool,
    pub ended_at: Option<OffsetDateTime>,
    pub address_id: i64,
    /// Address and amount as a link for wallets.
    pub uri: Option<String>,
    pub qr_text: String,
    /// The deposit that used it, or is about to.
    pub deposit_id: Option<i64>,
    /// Why it is void, one sentence.
    pub void_text: Option<String>,
    pub test_mode: bool,
}
