use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::money::CurrencyKind;
use crate::view::invoices::LineForm;

const TODAY: Date = date!(2026 - 11 - 20);

fn currency(code: &str, precision: u8, scale: u8) -> Currency {
    Currency {
        id: 1,
        code: code.parse().unwrap(),
        kind: CurrencyKind::Fiat,
        precision,
        scale,
    }
}

fn euro() -> Currency {
    currency("EUR", 2, 8)
}

fn line(quantity: &str, unit_price: &str, tax_percent: &str) -> LineForm {
    LineForm {
        description: "Hours".to_owned(),
        quantity: quantity.to_owned(),
        unit_price: unit_price.to_owned(),
        tax_percent: tax_percent.to_owned(),
    }
}

fn form(lines: Vec<LineForm>) -> InvoiceForm {
    InvoiceForm {
        number: "2026-0001".to_owned(),
        customer_name: "Anna Ozola".to_owned(),
        lines,
        ..InvoiceForm::default()
    }
}

#[track_caller]
fn check_line(currency: Currency, typed: LineForm, net: &str, tax: &str, total: &str) {
    let drafted = draw_up(&form(vec![typed]), currency, TODAY).unwrap();
    let line = drafted.details.lines.first().unwrap();
    assert_eq!((line.net.as_str(), line.tax.as_str()), (net, tax));
    assert_eq!(drafted.details.total, total);
}

#[track_caller]
fn check_wrong(form: InvoiceForm, expected: &[(&str, &str)]) {
    let wrong = draw_up(&form, euro(), TODAY).unwrap_err();
    let wrong: Vec<(&str, &str)> = wrong
        .iter()
        .map(|problem| (problem.input.as_str(), problem.text.as_str()))
        .collect();
    assert_eq!(wrong, expected);
}

#[test]
fn tax_is_rounded_half_up_by_line() {
    check_line(
        euro(),
        line("3", "80.00", "21"),
        "240.00",
        "50.40",
        "290.40",
    );
    check_line(euro(), line("1", "0.05", "10"), "0.05", "0.01", "0.06");
    check_line(euro(), line("1", "0.04", "10"), "0.04", "0.00", "0.04");
    check_line(
        euro(),
        line("1", "19.99", "5.5 %"),
        "19.99",
        "1.10",
        "21.09",
    );
    check_line(euro(), line("2", "1 200", ""), "2400.00", "0.00", "2400.00");
    check_line(
        euro(),
        line("1", "100", "0.001"),
        "100.00",
        "0.00",
        "100.00",
    );
    check_line(
        currency("JPY", 0, 8),
        line("3", "105", "10"),
        "315",
        "32",
        "347",
    );
    check_line(
        currency("BHD", 3, 8),
        line("1", "1.001", "5"),
        "1.001",
        "0.050",
        "1.051",
    );
    check_line(
        currency("ETH", 18, 18),
        line("1", "0.000000000000000001", "50"),
        "0.000000000000000001",
        "0.000000000000000001",
        "0.000000000000000002",
    );
}

#[test]
fn sums_are_sums_of_what_the_lines_print() {
    let mut form = form(vec![line("1", "0.05", "10"), line("1", "0.05", "10")]);
    form.shipping = "4.90".to_owned();
    form.due_date = "2026-12-11".to_owned();
    let details = draw_up(&form, euro(), TODAY).unwrap().details;
    // Ten percent of 0.10 at once would be 0.01.
    assert_eq!(
        (details.subtotal.as_str(), details.tax.as_str()),
        ("0.10", "0.02")
    );
    assert_eq!(
        (details.shipping.as_str(), details.total.as_str()),
        ("4.90", "5.02")
    );
    assert_eq!(details.due_date.as_deref(), Some("2026-12-11"));
}

#[test]
fn a_wrong_line_is_named_by_its_number() {
    let mut lines = vec![line("1", "1", ""), line("1", "", ""), LineForm::default()];
    lines.push(line("1.5", "1.234", "101"));
    check_wrong(
        form(lines),
        &[
            ("unit_price-2", "Line 2: enter a unit price"),
            (
                "quantity-4",
                "Line 4: enter a quantity, a whole number from 1 to 1000000",
            ),
            (
                "unit_price-4",
                "Line 4: the unit price has more than 2 digits after the decimal point",
            ),
            (
                "tax_percent-4",
                "Line 4: enter the tax in percent from 0 to 100, such as 21 or 5.5",
            ),
        ],
    );
    let huge = line("1000000", "1000000000000000", "100");
    check_wrong(
        form(vec![huge]),
        &[("unit_price-1", "Line 1: the amount is too large")],
    );
    let unnamed = LineForm {
        description: " \u{202E}".to_owned(),
        ..line("1", "1", "")
    };
    check_wrong(
        form(vec![unnamed]),
        &[("description-1", "Line 1: enter a description")],
    );
    check_wrong(
        form(Vec::new()),
        &[("description-1", "Line 1: enter a description")],
    );
    let free = line("1", "0.00", "21");
    check_wrong(form(vec![free]), &[("", "The total must be above zero")]);
    let dear = line("2", "600000000000000", "");
    check_wrong(form(vec![dear]), &[("", "The total is too large")]);
    check_wrong(
        form(vec![line("1", "1", ""); LINES_MAX + 1]),
        &[("", "An invoice has at most 50 lines")],
    );
}

