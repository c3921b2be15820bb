//! Text made safe and made to fit.
//!
//! Whatever a merchant or customer typed comes out as plain visible characters: controls and
//! direction overrides are gone, unknown characters are marked, long text ends in an ellipsis.
#![expect(clippy::float_arithmetic, reason = "text widths in points, not money")]

use super::fonts::Face;

const REPLACEMENT: char = '\u{FFFD}';
const ELLIPSIS: &str = "…";
/// Longest text of one field; the API takes 255 characters, addresses join several fields.
const FIELD_CHARS_MAX: usize = 800;
/// Combining marks kept on one letter; more only builds towers over the neighbouring lines.
const MARKS_MAX: usize = 2;
/// Smallest size an amount is shrunk to before it is cut off, in points.
const SHRUNK_SIZE_MIN: f32 = 3.5;

/// `text` as one line of characters that `face` can draw.
///
/// Runs of white space, line ends included, become one space. Characters without a glyph become
/// U+FFFD, invisible ones are dropped.
pub fn clean(face: &Face, text: &str) -> String {
    let mut line = String::new();
    let (mut length, mut marks) = (0, 0);
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if is_invisible(c) || (c == ' ' && (line.is_empty() || line.ends_with(' '))) {
            continue;
        }
        let c = if face.has(c) { c } else { REPLACEMENT };
        marks = if face.advance(c) == 0 { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            continue;
        }
        if length == FIELD_CHARS_MAX {
            line.push_str(ELLIPSIS);
            break;
        }
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// Controls, direction marks and overrides, joiners, variation selectors, fillers, tags: the
/// default-ignorable characters of Unicode and all of category Cc.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `text` cleaned and broken into at most `lines_max` lines of at most `width` points.
///
/// Breaks at spaces where it can, inside a word where it must. No lines when nothing is visible.
pub fn wrap(face: &Face, text: &str, size: f32, width: f32, lines_max: usize) -> Vec<String> {
    let text = clean(face, text);
    let mut rest = text.as_str();
    let mut lines = Vec::new();
    while !rest.is_empty() && lines.len() < lines_max {
        let fitting = fitting_prefix(face, rest, size, width);
        if fitting == rest.len() {
            lines.push(rest.to_owned());
            break;
        }
        if lines.len() + 1 == lines_max {
            lines.push(cut_off(face, rest, size, width));
            break;
        }
        let (line, beyond) = rest.split_at(fitting);
        let at_space = if beyond.starts_with(' ') {
            None
        } else {
            line.rfind(' ')
        };
        let (line, beyond) = rest.split_at(at_space.unwrap_or(fitting));
        lines.push(line.trim_end().to_owned());
        rest = beyond.trim_start();
    }
    lines
}

/// `text` cleaned, on one line of at most `width` points.
pub fn one_line(face: &Face, text: &str, size: f32, width: f32) -> String {
    wrap(face, text, size, width, 1).pop().unwrap_or_default()
}

/// `text` cleaned, with the size at most `size` at which it is at most `width` points wide.
///
/// For amounts: a shrunk amount is still right, a shortened one is not.
pub fn shrink(face: &Face, text: &str, size: f32, width: f32) -> (String, f32) {
    let text = clean(face, text);
    let natural = face.width(&text, size);
    if natural <= width {
        return (text, size);
    }
    let shrunk = (size * width / natural * 10.0).floor() / 10.0;
    if shrunk >= SHRUNK_SIZE_MIN {
        return (text, shrunk);
    }
    (
        cut_off(face, &text, SHRUNK_SIZE_MIN, width),
        SHRUNK_SIZE_MIN,
    )
}

/// As much of `text` as fits `width` points together with an ellipsis.
fn cut_off(face: &Face, text: &str, size: f32, width: f32) -> String {
    let room = width - face.width(ELLIPSIS, size);
    let (kept, _) = text.split_at(fitting_prefix(face, text, size, room));
    format!("{}{ELLIPSIS}", kept.trim_end())
}

/// Bytes of the longest prefix at most `width` points wide; never less than one character.
fn fitting_prefix(face: &Face, text: &str, size: f32, width: f32) -> usize {
    let mut taken = 0.0;
    for (at, c) in text.char_indices() {
        taken += face.width(c.encode_utf8(&mut [0; 4]), size);
        if taken > width && at > 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::documents::fonts::{Weight, faces};

    fn face() -> &'static Face {
        faces().unwrap().get(Weight::Regular)
    }

    #[track_caller]
    fn check_clean(text: &str, expected: &str) {
        assert_eq!(clean(face(), text), expected, "{text:?}");
    }

    #[test]
    fn what_was_typed_becomes_one_inert_line() {
        check_clean("  Ādažu čipsi  ", "Ādažu čipsi");
        check_clean("a\r\nb\tc\u{2028}d\u{A0}e", "a b c d e");
        check_clean("pay\u{202E}gpj.exe\u{202C}", "paygpj.exe");
        check_clean("\u{2066}x\u{2069}\u{200B}y\u{FEFF}z\u{0}", "xyz");
        check_clean("漢 🦀", "\u{FFFD} \u{FFFD}");
        check_clean("<b>&amp;</b> ${x} (\\)", "<b>&amp;</b> ${x} (\\)");
        check_clean("\u{200B}\n\u{202E}", "");
        check_clean("Z\u{300}\u{301}\u{302}\u{303}a", "Z\u{300}\u{301}a");
    }

    #[test]
    fn a_very_long_field_ends_in_an_ellipsis() {
        let text = clean(face(), &"ā".repeat(10_000));
        assert_eq!(text.chars().count(), FIELD_CHARS_MAX + 1);
        assert!(text.ends_with(ELLIPSIS));
    }

    #[test]
    fn lines_break_at_spaces_and_never_exceed_the_width() {
        assert_eq!(
            wrap(face(), "one two three", 10.0, 50.0, 9),
            ["one two", "three"]
        );
        assert_eq!(wrap(face(), "", 10.0, 50.0, 9), [""; 0]);
        let long = format!("short {} tail", "x".repeat(100));
        let lines = wrap(face(), &long, 10.0, 90.0, 99);
        assert_eq!(lines.concat().replace(' ', ""), long.replace(' ', ""));
        assert!(
            lines.iter().all(|line| face().width(line, 10.0) <= 90.0),
            "{lines:?}"
        );
        assert_eq!(lines.first().unwrap(), "short");
    }

    #[test]
    fn the_last_allowed_line_is_cut_off() {
        let lines = wrap(face(), &"word ".repeat(50), 10.0, 80.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.last().unwrap().ends_with(ELLIPSIS), "{lines:?}");
        assert!(
            lines.iter().all(|line| face().width(line, 10.0) <= 80.0),
            "{lines:?}"
        );
    }

    #[test]
    fn an_amount_shrinks_before_it_is_cut_off() {
        assert_eq!(
            shrink(face(), "149.98", 9.0, 108.0),
            ("149.98".to_owned(), 9.0)
        );
        let longest = "1000000000000000.123456789012345678";
        let (text, size) = shrink(face(), longest, 9.0, 108.0);
        assert_eq!(text, longest);
        assert!(size < 9.0 && face().width(&text, size) <= 108.0, "{size}");
        let (text, size) = shrink(face(), &"9".repeat(500), 9.0, 108.0);
        assert!(
            text.ends_with(ELLIPSIS) && face().width(&text, size) <= 108.0,
            "{text}"
        );
    }
}
