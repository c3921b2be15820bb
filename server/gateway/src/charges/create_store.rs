use std::collections::HashMap;

use domain::charge::{Flags, Resolution, Status};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::NewCharge;
use super::row::ChargeRow;
use super::store::{read_charge, select_charge};
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// A charge to be written, under the public id that was drawn for it.
pub(super) struct NewRow<'n> {
    pub(super) public_id: &'n str,
    pub(super) new: &'n NewCharge,
    pub(super) texts: &'n Texts,
}

/// What is stored of a charge as JSON, written before the transaction begins.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    customer: String,
    items: String,
    metadata: String,
    /// What the timeline says of the creation.
    told: String,
}

impl Texts {
    /// Of a charge as it will be stored.
    pub(super) fn of(new: &NewCharge) -> Result<Self> {
        let told = json!({
            "amount": new.amount.truncated(),
            "currency": new.amount.currency().code.as_str(),
            "origin": new.origin.word(),
        });
        Ok(Self {
            customer: written(&new.customer)?,
            items: written(&new.items)?,
            metadata: written(&new.metadata)?,
            told: told.to_string(),
        })
    }
}

/// What the database decided about a charge that was just written: its number, and what it took over
/// from its merchant.
pub(super) struct Made {
    pub(super) id: i64,
    merchant_name: String,
    tolerance: i128,
    rate_minutes: i32,
    fee_basis_points: u32,
    late_policy_accepts: bool,
    expires_at: OffsetDateTime,
    created_at: OffsetDateTime,
    version: i64,
}

impl Made {
    /// The row as it would be read now.
    pub(super) fn row(self, public_id: &str, new: &NewCharge) -> ChargeRow {
        ChargeRow {
            id: self.id,
            public_id: public_id.to_owned(),
            merchant_id: new.merchant_id,
            merchant_name: self.merchant_name,
            origin: new.origin.word().to_owned(),
            status: Status::Created,
            flags: Flags::default(),
            resolution: Resolution::None,
            resolved_by: None,
            resolved_at: None,
            needs_attention: false,
            amount: new.amount,
            tolerance: self.tolerance,
            rate_minutes: self.rate_minutes,
            fee_basis_points: self.fee_basis_points,
            late_policy_accepts: self.late_policy_accepts,
            wallet_user_id: new.wallet_user_id,
            customer: new.customer.clone(),
            items: new.items.clone(),
            metadata: new.metadata.clone(),
            redirect_url: new.redirect_url.clone(),
            webhook_url: new.webhook_url.clone(),
            refund_address: None,
            refund_claimed: false,
            refunded: Vec::new(),
            expires_at: self.expires_at,
            covered_at: None,
            terms: None,
            coin_consumed: None,
            credited: None,
            fee: None,
            paid_at: None,
            version: self.version,
            created_at: self.created_at,
            timer: new.timer,
            collection: new.collection,
            failed_url: new.failed_url.clone(),
            invoice: None,
        }
    }
}

