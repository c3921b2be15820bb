use domain::charge::{ReceiptState as Payment, Resolution, Status};
use domain::view::AmountText;
use domain::view::receipt::{
    ReceiptCustomer, ReceiptMerchant, ReceiptPayment, ReceiptRefund, ReceiptState, ReceiptView,
};

use super::checkout::{exact, rate_text};
use super::items::item_lines;
use super::{ChargeView, ReceiptRecord, claim_store};
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
            payment: self.payment(&charge, state),
            refunds: self.refunds(charge.id).await?,
            // Without the token: whoever holds the paper must not see the customer's data.
            order_url: format!("{}/pay/{}", self.settings().public_url, charge.public_id),
            test_mode: self.settings().test_mode,
        })
    }

    /// What paid, or what is asked for; of money that only went back, what came, whichever coin it was.
    fn payment(&self, charge: &ChargeView, state: ReceiptState) -> Option<ReceiptPayment> {
        let payment = charge.payment.as_ref()?;
        let is_final = |receipt: &&ReceiptRecord| receipt.state == Payment::Final;
        let other = charge
            .receipts
            .iter()
            .filter(is_final)
            .find(|receipt| receipt.amount.currency().id != payment.coin.id)
            .filter(|_| state == ReceiptState::Refunded && payment.received.is_zero());
        let (shown, address) = match other {
            Some(other) => (other.amount, &other.address),
            None if state == ReceiptState::NotPaid => (payment.due, &payment.address),
            None => (payment.received, &payment.address),
        };
        let coin = shown.currency();
        let name = self
            .currencies()
            .info(coin.id)
            .map(|info| info.name.clone());
        let converted = coin.id == payment.coin.id && coin.id != charge.amount.currency().id;
        Some(ReceiptPayment {
            method: name.unwrap_or_else(|| coin.code.to_string()),
            amount: exact(shown),
            rate_text: converted.then(|| rate_text(payment, charge.amount.currency())),
            address: Some(address.clone()),
            tag: None,
            txids: charge
                .receipts
                .iter()
                .filter(is_final)
                .map(|receipt| receipt.txid.clone())
                .collect(),
        })
    }

    /// Money that went back, with its transactions.
    async fn refunds(&self, charge_id: i64) -> Result<Vec<ReceiptRefund>> {
        let mut conn = self.pool().acquire().await?;
        let sent = claim_store::sent_refunds(&mut conn, self.currencies(), charge_id).await?;
        Ok(sent
            .into_iter()
            .map(|refund| ReceiptRefund {
                at: refund.at,
                amount: exact(refund.amount),
                address: refund.address,
                txid: refund.txid,
            })
            .collect())
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
