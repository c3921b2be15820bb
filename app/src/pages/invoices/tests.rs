use domain::invoice::{InvoiceDetails, InvoiceLine, Problem};
use domain::view::AmountText;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::invoices::{
    InvoiceBuilderView, InvoiceDetailView, InvoiceFilter, InvoiceForm, InvoiceItem,
    InvoiceListView, LineForm,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::pages::frame::tests::frame;

fn details() -> InvoiceDetails {
    InvoiceDetails {
        number: "2026-0001".to_owned(),
        customer_name: "Anna Ozola".to_owned(),
        lines: vec![InvoiceLine {
            description: "Hours <b>".to_owned(),
            quantity: 3,
            unit_price: "80.00".to_owned(),
            tax_percent: "21".to_owned(),
            net: "240.00".to_owned(),
            tax: "50.40".to_owned(),
        }],
        subtotal: "240.00".to_owned(),
        tax: "50.40".to_owned(),
        total: "290.40".to_owned(),
        ..InvoiceDetails::default()
    }
}

fn item() -> InvoiceItem {
    InvoiceItem {
        code: "RB9NZv".to_owned(),
        number: "2026-0001".to_owned(),
        customer: "Anna Ozola".to_owned(),
        created_at: OffsetDateTime::UNIX_EPOCH,
        amount: AmountText {
            amount: "290.40".to_owned(),
            code: "EUR".to_owned(),
        },
        received: None,
        due_date: Some("2026-12-11".to_owned()),
        status: StatusPill {
            word: "created".to_owned(),
            flags: vec!["overdue".to_owned()],
        },
    }
}

fn builder(problems: Vec<Problem>, preview: Option<InvoiceDetails>) -> String {
    let view = InvoiceBuilderView {
        form: InvoiceForm {
            currency: "EUR".to_owned(),
            lines: vec![LineForm::default(); 2],
            ..InvoiceForm::default()
        },
        key: "k-1".to_owned(),
        currencies: vec!["EUR".to_owned()],
        coins: vec![("BTC".to_owned(), "Bitcoin".to_owned())],
        problems,
        preview,
        focus: Some(2),
    };
    crate::render(move || view! { <InvoiceBuilderPage frame=frame() view=view/> })
}

fn detail(view: InvoiceDetailView) -> String {
    crate::render(move || view! { <InvoicePage frame=frame() view=view/> })
}

fn invoice() -> InvoiceDetailView {
    InvoiceDetailView {
        item: item(),
        title: "Consulting".to_owned(),
        description: String::new(),
        url: "https://pay.example/invoice/RB9NZv".to_owned(),
        terms: "The customer picks a coin.".to_owned(),
        details: Some(details()),
        paid_at: None,
        attention_text: None,
        difference_text: None,
        charge_id: "EX-4K7QZ2MX3A".to_owned(),
        payments: Vec::new(),
        activity: Vec::new(),
        send_to: "anna@example.com".to_owned(),
        can_send: true,
        can_void: true,
        has_document: true,
        notice: None,
    }
}

#[test]
fn every_button_of_the_form_works_without_scripts() {
    let html = builder(Vec::new(), Some(details()));
    for step in [
        "add", "remove-1", "remove-2", "up-2", "down-1", "issue", "send",
    ] {
        assert!(
            html.contains(&format!("value=\"{step}\"")),
            "{step}: {html}"
        );
    }
    assert!(
        !html.contains("value=\"up-1\"") && !html.contains("value=\"down-2\""),
        "{html}"
    );
    // The Enter key presses the first button there is.
    let first = html.split("name=\"step\"").nth(1).unwrap_or_default();
    assert!(
        first.trim_start().starts_with("value=\"preview\""),
        "{first}"
    );
    assert!(
        html.contains("Hours &lt;b&gt;") && html.contains("value=\"290.40\""),
        "{html}"
    );
    assert_eq!(html.matches("autofocus").count(), 1, "{html}");
}

#[test]
fn a_problem_stands_above_and_at_its_input() {
    let html = builder(
        vec![Problem::new("unit_price-2", "Line 2: enter a unit price")],
        None,
    );
    assert!(html.contains("href=\"#unit_price-2\""), "{html}");
    assert!(html.contains("id=\"unit_price-2\""), "{html}");
    assert!(
        html.contains("aria-describedby=\"unit_price-2-error\""),
        "{html}"
    );
    assert!(html.contains("<title>TEST · Error: New invoice"), "{html}");
}

#[test]
fn an_invoice_shows_its_link_and_what_can_be_done() {
    let html = detail(invoice());
    for text in [
        "https://pay.example/invoice/RB9NZv",
        "/app/invoices/RB9NZv/document",
        "/app/invoices/RB9NZv/send",
        "/app/invoices/RB9NZv/void",
        "/app/charges/EX-4K7QZ2MX3A",
        "Due on 2026-12-11.",
        "overdue",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    let ended = InvoiceDetailView {
        can_send: false,
        can_void: false,
        has_document: false,
        ..invoice()
    };
    let html = detail(ended);
    assert!(
        !html.contains("/send") && !html.contains("/document"),
        "{html}"
    );
}

#[test]
fn the_list_says_what_to_do_when_it_is_empty() {
    let list = |rows: Vec<InvoiceItem>, never_used: bool| {
        let view = InvoiceListView {
            filter: InvoiceFilter::default(),
            rows,
            paging: Paging {
                previous: None,
                next: None,
                export: String::new(),
            },
            never_used,
        };
        crate::render(move || view! { <InvoicesPage frame=frame() view=view/> })
    };
    assert!(list(Vec::new(), true).contains("Write an invoice"));
    assert!(list(Vec::new(), false).contains("Clear filters"));
    let html = list(vec![item()], false);
    assert!(html.contains("href=\"/app/invoices/RB9NZv\""), "{html}");
    assert!(html.contains("/app/invoices.csv"), "{html}");
}
