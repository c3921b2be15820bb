//! What payouts of one chain are made with: a public key, a node, and somebody who signs.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bitcoin::Psbt;
use signing::key::SigningKey;
use signing::policy::Policy;
use signing::spent::Spent;
use signing::{Account, ChainParams, DayIsFull, RefusedPayment};
#[cfg(unix)]
use signing::{ClientError, SignerClient};
use time::OffsetDateTime;

use super::rules::Rules;
use crate::chain::backend::{CoinNode, Payer, SignedTx};
use crate::{Error, Result};

/// Who signs what was planned.
pub enum Signer {
    /// People: they download the transaction and bring it back signed.
    ByHand,
    /// A process of its own, which judges for itself what it signs.
    #[cfg(unix)]
    Process(SignerClient),
    /// This process. In test mode only: whoever finds a flaw in it has the key.
    InProcess(Box<SigningKey>),
}

/// Why payouts cannot be made with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    #[error("a key in this process is for test mode only")]
    LiveKey,
    #[error("the key of the signer does not belong to the account of payouts")]
    OtherKey,
}

/// Everything that payouts of one chain need.
pub struct Wallet {
    pub(super) account: Account,
    pub(super) chain: &'static ChainParams,
    pub(super) signer: Signer,
    pub(super) node: Arc<dyn CoinNode>,
    pub(super) rules: Rules,
}

/// Why there is no signature.
#[derive(Debug)]
pub(super) enum NotSigned {
    /// Nobody has to do anything: it is asked for again.
    Later(String),
    /// The signer will not: a person has to look.
    Refused(String),
    /// It will not make these payments; without them it may.
    Payments(Vec<RefusedPayment>),
    /// Too much of its day is used up.
    DayIsFull(DayIsFull),
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(why) | Self::Refused(why) => f.write_str(why),
            Self::Payments(payments) => {
                let why = payments.first().map_or("", |payment| payment.why.as_str());
                write!(f, "the signer refuses: {why}")
            }
            Self::DayIsFull(day) => write!(f, "the signer refuses for today: {}", day.why),
        }
    }
}

impl Wallet {
    /// `account` is the one that payers' addresses are derived from.
    ///
    /// # Errors
    /// See [`WalletError`].
    pub fn new(
        account: Account,
        chain: &'static ChainParams,
        signer: Signer,
        node: Arc<dyn CoinNode>,
        rules: Rules,
        test_mode: bool,
    ) -> Result<Self, WalletError> {
        if let Signer::InProcess(key) = &signer {
            if !test_mode {
                return Err(WalletError::LiveKey);
            }
            if key.account().key() != account.key() {
                return Err(WalletError::OtherKey);
            }
        }
        Ok(Self {
            account,
            chain,
            signer,
            node,
            rules,
        })
    }

    /// Whether signatures come without anybody doing anything.
    pub(crate) const fn signs_by_itself(&self) -> bool {
        !matches!(self.signer, Signer::ByHand)
    }

    /// Whether the id of a transaction is known before anybody signs it, and stays the same whoever signs.
    pub(crate) const fn ids_are_known(&self) -> bool {
        self.account.kind().is_segwit()
    }

    /// The rate a transaction of this moment pays, in satoshi for 1 000 virtual bytes.
    pub(super) async fn rate(&self) -> Result<signing::FeeRate> {
        let estimate = self.node.fee_rate(self.rules.target_blocks).await?;
        self.rules
            .rate(estimate)
            .map(signing::FeeRate::from_sat_per_kvb)
            .ok_or_else(|| {
                Error::Internal("the node cannot say yet what transactions pay".to_owned())
            })
    }

    /// Asks for the signatures of a transaction. The same one gets the same signatures.
    pub(super) async fn sign(
        &self,
        psbt: &Psbt,
        references: &[String],
        now: OffsetDateTime,
    ) -> Result<Psbt, NotSigned> {
        match &self.signer {
            Signer::ByHand => Err(NotSigned::Later(
                "it waits for a person to sign it".to_owned(),
            )),
            #[cfg(unix)]
            Signer::Process(client) => client.sign(psbt, references).await.map_err(not_signed),
            Signer::InProcess(key) => {
                let policy = self.anything();
                signing::signer::sign(psbt.clone(), key, &policy, &Spent::default(), now)
                    .map(|signed| signed.psbt)
                    .map_err(|error| NotSigned::Refused(error.to_string()))
            }
        }
    }

    /// Coins without value need no limits.
    fn anything(&self) -> Policy {
        Policy {
            chain: self.chain,
            payment_max: u64::MAX,
            daily_max: u64::MAX,
            fee_caps: self.rules.caps,
            destinations: None,
            change_index_max: u32::MAX >> 1,
        }
    }
}

#[cfg(unix)]
fn not_signed(error: ClientError) -> NotSigned {
    match error {
        ClientError::RefusedPayments(payments) => NotSigned::Payments(payments),
        ClientError::DayIsFull(day) => NotSigned::DayIsFull(day),
        error if error.may_pass() => NotSigned::Later(error.to_string()),
        error => NotSigned::Refused(error.to_string()),
    }
}

#[async_trait]
impl Payer for Wallet {
    async fn build(&self, reference: &str, _: &str, _: u128) -> Result<SignedTx> {
        Err(Error::Internal(format!(
            "{reference} shares its transaction with others"
        )))
    }

    fn wallet(&self) -> Option<&Wallet> {
        Some(self)
    }
}
