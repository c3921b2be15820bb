use domain::view::dashboard::{InboxRow, InboxView};

use super::rows::attention_reason;
use super::selection::{Cursor, Selection, page_size};
use crate::{Gateway, Result};

impl Gateway {
    /// Charges with money that nothing explains yet, newest first (`00-domain.md`, Charges).
    pub async fn inbox(&self, merchant_id: i64, cursor: &Cursor) -> Result<InboxView> {
        let limit = page_size(0);
        let page = self
            .charge_page(merchant_id, &inbox_selection(), cursor, limit)
            .await?;
        let paging = page.paging("", limit);
        let rows = page
            .records
            .into_iter()
            .map(|record| {
                let reason = attention_reason(record.status()?, record.flags()).to_owned();
                Ok(InboxRow {
                    reason,
                    charge: record.into_row(self.currencies())?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(InboxView { rows, paging })
    }
}

pub(super) fn inbox_selection() -> Selection {
    Selection {
        only_attention: true,
        ..Selection::default()
    }
}
