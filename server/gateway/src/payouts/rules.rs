//! How payouts of one chain are made, as the operator set it.

use std::path::PathBuf;

use signing::FeeCaps;

/// Blocks within which a transaction should be mined, unless the settings say otherwise.
const TARGET_BLOCKS: u16 = 6;
/// Satoshi for 1 000 virtual bytes below which nodes relay nothing.
const RATE_MIN: u64 = 1_000;
/// The highest rate paid, unless the settings say otherwise.
const RATE_MAX: u64 = 500_000;
/// The highest fee paid, in satoshi and in millionths of what is paid, unless the settings say
/// otherwise.
const FEE_MAX: u64 = 200_000;
const FEE_MAX_PPM: u32 = 50_000;
/// Withdrawals that share a transaction at most, unless the settings say otherwise.
const BATCH_MAX: u16 = 50;

/// Limits of what payouts may cost, and how many withdrawals share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// 1 to 1008.
    pub target_blocks: u16,
    /// Satoshi for 1 000 virtual bytes; what the node says is kept between the two.
    pub rate_min: u64,
    pub rate_max: u64,
    /// What is paid while the node cannot say; `None` = wait until it can.
    pub rate_fallback: Option<u64>,
    pub caps: FeeCaps,
    /// 1 to 100.
    pub batch_max: u16,
    /// Blocks after which a transaction that is not mined is replaced by itself; `None` = never.
    pub bump_after_blocks: Option<u32>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            target_blocks: TARGET_BLOCKS,
            rate_min: RATE_MIN,
            rate_max: RATE_MAX,
            rate_fallback: None,
            caps: FeeCaps {
                absolute: FEE_MAX,
                relative_ppm: FEE_MAX_PPM,
            },
            batch_max: BATCH_MAX,
            bump_after_blocks: None,
        }
    }
}

impl Rules {
    /// The rate to pay, in satoshi for 1 000 virtual bytes, after what the node said; `None` when
    /// neither it nor the settings say anything.
    pub(super) fn rate(&self, estimate: Option<u64>) -> Option<u64> {
        // Not `clamp`: settings may name a largest rate below the smallest one.
        let kept = |rate: u64| rate.max(self.rate_min).min(self.rate_max);
        estimate.or(self.rate_fallback).map(kept)
    }
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerSetting {
    /// People, with what they download from the operator's page.
    ByHand,
    /// The signer behind this socket.
    Socket(PathBuf),
    /// This process; in test mode only.
    InProcess,
}

/// Every suffix of `EXCHEQUER_PAYOUT_BTC_`; those of other coins are the same.
const SUFFIXES: [&str; 8] = [
    "SIGNER",
    "TARGET_BLOCKS",
    "RATE_MAX",
    "RATE_FALLBACK",
    "FEE_MAX",
    "FEE_MAX_PPM",
    "BATCH_MAX",
    "BUMP_AFTER_BLOCKS",
];

fn variable(code: &str, suffix: &str) -> String {
    format!("EXCHEQUER_PAYOUT_{code}_{suffix}")
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct PayoutSettingError {
    pub variable: String,
    /// Continues the sentence that the variable's name begins.
    pub problem: String,
}

/// The settings of one chain's payouts, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutSettings {
    pub signer: SignerSetting,
    pub rules: Rules,
}

impl PayoutSettings {
    /// The names of a coin's variables.
    pub fn variables(code: &str) -> impl Iterator<Item = String> {
        SUFFIXES
            .into_iter()
            .map(move |suffix| variable(code, suffix))
    }

