//! The accent as a style sheet of its own: the pages' policy permits no inline style.

use super::guard::{Accent, Shades, Theme};
use super::tokens::Tokens;

/// What a page about a merchant links after our own sheet: custom properties alone, under the same
/// selectors that `style/shared/00-tokens.css` sets them with. Written from checked colours, so it
/// holds no text of anybody's.
pub fn stylesheet(accent: &Accent) -> String {
    let light = properties(accent.shades(Theme::Light));
    let dark = properties(accent.shades(Theme::Dark));
    format!(
        ":root{{{light}}}:root[data-theme=\"dark\"]{{{dark}}}@media (prefers-color-scheme:dark)\
         {{:root:not([data-theme=\"light\"]){{{dark}}}}}\n"
    )
}

/// The same inside `.preview-light` and `.preview-dark`, which the settings page shows side by side,
/// with the colours of each theme around it.
pub fn preview_stylesheet(accent: &Accent) -> String {
    let light = themed(accent, Theme::Light);
    let dark = themed(accent, Theme::Dark);
    format!(".preview-light{{{light}}}.preview-dark{{{dark}}}\n")
}

/// The soft ground is the neutral one, on which the guard has checked the accent.
fn properties(shades: Shades) -> String {
    let Shades {
        accent,
        hover,
        on_accent,
    } = shades;
    format!(
        "--accent:{accent};--accent-hover:{hover};--on-accent:{on_accent};\
         --accent-soft:var(--sunken)"
    )
}

fn themed(accent: &Accent, theme: Theme) -> String {
    let Tokens {
        paper,
        surface,
        sunken,
        ink,
        ink_2,
        line,
        line_strong,
        ..
    } = Tokens::of(theme);
    let properties = properties(accent.shades(theme));
    // The strip is computed where it is set, so it has to be set again where the accent differs.
    format!(
        "--paper:{paper};--surface:{surface};--sunken:{sunken};--ink:{ink};--ink-2:{ink_2};\
         --line:{line};--line-strong:{line_strong};{properties};\
         --chequer:conic-gradient(var(--accent) 25%,#0000 0 50%,var(--accent) 0 75%,#0000 0) \
         0 0/8px 8px"
    )
}

#[cfg(test)]
mod tests {
    use super::super::Rgb;
    use super::*;

    #[test]
    fn a_sheet_sets_the_accent_in_both_themes_and_nothing_else() {
        let css = stylesheet(&Accent::guard(Rgb::new(0x1D, 0x4C, 0x78)));
        assert!(
            css.starts_with(":root{--accent:#1D4C78;--accent-hover:"),
            "{css}"
        );
        assert_eq!(css.matches("--accent:").count(), 3, "{css}");
        assert_eq!(css.matches('{').count(), css.matches('}').count(), "{css}");
        for kept in ["--ink", "--paper", "--paid", "--focus", "url("] {
            assert!(!css.contains(kept), "{kept}: {css}");
        }
        // Small enough for the checkout's budget (ux §3).
        assert!(css.len() < 512, "{} bytes", css.len());
    }

    #[test]
    fn a_preview_brings_both_themes_whatever_the_visitor_has() {
        let css = preview_stylesheet(&Accent::house());
        assert!(css.contains(".preview-light{--paper:#FBF8F0"), "{css}");
        assert!(css.contains(".preview-dark{--paper:#0B1411"), "{css}");
        assert!(!css.contains(":root"), "{css}");
    }
}
