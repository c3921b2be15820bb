use super::*;

#[track_caller]
fn accept(text: &str) -> Value {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn refuse(text: &str) {
    assert!(parse(text).is_err(), "{text} was accepted");
}

#[track_caller]
fn text_of(json: &str) -> Option<String> {
    let Value::String(text) = accept(json) else {
        panic!("no string: {json}")
    };
    text.as_str().map(str::to_owned)
}

#[test]
fn numbers_keep_their_text() {
    for token in [
        "0",
        "-0",
        "149.98",
        "123456789012345678.91",
        "1.10",
        "1e3",
        "1E+3",
        "-2.5e-7",
    ] {
        assert_eq!(accept(token), Value::Number(token.to_owned()));
    }
    for token in [
        "01", "-", ".5", "1.", "1e", "1e+", "+1", "0x10", "1_000", "NaN", "Infinity", "-a",
    ] {
        refuse(token);
    }
}

#[test]
fn values_of_every_kind() {
    let value = accept(" { \"a\" : [ true , false , null , { } , [ ] ] , \"b\" : \"\" } \n");
    let Value::Object(object) = value else {
        panic!("no object")
    };
    let Some(Value::Array(values)) = object.get("a") else {
        panic!("no array")
    };
    assert_eq!(values[0], Value::Bool(true));
    assert_eq!(values[2], Value::Null);
    assert_eq!(values.len(), 5);
    assert_eq!(object.len(), 2);
}

#[test]
fn only_one_document_and_nothing_lenient() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "nul",
        "truee",
        "1 2",
        "{} x",
        "[1]]",
        "// c\n1",
        "\u{feff}1",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "{\"a\"}",
        "{1:2}",
        "[,1]",
        "\u{a0}1",
    ] {
        refuse(text);
    }
}

#[test]
fn escapes_become_characters() {
    assert_eq!(
        text_of(r#""\"\\\/\b\f\n\r\t""#).unwrap(),
        "\"\\/\u{8}\u{c}\n\r\t"
    );
    assert_eq!(text_of(r#""\u0041\u00e9\u20AC""#).unwrap(), "Aé€");
    assert_eq!(text_of(r#""\ud83d\ude00""#).unwrap(), "😀");
    assert_eq!(text_of("\"Bērziņa ₹ 😀\"").unwrap(), "Bērziņa ₹ 😀");
    assert_eq!(text_of(r#""\u0000""#).unwrap(), "\0");
}

#[test]
fn an_unpaired_surrogate_is_no_text_but_not_malformed() {
    for json in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\u0041""#,
        r#""\ud800\ud800\udc00""#,
        r#""\udc00\ud800""#,
    ] {
        assert_eq!(text_of(json), None, "{json}");
    }
    refuse(r#""\ud800\u12""#);
}

#[test]
fn a_member_given_twice_is_malformed() {
    let twice = parse(r#"{"amount":5,"amount":1}"#);
    assert_eq!(twice, Err(Malformed::Duplicate(12)));
    assert!(matches!(
        parse(r#"{"a":{"b":1,"\u0062":1}}"#),
        Err(Malformed::Duplicate(_))
    ));
    accept(r#"[{"a":1},{"a":1}]"#);
    accept(r#"{"a":1,"A":1}"#);
    accept(r#"{"\ud800":1,"\ud801":1}"#);
    assert!(matches!(
        parse(r#"{"\ud800":1,"\ud800":1}"#),
        Err(Malformed::Duplicate(_))
    ));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    accept(&nested(DEPTH_MAX));
    assert_eq!(parse(&nested(DEPTH_MAX + 1)), Err(Malformed::TooDeep));
    assert_eq!(parse(&"[".repeat(60_000)), Err(Malformed::TooDeep));
    let objects = format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65));
    assert_eq!(parse(&objects), Err(Malformed::TooDeep));
}
