//! The contrast guard (ux §2): text in the merchant's colour, and on it, has at least 4.5:1
//! (WCAG 1.4.3), in both themes.
//!
//! The walk is towards black or white in sRGB, in whole numbers; the ux names OKLab, which needs
//! floats. What it promises is the same: a ratio, and no more change than it takes.

use super::color::{Rgb, STEPS};
use super::tokens::Tokens;

/// Least contrast of text, in hundredths. One more than the rule asks for, so that nobody who rounds
/// otherwise finds less.
pub const CONTRAST_HUNDREDTHS_MIN: u64 = 451;

/// How far a button under the pointer goes on, of [`STEPS`].
const HOVER_STEPS: u16 = 38;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// An accent as one theme shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shades {
    /// Links, buttons, the chequer strip.
    pub accent: Rgb,
    /// The same under the pointer.
    pub hover: Rgb,
    /// Text on both.
    pub on_accent: Rgb,
}

/// Contrast ratios in hundredths, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratios {
    /// The accent on the page.
    pub paper: u64,
    /// On cards.
    pub surface: u64,
    /// On sunken boxes.
    pub sunken: u64,
    /// Words on a button.
    pub button: u64,
}

/// A colour as it was chosen and as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    /// `None` for a merchant without one: the house colours.
    chosen: Option<Rgb>,
    light: Shades,
    dark: Shades,
}

impl Accent {
    /// Darkens the colour for the light theme and lightens it for the dark one, as little as makes
    /// it readable.
    pub fn guard(chosen: Rgb) -> Self {
        Self {
            chosen: Some(chosen),
            light: shades(chosen, Theme::Light),
            dark: shades(chosen, Theme::Dark),
        }
    }

    /// The colours of a merchant without one of its own.
    pub fn house() -> Self {
        Self {
            chosen: None,
            light: Tokens::of(Theme::Light).house,
            dark: Tokens::of(Theme::Dark).house,
        }
    }

    pub fn chosen(&self) -> Option<Rgb> {
        self.chosen
    }

    pub fn shades(&self, theme: Theme) -> Shades {
        match theme {
            Theme::Light => self.light,
            Theme::Dark => self.dark,
        }
    }

    pub fn ratios(&self, theme: Theme) -> Ratios {
        let Shades {
            accent, on_accent, ..
        } = self.shades(theme);
        let [paper, surface, sunken] = Tokens::of(theme)
            .grounds()
            .map(|ground| accent.contrast_hundredths(ground));
        Ratios {
            paper,
            surface,
            sunken,
            button: on_accent.contrast_hundredths(accent),
        }
    }

    /// What was changed and why, a sentence for each theme that needed it.
    pub fn sentences(&self) -> Vec<String> {
        let Some(chosen) = self.chosen else {
            return Vec::new();
        };
        let changed = |theme: Theme| Some(self.shades(theme).accent).filter(|it| *it != chosen);
        let light = changed(Theme::Light).map(|shown| {
            format!("We darkened your colour from {chosen} to {shown} so text stays readable.")
        });
        let dark = changed(Theme::Dark).map(|shown| {
            format!("On dark screens we lighten it from {chosen} to {shown} for the same reason.")
        });
        light.into_iter().chain(dark).collect()
    }
}

fn shades(chosen: Rgb, theme: Theme) -> Shades {
    let goal = match theme {
        Theme::Light => Rgb::BLACK,
        Theme::Dark => Rgb::WHITE,
    };
    let grounds = Tokens::of(theme).grounds();
    let reads = |color: &Rgb| {
        grounds
            .iter()
            .all(|ground| color.contrast_hundredths(*ground) >= CONTRAST_HUNDREDTHS_MIN)
    };
    let accent = (0..=STEPS)
        .map(|step| chosen.towards(goal, step))
        .find(reads)
        .unwrap_or(goal);
    let on_accent = [Rgb::WHITE, Rgb::BLACK]
        .into_iter()
        .max_by_key(|color| color.contrast_hundredths(accent))
        .unwrap_or(Rgb::WHITE);
    Shades {
        accent,
        // Further from every ground, and from the text that it carries.
        hover: accent.towards(goal, HOVER_STEPS),
        on_accent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All colours that have three digits.
    fn colors() -> impl Iterator<Item = Rgb> {
        (0..4_096u16).map(|number| {
            let channel =
                |shift: u16| u8::try_from((number >> shift) & 15).unwrap_or_default() * 17;
            Rgb::new(channel(8), channel(4), channel(0))
        })
    }

    #[test]
    fn whatever_is_chosen_can_be_read() {
        for color in colors() {
            let accent = Accent::guard(color);
            for theme in [Theme::Light, Theme::Dark] {
                let Ratios {
                    paper,
                    surface,
                    sunken,
                    button,
                } = accent.ratios(theme);
                let least = paper.min(surface).min(sunken).min(button);
                assert!(
                    least >= CONTRAST_HUNDREDTHS_MIN,
                    "{color} {theme:?} {least}"
                );
                let Shades {
                    hover, on_accent, ..
                } = accent.shades(theme);
                let under_pointer = hover.contrast_hundredths(on_accent);
                assert!(
                    under_pointer >= CONTRAST_HUNDREDTHS_MIN,
                    "{color} {theme:?} {under_pointer}"
                );
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        for text in ["#14523D", "#1D4C78", "#8C1D1A", "#000000"] {
            let chosen = Rgb::parse(text).unwrap_or(Rgb::WHITE);
            assert_eq!(Accent::guard(chosen).shades(Theme::Light).accent, chosen);
        }
        for text in ["#6CC79A", "#F2C14E", "#FFFFFF"] {
            let chosen = Rgb::parse(text).unwrap_or(Rgb::BLACK);
            assert_eq!(Accent::guard(chosen).shades(Theme::Dark).accent, chosen);
        }
    }

    #[test]
    fn what_was_changed_is_said() {
        let orange = Accent::guard(Rgb::new(0xF7, 0x93, 0x1A));
        let said = orange.sentences();
        assert_eq!(said.len(), 1, "{said:?}");
        let shown = orange.shades(Theme::Light).accent;
        assert_eq!(
            said[0],
            format!("We darkened your colour from #F7931A to {shown} so text stays readable.")
        );
        let green = Accent::guard(Rgb::new(0x14, 0x52, 0x3D)).sentences();
        assert!(
            green.len() == 1 && green[0].contains("lighten"),
            "{green:?}"
        );
        assert!(Accent::house().sentences().is_empty());
    }

    #[test]
    fn the_house_colours_pass_too() {
        for theme in [Theme::Light, Theme::Dark] {
            let ratios = Accent::house().ratios(theme);
            assert!(ratios.sunken >= CONTRAST_HUNDREDTHS_MIN, "{ratios:?}");
            assert!(ratios.button >= CONTRAST_HUNDREDTHS_MIN, "{ratios:?}");
        }
    }
}
