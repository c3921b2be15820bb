//! Which chain a control means.

use domain::money::{Money, UNITS_MAX};

use crate::chain::address::{CoinParams, guess_coin, parse_address};
use crate::chain::simulated::SimChain;
use crate::chain::{Chain, base_units, store};
use crate::{Error, Gateway, Result};

/// The chain that is meant when nothing says otherwise.
const DEFAULT_CHAIN: &str = "BTC";

/// A chain that can be moved by hand.
#[derive(Clone, Copy)]
pub(super) struct Simulated<'a> {
    pub(super) chain: &'a Chain,
    pub(super) sim: &'a SimChain,
}

impl<'a> Simulated<'a> {
    fn of(chain: &'a Chain) -> Option<Self> {
        Some(Self {
            chain,
            sim: chain.node.simulated()?,
        })
    }

    pub(super) fn address(&self, text: &str) -> Result<String> {
        let params: &CoinParams = self.chain.params;
        let parsed = parse_address(params, text).map_err(|error| {
            Error::invalid(
                "address",
                format!("must be a valid {} address: {error}", params.code),
            )
        })?;
        Ok(parsed.canonical)
    }

    pub(super) fn raw(&self, text: &str) -> Result<u128> {
        let amount = Money::parse_exact(text, self.chain.coin)
            .map_err(|error| Error::invalid("amount", error.to_string()))?;
        // The books add up many of these.
        if amount.units() > UNITS_MAX / 1_000_000 {
            return Err(Error::invalid("amount", "is too large"));
        }
        base_units::from_ledger(amount, base_units::digits(self.chain.params))
            .ok_or_else(|| Error::Internal(format!("{amount} is no amount of its chain")))
    }

    pub(super) fn text(&self, raw: u128) -> String {
        let digits = base_units::digits(self.chain.params);
        base_units::to_ledger(self.chain.coin, digits, raw)
            .map(|units| Money::from_units(units, self.chain.coin).shortest())
            .unwrap_or_default()
    }
}

impl Gateway {
    pub(super) fn all_simulated(&self) -> Result<Vec<Simulated<'_>>> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        Ok(self
            .chains()
            .all()
            .iter()
            .filter_map(Simulated::of)
            .collect())
    }

    pub(super) fn simulated(&self, code: &str) -> Result<Simulated<'_>> {
        let all = self.all_simulated()?;
        all.iter()
            .find(|each| each.chain.params.code == code)
            .copied()
            .ok_or_else(|| {
                let codes: Vec<&str> = all.iter().map(|each| each.chain.params.code).collect();
                Error::invalid("currency", format!("must be one of {}", codes.join(", ")))
            })
    }

    pub(super) async fn simulated_tx(&self, txid: &str, field: &str) -> Result<Simulated<'_>> {
        for each in self.all_simulated()? {
            if each.sim.knows(txid).await? {
                return Ok(each);
            }
        }
        Err(Error::invalid(field, "must name a known transaction"))
    }

    pub(super) async fn simulated_of_address(&self, address: &str) -> Result<Simulated<'_>> {
        let spellings: Vec<String> = self
            .all_simulated()?
            .iter()
            .filter_map(|each| parse_address(each.chain.params, address).ok())
            .map(|address| address.canonical)
            .collect();
        let ours = store::chain_of_address(self.pool(), &spellings).await?;
        match ours
            .as_deref()
            .or(guess_coin(address).map(|coin| coin.code))
        {
            Some(code) => self.simulated(code),
            None => Err(Error::invalid(
                "address",
                "must be an address of one of the coins",
            )),
        }
    }

    pub(super) fn only_or_default<'a>(
        &'a self,
        candidates: &[Simulated<'a>],
    ) -> Result<Simulated<'a>> {
        match candidates {
            [only] => Ok(*only),
            _ => self.simulated(DEFAULT_CHAIN),
        }
    }
}
