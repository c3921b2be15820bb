use super::luminance::{WHITE, luminance};

/// Parts of the way from one colour to another.
pub(super) const STEPS: u16 = 256;

/// What WCAG adds to both luminances of a ratio, five hundredths of white.
const FLARE: u64 = WHITE / 20;

/// An sRGB colour, eight bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb {
    red: u8,
    green: u8,
    blue: u8,
}

impl Rgb {
    pub const BLACK: Self = Self::new(0, 0, 0);
    pub const WHITE: Self = Self::new(255, 255, 255);

    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// Reads `#RRGGBB`, in either case; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { red, green, blue })
    }

    /// `step` of [`STEPS`] on the way to `goal`; beyond the end it is the goal.
    pub(super) fn towards(self, goal: Self, step: u16) -> Self {
        let step = u32::from(step.min(STEPS));
        let whole = u32::from(STEPS);
        let mix = |from: u8, to: u8| {
            let sum = u32::from(from) * (whole - step) + u32::from(to) * step;
            // A mean of two bytes is one.
            u8::try_from(sum / whole).unwrap_or(u8::MAX)
        };
        Self {
            red: mix(self.red, goal.red),
            green: mix(self.green, goal.green),
            blue: mix(self.blue, goal.blue),
        }
    }

    /// Contrast ratio of WCAG 2.2 in hundredths, rounded down: 100 for a colour with itself, 2100
    /// for black with white.
    pub fn contrast_hundredths(self, other: Self) -> u64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + FLARE) * 100 / (one.min(two) + FLARE)
    }

    fn luminance(self) -> u64 {
        luminance([self.red, self.green, self.blue])
    }
}

impl std::fmt::Display for Rgb {
    /// `#RRGGBB` in capitals, as it is stored.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_and_written() {
        for (text, written) in [("#14523D", "#14523D"), ("#f7931a", "#F7931A")] {
            let read = Rgb::parse(text).map(|color| color.to_string());
            assert_eq!(read.as_deref(), Some(written));
        }
        for text in [
            "",
            "#",
            "14523D",
            "#14523",
            "#14523DFF",
            "#+4523D",
            "red",
            "#ķ23D",
            "#14523 ",
        ] {
            assert_eq!(Rgb::parse(text), None, "{text:?}");
        }
    }

    #[track_caller]
    fn check(one: &str, two: &str, hundredths: u64) {
        let ratio = Rgb::parse(one)
            .zip(Rgb::parse(two))
            .map(|(one, two)| (one.contrast_hundredths(two), two.contrast_hundredths(one)));
        assert_eq!(ratio, Some((hundredths, hundredths)), "{one} on {two}");
    }

    #[test]
    fn ratios_are_those_of_the_definition() {
        check("#000000", "#FFFFFF", 2_100);
        check("#123456", "#123456", 100);
        check("#767676", "#FFFFFF", 454);
        check("#FFFFFF", "#51B13E", 272);
    }

    #[test]
    fn the_way_ends_at_the_goal() {
        let color = Rgb::new(0xF7, 0x93, 0x1A);
        assert_eq!(color.towards(Rgb::BLACK, 0), color);
        assert_eq!(color.towards(Rgb::WHITE, STEPS), Rgb::WHITE);
        assert_eq!(color.towards(Rgb::BLACK, u16::MAX), Rgb::BLACK);
    }
}
