//! A line chart as SVG, both axes logarithmic.
//!
//! Invariants: readable on light and on dark paper, without colours by the shape of its points, and
//! without eyes by its title, its description and the points' own words. No float: positions are whole
//! thousandths of a pixel.

use std::fmt::Write;

/// One line.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// x and y, both above zero; x ascending. Points at zero have no place and are left out.
    pub(super) points: Vec<(u64, u64)>,
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
const RIGHT: u64 = 740;
const TOP: u64 = 80;
const BOTTOM: u64 = 380;

/// Between two names of the legend, pixels.
const LEGEND_STEP: usize = 200;

/// Colours of Okabe and Ito, lighter ones for dark paper; apart also for those who see few colours.
const STYLE: &str = "\
.paper{fill:#ffffff}.ink{fill:#1f2328}.grid{stroke:#d0d7de}text{font:13px system-ui,sans-serif}\
.line{fill:none;stroke-width:2}\
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
    let x_axis = Axis::over(all().map(|(x, _)| *x));
    let y_axis = Axis::over(all().map(|(_, y)| *y));
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
        let drawn: Vec<(u64, u64)> = series
            .points
            .iter()
            .copied()
            .filter(|(x, y)| *x > 0 && *y > 0)
            .collect();
        let class = index % 3;
        let corners: Vec<String> = drawn
            .iter()
            .map(|(x, y)| format!("{},{}", pixels(at_x(*x)), pixels(at_y(*y))))
            .collect();
        put(format_args!(
            "<polyline class=\"s{class} line\" points=\"{}\"/>\n",
            corners.join(" ")
        ));
        for (x, y) in &drawn {
            let place = (at_x(*x), at_y(*y));
            let words = format!("{}: {} at {}", series.name, grouped(*y), grouped(*x));
            put(format_args!(
                "<g class=\"s{class}\" data-x=\"{x}\" data-y=\"{y}\"><title>{}</title>{}</g>\n",
                escaped(&words),
                mark(class, place)
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
mod tests {
    use super::*;

    fn chart(series: Vec<Series>) -> Chart {
        Chart {
            title: "Ledger <fast> & \"true\"".to_owned(),
            description: "Two lines & more".to_owned(),
            x_label: "rows",
            y_label: "entries a second",
            series,
        }
    }

    fn two_lines() -> String {
        svg(&chart(vec![
            Series {
                name: "uniform <1>",
                points: vec![(10_000, 5_000), (100_000, 4_000), (1_000_000, 3_500)],
            },
            Series {
                name: "TPC-B",
                points: vec![(10_000, 1_000), (1_000_000, 990)],
            },
        ]))
    }

    /// What stands in an attribute, each time it occurs.
    fn values(svg: &str, attribute: &str) -> Vec<String> {
        let start = format!(" {attribute}=\"");
        let parts = svg.split(start.as_str()).skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn logarithms_are_right_to_the_thousandth() {
        let check = |number: u64, expected: u64| {
            assert_eq!(log10_thousandths(number), expected, "{number}");
        };
        check(0, 0);
        check(1, 0);
        check(2, 301);
        check(5, 698);
        check(1_024, 3_010);
        check(u64::MAX, 19_265);
        for power in 0..20_u32 {
            check(10_u64.pow(power), u64::from(power) * 1_000);
        }
        let mut before = 0;
        for number in 1..5_000 {
            let here = log10_thousandths(number);
            assert!(here >= before, "{number}");
            before = here;
        }
    }

    #[test]
    fn all_points_can_be_read_back() {
        let svg = two_lines();
        let read: Vec<(String, String)> = values(&svg, "data-x")
            .into_iter()
            .zip(values(&svg, "data-y"))
            .collect();
        let expected = [
            ("10000", "5000"),
            ("100000", "4000"),
            ("1000000", "3500"),
            ("10000", "1000"),
            ("1000000", "990"),
        ];
        let expected = expected.map(|(x, y)| (x.to_owned(), y.to_owned()));
        assert_eq!(read, expected);
        // Two decades each way: x from 10^4 to 10^6, y from 10^2 to 10^4.
        assert_eq!(
            values(&svg, "points")[0],
            "90.000,125.300 415.000,139.700 740.000,148.400"
        );
    }

    #[test]
    fn words_are_escaped_and_said_to_those_who_cannot_see() {
        let svg = two_lines();
        assert!(
            svg.contains("<title id=\"title\">Ledger &lt;fast&gt; &amp; &quot;true&quot;</title>")
        );
        assert!(svg.contains("<desc id=\"desc\">Two lines &amp; more</desc>"));
        assert!(svg.contains(">uniform &lt;1&gt;</text>"));
        assert!(!svg.contains("<fast>") && !svg.contains("<1>"));
        assert!(svg.contains("role=\"img\" aria-labelledby=\"title desc\""));
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
        assert_eq!(svg.matches("<svg ").count(), 1);
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn both_papers_have_their_colours() {
        let svg = two_lines();
        assert!(svg.contains("prefers-color-scheme:dark"));
        for class in ["s0", "s1"] {
            assert!(svg.contains(&format!("class=\"{class} line\"")), "{class}");
        }
    }

    #[test]
    fn nothing_and_zero_are_drawn_as_nothing() {
        let empty = svg(&chart(vec![Series {
            name: "none",
            points: vec![(0, 5), (10, 0)],
        }]));
        assert!(values(&empty, "data-x").is_empty());
        assert!(empty.contains("points=\"\""));
        let one = svg(&chart(vec![Series {
            name: "one",
            points: vec![(1, 1)],
        }]));
        assert_eq!(values(&one, "points"), ["90.000,380.000"]);
    }

    #[test]
    fn thousands_stand_apart() {
        let check = |number: u64, expected: &str| {
            assert_eq!(grouped(number).replace('\u{a0}', " "), expected);
        };
        check(1, "1");
        check(999, "999");
        check(1_000, "1 000");
        check(10_000_000, "10 000 000");
    }
}
