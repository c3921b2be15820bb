//! JSON that is stored and given back as it came.

use super::{Text, Value};

/// Digits that every JSON reader keeps of a number that is not whole.
const SIGNIFICANT_DIGITS_MAX: usize = 15;

/// Names a member where its name can be written.
pub(super) fn member_path(name: &str, key: &Text) -> String {
    match storable(key) {
        Ok(key) => format!("{name}.{key}"),
        Err(_) => name.to_owned(),
    }
}

/// Text the database can hold: no NUL, no half of a character.
pub(super) fn storable(text: &Text) -> Result<&str, &'static str> {
    match text.as_str() {
        None => Err("must not contain an unpaired surrogate"),
        Some(text) if text.contains('\0') => Err("must not contain a NUL character"),
        Some(text) => Ok(text),
    }
}

/// The value as it will be given back, or why it would not be the same.
pub(super) fn kept(value: &Value) -> Result<serde_json::Value, &'static str> {
    Ok(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(token) => kept_number(token)?,
        Value::String(text) => storable(text)?.into(),
        Value::Array(values) => values
            .iter()
            .map(kept)
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Value::Object(object) => {
            let mut map = serde_json::Map::new();
            for (key, value) in object.iter() {
                map.insert(storable(key)?.to_owned(), kept(value)?);
            }
            map.into()
        }
    })
}

/// Numbers are given back by value: whole ones of 64 bits, others of up to 15 significant digits,
/// which is what every JSON reader keeps.
fn kept_number(token: &str) -> Result<serde_json::Value, &'static str> {
    const REFUSAL: &str = "must not contain a number too large or too long to be kept exactly";
    let number: serde_json::Number = serde_json::from_str(token).map_err(|_| REFUSAL)?;
    let mantissa = token.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.trim_start_matches(['-', '0', '.']);
    let significant = digits.bytes().filter(u8::is_ascii_digit).count();
    if number.is_f64() && significant > SIGNIFICANT_DIGITS_MAX {
        return Err(REFUSAL);
    }
    Ok(number.into())
}
