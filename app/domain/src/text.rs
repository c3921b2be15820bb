//! What people type, as it may be shown and stored.

/// Direction overrides and isolates: they make text read as something it is not.
const DIRECTION_CONTROLS: [std::ops::RangeInclusive<char>; 2] =
    ['\u{202A}'..='\u{202E}', '\u{2066}'..='\u{2069}'];

/// The text without control and direction characters, every run of white space as one space, none
/// at its ends. Names go through this before they are stored.
pub fn one_line(text: &str) -> String {
    let shown: String = text
        .chars()
        .filter(|c| !DIRECTION_CONTROLS.iter().any(|range| range.contains(c)))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// JSON text with direction characters written as escapes: the same value, read as it is.
pub fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if DIRECTION_CONTROLS.iter().any(|range| range.contains(&c)) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{one_line, visible_json};

    #[test]
    fn json_shows_what_would_reorder_it() {
        assert_eq!(
            visible_json("{\"a\": \"x\u{202E}y\"}"),
            r#"{"a": "x\u202ey"}"#
        );
    }

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!(one_line("  Inga\r\n\tBerzina \u{7}"), "Inga Berzina");
        assert_eq!(
            one_line("safe\u{202E}gpj.exe\u{2066}x\u{2069}"),
            "safegpj.exex"
        );
        assert_eq!(one_line("Ģirts Šķēle, кафе ₹ €"), "Ģirts Šķēle, кафе ₹ €");
        assert_eq!(one_line("\u{202D}"), "");
    }
}
