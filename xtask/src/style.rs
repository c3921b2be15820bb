//! Joins the style sheets and takes out comments and needless white space.
//!
//! Conservative on purpose: strings, `url(…)` and licence comments (`/*! … */`) stay as they are,
//! and a space stays a space wherever a selector or a value could mean something by it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::site::files_below;

/// All `*.css` files in and below `folder`, minified, in the order of their paths.
pub fn join(folder: &Path) -> Result<String> {
    let mut css = String::new();
    for name in files_below(folder)? {
        if name.extension().is_none_or(|extension| extension != "css") {
            continue;
        }
        let sheet = folder.join(name);
        let text = fs::read_to_string(&sheet)
            .with_context(|| format!("cannot read {}", sheet.display()))?;
        css.push_str(&minify(&text));
        css.push('\n');
    }
    Ok(css)
}

fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    // Whether `out` ends in a space of ours, not in an escaped one.
    let mut is_loose = false;
    while let Some(first) = rest.chars().next() {
        let (length, part) = match first {
            '"' | '\'' => (quoted(rest, first), Part::Verbatim),
            '\\' => (
                1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                Part::Verbatim,
            ),
            '/' if rest.starts_with("/*!") => (comment(rest), Part::Verbatim),
            '/' if rest.starts_with("/*") => (comment(rest), Part::Comment),
            'u' | 'U' if is_bare_url(rest, &out) => (until_paren(rest), Part::Verbatim),
            _ if first.is_ascii_whitespace() => (blank(rest), Part::Blank),
            _ => (first.len_utf8(), Part::Verbatim),
        };
        let (text, after) = rest.split_at(length);
        match part {
            Part::Verbatim => {
                if is_loose && matches!(text, "{" | "}") {
                    out.pop();
                }
                out.push_str(text);
                is_loose = false;
            }
            Part::Comment => push_separator(&mut out, after),
            Part::Blank if needs_no_blank_after(&out) => {}
            Part::Blank => {
                out.push(' ');
                is_loose = true;
            }
        }
        rest = after;
    }
    if is_loose {
        out.pop();
    }
    out
}

/// What to do with a piece of the input.
enum Part {
    Verbatim,
    Comment,
    Blank,
}

/// A comment ends a word but is not a space: `a/**/.b` differs from both `a.b` and `a .b`.
fn push_separator(out: &mut String, after: &str) {
    let word_follows = after.starts_with(|c: char| !c.is_ascii_whitespace() && !"{}".contains(c));
    if word_follows && !needs_no_blank_after(out) {
        out.push_str("/**/");
    }
}

fn needs_no_blank_after(out: &str) -> bool {
    out.is_empty() || out.ends_with(['{', '}', ';', ',', ' '])
}

fn comment(text: &str) -> usize {
    text[2..].find("*/").map_or(text.len(), |end| end + 4)
}

fn blank(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_whitespace())
        .unwrap_or(text.len())
}

/// The length of a string with its quotes; a backslash hides the next character.
fn quoted(text: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, c) in text.char_indices().skip(1) {
        if !hidden && c == quote {
            return at + 1;
        }
        hidden = c == '\\' && !hidden;
    }
    text.len()
}

fn is_bare_url(text: &str, out: &str) -> bool {
    let starts_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    starts_word
        && text
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case("url("))
        && !text[4..].trim_start().starts_with(['"', '\''])
}

fn until_paren(text: &str) -> usize {
    text.find(')').map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(css: &str, expected: &str) {
        assert_eq!(minify(css), expected);
    }

    #[test]
    fn rules_lose_their_layout() {
        check(
            "/* pay page */\n.pay , .done {\n  color: red;\n  margin: 0 auto;\n}\n\n\n.b { }\n",
            ".pay ,.done{color: red;margin: 0 auto;}.b{}",
        );
        check(
            "@media (min-width: 40rem) {\n  a { b: c }\n}",
            "@media (min-width: 40rem){a{b: c}}",
        );
    }

    #[test]
    fn spaces_that_select_or_add_stay() {
        check("nav :hover{}", "nav :hover{}");
        check("a  >\n b + c{}", "a > b + c{}");
        check(".a\\ {}", ".a\\ {}");
        check("p{width:calc(1px  +  2px)}", "p{width:calc(1px + 2px)}");
    }

    #[test]
    fn strings_and_addresses_stay() {
        check(
            "q::before{content:\"  /* no */ \\\" ; \"}",
            "q::before{content:\"  /* no */ \\\" ; \"}",
        );
        check("a{b:url(data:x;/*,y)  c}", "a{b:url(data:x;/*,y) c}");
        check("a{b:url( \"x /* y\" )}", "a{b:url( \"x /* y\" )}");
        check("a::after{content:'é  ü'}", "a::after{content:'é  ü'}");
    }

    #[test]
    fn a_comment_between_words_keeps_them_apart() {
        check("a/* x */.b{}", "a/**/.b{}");
        check("a /* x */ b{}", "a b{}");
        check("a{/* x */b:c;/* y */}", "a{b:c;}");
        check("/*! MIT */\na{}", "/*! MIT */ a{}");
    }

    #[test]
    fn unfinished_input_is_kept() {
        check("a{b:'c", "a{b:'c");
        check("a{/* never closed", "a{");
        check("a{b:url(c", "a{b:url(c");
        check("\\", "\\");
    }
}
