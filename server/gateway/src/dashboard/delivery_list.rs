//! The delivery log: every webhook and callback of the merchant (`50-webhooks.md`; ux §1.10).

use domain::view::dashboard::{Paging, StatusPill};
use domain::view::developers::{
    DeliveryDetailView, DeliveryFilter, DeliveryItem, DeliveryListView,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::ExportPage;
use super::delivery_store::{self as store, LogRecord};
use crate::{Error, FieldError, Gateway, Result};

const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;

/// Stored words; part of the schema.
const STATES: [&str; 3] = ["pending", "delivered", "failed"];

/// Every type of event there is.
const EVENTS: [&str; 22] = [
    "charge.created",
    "charge.pending",
    "charge.processing",
    "charge.paid",
    "charge.expired",
    "charge.underpaid",
    "charge.cancelled",
    "charge.failed",
    "charge.receipt",
    "charge.refunded",
    "deposit.not_confirmed",
    "deposit.suspended",
    "deposit.confirmed",
    "deposit.cancelled",
    "withdrawal.pending",
    "withdrawal.processing",
    "withdrawal.confirmed",
    "withdrawal.cancelled",
    "exchange.processing",
    "exchange.confirmed",
    "exchange.cancelled",
    "webhook.test",
];

/// Column names of an export of the delivery log.
pub const DELIVERY_COLUMNS: [&str; 14] = [
    "id",
    "created_at",
    "event",
    "event_id",
    "about",
    "format",
    "url",
    "state",
    "attempts",
    "last_status",
    "last_error",
    "last_duration_ms",
    "delivered_at",
    "next_attempt_at",
];

/// Where in the log a page is, by the id of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    #[default]
    Newest,
    /// Older ones than this.
    Before(i64),
    /// Newer ones than this.
    After(i64),
}

impl Gateway {
    /// A page of the log, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each part of the filter that means nothing.
    pub async fn delivery_list(
        &self,
        merchant_id: i64,
        filter: DeliveryFilter,
        place: Place,
        may_redeliver: bool,
    ) -> Result<DeliveryListView> {
        check(&filter)?;
        let (state, event) = (filter.state.as_str(), filter.event.as_str());
        let records = store::list(self.pool(), merchant_id, state, event, place, PAGE + 1).await?;
        let never_used =
            records.is_empty() && filter == DeliveryFilter::default() && place == Place::Newest;
        let (records, newer, older) = cut(records, place);
        let first = records.first().filter(|_| newer).map(|record| record.id);
        let last = records.last().filter(|_| older).map(|record| record.id);
        Ok(DeliveryListView {
            paging: Paging {
                previous: first.map(|id| link(&filter, Some(("after", id)))),
                next: last.map(|id| link(&filter, Some(("before", id)))),
                export: link(&filter, None),
            },
            events: EVENTS.map(str::to_owned).to_vec(),
            rows: records.into_iter().map(item).collect::<Result<_>>()?,
            filter,
            never_used,
            may_redeliver,
            notice: None,
        })
    }

    /// Some rows of an export of the log, newest first; `before` is an id.
    pub async fn export_deliveries(
        &self,
        merchant_id: i64,
        filter: &DeliveryFilter,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        check(filter)?;
        let (state, event) = (filter.state.as_str(), filter.event.as_str());
        let place = before.map_or(Place::Newest, Place::Before);
        let records =
            store::list(self.pool(), merchant_id, state, event, place, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        Ok(ExportPage {
            rows: records.into_iter().map(cells).collect(),
            next,
        })
    }

    /// Everything about one delivery.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for deliveries of others.
    pub async fn delivery_detail(&self, merchant_id: i64, id: i64) -> Result<DeliveryDetailView> {
        let record = store::find(self.pool(), merchant_id, id)
            .await?
            .ok_or(Error::NotFound)?;
        let (content, headers) = store::content(self.pool(), merchant_id, id)
            .await?
            .ok_or(Error::NotFound)?;
        let delivery = self
            .delivery_rows(vec![content])
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        Ok(DeliveryDetailView {
            item: item(record)?,
            headers,
            delivery,
        })
    }
}

fn check(filter: &DeliveryFilter) -> Result<()> {
    let mut wrong = Vec::new();
    let mut judge = |field: &str, value: &str, known: &[&str], message: &str| {
        if !value.is_empty() && !known.contains(&value) {
            wrong.push(FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        }
    };
    let states = "must be pending, delivered or failed";
    judge("state", &filter.state, &STATES, states);
    judge("event", &filter.event, &EVENTS, "must be one of the list");
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(wrong))
    }
}

/// Takes away the row that was read only to learn whether there is another page; says whether there
/// are newer and older ones.
fn cut(mut records: Vec<LogRecord>, place: Place) -> (Vec<LogRecord>, bool, bool) {
    let more = i64::try_from(records.len()).is_ok_and(|rows| rows > PAGE);
    if more {
        match place {
            Place::After(_) => drop(records.remove(0)),
            Place::Newest | Place::Before(_) => drop(records.pop()),
        }
    }
    match place {
        Place::Newest => (records, false, more),
        Place::Before(_) => (records, true, more),
        Place::After(_) => (records, more, true),
    }
}

/// The filter as a query string with `?`, empty when there is nothing to say.
fn link(filter: &DeliveryFilter, at: Option<(&str, i64)>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("state", &filter.state), ("event", &filter.event)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if let Some((name, id)) = at {
        query.append_pair(name, &id.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

fn item(record: LogRecord) -> Result<DeliveryItem> {
    let (about, href) = about(&record);
    Ok(DeliveryItem {
        id: record.id,
        created_at: record.created_at,
        delivered_at: record.delivered_at,
        event_id: record.event_id,
        event_type: record.event_type,
        about,
        href,
        format: record.format,
        url: record.url,
        status: StatusPill {
            word: record.state,
            flags: Vec::new(),
        },
        attempts: u32::try_from(record.attempts)?,
        answer: record
            .last_status
            .map(|status| status.to_string())
            .or(record.last_error),
        duration_ms: record.last_duration_ms.map(u64::try_from).transpose()?,
        next_attempt_at: record.next_attempt_at,
    })
}

/// What an event is about, in the merchant's words, and its page.
fn about(record: &LogRecord) -> (String, Option<String>) {
    if let Some(public_id) = &record.public_id {
        return (public_id.clone(), Some(format!("/app/charges/{public_id}")));
    }
    if let (Some(id), Some(kind)) = (record.operation_id, &record.operation_kind) {
        let (name, list) = match kind.as_str() {
            "deposit" | "deposit_exchange" => ("Deposit", "deposits"),
            "withdrawal" | "withdrawal_exchange" => ("Withdrawal", "withdrawals"),
            "exchange" => ("Exchange", "exchanges"),
            _ => return (format!("Operation {id}"), None),
        };
        return (format!("{name} {id}"), Some(format!("/app/{list}/{id}")));
    }
    if record.object.starts_with("test:") {
        return ("Test".to_owned(), Some("/app/callbacks".to_owned()));
    }
    (record.object.clone(), None)
}

fn cells(record: LogRecord) -> Vec<String> {
    let (about, _) = about(&record);
    let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    vec![
        record.id.to_string(),
        instant(Some(record.created_at)),
        record.event_type,
        record.event_id,
        about,
        record.format,
        record.url,
        record.state,
        record.attempts.to_string(),
        number(record.last_status.map(i64::from)),
        record.last_error.unwrap_or_default(),
        number(record.last_duration_ms),
        instant(record.delivered_at),
        instant(record.next_attempt_at),
    ]
}

fn instant(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "delivery_list_tests.rs"]
mod tests;
