//! Invoices: charges with a page of their own (`30-processing-api.md`, Invoice types).
//!
//! Invariant: a merchant's reference names one invoice for ever; an invoice is never anything but its
//! charge with words around it, so everything that holds for charges holds for it.

mod builder;
mod builder_store;
mod create;
mod sending;
mod store;

use domain::money::{Currency, Money};
use time::OffsetDateTime;

pub use builder::Issued;
pub use domain::invoice::{InvoiceDetails, InvoiceLine};
pub use sending::Sending;

use crate::charges::row::ChargeRow;
use crate::charges::{ChargeView, Collection, store as charges};
use crate::{Error, Gateway, Result};

/// An invoice to be made; the edge has checked its form.
#[derive(Debug, Clone)]
pub struct NewInvoice {
    pub merchant_id: i64,
    /// The 15 minutes run from creation.
    pub timer: bool,
    pub title: String,
    pub description: String,
    pub amount: Money,
    /// Fixed at once; only with `timer`.
    pub sender_currency: Option<Currency>,
    pub foreign_id: String,
    /// The reference in the JSON type it came in.
    pub foreign_json: serde_json::Value,
    pub url_success: Option<String>,
    pub url_failed: Option<String>,
    /// Who is told when the amount does not match.
    pub email: Option<String>,
    pub collection: Collection,
    pub details: Option<InvoiceDetails>,
    pub created_by: String,
}

impl NewInvoice {
    /// 1: the customer picks, then the clock starts; 2: the clock runs; 3: coin and clock are fixed.
    fn kind(&self) -> i16 {
        match (self.timer, self.sender_currency) {
            (_, Some(_)) => 3,
            (true, None) => 2,
            (false, None) => 1,
        }
    }
}

/// An invoice as it stands.
#[derive(Debug, Clone)]
pub struct InvoiceView {
    pub id: i64,
    /// `/invoice/{code}`
    pub code: String,
    pub url: String,
    pub foreign_json: serde_json::Value,
    pub title: String,
    pub description: String,
    /// 1 to 3.
    pub kind: u8,
    pub collection: Collection,
    pub email: Option<String>,
    pub details: Option<InvoiceDetails>,
    pub charge: ChargeView,
    pub created_at: OffsetDateTime,
    /// Unix seconds, while a clock runs or after it ran.
    pub fixed_at: Option<i64>,
    pub release_at: Option<i64>,
    pub seconds_left: Option<i64>,
}

/// What an invoice is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoiceKey<'a> {
    Id(i64),
    ForeignId(&'a str),
}

impl Gateway {
    /// One of the merchant's invoices.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those of other merchants.
    pub async fn find_invoice(&self, merchant_id: i64, key: InvoiceKey<'_>) -> Result<InvoiceView> {
        let mut conn = self.pool().acquire().await?;
        let public_id = match key {
            InvoiceKey::Id(id) => store::public_id_by_id(&mut conn, merchant_id, id).await?,
            InvoiceKey::ForeignId(foreign_id) => {
                store::public_id_by_reference(&mut conn, merchant_id, foreign_id).await?
            }
        }
        .ok_or(Error::NotFound)?;
        let row = charges::find(&mut conn, self.currencies(), &public_id).await?;
        let receipts = charges::receipts_of(&mut conn, self.currencies(), row.id).await?;
        self.invoice_view(row, receipts)
    }

    /// The charge behind an invoice's page.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code nobody gave out.
    pub async fn charge_of_invoice(&self, code: &str) -> Result<String> {
        let mut conn = self.pool().acquire().await?;
        store::public_id_by_code(&mut conn, code)
            .await?
            .ok_or(Error::NotFound)
    }

    /// The merchant's invoices, newest first; `before` is an id.
    pub async fn list_invoices(
        &self,
        merchant_id: i64,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<InvoiceView>> {
        let mut conn = self.pool().acquire().await?;
        let before = before.unwrap_or(i64::MAX);
        let ids = store::page(&mut conn, merchant_id, before, limit.clamp(1, 500)).await?;
        let mut views = Vec::with_capacity(ids.len());
        for public_id in ids {
            let row = charges::find(&mut conn, self.currencies(), &public_id).await?;
            let receipts = charges::receipts_of(&mut conn, self.currencies(), row.id).await?;
            views.push(self.invoice_view(row, receipts)?);
        }
        Ok(views)
    }

    /// Absolute address of an invoice's page.
    pub fn invoice_url(&self, code: &str) -> String {
        format!("{}/invoice/{code}", self.settings().public_url)
    }

    fn invoice_view(
        &self,
        row: ChargeRow,
        receipts: Vec<crate::charges::row::ReceiptRow>,
    ) -> Result<InvoiceView> {
        use crate::charges::invoice_report::{fixed_at, release_at};
        let invoice = row.invoice.clone().ok_or(Error::NotFound)?;
        let details = invoice
            .details
            .clone()
            .map(serde_json::from_value)
            .transpose()
            .map_err(Error::internal)?;
        let release = release_at(&row);
        let now = self.clock().now().unix_timestamp();
        Ok(InvoiceView {
            url: self.invoice_url(&invoice.code),
            id: invoice.id,
            code: invoice.code,
            foreign_json: invoice.foreign_json,
            title: invoice.title,
            description: invoice.description,
            kind: invoice.kind,
            collection: row.collection,
            email: invoice.email,
            details,
            created_at: row.created_at,
            fixed_at: fixed_at(&row),
            release_at: release,
            seconds_left: release.map(|at| (at - now).max(0)),
            charge: ChargeView::assemble(row, receipts),
        })
    }
}
