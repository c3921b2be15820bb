use domain::charge::{Charge, Flags, Quote, Receipt, ReceiptState, Resolution, Status};
use domain::money::{Currency, CurrencyId, Money};
use rust_decimal::Decimal;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Collection, Customer, Item};

/// A charge as stored, with its current quote and address.
#[derive(Debug, Clone)]
pub(crate) struct ChargeRow {
    pub(crate) id: i64,
    pub(crate) public_id: String,
    pub(crate) merchant_id: i64,
    pub(crate) merchant_name: String,
    pub(crate) origin: String,
    pub(crate) status: Status,
    pub(crate) flags: Flags,
    pub(crate) resolution: Resolution,
    pub(crate) resolved_by: Option<String>,
    pub(crate) resolved_at: Option<OffsetDateTime>,
    pub(crate) needs_attention: bool,
    pub(crate) amount: Money,
    pub(crate) tolerance: i128,
    pub(crate) rate_minutes: i32,
    pub(crate) fee_basis_points: u32,
    pub(crate) late_policy_accepts: bool,
    pub(crate) wallet_user_id: i64,
    pub(crate) customer: Customer,
    pub(crate) items: Vec<Item>,
    pub(crate) metadata: serde_json::Map<String, serde_json::Value>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) refund_address: Option<String>,
    pub(crate) refund_claimed: bool,
    /// Coins that were sent back, by coin.
    pub(crate) refunded: Vec<(CurrencyId, i128)>,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) covered_at: Option<OffsetDateTime>,
    pub(crate) terms: Option<Terms>,
    pub(crate) coin_consumed: Option<i128>,
    pub(crate) credited: Option<i128>,
    pub(crate) fee: Option<i128>,
    pub(crate) paid_at: Option<OffsetDateTime>,
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
    /// The clock runs from creation.
    pub(crate) timer: bool,
    pub(crate) collection: Collection,
    pub(crate) failed_url: Option<String>,
    pub(crate) invoice: Option<InvoiceRow>,
}

/// What makes a charge an invoice.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceRow {
    pub(crate) id: i64,
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// The merchant's reference in the JSON type it came in.
    pub(crate) foreign_json: serde_json::Value,
    /// 1 to 3.
    pub(crate) kind: u8,
    pub(crate) email: Option<String>,
    pub(crate) details: Option<serde_json::Value>,
}

/// What is due, where, at which price, until when.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) quote_id: Uuid,
    pub(crate) coin: Currency,
    /// In all, including what came under earlier quotes.
    pub(crate) due: i128,
    pub(crate) address: String,
    pub(crate) price: Decimal,
    pub(crate) mid: Decimal,
    pub(crate) spread_basis_points: u32,
    pub(crate) sources: Vec<String>,
    pub(crate) fixed_at: OffsetDateTime,
    pub(crate) release_at: OffsetDateTime,
}

/// A receipt as stored, with where its transaction is.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptRow {
    pub(crate) id: i64,
    pub(crate) coin: Currency,
    pub(crate) txid: String,
    pub(crate) vout: i32,
    pub(crate) address: String,
    pub(crate) amount: i128,
    pub(crate) state: ReceiptState,
    pub(crate) confirmations_required: u32,
    pub(crate) confirmations: u32,
    /// Charge currency.
    pub(crate) value: Option<i128>,
    pub(crate) bookings: i32,
    pub(crate) first_seen_at: OffsetDateTime,
    pub(crate) final_at: Option<OffsetDateTime>,
}

/// What the id of a transfer between two accounts of this instance begins with.
const INTERNAL_TXID: &str = "internal:";

impl ReceiptRow {
    /// What stands where a chain's transaction id would.
    pub(crate) fn internal_txid(operation_id: i64) -> String {
        format!("{INTERNAL_TXID}{operation_id}")
    }

    /// Came over no chain.
    pub(crate) fn is_internal(&self) -> bool {
        self.txid.starts_with(INTERNAL_TXID)
    }
}

impl ChargeRow {
    /// The facts the rule decides on.
    pub(crate) fn facts(&self, receipts: &[ReceiptRow]) -> Charge {
        Charge {
            status: self.status,
            flags: self.flags,
            resolution: self.resolution,
            amount: self.amount.units(),
            tolerance: self.tolerance,
            expires_at: self.expires_at,
            covered_at: self.covered_at,
            quote: self.terms.as_ref().map(|terms| Quote {
                coin: terms.coin.id,
                due: terms.due,
                release_at: terms.release_at,
            }),
            consumed: self.coin_consumed,
            refunded: self.refunded.clone(),
            receipts: receipts
                .iter()
                .map(|receipt| Receipt {
                    coin: receipt.coin.id,
                    amount: receipt.amount,
                    state: receipt.state,
                    seen_at: receipt.first_seen_at,
                })
                .collect(),
        }
    }

    /// Sum of the receipts of the current coin that `pick` takes.
    pub(crate) fn received(
        &self,
        receipts: &[ReceiptRow],
        pick: impl Fn(&ReceiptRow) -> bool,
    ) -> Option<Money> {
        let terms = self.terms.as_ref()?;
        let units = receipts
            .iter()
            .filter(|receipt| receipt.coin.id == terms.coin.id && pick(receipt))
            .map(|receipt| receipt.amount)
            .sum();
        Some(Money::from_units(units, terms.coin))
    }

    /// Coins of this currency that were sent back.
    pub(crate) fn refunded_of(&self, coin: Currency) -> i128 {
        self.refunded
            .iter()
            .filter(|(id, _)| *id == coin.id)
            .map(|(_, units)| units)
            .sum()
    }

    /// `charge:17`, the name of this charge in journal and outbox.
    pub(crate) fn object(&self) -> String {
        format!("charge:{}", self.id)
    }
}
