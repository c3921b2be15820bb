//! What the product says that it has told, compared with what was heard.

use sqlx::PgPool;

use crate::oracle::Faults;

/// Deliveries that the product has under way at once to one URL.
pub const PLACES: usize = 4;

/// How long it leases a delivery to whoever sends it.
const LEASE_SECONDS: i64 = 60;

/// A receiver that is well answers at once. Whoever has had a lease for longer is dead, or could not say what
/// came of it, and nobody else sends that delivery until the lease is over.
const LOST_SECONDS: i64 = 2;

/// A delivery that is marked as delivered.
pub struct Told {
    pub url: String,
    pub webhook: String,
    /// An order by its public id, or `operation:…`.
    pub of: String,
}

/// How many deliveries to URLs that begin so are marked as delivered, and those of them that nobody has heard.
/// The marks are read before `is_heard` is asked, so it may not look at what was heard earlier.
pub async fn marked(
    pool: &PgPool,
    base: &str,
    is_heard: impl Fn(&Told) -> bool,
) -> (usize, Faults) {
    let marked: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT d.url, d.event_id, coalesce(c.public_id, d.object)
         FROM deliveries d LEFT JOIN charges c ON d.object = 'charge:' || c.id
         WHERE starts_with(d.url, $1) AND d.state = 'delivered'",
    )
    .bind(base)
    .fetch_all(pool)
    .await
    .unwrap();
    let count = marked.len();
    let unheard: Vec<Told> = marked
        .into_iter()
        .map(|(url, webhook, of)| Told { url, webhook, of })
        .filter(|told| !is_heard(told))
        .collect();
    for Told { url, webhook, of } in &unheard {
        println!("{webhook} of {of} is marked as delivered and never came to {url}");
    }
    let faults = Faults {
        untold: unheard.len(),
        ..Faults::default()
    };
    (count, faults)
}

/// Whether all that is due at URLs that begin so was sent. Left out is what waits until a lease is over that
/// was lost: the deliveries themselves, those behind them about the same object, and all to a URL that has no
/// place left.
pub async fn is_all_sent(pool: &PgPool, base: &str) -> bool {
    sqlx::query_scalar(
        "WITH lost AS (
             SELECT l.delivery, l.url
             FROM delivery_claims c
             CROSS JOIN LATERAL unnest(c.deliveries, c.urls) AS l (delivery, url)
             WHERE c.locked_until >= clock_timestamp()
               AND c.locked_until < clock_timestamp() + $2 * interval '1 second')
         SELECT NOT EXISTS (
             SELECT FROM deliveries d CROSS JOIN instance i
             WHERE starts_with(d.url, $1) AND d.state = 'pending'
               AND d.next_attempt_at
                   <= clock_timestamp() + i.clock_offset_seconds * interval '1 second'
               AND NOT EXISTS (
                   SELECT FROM deliveries e
                   WHERE e.object = d.object AND e.url = d.url AND e.state = 'pending'
                     AND e.id < d.id)
               AND NOT EXISTS (SELECT FROM lost l WHERE l.delivery = d.id)
               AND (SELECT count(*) FROM lost l WHERE l.url = hashtextextended(d.url, 0)) < $3)",
    )
    .bind(base)
    .bind(LEASE_SECONDS - LOST_SECONDS)
    .bind(i64::try_from(PLACES).unwrap())
    .fetch_one(pool)
    .await
    .unwrap()
}
