use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::fanout::{Delivery, Target};
use super::{EventRecord, Format, MerchantKeys};
use crate::copying::{COPIED_FROM, Rows, copy};
use crate::{Error, Result};

/// An endpoint that takes events.
pub(super) struct Endpoint {
    target: Target,
    /// Types it wants; none = every one.
    events: Vec<String>,
}

impl Endpoint {
    pub(super) fn wants(&self, kind: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| wanted == kind)
    }

    pub(super) fn target(&self) -> Target {
        self.target.clone()
    }
}

/// What fan-out reads of a merchant.
pub(super) struct Merchant {
    pub(super) keys: MerchantKeys,
    /// Where the Processing API's callbacks go.
    pub(super) callback_url: Option<String>,
}

/// Numbers of the last events about these objects. The caller holds the locks of their rows, so
/// numbers are gapless and in order. One look into the index for each, however many there are.
pub(super) async fn last_numbers(
    conn: &mut PgConnection,
    objects: &[String],
) -> Result<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT t.object, e.sequence FROM unnest($1::text[]) AS t (object)
             CROSS JOIN LATERAL (
                 SELECT sequence FROM events WHERE object = t.object
                 ORDER BY sequence DESC LIMIT 1
             ) e",
    )
    .bind(objects)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

const EVENTS: &str = "COPY events (id, merchant_id, type, object, sequence, payload, created_at) \
                      FROM STDIN (FORMAT binary)";
const EVENT_COLUMNS: i16 = 7;

pub(super) async fn write_events(conn: &mut PgConnection, events: &[&EventRecord]) -> Result<()> {
    if events.len() < COPIED_FROM {
        insert_events(conn, events).await
    } else {
        copy(conn, EVENTS, event_rows(events)?, || ()).await
    }
}

fn event_rows(events: &[&EventRecord]) -> Result<Vec<u8>> {
    let mut rows = Rows::new();
    for event in events {
        rows.begin(EVENT_COLUMNS);
        rows.value(&event.id.as_str())?;
        rows.value(&event.merchant_id)?;
        rows.value(&event.kind.as_str())?;
        rows.value(&event.object.as_str())?;
        rows.value(&event.sequence)?;
        rows.value(&Json(&event.payload))?;
        rows.value(&event.created_at)?;
    }
    Ok(rows.end())
}

async fn insert_events(conn: &mut PgConnection, events: &[&EventRecord]) -> Result<()> {
    let text = |pick: fn(&EventRecord) -> String| -> Vec<String> {
        events.iter().map(|event| pick(event)).collect()
    };
    sqlx::query(
        "INSERT INTO events (id, merchant_id, type, object, sequence, payload, created_at)
         SELECT t.id, t.merchant_id, t.kind, t.object, t.sequence, t.payload::jsonb, t.created_at
         FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                     $7::timestamptz[])
              AS t (id, merchant_id, kind, object, sequence, payload, created_at)",
    )
    .bind(text(|event| event.id.clone()))
    .bind(
        events
            .iter()
            .map(|event| event.merchant_id)
            .collect::<Vec<i64>>(),
    )
    .bind(text(|event| event.kind.clone()))
    .bind(text(|event| event.object.clone()))
    .bind(
        events
            .iter()
            .map(|event| event.sequence)
            .collect::<Vec<i64>>(),
    )
    .bind(text(|event| event.payload.to_string()))
    .bind(
        events
            .iter()
            .map(|event| event.created_at)
            .collect::<Vec<OffsetDateTime>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Active endpoints of these merchants, oldest first.
pub(super) async fn endpoints(
    conn: &mut PgConnection,
    merchants: &[i64],
) -> Result<HashMap<i64, Vec<Endpoint>>> {
    let rows = sqlx::query(
        "SELECT merchant_id, id, url, format, events FROM webhook_endpoints
         WHERE merchant_id = ANY($1) AND status = 'active' ORDER BY id",
    )
    .bind(merchants)
    .fetch_all(conn)
    .await?;
    let mut found: HashMap<i64, Vec<Endpoint>> = HashMap::new();
    for row in rows {
        let word: String = row.try_get("format")?;
        let format = Format::from_word(&word)
            .ok_or_else(|| Error::Internal(format!("webhook format {word}")))?;
        let endpoint = Endpoint {
            target: Target {
                endpoint_id: Some(row.try_get("id")?),
                url: row.try_get("url")?,
                format,
            },
            events: row.try_get("events")?,
        };
        found
            .entry(row.try_get("merchant_id")?)
            .or_default()
            .push(endpoint);
    }
    Ok(found)
}

/// Keys, of which the pair is the oldest active one, and callback address.
pub(super) async fn merchants(
    conn: &mut PgConnection,
    merchants: &[i64],
) -> Result<HashMap<i64, Merchant>> {
    let rows = sqlx::query(
        "SELECT m.id, m.app_key, m.callback_url, k.public_key, k.private_key
         FROM merchants m
         LEFT JOIN LATERAL (
             SELECT public_key, private_key FROM key_pairs
             WHERE merchant_id = m.id AND revoked_at IS NULL ORDER BY id LIMIT 1) k ON true
         WHERE m.id = ANY($1)",
    )
    .bind(merchants)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let public: Option<String> = row.try_get("public_key")?;
            let private: Option<String> = row.try_get("private_key")?;
            let merchant = Merchant {
                keys: MerchantKeys {
                    app_key: row.try_get("app_key")?,
                    processing: public.zip(private),
                },
                callback_url: row.try_get("callback_url")?,
            };
            Ok((row.try_get("id")?, merchant))
        })
        .collect()
}