    /// Reads `EXCHEQUER_PAYOUT_<code>_…`; an empty value counts as none.
    ///
    /// - `SIGNER`: `by-hand` (as if left out), `in-process`, or the path of the signer's socket;
    /// - `TARGET_BLOCKS`, `RATE_MAX`, `RATE_FALLBACK` (satoshi for 1 000 virtual bytes), `FEE_MAX`
    ///   (satoshi), `FEE_MAX_PPM`, `BATCH_MAX`, `BUMP_AFTER_BLOCKS`: numbers.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_variables(
        code: &str,
        value_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<PayoutSettingError>> {
        let name = |suffix: &str| variable(code, suffix);
        let value = |suffix: &str| {
            value_of(&name(suffix))
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let mut wrong = Vec::new();
        let mut number = |suffix: &str, least: u64, most: u64| -> Option<u64> {
            let text = value(suffix)?;
            let read = text.parse().ok();
            let read = read.filter(|number| (least..=most).contains(number));
            if read.is_none() {
                wrong.push(PayoutSettingError {
                    variable: name(suffix),
                    problem: format!(
                        "is {text:?}, but must be a whole number from {least} to {most}"
                    ),
                });
            }
            read
        };
        let usual = Rules::default();
        let target_blocks = number("TARGET_BLOCKS", 1, 1_008);
        let rate_max = number("RATE_MAX", RATE_MIN, 100_000_000);
        let rate_fallback = number("RATE_FALLBACK", RATE_MIN, 100_000_000);
        let absolute = number("FEE_MAX", 1, 100_000_000);
        let relative = number("FEE_MAX_PPM", 1, 1_000_000);
        let batch_max = number("BATCH_MAX", 1, 100);
        let bump_after = number("BUMP_AFTER_BLOCKS", 1, 10_000);
        let signer = match value("SIGNER").as_deref() {
            None | Some("by-hand") => SignerSetting::ByHand,
            Some("in-process") => SignerSetting::InProcess,
            Some(path) if path.starts_with('/') => SignerSetting::Socket(PathBuf::from(path)),
            Some(other) => {
                wrong.push(PayoutSettingError {
                    variable: name("SIGNER"),
                    problem: format!(
                        "is {other:?}, but must be by-hand, in-process, or the full path of the \
                         signer's socket"
                    ),
                });
                SignerSetting::ByHand
            }
        };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            signer,
            rules: Rules {
                target_blocks: narrow(target_blocks, usual.target_blocks),
                rate_max: rate_max.unwrap_or(usual.rate_max),
                rate_fallback,
                caps: FeeCaps {
                    absolute: absolute.unwrap_or(usual.caps.absolute),
                    relative_ppm: narrow(relative, usual.caps.relative_ppm),
                },
                batch_max: narrow(batch_max, usual.batch_max),
                bump_after_blocks: bump_after.and_then(|blocks| u32::try_from(blocks).ok()),
                ..usual
            },
        })
    }
}

/// A number whose range was judged before.
fn narrow<T: TryFrom<u64>>(read: Option<u64>, usual: T) -> T {
    read.and_then(|number| T::try_from(number).ok())
        .unwrap_or(usual)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<PayoutSettings, Vec<PayoutSettingError>> {
        PayoutSettings::from_variables("BTC", |name| {
            let found = given
                .iter()
                .find(|(each, _)| name.strip_prefix("EXCHEQUER_PAYOUT_BTC_") == Some(*each));
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_signed_by_hand_with_the_usual_limits() {
        let settings = read(&[("SIGNER", " ")]).unwrap();
        assert_eq!(settings.signer, SignerSetting::ByHand);
        assert_eq!(settings.rules, Rules::default());
    }

    #[test]
    fn what_is_set_counts() {
        let settings = read(&[
            ("SIGNER", "/run/signer/btc"),
            ("TARGET_BLOCKS", "2"),
            ("RATE_FALLBACK", "2000"),
            ("FEE_MAX_PPM", "1000"),
            ("BUMP_AFTER_BLOCKS", "12"),
        ])
        .unwrap();
        assert_eq!(
            settings.signer,
            SignerSetting::Socket("/run/signer/btc".into())
        );
        assert_eq!(settings.rules.target_blocks, 2);
        assert_eq!(settings.rules.rate_fallback, Some(2_000));
        assert_eq!(settings.rules.caps.relative_ppm, 1_000);
        assert_eq!(settings.rules.bump_after_blocks, Some(12));
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let wrong = read(&[
            ("SIGNER", "signer.sock"),
            ("TARGET_BLOCKS", "0"),
            ("BATCH_MAX", "101"),
            ("FEE_MAX", "1.5"),
        ])
        .unwrap_err();
        let names: Vec<&str> = wrong.iter().map(|each| each.variable.as_str()).collect();
        let expected = ["TARGET_BLOCKS", "FEE_MAX", "BATCH_MAX", "SIGNER"];
        assert_eq!(
            names,
            expected.map(|name| format!("EXCHEQUER_PAYOUT_BTC_{name}"))
        );
    }

    #[test]
    fn a_rate_is_kept_within_its_limits() {
        let rules = Rules {
            rate_max: 20_000,
            rate_fallback: Some(5_000),
            ..Rules::default()
        };
        assert_eq!(rules.rate(Some(7_000)), Some(7_000));
        assert_eq!(rules.rate(Some(1)), Some(1_000));
        assert_eq!(rules.rate(Some(90_000)), Some(20_000));
        assert_eq!(rules.rate(None), Some(5_000));
        assert_eq!(Rules::default().rate(None), None);
    }
}
