//! The page of one charge: everything that explains it, in one view (`00-domain.md`, Charges).

mod difference;
mod parts;
mod sentence;
mod store;

use std::collections::HashMap;

use domain::charge::{ReceiptState, Resolution, Status};
use domain::money::Money;
use domain::view::AmountText;
use domain::view::dashboard::{AttemptRow, ChargeDetailView, DeliveryRow, JournalLineRow};

pub(super) use self::store::DeliveryRecord;
use self::store::PostingRecord;
use super::rows::{amount_text, attention_reason, pill};
use crate::charges::ChargeView;
use crate::charges::item_lines;
use crate::ledger::units;
use crate::{Gateway, Result};

impl Gateway {
    /// Everything about a charge of this merchant; of another one it is [`crate::Error::NotFound`].
    pub async fn charge_detail(
        &self,
        merchant_id: i64,
        public_id: &str,
    ) -> Result<ChargeDetailView> {
        let charge = self.find_charge(merchant_id, public_id).await?;
        let timeline = self.charge_timeline(merchant_id, public_id).await?;
        let subjects = store::subjects(self.pool(), charge.id).await?;
        let (journal, deliveries) = self.books_and_webhooks(merchant_id, &subjects).await?;
        let attention = charge
            .needs_attention
            .then(|| attention_reason(charge.status, charge.flags));
        let difference = charge
            .payment
            .as_ref()
            .and_then(|payment| difference::text(payment, charge.amount.currency()));
        Ok(ChargeDetailView {
            status: pill(charge.status, charge.flags, charge.resolution),
            resolution: charge.resolution.word().to_owned(),
            resolved_by: charge.resolved_by.clone(),
            needs_attention: charge.needs_attention,
            attention_text: attention.map(str::to_owned),
            amount: amount_text(charge.amount),
            received: received(&charge),
            difference_text: difference,
            fee: charge.fee.map(amount_text),
            credited: charge.credited.map(amount_text),
            created_at: charge.created_at,
            expires_at: charge.expires_at,
            paid_at: charge.paid_at,
            customer: parts::customer(&charge.customer),
            items: item_lines(&charge.items, charge.amount).0,
            metadata_json: parts::metadata(&charge),
            quotes: timeline.iter().filter_map(parts::quote).collect(),
            receipts: charge.receipts.iter().map(parts::receipt).collect(),
            // Journal and webhooks have sections of their own on the page.
            timeline: timeline
                .iter()
                .filter(|entry| !entry.kind.starts_with("journal."))
                .filter(|entry| entry.kind != "webhook.attempt")
                .map(parts::timeline_row)
                .collect(),
            journal,
            deliveries,
            checkout_url: self.checkout_url(public_id),
            receipt_pdf: has_receipt(&charge).then(|| self.receipt_path(public_id)),
            can_accept: can_accept(&charge),
            can_refund: charge.refundable.is_some() && !charge.refund_claimed,
            can_cancel: can_cancel(&charge),
            refund_address: charge.refund_address.clone(),
            public_id: charge.public_id,
        })
    }

    /// Path of the PDF, with the token that opens it.
    fn receipt_path(&self, public_id: &str) -> String {
        format!("/pay/{public_id}/receipt?t={}", self.page_token(public_id))
    }

    /// Journal lines and deliveries about one thing of the merchant's.
    pub(super) async fn books_and_webhooks(
        &self,
        merchant_id: i64,
        subjects: &[String],
    ) -> Result<(Vec<JournalLineRow>, Vec<DeliveryRow>)> {
        let postings = store::list_postings(self.pool(), merchant_id, subjects).await?;
        let deliveries = store::list_deliveries(self.pool(), merchant_id, subjects).await?;
        Ok((
            self.journal_rows(&postings)?,
            self.delivery_rows(deliveries).await?,
        ))
    }

    fn journal_rows(&self, postings: &[PostingRecord]) -> Result<Vec<JournalLineRow>> {
        postings
            .iter()
            .map(|posting| {
                let currency = self.currencies().known(posting.currency_id)?;
                let amount = Money::from_units(units(posting.amount), currency);
                let kind = match posting.movement.as_str() {
                    "post" => posting.entry_kind.clone(),
                    movement => format!("{} ({movement})", posting.entry_kind),
                };
                Ok(JournalLineRow {
                    at: posting.at,
                    entry_id: posting.entry_id.to_string(),
                    entry_kind: kind,
                    debit: parts::account_name(&posting.debit_kind, &posting.debit_name),
                    credit: parts::account_name(&posting.credit_kind, &posting.credit_name),
                    amount: AmountText {
                        amount: amount.exact(),
                        code: currency.code.to_string(),
                    },
                })
            })
            .collect()
    }

    pub(super) async fn delivery_rows(
        &self,
        deliveries: Vec<DeliveryRecord>,
    ) -> Result<Vec<DeliveryRow>> {
        let ids: Vec<i64> = deliveries.iter().map(|delivery| delivery.id).collect();
        let mut attempts: HashMap<i64, Vec<AttemptRow>> = HashMap::new();
        for attempt in store::list_attempts(self.pool(), &ids).await? {
            attempts
                .entry(attempt.delivery_id)
                .or_default()
                .push(AttemptRow {
                    number: u32::try_from(attempt.number)?,
                    at: attempt.at,
                    status: attempt.status.map(u16::try_from).transpose()?,
                    duration_ms: u64::try_from(attempt.duration_ms)?,
                    error: attempt.error,
                    response_head: attempt.response_head,
                });
        }
        let row = |delivery: DeliveryRecord| DeliveryRow {
            attempts: attempts.remove(&delivery.id).unwrap_or_default(),
            id: delivery.id,
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            url: delivery.url,
            state: delivery.state,
            next_attempt_at: delivery.next_attempt_at,
            body: String::from_utf8_lossy(&delivery.body).into_owned(),
        };
        Ok(deliveries.into_iter().map(row).collect())
    }
}

/// What came: in the coin once one is picked.
fn received(charge: &ChargeView) -> Option<AmountText> {
    let coins = charge.payment.as_ref().map(|payment| payment.received);
    coins.filter(Money::is_positive).map(amount_text)
}

/// A receipt exists for what is paid or was sent back, and a request for payment for what waits
/// (`80`, Orders).
fn has_receipt(charge: &ChargeView) -> bool {
    let waits_or_paid = matches!(
        charge.status,
        Status::Created | Status::Pending | Status::Processing | Status::Paid
    );
    waits_or_paid || charge.resolution == Resolution::Refunded
}

/// The rule of the lifecycle, told beforehand so that no button leads to a refusal.
fn can_accept(charge: &ChargeView) -> bool {
    let ended = matches!(
        charge.status,
        Status::Expired | Status::Underpaid | Status::Failed
    );
    let coin = charge.payment.as_ref().map(|payment| payment.coin.id);
    let arrived = charge.receipts.iter().any(|receipt| {
        receipt.state == ReceiptState::Final && Some(receipt.amount.currency().id) == coin
    });
    ended && arrived
}

fn can_cancel(charge: &ChargeView) -> bool {
    let empty = !charge
        .receipts
        .iter()
        .any(|receipt| receipt.state.is_live());
    match charge.status {
        Status::Created => true,
        Status::Pending => empty,
        Status::Processing
        | Status::Paid
        | Status::Expired
        | Status::Underpaid
        | Status::Cancelled
        | Status::Failed => false,
    }
}
