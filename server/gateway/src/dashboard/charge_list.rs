use domain::view::dashboard::{ChargeFilter, ChargeListView, Paging};
use url::form_urlencoded::Serializer;

use super::selection::{Cursor, Selection, page_size};
use super::store::{self, ChargeRecord};
use crate::{Gateway, Result};

/// Rows of one page of charges and whether there are others around it.
pub(super) struct ChargePage {
    pub(super) records: Vec<ChargeRecord>,
    newer: bool,
    older: bool,
}

impl Gateway {
    /// One page of the merchant's charges, newest first.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] naming each filter that means nothing.
    pub async fn charge_list(
        &self,
        merchant_id: i64,
        filter: ChargeFilter,
        cursor: &Cursor,
    ) -> Result<ChargeListView> {
        let selection = Selection::parse(&filter, self.currencies())?;
        let limit = page_size(filter.limit);
        let page = self
            .charge_page(merchant_id, &selection, cursor, limit)
            .await?;
        let paging = page.paging(&filter_query(&filter), limit);
        let newest = store::newest_charge_currency(self.pool(), merchant_id).await?;
        let rows = page
            .records
            .into_iter()
            .map(|record| record.into_row(self.currencies()))
            .collect::<Result<_>>()?;
        Ok(ChargeListView {
            currencies: self.wallet_codes(merchant_id).await?,
            never_used: newest.is_none(),
            filter,
            rows,
            paging,
        })
    }

    pub(super) async fn charge_page(
        &self,
        merchant_id: i64,
        selection: &Selection,
        cursor: &Cursor,
        limit: i64,
    ) -> Result<ChargePage> {
        let records =
            store::list_charges(self.pool(), merchant_id, selection, cursor, limit + 1).await?;
        Ok(ChargePage::cut(records, cursor, limit))
    }
}

impl ChargePage {
    /// Takes away the row that was read only to learn whether there is another page.
    fn cut(mut records: Vec<ChargeRecord>, cursor: &Cursor, limit: i64) -> Self {
        let more = i64::try_from(records.len()).is_ok_and(|rows| rows > limit);
        let (newer, older) = match cursor {
            Cursor::Newest => (false, more),
            Cursor::Before(_) => (true, more),
            Cursor::After(_) => (more, true),
        };
        if more {
            match cursor {
                Cursor::After(_) => drop(records.remove(0)),
                Cursor::Newest | Cursor::Before(_) => drop(records.pop()),
            }
        }
        Self {
            records,
            newer,
            older,
        }
    }

    /// There are charges older than the last one here.
    pub(super) fn has_older(&self) -> bool {
        self.older
    }

    /// Links around this page; `query` holds the filter, without `?`.
    pub(super) fn paging(&self, query: &str, limit: i64) -> Paging {
        let link = |name: &str, record: Option<&ChargeRecord>| {
            let mut pairs = Serializer::new(query.to_owned());
            if limit != page_size(0) {
                pairs.append_pair("limit", &limit.to_string());
            }
            record.map(|record| format!("?{}", pairs.append_pair(name, &record.public_id).finish()))
        };
        Paging {
            previous: link("after", self.records.first().filter(|_| self.newer)),
            next: link("before", self.records.last().filter(|_| self.older)),
            export: if query.is_empty() {
                String::new()
            } else {
                format!("?{query}")
            },
        }
    }
}

/// The filter as the query string it came from, in one order.
pub(super) fn filter_query(filter: &ChargeFilter) -> String {
    let mut pairs = Serializer::new(String::new());
    for (name, value) in [
        ("q", &filter.q),
        ("status", &filter.status),
        ("currency", &filter.currency),
        ("from", &filter.from),
        ("to", &filter.to),
    ] {
        if !value.is_empty() {
            pairs.append_pair(name, value);
        }
    }
    if filter.attention {
        pairs.append_pair("attention", "1");
    }
    pairs.finish()
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use time::OffsetDateTime;

    use super::*;

    fn record(id: u32) -> ChargeRecord {
        ChargeRecord {
            public_id: format!("EX-{id}"),
            created_at: OffsetDateTime::UNIX_EPOCH,
            name: None,
            surname: None,
            email: None,
            amount: Decimal::ONE,
            currency_id: 1,
            coin_id: None,
            received: None,
            status: "created".to_owned(),
            flags: Vec::new(),
            resolution: "none".to_owned(),
            needs_attention: false,
            credited: None,
            fee: None,
            paid_at: None,
        }
    }

    fn ids(page: &ChargePage) -> Vec<&str> {
        page.records
            .iter()
            .map(|record| record.public_id.as_str())
            .collect()
    }

    #[test]
    fn the_first_page_leads_to_older_ones_only() {
        let page = ChargePage::cut([9, 8, 7].map(record).to_vec(), &Cursor::Newest, 2);
        assert_eq!(ids(&page), ["EX-9", "EX-8"]);
        let paging = page.paging("", 25);
        assert_eq!(
            (paging.previous, paging.next),
            (None, Some("?before=EX-8".to_owned()))
        );
        assert_eq!(paging.export, "");
    }

    #[test]
    fn going_back_cuts_the_row_at_the_newer_end() {
        let cursor = Cursor::After("EX-5".to_owned());
        let page = ChargePage::cut([8, 7, 6].map(record).to_vec(), &cursor, 2);
        assert_eq!(ids(&page), ["EX-7", "EX-6"]);
        let paging = page.paging("status=paid", 50);
        assert_eq!(
            paging.previous.as_deref(),
            Some("?status=paid&limit=50&after=EX-7")
        );
        assert_eq!(
            paging.next.as_deref(),
            Some("?status=paid&limit=50&before=EX-6")
        );
        assert_eq!(paging.export, "?status=paid");
    }

    #[test]
    fn the_last_page_has_no_next() {
        let cursor = Cursor::Before("EX-3".to_owned());
        let page = ChargePage::cut([2, 1].map(record).to_vec(), &cursor, 2);
        assert_eq!(page.paging("", 25).next, None);
    }

    #[test]
    fn the_filter_becomes_its_query_again() {
        let filter = ChargeFilter {
            q: "Anna & Co".to_owned(),
            status: "paid".to_owned(),
            attention: true,
            limit: 50,
            ..ChargeFilter::default()
        };
        assert_eq!(
            filter_query(&filter),
            "q=Anna+%26+Co&status=paid&attention=1"
        );
        assert_eq!(filter_query(&ChargeFilter::default()), "");
    }
}
