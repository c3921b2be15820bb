//! Where a merchant's callbacks go (`30-processing-api.md`, Callbacks), and the test that shows
//! whether they arrive (`50-webhooks.md`).
//!
//! Invariant: only an address that the guard permits is stored. It is asked again before each
//! attempt, because what a name resolves to may change.

use std::time::Duration as Wait;

use serde_json::json;
use uuid::Uuid;

use super::guard::UrlRefusal;
use super::{Format, callback_store, store};
use crate::ledger::{DirectTarget, NewEvent};
use crate::operator::audit_log;
use crate::{Error, Gateway, Result};

/// Type of the event of a test.
const TEST_EVENT: &str = "webhook.test";

/// How often, and how long in between, the first attempt of a test is looked for: two seconds in all.
const LOOKS: u32 = 20;
const LOOK_EVERY: Wait = Wait::from_millis(100);

/// What saving an address came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackChange {
    Saved,
    Removed,
}

/// What became of a wish to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestCallback {
    /// It is in the outbox, or was sent already.
    Sent,
    /// There is no address to send it to.
    NoUrl,
    /// There is no live key pair to sign it with.
    NoKeyPair,
}

/// What the page about callbacks reads of a merchant.
pub(crate) struct CallbackSettings {
    pub(crate) url: Option<String>,
    /// `whsec_…`
    pub(crate) webhook_secret: String,
}

impl Gateway {
    /// Stores the address of callbacks as it will be called; an empty text removes it. `by` is who
    /// asked, for the record.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `url` for one the guard refuses; [`Error::NotFound`] for an unknown
    /// merchant.
    pub async fn set_callback_url(
        &self,
        merchant_id: i64,
        url: &str,
        by: &str,
    ) -> Result<CallbackChange> {
        let wanted = match url.trim() {
            "" => None,
            url => {
                let checked = self.guard().check_url(url);
                let checked = checked.map_err(|why| Error::invalid("url", refusal(why)))?;
                Some(String::from(checked))
            }
        };
        let now = self.clock().now();
        let mut tx = self.pool().begin().await?;
        let before = callback_store::lock_url(&mut tx, merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        if before != wanted {
            callback_store::set_url(&mut tx, merchant_id, wanted.as_deref()).await?;
            let data = json!({ "before": before, "after": wanted });
            let subject = format!("merchant:{merchant_id}");
            audit_log::record(&mut tx, now, by, "callback_url.changed", &subject, &data).await?;
        }
        tx.commit().await?;
        Ok(if wanted.is_some() {
            CallbackChange::Saved
        } else {
            CallbackChange::Removed
        })
    }

    /// Sends a test to the callback address, the way every callback goes, and gives its first
    /// attempt a moment to end, so that the page can show what came of it.
    pub async fn send_test_callback(&self, merchant_id: i64) -> Result<TestCallback> {
        // Tests are about nothing else, so that one that fails keeps no other waiting.
        let object = format!("test:{}", Uuid::now_v7());
        let about = object.clone();
        let sent = self
            .book()
            .commit(move |unit| {
                Box::pin(async move {
                    let Some(url) = store::callback_url(unit.conn(), merchant_id).await? else {
                        return Ok(TestCallback::NoUrl);
                    };
                    let keys = store::processing_keys(unit.conn(), merchant_id).await?;
                    if keys.is_none() {
                        return Ok(TestCallback::NoKeyPair);
                    }
                    unit.emit(NewEvent {
                        merchant_id,
                        kind: TEST_EVENT,
                        object: about,
                        payload: json!({}),
                        direct: Some(DirectTarget {
                            url,
                            format: Format::Processing,
                        }),
                    });
                    Ok(TestCallback::Sent)
                })
            })
            .await?;
        if sent == TestCallback::Sent {
            self.wait_for_attempt(&object).await?;
        }
        Ok(sent)
    }

    async fn wait_for_attempt(&self, object: &str) -> Result<()> {
        for _ in 0..LOOKS {
            if callback_store::is_attempted(self.pool(), object).await? {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    pub(crate) async fn callback_settings(&self, merchant_id: i64) -> Result<CallbackSettings> {
        let (url, webhook_secret) = callback_store::settings(self.pool(), merchant_id)
            .await?
            .ok_or(Error::NotFound)?;
        Ok(CallbackSettings {
            url,
            webhook_secret,
        })
    }
}

/// Why an address is not taken, as what has to be different.
fn refusal(why: UrlRefusal) -> &'static str {
    match why {
        UrlRefusal::TooLong => "must be at most 2000 characters long",
        UrlRefusal::Malformed => "must be a complete address such as https://shop.example/callback",
        UrlRefusal::Scheme => "must begin with https:// or http://",
        UrlRefusal::Userinfo => "must not hold a user name or password",
        UrlRefusal::Fragment => "must not hold a # part, which would never be sent",
        UrlRefusal::Address => "must point to an address that is open to the public",
    }
}
