use super::*;

/// Measured once.
fn at(x: u64, y: u64) -> Point {
    Point {
        x,
        y,
        least: y,
        most: y,
    }
}

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
            points: vec![at(10_000, 5_000), at(100_000, 4_000), at(1_000_000, 3_500)],
        },
        Series {
            name: "TPC-B",
            points: vec![at(10_000, 1_000), at(1_000_000, 990)],
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
        "90.000,125.300 400.000,139.700 710.000,148.400"
    );
}

#[test]
fn words_are_escaped_and_said_to_those_who_cannot_see() {
    let svg = two_lines();
    assert!(svg.contains("<title id=\"title\">Ledger &lt;fast&gt; &amp; &quot;true&quot;</title>"));
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
        points: vec![at(0, 5), at(10, 0)],
    }]));
    assert!(values(&empty, "data-x").is_empty());
    assert!(empty.contains("points=\"\""));
    let one = svg(&chart(vec![Series {
        name: "one",
        points: vec![at(1, 1)],
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

/// As wide as the characters of a word of 13 px are on average, pixels, with something to spare.
const CHARACTER: u64 = 8;

/// What stands in an attribute of this tag.
fn value(tag: &str, attribute: &str) -> Option<String> {
    values(tag, attribute).into_iter().next()
}

/// Whole pixels.
fn whole(text: &str) -> u64 {
    text.split('.').next().unwrap().parse().unwrap()
}

/// Left and right end and height of each level text: as wide as it could be.
fn boxes(svg: &str) -> Vec<(String, i64, i64, u64)> {
    let texts = svg.split("<text ").skip(1);
    texts
        .filter_map(|text| {
            let (tag, rest) = text.split_once('>').unwrap();
            let tag = format!(" {tag}");
            let (x, y) = (value(&tag, "x")?, value(&tag, "y")?);
            let words = rest.split('<').next().unwrap().to_owned();
            let characters = u64::try_from(words.chars().count()).unwrap();
            let width = i64::try_from(characters * CHARACTER).unwrap();
            let x = i64::try_from(whole(&x)).unwrap();
            let left = match value(&tag, "text-anchor").as_deref() {
                Some("middle") => x - width / 2,
                Some("end") => x - width,
                _ => x,
            };
            Some((words, left, left + width, whole(&y)))
        })
        .collect()
}

#[test]
fn every_label_is_inside_the_picture() {
    let svg = svg(&chart(vec![
        Series {
            name: "ledger, uniform",
            points: vec![at(10_000, 900_000), at(10_000_000, 1)],
        },
        Series {
            name: "ledger, one hot account",
            points: vec![at(10_000, 20_000)],
        },
        Series {
            name: "TPC-B by pgbench",
            points: vec![at(10_000, 20_000)],
        },
    ]));
    let boxes = boxes(&svg);
    // Title, four and seven powers of ten, what the x axis is, three names.
    assert_eq!(boxes.len(), 16, "{boxes:?}");
    let labels: Vec<String> = boxes
        .iter()
        .map(|(words, ..)| words.replace('\u{a0}', " "))
        .collect();
    assert!(labels.contains(&"10 000 000".to_owned()), "{labels:?}");
    assert!(labels.contains(&"1 000 000".to_owned()), "{labels:?}");
    let (width, height) = (i64::try_from(WIDTH).unwrap(), HEIGHT);
    for (words, left, right, y) in boxes {
        assert!(left >= 0 && right <= width, "{words}: {left} to {right}");
        assert!((13..=height - 4).contains(&y), "{words}: {y}");
    }
}

#[test]
fn rounds_that_differ_get_a_bar_from_the_least_to_the_most() {
    let spread = Point {
        x: 10,
        y: 100,
        least: 10,
        most: 1_000,
    };
    let svg = svg(&chart(vec![Series {
        name: "one",
        points: vec![spread, at(100, 100)],
    }]));
    // One of the two has a bar, from the bottom to the top of the axis that it made.
    assert_eq!(svg.matches("class=\"spread\"").count(), 1);
    assert!(
        svg.contains("d=\"M86.000 380.000H94.000M90.000 380.000V80.000M86.000 80.000H94.000\""),
        "{svg}"
    );
    let told = svg.replace('\u{a0}', " ");
    assert!(
        told.contains("<title>one: 100 (10 to 1 000) at 10</title>"),
        "{told}"
    );
    assert!(told.contains("<title>one: 100 at 100</title>"), "{told}");
}
