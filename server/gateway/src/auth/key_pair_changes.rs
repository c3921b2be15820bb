//! Key pairs are made, given permissions and revoked; every change leaves a row in the audit log.
//!
//! Invariant: a private key leaves this module once, to whoever made the pair; no log and no error
//! holds it. A merchant never has more than [`KEY_PAIRS_MAX`] live pairs (`40-command-api.md`).

use domain::text::one_line;
use serde_json::json;

use super::key_pair_store::{self as store, KeyPairRecord, NewRow};
use super::key_permissions::known;
use crate::operator::audit_log;
use crate::{Error, FieldError, Gateway, Result};

/// Live pairs a merchant may have.
pub const KEY_PAIRS_MAX: u32 = 10;

/// Longest name, in characters.
pub const KEY_NAME_CHARS_MAX: usize = 60;

/// Random bytes of each half.
const KEY_BYTES: usize = 32;

/// A pair to be made, not checked yet.
#[derive(Debug, Clone, Default)]
pub struct NewKeyPair {
    pub merchant_id: i64,
    /// 1 to [`KEY_NAME_CHARS_MAX`] characters; no other live pair of the merchant has it.
    pub name: String,
    /// Commands to be switched on; none is a choice too.
    pub permissions: Vec<String>,
}

/// A pair just made, with its private half. No `Debug`: whoever logs it must not log a secret.
pub struct CreatedKeyPair {
    pub id: i64,
    pub name: String,
    pub public_key: String,
    pub private_key: String,
    pub permissions: Vec<String>,
}

impl Gateway {
    /// Makes a pair. `by` is who asked, for the record.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `name` and `permission`, and on `limit`, a whole sentence, when there
    /// are [`KEY_PAIRS_MAX`] live pairs; [`Error::NotFound`] for an unknown merchant.
    pub async fn create_key_pair(&self, new: NewKeyPair, by: &str) -> Result<CreatedKeyPair> {
        let merchant_id = new.merchant_id;
        let (name, permissions) = checked(&new)?;
        let now = self.clock().now();
        let (public_key, private_key) = (random_key()?, random_key()?);
        let mut tx = self.pool().begin().await?;
        if !store::lock_merchant(&mut tx, merchant_id).await? {
            return Err(Error::NotFound);
        }
        if store::count_live(&mut tx, merchant_id).await? >= i64::from(KEY_PAIRS_MAX) {
            let unused = store::least_used(&mut tx, merchant_id).await?;
            return Err(Error::invalid("limit", too_many(unused.as_deref())));
        }
        // Also what stops a form that is sent twice from making two pairs.
        if store::is_named(&mut tx, merchant_id, &name).await? {
            let message =
                "is that of another live key pair; its private key was shown when it was made";
            return Err(Error::invalid("name", message));
        }
        let row = NewRow {
            merchant_id,
            label: &name,
            public_key: &public_key,
            private_key: &private_key,
            permissions: &permissions,
            created_by: by,
        };
        let id = store::insert(&mut tx, &row, now).await?;
        let data = json!({
            "merchant_id": merchant_id,
            "name": name,
            "public_key": public_key,
            "permissions": permissions,
        });
        audit_log::record(&mut tx, now, by, "key_pair.created", &subject(id), &data).await?;
        tx.commit().await?;
        Ok(CreatedKeyPair {
            id,
            name,
            public_key,
            private_key,
            permissions,
        })
    }

    /// Switches on exactly these commands for a live pair. Holds from its next call on.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `permission`; [`Error::NotFound`], also for pairs of others;
    /// [`Error::Conflict`] for a revoked pair.
    pub async fn change_key_permissions(
        &self,
        merchant_id: i64,
        id: i64,
        permissions: &[String],
        by: &str,
    ) -> Result<()> {
        let wanted =
            known(permissions).ok_or_else(|| Error::invalid("permission", UNKNOWN_COMMAND))?;
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        let pair = live(store::lock(&mut tx, merchant_id, id).await?)?;
        if known(&pair.permissions).is_some_and(|before| before == wanted) {
            return Ok(());
        }
        store::set_permissions(&mut tx, id, &wanted).await?;
        let data = json!({
            "merchant_id": merchant_id,
            "name": pair.label,
            "before": pair.permissions,
            "after": wanted,
        });
        let action = "key_pair.permissions_changed";
        audit_log::record(&mut tx, now, by, action, &subject(id), &data).await?;
        tx.commit().await?;
        self.known_keys().forget();
        Ok(())
    }

