//! Signatures made by people: a transaction is downloaded, signed where its key is, and brought back.

use signing::psbt::{complete, read_returned};

use super::row::TxState;
use super::sign::NOT_WAITING;
use super::{sign, store};
use crate::operator::audit_log;
use crate::{Error, Gateway, Result};

/// A transaction to be signed (BIP 174).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PsbtFile {
    /// Without a folder.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Gateway {
    /// A transaction that waits for its signatures, for whoever has the key. Who took it is recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it does not wait for a signature.
    pub async fn download_psbt(&self, tx_id: i64, by: &str) -> Result<PsbtFile> {
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let tx = store::find(unit.conn(), gateway.currencies(), tx_id).await?;
                    // Either it is dropped first, or it is known that somebody has it.
                    store::lock_payout(unit.conn(), tx.payout_id).await?;
                    let tx = store::find(unit.conn(), gateway.currencies(), tx_id).await?;
                    if tx.state != TxState::Drafted {
                        return Err(NOT_WAITING);
                    }
                    let now = unit.now();
                    store::downloaded(unit.conn(), tx_id, &by, now).await?;
                    let object = format!("payout:{}", tx.payout_id);
                    let data = serde_json::json!({ "txid": tx.txid });
                    let action = "payout.download";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await?;
                    Ok(PsbtFile {
                        name: format!("payout-{}-{}.psbt", tx.payout_id, tx.id),
                        bytes: tx.psbt,
                    })
                })
            })
            .await
    }

    /// Takes a signed transaction back: the PSBT as bytes, in base64 or in hexadecimal, or the
    /// finished transaction in hexadecimal. It is sent by itself afterwards.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `psbt` when it is not the transaction that was to be signed, or a
    /// signature is missing or wrong; [`Error::NotFound`]; [`Error::Conflict`] when it does not wait
    /// for a signature.
    pub async fn upload_psbt(&self, tx_id: i64, bytes: &[u8], by: &str) -> Result<()> {
        let mut conn = self.pool().acquire().await?;
        let tx = store::find(&mut conn, self.currencies(), tx_id).await?;
        drop(conn);
        if tx.state != TxState::Drafted {
            return Err(NOT_WAITING);
        }
        let wrong = |why: String| Error::invalid("psbt", format!("cannot be taken: {why}"));
        let returned = read_returned(bytes).map_err(|error| wrong(error.to_string()))?;
        let complete = complete(&tx.psbt()?, returned).map_err(|error| wrong(error.to_string()))?;
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    sign::store_in(&gateway, unit, tx_id, &complete, &by).await?;
                    let now = unit.now();
                    let object = format!("payout:{}", tx.payout_id);
                    let data = serde_json::json!({ "txid": tx.txid, "fee": complete.fee });
                    let action = "payout.sign";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await
                })
            })
            .await
    }

    /// Has the stored bytes of a payout sent to the network once more.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has none, or is in the chain.
    pub async fn resend_payout(&self, payout_id: i64, by: &str) -> Result<()> {
        let by = by.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    store::lock_payout(unit.conn(), payout_id).await?;
                    if !store::queue_again(unit.conn(), payout_id, now).await? {
                        return Err(Error::Conflict("there is nothing to send again"));
                    }
                    let object = format!("payout:{payout_id}");
                    let data = serde_json::json!({});
                    let action = "payout.rebroadcast";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await?;
                    crate::withdrawals::store::notify_worker(unit.conn()).await
                })
            })
            .await
    }
}
