//! The link of an invoice by mail, queued in the transaction that notes it in the charge's timeline.

use domain::charge::Status;
use domain::text::one_line;
use serde_json::json;
use time::Duration;

use super::{InvoiceDetails, builder_store};
use crate::charges::row::InvoiceRow;
use crate::charges::store as charges;
use crate::mail::queue_mail;
use crate::{Error, Gateway, Result};

/// A second press of the button within this time sends nothing.
const PAUSE: Duration = Duration::minutes(1);

/// When a link is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Only when it never was: what follows the making of an invoice.
    First,
    /// Once more, but not twice within a minute.
    Again,
}

/// What the customer is told.
struct LinkMail<'a> {
    merchant: &'a str,
    number: &'a str,
    title: &'a str,
    /// With its currency.
    amount: &'a str,
    due_date: Option<&'a str>,
    url: &'a str,
}

impl Gateway {
    /// Mails the link of an invoice to `to`; whether it was sent now.
    ///
    /// The link carries the page's token: whoever reads the mail is the customer.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of other merchants; [`Error::Conflict`] when it does not
    /// wait for payment any more.
    pub async fn send_invoice_link(
        &self,
        merchant_id: i64,
        code: &str,
        to: &str,
        by: String,
        sending: Sending,
    ) -> Result<bool> {
        let public_id = self.charge_of_own_invoice(merchant_id, code).await?;
        let token = self.page_token(&public_id);
        let url = format!("{}?t={token}", self.invoice_url(code));
        let (gateway, to) = (self.clone(), one_line(to));
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let row =
                        charges::lock_by_public_id(unit.conn(), gateway.currencies(), &public_id)
                            .await?;
                    if !matches!(row.status, Status::Created | Status::Pending) {
                        return Err(Error::Conflict("this invoice cannot be paid any more"));
                    }
                    let now = unit.now();
                    let last = builder_store::last_sent(unit.conn(), row.id).await?;
                    let enough = last.is_some_and(|last| match sending {
                        Sending::First => true,
                        Sending::Again => now - last < PAUSE,
                    });
                    if enough {
                        return Ok(false);
                    }
                    let invoice = row.invoice.as_ref().ok_or(Error::NotFound)?;
                    let details = details_of(invoice)?;
                    let (subject, text) = compose(&LinkMail {
                        merchant: &one_line(&row.merchant_name),
                        number: &number_of(invoice, &details),
                        title: &invoice.title,
                        amount: &row.amount.to_string(),
                        due_date: details.due_date.as_deref(),
                        url: &url,
                    });
                    queue_mail(unit.conn(), now, Some(merchant_id), &to, &subject, &text).await?;
                    let data = json!({ "to": to, "by": by });
                    charges::append_timeline(unit.conn(), row.id, now, "invoice.sent", &data)
                        .await?;
                    Ok(true)
                })
            })
            .await
    }
}

fn details_of(invoice: &InvoiceRow) -> Result<InvoiceDetails> {
    match &invoice.details {
        Some(details) => serde_json::from_value(details.clone()).map_err(Error::internal),
        None => Ok(InvoiceDetails::default()),
    }
}

/// The number, or the reference of an invoice that a program made.
fn number_of(invoice: &InvoiceRow, details: &InvoiceDetails) -> String {
    if !details.number.is_empty() {
        return details.number.clone();
    }
    match &invoice.foreign_json {
        serde_json::Value::String(text) => one_line(text),
        other => other.to_string(),
    }
}

fn compose(mail: &LinkMail<'_>) -> (String, String) {
    let LinkMail {
        merchant,
        number,
        title,
        amount,
        due_date,
        url,
    } = mail;
    let due = due_date.map_or_else(String::new, |day| format!(", due on {day}"));
    let text = format!(
        "\"{merchant}\" sends you invoice {number} for {amount}{due}.\n\n\
         It is about: {title}\n\n\
         On this page you can see it and pay it:\n{url}\n\n\
         Please do not answer this message; for questions about the invoice ask the merchant."
    );
    (format!("Invoice {number} from {merchant}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_names_the_invoice_and_leads_to_its_page() {
        let mail = LinkMail {
            merchant: "Harbour Coffee",
            number: "2026-0001",
            title: "Beans",
            amount: "290.40 EUR",
            due_date: Some("2026-12-11"),
            url: "https://pay.example/invoice/RB9NZv?t=token",
        };
        let (subject, text) = compose(&mail);
        assert_eq!(subject, "Invoice 2026-0001 from Harbour Coffee");
        assert!(
            text.starts_with(
                "\"Harbour Coffee\" sends you invoice 2026-0001 for 290.40 EUR, due on 2026-12-11."
            ),
            "{text}"
        );
        assert_eq!(text.lines().filter(|line| *line == mail.url).count(), 1);
        let undated = LinkMail {
            due_date: None,
            ..mail
        };
        assert!(!compose(&undated).1.contains("due on"));
    }
}
