use std::collections::{BTreeSet, HashSet};

use domain::ledger::{AccountId, WalletType};
use domain::money::Money;
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StatementLine, WalletView};
use crate::ledger::units;
use crate::{Error, Gateway, Result};

pub(crate) struct WalletRow {
    id: AccountId,
    merchant_id: i64,
    currency_id: i16,
    user_id: i64,
    wallet_type: String,
    credit_limit: i128,
    name: String,
    posted: i128,
    held: i128,
    version: i64,
}

impl WalletRow {
    fn read(row: &PgRow) -> Result<Self> {
        Ok(Self {
            id: AccountId(row.try_get("id")?),
            merchant_id: row.try_get("merchant_id")?,
            currency_id: row.try_get("currency_id")?,
            user_id: row.try_get("user_id")?,
            wallet_type: row.try_get("wallet_type")?,
            credit_limit: units(row.try_get("credit_limit")?),
            name: row.try_get("name")?,
            posted: units(row.try_get("posted")?),
            held: units(row.try_get("held")?),
            version: row.try_get("version")?,
        })
    }

    pub(crate) fn into_view(self, gateway: &Gateway) -> Result<WalletView> {
        let currency = gateway.currencies().known(self.currency_id)?;
        let money = |units| Money::from_units(units, currency);
        let wallet_type = WalletType::from_word(&self.wallet_type)
            .ok_or_else(|| Error::Internal(format!("wallet type {}", self.wallet_type)))?;
        Ok(WalletView {
            id: self.id.0,
            merchant_id: self.merchant_id,
            user_id: (self.user_id != 0).then_some(self.user_id),
            currency,
            wallet_type,
            name: self.name,
            available: money(self.posted - self.held),
            held: money(self.held),
            balance: money(self.posted),
            credit_limit: money(self.credit_limit),
            version: self.version,
        })
    }
}

/// True when it was made now.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    merchant_id: i64,
    currency_id: i16,
    user_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, floor, created_at)
         VALUES ($1, $2, 'wallet', $3, 'PREPAID', 0, $4)
         ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING",
    )
    .bind(merchant_id)
    .bind(currency_id)
    .bind(user_id)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}

/// Makes those that are missing: merchant, currency, the merchant's customer. Taken in the order of
/// their key, as every unique key is.
pub(crate) async fn insert_each(
    conn: &mut PgConnection,
    keys: &BTreeSet<(i64, i16, i64)>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, floor, created_at)
         SELECT t.merchant_id, t.currency_id, 'wallet', t.user_id, 'PREPAID', 0, $4
         FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) AS t (merchant_id, currency_id, user_id)
         ORDER BY t.merchant_id, t.currency_id, t.user_id
         ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING",
    )
    .bind(keys.iter().map(|key| key.0).collect::<Vec<i64>>())
    .bind(keys.iter().map(|key| key.1).collect::<Vec<i16>>())
    .bind(keys.iter().map(|key| key.2).collect::<Vec<i64>>())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

macro_rules! select_wallet {
    ($rest:literal) => {
        concat!(
            "SELECT id, merchant_id, currency_id, user_id, wallet_type, credit_limit, name, posted, held, version
             FROM accounts WHERE kind = 'wallet' AND ",
            $rest
        )
    };
}

pub(crate) async fn find_by_key(
    conn: &mut PgConnection,
    merchant_id: i64,
    currency_id: i16,
    user_id: i64,
) -> Result<Option<WalletRow>> {
    sqlx::query(select_wallet!(
        "merchant_id = $1 AND currency_id = $2 AND user_id = $3"
    ))
    .bind(merchant_id)
    .bind(currency_id)
    .bind(user_id)
    .fetch_optional(conn)
    .await?
    .as_ref()
    .map(WalletRow::read)
    .transpose()
}

