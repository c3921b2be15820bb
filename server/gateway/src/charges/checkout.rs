use domain::charge::{ReceiptState, Resolution, Status};
use domain::money::{Currency, Money};
use domain::view::AmountText;
use domain::view::checkout::{
    CheckoutState, CheckoutView, InvoiceBlock, ItemLine, MethodOption, PaymentInstruction,
    ReceiptLine, unix,
};
use url::Url;

use super::items::item_lines;
use super::late_money::falls_short;
use super::row::InvoiceRow;
use super::view::{ChargeView, PaymentView, ReceiptRecord};
use crate::invoices::InvoiceDetails;
use crate::{Error, Gateway, Result};

impl Gateway {
    /// The hosted page of a charge. Customer data, receipt and refund form come only with the token.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id and for a wrong token alike.
    pub async fn checkout(&self, public_id: &str, token: Option<&str>) -> Result<CheckoutView> {
        self.checkout_at(&format!("/pay/{public_id}"), public_id, token)
            .await
    }

    /// The same under the address it was opened at: an invoice has one of its own.
    pub async fn checkout_at(
        &self,
        base: &str,
        public_id: &str,
        token: Option<&str>,
    ) -> Result<CheckoutView> {
        let trusted = match token {
            Some(token) if self.token_matches(public_id, token) => true,
            Some(_) => return Err(Error::NotFound),
            None => false,
        };
        let charge = self.load_charge(public_id).await?;
        let brand = self.brand(charge.merchant_id).await?;
        let state = state_of(&charge);
        let methods = self.offered_methods(&charge, state).await?;
        let can_requote = self.can_requote(&charge, state).await?;
        let (items, other_charges) = item_lines(&charge.items, charge.amount);
        let query = if trusted {
            format!("?t={}", self.page_token(public_id))
        } else {
            String::new()
        };
        let path = |rest: &str| format!("{base}{rest}{query}");
        let has_receipt = charge.resolution == Resolution::Refunded
            || matches!(
                charge.status,
                Status::Created | Status::Pending | Status::Processing | Status::Paid
            );
        let payment = charge.payment.as_ref();
        Ok(CheckoutView {
            public_id: public_id.to_owned(),
            version: charge.version,
            brand,
            test_mode: self.settings().test_mode,
            state,
            total: text(charge.amount),
            items,
            other_charges,
            customer_name: trusted
                .then(|| charge.customer.full_name())
                .filter(|name| !name.is_empty()),
            methods,
            payment: payment.map(|payment| self.instruction(payment, charge.amount.currency())),
            receipts: charge.receipts.iter().map(receipt_line).collect(),
            received: payment
                .map(|p| p.received)
                .filter(Money::is_positive)
                .map(exact),
            missing: payment
                .filter(|payment| payment.received.is_positive() && payment.left.is_positive())
                .map(|payment| exact(payment.left)),
            excess: excess(&charge).map(exact),
            flags: charge.flags.words(),
            refund_address: charge.refund_address.clone().filter(|_| trusted),
            refund_possible: trusted
                && payment.is_some()
                && (charge.refundable.is_some() || late_money(&charge)),
            can_requote,
            can_cancel: trusted && can_cancel(&charge),
            return_url: charge
                .redirect_url
                .as_deref()
                .and_then(|url| way_back(charge.status, url, charge.invoice.is_some(), public_id)),
            failed_url: charge.failed_url.clone(),
            invoice: charge
                .invoice
                .as_ref()
                .map(|invoice| invoice_block(invoice, trusted)),
            receipt_url: (trusted && has_receipt).then(|| path("/receipt")),
            page_url: path(""),
            events_url: path("/events"),
            snapshot_url: path("/status"),
            clock_ends_at: matches!(charge.status, Status::Pending)
                .then(|| unix(charge.expires_at)),
            now: unix(self.clock().now()),
            rate_minutes: u32::try_from(charge.rate_minutes).unwrap_or(15),
            paid_at: charge.paid_at.map(unix),
            notice: None,
        })
    }

    /// Whether the page offers a new rate. Late money that suffices waits for the shop; whoever sent
    /// it is not asked for more.
    async fn can_requote(&self, charge: &ChargeView, state: CheckoutState) -> Result<bool> {
        let possible = matches!(charge.status, Status::Expired | Status::Underpaid)
            && charge.payment.is_some()
            && charge.resolution != Resolution::Refunded
            && !charge.refund_claimed;
        if possible && state == CheckoutState::LateFunds {
            return falls_short(self, charge).await;
        }
        Ok(possible)
    }