/// Writes charges and the first line of their timelines; what became of each by public id. What is
/// left out has no merchant.
///
/// Policy is copied: later changes of settings do not move a running charge. The tolerance is kept
/// below the amount, or nothing at all would cover it.
pub(super) async fn insert_each(
    conn: &mut PgConnection,
    rows: &[NewRow<'_>],
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<HashMap<String, Made>> {
    let mut columns = Columns::default();
    for row in rows {
        columns.add(row);
    }
    let rows = sqlx::query(
        "WITH wanted AS (
             SELECT * FROM unnest($3::text[], $4::bigint[], $5::text[], $6::smallint[], $7::numeric[],
                 $8::numeric[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[],
                 $14::text[], $15::text[], $16::boolean[], $17::text[], $18::text[]) WITH ORDINALITY
             AS t (public_id, merchant_id, origin, currency_id, amount, unit, wallet_user_id, customer,
                 items, metadata, redirect_url, webhook_url, failed_url, timer, collection, told, n)),
         made AS (
             INSERT INTO charges (public_id, merchant_id, origin, status, currency_id, amount, tolerance,
                 rate_minutes, fee_basis_points, wallet_user_id, customer, items, metadata, redirect_url,
                 webhook_url, failed_url, timer, collection, expires_at, clock_ends_at, created_at,
                 updated_at)
             SELECT t.public_id, m.id, t.origin, 'created', t.currency_id, t.amount,
                 least(trunc(m.tolerance * t.unit), t.amount - 1), m.expiry_minutes, m.fee_basis_points,
                 t.wallet_user_id, t.customer::jsonb, t.items::jsonb, t.metadata::jsonb, t.redirect_url,
                 t.webhook_url, t.failed_url, t.timer, t.collection, clock.ends_at, clock.ends_at, $1, $1
             FROM wanted t JOIN merchants m ON m.id = t.merchant_id
             CROSS JOIN LATERAL (SELECT CASE WHEN t.timer THEN $1 + m.expiry_minutes * interval '1 minute'
                                             ELSE $2 END AS ends_at) clock
             ORDER BY t.n
             RETURNING id, public_id, merchant_id, tolerance, rate_minutes, fee_basis_points,
                 expires_at, created_at, version),
         told AS (
             INSERT INTO charge_timeline (charge_id, at, kind, data)
             SELECT made.id, $1, 'created', t.told::jsonb
             FROM made JOIN wanted t ON t.public_id = made.public_id ORDER BY made.id)
         SELECT made.*, m.name AS merchant_name, m.late_policy = 'accept' AS late_policy_accepts
         FROM made JOIN merchants m ON m.id = made.merchant_id",
    )
    .bind(now)
    .bind(expires_at)
    .bind(columns.public_id)
    .bind(columns.merchant_id)
    .bind(columns.origin)
    .bind(columns.currency_id)
    .bind(columns.amount)
    .bind(columns.unit)
    .bind(columns.wallet_user_id)
    .bind(columns.customer)
    .bind(columns.items)
    .bind(columns.metadata)
    .bind(columns.redirect_url)
    .bind(columns.webhook_url)
    .bind(columns.failed_url)
    .bind(columns.timer)
    .bind(columns.collection)
    .bind(columns.told)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let fee_points: i32 = row.try_get("fee_basis_points")?;
            let made = Made {
                id: row.try_get("id")?,
                merchant_name: row.try_get("merchant_name")?,
                tolerance: units(row.try_get("tolerance")?),
                rate_minutes: row.try_get("rate_minutes")?,
                fee_basis_points: u32::try_from(fee_points)?,
                late_policy_accepts: row.try_get("late_policy_accepts")?,
                expires_at: row.try_get("expires_at")?,
                created_at: row.try_get("created_at")?,
                version: row.try_get("version")?,
            };
            Ok((row.try_get("public_id")?, made))
        })
        .collect()
}

/// Charges by public id; what does not exist is left out.
pub(super) async fn find_each(
    conn: &mut PgConnection,
    currencies: &Currencies,
    public_ids: &[String],
) -> Result<HashMap<String, ChargeRow>> {
    let rows = sqlx::query(select_charge!("WHERE c.public_id = ANY($1)"))
        .bind(public_ids)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let charge = read_charge(row, currencies)?;
            Ok((charge.public_id.clone(), charge))
        })
        .collect()
}

#[derive(Default)]
struct Columns {
    public_id: Vec<String>,
    merchant_id: Vec<i64>,
    origin: Vec<String>,
    currency_id: Vec<i16>,
    amount: Vec<Decimal>,
    /// Ledger units in one of the currency.
    unit: Vec<Decimal>,
    wallet_user_id: Vec<i64>,
    customer: Vec<String>,
    items: Vec<String>,
    metadata: Vec<String>,
    redirect_url: Vec<Option<String>>,
    webhook_url: Vec<Option<String>>,
    failed_url: Vec<Option<String>>,
    timer: Vec<bool>,
    collection: Vec<String>,
    /// What the timeline says of the creation.
    told: Vec<String>,
}

impl Columns {
    fn add(&mut self, row: &NewRow<'_>) {
        let new = row.new;
        let currency = new.amount.currency();
        let texts = row.texts;
        self.customer.push(texts.customer.clone());
        self.items.push(texts.items.clone());
        self.metadata.push(texts.metadata.clone());
        self.public_id.push(row.public_id.to_owned());
        self.merchant_id.push(new.merchant_id);
        self.origin.push(new.origin.word().to_owned());
        self.currency_id.push(currency.id);
        self.amount.push(decimal(new.amount.units()));
        self.unit
            .push(decimal(10i128.pow(u32::from(currency.scale))));
        self.wallet_user_id.push(new.wallet_user_id);
        self.redirect_url.push(new.redirect_url.clone());
        self.webhook_url.push(new.webhook_url.clone());
        self.failed_url.push(new.failed_url.clone());
        self.timer.push(new.timer);
        self.collection.push(new.collection.word().to_owned());
        self.told.push(texts.told.clone());
    }
}

fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
