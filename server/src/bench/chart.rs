//! A line chart as SVG, both axes logarithmic.
//!
//! Invariants: readable on light and on dark paper, without colours by the shape of its points, and
//! without eyes by its title, its description and the points' own words. No float: positions are whole
//! thousandths of a pixel.

use std::fmt::Write;

/// One line.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// x ascending. Points at zero have no place and are left out.
    pub(super) points: Vec<Point>,
}

/// One place of a line, and how far apart the measurements of it lay: `least <= y <= most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Point {
    fn has_spread(self) -> bool {
        self.least < self.most
    }

    /// For those who cannot see it, e.g. `4 000 (3 500 to 4 200) at 10 000`.
    fn words(self) -> String {
        let [x, y, least, most] = [self.x, self.y, self.least, self.most].map(grouped);
        if self.has_spread() {
            format!("{y} ({least} to {most}) at {x}")
        } else {
            format!("{y} at {x}")
        }
    }
}

/// What is drawn.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    pub(super) series: Vec<Series>,
}

const WIDTH: u64 = 760;
const HEIGHT: u64 = 440;
const LEFT: u64 = 90;
/// As far from the edge as half of the longest label under the x axis is wide.
const RIGHT: u64 = 710;
const TOP: u64 = 80;
const BOTTOM: u64 = 380;

/// Between two names of the legend, pixels.
const LEGEND_STEP: usize = 200;

/// Colours of Okabe and Ito, lighter ones for dark paper; apart also for those who see few colours.
const STYLE: &str = "\
.paper{fill:#ffffff}.ink{fill:#1f2328}.grid{stroke:#d0d7de}text{font:13px system-ui,sans-serif}\
.line{fill:none;stroke-width:2}.spread{fill:none;stroke-width:1.5;stroke-opacity:.7}\
.s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#d55e00;fill:#d55e00}.s2{stroke:#007a5a;fill:#007a5a}\
.line{fill:none}\
@media(prefers-color-scheme:dark){.paper{fill:#14171a}.ink{fill:#e6e8ea}.grid{stroke:#3d444d}\
.s0{stroke:#56b4e9;fill:#56b4e9}.s1{stroke:#e69f00;fill:#e69f00}.s2{stroke:#3ecf9f;fill:#3ecf9f}\
.line{fill:none}}";

/// Lowest and highest thousandth of a power of ten that an axis shows.
#[derive(Clone, Copy)]
struct Axis {
    low: u64,
    high: u64,
}

impl Axis {
    fn over(values: impl Iterator<Item = u64>) -> Self {
        let (mut low, mut high) = (u64::MAX, 0);
        for power in values.filter(|value| *value > 0).map(log10_thousandths) {
            low = low.min(power);
            high = high.max(power);
        }
        if low > high {
            return Self {
                low: 0,
                high: 1_000,
            };
        }
        // Whole powers of ten at both ends.
        let (low, high) = (low / 1_000 * 1_000, high.div_ceil(1_000) * 1_000);
        Self {
            low,
            high: high.max(low + 1_000),
        }
    }

    /// How far along `length` pixels, in thousandths of a pixel.
    fn place(self, value: u64, length: u64) -> u64 {
        let power = log10_thousandths(value).clamp(self.low, self.high);
        (power - self.low) * length * 1_000 / (self.high - self.low)
    }

    /// Powers of ten on it.
    fn ticks(self) -> impl Iterator<Item = u64> {
        (self.low / 1_000..=self.high / 1_000)
            .filter_map(|power| 10_u64.checked_pow(u32::try_from(power).ok()?))
    }
}

