use std::ops::RangeInclusive;

use domain::money::{AmountError, Currency, Money, parse_units};
use domain::text::one_line;

use super::kept::{kept, member_path, storable};
use super::{Object, Value};
use crate::http::Problems;

/// Digits after the point that an amount may have while its currency is not known.
const ANY_PRECISION: u8 = 8;

/// Reads the members of one object and notes what is wrong with them, under their dotted path.
///
/// A member that is `null` counts as missing, one nobody asks for is ignored. After a problem a
/// reader gives nothing or an empty value: the request is refused as a whole anyway.
pub struct Fields<'v, 'p> {
    object: &'v Object,
    /// Where the object is, ending in a dot; empty for the whole body.
    prefix: String,
    problems: &'p mut Problems,
}

impl<'v, 'p> Fields<'v, 'p> {
    pub fn new(object: &'v Object, problems: &'p mut Problems) -> Self {
        Self {
            object,
            prefix: String::new(),
            problems,
        }
    }

    /// Notes a problem with a member.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.problems.add(format!("{}{name}", self.prefix), message);
    }

    pub fn value(&self, name: &str) -> Option<&'v Value> {
        self.object.get(name).filter(|value| **value != Value::Null)
    }

    /// A string with something in it, of at most `chars_max` characters.
    pub fn required_text(&mut self, name: &str, chars_max: usize) -> String {
        if self.value(name).is_none() {
            self.refuse(name, "is required");
            return String::new();
        }
        let Some(text) = self.optional_text(name, chars_max) else {
            return String::new();
        };
        // What is left of it once nothing invisible is: that is what would be stored.
        if one_line(&text).is_empty() {
            self.refuse(name, "must not be empty");
        }
        text
    }

    /// A string of at most `chars_max` characters.
    pub fn optional_text(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text,
            _ => {
                self.refuse(name, "must be a string");
                return None;
            }
        };
        match storable(text) {
            Ok(text) if text.chars().count() <= chars_max => Some(text.to_owned()),
            Ok(_) => {
                self.refuse(name, format!("must have at most {chars_max} characters"));
                None
            }
            Err(message) => {
                self.refuse(name, message);
                None
            }
        }
    }

    /// Like [`Self::optional_text`]; an empty string counts as missing, as forms send it.
    pub fn optional_line(&mut self, name: &str, chars_max: usize) -> Option<String> {
        self.optional_text(name, chars_max)
            .filter(|text| !text.trim().is_empty())
    }

    /// A JSON number without point, sign or exponent, within `range`.
    pub fn optional_integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = match self.value(name)? {
            Value::Number(token) if token.bytes().all(|byte| byte.is_ascii_digit()) => token
                .parse::<i64>()
                .ok()
                .filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            let (min, max) = (range.start(), range.end());
            self.refuse(name, format!("must be a whole number from {min} to {max}"));
        }
        number
    }

    /// `true` or `false`.
    pub fn optional_bool(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(value) => Some(*value),
            _ => {
                self.refuse(name, "must be true or false");
                None
            }
        }
    }

    /// A reference of the caller's, a string or a number, as one visible line of 1 to `chars_max`
    /// characters; with it the JSON it came as.
    pub fn optional_reference(
        &mut self,
        name: &str,
        chars_max: usize,
    ) -> Option<(String, serde_json::Value)> {
        let value = self.value(name)?;
        let (text, json) = match value {
            Value::Number(token) => (token.clone(), kept(value).ok()?),
            Value::String(_) => {
                let text = self.optional_text(name, chars_max)?;
                (text.clone(), serde_json::Value::String(text))
            }
            _ => {
                self.refuse(name, "must be a string or a number");
                return None;
            }
        };
        let shown = one_line(&text);
        if shown.is_empty() || shown != text || text.chars().count() > chars_max {
            let message = format!("must be one visible line of 1 to {chars_max} characters");
            self.refuse(name, message);
            return None;
        }
        Some((text, json))
    }

    pub fn required_reference(
        &mut self,
        name: &str,
        chars_max: usize,
    ) -> Option<(String, serde_json::Value)> {
        if self.value(name).is_none() {
            self.refuse(name, "is required");
        }
        self.optional_reference(name, chars_max)
    }

    pub fn required_integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        if self.value(name).is_none() {
            self.refuse(name, "is required");
        }
        self.optional_integer(name, range)
    }

    /// The text of a decimal given as a string or as a number, exactly as written.
    pub fn optional_decimal(&mut self, name: &str) -> Option<&'v str> {
        let text = match self.value(name)? {
            Value::Number(token) => Some(token.as_str()),
            Value::String(text) => text.as_str(),
            _ => None,
        };
        if text.is_none() {
            self.refuse(name, "must be a decimal number");
        }
        text
    }

    pub fn required_decimal(&mut self, name: &str) -> Option<&'v str> {
        if self.value(name).is_none() {
            self.refuse(name, "is required");
        }
        self.optional_decimal(name)
    }

    /// An amount of `currency`, above zero (`80`, Amounts and codes).
    ///
    /// `None` stands for a currency that was refused: what is wrong with the amount in any currency
    /// is noted all the same.
    pub fn required_amount(&mut self, name: &str, currency: Option<Currency>) -> Option<Money> {
        self.amount_read_by(name, currency, Money::parse)
    }

    /// The same, which also takes an amount as answers write it: with all the digits of the ledger.
    pub fn required_exact_amount(
        &mut self,
        name: &str,
        currency: Option<Currency>,
    ) -> Option<Money> {
        self.amount_read_by(name, currency, Money::parse_exact)
    }

    fn amount_read_by(
        &mut self,
        name: &str,
        currency: Option<Currency>,
        read: fn(&str, Currency) -> Result<Money, AmountError>,
    ) -> Option<Money> {
        let text = self.required_decimal(name)?;
        let amount = match currency {
            Some(currency) => read(text, currency).map(Some),
            None => parse_units(text, ANY_PRECISION, ANY_PRECISION).map(|_| None),
        };
        amount.unwrap_or_else(|error| {
            self.refuse(name, error.to_string());
            None
        })
    }

    /// The members of an object inside this one.
    pub fn optional_object(&mut self, name: &str) -> Option<Fields<'v, '_>> {
        match self.value(name)? {
            Value::Object(object) => Some(Fields {
                object,
                prefix: format!("{}{name}.", self.prefix),
                problems: &mut *self.problems,
            }),
            _ => {
                self.refuse(name, "must be an object");
                None
            }
        }
    }

    /// Reads each object of an array of at most `length_max`; a missing array is an empty one.
    pub fn each_object<T>(
        &mut self,
        name: &str,
        length_max: usize,
        mut read: impl FnMut(&mut Fields<'v, '_>) -> Option<T>,
    ) -> Vec<T> {
        let values = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.refuse(name, "must be an array");
                return Vec::new();
            }
        };
        if values.len() > length_max {
            self.refuse(name, format!("must have at most {length_max} elements"));
            return Vec::new();
        }
        let mut things = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let Value::Object(object) = value else {
                self.refuse(&format!("{name}.{index}"), "must be an object");
                continue;
            };
            let prefix = format!("{}{name}.{index}.", self.prefix);
            let mut fields = Fields {
                object,
                prefix,
                problems: &mut *self.problems,
            };
            things.extend(read(&mut fields));
        }
        things
    }

    /// The strings of an array of at most `length_max`; a missing array is an empty one.
    pub fn each_text(&mut self, name: &str, length_max: usize) -> Vec<String> {
        let values = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) if values.len() <= length_max => values,
            Some(_) => {
                self.refuse(
                    name,
                    format!("must be an array of at most {length_max} strings"),
                );
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::String(text) if storable(text).is_ok() => {
                    texts.extend(text.as_str().map(str::to_owned));
                }
                _ => self.refuse(&format!("{name}.{index}"), "must be a string"),
            }
        }
        texts
    }

    /// An object to keep as it is, with at most `members_max` members.
    pub fn optional_json(
        &mut self,
        name: &str,
        members_max: usize,
    ) -> Option<serde_json::Map<String, serde_json::Value>> {
        let object = match self.value(name)? {
            Value::Object(object) => object,
            _ => {
                self.refuse(name, "must be an object");
                return None;
            }
        };
        if object.len() > members_max {
            self.refuse(name, format!("must have at most {members_max} members"));
            return None;
        }
        let mut map = serde_json::Map::new();
        for (key, value) in object.iter() {
            let read = storable(key).and_then(|key| Ok((key.to_owned(), kept(value)?)));
            match read {
                Ok((key, value)) => drop(map.insert(key, value)),
                Err(message) => self.refuse(&member_path(name, key), message),
            }
        }
        Some(map)
    }
}

#[cfg(test)]
#[path = "fields_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