#[test]
fn number_and_customer_are_asked_for() {
    let nobody = InvoiceForm {
        lines: vec![line("1", "1", "")],
        shipping: "-1".to_owned(),
        ..InvoiceForm::default()
    };
    check_wrong(
        nobody,
        &[
            ("number", "Number: enter one, such as 2026-0001"),
            ("customer_name", "Customer: enter a name"),
            (
                "shipping",
                "Shipping: this must be a plain decimal number such as 149.98",
            ),
        ],
    );
}

#[test]
fn the_due_date_lies_within_the_life_of_the_charge() {
    let due = |day: &str, clock: &str| {
        let form = InvoiceForm {
            due_date: day.to_owned(),
            clock: clock.to_owned(),
            ..form(vec![line("1", "1", "")])
        };
        draw_up(&form, euro(), TODAY).map(|drafted| drafted.details.due_date)
    };
    for day in ["2026-11-20", "2026-12-20"] {
        assert_eq!(due(day, ""), Ok(Some(day.to_owned())));
    }
    for day in ["2026-11-19", "2026-12-21", "20.11.2026", "2026-13-01"] {
        let wrong = due(day, "").unwrap_err();
        assert_eq!(wrong.first().unwrap().input, "due_date", "{day}");
    }
    assert!(due("2026-11-20", "now").is_err());
    assert_eq!(due(" ", "now"), Ok(None));
    assert!(is_overdue("2026-11-19", TODAY));
    assert!(!is_overdue("2026-11-20", TODAY));
}

#[test]
fn lines_are_added_moved_and_taken_away() {
    let mut form = form(vec![line("1", "1", "21")]);
    assert_eq!(form.add_line(), Some(2));
    assert_eq!(form.lines.last().unwrap().tax_percent, "21");
    assert_eq!(form.raise_line(2), 1);
    assert!(form.lines.first().unwrap().is_untouched());
    assert_eq!(form.raise_line(1), 1);
    form.remove_line(9);
    form.remove_line(1);
    form.remove_line(1);
    assert_eq!(form.lines.len(), 1);
    form.lines = vec![LineForm::default(); LINES_MAX];
    assert_eq!(form.add_line(), None);
}

/// What a printed amount says, in units; nothing printed is nothing.
fn units(text: &str) -> i128 {
    match amount(text, euro()) {
        None => 0,
        Some(money) => money.unwrap().units(),
    }
}

fn cents(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

proptest! {
    #[test]
    fn the_total_is_the_sum_of_what_is_printed(
        lines in prop::collection::vec((1u64..=10_000, 0u64..=100_000_000, 0u32..=100_000), 1..=LINES_MAX),
        shipping in 1u64..=1_000_000,
    ) {
        let typed = lines.iter().map(|(quantity, price, percent)| {
            let percent = format!("{}.{:03}", percent / 1_000, percent % 1_000);
            line(&quantity.to_string(), &cents(*price), &percent)
        });
        let form = InvoiceForm {
            shipping: cents(shipping),
            ..form(typed.collect())
        };
        let Drafted { details, total } = draw_up(&form, euro(), TODAY).unwrap();
        let nets: i128 = details.lines.iter().map(|line| units(&line.net)).sum();
        let taxes: i128 = details.lines.iter().map(|line| units(&line.tax)).sum();
        prop_assert_eq!(nets, units(&details.subtotal));
        prop_assert_eq!(taxes, units(&details.tax));
        prop_assert_eq!(nets + taxes + units(&details.shipping), units(&details.total));
        prop_assert_eq!(total.units(), units(&details.total));
        // No tax is more than half a cent away from the exact one.
        for (line, (_, _, percent)) in details.lines.iter().zip(&lines) {
            let exact = units(&line.net) * i128::from(*percent);
            let off = units(&line.tax) * 100_000 - exact;
            prop_assert!(off.abs() * 2 <= 1_000_000 * 100_000, "{line:?}");
        }
    }
}
