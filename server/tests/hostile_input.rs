//! Floods and bad bodies against `POST /api/orders`: each is refused in the dialect's words, the
//! fields to blame are named, and nothing of it is stored (`10-orders-api.md`; `80`, Orders).

#![allow(clippy::unwrap_used)]

#[path = "hostile_input/files.rs"]
mod files;
#[path = "hostile_input/forms.rs"]
mod forms;
#[path = "hostile_input/inert.rs"]
mod inert;
#[path = "hostile_input/shop.rs"]
mod shop;

use futures::future::join_all;
use shop::{Shop, order, order_with, refused};
use sqlx::PgPool;

/// Bytes of a body at most.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Shown to people as they are; anything but what the database cannot hold may stand in them.
const NAMES: [&str; 7] = [
    "customer_details.name",
    "customer_details.surname",
    "customer_details.phone",
    "customer_details.address_line1",
    "customer_details.city",
    "customer_details.postal_code",
    "items.0.name",
];

/// Text with a form of its own.
const CODES: [&str; 5] = [
    "currency",
    "redirect_url",
    "webhook_url",
    "customer_details.email",
    "customer_details.country",
];

/// Fields that have to be there, of those above.
const REQUIRED: [&str; 7] = [
    "customer_details.name",
    "customer_details.surname",
    "customer_details.phone",
    "items.0.name",
    "currency",
    "redirect_url",
    "customer_details.email",
];

/// Sends every token in the place of every field; each time the field, and only it, is named.
async fn all_are_named(shop: &Shop, fields: &[&str], tokens: &[&str]) {
    let before = shop.stored().await;
    for field in fields {
        for token in tokens {
            let case: String = format!("{field} = {token}").chars().take(100).collect();
            let answer = shop.post(order_with(field, token)).await;
            refused(&answer, 422, &[*field], &case);
        }
    }
    assert_eq!(shop.stored().await, before);
}

/// Sends every body; each is answered with the status and a message alone.
async fn all_are_refused(shop: &Shop, status: u16, bodies: &[Vec<u8>]) {
    let before = shop.stored().await;
    for body in bodies {
        let case: String = String::from_utf8_lossy(body).chars().take(100).collect();
        refused(&shop.post(body.as_slice()).await, status, &[], &case);
    }
    assert_eq!(shop.stored().await, before);
}

fn texts() -> Vec<&'static str> {
    NAMES.into_iter().chain(CODES).collect()
}

/// The plain order with one part of its text written differently.
fn edited(part: &str, other: &str) -> Vec<u8> {
    let text = order().to_string();
    assert!(text.contains(part), "{part} in {text}");
    text.replacen(part, other, 1).into_bytes()
}

