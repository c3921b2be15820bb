use domain::money::CurrencyKind;

use super::*;
use crate::http::json::parse;

fn object(text: &str) -> Object {
    match parse(text) {
        Ok(Value::Object(object)) => object,
        other => panic!("{text}: {other:?}"),
    }
}

/// Runs `read` on the object and gives what it read with the fields it refused.
fn read<T>(text: &str, read: impl FnOnce(&mut Fields<'_, '_>) -> T) -> (T, Vec<String>) {
    let object = object(text);
    let mut problems = Problems::default();
    let value = read(&mut Fields::new(&object, &mut problems));
    (
        value,
        problems
            .iter()
            .map(|problem| problem.field.clone())
            .collect(),
    )
}

fn usd() -> Currency {
    Currency {
        id: 1,
        code: "USD".parse().unwrap(),
        kind: CurrencyKind::Fiat,
        precision: 2,
        scale: 8,
    }
}

#[test]
fn texts_are_strings_of_characters() {
    let text = |json: &str| read(json, |fields| fields.required_text("a", 3)).1;
    assert!(text(r#"{"a":"x"}"#).is_empty());
    assert!(text(r#"{"a":"₹₹₹"}"#).is_empty());
    assert!(text(r#"{"a":"x\ty"}"#).is_empty());
    for refused in [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":""}"#,
        r#"{"a":"  "}"#,
        r#"{"a":"four"}"#,
        r#"{"a":1}"#,
        r#"{"a":["x"]}"#,
        r#"{"a":"\u0000"}"#,
        r#"{"a":"\ud800"}"#,
    ] {
        assert_eq!(text(refused), ["a"], "{refused}");
    }
}

#[test]
fn a_problem_is_noted_once() {
    assert_eq!(
        read("{}", |fields| fields.required_integer("n", 1..=9)).1,
        ["n"]
    );
    assert_eq!(
        read("{}", |fields| fields.required_amount("n", Some(usd()))).1,
        ["n"]
    );
}

#[test]
fn integers_are_plain_numbers() {
    let integer = |json: &str| read(json, |fields| fields.optional_integer("n", 1..=9)).0;
    assert_eq!(integer(r#"{"n":9}"#), Some(9));
    for refused in [
        r#"{"n":0}"#,
        r#"{"n":10}"#,
        r#"{"n":-1}"#,
        r#"{"n":1.0}"#,
        r#"{"n":1e0}"#,
        r#"{"n":"1"}"#,
        r#"{"n":true}"#,
        r#"{"n":99999999999999999999}"#,
    ] {
        assert_eq!(integer(refused), None, "{refused}");
        assert_eq!(
            read(refused, |fields| fields.optional_integer("n", 1..=9)).1,
            ["n"]
        );
    }
}

#[test]
fn amounts_are_read_from_the_raw_token() {
    let amount = |json: &str| read(json, |fields| fields.required_amount("a", Some(usd()))).0;
    assert_eq!(amount(r#"{"a":149.98}"#).unwrap().truncated(), "149.98");
    assert_eq!(amount(r#"{"a":"149.98"}"#).unwrap().truncated(), "149.98");
    assert_eq!(
        amount(r#"{"a":999999999999999.99}"#).unwrap().truncated(),
        "999999999999999.99"
    );
    for refused in [
        r#"{"a":0}"#,
        r#"{"a":-5}"#,
        r#"{"a":1e3}"#,
        r#"{"a":0.001}"#,
        r#"{"a":"1_000"}"#,
        r#"{"a":" 1"}"#,
        r#"{"a":"1,00"}"#,
        r#"{"a":1000000000000000.01}"#,
        r#"{"a":"٣"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":[1]}"#,
        r#"{"a":1.000}"#,
    ] {
        assert_eq!(amount(refused), None, "{refused}");
    }
}

#[test]
fn amounts_as_answers_write_them_are_read_where_they_are_asked_for() {
    let exact = |json: &str| {
        read(json, |fields| {
            fields.required_exact_amount("a", Some(usd()))
        })
        .0
    };
    let strict = |json: &str| read(json, |fields| fields.required_amount("a", Some(usd()))).0;
    let ours = r#"{"a":"149.98000000"}"#;
    assert_eq!(exact(ours).unwrap().truncated(), "149.98");
    assert_eq!(strict(ours), None);
    assert_eq!(exact(r#"{"a":"1.000"}"#), None);
}

#[test]
fn paths_name_the_place() {
    let json = r#"{"customer":{"email":5},"items":[{"price":1},{"price":"x"},7]}"#;
    let (prices, fields) = read(json, |fields| {
        if let Some(mut customer) = fields.optional_object("customer") {
            customer.required_text("email", 9);
            customer.required_text("name", 9);
        }
        fields.each_object("items", 3, |item| {
            item.required_amount("price", Some(usd()))
        })
    });
    assert_eq!(prices.len(), 1);
    assert_eq!(
        fields,
        [
            "customer.email",
            "customer.name",
            "items.1.price",
            "items.2"
        ]
    );
}

#[test]
fn arrays_are_bounded() {
    let length = |json: &str| read(json, |fields| fields.each_object("x", 2, |_| Some(()))).1;
    assert!(length("{}").is_empty());
    assert!(length(r#"{"x":[{},{}]}"#).is_empty());
    assert_eq!(length(r#"{"x":[{},{},{}]}"#), ["x"]);
    assert_eq!(length(r#"{"x":{}}"#), ["x"]);
}

#[test]
fn lists_hold_strings() {
    let texts = |json: &str| read(json, |fields| fields.each_text("x", 2));
    assert_eq!(texts("{}"), (vec![], vec![]));
    assert_eq!(
        texts(r#"{"x":["a","b"]}"#),
        (vec!["a".to_owned(), "b".to_owned()], vec![])
    );
    assert_eq!(texts(r#"{"x":["a","b","c"]}"#).1, ["x"]);
    assert_eq!(texts(r#"{"x":"a"}"#).1, ["x"]);
    assert_eq!(texts(r#"{"x":["a",1]}"#).1, ["x.1"]);
    assert_eq!(texts(r#"{"x":["\u0000"]}"#).1, ["x.0"]);
}

#[test]
fn free_json_is_kept_exactly_or_refused() {
    let json = |json: &str| read(json, |fields| fields.optional_json("m", 3));
    let (kept, refused) =
        json(r#"{"m":{"a":[1,2.5,"x",null,true],"b":{"c":18446744073709551615}}}"#);
    assert!(refused.is_empty());
    let kept = serde_json::Value::Object(kept.unwrap());
    let expected = serde_json::json!({ "a": [1, 2.5, "x", null, true], "b": { "c": u64::MAX } });
    assert_eq!(kept, expected);

    assert_eq!(json(r#"{"m":[]}"#).1, ["m"]);
    assert_eq!(json(r#"{"m":{"a":1,"b":2,"c":3,"d":4}}"#).1, ["m"]);
    assert_eq!(json(r#"{"m":{"a":["x\u0000"]}}"#).1, ["m.a"]);
    assert_eq!(json(r#"{"m":{"a":{"\ud800":1}}}"#).1, ["m.a"]);
    assert_eq!(json(r#"{"m":{"\u0000":1}}"#).1, ["m"]);
    assert_eq!(
        json(r#"{"m":{"a":123456789012345678901234567890}}"#).1,
        ["m.a"]
    );
    assert_eq!(json(r#"{"m":{"a":0.12345678901234567}}"#).1, ["m.a"]);
    assert_eq!(json(r#"{"m":{"a":1e999}}"#).1, ["m.a"]);
    assert!(json(r#"{"m":{"a":0.000123456789012345}}"#).1.is_empty());
}
