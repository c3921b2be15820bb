use std::sync::Arc;

use domain::text::one_line;
use sha2::{Digest, Sha256};

use super::{InvoiceView, NewInvoice, store};
use crate::charges::transition::event_of;
use crate::charges::{Customer, NewCharge, Origin, store as charges};
use crate::error::violated_constraint;
use crate::idempotency::{Answer, Once};
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// How often a request is tried again: another one with the same reference, or a code that is taken.
const TRIES: u32 = 3;

/// Characters of an invoice's code.
const CODE_CHARS: usize = 8;

impl Gateway {
    /// Makes an invoice. The same reference with the same wish gives the first answer again.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency`, `sender_currency`, `foreign_id`;
    /// [`Error::QuoteUnavailable`] when a fixed coin cannot be quoted.
    pub async fn create_invoice(
        &self,
        new: NewInvoice,
        once: Option<Once>,
        render: impl Fn(&InvoiceView) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Result<Answer> {
        let render = Arc::new(render);
        let mut last = Error::Conflict("this invoice is being made by another request");
        for _ in 0..TRIES {
            let (gateway, again, once, render) =
                (self.clone(), new.clone(), once.clone(), render.clone());
            let tried = self
                .book()
                .commit(move |unit| {
                    Box::pin(async move {
                        if let Some(first) = unit.claim(once.as_ref()).await? {
                            return Ok(first);
                        }
                        let view = gateway.invoice_in(unit, &again).await?;
                        let answer = unit.first_answer(view.id, render(&view)).await?;
                        unit.remember(once.as_ref(), &answer).await?;
                        Ok(answer)
                    })
                })
                .await;
            match tried {
                Err(error @ Error::AlreadyBooked) => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    async fn invoice_in(&self, unit: &mut Unit, new: &NewInvoice) -> Result<InvoiceView> {
        let hash = request_hash(new);
        let known = store::find_reference(unit.conn(), new.merchant_id, &new.foreign_id).await?;
        let public_id = match known {
            Some(known) if known.request_hash == hash => known.public_id,
            Some(_) => {
                let message = "was used for another invoice already";
                return Err(Error::invalid("foreign_id", message));
            }
            None => self.make_invoice(unit, new, &hash).await?,
        };
        let row = charges::find(unit.conn(), self.currencies(), &public_id).await?;
        let receipts = charges::receipts_of(unit.conn(), self.currencies(), row.id).await?;
        self.invoice_view(row, receipts)
    }

    async fn make_invoice(
        &self,
        unit: &mut Unit,
        new: &NewInvoice,
        hash: &[u8; 32],
    ) -> Result<String> {
        if let Some(coin) = new.sender_currency {
            self.payable_coin(coin.code.as_str()).map_err(|_| {
                Error::invalid(
                    "sender_currency",
                    "must be a coin that can be paid with here",
                )
            })?;
        }
        let name = new
            .details
            .as_ref()
            .map(|details| details.customer_name.clone())
            .unwrap_or_default();
        let mut charge = NewCharge {
            merchant_id: new.merchant_id,
            origin: Origin::Invoice,
            amount: new.amount,
            wallet_user_id: 0,
            customer: Customer {
                name,
                email: new.email.clone().unwrap_or_default(),
                ..Customer::default()
            },
            items: Vec::new(),
            metadata: serde_json::Map::new(),
            redirect_url: new.url_success.clone(),
            failed_url: new.url_failed.clone(),
            webhook_url: None,
            timer: new.timer,
            collection: new.collection,
        };
        self.check_new(&mut charge)?;
        let made = self.insert_charge(unit, &charge).await?;
        let now = unit.now();
        let row = store::NewRow {
            charge_id: made.id,
            merchant_id: new.merchant_id,
            code: &new_code()?,
            foreign_id: &new.foreign_id,
            foreign_json: &new.foreign_json,
            request_hash: hash,
            title: &one_line(&new.title),
            description: &new.description,
            kind: new.kind(),
            sender_currency_id: new.sender_currency.map(|coin| coin.id),
            email: new.email.as_deref(),
            details: new.details.as_ref(),
            created_by: &new.created_by,
        };
        store::insert(unit.conn(), &row, now)
            .await
            .map_err(|error| match &error {
                Error::Database(cause)
                    if matches!(
                        violated_constraint(cause),
                        Some("invoices_reference" | "invoices_code_key")
                    ) =>
                {
                    Error::AlreadyBooked
                }
                _ => error,
            })?;
        let row = charges::find(unit.conn(), self.currencies(), &made.public_id).await?;
        unit.emit(event_of(&row, &[], row.status));
        if let Some(coin) = new.sender_currency {
            self.pick_coin(unit, &made.public_id, coin).await?;
        }
        Ok(made.public_id)
    }
}

fn request_hash(new: &NewInvoice) -> [u8; 32] {
    let details = new
        .details
        .as_ref()
        .and_then(|details| serde_json::to_string(details).ok());
    let wish = format!(
        "invoice\n{}\n{}\n{}\n{:?}\n{:?}\n{}\n{:?}\n{:?}\n{:?}\n{}\n{details:?}",
        new.timer,
        new.title,
        new.description,
        new.amount,
        new.sender_currency.map(|coin| coin.code),
        new.foreign_json,
        new.url_success,
        new.url_failed,
        new.email,
        new.collection.word(),
    );
    Sha256::digest(wish).into()
}

/// Letters and digits, each equally likely.
fn new_code() -> Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The largest multiple of 62 a byte holds: what is beyond would favour some letters.
    const FAIR: u8 = 248;
    let mut code = String::with_capacity(CODE_CHARS);
    while code.len() < CODE_CHARS {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        let letters = bytes
            .iter()
            .filter(|byte| **byte < FAIR)
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 62)).copied())
            .map(char::from);
        code.extend(letters.take(CODE_CHARS - code.len()));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_eight_letters_or_digits_and_differ() {
        let codes: std::collections::BTreeSet<String> =
            (0..200).filter_map(|_| new_code().ok()).collect();
        assert_eq!(codes.len(), 200);
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 8 && code.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
    }
}
