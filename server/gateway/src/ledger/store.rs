use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::ledger::{AccountId, AccountKey, AccountKind, AccountState, HOUSE, WalletType};
use domain::money::{Currency, CurrencyId};
use rust_decimal::Decimal;
use sqlx::{Executor, PgConnection, PgExecutor, PgPool, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::staged::Log;
use super::{decimal, units};
use crate::{Error, Result};

/// Channel that wakes live pages.
pub(crate) const CHARGE_CHANNEL: &str = "exchequer_charge";

pub(super) async fn find_account(pool: &PgPool, key: AccountKey) -> Result<Option<AccountId>> {
    let id: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM accounts
         WHERE merchant_id = $1 AND currency_id = $2 AND kind = $3 AND user_id = $4",
    )
    .bind(key.merchant)
    .bind(key.currency)
    .bind(key.kind.word())
    .bind(key.user_id)
    .fetch_optional(pool)
    .await?;
    Ok(id.map(AccountId))
}

/// Ids of those that exist.
pub(super) async fn find_accounts(
    pool: &PgPool,
    keys: &[AccountKey],
) -> Result<HashMap<AccountKey, AccountId>> {
    let rows = sqlx::query(
        "SELECT t.n, a.id
         FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[]) WITH ORDINALITY
              AS t (merchant_id, currency_id, kind, user_id, n)
         JOIN accounts a ON a.merchant_id = t.merchant_id AND a.currency_id = t.currency_id
                        AND a.kind = t.kind AND a.user_id = t.user_id",
    )
    .bind(keys.iter().map(|key| key.merchant).collect::<Vec<i64>>())
    .bind(keys.iter().map(|key| key.currency).collect::<Vec<i16>>())
    .bind(
        keys.iter()
            .map(|key| key.kind.word().to_owned())
            .collect::<Vec<String>>(),
    )
    .bind(keys.iter().map(|key| key.user_id).collect::<Vec<i64>>())
    .fetch_all(pool)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let number: i64 = row.try_get("n")?;
        let place = usize::try_from(number - 1)?;
        if let Some(key) = keys.get(place) {
            found.insert(*key, AccountId(row.try_get("id")?));
        }
    }
    Ok(found)
}

pub(super) async fn insert_account(
    pool: &PgPool,
    key: AccountKey,
    now: OffsetDateTime,
) -> Result<AccountId> {
    let wallet = (key.kind == AccountKind::Wallet).then_some(WalletType::Prepaid);
    let inserted: Option<i64> = sqlx::query_scalar(
        "INSERT INTO accounts (merchant_id, currency_id, kind, user_id, wallet_type, floor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING RETURNING id",
    )
    .bind(key.merchant)
    .bind(key.currency)
    .bind(key.kind.word())
    .bind(key.user_id)
    .bind(wallet.map(WalletType::word))
    .bind(wallet.map(|_| Decimal::ZERO))
    .bind(now)
    .fetch_optional(pool)
    .await?;
    match inserted {
        Some(id) => Ok(AccountId(id)),
        None => find_account(pool, key).await?.ok_or(Error::NotFound),
    }
}

/// Id, currency, posted, held, floor, version.
type LockedRow = (i64, CurrencyId, Decimal, Decimal, Option<Decimal>, i64);

/// Locks the accounts in id order: the first barrier against overdraft and the reason why two
/// entries never deadlock.
pub(super) async fn lock_accounts(
    conn: &mut PgConnection,
    ids: &BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, AccountState>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    // By position: a batch reads thousands of rows, and each name would be looked up.
    let rows: Vec<LockedRow> = sqlx::query_as(
        "SELECT id, currency_id, posted, held, floor, version FROM accounts
         WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(&ids)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, currency, posted, held, floor, version)| {
            let id = AccountId(id);
            let state = AccountState {
                id,
                currency,
                posted: units(posted),
                held: units(held),
                floor: floor.map(units),
                version,
            };
            (id, state)
        })
        .collect())
}

