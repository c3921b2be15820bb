//! The text format of Prometheus, version 0.0.4, written by hand: types, help, escaping.
//!
//! Numbers are whole; durations are counted in microseconds and written as seconds, so no float is
//! needed.

use std::fmt::{Display, Write};

use domain::view::system::Durations;

/// `Content-Type` of what is written here.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics that grows.
#[derive(Debug, Default)]
pub struct Exposition(String);

/// One metric whose samples are being written.
pub struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

/// Names and values of a sample's labels.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// Only goes up while the process lives; the name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// Counts durations; the name ends in `_seconds`.
    pub fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    pub fn into_text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        self.line(format_args!("# HELP {name} {}", escaped(help, false)));
        self.line(format_args!("# TYPE {name} {kind}"));
        Family {
            text: &mut self.0,
            name,
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

impl Family<'_> {
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.write("", labels, None, &value);
        self
    }

    /// All samples of one histogram.
    pub fn durations(&mut self, labels: Labels<'_>, durations: &Durations) -> &mut Self {
        let mut so_far = 0;
        for bucket in &durations.buckets {
            so_far += bucket.count;
            let end = bucket
                .up_to_micros
                .map_or_else(|| "+Inf".to_owned(), seconds);
            self.write("_bucket", labels, Some(end.as_str()), &so_far);
        }
        self.write("_sum", labels, None, &seconds(durations.sum_micros));
        self.write("_count", labels, None, &so_far);
        self
    }

    fn write(&mut self, suffix: &str, labels: Labels<'_>, end: Option<&str>, value: &dyn Display) {
        let ends = end.map(|end| ("le", end));
        let pairs: Vec<String> = labels
            .iter()
            .copied()
            .chain(ends)
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value, true)))
            .collect();
        let labels = if pairs.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", pairs.join(","))
        };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.name);
    }
}

/// Microseconds as seconds: `0.0005`, `2.5`, `10`.
pub fn seconds(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{whole}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A line break would begin a sample of its own, a quote would end a label.
fn escaped(text: &str, quoted: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quoted => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use domain::view::system::Bucket;

    use super::*;

    #[test]
    fn a_metric_has_its_help_its_type_and_its_samples() {
        let mut page = Exposition::default();
        page.counter("things_total", "Things that happened.")
            .sample(&[("kind", "good"), ("size", "small")], 7)
            .sample(&[], 2);
        page.gauge("waiting", "Things that wait.").sample(&[], -1);
        assert_eq!(
            page.into_text(),
            "# HELP things_total Things that happened.\n\
             # TYPE things_total counter\n\
             things_total{kind=\"good\",size=\"small\"} 7\n\
             things_total 2\n\
             # HELP waiting Things that wait.\n\
             # TYPE waiting gauge\n\
             waiting -1\n"
        );
    }

    #[test]
    fn buckets_add_up_and_end_at_infinity() {
        let bucket = |up_to_micros, count| Bucket {
            up_to_micros,
            count,
        };
        let durations = Durations {
            buckets: vec![
                bucket(Some(500), 2),
                bucket(Some(2_500_000), 3),
                bucket(None, 1),
            ],
            sum_micros: 12_000_050,
        };
        let mut page = Exposition::default();
        page.histogram("took_seconds", "How long.")
            .durations(&[("route", "/")], &durations);
        let text = page.into_text();
        let samples: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            samples,
            [
                "took_seconds_bucket{route=\"/\",le=\"0.0005\"} 2",
                "took_seconds_bucket{route=\"/\",le=\"2.5\"} 5",
                "took_seconds_bucket{route=\"/\",le=\"+Inf\"} 6",
                "took_seconds_sum{route=\"/\"} 12.00005",
                "took_seconds_count{route=\"/\"} 6",
            ]
        );
    }

    #[test]
    fn nothing_in_a_label_ends_it() {
        let mut page = Exposition::default();
        page.gauge("x", "one\ntwo \\ \"three\"")
            .sample(&[("of", "a\"} 1\nforged 2 \\")], 1);
        assert_eq!(
            page.into_text(),
            "# HELP x one\\ntwo \\\\ \"three\"\n# TYPE x gauge\n\
             x{of=\"a\\\"} 1\\nforged 2 \\\\\"} 1\n"
        );
    }

    #[test]
    fn whole_microseconds_are_seconds() {
        for (micros, expected) in [
            (0, "0"),
            (1, "0.000001"),
            (500, "0.0005"),
            (10_000_000, "10"),
            (1_234_500, "1.2345"),
        ] {
            assert_eq!(seconds(micros), expected);
        }
    }
}