/// The chart as a file of its own.
pub(super) fn svg(chart: &Chart) -> String {
    let all = || chart.series.iter().flat_map(|series| &series.points);
    let x_axis = Axis::over(all().map(|point| point.x));
    let y_axis = Axis::over(all().flat_map(|point| [point.least, point.y, point.most]));
    let at_x = |x: u64| LEFT * 1_000 + x_axis.place(x, RIGHT - LEFT);
    let at_y = |y: u64| BOTTOM * 1_000 - y_axis.place(y, BOTTOM - TOP);
    let mut out = String::new();
    let mut put = |part: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _ = out.write_fmt(part);
    };
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"ink\" x=\"{LEFT}\" y=\"28\" font-weight=\"bold\">{}</text>\n",
        escaped(&chart.title),
        escaped(&chart.description),
        escaped(&chart.title)
    ));
    for tick in x_axis.ticks() {
        let x = pixels(at_x(tick));
        put(format_args!(
            "<line class=\"grid\" x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{BOTTOM}\"/>\
             <text class=\"ink\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            BOTTOM + 20,
            grouped(tick)
        ));
    }
    for tick in y_axis.ticks() {
        let y = pixels(at_y(tick));
        put(format_args!(
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{RIGHT}\" y2=\"{y}\"/>\
             <text class=\"ink\" x=\"{}\" y=\"{y}\" text-anchor=\"end\" dominant-baseline=\"middle\">{}</text>\n",
            LEFT - 8,
            grouped(tick)
        ));
    }
    put(format_args!(
        "<text class=\"ink\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text class=\"ink\" transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        (LEFT + RIGHT) / 2,
        HEIGHT - 14,
        escaped(chart.x_label),
        (TOP + BOTTOM) / 2,
        escaped(chart.y_label)
    ));
    for ((index, series), legend_x) in chart
        .series
        .iter()
        .enumerate()
        .zip((LEFT..).step_by(LEGEND_STEP))
    {
        let drawn: Vec<Point> = series
            .points
            .iter()
            .copied()
            .filter(|point| point.x > 0 && point.y > 0)
            .collect();
        let class = index % 3;
        let corners: Vec<String> = drawn
            .iter()
            .map(|point| format!("{},{}", pixels(at_x(point.x)), pixels(at_y(point.y))))
            .collect();
        put(format_args!(
            "<polyline class=\"s{class} line\" points=\"{}\"/>\n",
            corners.join(" ")
        ));
        for point in &drawn {
            let Point { x, y, .. } = *point;
            let words = format!("{}: {}", series.name, point.words());
            let bar = if point.has_spread() {
                bar(at_x(x), at_y(point.least), at_y(point.most))
            } else {
                String::new()
            };
            put(format_args!(
                "<g class=\"s{class}\" data-x=\"{x}\" data-y=\"{y}\"><title>{}</title>{bar}{}</g>\n",
                escaped(&words),
                mark(class, (at_x(x), at_y(y)))
            ));
        }
        put(format_args!(
            "<g class=\"s{class}\">{}</g><text class=\"ink\" x=\"{}\" y=\"58\">{}</text>\n",
            mark(class, (legend_x * 1_000, 54_000)),
            legend_x + 12,
            escaped(series.name)
        ));
    }
    put(format_args!("</svg>\n"));
    out
}

/// From the least to the most, with a short line across at each end.
fn bar(x: u64, least: u64, most: u64) -> String {
    let (left, right) = (pixels(x.saturating_sub(4_000)), pixels(x + 4_000));
    let (middle, least, most) = (pixels(x), pixels(least), pixels(most));
    format!(
        "<path class=\"spread\" d=\"M{left} {least}H{right}M{middle} {least}V{most}M{left} {most}H{right}\"/>"
    )
}

/// A disc, a square, a triangle.
fn mark(class: usize, (x, y): (u64, u64)) -> String {
    let moved =
        |at: u64, by: u64, back: bool| pixels(if back { at.saturating_sub(by) } else { at + by });
    match class {
        0 => format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"4\"/>",
            pixels(x),
            pixels(y)
        ),
        1 => format!(
            "<rect x=\"{}\" y=\"{}\" width=\"8\" height=\"8\"/>",
            moved(x, 4_000, true),
            moved(y, 4_000, true)
        ),
        _ => format!(
            "<path d=\"M{} {}L{} {}L{} {}Z\"/>",
            pixels(x),
            moved(y, 5_000, true),
            moved(x, 5_000, false),
            moved(y, 4_000, false),
            moved(x, 5_000, true),
            moved(y, 4_000, false)
        ),
    }
}

/// Thousandths of a pixel as SVG takes them.
fn pixels(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Thousands apart, e.g. `10 000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// log₁₀ in thousandths, one too many at most; 0 for 0 and 1. The binary logarithm's digits come by squaring.
fn log10_thousandths(number: u64) -> u64 {
    /// One, in the form in which the number is squared.
    const ONE: u128 = 1 << 62;
    /// log₁₀ 2 · 10¹².
    const LOG10_OF_2: u128 = 301_029_995_664;
    let Some(whole) = number.checked_ilog2() else {
        return 0;
    };
    let mut rest = (u128::from(number) << 62) >> whole;
    let mut log2 = u128::from(whole);
    for _ in 0..30 {
        rest = (rest * rest) >> 62;
        log2 <<= 1;
        if rest >= ONE << 1 {
            rest >>= 1;
            log2 |= 1;
        }
    }
    let millionths = (log2 * LOG10_OF_2 * 1_000_000) >> 30;
    // Powers of ten come out a hair below themselves.
    let thousandths = (millionths / 1_000_000_000_000 + 2) / 1_000;
    u64::try_from(thousandths).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "chart_tests.rs"]
mod tests;
