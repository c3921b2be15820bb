//! The page of one invoice, its PDF's view, and the form that makes one.

use domain::charge::Status;
use domain::invoice::Problem;
use domain::view::invoices::{
    InvoiceBuilderView, InvoiceDetailView, InvoiceDocumentView, InvoiceForm,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::invoice_store;
use crate::invoices::{InvoiceKey, InvoiceView};
use crate::{Error, Gateway, Result};

impl Gateway {
    /// Everything about one invoice of the merchant's.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of other merchants.
    pub async fn invoice_detail(
        &self,
        merchant_id: i64,
        code: &str,
        may_act: bool,
    ) -> Result<InvoiceDetailView> {
        let record = invoice_store::find(self.pool(), merchant_id, code)
            .await?
            .ok_or(Error::NotFound)?;
        let invoice = self
            .find_invoice(merchant_id, InvoiceKey::Id(record.id))
            .await?;
        let charge = self.charge_detail(merchant_id, &record.public_id).await?;
        let waits = matches!(invoice.charge.status, Status::Created | Status::Pending);
        Ok(InvoiceDetailView {
            item: self.invoice_item(&record)?,
            terms: terms(&invoice),
            send_to: record.email.unwrap_or_default(),
            title: invoice.title,
            description: invoice.description,
            url: invoice.url,
            details: invoice.details,
            paid_at: charge.paid_at,
            attention_text: charge.attention_text,
            difference_text: charge.difference_text,
            payments: charge.receipts,
            activity: charge.timeline,
            can_send: may_act && waits,
            can_void: may_act && charge.can_cancel,
            has_document: charge.receipt_pdf.is_some(),
            notice: None,
            charge_id: charge.public_id,
        })
    }

    /// What the PDF of an invoice shows.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for one that ended without payment.
    pub async fn invoice_document(
        &self,
        merchant_id: i64,
        code: &str,
    ) -> Result<InvoiceDocumentView> {
        let record = invoice_store::find(self.pool(), merchant_id, code)
            .await?
            .ok_or(Error::NotFound)?;
        let invoice = self
            .find_invoice(merchant_id, InvoiceKey::Id(record.id))
            .await?;
        let mut receipt = self
            .receipt(Some(merchant_id), &record.public_id, None)
            .await
            .map_err(|error| match error {
                Error::Conflict(_) => Error::Conflict("this invoice ended without payment"),
                error => error,
            })?;
        let item = self.invoice_item(&record)?;
        let details = invoice.details.unwrap_or_default();
        // Whoever scans the paper lands on the invoice, without the customer's token.
        receipt.order_url = invoice.url;
        if !details.customer_address.is_empty() {
            receipt.customer.address = Some(details.customer_address.clone());
        }
        Ok(InvoiceDocumentView {
            number: item.number,
            title: invoice.title,
            description: invoice.description,
            details,
            receipt,
        })
    }

    /// The form as it stands. A new one, without a key, is offered a number; an empty key is
    /// replaced.
    pub async fn invoice_builder(
        &self,
        merchant_id: i64,
        mut form: InvoiceForm,
        key: Option<String>,
        problems: Vec<Problem>,
    ) -> Result<InvoiceBuilderView> {
        let currencies = self.wallet_codes(merchant_id).await?;
        if key.is_none() && form.number.is_empty() {
            form.number = self.next_invoice_number(merchant_id).await?;
        }
        if form.currency.is_empty() {
            form.currency = currencies.first().cloned().unwrap_or_default();
        }
        if form.lines.is_empty() {
            form.add_line();
        }
        let coins = self
            .currencies()
            .enabled_coins()
            .into_iter()
            .filter(|coin| self.chains().get(coin.code.as_str()).is_some())
            .map(|coin| {
                let code = coin.code.to_string();
                let info = self.currencies().info(coin.id);
                let name = info.map_or_else(|| code.clone(), |info| info.name.clone());
                (code, name)
            })
            .collect();
        let preview = match problems.is_empty() {
            true => self
                .draft_invoice(&form)
                .ok()
                .map(|drafted| drafted.details),
            false => None,
        };
        Ok(InvoiceBuilderView {
            form,
            key: key
                .filter(|key| !key.is_empty())
                .unwrap_or_else(|| Uuid::now_v7().to_string()),
            currencies,
            coins,
            problems,
            preview,
            focus: None,
        })
    }
}

/// How the invoice can be paid (`30`, Invoice types), and until when while it can.
fn terms(invoice: &InvoiceView) -> String {
    let how = match invoice.kind {
        1 => "The customer picks a coin; its rate is fixed from then on.",
        2 => "The customer picks a coin; the clock runs from the invoice's creation.",
        _ => "Coin and rate are fixed; the clock runs from the invoice's creation.",
    };
    match invoice.charge.status {
        Status::Created => {
            let until = minute(invoice.charge.expires_at);
            format!("{how} It can be paid until {until}.")
        }
        Status::Pending => {
            let until = minute(invoice.charge.expires_at);
            format!("{how} The current rate is fixed until {until}.")
        }
        _ => how.to_owned(),
    }
}

fn minute(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_a_sentence_name_their_zone() {
        assert_eq!(minute(OffsetDateTime::UNIX_EPOCH), "1970-01-01 00:00 UTC");
    }
}
