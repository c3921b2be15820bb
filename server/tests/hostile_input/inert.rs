//! What may stand in a name is harmless wherever it is shown: on pages, in files, in mail.

use serde_json::{Value, json};
use server::testing::TestResponse;
use sqlx::PgPool;

use crate::shop::{Order, Shop, order};

/// Names within the limits, each bad for somebody who trusts them.
const NAMES: [&str; 17] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></textarea><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "\" onmouseover=\"alert(1)",
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

/// A valid e-mail address that a spreadsheet, a mailer or a reader may stumble over.
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
    // Metadata is shown as it came, so what turns it around is left out of it here.
    let visible = name.replace(BIDI, "");
    order["metadata"] = json!({ "cart": visible });
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

/// Tags with the names of their attributes: all of a page but text and attributes' values.
fn skeleton(page: &str) -> String {
    let mut skeleton = String::new();
    let mut in_tag = false;
    let mut quote = None;
    for letter in page.chars() {
        if let Some(end) = quote {
            quote = Some(end).filter(|end| *end != letter);
        } else if in_tag && matches!(letter, '"' | '\'') {
            quote = Some(letter);
        } else if in_tag || letter == '<' {
            skeleton.push(letter);
            in_tag = letter != '>';
        }
    }
    skeleton
}

/// Nothing on the page runs or turns around.
#[track_caller]
fn is_inert(page: &str, case: &str) {
    for markup in ["<script>", "<img src=x", "<svg onload", "\"onmouseover"] {
        assert!(!page.contains(markup), "{markup} for {case:?}: {page}");
    }
    assert!(!page.contains(BIDI), "turned around for {case:?}: {page}");
}

#[sqlx::test(migrations = "../migrations")]
async fn names_are_text_on_pages(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let orders = partly_paid(&shop).await;
    let cookie = shop.sign_in().await;
    let pages = |order: &Order| [order.page.clone(), format!("/app/charges/{}", order.id)];
    let mut plain = Vec::new();
    for path in pages(&orders.plain) {
        plain.push(skeleton(&open(&shop, &cookie, &path).await.text()));
    }
    for (name, order) in &orders.hostile {
        for (path, plain) in pages(order).iter().zip(&plain) {
            let page = open(&shop, &cookie, path).await.text();
            is_inert(&page, name);
            // Whatever the name is, it adds no element and no attribute.
            assert_eq!(&skeleton(&page), plain, "{name:?} on {path}");
        }
    }
    let (_, first) = &orders.hostile[0];
    let page = open(&shop, &cookie, &first.page).await.text();
    let shown = "&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(page.contains(shown), "{page}");
}

#[sqlx::test(migrations = "../migrations")]
async fn names_are_text_in_lists(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    partly_paid(&shop).await;
    shop.let_time_run_out().await;
    let cookie = shop.sign_in().await;
    for list in ["/app", "/app/charges", "/app/inbox", "/app/mailbox"] {
        is_inert(&open(&shop, &cookie, list).await.text(), list);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn metadata_is_given_back_as_it_came(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    for name in NAMES {
        let mut body = order();
        body["metadata"] = json!({ name: [name, { name: name }] });
        let order = shop.order(&body).await;
        assert_eq!(shop.read(&order).await["metadata"], body["metadata"]);
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
    let about = |order: &Order| {
        let mine = |mail: &&Value| part(mail, "subject").starts_with(&order.id);
        mails.iter().find(mine).unwrap()
    };
    let plain = about(&orders.plain);
    for (name, order) in &orders.hostile {
        let mail = about(order);
        assert_eq!(part(mail, "to"), MAIL_KEPT, "{name:?}");
        // Apart from the order it is about, it is the mail that everybody gets.
        for each in ["subject", "text", "html"] {
            let like_plain = part(mail, each)
                .replace(&order.page, &orders.plain.page)
                .replace(&order.id, &orders.plain.id);
            assert_eq!(
                without_token(&like_plain),
                without_token(part(plain, each)),
                "{each} for {name:?}"
            );
        }
        let subject = part(mail, "subject");
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}

/// Every mail has a refund link of its own: its token is taken out, and has no other letters.
fn without_token(text: &str) -> String {
    let mut parts = text.split("/refund/");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
        assert_eq!(part.len() - rest.len(), 43, "{text}");
        whole.push_str("/refund/");
        whole.push_str(rest);
    }
    whole
}

fn part<'a>(mail: &'a Value, name: &str) -> &'a str {
    mail[name].as_str().unwrap()
}
