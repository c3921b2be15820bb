use domain::charge::{ReceiptState as Payment, Resolution, Status};
use domain::view::AmountText;
use domain::view::receipt::{
    ReceiptCustomer, ReceiptMerchant, ReceiptPayment, ReceiptState, ReceiptView,
};

use super::ChargeView;
use super::checkout::{exact, rate_text};
use super::items::item_lines;
use crate::{Error, Gateway, Result};

impl Gateway {
    /// What the PDF shows. With `merchant_id` for that merchant's charges; without, the page token
    /// is needed.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for charges that have no receipt (`80`, Orders).
    pub async fn receipt(
        &self,
        merchant_id: Option<i64>,
        public_id: &str,
        token: Option<&str>,
    ) -> Result<ReceiptView> {
        let charge = match merchant_id {
            Some(merchant_id) => self.find_charge(merchant_id, public_id).await?,
            None if token.is_some_and(|token| self.token_matches(public_id, token)) => {
                self.load_charge(public_id).await?
            }
            None => return Err(Error::NotFound),
        };
        let state = match charge.status {
            _ if charge.resolution == Resolution::Refunded => ReceiptState::Refunded,
            Status::Paid => ReceiptState::Paid,
            Status::Created | Status::Pending | Status::Processing => ReceiptState::NotPaid,
            Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
                return Err(Error::Conflict("this order has no receipt"));
            }
        };
        let brand = self.brand(charge.merchant_id).await?;
        let logo = self.drawn_logo(charge.merchant_id).await?;
        let (items, other_charges) = item_lines(&charge.items, charge.amount);
        let code = charge.amount.currency().code.to_string();
        let paid = match state {
            ReceiptState::Paid | ReceiptState::Refunded => {
                charge.received_value.units().min(charge.amount.units())
            }
            ReceiptState::NotPaid => 0,
        };
        let amount = |units| domain::money::Money::from_units(units, charge.amount.currency());
        Ok(ReceiptView {
            merchant: ReceiptMerchant {
                brand,
                logo,
                address: None,
                tax_id: None,
            },
            state,
            public_id: charge.public_id.clone(),
            created_at: charge.created_at,
            paid_at: charge.paid_at,
            customer: customer(&charge),
            items,
            other_charges,
            total: AmountText {
                amount: charge.amount.truncated(),
                code: code.clone(),
            },
            amount_paid: AmountText {
                amount: amount(paid).truncated(),
                code,
            },
            fees: None,
            payment: self.payment(&charge),
            refunds: Vec::new(),
            // Without the token: whoever holds the paper must not see the customer's data.
            order_url: format!("{}/pay/{}", self.settings().public_url, charge.public_id),
            test_mode: self.settings().test_mode,
        })
    }

    fn payment(&self, charge: &ChargeView) -> Option<ReceiptPayment> {
        let payment = charge.payment.as_ref()?;
        let name = self
            .currencies()
            .info(payment.coin.id)
            .map(|info| info.name.clone());
        let converted = payment.coin.id != charge.amount.currency().id;
        let shown = if charge.paid_at.is_some() {
            payment.received
        } else {
            payment.due
        };
        Some(ReceiptPayment {
            method: name.unwrap_or_else(|| payment.coin.code.to_string()),
            amount: exact(shown),
            rate_text: converted.then(|| rate_text(payment, charge.amount.currency())),
            address: Some(payment.address.clone()),
            tag: None,
            txids: charge
                .receipts
                .iter()
                .filter(|receipt| receipt.state == Payment::Final)
                .map(|receipt| receipt.txid.clone())
                .collect(),
        })
    }
}

fn customer(charge: &ChargeView) -> ReceiptCustomer {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let customer = &charge.customer;
    let address: Vec<&str> = [
        &customer.address_line1,
        &customer.city,
        &customer.postal_code,
        &customer.country,
    ]
    .into_iter()
    .filter_map(|part| part.as_deref())
    .filter(|part| !part.is_empty())
    .collect();
    ReceiptCustomer {
        name: given(&customer.full_name()),
        email: given(&customer.email),
        phone: given(&customer.phone),
        address: given(&address.join(", ")),
    }
}
