use domain::money::{Currency, Money};
use signing::evm::{Account, DepositKey, Paid, Role, Transaction};

use super::fees::Price;
use super::store::Place;
use crate::chain::base_units;
use crate::payouts::TxState;
use crate::{Error, Gateway, Result};

/// What a number is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A withdrawal, from the account that pays.
    Withdrawal,
    /// What deposits brought, from their address to the account that pays.
    Sweep,
    /// Ether for the gas of a sweep, from the account that pays to the address of a deposit.
    Gas,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Withdrawal, Self::Sweep, Self::Gas];

    /// Stored word; part of the schema.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Sweep => "sweep",
            Self::Gas => "gas",
        }
    }

    pub(super) fn from_word(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.word() == word)
            .ok_or_else(|| Error::Internal(format!("a payment for {word:?}")))
    }
}

/// One transaction of a payment as stored.
#[derive(Debug, Clone)]
pub(super) struct TxRow {
    pub(super) id: i64,
    pub(super) payment_id: i64,
    /// `None` for what moves between accounts of ours.
    pub(super) operation_id: Option<i64>,
    pub(super) purpose: Purpose,
    pub(super) from: Account,
    /// Of the deposit whose address it is from, or to.
    pub(super) deposit: Option<DepositKey>,
    pub(super) claim_id: Option<i64>,
    pub(super) coin: Currency,
    pub(super) state: TxState,
    pub(super) plan: Transaction,
    pub(super) txid: Option<String>,
    pub(super) raw: Option<Vec<u8>>,
    /// Somebody took it to sign it, or a signer's answer was lost.
    pub(super) may_be_signed: bool,
}

impl TxRow {
    /// As people are told of it, at the start of a sentence.
    pub(super) fn title(&self) -> String {
        match (self.purpose, self.operation_id) {
            (Purpose::Sweep, _) => format!("Sweep {}", self.payment_id),
            (Purpose::Gas, _) => format!("Gas transfer {}", self.payment_id),
            (Purpose::Withdrawal, Some(id)) => format!("Withdrawal {id}"),
            (Purpose::Withdrawal, None) => format!("Payment {}", self.payment_id),
        }
    }

    /// As signers and logs name it.
    pub(super) fn name(&self) -> String {
        self.title().to_lowercase()
    }

    /// As the audit log names it.
    pub(super) fn object(&self) -> String {
        match self.operation_id {
            Some(id) => format!("operation:{id}"),
            None => format!("treasury:{}", self.payment_id),
        }
    }

    /// What somebody does to it, as the audit log names it.
    pub(super) fn action(&self, what: &str) -> String {
        let of = match self.purpose {
            Purpose::Withdrawal => "withdrawal",
            Purpose::Sweep | Purpose::Gas => "treasury",
        };
        format!("{of}.{what}")
    }

    /// The address of a deposit signs it, and not the account that pays.
    pub(super) fn is_from_deposit(&self) -> bool {
        self.purpose == Purpose::Sweep
    }

    /// Whose number it has.
    pub(super) fn place(&self) -> Result<Place> {
        Ok(Place {
            chain_id: i64::try_from(self.plan.chain_id)?,
            address: self.from.to_string(),
        })
    }

    /// Which key signs it.
    pub(super) fn role(&self) -> Result<Role> {
        match (self.purpose, self.deposit) {
            (Purpose::Withdrawal, _) => Ok(Role::Payment),
            (Purpose::Sweep, Some(key)) => Ok(Role::Sweep(key)),
            (Purpose::Gas, Some(key)) => Ok(Role::TopUp(key)),
            (Purpose::Sweep | Purpose::Gas, None) => Err(Error::Internal(format!(
                "payment {} is for no deposit",
                self.payment_id
            ))),
        }
    }

    pub(super) fn price(&self) -> Price {
        Price {
            max: self.plan.max_fee_per_gas,
            tip: self.plan.max_priority_fee_per_gas,
        }
    }

    /// Who gets how many base units.
    pub(super) fn paid(&self) -> Result<(Account, u128)> {
        match self.plan.paid() {
            Some(Paid::Ether { to, wei }) => Ok((to, wei)),
            Some(Paid::Token { to, units, .. }) => Ok((to, units)),
            None => Err(Error::Internal(format!(
                "transaction {} of the treasury pays nothing",
                self.id
            ))),
        }
    }
}

/// Wei as money, the ledger's unit above where it counts less exactly: what was paid is never less than
/// what is booked.
pub(crate) fn cost(gateway: &Gateway, wei: u128) -> Result<Money> {
    const WEI_DIGITS: u32 = 18;
    let ether = gateway
        .currencies()
        .by_code("ETH")
        .ok_or_else(|| Error::Internal("there is no currency for gas".to_owned()))?;
    let scale = u32::from(ether.scale);
    let wei = i128::try_from(wei)?;
    let units = if scale >= WEI_DIGITS {
        10_i128
            .checked_pow(scale - WEI_DIGITS)
            .and_then(|factor| wei.checked_mul(factor))
    } else {
        let factor = 10_i128.pow(WEI_DIGITS - scale);
        Some(wei / factor + i128::from(wei % factor != 0))
    };
    units
        .map(|units| Money::from_units(units, ether))
        .ok_or_else(|| Error::Internal(format!("{wei} wei are no amount")))
}

/// Base units for people.
pub(crate) fn shown(coin: Currency, digits: u32, raw: u128) -> String {
    base_units::to_ledger(coin, digits, raw).map_or_else(
        || format!("{raw} base units of {}", coin.code),
        |units| {
            format!(
                "{} {}",
                Money::from_units(units, coin).shortest(),
                coin.code
            )
        },
    )
}
