//! Invoices that a person writes in the dashboard (ux §1.5). They are made exactly as the API's are;
//! what the form adds is kept beside the charge.

use std::time::Duration;

use domain::invoice::{Drafted, Problem, draw_up};
use domain::money::Currency;
use domain::text::one_line;
use domain::view::invoices::InvoiceForm;
use serde_json::json;

use super::{InvoiceView, NewInvoice, builder_store};
use crate::charges::Collection;
use crate::idempotency::{Answer, Once};
use crate::{Error, FieldError, Gateway, Result};

/// How often, and after how long each time, the answer to the same form is waited for: whoever
/// pressed the button twice sees the invoice, not a refusal. Real time, about two seconds in all.
const WAITS: u32 = 20;
const WAIT: Duration = Duration::from_millis(100);

/// Status kept with the form's key; only success is kept.
const CREATED: u16 = 201;

/// What became of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issued {
    /// The code of the invoice's page.
    Made(String),
    /// Nothing was made; each has to change.
    Wrong(Vec<Problem>),
    /// The form made another invoice before; this one was not made.
    UsedUp,
}

impl Gateway {
    /// What the form would ask for, and of which currency. Writes nothing.
    ///
    /// # Errors
    /// Every [`Problem`] of the form, the first ones first.
    pub fn draft_invoice(&self, form: &InvoiceForm) -> Result<Drafted, Vec<Problem>> {
        let Some(currency) = self.currencies().enabled_by_code(form.currency.trim()) else {
            let message = "Currency: choose one you have a wallet in";
            return Err(vec![Problem::new("currency", message)]);
        };
        let coin = self.fixed_coin(form);
        let drafted = draw_up(form, currency, self.clock().now().date());
        match (drafted, coin) {
            (Ok(drafted), Ok(_)) => Ok(drafted),
            (Ok(_), Err(problem)) => Err(vec![problem]),
            (Err(wrong), Ok(_)) => Err(wrong),
            (Err(mut wrong), Err(problem)) => {
                wrong.push(problem);
                Err(wrong)
            }
        }
    }

    /// The coin the customer has to pay with; `None` is any. It is quoted at once, so its clock has
    /// to run from now (`30`, Invoice types).
    fn fixed_coin(&self, form: &InvoiceForm) -> Result<Option<Currency>, Problem> {
        let code = form.coin.trim();
        if code.is_empty() {
            return Ok(None);
        }
        let Ok(coin) = self.payable_coin(code) else {
            let message = "Customer pays with: choose one of the offered coins";
            return Err(Problem::new("coin", message));
        };
        if form.clock != "now" {
            let message = "Rate: with one coin the rate is fixed at once, so let its 15 minutes run \
                           from now, or let the customer pay with any coin";
            return Err(Problem::new("clock", message));
        }
        Ok(Some(coin))
    }

    /// Makes the invoice, once for each key of `once`. The edge has checked e-mail and links.
    ///
    /// # Errors
    /// [`Error::IdempotencyInProgress`] when the same form is still at it after two seconds.
    pub async fn issue_invoice(
        &self,
        merchant_id: i64,
        form: &InvoiceForm,
        once: Once,
        by: String,
    ) -> Result<Issued> {
        let drafted = match self.draft_invoice(form) {
            Ok(drafted) => drafted,
            Err(wrong) => return Ok(Issued::Wrong(wrong)),
        };
        let Ok(sender_currency) = self.fixed_coin(form) else {
            return Err(Error::internal("the coin of a drafted invoice"));
        };
        let details = drafted.details;
        let given = |text: &str| Some(one_line(text)).filter(|text| !text.is_empty());
        let new = NewInvoice {
            merchant_id,
            timer: form.clock == "now",
            title: given(&form.title).unwrap_or_else(|| format!("Invoice {}", details.number)),
            description: String::new(),
            amount: drafted.total,
            sender_currency,
            foreign_id: details.number.clone(),
            foreign_json: json!(details.number),
            url_success: given(&form.url_success),
            url_failed: given(&form.url_failed),
            email: given(&details.customer_email),
            collection: Collection::FillOrKill,
            details: Some(details),
            created_by: by,
        };
        match self.create_waiting(new, once).await {
            Ok(answer) => {
                let code = String::from_utf8(answer.body).map_err(Error::internal)?;
                Ok(Issued::Made(code))
            }
            Err(Error::Invalid(wrong)) => Ok(Issued::Wrong(wrong.iter().map(problem).collect())),
            Err(Error::QuoteUnavailable { coin, .. }) => {
                let message = format!(
                    "Customer pays with: {coin} cannot be quoted right now; choose any coin, or try \
                     again in a moment"
                );
                Ok(Issued::Wrong(vec![Problem::new("coin", message)]))
            }
            Err(Error::IdempotencyMismatch) => Ok(Issued::UsedUp),
            Err(error) => Err(error),
        }
    }

    async fn create_waiting(&self, new: NewInvoice, once: Once) -> Result<Answer> {
        let render = |view: &InvoiceView| (CREATED, view.code.clone().into_bytes());
        for _ in 0..WAITS {
            let made = self
                .create_invoice(new.clone(), Some(once.clone()), render)
                .await;
            match made {
                Err(Error::IdempotencyInProgress) => tokio::time::sleep(WAIT).await,
                made => return made,
            }
        }
        Err(Error::IdempotencyInProgress)
    }

    /// The number a new invoice is offered: the one after the highest of this year.
    pub(crate) async fn next_invoice_number(&self, merchant_id: i64) -> Result<String> {
        let year = self.clock().now().year();
        let highest = builder_store::highest_number(self.pool(), merchant_id, year).await?;
        Ok(format!("{year}-{:04}", highest + 1))
    }

    /// The charge behind an invoice of this merchant.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of other merchants.
    pub(crate) async fn charge_of_own_invoice(
        &self,
        merchant_id: i64,
        code: &str,
    ) -> Result<String> {
        builder_store::charge_of(self.pool(), merchant_id, code)
            .await?
            .ok_or(Error::NotFound)
    }

    /// Calls an invoice off before any money came: nobody can pay it any more.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] when money came or it has ended already.
    pub async fn void_invoice(&self, merchant_id: i64, code: &str, by: String) -> Result<()> {
        const NO_CONTENT: u16 = 204;
        let public_id = self.charge_of_own_invoice(merchant_id, code).await?;
        self.cancel_charge(merchant_id, &public_id, by, None, |_| {
            (NO_CONTENT, Vec::new())
        })
        .await?;
        Ok(())
    }
}

/// What the creation refuses, in the words of the form.
fn problem(wrong: &FieldError) -> Problem {
    let message = &wrong.message;
    match wrong.field.as_str() {
        "foreign_id" => Problem::new("number", format!("Number: this one {message}")),
        "currency" => Problem::new("currency", format!("Currency: this {message}")),
        "sender_currency" => Problem::new("coin", format!("Customer pays with: this {message}")),
        _ => Problem::new("", format!("This {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_number_is_named_as_the_form_calls_it() {
        let Error::Invalid(wrong) =
            Error::invalid("foreign_id", "was used for another invoice already")
        else {
            panic!("not a field")
        };
        let said: Vec<Problem> = wrong.iter().map(problem).collect();
        let expected = Problem::new(
            "number",
            "Number: this one was used for another invoice already",
        );
        assert_eq!(said, [expected]);
    }
}
