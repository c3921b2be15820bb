//! What a promise costs, before it is made and after (ux §1.8): prices, a look, one promise.

use domain::futures::{FuturesState, LIMIT_EUROS, WINDOW};
use domain::payment_uri::PaymentUri;
use domain::view::futures::{
    FuturesDetailView, FuturesRatesView, FuturesReviewView, TermsFields, TermsText,
};

use super::futures::{Figures, figures, item};
use super::futures_store as store;
use super::money_forms::{new_key, rate_text};
use super::rows::amount_text;
use crate::chain::address::params;
use crate::exchange::price_text;
use crate::futures::{FuturesReview, PromiseTerms};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// What promises for one of the merchant's addresses cost now, step by step.
    ///
    /// # Errors
    /// Those of [`Self::futures_address`].
    pub async fn futures_rates_view(
        &self,
        merchant_id: i64,
        address_id: i64,
        may_act: bool,
    ) -> Result<FuturesRatesView> {
        let (address, target) = self.futures_address(merchant_id, address_id).await?;
        let rates = self.futures_rates(merchant_id, &address.address).await?;
        let tiers = rates.tiers.into_iter();
        Ok(FuturesRatesView {
            address_id,
            pair: format!("{}/{}", address.coin.code, target.code),
            target: target.code.to_string(),
            address: address.address,
            reference: address.foreign_id,
            now: rates.fixed_at,
            release_at: rates.release_at,
            tiers: tiers
                .map(|(size, price)| (amount_text(size), price.map(price_text)))
                .collect(),
            limit_euros: LIMIT_EUROS,
            typed: String::new(),
            may_act,
            notice: None,
        })
    }

    /// What was worked out about a promise, and the key that makes its confirmation take effect
    /// once. `shown` is what was shown before, when it was looked at already.
    pub fn futures_review_view(
        &self,
        review: FuturesReview,
        key: Option<String>,
        shown: Option<PromiseTerms>,
    ) -> FuturesReviewView {
        let (wanted, now) = (review.receiver_amount, review.terms);
        let text = |terms| {
            terms_text(&Figures {
                receiver_amount: wanted,
                terms,
            })
        };
        FuturesReviewView {
            address_id: review.address.id,
            address: review.address.address,
            key: key.unwrap_or_else(new_key),
            get: amount_text(wanted),
            terms: text(now),
            fields: TermsFields {
                receiver_amount: wanted.shortest(),
                sender_amount: now.sender_amount.exact(),
                fee_amount: now.fee.exact(),
                price: price_text(now.price),
            },
            before: shown.filter(|shown| *shown != now).map(text),
            lock_time: lock_time(),
            release_at: review.release_at,
            replaces: review.replaces,
        }
    }

    /// One promise of the merchant, ready to be paid while it waits.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of others.
    pub async fn futures_detail(&self, merchant_id: i64, id: i64) -> Result<FuturesDetailView> {
        let record = store::find(self.pool(), merchant_id, id)
            .await?
            .ok_or(Error::NotFound)?;
        let brand = self.brand(merchant_id).await?;
        let now = self.clock().now();
        let item = item(self.currencies(), &record)?;
        let figures = figures(self.currencies(), &record)?;
        let asked = figures.terms.sender_amount.shortest();
        let link = params(&item.give.code).map(|params| PaymentUri {
            scheme: params.uri_scheme,
            address: &record.address,
            amount: Some(&asked),
            label: Some(&brand.name),
            message: Some(&record.foreign_id),
        });
        let is_open = record.state == FuturesState::Open.word();
        Ok(FuturesDetailView {
            terms: terms_text(&figures),
            now,
            waits: is_open && now <= record.release_at,
            ended_at: record.ended_at,
            address_id: record.deposit_address_id,
            uri: link.and_then(|uri| uri.link()),
            qr_text: link.map_or_else(|| record.address.clone(), |uri| uri.qr_text()),
            deposit_id: record.operation_id,
            void_text: record.void_reason.as_deref().map(void_text),
            test_mode: self.settings().test_mode,
            item,
        })
    }
}

fn terms_text(figures: &Figures) -> TermsText {
    let terms = figures.terms;
    TermsText {
        give: amount_text(terms.sender_amount),
        fee: amount_text(terms.fee),
        net: amount_text(figures.net()),
        rate: rate_text(terms.sender_amount, figures.receiver_amount, terms.price),
    }
}

/// `100 minutes (6000 s)`; `30`, Lock times.
fn lock_time() -> String {
    let (minutes, seconds) = (WINDOW.whole_minutes(), WINDOW.whole_seconds());
    format!("{minutes} minutes ({seconds} s)")
}

/// Why a promise ended unused; the words are those that the use cases store.
fn void_text(reason: &str) -> String {
    match reason {
        "expired" => "No deposit of exactly this amount was seen in time.".to_owned(),
        "replaced" => "A newer promise for the same address took its place.".to_owned(),
        "another amount came" => {
            "A deposit of another amount came, and was exchanged at the rate of its moment."
                .to_owned()
        }
        other => format!("It was not used: {other}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_void_promise_says_why() {
        assert!(void_text("expired").contains("in time"));
        assert!(void_text("replaced").contains("newer promise"));
        assert_eq!(void_text("odd"), "It was not used: odd.");
    }

    #[test]
    fn the_lock_time_is_the_one_of_the_contract() {
        assert_eq!(lock_time(), "100 minutes (6000 s)");
    }
}
