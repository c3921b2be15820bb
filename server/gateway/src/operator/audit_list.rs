//! The audit log as a list and as CSV: who did what to what, and why.

use domain::text::{one_line, visible_json};
use domain::view::dashboard::Paging;
use domain::view::operate::{AuditFilter, AuditRow, AuditView};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::audit_list_store::{self as store, AuditRecord, Wanted};
use crate::dashboard::ExportPage;
use crate::{Gateway, Result};

/// Rows of a page.
const PAGE: i64 = 50;
const EXPORT_PAGE: i64 = 500;

/// Column names of an export of the audit log.
pub const AUDIT_COLUMNS: [&str; 6] = ["id", "at", "actor", "action", "subject", "data"];

impl Gateway {
    /// A page of the audit log, newest first; `before` is the number of a row.
    pub async fn audit_view(&self, filter: AuditFilter, before: Option<i64>) -> Result<AuditView> {
        let filter = cleaned(filter);
        let from = before.unwrap_or(i64::MAX);
        let mut records = store::list(self.pool(), wanted(&filter), from, PAGE + 1).await?;
        let more = i64::try_from(records.len())? > PAGE;
        records.truncate(usize::try_from(PAGE)?);
        let last = records.last().map(|record| record.id).filter(|_| more);
        Ok(AuditView {
            never_used: records.is_empty() && before.is_none() && filter == AuditFilter::default(),
            rows: records.into_iter().map(row).collect(),
            paging: Paging {
                previous: before.map(|_| newest(&filter)),
                next: last.map(|last| link(&filter, Some(last))),
                export: link(&filter, None),
            },
            filter,
        })
    }

    /// Some rows of the same list as rows of a CSV file; `before` is the number of a row.
    pub async fn export_audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let filter = cleaned(filter.clone());
        let from = before.unwrap_or(i64::MAX);
        let records = store::list(self.pool(), wanted(&filter), from, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        Ok(ExportPage {
            next: records.last().map(|record| record.id).filter(|_| full),
            rows: records.into_iter().map(cells).collect(),
        })
    }
}

/// Without what the log cannot hold; the database takes no NUL.
fn cleaned(filter: AuditFilter) -> AuditFilter {
    AuditFilter {
        actor: one_line(&filter.actor),
        action: one_line(&filter.action),
        subject: one_line(&filter.subject),
    }
}

fn wanted(filter: &AuditFilter) -> Wanted<'_> {
    Wanted {
        actor: &filter.actor,
        action: &filter.action,
        subject: &filter.subject,
    }
}

/// The query of a link that keeps the filter; empty when nothing is asked for.
fn link(filter: &AuditFilter, before: Option<i64>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("subject", &filter.subject),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

/// As a whole path: an empty query as a link would mean the page one is on.
fn newest(filter: &AuditFilter) -> String {
    format!("/app/operate/audit{}", link(filter, None))
}

fn row(record: AuditRecord) -> AuditRow {
    let data = match record.data.0 {
        Value::Object(data) => data
            .into_iter()
            .map(|(name, value)| (name.replace('_', " "), words(&value)))
            .collect(),
        Value::Null => Vec::new(),
        other => vec![("data".to_owned(), words(&other))],
    };
    AuditRow {
        id: record.id,
        at: record.at,
        actor: record.actor,
        action: record.action,
        subject: record.subject,
        data,
    }
}

/// A recorded value as people read it: a change as before and after, a text without quotes.
fn words(value: &Value) -> String {
    if let (Some(Value::String(before)), Some(Value::String(after))) =
        (value.get("before"), value.get("after"))
    {
        return one_line(&format!("{before} → {after}"));
    }
    match value {
        Value::String(text) => one_line(text),
        other => visible_json(&other.to_string()),
    }
}

fn cells(record: AuditRecord) -> Vec<String> {
    vec![
        record.id.to_string(),
        record.at.format(&Rfc3339).unwrap_or_default(),
        record.actor,
        record.action,
        record.subject,
        visible_json(&record.data.0.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_reads_as_before_and_after() {
        let value = json!({ "before": "1 %", "after": "2 %" });
        assert_eq!(words(&value), "1 % → 2 %");
        assert_eq!(words(&json!("new\nbank")), "new bank");
        assert_eq!(words(&json!({ "n": 1 })), r#"{"n":1}"#);
        assert_eq!(words(&json!(7)), "7");
    }

    #[test]
    fn links_keep_the_filter() {
        let filter = AuditFilter {
            action: "terms".to_owned(),
            ..AuditFilter::default()
        };
        assert_eq!(link(&filter, Some(9)), "?action=terms&before=9");
        assert_eq!(link(&AuditFilter::default(), None), "");
        assert_eq!(newest(&AuditFilter::default()), "/app/operate/audit");
    }
}
