//! Amounts as people read them. The exact string stays in `<data value>`; grouping is made of
//! margins between spans, so that text copied from the page holds no spaces (ux §4.3).

use domain::view::AmountText;
use leptos::prelude::*;

/// Digits after the point up to which a fraction is read in one piece.
const FRACTION_WHOLE_MAX: usize = 4;

/// Cuts a canonical amount into the pieces that are set apart on screen.
///
/// Joined together the pieces are the amount again, but for the sign, which becomes U+2212.
fn pieces(amount: &str) -> Vec<String> {
    let (sign, digits) = match amount.strip_prefix('-') {
        Some(rest) => ("\u{2212}", rest),
        None => ("", amount),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut cut = triples(whole);
    if let Some(first) = cut.first_mut() {
        first.insert_str(0, sign);
    }
    if let Some(fraction) = fraction {
        let parts = if fraction.len() <= FRACTION_WHOLE_MAX {
            vec![fraction.to_owned()]
        } else {
            triples(fraction)
        };
        let mut parts = parts.into_iter();
        if let (Some(last), Some(first)) = (cut.last_mut(), parts.next()) {
            last.push('.');
            last.push_str(&first);
        }
        cut.extend(parts);
    }
    cut
}

/// Groups of three from the end: `5973` → `5`, `973`. The short group comes first.
fn triples(digits: &str) -> Vec<String> {
    let short = digits.len() % 3;
    let mut groups = Vec::with_capacity(digits.len() / 3 + 1);
    let mut group = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == short {
            groups.push(std::mem::take(&mut group));
        }
        group.push(digit);
    }
    groups.push(group);
    groups
}

/// A bare figure, e.g. in a column whose head names the currency.
#[component]
pub fn Figure(
    /// Canonical decimal text.
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let cut = pieces(&value);
    view! {
        <data class="num" value=value>
            <bdi dir="ltr">
                {cut.into_iter().map(|piece| view! { <span>{piece}</span> }).collect_view()}
            </bdi>
        </data>
    }
}

/// A figure with its currency code.
#[component]
pub fn Amount(of: AmountText) -> impl IntoView {
    view! {
        <span class="amt">
            <Figure value=of.amount/>
            " "
            <span class="unit">{of.code}</span>
        </span>
    }
}

/// The amount inside a sentence: no grouping, a real minus sign.
pub fn spoken(amount: &AmountText) -> String {
    format!("{} {}", amount.amount.replace('-', "\u{2212}"), amount.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(amount: &str, expected: &[&str]) {
        assert_eq!(pieces(amount), expected);
    }

    #[test]
    fn groups_for_reading() {
        check("0", &["0"]);
        check("64.20", &["64.20"]);
        check("10000.00", &["10", "000.00"]);
        check("100", &["100"]);
        check("1000000", &["1", "000", "000"]);
        check("0.00123456", &["0.00", "123", "456"]);
        check("5973.97568920", &["5", "973.97", "568", "920"]);
        check("0.123456", &["0.123", "456"]);
        check(
            "1.000000000000000001",
            &["1.000", "000", "000", "000", "000", "001"],
        );
        check("-120.00", &["\u{2212}120.00"]);
    }

    #[test]
    fn nothing_is_lost_or_added() {
        for amount in ["0.00123456", "1234567.12", "999", "0.1", "12.34567"] {
            assert_eq!(pieces(amount).concat(), amount);
        }
    }
}
