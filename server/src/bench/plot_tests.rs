use super::*;

#[test]
fn several_rounds_are_drawn_with_their_ends() {
    let rounds = [900, 1_100, 1_000].map(Figure::whole);
    let point = Range::over(&rounds).map(|range| placed(7, range));
    let expected = chart::Point {
        x: 7,
        y: 1_000,
        least: 900,
        most: 1_100,
    };
    assert_eq!(point, Some(expected));
    let tpcb = Range::over(&rounds[..1]);
    let told = Range::over(&rounds).zip(tpcb).map(|(range, tpcb)| {
        told(&Point {
            x: 7,
            uniform: range,
            hot: range,
            tpcb,
        })
    });
    assert_eq!(
        told.as_deref(),
        Some("at 7: uniform 1000 [900 - 1100], hot 1000 [900 - 1100], TPC-B 900")
    );
}

#[test]
fn rows_grow_by_ten_up_to_the_bound() {
    assert_eq!(steps(10_000), [10_000]);
    assert_eq!(steps(1_000_000), [10_000, 100_000, 1_000_000]);
    assert_eq!(steps(250_000), [10_000, 100_000, 250_000]);
    assert_eq!(steps(10_000_000), [10_000, 100_000, 1_000_000, 10_000_000]);
}

/// The same for all three lines, at this place.
fn at(x: u64) -> Point {
    let range = Range::over(&[Figure::whole(x * 3), Figure::whole(x * 2)]).unwrap();
    Point {
        x,
        uniform: range,
        hot: range,
        tpcb: range,
    }
}

/// Fails unless each element ends by itself or by its own end, inside the one that it began in, and nothing in
/// between would be read as something else.
fn is_well_formed(xml: &str) {
    let mut open = Vec::new();
    assert!(xml.starts_with("<svg "), "{xml}");
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>'), "{part}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        for entity in part.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;", "quot;"];
            assert!(known.iter().any(|each| entity.starts_with(each)), "{part}");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{part}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        let is_over = open.is_empty();
        assert_eq!(is_over, tag == "/svg", "{part}");
    }
}

#[test]
fn both_pictures_are_written_with_a_point_for_each_step() {
    let folder = std::env::temp_dir().join(format!("exchequer-plot-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let rows: Vec<Point> = steps(250_000).into_iter().map(|x| at(x.into())).collect();
    let concurrency = IN_FLIGHT.map(|x| at(x.into()));
    let occasion = Occasion {
        rounds: 2,
        machine: "two cores, <fast> & \"quiet\"",
    };
    let told = occasion.draw(&folder, &rows, &concurrency).unwrap();
    for (name, points) in [
        ("bench-rows.svg", &rows[..]),
        ("bench-concurrency.svg", &concurrency[..]),
    ] {
        let path = folder.join(name);
        let svg = std::fs::read_to_string(&path).unwrap();
        is_well_formed(&svg);
        assert!(svg.contains("Medians of 2 interleaved rounds"), "{svg}");
        for Point { x, .. } in points {
            let drawn = svg.matches(&format!(" data-x=\"{x}\" ")).count();
            assert_eq!(drawn, 3, "{x} in {name}: {svg}");
        }
        assert_eq!(svg.matches(" data-x=").count(), 3 * points.len(), "{svg}");
        assert!(told.contains(&path.display().to_string()), "{told}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