    /// The coins that can be picked, with what they would cost now.
    async fn offered_methods(
        &self,
        charge: &ChargeView,
        state: CheckoutState,
    ) -> Result<Vec<MethodOption>> {
        if !matches!(state, CheckoutState::ChooseMethod | CheckoutState::Awaiting) {
            return Ok(Vec::new());
        }
        let mut coins = self.currencies().enabled_coins();
        coins.retain(|coin| self.chains().get(coin.code.as_str()).is_some());
        let mut conn = self.pool().acquire().await?;
        let now = self.clock().now();
        let costs = self
            .approximate(&mut conn, charge.amount, &coins, now)
            .await?;
        let methods = coins.into_iter().zip(costs).map(|(coin, cost)| {
            let info = self.currencies().info(coin.id);
            MethodOption {
                code: coin.code.to_string(),
                name: info.map_or_else(|| coin.code.to_string(), |info| info.name.clone()),
                network: info
                    .and_then(|info| info.network.clone())
                    .unwrap_or_default(),
                unavailable: cost
                    .is_none()
                    .then(|| format!("We cannot quote {} right now.", coin.code)),
                approximate: cost.map(coin_text),
            }
        });
        Ok(methods.collect())
    }

    fn instruction(&self, payment: &PaymentView, currency: Currency) -> PaymentInstruction {
        let info = self.currencies().info(payment.coin.id);
        PaymentInstruction {
            coin: payment.coin.code.to_string(),
            coin_name: info.map_or_else(|| payment.coin.code.to_string(), |info| info.name.clone()),
            network: info
                .and_then(|info| info.network.clone())
                .unwrap_or_default(),
            amount: coin_text(payment.left),
            amount_total: coin_text(payment.due),
            address: payment.address.clone(),
            tag: None,
            uri: payment.uri.clone(),
            qr_text: payment.qr_text.clone(),
            rate_text: rate_text(payment, currency),
            fixed_at: unix(payment.fixed_at),
            release_at: unix(payment.release_at),
        }
    }
}

/// Coins with few decimals keep them all, so that columns align; 18 decimals help nobody.
fn coin_text(money: Money) -> String {
    if money.currency().precision <= 8 {
        money.truncated()
    } else {
        money.shortest()
    }
}

/// What an invoice says above what is due. Its customer is told only to whoever has the token.
fn invoice_block(invoice: &InvoiceRow, trusted: bool) -> InvoiceBlock {
    let details: InvoiceDetails = invoice
        .details
        .clone()
        .and_then(|details| serde_json::from_value(details).ok())
        .unwrap_or_default();
    InvoiceBlock {
        title: invoice.title.clone(),
        description: invoice.description.clone(),
        number: Some(details.number).filter(|number| !number.is_empty()),
        customer: Some(details.customer_name).filter(|name| trusted && !name.is_empty()),
        due_date: details.due_date,
        lines: details
            .lines
            .into_iter()
            .map(|line| ItemLine {
                name: line.description,
                price: line.unit_price,
                quantity: line.quantity,
                total: line.net,
            })
            .collect(),
        tax: Some(details.tax).filter(|tax| !tax.is_empty()),
        shipping: Some(details.shipping).filter(|shipping| !shipping.is_empty()),
        note: details.note,
    }
}

/// `1 BTC = 52002.33 EUR`.
pub(super) fn rate_text(payment: &PaymentView, currency: Currency) -> String {
    format!(
        "1 {} = {} {}",
        payment.coin.code,
        payment.price.normalize(),
        currency.code
    )
}

fn text(money: Money) -> AmountText {
    AmountText {
        amount: money.truncated(),
        code: money.currency().code.to_string(),
    }
}

pub(super) fn exact(money: Money) -> AmountText {
    AmountText {
        amount: coin_text(money),
        code: money.currency().code.to_string(),
    }
}

fn excess(charge: &ChargeView) -> Option<Money> {
    let payment = charge.payment.as_ref()?;
    let used = charge.consumed.unwrap_or(payment.due);
    payment
        .received
        .checked_sub(used)
        .filter(Money::is_positive)
}

/// Before any money came, as the lifecycle allows it.
fn can_cancel(charge: &ChargeView) -> bool {
    matches!(charge.status, Status::Created | Status::Pending)
        && !charge
            .receipts
            .iter()
            .any(|receipt| receipt.state.is_live())
}

