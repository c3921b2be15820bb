use domain::charge::{Asked, Came, Flags, ReceiptState, Resolution, Status};
use domain::money::{Currency, Money};
use domain::payment_uri::PaymentUri;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::row::{ChargeRow, InvoiceRow, ReceiptRow, Terms};
use super::{Customer, Item};
use crate::chain::address::params;

/// A charge as dialects and pages read it.
#[derive(Debug, Clone)]
pub struct ChargeView {
    pub id: i64,
    pub public_id: String,
    pub merchant_id: i64,
    pub status: Status,
    pub flags: Flags,
    pub resolution: Resolution,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<OffsetDateTime>,
    pub amount: Money,
    /// How much of it may be missing.
    pub tolerance: Money,
    pub customer: Customer,
    pub items: Vec<Item>,
    pub metadata: Map<String, Value>,
    pub redirect_url: Option<String>,
    pub webhook_url: Option<String>,
    pub wallet_user_id: i64,
    pub created_at: OffsetDateTime,
    /// The quote's end once a method is fixed, the charge's own before.
    pub expires_at: OffsetDateTime,
    pub paid_at: Option<OffsetDateTime>,
    pub payment: Option<PaymentView>,
    pub receipts: Vec<ReceiptRecord>,
    /// Worth of the live receipts, charge currency; of the asked coin no more than the amount while no
    /// more than is due came.
    pub received_value: Money,
    /// Still missing, charge currency; zero once covered.
    pub due_value: Money,
    pub consumed: Option<Money>,
    pub credited: Option<Money>,
    pub fee: Option<Money>,
    pub failed_url: Option<String>,
    pub(crate) invoice: Option<InvoiceRow>,
    pub needs_attention: bool,
    pub refund_address: Option<String>,
    /// A refund is on its way; nothing is left to decide about it.
    pub refund_claimed: bool,
    /// What could be sent back to the payer.
    pub refundable: Option<Money>,
    pub rate_minutes: i32,
    pub version: i64,
}

/// What is due, where and at which price.
#[derive(Debug, Clone)]
pub struct PaymentView {
    pub coin: Currency,
    pub address: String,
    /// In all under the current quote.
    pub due: Money,
    /// Still to pay.
    pub left: Money,
    /// Live receipts of the coin.
    pub received: Money,
    pub price: Decimal,
    pub mid: Decimal,
    pub spread_basis_points: u32,
    pub sources: Vec<String>,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
    /// Clickable link for what is left; `None` for coins without a scheme.
    pub uri: Option<String>,
    pub qr_text: String,
}

/// One payment received.
#[derive(Debug, Clone)]
pub struct ReceiptRecord {
    pub txid: String,
    pub vout: i32,
    pub address: String,
    pub amount: Money,
    pub state: ReceiptState,
    pub confirmations: u32,
    pub confirmations_required: u32,
    pub first_seen_at: OffsetDateTime,
    pub final_at: Option<OffsetDateTime>,
    /// Worth in the charge's currency when it came.
    pub value: Option<Money>,
}

