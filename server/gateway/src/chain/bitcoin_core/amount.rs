//! Amounts as nodes write them, in coins with up to eight decimals, read without a float.

/// Satoshi of one coin.
const SATOSHI_DIGITS: usize = 8;

/// Satoshi of a decimal number; `None` for a sign, an exponent or parts of a satoshi.
pub(super) fn satoshi(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > SATOSHI_DIGITS {
        return None;
    }
    format!("{whole}{fraction:0<SATOSHI_DIGITS$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_satoshi_exactly() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.00000000", Some(0)),
            ("0.00000001", Some(1)),
            ("0.1", Some(10_000_000)),
            ("12.50000000", Some(1_250_000_000)),
            ("20999999.97690000", Some(2_099_999_997_690_000)),
            // 0.1 + 0.2 and 2^53 + 1, where a float goes wrong.
            ("0.30000000", Some(30_000_000)),
            ("90071992.54740993", Some(9_007_199_254_740_993)),
            ("84000000", Some(8_400_000_000_000_000)),
            ("", None),
            (".5", None),
            ("5.", None),
            ("-1", None),
            ("+1", None),
            ("1e-8", None),
            ("0.000000001", None),
            ("1.2.3", None),
            ("\"1\"", None),
            ("null", None),
            ("1234567890123456789012345678901234567890", None),
        ] {
            assert_eq!(satoshi(text), expected, "{text}");
        }
    }
}