fn late_money(charge: &ChargeView) -> bool {
    charge.needs_attention
        && charge
            .receipts
            .iter()
            .any(|receipt| receipt.state.is_live())
}

fn state_of(charge: &ChargeView) -> CheckoutState {
    let live = || {
        charge
            .receipts
            .iter()
            .filter(|receipt| receipt.state.is_live())
    };
    if charge.resolution == Resolution::Refunded {
        return CheckoutState::Refunded;
    }
    match charge.status {
        Status::Created => CheckoutState::ChooseMethod,
        Status::Pending if live().next().is_some() => CheckoutState::PartlyPaid,
        Status::Pending => CheckoutState::Awaiting,
        Status::Processing if live().any(|receipt| receipt.confirmations > 0) => {
            CheckoutState::Confirming
        }
        Status::Processing => CheckoutState::Seen,
        Status::Paid => CheckoutState::Paid,
        Status::Expired if live().next().is_none() => CheckoutState::ExpiredUnpaid,
        Status::Underpaid if !charge.flags.contains(domain::charge::Flag::Late) => {
            CheckoutState::ExpiredUnderpaid
        }
        Status::Expired | Status::Underpaid => CheckoutState::LateFunds,
        Status::Cancelled if live().next().is_none() => CheckoutState::Cancelled,
        Status::Failed if live().next().is_none() => CheckoutState::Failed,
        // Whoever's money has arrived is never told to pay again.
        Status::Cancelled | Status::Failed => CheckoutState::LateFunds,
    }
}

fn receipt_line(receipt: &ReceiptRecord) -> ReceiptLine {
    let state = match receipt.state {
        ReceiptState::Seen if receipt.confirmations > 0 => "confirming",
        state => state.word(),
    };
    ReceiptLine {
        txid: receipt.txid.clone(),
        amount: exact(receipt.amount),
        confirmations: receipt.confirmations,
        confirmations_required: receipt.confirmations_required,
        state: state.to_owned(),
        at: unix(receipt.first_seen_at),
    }
}

/// The link back to the shop. It says `paid` only of an order that is: whoever reads the page of one
/// that is not must not find that link. While the payment is confirmed it leads to the bare address,
/// before and after a failure nowhere. An invoice's address is used as it was given.
fn way_back(status: Status, url: &str, is_invoice: bool, public_id: &str) -> Option<String> {
    match status {
        Status::Paid if !is_invoice => return_url(url, public_id),
        Status::Paid | Status::Processing => Some(url.to_owned()),
        _ => None,
    }
}

/// The shop's address with `order_id` and `status` added (`10-orders-api.md`).
fn return_url(redirect_url: &str, public_id: &str) -> Option<String> {
    let mut url = Url::parse(redirect_url).ok()?;
    url.query_pairs_mut()
        .append_pair("order_id", public_id)
        .append_pair("status", "paid");
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use domain::charge::Status;

    use super::{return_url, way_back};

    #[test]
    fn order_and_status_go_between_query_and_fragment() {
        let check = |given: &str, expected: &str| {
            assert_eq!(
                return_url(given, "EX-AAAAAAAAAA").as_deref(),
                Some(expected)
            );
        };
        check(
            "https://shop.example/ok",
            "https://shop.example/ok?order_id=EX-AAAAAAAAAA&status=paid",
        );
        check(
            "https://shop.example/ok?x=1#done",
            "https://shop.example/ok?x=1&order_id=EX-AAAAAAAAAA&status=paid#done",
        );
    }

    #[test]
    fn only_a_paid_order_is_told_as_paid() {
        let shop = "https://shop.example/ok";
        let check = |status, order: Option<&str>, invoice: Option<&str>| {
            let link = |is_invoice| way_back(status, shop, is_invoice, "EX-AAAAAAAAAA");
            assert_eq!(link(false).as_deref(), order, "{status:?}");
            assert_eq!(link(true).as_deref(), invoice, "{status:?}");
        };
        let told = "https://shop.example/ok?order_id=EX-AAAAAAAAAA&status=paid";
        check(Status::Paid, Some(told), Some(shop));
        check(Status::Processing, Some(shop), Some(shop));
        for status in [
            Status::Created,
            Status::Pending,
            Status::Expired,
            Status::Underpaid,
            Status::Cancelled,
            Status::Failed,
        ] {
            check(status, None, None);
        }
    }
}
