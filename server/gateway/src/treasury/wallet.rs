//! What an account pays with: a node, an address, and somebody who signs.

use std::sync::Arc;

use async_trait::async_trait;
use signing::evm::{Account, Keys, Role, Transaction};
#[cfg(unix)]
use signing::{ClientError, SignerClient};

use super::fees::Rules;
use crate::chain::backend::{Payer, SignedTx};
use crate::chain::evm::{self, Asset, Evm};
use crate::{Error, Result};

/// Who signs what was planned.
pub enum Signer {
    /// People: they download the transaction and bring it back signed.
    ByHand,
    /// A process of its own, which judges for itself what it signs.
    #[cfg(unix)]
    Process(SignerClient),
    /// This process. In test mode only: whoever finds a flaw in it has the key.
    InProcess(Box<Keys>),
}

/// Why an account cannot pay with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreasuryError {
    #[error("a key in this process is for test mode only")]
    LiveKey,
    #[error("the key of the signer does not belong to the account that pays")]
    OtherKey,
}

/// One coin as the account pays it. The account is the same for all coins of a network.
pub struct Treasury {
    pub(super) node: Arc<Evm>,
    pub(super) account: Account,
    pub(super) signer: Signer,
    pub(super) rules: Rules,
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum NotSigned {
    /// Nobody has to do anything: it is asked for again.
    Later(String),
    /// The same, but it may have signed: the answer was lost.
    Unheard(String),
    /// The signer said that it will not: nothing is signed.
    Refused(String),
    /// It said so for today.
    Tomorrow(String),
    /// It said something else than an answer: a person has to look, and it may have signed.
    Garbled(String),
}

impl Treasury {
    /// # Errors
    /// See [`TreasuryError`].
    pub fn new(
        node: Arc<Evm>,
        account: Account,
        signer: Signer,
        rules: Rules,
        test_mode: bool,
    ) -> Result<Self, TreasuryError> {
        if let Signer::InProcess(keys) = &signer {
            if !test_mode {
                return Err(TreasuryError::LiveKey);
            }
            if signing::evm::treasury(keys.payer()) != Ok(account) {
                return Err(TreasuryError::OtherKey);
            }
        }
        Ok(Self {
            node,
            account,
            signer,
            rules,
        })
    }

    /// Whether signatures come without anybody doing anything.
    pub(crate) const fn signs_by_itself(&self) -> bool {
        !matches!(self.signer, Signer::ByHand)
    }

    /// With the checksum of EIP-55.
    pub(crate) fn address(&self) -> String {
        self.account.to_string()
    }

    /// Whether an address is the contract of the token it pays with.
    pub(crate) fn is_contract(&self, address: &str) -> bool {
        match self.node.asset() {
            Asset::Native => false,
            Asset::Token { contract, .. } => address
                .parse::<evm::Account>()
                .is_ok_and(|account| account == contract),
        }
    }

    /// As the node's calls take it.
    pub(super) const fn node_account(&self) -> evm::Account {
        evm::Account(self.account.0)
    }

    /// As the tables have it: EIP-155's, below 2^63 on every network there is.
    pub(crate) fn chain_id(&self) -> Result<i64> {
        Ok(i64::try_from(self.node.network().chain_id())?)
    }

    /// A transaction in a block, whoever sent it, and what it moved of this coin.
    ///
    /// # Errors
    /// As every call of the node.
    pub(crate) async fn sent(&self, txid: &str) -> Result<Option<evm::Sent>> {
        self.node.sent(txid).await
    }

    /// Asks for the signed bytes of a transaction.
    pub(super) async fn sign(
        &self,
        transaction: &Transaction,
        references: &[String],
        role: Role,
    ) -> Result<Vec<u8>, NotSigned> {
        match &self.signer {
            Signer::ByHand => Err(NotSigned::Later(
                "it waits for a person to sign it".to_owned(),
            )),
            #[cfg(unix)]
            Signer::Process(client) => client
                .sign_account(transaction, references, role)
                .await
                .map_err(not_signed),
            // Coins without value need no limits.
            Signer::InProcess(keys) => {
                signing::evm::signer::sign_anything_as(role, transaction, keys)
                    .map(|(raw, _)| raw)
                    .map_err(|error| NotSigned::Refused(error.to_string()))
            }
        }
    }
}

#[cfg(unix)]
fn not_signed(error: ClientError) -> NotSigned {
    let why = error.to_string();
    match &error {
        ClientError::Unreachable(_) | ClientError::Failed(_) => NotSigned::Later(why),
        ClientError::Refused(_) => NotSigned::Refused(why),
        ClientError::DayIsFull(_) => NotSigned::Tomorrow(why),
        _ if error.may_pass() => NotSigned::Unheard(why),
        ClientError::TimedOut
        | ClientError::HungUp
        | ClientError::RefusedPayments(_)
        | ClientError::Frame(_)
        | ClientError::Garbled(_) => NotSigned::Garbled(why),
    }
}

#[async_trait]
impl Payer for Treasury {
    async fn build(&self, reference: &str, _: &str, _: u128) -> Result<SignedTx> {
        Err(Error::Internal(format!(
            "{reference} is paid with a number of its own"
        )))
    }

    fn treasury(&self) -> Option<&Treasury> {
        Some(self)
    }
}