/// Their numbers follow the given order: it is the order in which an object's deliveries are sent.
pub(super) async fn insert_deliveries(
    conn: &mut PgConnection,
    deliveries: &[Delivery<'_>],
    now: OffsetDateTime,
) -> Result<()> {
    let mut rows = Columns::default();
    for delivery in deliveries {
        rows.add(delivery)?;
    }
    sqlx::query(
        "WITH added AS (
             INSERT INTO deliveries (event_id, merchant_id, endpoint_id, object, url, format, schedule,
                 content_type, headers, body, next_attempt_at, created_at)
             SELECT t.event_id, t.merchant_id, t.endpoint_id, t.object, t.url, t.format, t.schedule,
                 t.content_type, t.headers::jsonb, t.body, $11, $11
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::text[], $10::bytea[]) WITH ORDINALITY
                  AS t (event_id, merchant_id, endpoint_id, object, url, format, schedule,
                        content_type, headers, body, n)
             ORDER BY t.n)
         SELECT pg_notify('exchequer_delivery', '')",
    )
    .bind(rows.event_id)
    .bind(rows.merchant_id)
    .bind(rows.endpoint_id)
    .bind(rows.object)
    .bind(rows.url)
    .bind(rows.format)
    .bind(rows.schedule)
    .bind(rows.content_type)
    .bind(rows.headers)
    .bind(rows.body)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    event_id: Vec<String>,
    merchant_id: Vec<i64>,
    endpoint_id: Vec<Option<i64>>,
    object: Vec<String>,
    url: Vec<String>,
    format: Vec<String>,
    schedule: Vec<String>,
    content_type: Vec<String>,
    headers: Vec<String>,
    body: Vec<Vec<u8>>,
}

impl Columns {
    fn add(&mut self, delivery: &Delivery<'_>) -> Result<()> {
        let Delivery {
            event,
            target,
            body,
        } = delivery;
        let headers = serde_json::to_string(&body.headers).map_err(Error::internal)?;
        self.event_id.push(event.id.clone());
        self.merchant_id.push(event.merchant_id);
        self.endpoint_id.push(target.endpoint_id);
        self.object.push(event.object.clone());
        self.url.push(target.url.clone());
        self.format.push(target.format.word().to_owned());
        self.schedule.push(target.format.schedule_word().to_owned());
        self.content_type.push(body.content_type.to_owned());
        self.headers.push(headers);
        self.body.push(body.body.clone());
        Ok(())
    }
}
