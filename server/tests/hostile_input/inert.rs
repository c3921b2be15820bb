//! What may stand in a name is harmless wherever it is shown: on pages, in files, in mail.

use serde_json::{Value, json};
use server::testing::TestResponse;
use sqlx::PgPool;

use crate::shop::{Order, Shop, order};

/// Names within the limits, each bad for somebody who trusts them.
const NAMES: [&str; 16] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></textarea><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</script><!--",
    "&lt;b&gt; &#60;i&#62; \\u003cu\\u003e",
    "{{7*7}} ${7*7} %s %n",
    "=HYPERLINK(\"http://evil.example\",\"Invoice\")",
    "+1+1",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r\n=1+1",
    "Inga\r\nBcc: all@evil.example\r\n\r\nYou owe us more",
    "\u{202e}gpj.exe\u{202c} \u{2066}x\u{2069}",
    "\u{1f600}\u{200b}\u{feff}\u{301}\u{7}\u{1b}[31m",
];

/// A plain local part would be no danger.
const MAIL: &str = "=1+1%0d%0a'\u{202e}@shop.example";

/// The same without what turns the direction of text.
const MAIL_KEPT: &str = "=1+1%0d%0a'@shop.example";

/// Turn the direction of the text around them.
const BIDI: [char; 9] = [
    '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
    '\u{2069}',
];

/// An order with the name wherever a name can stand.
fn order_of(name: &str) -> Value {
    let mut order = order();
    for field in [
        "name",
        "surname",
        "phone",
        "address_line1",
        "city",
        "postal_code",
    ] {
        order["customer_details"][field] = name.into();
    }
    order["customer_details"]["email"] = MAIL.into();
    order["items"][0]["name"] = name.into();
    order["metadata"] = json!({ name: name });
    order["redirect_url"] = "https://evil.example/\"onmouseover=alert(1)'<script>".into();
    order["webhook_url"] = Value::Null;
    order
}

/// The orders with hostile names, and one like them with a name like any.
struct Orders {
    plain: Order,
    hostile: Vec<(&'static str, Order)>,
}

async fn partly_paid(shop: &Shop) -> Orders {
    let plain = shop.order(&order_of("Inga")).await;
    shop.pay_a_part(&plain).await;
    let mut hostile = Vec::new();
    for name in NAMES {
        let order = shop.order(&order_of(name)).await;
        shop.pay_a_part(&order).await;
        hostile.push((name, order));
    }
    Orders { plain, hostile }
}

async fn open(shop: &Shop, cookie: &str, path: &str) -> TestResponse {
    let answer = shop.app.call("GET", path, &[("cookie", cookie)], "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

/// Nothing on the page runs or turns around. Attributes stand in double quotes, so a single one is
/// only a letter; what a name adds to the markup is counted by [`tags`].
#[track_caller]
fn is_inert(page: &str, case: &str) {
    for markup in [
        "<script>",
        "<img src=x",
        "<svg onload",
        "<!--\"",
        "\"onmouseover",
    ] {
        assert!(!page.contains(markup), "{markup} for {case:?}: {page}");
    }
    assert!(!page.contains(BIDI), "turned around for {case:?}: {page}");
}

fn tags(page: &str) -> usize {
    page.matches('<').count()
}

#[sqlx::test(migrations = "../migrations")]
async fn names_are_text_on_pages(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let orders = partly_paid(&shop).await;
    let cookie = shop.sign_in().await;
    let pages = |order: &Order| [order.page.clone(), format!("/app/charges/{}", order.id)];
    let [checkout, detail] = pages(&orders.plain);
    let plain = [
        tags(&open(&shop, &cookie, &checkout).await.text()),
        tags(&open(&shop, &cookie, &detail).await.text()),
    ];
    for (name, order) in &orders.hostile {
        for (path, plain) in pages(order).iter().zip(plain) {
            let page = open(&shop, &cookie, path).await.text();
            is_inert(&page, name);
            // Whatever the name, it adds no element.
            assert_eq!(tags(&page), plain, "{name:?}: {page}");
        }
        let kept = shop.read(order).await["metadata"].clone();
        assert_eq!(kept, json!({ *name: *name }));
    }
    let first = open(&shop, &cookie, &orders.hostile[0].1.page).await.text();
    assert!(
        first.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{first}"
    );
    shop.let_time_run_out().await;
    let cookie = shop.sign_in().await;
    for list in ["/app", "/app/charges", "/app/inbox", "/app/mailbox"] {
        is_inert(&open(&shop, &cookie, list).await.text(), list);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn no_cell_of_an_export_is_a_formula(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let orders = partly_paid(&shop).await;
    shop.let_time_run_out().await;
    let cookie = shop.sign_in().await;
    for export in ["/app/charges.csv", "/app/inbox/export.csv"] {
        let answer = open(&shop, &cookie, export).await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        let mut reader = csv::Reader::from_reader(answer.body.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), orders.hostile.len() + 1, "{export}");
        for row in &rows {
            for cell in row {
                let starts = ['=', '+', '-', '@', '\t', '\r', '\n', '\0'];
                assert!(!cell.starts_with(starts), "{cell:?} in {export}");
                assert!(!cell.contains(BIDI), "{cell:?} in {export}");
                assert!(!cell.contains(char::is_control), "{cell:?} in {export}");
            }
            assert!(
                row.iter().any(|cell| cell == format!("'{MAIL_KEPT}")),
                "{row:?}"
            );
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn names_are_text_on_paper(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    for name in NAMES {
        let order = shop.order(&order_of(name)).await;
        let path = order.page.replace("?t=", "/receipt?t=");
        let receipt = shop.app.get(&path).await;
        assert_eq!(receipt.status, 200, "{name:?}: {}", receipt.text());
        assert!(receipt.body.starts_with(b"%PDF-"), "{name:?}");
        assert_eq!(receipt.header("content-type"), "application/pdf");
        let file = format!("inline; filename=\"{}.pdf\"", order.id);
        assert_eq!(receipt.header("content-disposition"), file);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_mail_has_one_recipient_and_our_words(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let orders = partly_paid(&shop).await;
    shop.let_time_run_out().await;
    let mails = shop.app.get("/sandbox/mail").await.json();
    let mails = mails.as_array().unwrap();
    assert_eq!(mails.len(), orders.hostile.len() + 1);
    let text = |mail: &Value, part: &str| mail[part].as_str().unwrap().to_owned();
    let plain = mails
        .iter()
        .find(|mail| text(mail, "subject").starts_with(&orders.plain.id))
        .unwrap();
    for (name, order) in &orders.hostile {
        let about = |mail: &&Value| text(mail, "subject").starts_with(&order.id);
        let mail = mails.iter().find(about).unwrap();
        assert_eq!(text(mail, "to"), MAIL_KEPT, "{name:?}");
        // Apart from the order it is about, it is the mail that everybody gets.
        for part in ["subject", "text", "html"] {
            let like_plain = text(mail, part)
                .replace(&order.page, &orders.plain.page)
                .replace(&order.id, &orders.plain.id);
            assert_eq!(like_plain, text(plain, part), "{part} for {name:?}");
        }
        let subject = text(mail, "subject");
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}
