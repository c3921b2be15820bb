use thiserror::Error;

/// Largest amount anyone may enter: 10^15 whole units (`00-domain.md`, Money).
pub const AMOUNT_MAX_WHOLE: i128 = 1_000_000_000_000_000;

/// Why a text is not an amount; each says what a person has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountError {
    #[error("must be a plain decimal number such as 149.98")]
    Malformed,
    #[error("must be greater than zero")]
    NotPositive,
    #[error("has more than {0} digits after the decimal point")]
    TooPrecise(u8),
    #[error("is too large")]
    TooLarge,
}

/// Reads `(0|[1-9][0-9]*)(\.[0-9]+)?` into integer units at `scale` (`80`, Amounts and codes).
///
/// At most `precision` digits may follow the point, trailing zeros included; the value must be
/// above zero and at most 10^15.
pub fn parse_units(text: &str, precision: u8, scale: u8) -> Result<i128, AmountError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(AmountError::Malformed),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading_zero || !digits(whole) || !digits(fraction) {
        return Err(AmountError::Malformed);
    }
    if fraction.len() > usize::from(precision) {
        return Err(AmountError::TooPrecise(precision));
    }
    // 16 digits hold 10^15; anything longer is too large before it is even read.
    if whole.len() > 16 {
        return Err(AmountError::TooLarge);
    }
    let whole: i128 = whole.parse().map_err(|_| AmountError::Malformed)?;
    let padded = format!("{fraction:0<width$}", width = usize::from(scale));
    let fraction: i128 = if padded.is_empty() {
        0
    } else {
        padded.parse().map_err(|_| AmountError::Malformed)?
    };
    if whole > AMOUNT_MAX_WHOLE || (whole == AMOUNT_MAX_WHOLE && fraction > 0) {
        return Err(AmountError::TooLarge);
    }
    let units = whole
        .checked_mul(10i128.pow(u32::from(scale)))
        .and_then(|units| units.checked_add(fraction))
        .ok_or(AmountError::TooLarge)?;
    match units {
        0 => Err(AmountError::NotPositive),
        units if units > super::UNITS_MAX => Err(AmountError::TooLarge),
        units => Ok(units),
    }
}
