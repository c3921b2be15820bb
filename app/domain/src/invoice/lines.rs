//! The lines of an invoice: read, computed, and moved about in the form.

use super::{InvoiceLine, LINES_MAX, Problem, TEXT_CHARS_MAX, amount};
use crate::money::{AmountError, Currency, Money, Rounding, mul_div, parse_units};
use crate::text::one_line;
use crate::view::invoices::{InvoiceForm, LineForm};

/// Of one thing at most.
const QUANTITY_MAX: u64 = 1_000_000;
/// Digits after the point of a percentage.
const PERCENT_DIGITS: u8 = 3;
/// 100 %, in the smallest step of a percentage.
const WHOLE: i128 = 100_000;

/// A line with its amounts.
pub(super) struct Row {
    pub(super) line: InvoiceLine,
    pub(super) net: Money,
    pub(super) tax: Money,
}

/// Every line of the form that says something; each wrong one is named by its number in the form.
pub(super) fn read(forms: &[LineForm], currency: Currency, wrong: &mut Vec<Problem>) -> Vec<Row> {
    if forms.len() > LINES_MAX {
        let message = format!("An invoice has at most {LINES_MAX} lines");
        wrong.push(Problem::new("", message));
    }
    let written: Vec<(usize, &LineForm)> = (1..)
        .zip(forms)
        .take(LINES_MAX)
        .filter(|(_, form)| !form.is_untouched())
        .collect();
    if written.is_empty() {
        wrong.push(Problem::new(
            line_input("description", 1),
            "Line 1: enter a description",
        ));
    }
    written
        .into_iter()
        .filter_map(|(number, form)| row(number, form, currency, wrong))
        .collect()
}

fn row(
    number: usize,
    form: &LineForm,
    currency: Currency,
    wrong: &mut Vec<Problem>,
) -> Option<Row> {
    let before = wrong.len();
    let mut refuse = |name: &str, text: String| {
        wrong.push(Problem::new(
            line_input(name, number),
            format!("Line {number}: {text}"),
        ));
    };
    let description = one_line(&form.description);
    if description.is_empty() {
        refuse("description", "enter a description".to_owned());
    } else if description.chars().count() > TEXT_CHARS_MAX {
        let message = format!("use at most {TEXT_CHARS_MAX} characters for the description");
        refuse("description", message);
    }
    let quantity = form.quantity.trim().parse().unwrap_or(0);
    if !(1..=QUANTITY_MAX).contains(&quantity) {
        let message = format!("enter a quantity, a whole number from 1 to {QUANTITY_MAX}");
        refuse("quantity", message);
    }
    let unit_price = match amount(&form.unit_price, currency) {
        None => {
            refuse("unit_price", "enter a unit price".to_owned());
            None
        }
        Some(Err(error)) => {
            refuse("unit_price", format!("the unit price {error}"));
            None
        }
        Some(Ok(money)) => Some(money),
    };
    let percent = thousandths(&form.tax_percent);
    if percent.is_none() {
        let message = "enter the tax in percent from 0 to 100, such as 21 or 5.5".to_owned();
        refuse("tax_percent", message);
    }
    if wrong.len() > before {
        return None;
    }
    let (unit_price, percent) = (unit_price?, percent?);
    let computed = net(unit_price, quantity).and_then(|net| Some((net, tax(net, percent)?)));
    let Some((net, tax)) = computed else {
        let message = format!("Line {number}: the amount is too large");
        wrong.push(Problem::new(line_input("unit_price", number), message));
        return None;
    };
    let line = InvoiceLine {
        description,
        quantity,
        unit_price: unit_price.shown(),
        tax_percent: percent_text(percent),
        net: net.shown(),
        tax: tax.shown(),
    };
    Some(Row { line, net, tax })
}

/// Id of an input of a line: `unit_price-2`.
pub fn line_input(name: &str, number: usize) -> String {
    format!("{name}-{number}")
}

fn net(unit_price: Money, quantity: u64) -> Option<Money> {
    let units = mul_div(unit_price.units(), i128::from(quantity), 1, Rounding::Down)?;
    Some(Money::from_units(units, unit_price.currency()))
}

/// `percent` in thousandths of net, half up to whole payable units.
fn tax(net: Money, percent: i128) -> Option<Money> {
    let minor = net.currency().units_per_minor();
    let rounded = mul_div(
        net.units(),
        percent,
        WHOLE.checked_mul(minor)?,
        Rounding::HalfUp,
    )?;
    Some(Money::from_units(
        rounded.checked_mul(minor)?,
        net.currency(),
    ))
}

/// A percentage in its thousandths; nothing typed is none.
fn thousandths(typed: &str) -> Option<i128> {
    let typed = typed.trim().trim_end_matches('%').trim_end();
    if typed.is_empty() {
        return Some(0);
    }
    let read = match parse_units(typed, PERCENT_DIGITS, PERCENT_DIGITS) {
        Err(AmountError::NotPositive) => 0,
        read => read.ok()?,
    };
    (read <= WHOLE).then_some(read)
}

/// Shortest form: `5500` is `5.5`; no tax is no text.
fn percent_text(thousandths: i128) -> String {
    if thousandths == 0 {
        return String::new();
    }
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl LineForm {
    /// As the form gave it: a new line has a quantity, and the tax of the one before.
    pub fn is_untouched(&self) -> bool {
        self.description.trim().is_empty() && self.unit_price.trim().is_empty()
    }
}

impl InvoiceForm {
    /// Appends an empty line with the tax of the last one; its number, counted from 1.
    /// `None` when there are [`LINES_MAX`] already.
    pub fn add_line(&mut self) -> Option<usize> {
        if self.lines.len() >= LINES_MAX {
            return None;
        }
        let last = self.lines.last();
        let line = LineForm {
            quantity: "1".to_owned(),
            tax_percent: last.map_or_else(String::new, |line| line.tax_percent.clone()),
            ..LineForm::default()
        };
        self.lines.push(line);
        Some(self.lines.len())
    }

    /// Takes line `number` away; a form keeps at least one line.
    pub fn remove_line(&mut self, number: usize) {
        if (1..=self.lines.len()).contains(&number) {
            self.lines.remove(number - 1);
        }
        if self.lines.is_empty() {
            self.add_line();
        }
    }

    /// Exchanges line `number` with the one above it; says where it is then.
    pub fn raise_line(&mut self, number: usize) -> usize {
        if !(2..=self.lines.len()).contains(&number) {
            return number;
        }
        self.lines.swap(number - 1, number - 2);
        number - 1
    }
}
