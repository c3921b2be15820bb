//! Signatures made by people: a transaction is taken, signed where its key is, and brought back.

use serde_json::json;

use super::row::TxRow;
use super::sign::{self, NOT_WAITING};
use super::store::{self, Place};
use super::tx_store;
use super::wallet::Treasury;
use crate::operator::{audit_log, reason};
use crate::payouts::TxState;
use crate::withdrawals::store as withdrawals;
use crate::{Error, Gateway, Result};

/// A transaction to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedFile {
    /// Without a folder.
    pub name: String,
    /// JSON: the fields as wallets name them, and the bytes whose hash is signed.
    pub text: String,
}

const NO_TREASURY: Error = Error::Conflict("this chain makes no such payments");

impl Gateway {
    /// The transaction of a withdrawal that waits for its signature, for whoever has the key. Who took it
    /// is recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when none waits for a signature.
    pub async fn unsigned_transaction(&self, operation_id: i64, by: &str) -> Result<UnsignedFile> {
        let tx = self.drafted(operation_id).await?;
        let from = self.treasury_of(&tx)?.address();
        let plan = tx.plan.clone();
        let text = serde_json::to_string_pretty(&json!({
            "type": 2,
            "from": from,
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
                    let object = format!("operation:{operation_id}");
                    let data = json!({ "nonce": plan.nonce });
                    let action = "withdrawal.download";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await
                })
            })
            .await?;
        Ok(UnsignedFile {
            name: format!("withdrawal-{operation_id}.json"),
            text,
        })
    }

    /// Takes the signed transaction back, in hexadecimal after `0x` or without. It is sent by itself
    /// afterwards.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `signed` when it is not exactly what was to be signed, or signed by another
    /// key; [`Error::NotFound`]; [`Error::Conflict`] when none waits for a signature.
    pub async fn signed_transaction(&self, operation_id: i64, text: &str, by: &str) -> Result<()> {
        let tx = self.drafted(operation_id).await?;
        let payer = self.treasury_of(&tx)?.account;
        let wrong = |why: String| Error::invalid("signed", format!("cannot be taken: {why}"));
        let digits = text.trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let raw = hex::decode(digits).map_err(|_| wrong("it is not hexadecimal".to_owned()))?;
        let txid = tx
            .plan
            .check_signed(&raw, payer)
            .map_err(|error| wrong(error.to_string()))?;
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    sign::store_in(&gateway, unit, tx.id, &raw, &txid, &by).await?;
                    let now = unit.now();
                    let object = format!("operation:{operation_id}");
                    let data = json!({ "nonce": tx.plan.nonce, "txid": txid });
                    let action = "withdrawal.sign";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await
                })
            })
            .await
    }

    /// Goes on paying from the account of a coin after somebody else has used its key. Numbers that were
    /// used up are left out; withdrawals that lost theirs wait for a person each.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it was not paused; [`Error::Invalid`] on `reason`;
    /// the node's.
    pub async fn resume_treasury(&self, code: &str, why: &str, by: &str) -> Result<()> {
        let why = reason(why)?;
        let chain = self.chains().get(code).ok_or(Error::NotFound)?;
        let treasury = chain.payer.treasury().ok_or(NO_TREASURY)?;
        let place = Place {
            chain_id: treasury.chain_id()?,
            address: treasury.address(),
        };
        let funds = treasury.node.funds(treasury.node_account()).await?;
        let next = i64::try_from(funds.mined.max(funds.waiting))?;
        let by = by.to_owned();
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let now = unit.now();
                    let book = store::lock(unit.conn(), &place, next, now).await?;
                    if book.paused_why.is_none() {
                        return Err(Error::Conflict("payments are not paused"));
                    }
                    store::resume(unit.conn(), &place, next, now).await?;
                    let object = format!("treasury:{}", place.address);
                    let data = json!({ "next_nonce": next.max(book.next_nonce), "reason": why });
                    let action = "treasury.resume";
                    audit_log::record(unit.conn(), now, &by, action, &object, &data).await?;
                    withdrawals::notify_worker(unit.conn()).await
                })
            })
            .await
    }

    async fn drafted(&self, operation_id: i64) -> Result<TxRow> {
        let mut conn = self.pool().acquire().await?;
        let payment = store::of_withdrawal(&mut conn, operation_id)
            .await?
            .ok_or(Error::NotFound)?;
        let all = tx_store::all(&mut conn, self.currencies(), payment).await?;
        all.into_iter()
            .find(|tx| tx.state == TxState::Drafted)
            .ok_or(NOT_WAITING)
    }

    fn treasury_of(&self, tx: &TxRow) -> Result<&Treasury> {
        let chain = self.chains().of(tx.coin)?;
        chain.payer.treasury().ok_or(NO_TREASURY)
    }
}