impl ChargeView {
    pub(crate) fn assemble(row: ChargeRow, receipts: Vec<ReceiptRow>) -> Self {
        let currency = row.amount.currency();
        let money = |units| Money::from_units(units, currency);
        let live = |receipt: &&ReceiptRow| receipt.state.is_live();
        let payment = row
            .terms
            .as_ref()
            .map(|terms| payment(&row, terms, &receipts));
        let covered = row.status == Status::Paid
            || payment
                .as_ref()
                .is_some_and(|payment| payment.left.is_zero());
        let asked = row.terms.as_ref().map(|terms| terms.coin.id);
        let (counted, others): (Vec<&ReceiptRow>, Vec<&ReceiptRow>) = receipts
            .iter()
            .filter(live)
            .partition(|receipt| Some(receipt.coin.id) == asked);
        let counted = worth_of_asked(&row, &counted);
        let others: i128 = others.iter().filter_map(|receipt| receipt.value).sum();
        let missing = if covered {
            0
        } else {
            (row.amount.units() - counted).max(0)
        };
        Self {
            refundable: super::refundable::refundable(&row, &receipts),
            expires_at: row
                .terms
                .as_ref()
                .map_or(row.expires_at, |terms| terms.release_at),
            consumed: row.terms.as_ref().and_then(|terms| {
                row.coin_consumed
                    .map(|units| Money::from_units(units, terms.coin))
            }),
            credited: row.credited.map(money),
            fee: row.fee.map(money),
            received_value: money(counted + others),
            due_value: money(missing),
            payment,
            receipts: receipts
                .into_iter()
                .map(|receipt| record(receipt, currency))
                .collect(),
            id: row.id,
            public_id: row.public_id,
            merchant_id: row.merchant_id,
            status: row.status,
            flags: row.flags,
            resolution: row.resolution,
            resolved_by: row.resolved_by,
            resolved_at: row.resolved_at,
            amount: row.amount,
            tolerance: money(row.tolerance),
            customer: row.customer,
            items: row.items,
            metadata: row.metadata,
            redirect_url: row.redirect_url,
            webhook_url: row.webhook_url,
            wallet_user_id: row.wallet_user_id,
            created_at: row.created_at,
            paid_at: row.paid_at,
            failed_url: row.failed_url,
            invoice: row.invoice,
            needs_attention: row.needs_attention,
            refund_address: row.refund_address,
            refund_claimed: row.refund_claimed,
            rate_minutes: row.rate_minutes,
            version: row.version,
        }
    }
}

/// What the live receipts of the asked coin are worth, ledger units of the charge's currency.
fn worth_of_asked(row: &ChargeRow, receipts: &[&ReceiptRow]) -> i128 {
    let came = receipts.iter().fold(Came::default(), |came, receipt| {
        came.and(receipt.amount, receipt.value.unwrap_or(0))
    });
    let due = row.terms.as_ref().map_or(0, |terms| terms.due);
    let asked = Asked {
        amount: row.amount.units(),
        due: row.coin_consumed.unwrap_or(due),
    };
    asked.worth_of_all(came)
}

fn payment(row: &ChargeRow, terms: &Terms, receipts: &[ReceiptRow]) -> PaymentView {
    let coin = terms.coin;
    let received = row
        .received(receipts, |receipt| receipt.state.is_live())
        .unwrap_or_else(|| Money::zero(coin));
    let due = Money::from_units(terms.due, coin);
    // Within the tolerance nothing is asked for any more.
    let left = match row.status {
        Status::Processing | Status::Paid => Money::zero(coin),
        _ => Money::from_units((terms.due - received.units()).max(0), coin),
    };
    let asked = if left.is_zero() { due } else { left };
    let amount = asked.shortest();
    let link = params(coin.code.as_str()).map(|params| PaymentUri {
        scheme: params.uri_scheme,
        address: &terms.address,
        amount: Some(&amount),
        label: Some(&row.merchant_name),
        message: Some(&row.public_id),
    });
    PaymentView {
        uri: link.and_then(|uri| uri.link()),
        qr_text: link.map_or_else(|| terms.address.clone(), |uri| uri.qr_text()),
        coin,
        address: terms.address.clone(),
        due,
        left,
        received,
        price: terms.price,
        mid: terms.mid,
        spread_basis_points: terms.spread_basis_points,
        sources: terms.sources.clone(),
        fixed_at: terms.fixed_at,
        release_at: terms.release_at,
    }
}

fn record(receipt: ReceiptRow, currency: Currency) -> ReceiptRecord {
    ReceiptRecord {
        amount: Money::from_units(receipt.amount, receipt.coin),
        value: receipt
            .value
            .map(|units| Money::from_units(units, currency)),
        txid: receipt.txid,
        vout: receipt.vout,
        address: receipt.address,
        state: receipt.state,
        confirmations: receipt.confirmations,
        confirmations_required: receipt.confirmations_required,
        first_seen_at: receipt.first_seen_at,
        final_at: receipt.final_at,
    }
}