#[sqlx::test(migrations = "../migrations")]
async fn the_plain_order_is_taken(pool: PgPool) {
    // Otherwise the refusals below could have another reason.
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    shop.order(&order()).await;
    assert_ne!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_json_is_malformed(pool: PgPool) {
    let texts = r#" |{|[1,|{"a"}|nul|"|{} {}|{},|{"a":1,}|{a:1}|{'a':1}"#.split('|');
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(Vec::new());
    let numbers = r#"01|.5|1.|+1|-|1e|0x10|1_000|1 000|NaN|Infinity|-Infinity|１|'1'|undefined"#;
    let strings = "\"\\x41\"|\"\\ud8\"|\"\\\"|\"a\r\nb\"|\"\0\"|\"\t\"";
    for token in numbers.split('|').chain(strings.split('|')) {
        bodies.push(order_with("amount", token).into_bytes());
    }
    let plain = order().to_string();
    bodies.push(plain.replacen('}', ",}", 1).into_bytes());
    bodies.push(format!("/* an order */ {plain}").into_bytes());
    bodies.push(format!("\u{feff}{plain}").into_bytes());
    bodies.push(format!("{plain}{plain}").into_bytes());
    bodies.push(plain.as_bytes()[..plain.len() - 1].to_vec());
    bodies.push(plain.encode_utf16().flat_map(u16::to_le_bytes).collect());
    let no_text: [&[u8]; 3] = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"];
    for bytes in no_text {
        let mut body = b"{\"amount\":\"".to_vec();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\"}");
        bodies.push(body);
    }
    all_are_refused(&Shop::open(&pool).await, 400, &bodies).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_member_given_twice_is_malformed(pool: PgPool) {
    let bodies = [
        (r#""amount":"149.98""#, r#""amount":"149.98""#),
        (r#""amount":"149.98""#, r#""\u0061mount":"1.00""#),
        (r#""city":"Riga""#, r#""city":null"#),
        (r#""price":"99.99""#, r#""price":"0.01""#),
        (r#""cart":"7""#, r#""cart":"8""#),
        (r#""currency":"USD""#, r#""nobody asks":{"a":1,"a":1}"#),
    ]
    .map(|(member, again)| edited(member, &format!("{member},{again}")));
    all_are_refused(&Shop::open(&pool).await, 400, &bodies).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nesting_ends_at_64(pool: PgPool) {
    let arrays = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    // The order itself is the first level.
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    refused(
        &shop.post(order_with("amount", &arrays(63))).await,
        422,
        &["amount"],
        "64",
    );
    for body in [
        order_with("amount", &arrays(64)),
        order_with("metadata", &objects(64)),
        order_with("nobody asks", &arrays(64)),
        arrays(65),
        objects(65),
        "[".repeat(BODY_BYTES_MAX),
        "{\"a\":".repeat(BODY_BYTES_MAX / 5),
    ] {
        refused(&shop.post(body).await, 400, &[], "65 and more");
    }
    assert_eq!(shop.stored().await, before);
    let deepest = shop.post(order_with("metadata", &objects(63))).await;
    assert_eq!(deepest.status, 201, "{}", deepest.text());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_ends_at_64_kib(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    let text = order().to_string();
    let padded = |length: usize| text.clone() + &" ".repeat(length - text.len());
    let too_long = padded(BODY_BYTES_MAX + 1);
    for kind in ["application/json", "text/plain"] {
        let answer = shop
            .post_with(&[("content-type", kind)], too_long.as_str())
            .await;
        refused(&answer, 413, &[], kind);
    }
    let declared = [
        ("content-type", "application/json"),
        ("content-length", "65537"),
    ];
    refused(&shop.post_with(&declared, "{}").await, 413, &[], "declared");
    let flood = vec![b'x'; 4 * 1024 * 1024];
    refused(&shop.post(flood).await, 413, &[], "4 MiB");
    assert_eq!(shop.stored().await, before);
    let longest = shop.post(padded(BODY_BYTES_MAX)).await;
    assert_eq!(longest.status, 201, "{}", longest.text());
}

#[sqlx::test(migrations = "../migrations")]
async fn only_json_is_read(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    let body = order().to_string();
    for kind in [
        "",
        "text/plain",
        "text/html",
        "text/json",
        "application/xml",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json, text/plain",
    ] {
        let answer = shop
            .post_with(&[("content-type", kind)], body.as_str())
            .await;
        refused(&answer, 415, &[], kind);
    }
    let json = ("content-type", "application/json");
    for headers in [
        vec![],
        vec![json, json],
        vec![json, ("content-encoding", "gzip")],
    ] {
        let answer = shop.post_with(&headers, body.as_str()).await;
        refused(&answer, 415, &[], &format!("{headers:?}"));
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_body_that_is_no_object_names_no_field(pool: PgPool) {
    let bodies = ["null", "true", "7", "\"x\"", "[]", "[{}]"].map(|text| text.as_bytes().to_vec());
    all_are_refused(&Shop::open(&pool).await, 422, &bodies).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn amounts_are_plain_decimals_of_their_currency(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let numbers = "1e3|1E3|1e-2|-1|-0|0|0.00|0.001|149.980|1e400|-1e400|1000000000000000.01\
        |1000000000000001|18446744073709551616|null|true|[]|{}|[1]";
    let texts = "1e3|1e400|-1|+1|0|0.001|１|١|1,5|1 000|1_000| 1|1 |1\\r\\n|01|1.|.5|0x10|NaN\
        |Infinity|1.00\\u202e|1\\u0000|1\\ud800|$1|1 USD|<b>1</b>| ";
    let nines = "9".repeat(10_000);
    let mut tokens: Vec<String> = numbers.split('|').map(str::to_owned).collect();
    tokens.extend(texts.split('|').map(|text| format!("\"{text}\"")));
    tokens.extend([nines.clone(), format!("\"{nines}\""), format!("0.{nines}")]);
    tokens.push("\"\"".to_owned());
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    all_are_named(&shop, &["amount", "items.0.price"], &tokens).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn whole_numbers_are_whole(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let nines = "9".repeat(10_000);
    let tokens = r#"0|-1|-0|1.0|1.5|1e0|1e3|1e400|9007199254740992|9223372036854775808|"1"|"１"|""|
        true|[]|{}|[1]"#;
    let tokens = tokens.split('|').map(str::trim);
    let tokens: Vec<&str> = tokens.chain([nines.as_str()]).collect();
    all_are_named(&shop, &["items.0.quantity", "user_id"], &tokens).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn values_of_another_type_are_named(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let wrong = ["true", "7", "1e400", "[]", "{}", "[\"x\"]"];
    all_are_named(&shop, &texts(), &wrong).await;
    all_are_named(&shop, &REQUIRED, &["null", "\"\"", "\" \\r\\n\\t\""]).await;
    let objects = ["customer_details", "metadata"];
    all_are_named(&shop, &objects, &["true", "7", "\"x\"", "[]", "[{}]"]).await;
    all_are_named(&shop, &["customer_details"], &["null"]).await;
    all_are_named(
        &shop,
        &["items"],
        &["true", "7", "\"x\"", "{}", "{\"0\":{}}"],
    )
    .await;
    all_are_named(&shop, &["items.0"], &["null", "true", "7", "\"x\"", "[]"]).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn text_that_cannot_be_kept_is_named(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let long = format!("\"{}\"", "x".repeat(10_000));
    let wide = format!("\"{}\"", "\u{1F600}".repeat(10_000));
    let halves = r#""a\u0000b"|"\ud800"|"\udc00\ud800"|"a\ud83db""#.split('|');
    let tokens: Vec<&str> = halves.chain([long.as_str(), wide.as_str()]).collect();
    all_are_named(&shop, &texts(), &tokens).await;
    let before = shop.stored().await;
    for (token, field) in [
        (r#"{"a":"\u0000"}"#, "metadata.a"),
        (r#"{"a":["\ud800"]}"#, "metadata.a"),
        (r#"{"a":{"b":"\u0000"}}"#, "metadata.a"),
        (r#"{"a":1e400}"#, "metadata.a"),
        (r#"{"a":123456789012345678901234567890}"#, "metadata.a"),
        (r#"{"\u0000":1}"#, "metadata"),
        (r#"{"\ud800":1}"#, "metadata"),
    ] {
        let answer = shop.post(order_with("metadata", token)).await;
        refused(&answer, 422, &[field], token);
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn codes_addresses_and_links_take_no_tricks(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let tricks = r#""USD\r\nBcc: all@evil.example"|"\u202eDSU"|"<script>alert(1)</script>"|"=1+1"|
        "' OR 1=1 --"|"javascript:alert(1)"|"data:text/html,x"|"//evil.example"|"https://[::1"|
        "https://ok.example@evil.example/"|"https://shop.example/\r\nSet-Cookie: sid=x"|
        "file:///etc/passwd"|"https://"|"USD "|" LV""#;
    let tricks: Vec<&str> = tricks.split('|').map(str::trim).collect();
    all_are_named(&shop, &CODES, &tricks).await;
    let mails = r#""inga@shop.example\r\nBcc: all@evil.example"|"a@shop.example,b@shop.example"|
        "Inga <inga@shop.example>"|"in ga@shop.example"|"inga@shop"|"inga@shop.example\u202e""#;
    let mails: Vec<&str> = mails.split('|').map(str::trim).collect();
    all_are_named(&shop, &["customer_details.email"], &mails).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn floods_inside_a_body_are_named(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let items = [r#"{"name":"x","price":1}"#; 1_001].join(",");
    let items = format!("[{items}]");
    all_are_named(&shop, &["items"], &[items.as_str()]).await;
    let members: Vec<String> = (0..51).map(|at| format!("\"k{at}\":1")).collect();
    let members = format!("{{{}}}", members.join(","));
    all_are_named(&shop, &["metadata"], &[members.as_str()]).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flood_of_bad_bodies_stores_nothing(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    let bodies = (0..400).map(|at| match at % 4 {
        0 => order_with("amount", "-1"),
        1 => order_with("customer_details.name", "\"\\u0000\""),
        2 => "[".repeat(at),
        _ => "x".repeat(BODY_BYTES_MAX + 1),
    });
    let answers = join_all(bodies.map(|body| shop.post(body))).await;
    for (at, answer) in answers.iter().enumerate() {
        let expected = [422, 422, 400, 413][at % 4];
        assert_eq!(answer.status, expected, "{at}: {}", answer.text());
    }
    assert_eq!(shop.stored().await, before);
    // Whoever sent them is still served.
    shop.order(&order()).await;
}
