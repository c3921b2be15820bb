//! Orders made over HTTP with the demo merchant's key.

use anyhow::Context;
use axum::http::header;
use serde_json::json;
use url::Url;

use super::Site;
use super::connection::{Call, Connection};
use super::load::closed;
use super::report::Report;
use super::subject::{Subject, Unit};

const CREATED: Subject = Subject {
    key: "orders_created",
    label: "orders created",
    unit: Unit::PerSecond,
};

/// One round.
pub(super) async fn measure(site: &Site, report: &mut Report) -> anyhow::Result<()> {
    let key = site.demo.merchant.ex_pk.clone();
    let lap = report.meter.start().await;
    let seen = closed(site.crowd(), 201, move |_, number| create(&key, number)).await?;
    report.add_rate(CREATED, seen.rate(), lap.stop().await.each(seen.count()));
    Ok(())
}

/// Makes an order; answers path and query of its page.
pub(super) async fn place(
    site: &Site,
    connection: &mut Connection,
    number: u64,
) -> anyhow::Result<String> {
    let call = create(&site.demo.merchant.ex_pk, number);
    let made = connection.send(call).await?.expect(201)?.json()?;
    let url = made["checkout_url"]
        .as_str()
        .context("an order has no page")?;
    let url = Url::parse(url)?;
    Ok(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

fn create(key: &str, number: u64) -> Call {
    let body = json!({
        "amount": format!("{}.{:02}", 10 + number % 90, number % 100),
        "currency": "EUR",
        "redirect_url": "https://shop.example/thanks",
        "customer_details": {
            "name": "Inga",
            "surname": "Kalnina",
            "email": "inga@customer.example",
            "phone": "+37120000000",
        },
        "items": [{ "name": "House blend, 1 kg", "price": "9.90", "quantity": 1 }],
    });
    Call::json("/api/orders", body.to_string()).with(header::AUTHORIZATION, format!("Bearer {key}"))
}