    /// Ends a pair: from now on nothing that it signs is accepted, and nothing new is signed with it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for pairs of others; [`Error::Conflict`] when it is revoked already.
    pub async fn revoke_key_pair(&self, merchant_id: i64, id: i64, by: &str) -> Result<()> {
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        let pair = live(store::lock(&mut tx, merchant_id, id).await?)?;
        store::revoke(&mut tx, id, now).await?;
        let data = json!({
            "merchant_id": merchant_id,
            "name": pair.label,
            "public_key": pair.public_key,
        });
        audit_log::record(&mut tx, now, by, "key_pair.revoked", &subject(id), &data).await?;
        tx.commit().await?;
        self.known_keys().forget();
        Ok(())
    }

    /// Pairs with an id below `before`, newest first; `revoked` picks one kind, `None` both.
    pub(crate) async fn key_pair_records(
        &self,
        merchant_id: i64,
        revoked: Option<bool>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<KeyPairRecord>> {
        let before = before.unwrap_or(i64::MAX);
        store::list(self.pool(), merchant_id, revoked, before, limit).await
    }
}

const UNKNOWN_COMMAND: &str = "must be chosen from the list";

fn subject(id: i64) -> String {
    format!("key_pair:{id}")
}

fn live(found: Option<KeyPairRecord>) -> Result<KeyPairRecord> {
    let pair = found.ok_or(Error::NotFound)?;
    if pair.revoked_at.is_some() {
        return Err(Error::Conflict("this key pair is revoked"));
    }
    Ok(pair)
}

/// Name and permissions as they are kept; both are judged before either is refused.
fn checked(new: &NewKeyPair) -> Result<(String, Vec<String>)> {
    let name = one_line(&new.name);
    let mut wrong = Vec::new();
    let mut blame = |field: &str, message: String| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message,
        });
    };
    if name.is_empty() {
        blame("name", "is needed to tell key pairs apart".to_owned());
    } else if name.chars().count() > KEY_NAME_CHARS_MAX {
        let message = format!("must be at most {KEY_NAME_CHARS_MAX} characters long");
        blame("name", message);
    }
    let permissions = known(&new.permissions);
    if permissions.is_none() {
        blame("permission", UNKNOWN_COMMAND.to_owned());
    }
    match permissions {
        Some(permissions) if wrong.is_empty() => Ok((name, permissions)),
        _ => Err(Error::Invalid(wrong)),
    }
}

fn too_many(unused: Option<&str>) -> String {
    let hint = unused.map_or_else(String::new, |name| {
        format!(" “{name}” was used longest ago.")
    });
    format!("You have {KEY_PAIRS_MAX} key pairs, which is the most. Revoke one first.{hint}")
}

/// 64 hexadecimal digits of randomness.
fn random_key() -> Result<String> {
    let mut bytes = [0u8; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(new: &NewKeyPair) -> Vec<String> {
        match checked(new) {
            Err(Error::Invalid(wrong)) => wrong.into_iter().map(|error| error.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let new = NewKeyPair {
            merchant_id: 1000,
            name: " \u{202E} ".to_owned(),
            permissions: vec!["everything".to_owned()],
        };
        assert_eq!(fields(&new), ["name", "permission"]);
        let long = NewKeyPair {
            name: "x".repeat(KEY_NAME_CHARS_MAX + 1),
            ..NewKeyPair::default()
        };
        assert_eq!(fields(&long), ["name"]);
    }

    #[test]
    fn a_name_is_kept_on_one_line() {
        let new = NewKeyPair {
            name: " Web\n shop ".to_owned(),
            ..NewKeyPair::default()
        };
        assert_eq!(
            checked(&new).ok(),
            Some(("Web shop".to_owned(), Vec::new()))
        );
    }

    #[test]
    fn the_limit_names_the_pair_used_longest_ago() {
        assert!(too_many(Some("Old shop")).ends_with("“Old shop” was used longest ago."));
        assert!(too_many(None).ends_with("Revoke one first."));
    }
}
