//! What a set of inputs makes of a set of payments: change or none, the fee, the weight.
//!
//! Invariant: the one place where satoshis are split. Whatever is chosen elsewhere, inputs are
//! outputs plus fee, the fee is at least what the rule asks for and at most the cap.

use bitcoin::Script;

use crate::chain::ChainParams;
use crate::coins::{ChangeScript, Coin, Payment, Plan, PlannedOutput, Purpose};
use crate::fee::{FeeCaps, FeeRate, vsize};
use crate::script_kind::ScriptKind;
use crate::selection::SelectionError;

/// The heaviest transaction nodes relay, in weight units.
pub(crate) const WEIGHT_MAX: u64 = 400_000;

/// The least fee of a transaction of some weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeeRule {
    pub rate: FeeRate,
    pub replaced: Option<Replaced>,
}

/// What leaves the mempool for a replacement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replaced {
    /// Satoshis, of the replaced transaction alone.
    pub fee: u64,
    /// Virtual bytes it really has.
    pub vsize: u64,
    /// Satoshis, of what spends its outputs.
    pub descendants_fee: u64,
    pub incremental: FeeRate,
}

impl FeeRule {
    /// Satoshis for `weight` units.
    pub fn required(&self, weight: u64) -> u64 {
        let by_rate = self.rate.fee(weight);
        let Some(replaced) = &self.replaced else {
            return by_rate;
        };
        // BIP 125 rules 3 and 4: more than all that is replaced, by the price of relaying it.
        let evicted = replaced.fee.saturating_add(replaced.descendants_fee);
        let absolute = evicted.saturating_add(replaced.incremental.fee(weight));
        // And a higher rate than what it replaces: fee / size > replaced.fee / replaced.vsize.
        let scaled = u128::from(replaced.fee) * u128::from(vsize(weight))
            / u128::from(replaced.vsize.max(1));
        let by_replaced_rate = u64::try_from(scaled + 1).unwrap_or(u64::MAX);
        by_rate.max(absolute).max(by_replaced_rate)
    }
}

/// Running totals of inputs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub satoshi: u64,
    count: u64,
    weight: u64,
    legacy: u64,
}

impl Tally {
    /// Adds one input. The sum of all coins fits: [`checked_coins`] looked.
    pub fn add(&mut self, coin: &Coin, kind: ScriptKind) {
        self.satoshi += coin.satoshi;
        self.count += 1;
        self.weight += kind.input_weight();
        self.legacy += u64::from(!kind.is_segwit());
    }
}

/// What becomes of the difference between inputs and payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Satoshis; `None` without an output for it.
    pub change: Option<u64>,
    pub fee: u64,
    pub weight: u64,
}

/// Payments and rules, checked, waiting for inputs.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    payments: &'a [Payment],
    change: &'a ChangeScript,
    pub fee: FeeRule,
    /// Satoshis paid to others.
    pub paid: u64,
    /// Most satoshis of fee.
    cap: u64,
    /// Least change worth an output: not dust, and not worth less than spending it costs.
    change_min: u64,
    dust: u64,
    /// Bytes of outputs, each with the length of its script.
    payments_size: u64,
    change_size: u64,
}

impl<'a> Draft<'a> {
    /// # Errors
    /// [`SelectionError::NothingToPay`], [`SelectionError::Dust`] with the first payment that is,
    /// [`SelectionError::TooMuch`].
    pub fn new(
        payments: &'a [Payment],
        change: &'a ChangeScript,
        fee: FeeRule,
        caps: FeeCaps,
        chain: &ChainParams,
    ) -> Result<Self, SelectionError> {
        if payments.is_empty() {
            return Err(SelectionError::NothingToPay);
        }
        let mut paid = 0_u64;
        for payment in payments {
            let dust = chain.dust(&payment.script).max(1);
            if payment.satoshi < dust {
                return Err(SelectionError::Dust {
                    reference: payment.reference.clone(),
                    satoshi: payment.satoshi,
                    dust,
                });
            }
            paid = paid
                .checked_add(payment.satoshi)
                .ok_or(SelectionError::TooMuch)?;
        }
        let dust = chain.dust(&change.script);
        let spending = ScriptKind::of(&change.script)
            .ok_or(SelectionError::UnknownChangeScript)?
            .input_weight();
        Ok(Self {
            payments,
            change,
            fee,
            paid,
            cap: caps.cap(paid),
            change_min: dust.max(fee.rate.fee(spending)),
            dust,
            payments_size: payments.iter().map(|p| output_size(&p.script)).sum(),
            change_size: output_size(&change.script),
        })
    }

