//! Signatures made by people: a transaction is taken, signed where its key is, and brought back.

use serde_json::json;

use super::row::TxRow;
use super::sign::{self, NOT_WAITING};
use super::wallet::Treasury;
use super::{store, tx_store};
use crate::operator::audit_log;
use crate::payouts::TxState;
use crate::{Error, Gateway, Result};

/// A transaction to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedFile {
    /// Without a folder.
    pub name: String,
    /// JSON: the fields as wallets name them, and the bytes whose hash is signed.
    pub text: String,
}

/// Bytes of a signed transaction in hexadecimal: far more than one of ours takes.
pub const SIGNED_BYTES_MAX: usize = 16 * 1024;

pub(super) const NO_TREASURY: Error = Error::Conflict("this chain makes no such payments");

impl Gateway {
    /// The transaction of a withdrawal that waits for its signature, see [`Self::unsigned_payment`].
    ///
    /// # Errors
    /// As there.
    pub async fn unsigned_transaction(&self, operation_id: i64, by: &str) -> Result<UnsignedFile> {
        let payment = self.treasury_payment_of(operation_id).await?;
        self.unsigned_payment(payment, by).await
    }

    /// Takes the signed transaction of a withdrawal back, see [`Self::signed_payment`].
    ///
    /// # Errors
    /// As there.
    pub async fn signed_transaction(&self, operation_id: i64, text: &str, by: &str) -> Result<()> {
        let payment = self.treasury_payment_of(operation_id).await?;
        self.signed_payment(payment, text, by).await
    }

    /// The transaction of a payment that waits for its signature, for whoever has the key of the account it is
    /// from. Who took it is recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when none waits for a signature.
    pub async fn unsigned_payment(&self, payment: i64, by: &str) -> Result<UnsignedFile> {
        let tx = self.drafted(payment).await?;
        self.treasury_of(&tx)?;
        let name = format!("{}.json", tx.name().replace(' ', "-"));
        let plan = &tx.plan;
        let text = serde_json::to_string_pretty(&json!({
            "type": 2,
            "from": tx.from.to_string(),
            // Hardened account of the seed, and the place below it, of what a deposit came to.
            "deposit": tx.deposit.filter(|_| tx.is_from_deposit()).map(|key| json!({
                "account": key.account, "branch": 0, "index": key.index,
            })),
            "chainId": plan.chain_id,
            "nonce": plan.nonce,
            "to": plan.to.to_string(),
            "value": plan.value.to_string(),
            "data": format!("0x{}", hex::encode(&plan.data)),
            "gasLimit": plan.gas_limit,
            "maxFeePerGas": plan.max_fee_per_gas.to_string(),
            "maxPriorityFeePerGas": plan.max_priority_fee_per_gas.to_string(),
            "accessList": [],
            "unsigned": format!("0x{}", hex::encode(plan.unsigned())),
            "signingHash": format!("0x{}", hex::encode(plan.signing_hash())),
        }))
        .map_err(Error::internal)?;
        let by = by.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    if !tx_store::downloaded(unit.conn(), tx.id, &by, now).await? {
                        return Err(NOT_WAITING);
                    }
                    let (object, action) = (tx.object(), tx.action("download"));
                    let data = json!({ "nonce": tx.plan.nonce });
                    audit_log::record(unit.conn(), now, &by, &action, &object, &data).await
                })
            })
            .await?;
        Ok(UnsignedFile { name, text })
    }

    /// Takes the signed transaction of a payment back, in hexadecimal after `0x` or without. It is sent by itself
    /// afterwards.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `signed` when it is not exactly what was to be signed, signed by another key, or
    /// longer than [`SIGNED_BYTES_MAX`]; [`Error::NotFound`]; [`Error::Conflict`] when none waits for a signature.
    pub async fn signed_payment(&self, payment: i64, text: &str, by: &str) -> Result<()> {
        let tx = self.drafted(payment).await?;
        self.treasury_of(&tx)?;
        let wrong = |why: String| Error::invalid("signed", format!("cannot be taken: {why}"));
        let digits = text.trim();
        if digits.is_empty() || digits.len() > SIGNED_BYTES_MAX {
            let why = format!("it must have 1 to {SIGNED_BYTES_MAX} characters");
            return Err(wrong(why));
        }
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let raw = hex::decode(digits).map_err(|_| wrong("it is not hexadecimal".to_owned()))?;
        let txid = tx
            .plan
            .check_signed(&raw, tx.from)
            .map_err(|error| wrong(error.to_string()))?;
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    sign::store_in(&gateway, unit, tx.id, &raw, &txid, &by).await?;
                    let now = unit.now();
                    let (object, action) = (tx.object(), tx.action("sign"));
                    let data = json!({ "nonce": tx.plan.nonce, "txid": txid });
                    audit_log::record(unit.conn(), now, &by, &action, &object, &data).await
                })
            })
            .await
    }

    /// The payment of a withdrawal.
    pub(super) async fn treasury_payment_of(&self, operation_id: i64) -> Result<i64> {
        let mut conn = self.pool().acquire().await?;
        store::of_withdrawal(&mut conn, operation_id)
            .await?
            .ok_or(Error::NotFound)
    }

    async fn drafted(&self, payment: i64) -> Result<TxRow> {
        let mut conn = self.pool().acquire().await?;
        let all = tx_store::all(&mut conn, self.currencies(), payment).await?;
        if all.is_empty() {
            return Err(Error::NotFound);
        }
        all.into_iter()
            .find(|tx| tx.state == TxState::Drafted)
            .ok_or(NOT_WAITING)
    }

    fn treasury_of(&self, tx: &TxRow) -> Result<&Treasury> {
        let chain = self.chains().of(tx.coin)?;
        chain.payer.treasury().ok_or(NO_TREASURY)
    }
}
