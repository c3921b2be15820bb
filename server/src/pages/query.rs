use domain::view::dashboard::ChargeFilter;
use gateway::dashboard::Cursor;
use serde::Deserialize;

use super::errors::Refusal;

/// Parameters of the lists of charges, each as text: a link that somebody edited by hand still
/// gives a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    pub(super) q: String,
    pub(super) status: String,
    pub(super) currency: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) attention: String,
    pub(super) limit: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl ListQuery {
    pub(super) fn filter(&self) -> ChargeFilter {
        ChargeFilter {
            q: self.q.trim().to_owned(),
            status: self.status.trim().to_owned(),
            currency: self.currency.trim().to_owned(),
            from: self.from.trim().to_owned(),
            to: self.to.trim().to_owned(),
            attention: matches!(self.attention.as_str(), "1" | "on" | "true"),
            limit: self.limit.parse().unwrap_or(25),
        }
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor::from_query(&self.before, &self.after)
    }
}

/// A page of a list that is numbered from its newest end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BeforeQuery {
    before: String,
}

impl BeforeQuery {
    pub(super) fn before(&self) -> Option<i64> {
        older_than(&self.before)
    }
}

/// Where a page of a list begins that is numbered from its newest end; `None`, the newest page, also for what is
/// no number of anything.
pub(super) fn older_than(before: &str) -> Option<i64> {
    before.parse().ok().filter(|before| *before > 0)
}

/// What a form of the page before has to say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NoticeQuery {
    pub(super) notice: String,
}

/// The number of a thing in a path; what is none is as unknown as one that leads nowhere.
pub(super) fn number(text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}
