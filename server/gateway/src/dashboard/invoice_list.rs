//! The list of invoices, `/app/invoices` (ux §1.5), and the same as CSV.

use domain::charge::{Flags, Resolution, Status};
use domain::invoice::is_overdue;
use domain::money::Money;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::invoices::{InvoiceFilter, InvoiceItem, InvoiceListView};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};
use url::form_urlencoded::Serializer;

use super::ExportPage;
use super::invoice_selection::{InvoiceSelection, OVERDUE};
use super::invoice_store::{self, InvoiceRecord};
use super::rows::{amount_text, pill};
use super::selection::Cursor;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

const PAGE: i64 = 25;
/// Rows of an export read at a time.
const EXPORT_PAGE: i64 = 500;

/// Column names of an export of invoices.
pub const INVOICE_COLUMNS: [&str; 16] = [
    "code",
    "number",
    "created_at",
    "created_by",
    "title",
    "customer_name",
    "customer_email",
    "amount",
    "currency",
    "received",
    "received_currency",
    "due_date",
    "status",
    "flags",
    "paid_at",
    "order",
];

impl Gateway {
    /// One page of the merchant's invoices, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each filter that means nothing.
    pub async fn invoice_list(
        &self,
        merchant_id: i64,
        filter: InvoiceFilter,
        cursor: &Cursor,
    ) -> Result<InvoiceListView> {
        let (records, more) = self
            .invoice_page(merchant_id, &filter, cursor, PAGE)
            .await?;
        let (newer, older) = match cursor {
            Cursor::Newest => (false, more),
            Cursor::Before(_) => (true, more),
            Cursor::After(_) => (more, true),
        };
        let link = |name: &str, record: Option<&InvoiceRecord>| {
            let mut pairs = filter_pairs(&filter);
            record.map(|record| format!("?{}", pairs.append_pair(name, &record.code).finish()))
        };
        let export = match filter_pairs(&filter).finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        };
        let paging = Paging {
            previous: link("after", records.first().filter(|_| newer)),
            next: link("before", records.last().filter(|_| older)),
            export,
        };
        Ok(InvoiceListView {
            never_used: !invoice_store::any(self.pool(), merchant_id).await?,
            rows: records
                .iter()
                .map(|record| self.invoice_item(record))
                .collect::<Result<_>>()?,
            paging,
            filter,
        })
    }

    /// Rows of exactly the invoices that the list shows under `filter`, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each filter that means nothing.
    pub async fn export_invoices(
        &self,
        merchant_id: i64,
        filter: &InvoiceFilter,
        cursor: &Cursor,
    ) -> Result<ExportPage<Cursor>> {
        let (records, more) = self
            .invoice_page(merchant_id, filter, cursor, EXPORT_PAGE)
            .await?;
        let last = records.last().filter(|_| more);
        let next = last.map(|record| Cursor::Before(record.code.clone()));
        let rows = records
            .iter()
            .map(|record| {
                let item = self.invoice_item(record)?;
                Ok(cells(record, item))
            })
            .collect::<Result<_>>()?;
        Ok(ExportPage { rows, next })
    }

    /// The rows of a page, and whether there are more in its direction.
    async fn invoice_page(
        &self,
        merchant_id: i64,
        filter: &InvoiceFilter,
        cursor: &Cursor,
        limit: i64,
    ) -> Result<(Vec<InvoiceRecord>, bool)> {
        let selection = InvoiceSelection::parse(filter)?;
        let today = self.clock().now().date();
        let mut records = invoice_store::list(
            self.pool(),
            merchant_id,
            &selection,
            cursor,
            limit + 1,
            today,
        )
        .await?;
        let more = i64::try_from(records.len())? > limit;
        if more {
            match cursor {
                Cursor::After(_) => drop(records.remove(0)),
                Cursor::Newest | Cursor::Before(_) => drop(records.pop()),
            }
        }
        Ok((records, more))
    }

    pub(super) fn invoice_item(&self, record: &InvoiceRecord) -> Result<InvoiceItem> {
        let money = |stored, currency_id: i16| -> Result<Money> {
            let currency = self.currencies().known(currency_id)?;
            Ok(Money::from_units(units(stored), currency))
        };
        let received = match (record.coin_id, record.received) {
            (Some(coin_id), Some(received)) => Some(money(received, coin_id)?),
            _ => None,
        };
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let customer = given(&record.name).or_else(|| given(&record.email));
        Ok(InvoiceItem {
            code: record.code.clone(),
            number: given(&record.number).unwrap_or_else(|| record.foreign_id.clone()),
            customer: customer.unwrap_or_default(),
            created_at: record.created_at,
            amount: amount_text(money(record.amount, record.currency_id)?),
            received: received.filter(Money::is_positive).map(amount_text),
            due_date: record.due_date.clone(),
            status: status(record, self.clock().now().date())?,
        })
    }
}

/// The charge's pill; what waits although its day has passed is overdue.
fn status(record: &InvoiceRecord, today: Date) -> Result<StatusPill> {
    let unknown = |word: &str| Error::Internal(format!("unknown word {word} in a row"));
    let status = Status::from_word(&record.status).ok_or_else(|| unknown(&record.status))?;
    let resolution =
        Resolution::from_word(&record.resolution).ok_or_else(|| unknown(&record.resolution))?;
    let mut shown = pill(status, Flags::from_words(&record.flags), resolution);
    let waits = matches!(status, Status::Created | Status::Pending);
    let due = record.due_date.as_deref();
    if waits && due.is_some_and(|due| is_overdue(due, today)) {
        shown.flags.push(OVERDUE.to_owned());
    }
    Ok(shown)
}

fn filter_pairs(filter: &InvoiceFilter) -> Serializer<'static, String> {
    let mut pairs = Serializer::new(String::new());
    for (name, value) in [
        ("q", &filter.q),
        ("status", &filter.status),
        ("from", &filter.from),
        ("to", &filter.to),
    ] {
        if !value.is_empty() {
            pairs.append_pair(name, value);
        }
    }
    pairs
}

fn cells(record: &InvoiceRecord, item: InvoiceItem) -> Vec<String> {
    let instant = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let (received, coin) = item
        .received
        .map_or_else(Default::default, |amount| (amount.amount, amount.code));
    vec![
        item.code,
        item.number,
        instant(item.created_at),
        record.created_by.clone(),
        record.title.clone(),
        record.name.clone().unwrap_or_default(),
        record.email.clone().unwrap_or_default(),
        item.amount.amount,
        item.amount.code,
        received,
        coin,
        item.due_date.unwrap_or_default(),
        item.status.word,
        item.status.flags.join(" "),
        record.paid_at.map_or_else(String::new, instant),
        record.public_id.clone(),
    ]
}
