//! What the forms that move money offer, and what they would do (ux §1.7, §1.8).

use domain::money::Money;
use domain::view::operations::{
    ExchangeForm, ExchangeFormView, ExchangeQuoteView, OperationFilter, OperationList,
    WithdrawForm, WithdrawFormView, WithdrawReviewView,
};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::rows::amount_text;
use crate::exchange::{ExchangeQuote, price_text};
use crate::operations::FeeKind;
use crate::withdrawals::WithdrawalReview;
use crate::{Gateway, Result};

impl Gateway {
    /// The form of a withdrawal, filled in as given.
    pub async fn withdraw_form(
        &self,
        merchant_id: i64,
        form: WithdrawForm,
    ) -> Result<WithdrawFormView> {
        let coins = self.currencies().enabled_coins();
        Ok(WithdrawFormView {
            form,
            wallets: self.spendable(merchant_id).await?,
            coins: coins.iter().map(|coin| coin.code.to_string()).collect(),
            notice: None,
        })
    }

    /// What was worked out about a withdrawal, and the key that makes its confirmation take effect
    /// once. `expected` is what the receiver would have got when it was looked at before.
    pub fn withdraw_review(
        &self,
        form: WithdrawForm,
        review: WithdrawalReview,
        key: Option<String>,
        expected: &str,
    ) -> WithdrawReviewView {
        let (from, to) = (review.requested, review.receiver_amount);
        let name = |kind: FeeKind| match kind {
            FeeKind::Exchange => "Exchange fee".to_owned(),
            FeeKind::Withdrawal => "Withdrawal fee".to_owned(),
            other => format!("Fee ({})", other.word()),
        };
        let receiver = amount_text(to);
        let moved = !expected.is_empty() && expected != receiver.amount;
        WithdrawReviewView {
            form,
            key: key.unwrap_or_else(new_key),
            total: amount_text(review.sender_total),
            requested: amount_text(from),
            fees: review
                .fees
                .into_iter()
                .map(|(kind, fee)| (name(kind), amount_text(fee)))
                .collect(),
            receiver_before: moved.then(|| format!("{expected} {}", receiver.code)),
            receiver,
            rate: review.price.map(|price| rate_text(from, to, price)),
            address: review.address,
            internal: review.internal,
            needs_approval: review.needs_approval,
        }
    }

    /// The form of an exchange, filled in as given, above a page of the exchanges before.
    pub async fn exchange_form(
        &self,
        merchant_id: i64,
        form: ExchangeForm,
    ) -> Result<ExchangeFormView> {
        let filter = OperationFilter::default();
        let mut past = self
            .operation_list(merchant_id, OperationList::Exchanges, filter, 1, false)
            .await?;
        // Further pages are those of the list itself.
        let here = |link: String| format!("{}{link}", OperationList::Exchanges.path());
        past.paging.next = past.paging.next.map(here);
        Ok(ExchangeFormView {
            form,
            wallets: self.spendable(merchant_id).await?,
            notice: None,
            past,
        })
    }

    /// An offer as the page shows it. `before` is the rate of the offer that this one replaces.
    pub fn exchange_quote_view(
        &self,
        quote: &ExchangeQuote,
        before: Option<Decimal>,
    ) -> ExchangeQuoteView {
        let (give, get) = (quote.sender_amount, quote.receiver_amount);
        let deal = quote.deal();
        let now = self.clock().now();
        ExchangeQuoteView {
            id: quote.id.to_string(),
            key: new_key(),
            give: amount_text(give),
            fee: amount_text(quote.fee),
            total: amount_text(deal.sender_total().unwrap_or(give)),
            get: amount_text(deal.net()),
            rate: rate_text(give, get, quote.price),
            now,
            fixed_at: quote.fixed_at,
            release_at: quote.release_at,
            expired: now > quote.release_at,
            rate_before: before
                .filter(|before| *before != quote.price)
                .map(|before| rate_text(give, get, before)),
            form: asked(quote),
        }
    }

    /// Codes of the merchant's own wallets with what each has left.
    async fn spendable(&self, merchant_id: i64) -> Result<Vec<(String, String)>> {
        let wallets = self.list_wallets(merchant_id).await?;
        Ok(wallets
            .iter()
            .filter(|wallet| wallet.user_id.is_none())
            .map(|wallet| {
                let code = wallet.currency.code.to_string();
                let text = format!("{code}: {} available", wallet.available.shown());
                (code, text)
            })
            .collect())
    }
}

/// The form that would ask for the same again. A side that was worked out may have more digits than
/// anybody may enter; then the other one was given.
fn asked(quote: &ExchangeQuote) -> ExchangeForm {
    let (give, get) = (quote.sender_amount, quote.receiver_amount);
    let enterable = |money: Money| {
        Some(money.shortest()).filter(|text| Money::parse(text, money.currency()).is_ok())
    };
    let given = enterable(give);
    ExchangeForm {
        from: give.currency().code.to_string(),
        to: get.currency().code.to_string(),
        get: match given {
            Some(_) => String::new(),
            None => enterable(get).unwrap_or_default(),
        },
        give: given.unwrap_or_default(),
    }
}

pub(super) fn new_key() -> String {
    Uuid::now_v7().to_string()
}

pub(super) fn rate_text(from: Money, to: Money, price: Decimal) -> String {
    let (from, to) = (from.currency().code, to.currency().code);
    format!("1 {from} = {} {to}", price_text(price))
}