    /// Weight units of everything but inputs, at least, without change.
    pub fn weight_without_inputs(&self) -> u64 {
        (4 + 4 + 1 + count_size(self.output_count(false)) + self.payments_size) * 4
    }

    /// Weight units that change adds: its output, and the input that spends it one day.
    pub fn weight_of_change(&self) -> u64 {
        let spending = ScriptKind::of(&self.change.script).map_or(0, ScriptKind::input_weight);
        self.change_size * 4 + spending
    }

    fn output_count(&self, with_change: bool) -> u64 {
        let payments = u64::try_from(self.payments.len()).unwrap_or(u64::MAX - 1);
        payments + u64::from(with_change)
    }

    /// Weight units of the whole transaction with the longest signatures.
    pub fn weight(&self, inputs: &Tally, with_change: bool) -> u64 {
        let outputs = self.payments_size + if with_change { self.change_size } else { 0 };
        let counts = count_size(inputs.count) + count_size(self.output_count(with_change));
        // Version and lock time are 4 bytes each.
        let base = (4 + 4 + counts + outputs) * 4 + inputs.weight;
        // With any witness there are two bytes of marker, and an empty one for each legacy input.
        if inputs.legacy < inputs.count {
            base + 2 + inputs.legacy
        } else {
            base
        }
    }

    /// Splits what the inputs have.
    ///
    /// # Errors
    /// [`SelectionError::NotEnough`], [`SelectionError::FeeAboveCap`], or
    /// [`SelectionError::TooHeavy`].
    pub fn settle(&self, inputs: &Tally) -> Result<Settled, SelectionError> {
        let plain = self.weight(inputs, false);
        let fee_plain = self.fee.required(plain);
        let needed = self.paid.saturating_add(fee_plain);
        if inputs.satoshi < needed {
            return Err(SelectionError::NotEnough {
                missing: needed - inputs.satoshi,
            });
        }
        let rest = inputs.satoshi - self.paid;
        let weight = self.weight(inputs, true);
        let fee = self.fee.required(weight);
        let with_change = |least: u64| {
            let change = rest.checked_sub(fee).filter(|change| *change >= least)?;
            Some(Settled {
                change: Some(change),
                fee,
                weight,
            })
        };
        let without = Settled {
            change: None,
            fee: rest,
            weight: plain,
        };
        let settled = match with_change(self.change_min) {
            Some(settled) => settled,
            // Too little to be worth an output goes to the miner, unless that is above the cap.
            None if rest <= self.cap => without,
            None => with_change(self.dust).unwrap_or(without),
        };
        if settled.weight > WEIGHT_MAX {
            return Err(SelectionError::TooHeavy);
        }
        if settled.fee > self.cap {
            return Err(SelectionError::FeeAboveCap {
                fee: settled.fee,
                cap: self.cap,
            });
        }
        Ok(settled)
    }

