//! How withdrawals on the EVM chain are paid, as the operator set it.

use std::path::PathBuf;

use super::fees::Rules;
use crate::payouts::SignerSetting;

const SIGNER: &str = "EXCHEQUER_PAYOUT_ETH_SIGNER";
/// Wei are more exact than anybody writes.
const FEE_MAX: &str = "EXCHEQUER_PAYOUT_ETH_FEE_MAX_GWEI";
const TIP_MAX: &str = "EXCHEQUER_PAYOUT_ETH_TIP_MAX_GWEI";
const BUMP_AFTER: &str = "EXCHEQUER_PAYOUT_ETH_BUMP_AFTER_BLOCKS";
const SWEEP: &str = "EXCHEQUER_PAYOUT_ETH_SWEEP_MULTIPLE";

const GWEI: u128 = 1_000_000_000;

/// The settings of the account that pays, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasurySettings {
    pub signer: SignerSetting,
    pub rules: Rules,
}

/// One setting that cannot be used: its name, and how the sentence goes on.
pub type WrongSetting = (&'static str, String);

impl TreasurySettings {
    /// The names of all variables.
    pub const VARIABLES: [&'static str; 5] = [SIGNER, FEE_MAX, TIP_MAX, BUMP_AFTER, SWEEP];

    /// Reads `EXCHEQUER_PAYOUT_ETH_…`; an empty value counts as none.
    ///
    /// - `SIGNER`: `by-hand` (as if left out), `in-process`, or the path of the signer's socket;
    /// - `FEE_MAX_GWEI`, `TIP_MAX_GWEI` (for each unit of gas), `BUMP_AFTER_BLOCKS` (0 = never): numbers;
    /// - `SWEEP_MULTIPLE`: how many times its gas a deposit has to be worth to be moved (0, or left out:
    ///   never).
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_variables(
        value_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<WrongSetting>> {
        let value = |name: &str| {
            value_of(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let mut wrong: Vec<WrongSetting> = Vec::new();
        let mut number = |name: &'static str, least: u32, most: u32| -> Option<u32> {
            let text = value(name)?;
            let read = text.parse().ok();
            let read = read.filter(|number| (least..=most).contains(number));
            if read.is_none() {
                let rule =
                    format!("is {text:?}, but must be a whole number from {least} to {most}");
                wrong.push((name, rule));
            }
            read
        };
        let usual = Rules::default();
        let fee_max = number(FEE_MAX, 1, 100_000).map(|gwei| u128::from(gwei) * GWEI);
        let tip_max = number(TIP_MAX, 1, 10_000).map(|gwei| u128::from(gwei) * GWEI);
        let bump_after_blocks = match number(BUMP_AFTER, 0, 10_000) {
            None => usual.bump_after_blocks,
            Some(0) => None,
            blocks => blocks,
        };
        let sweep_multiple = number(SWEEP, 0, 1_000_000).filter(|multiple| *multiple > 0);
        let signer = match value(SIGNER).as_deref() {
            None | Some("by-hand") => SignerSetting::ByHand,
            Some("in-process") => SignerSetting::InProcess,
            Some(path) if path.starts_with('/') => SignerSetting::Socket(PathBuf::from(path)),
            Some(other) => {
                wrong.push((
                    SIGNER,
                    format!(
                        "is {other:?}, but must be by-hand, in-process, or the full path of the \
                         signer's socket"
                    ),
                ));
                SignerSetting::ByHand
            }
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            signer,
            rules: Rules {
                fee_max: fee_max.unwrap_or(usual.fee_max),
                tip_max: tip_max.unwrap_or(usual.tip_max),
                bump_after_blocks,
                sweep_multiple,
                ..usual
            },
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<TreasurySettings, Vec<WrongSetting>> {
        TreasurySettings::from_variables(|name| {
            let found = given.iter().find(|(each, _)| *each == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_signed_by_hand_with_the_usual_limits() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.signer, SignerSetting::ByHand);
        assert_eq!(settings.rules, Rules::default());
    }

    #[test]
    fn what_is_set_counts() {
        let settings = read(&[
            (SIGNER, "/run/signer/eth"),
            (FEE_MAX, "80"),
            (BUMP_AFTER, "0"),
            (SWEEP, "20"),
        ])
        .unwrap();
        assert_eq!(
            settings.signer,
            SignerSetting::Socket("/run/signer/eth".into())
        );
        assert_eq!(settings.rules.fee_max, 80_000_000_000);
        assert_eq!(settings.rules.bump_after_blocks, None);
        assert_eq!(settings.rules.sweep_multiple, Some(20));
        let never = read(&[(SWEEP, "0")]).unwrap();
        assert_eq!(never.rules.sweep_multiple, None);
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let wrong = read(&[(SIGNER, "sock"), (FEE_MAX, "0"), (TIP_MAX, "1.5")]).unwrap_err();
        let names: Vec<&str> = wrong.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [FEE_MAX, TIP_MAX, SIGNER]);
    }
}
