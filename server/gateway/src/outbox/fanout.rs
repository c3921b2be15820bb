use std::sync::Arc;

use super::{EventRecord, Format, MerchantKeys, Render, store};
use crate::ledger::{NewEvent, Unit};
use crate::{Error, Result};

/// Writes staged events and one delivery per receiver.
#[derive(Clone)]
pub(crate) struct Fanout {
    renderer: Arc<dyn Render>,
}

/// One receiver of one event.
pub(super) struct Target {
    pub(super) endpoint_id: Option<i64>,
    pub(super) url: String,
    pub(super) format: Format,
}

impl Fanout {
    pub(crate) fn new(renderer: Arc<dyn Render>) -> Self {
        Self { renderer }
    }

    pub(crate) async fn write(&self, unit: &mut Unit, events: Vec<NewEvent>) -> Result<()> {
        let now = unit.now();
        for event in events {
            let record = EventRecord {
                id: event_id()?,
                merchant_id: event.merchant_id,
                kind: event.kind.to_owned(),
                sequence: store::next_sequence(unit.conn(), &event.object).await?,
                object: event.object,
                payload: event.payload,
                created_at: now,
            };
            store::insert_event(unit.conn(), &record).await?;
            // When a URL came with the request, only it gets the event (80, Webhooks).
            let targets = match event.direct {
                Some(direct) => {
                    vec![Target {
                        endpoint_id: None,
                        url: direct.url,
                        format: direct.format,
                    }]
                }
                None => receivers(unit, &record).await?,
            };
            if targets.is_empty() {
                continue;
            }
            let keys = MerchantKeys {
                app_key: store::app_key(unit.conn(), record.merchant_id).await?,
                processing: store::processing_keys(unit.conn(), record.merchant_id).await?,
            };
            for target in targets {
                if let Some(body) = self.renderer.render(target.format, &record, &keys) {
                    store::insert_delivery(unit.conn(), &record, &target, body, now).await?;
                }
            }
        }
        Ok(())
    }
}

/// The merchant's endpoints that want the event, and its callback address.
async fn receivers(unit: &mut Unit, event: &EventRecord) -> Result<Vec<Target>> {
    let mut targets = store::subscribed(unit.conn(), event.merchant_id, &event.kind).await?;
    if let Some(url) = store::callback_url(unit.conn(), event.merchant_id).await? {
        targets.push(Target {
            endpoint_id: None,
            url,
            format: Format::Processing,
        });
    }
    Ok(targets)
}

/// `evt_` and 26 characters of 128 random bits.
fn event_id() -> Result<String> {
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
