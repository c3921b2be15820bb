use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::fanout_store::{self as store, Endpoint, Merchant};
use super::{EventRecord, Format, Render, RenderedBody};
use crate::ledger::{DirectTarget, NewEvent, Unit};
use crate::{Error, Result};

/// Writes staged events and one delivery per receiver.
#[derive(Clone)]
pub(crate) struct Fanout {
    renderer: Arc<dyn Render>,
}

/// One receiver of one event.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) endpoint_id: Option<i64>,
    pub(super) url: String,
    pub(super) format: Format,
}

/// An event as one receiver gets it.
pub(super) struct Delivery<'e> {
    pub(super) event: &'e EventRecord,
    pub(super) target: Target,
    pub(super) body: RenderedBody,
}

/// An event with its number, and the URL that came with the request.
struct Numbered {
    record: EventRecord,
    direct: Option<DirectTarget>,
}

impl Fanout {
    pub(crate) fn new(renderer: Arc<dyn Render>) -> Self {
        Self { renderer }
    }

    /// All events of a unit at once: the round trips do not grow with their number.
    /// `ids` are those that the first of them have already.
    pub(crate) async fn write(
        &self,
        unit: &mut Unit,
        events: Vec<NewEvent>,
        ids: Vec<String>,
    ) -> Result<()> {
        let events = number(unit, events, ids).await?;
        let records: Vec<&EventRecord> = events.iter().map(|event| &event.record).collect();
        store::write_events(unit.conn(), &records).await?;
        let concerned: BTreeSet<i64> = records.iter().map(|record| record.merchant_id).collect();
        let concerned: Vec<i64> = concerned.into_iter().collect();
        let merchants = store::merchants(unit.conn(), &concerned).await?;
        let endpoints = if events.iter().all(|event| event.direct.is_some()) {
            HashMap::new()
        } else {
            store::endpoints(unit.conn(), &concerned).await?
        };
        let mut deliveries = Vec::new();
        for event in &events {
            let record = &event.record;
            let Some(merchant) = merchants.get(&record.merchant_id) else {
                continue;
            };
            for target in targets(event, merchant, endpoints.get(&record.merchant_id)) {
                let body = self.renderer.render(target.format, record, &merchant.keys);
                deliveries.extend(body.map(|body| Delivery {
                    event: record,
                    target,
                    body,
                }));
            }
        }
        if deliveries.is_empty() {
            return Ok(());
        }
        let now = unit.now();
        store::insert_deliveries(unit.conn(), &deliveries, now).await
    }
}

/// Gives each event its id, unless it has one, and its number among those about its object.
async fn number(unit: &mut Unit, events: Vec<NewEvent>, ids: Vec<String>) -> Result<Vec<Numbered>> {
    let now = unit.now();
    let mut ids = ids.into_iter();
    let objects: BTreeSet<String> = events
        .iter()
        .filter(|event| !unit.made().contains(&event.object))
        .map(|event| event.object.clone())
        .collect();
    let objects: Vec<String> = objects.into_iter().collect();
    let mut last = if objects.is_empty() {
        HashMap::new()
    } else {
        store::last_numbers(unit.conn(), &objects).await?
    };
    events
        .into_iter()
        .map(|event| {
            let sequence = last.entry(event.object.clone()).or_insert(0);
            *sequence += 1;
            let record = EventRecord {
                id: ids.next().map_or_else(event_id, Ok)?,
                merchant_id: event.merchant_id,
                kind: event.kind.to_owned(),
                object: event.object,
                sequence: *sequence,
                payload: event.payload,
                created_at: now,
            };
            Ok(Numbered {
                record,
                direct: event.direct,
            })
        })
        .collect()
}

/// Who gets an event: the URL that came with the request and nobody else (80, Webhooks), or the
/// merchant's endpoints that want it, and its callback address.
fn targets(
    event: &Numbered,
    merchant: &Merchant,
    endpoints: Option<&Vec<Endpoint>>,
) -> Vec<Target> {
    if let Some(direct) = &event.direct {
        return vec![Target {
            endpoint_id: None,
            url: direct.url.clone(),
            format: direct.format,
        }];
    }
    let subscribed = endpoints
        .into_iter()
        .flatten()
        .filter(|endpoint| endpoint.wants(&event.record.kind))
        .map(Endpoint::target);
    let callback = merchant.callback_url.iter().map(|url| Target {
        endpoint_id: None,
        url: url.clone(),
        format: Format::Processing,
    });
    subscribed.chain(callback).collect()
}

/// `evt_` and 26 characters of 128 random bits.
pub(crate) fn event_id() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let mut number = u128::from_be_bytes(bytes);
    let mut id = String::from("evt_");
    for _ in 0..26 {
        let digit = usize::try_from(number & 31)?;
        id.push(ALPHABET.get(digit).copied().map_or('0', char::from));
        number >>= 5;
    }
    Ok(id)
}