    /// Writes the plan down, in the order of BIP 69.
    pub fn plan(&self, mut inputs: Vec<Coin>, settled: Settled) -> Plan {
        inputs.sort_by_cached_key(bip69);
        let mut outputs: Vec<PlannedOutput> = self
            .payments
            .iter()
            .map(|payment| PlannedOutput {
                script: payment.script.clone(),
                satoshi: payment.satoshi,
                purpose: Purpose::Payment {
                    reference: payment.reference.clone(),
                },
            })
            .collect();
        if let Some(satoshi) = settled.change {
            outputs.push(PlannedOutput {
                script: self.change.script.clone(),
                satoshi,
                purpose: Purpose::Change {
                    index: self.change.index,
                },
            });
        }
        outputs.sort_by(|a, b| {
            (a.satoshi, &a.script, &a.purpose).cmp(&(b.satoshi, &b.script, &b.purpose))
        });
        let change_position = outputs
            .iter()
            .position(|output| matches!(output.purpose, Purpose::Change { .. }));
        Plan {
            inputs,
            outputs,
            change_position,
            fee: settled.fee,
            weight: settled.weight,
        }
    }
}

/// Transaction ids compare as they are shown, which is from their last byte on.
fn bip69(coin: &Coin) -> (String, u32) {
    (coin.outpoint.txid.to_string(), coin.outpoint.vout)
}

/// Bytes of an output: the amount, the length of the script, the script.
fn output_size(script: &Script) -> u64 {
    let length = u64::try_from(script.len()).unwrap_or(u64::MAX / 8);
    8 + count_size(length) + length
}

/// Bytes that a count or a length takes.
const fn count_size(count: u64) -> u64 {
    match count {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Coins that may be spent, each once, with their kinds, largest first.
///
/// # Errors
/// [`SelectionError::UnknownScript`], or [`SelectionError::TooMuch`] when their sum does not fit.
pub(crate) fn checked_coins(
    coins: &[Coin],
    confirmations_min: u32,
) -> Result<Vec<(&Coin, ScriptKind)>, SelectionError> {
    let mut usable = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut sum = 0_u64;
    for coin in coins {
        // An unconfirmed coin can be replaced together with what spends it.
        if coin.confirmations < confirmations_min.max(1) || !seen.insert(coin.outpoint) {
            continue;
        }
        let kind =
            ScriptKind::of(&coin.script).ok_or(SelectionError::UnknownScript(coin.outpoint))?;
        sum = sum
            .checked_add(coin.satoshi)
            .ok_or(SelectionError::TooMuch)?;
        usable.push((coin, kind));
    }
    usable.sort_by(|(a, _), (b, _)| (b.satoshi, &a.outpoint).cmp(&(a.satoshi, &b.outpoint)));
    Ok(usable)
}

/// Adds coins to `start`, in their order, until it settles.
///
/// # Errors
/// Of [`Draft::settle`], for all of them together; the first cap that was passed, if any was.
pub(crate) fn grow(
    draft: &Draft<'_>,
    start: &[(&Coin, ScriptKind)],
    more: &[(&Coin, ScriptKind)],
) -> Result<Plan, SelectionError> {
    let mut tally = Tally::default();
    let mut inputs: Vec<Coin> = Vec::new();
    for (coin, kind) in start {
        tally.add(coin, *kind);
        inputs.push((*coin).clone());
    }
    let mut above_cap = None;
    let mut more = more.iter();
    loop {
        let error = if inputs.is_empty() {
            None
        } else {
            match draft.settle(&tally) {
                Ok(settled) => return Ok(draft.plan(inputs, settled)),
                Err(SelectionError::TooHeavy) => return Err(SelectionError::TooHeavy),
                Err(error) => Some(error),
            }
        };
        // One coin more may make change of what would be too much of a fee.
        if above_cap.is_none() && matches!(error, Some(SelectionError::FeeAboveCap { .. })) {
            above_cap.clone_from(&error);
        }
        let Some((coin, kind)) = more.next() else {
            return Err(above_cap.or(error).unwrap_or(SelectionError::NotEnough {
                missing: draft
                    .paid
                    .saturating_add(draft.fee.required(draft.weight(&tally, false))),
            }));
        };
        // A coin that costs more than it brings is left where it is.
        if coin.satoshi > draft.fee.rate.fee(kind.input_weight()) {
            tally.add(coin, *kind);
            inputs.push((*coin).clone());
        }
    }
}