pub(super) async fn find(
    conn: &mut PgConnection,
    merchant_id: i64,
    id: i64,
) -> Result<Option<WalletRow>> {
    sqlx::query(select_wallet!("merchant_id = $1 AND id = $2"))
        .bind(merchant_id)
        .bind(id)
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(WalletRow::read)
        .transpose()
}

pub(super) async fn list(pool: &PgPool, merchant_id: i64) -> Result<Vec<WalletRow>> {
    sqlx::query(select_wallet!("merchant_id = $1 ORDER BY user_id <> 0, id"))
        .bind(merchant_id)
        .fetch_all(pool)
        .await?
        .iter()
        .map(WalletRow::read)
        .collect()
}

/// What a merchant's own wallet in a currency could spend now; 0 without one.
pub(crate) async fn available(
    conn: &mut PgConnection,
    merchant_id: i64,
    currency_id: i16,
) -> Result<i128> {
    let left: Option<Decimal> = sqlx::query_scalar(
        "SELECT posted - held - floor FROM accounts
         WHERE merchant_id = $1 AND currency_id = $2 AND kind = 'wallet' AND user_id = 0",
    )
    .bind(merchant_id)
    .bind(currency_id)
    .fetch_optional(conn)
    .await?;
    Ok(left.map_or(0, units))
}

/// Whether the merchant has any wallet in the currency.
pub(crate) async fn has_currency(
    conn: &mut PgConnection,
    merchant_id: i64,
    currency_id: i16,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM accounts
         WHERE merchant_id = $1 AND currency_id = $2 AND kind = 'wallet')",
    )
    .bind(merchant_id)
    .bind(currency_id)
    .fetch_one(conn)
    .await?)
}

/// Those pairs of merchant and currency in which the merchant has any wallet.
pub(crate) async fn with_wallets(
    conn: &mut PgConnection,
    pairs: &BTreeSet<(i64, i16)>,
) -> Result<HashSet<(i64, i16)>> {
    let found: Vec<(i64, i16)> = sqlx::query_as(
        "SELECT t.merchant_id, t.currency_id
         FROM unnest($1::bigint[], $2::smallint[]) AS t (merchant_id, currency_id)
         WHERE EXISTS (SELECT 1 FROM accounts a WHERE a.merchant_id = t.merchant_id
                       AND a.currency_id = t.currency_id AND a.kind = 'wallet')",
    )
    .bind(pairs.iter().map(|pair| pair.0).collect::<Vec<i64>>())
    .bind(pairs.iter().map(|pair| pair.1).collect::<Vec<i16>>())
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

/// Both halves use the unique (account, version) indexes, so any page costs the same.
pub(super) async fn lines(
    pool: &PgPool,
    wallet: &WalletView,
    before: i64,
    limit: i64,
) -> Result<Vec<StatementLine>> {
    let rows = sqlx::query(
        "SELECT l.version, l.created_at, l.entry_id, l.label, l.amount, l.balance_after,
                e.kind, e.subject, c.public_id
         FROM lines l JOIN journal_entries e ON e.id = l.entry_id
         LEFT JOIN charges c ON c.id = CASE WHEN e.subject ~ '^charge:[0-9]+$'
                                            THEN substr(e.subject, 8)::bigint END
         WHERE l.account_id = $1 AND l.version < $2 AND l.version >= $2 - $3
         ORDER BY l.version DESC",
    )
    .bind(wallet.id)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let entry_id: Uuid = row.try_get("entry_id")?;
            let amount: Decimal = row.try_get("amount")?;
            let balance: Decimal = row.try_get("balance_after")?;
            Ok(StatementLine {
                version: row.try_get("version")?,
                at: row.try_get("created_at")?,
                entry_id: entry_id.to_string(),
                entry_kind: row.try_get("kind")?,
                label: row.try_get("label")?,
                subject: row.try_get("subject")?,
                charge_public_id: row.try_get("public_id")?,
                amount: Money::from_units(units(amount), wallet.currency),
                balance_after: Money::from_units(units(balance), wallet.currency),
            })
        })
        .collect()
}
