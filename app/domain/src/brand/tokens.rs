//! The colours of `style/shared/00-tokens.css` that an accent stands beside, in both themes.

use super::color::Rgb;
use super::guard::{Shades, Theme};

/// One theme's colours. A merchant changes none of them but the accent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens {
    pub(super) paper: Rgb,
    pub(super) surface: Rgb,
    pub(super) sunken: Rgb,
    pub(super) ink: Rgb,
    pub(super) ink_2: Rgb,
    pub(super) line: Rgb,
    pub(super) line_strong: Rgb,
    /// Of a merchant without a colour of its own.
    pub(super) house: Shades,
}

const LIGHT: Tokens = Tokens {
    paper: Rgb::new(0xFB, 0xF8, 0xF0),
    surface: Rgb::new(0xFF, 0xFE, 0xFB),
    sunken: Rgb::new(0xF2, 0xEC, 0xDD),
    ink: Rgb::new(0x12, 0x24, 0x1D),
    ink_2: Rgb::new(0x43, 0x53, 0x49),
    line: Rgb::new(0xDC, 0xD3, 0xBF),
    line_strong: Rgb::new(0x85, 0x7C, 0x66),
    house: Shades {
        accent: Rgb::new(0x14, 0x52, 0x3D),
        hover: Rgb::new(0x0D, 0x3D, 0x2D),
        on_accent: Rgb::new(0xFF, 0xFE, 0xFB),
    },
};

const DARK: Tokens = Tokens {
    paper: Rgb::new(0x0B, 0x14, 0x11),
    surface: Rgb::new(0x11, 0x1D, 0x18),
    sunken: Rgb::new(0x07, 0x0E, 0x0B),
    ink: Rgb::new(0xEF, 0xEA, 0xDC),
    ink_2: Rgb::new(0xB9, 0xC1, 0xB5),
    line: Rgb::new(0x25, 0x35, 0x2D),
    line_strong: Rgb::new(0x6C, 0x81, 0x76),
    house: Shades {
        accent: Rgb::new(0x6C, 0xC7, 0x9A),
        hover: Rgb::new(0x8A, 0xD8, 0xB2),
        on_accent: Rgb::new(0x06, 0x15, 0x0F),
    },
};

impl Tokens {
    pub(super) fn of(theme: Theme) -> Self {
        match theme {
            Theme::Light => LIGHT,
            Theme::Dark => DARK,
        }
    }

    /// What an accent is read on.
    pub(super) fn grounds(&self) -> [Rgb; 3] {
        [self.paper, self.surface, self.sunken]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = include_str!("../../../../style/shared/00-tokens.css");

    #[track_caller]
    fn check(block: &str, tokens: Tokens) {
        let named = [
            ("paper", tokens.paper),
            ("surface", tokens.surface),
            ("sunken", tokens.sunken),
            ("ink", tokens.ink),
            ("ink-2", tokens.ink_2),
            ("line", tokens.line),
            ("line-strong", tokens.line_strong),
            ("accent", tokens.house.accent),
            ("accent-hover", tokens.house.hover),
            ("on-accent", tokens.house.on_accent),
        ];
        for (name, color) in named {
            let line = format!("--{name}: {};", color.to_string().to_lowercase());
            assert!(block.contains(&line), "no {line} in the style sheet");
        }
    }

    #[test]
    fn these_are_the_colours_of_the_style_sheet() {
        let (light, dark) = SHEET
            .split_once(":root[data-theme=\"dark\"]")
            .unwrap_or_default();
        check(light, LIGHT);
        check(dark, DARK);
    }
}
