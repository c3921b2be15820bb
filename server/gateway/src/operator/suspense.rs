//! Suspense: every unit that belongs to no wallet yet, with its story and a way out.
//!
//! Invariant: the stories add up to the suspense accounts; where they do not, the page says by how
//! much.

use domain::money::{Currency, Money};
use domain::view::AmountText;
use domain::view::operate::{SuspenseFilter, SuspenseItem, SuspenseSum, SuspenseView, WayOut};
use rust_decimal::Decimal;
use time::format_description::well_known::Rfc3339;

use super::change::paged;
use super::suspense_store::{self as store, ItemRecord, Wanted};
use super::suspense_story::{charge_story, charge_way_out, deposit_story, deposit_way_out};
use crate::currencies::Currencies;
use crate::dashboard::ExportPage;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

/// Items of a page.
const PAGE: usize = 25;
const EXPORT_PAGE: i64 = 500;

/// Column names of an export of suspense.
pub const SUSPENSE_COLUMNS: [&str; 9] = [
    "since",
    "merchant_id",
    "merchant",
    "what",
    "story",
    "amount",
    "on_its_way_back",
    "currency",
    "way_out",
];

impl Gateway {
    /// A page of what is in suspense, oldest first, with the sums of all of it and the withdrawals
    /// that are stuck. Pages count from 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `currency` for a code that is not listed.
    pub async fn suspense_view(&self, filter: SuspenseFilter, page: usize) -> Result<SuspenseView> {
        let wanted = self.wanted(&filter)?;
        let size = i64::try_from(PAGE)?;
        let offset = i64::try_from(page.clamp(1, 1_000_000) - 1)? * size;
        let mut records = store::items(self.pool(), wanted, size, offset).await?;
        if records.is_empty() && offset > 0 {
            // Beyond the end: how long the list is stands in its first row.
            let first = store::items(self.pool(), wanted, 1, 0).await?;
            let total = usize::try_from(first.first().map_or(0, |record| record.total))?;
            let (from, _) = paged(&[], usize::MAX, total, PAGE);
            records = store::items(self.pool(), wanted, size, i64::try_from(from)?).await?;
        }
        let total = usize::try_from(records.first().map_or(0, |record| record.total))?;
        let filters = [
            ("q", filter.q.as_str()),
            ("currency", filter.currency.as_str()),
        ];
        let (_, paging) = paged(&filters, page, total, PAGE);
        let rows = self.suspense_items(records)?;
        let sums = self.suspense_sums().await?;
        let is_empty = sums.is_empty() && rows.is_empty() && filter == SuspenseFilter::default();
        Ok(SuspenseView {
            currencies: self.chains().codes().map(str::to_owned).collect(),
            rows,
            sums,
            paging,
            is_empty,
            stuck: self.stuck_withdrawals().await?,
            filter,
            notice: None,
        })
    }

    /// Some of the same items as rows of a CSV file; `from` is how many came before.
    ///
    /// # Errors
    /// As [`Self::suspense_view`].
    pub async fn export_suspense(
        &self,
        filter: &SuspenseFilter,
        from: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let wanted = self.wanted(filter)?;
        let from = from.unwrap_or(0);
        let records = store::items(self.pool(), wanted, EXPORT_PAGE, from).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let rows = self.suspense_items(records)?;
        Ok(ExportPage {
            rows: rows.into_iter().map(cells).collect(),
            next: full.then_some(from + EXPORT_PAGE),
        })
    }

    fn wanted<'a>(&self, filter: &'a SuspenseFilter) -> Result<Wanted<'a>> {
        self.check_listed(&filter.currency)?;
        // No name holds one, and the database takes no NUL.
        if filter.q.chars().any(char::is_control) {
            return Err(Error::invalid("q", "must not contain control characters"));
        }
        let currency = self.currencies().by_code(&filter.currency);
        Ok(Wanted {
            q: &filter.q,
            currency_id: currency.map(|currency| currency.id),
            deposit_id: None,
        })
    }

    async fn suspense_sums(&self) -> Result<Vec<SuspenseSum>> {
        let mut sums = store::sums(self.pool())
            .await?
            .into_iter()
            .map(|record| {
                let currency = self.currencies().known(record.currency_id)?;
                let shown = |amount: Decimal| Money::from_units(units(amount), currency).shown();
                let difference = record.accounts - record.explained;
                Ok(SuspenseSum {
                    code: currency.code.to_string(),
                    accounts: shown(record.accounts),
                    explained: shown(record.explained),
                    difference: (!difference.is_zero()).then(|| shown(difference)),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        sums.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(sums)
    }

    pub(super) fn suspense_items(&self, records: Vec<ItemRecord>) -> Result<Vec<SuspenseItem>> {
        let currencies = self.currencies();
        records
            .into_iter()
            .map(|record| item(record, currencies))
            .collect()
    }
}

fn item(record: ItemRecord, currencies: &Currencies) -> Result<SuspenseItem> {
    let currency = currencies.known(record.currency_id)?;
    let (what, href, story, way_out) = match (&record.public_id, record.deposit_id) {
        (Some(id), _) => {
            let asked = record.asked_id.map(|id| currencies.known(id)).transpose()?;
            let href = format!("/app/charges/{id}?merchant={}", record.merchant_id);
            let story = charge_story(&record, asked, currency)?;
            let way_out = charge_way_out(&record, asked, currency, &href)?;
            (format!("Charge {id}"), href, story, way_out)
        }
        (None, Some(id)) => {
            let href = format!("/app/deposits/{id}?merchant={}", record.merchant_id);
            let (story, way_out) = (deposit_story(&record), deposit_way_out(&record, id));
            (format!("Deposit {id}"), href, story, way_out)
        }
        (None, None) => {
            let story = "A refund of which nobody knows what it sends back.".to_owned();
            let text = "Run the audit of the books before anything is done.".to_owned();
            let href = "/app/operate/audit?action=deposit.refunded".to_owned();
            ("Refund".to_owned(), href, story, WayOut::Wait { text })
        }
    };
    Ok(SuspenseItem {
        since: record.since,
        merchant_id: record.merchant_id,
        merchant: record.merchant,
        what,
        href,
        story,
        amount: amount(record.units, currency),
        held: (!record.held.is_zero()).then(|| amount(record.held, currency)),
        way_out,
    })
}

pub(super) fn amount(stored: Decimal, currency: Currency) -> AmountText {
    AmountText {
        amount: Money::from_units(units(stored), currency).shown(),
        code: currency.code.to_string(),
    }
}

fn cells(item: SuspenseItem) -> Vec<String> {
    let since = item
        .since
        .and_then(|since| since.format(&Rfc3339).ok())
        .unwrap_or_default();
    vec![
        since,
        item.merchant_id.to_string(),
        item.merchant,
        item.what,
        item.story,
        item.amount.amount,
        item.held.map(|held| held.amount).unwrap_or_default(),
        item.amount.code,
        match item.way_out {
            WayOut::Charge { .. } => "accept or refund the charge".to_owned(),
            WayOut::Deposit { .. } => "release or refund the deposit".to_owned(),
            WayOut::Wait { text } => text,
        },
    ]
}
