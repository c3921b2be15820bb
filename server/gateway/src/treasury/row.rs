use domain::money::{Currency, Money};
use signing::evm::{Paid, Transaction};

use super::fees::Price;
use crate::chain::base_units;
use crate::payouts::TxState;
use crate::{Error, Gateway, Result};

/// One transaction of a payment as stored.
#[derive(Debug, Clone)]
pub(super) struct TxRow {
    pub(super) id: i64,
    pub(super) payment_id: i64,
    pub(super) operation_id: i64,
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
    pub(super) fn price(&self) -> Price {
        Price {
            max: self.plan.max_fee_per_gas,
            tip: self.plan.max_priority_fee_per_gas,
        }
    }

    /// Who gets how many base units.
    pub(super) fn paid(&self) -> Result<(signing::evm::Account, u128)> {
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
pub(super) fn cost(gateway: &Gateway, wei: u128) -> Result<Money> {
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
pub(super) fn shown(coin: Currency, digits: u32, raw: u128) -> String {
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