/// Gives accounts that are locked other floors.
pub(super) async fn set_floors(
    conn: &mut PgConnection,
    floors: &[(AccountId, Option<i128>)],
) -> Result<()> {
    if floors.is_empty() {
        return Ok(());
    }
    let (ids, floors): (Vec<i64>, Vec<Option<Decimal>>) = floors
        .iter()
        .map(|(id, floor)| (id.0, floor.map(decimal)))
        .unzip();
    sqlx::query(
        "UPDATE accounts a SET floor = t.floor
         FROM unnest($1::bigint[], $2::numeric[]) AS t (id, floor) WHERE a.id = t.id",
    )
    .bind(ids)
    .bind(floors)
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks merchants in id order: their references, quotes and limits are this unit's from here on.
pub(super) async fn lock_merchants(conn: &mut PgConnection, ids: &[i64]) -> Result<()> {
    sqlx::query("SELECT id FROM merchants WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind(ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks a place to come back to; the mark before is given up with it, in one round trip.
pub(super) async fn save_place(conn: &mut PgConnection, is_first: bool) -> Result<()> {
    let text = if is_first {
        "SAVEPOINT piece"
    } else {
        "RELEASE SAVEPOINT piece; SAVEPOINT piece"
    };
    conn.execute(text).await?;
    Ok(())
}

/// Back to the place that was marked last; it stays marked.
pub(super) async fn go_back(conn: &mut PgConnection) -> Result<()> {
    conn.execute("ROLLBACK TO SAVEPOINT piece").await?;
    Ok(())
}

/// What an account stands for.
pub(super) async fn account_kind(pool: &PgPool, id: AccountId) -> Result<AccountKind> {
    let word: String = sqlx::query_scalar("SELECT kind FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await?;
    AccountKind::from_word(&word).ok_or_else(|| Error::Internal(format!("account kind {word}")))
}

/// How much of a currency we can still deliver; `None` = as much as is asked for.
pub(crate) async fn liquidity_left(
    conn: &mut PgConnection,
    currency: Currency,
) -> Result<Option<i128>> {
    let left: Option<Option<Decimal>> = sqlx::query_scalar(
        "SELECT posted - held - floor FROM accounts
         WHERE merchant_id = $1 AND kind = $2 AND currency_id = $3",
    )
    .bind(HOUSE)
    .bind(AccountKind::Liquidity.word())
    .bind(currency.id)
    .fetch_optional(conn)
    .await?;
    Ok(left.flatten().map(units))
}

/// The same of several currencies; what is left out delivers as much as is asked for.
pub(super) async fn liquidity_left_each(
    conn: &mut PgConnection,
    currencies: &BTreeSet<CurrencyId>,
) -> Result<HashMap<CurrencyId, i128>> {
    if currencies.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted: Vec<CurrencyId> = currencies.iter().copied().collect();
    let rows: Vec<(CurrencyId, Option<Decimal>)> = sqlx::query_as(
        "SELECT currency_id, posted - held - floor FROM accounts
         WHERE merchant_id = $1 AND kind = $2 AND currency_id = ANY($3)",
    )
    .bind(HOUSE)
    .bind(AccountKind::Liquidity.word())
    .bind(wanted)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(currency, left)| Some((currency, units(left?))))
        .collect())
}

/// Wakes the live pages of these charges, all with one word.
pub(super) async fn notify(conn: &mut PgConnection, public_ids: &[String]) -> Result<()> {
    sqlx::query("SELECT pg_notify($1, t.public_id) FROM unnest($2::text[]) AS t (public_id)")
        .bind(CHARGE_CHANNEL)
        .bind(public_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Which of these events are durable.
pub(super) async fn told(conn: &mut PgConnection, events: &[String]) -> Result<HashSet<String>> {
    let found: Vec<String> = sqlx::query_scalar("SELECT id FROM events WHERE id = ANY($1)")
        .bind(events)
        .fetch_all(conn)
        .await?;
    Ok(found.into_iter().collect())
}

/// Lines of a log with these numbers that are durable, each with its time.
pub(super) async fn lines(
    conn: &mut PgConnection,
    log: Log,
    ids: &[i64],
) -> Result<HashSet<(i64, OffsetDateTime)>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let query = match log {
        Log::Timeline => "SELECT id, at FROM charge_timeline WHERE id = ANY($1)",
        Log::Audit => "SELECT id, at FROM audit_log WHERE id = ANY($1)",
    };
    let found: Vec<(i64, OffsetDateTime)> = sqlx::query_as(query).bind(ids).fetch_all(conn).await?;
    Ok(found.into_iter().collect())
}

/// Which of these entries are in the journal.
pub(super) async fn booked(
    executor: impl PgExecutor<'_>,
    entries: &[Uuid],
) -> Result<HashSet<Uuid>> {
    let found: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM journal_entries WHERE id = ANY($1)")
        .bind(entries)
        .fetch_all(executor)
        .await?;
    Ok(found.into_iter().collect())
}
