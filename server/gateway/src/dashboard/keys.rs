//! Key pairs as a page and as CSV. No private key is ever read for either.

use domain::view::dashboard::{Paging, StatusPill};
use domain::view::developers::{KeyCreatedView, KeyForm, KeyPairItem, KeysView};
use time::format_description::well_known::Rfc3339;

use super::ExportPage;
use crate::auth::{
    CreatedKeyPair, KEY_PAIRS_MAX, KeyPairRecord, permission_choices, permission_summary,
};
use crate::{Gateway, Result};

/// Revoked pairs of a page.
const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;
/// Characters of a public key that tell it apart.
const PREFIX_CHARS: usize = 12;

/// Column names of an export of key pairs.
pub const KEY_COLUMNS: [&str; 8] = [
    "id",
    "name",
    "public_key",
    "permissions",
    "created_at",
    "created_by",
    "last_used_at",
    "revoked_at",
];

impl Gateway {
    /// Every live pair and a page of the revoked ones, newest first; `before` is the id of a revoked
    /// one. The form is empty with nothing switched on.
    pub async fn keys_view(&self, merchant_id: i64, before: Option<i64>) -> Result<KeysView> {
        let live = self
            .key_pair_records(merchant_id, Some(false), None, i64::MAX)
            .await?;
        let mut revoked = self
            .key_pair_records(merchant_id, Some(true), before, PAGE + 1)
            .await?;
        let more = i64::try_from(revoked.len())? > PAGE;
        revoked.truncate(usize::try_from(PAGE)?);
        let last = revoked.last().map(|record| record.id).filter(|_| more);
        Ok(KeysView {
            live: live.into_iter().map(item).collect(),
            live_max: KEY_PAIRS_MAX,
            paging: Paging {
                previous: before.map(|_| "/app/keys".to_owned()),
                next: last.map(|id| format!("?before={id}")),
                export: String::new(),
            },
            revoked: revoked.into_iter().map(item).collect(),
            form: key_form(String::new(), &[]),
            notice: None,
        })
    }

    /// Some rows of an export of key pairs, newest first; `before` is an id.
    pub async fn export_key_pairs(
        &self,
        merchant_id: i64,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let records = self
            .key_pair_records(merchant_id, None, before, EXPORT_PAGE)
            .await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        Ok(ExportPage {
            rows: records.into_iter().map(cells).collect(),
            next,
        })
    }
}

/// The form that makes a pair, filled in.
pub fn key_form(name: String, permissions: &[String]) -> KeyForm {
    KeyForm {
        name,
        groups: permission_choices(permissions),
    }
}

/// The page that shows a private key, once.
pub fn key_created(made: CreatedKeyPair) -> KeyCreatedView {
    KeyCreatedView {
        summary: permission_summary(&made.permissions),
        name: made.name,
        public_key: made.public_key,
        private_key: made.private_key,
    }
}

/// The first characters of a public key.
pub(super) fn prefix(public_key: &str) -> String {
    public_key.chars().take(PREFIX_CHARS).collect()
}

fn item(record: KeyPairRecord) -> KeyPairItem {
    let is_live = record.revoked_at.is_none();
    let word = if is_live { "active" } else { "revoked" };
    KeyPairItem {
        id: record.id,
        prefix: prefix(&record.public_key),
        summary: permission_summary(&record.permissions),
        groups: if is_live {
            permission_choices(&record.permissions)
        } else {
            Vec::new()
        },
        name: record.label,
        created_at: record.created_at,
        created_by: record.created_by,
        last_used_at: record.last_used_at,
        revoked_at: record.revoked_at,
        status: StatusPill {
            word: word.to_owned(),
            flags: Vec::new(),
        },
    }
}

fn cells(record: KeyPairRecord) -> Vec<String> {
    let instant = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    vec![
        record.id.to_string(),
        record.label,
        record.public_key,
        record.permissions.join(" "),
        instant(record.created_at),
        record.created_by.unwrap_or_default(),
        record.last_used_at.map_or_else(String::new, instant),
        record.revoked_at.map_or_else(String::new, instant),
    ]
}
