//! The form of an invoice as it arrives: fixed fields, numbered lines, and the button that was
//! pressed.

use domain::invoice::{LINES_MAX, Problem};
use domain::view::invoices::{InvoiceForm, LineForm};
use url::form_urlencoded;

use crate::http::formats::{check_link, is_email};

/// What the pressed button asks for. Lines are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Add,
    Remove(usize),
    Up(usize),
    Down(usize),
    Preview,
    /// Make it.
    Issue,
    /// Make it and mail its link.
    Send,
}

impl Step {
    /// A word that means nothing only looks.
    fn read(word: &str) -> Self {
        let numbered = |word: &str| {
            let (verb, number) = word.split_once('-')?;
            let number = number.parse().ok()?;
            match verb {
                "remove" => Some(Self::Remove(number)),
                "up" => Some(Self::Up(number)),
                "down" => Some(Self::Down(number)),
                _ => None,
            }
        };
        match word {
            "add" => Self::Add,
            "issue" => Self::Issue,
            "send" => Self::Send,
            word => numbered(word).unwrap_or(Self::Preview),
        }
    }
}

/// Everything that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) step: Step,
    pub(super) key: String,
    pub(super) form: InvoiceForm,
}

/// Reads a form's body. Unknown fields are left out; of a field given twice the last one counts.
pub(super) fn read(body: &[u8]) -> Sent {
    let mut sent = Sent {
        step: Step::Preview,
        key: String::new(),
        form: InvoiceForm::default(),
    };
    for (name, value) in form_urlencoded::parse(body) {
        // The database cannot hold NUL, and nobody types it.
        let value = value.replace('\0', "");
        match name.as_ref() {
            "step" => sent.step = Step::read(&value),
            "key" => sent.key = value,
            name => {
                if let Some(slot) = slot(&mut sent.form, name) {
                    *slot = value;
                }
            }
        }
    }
    sent
}

fn slot<'a>(form: &'a mut InvoiceForm, name: &str) -> Option<&'a mut String> {
    Some(match name {
        "number" => &mut form.number,
        "title" => &mut form.title,
        "customer_name" => &mut form.customer_name,
        "customer_email" => &mut form.customer_email,
        "customer_address" => &mut form.customer_address,
        "currency" => &mut form.currency,
        "coin" => &mut form.coin,
        "clock" => &mut form.clock,
        "shipping" => &mut form.shipping,
        "due_date" => &mut form.due_date,
        "note" => &mut form.note,
        "url_success" => &mut form.url_success,
        "url_failed" => &mut form.url_failed,
        name => {
            let (name, number) = name.rsplit_once('-')?;
            let number: usize = number.parse().ok()?;
            // One line too many is kept, so that it is told; more are never made room for.
            if !(1..=LINES_MAX + 1).contains(&number) {
                return None;
            }
            let known = matches!(
                name,
                "description" | "quantity" | "unit_price" | "tax_percent"
            );
            if known && form.lines.len() < number {
                form.lines.resize(number, LineForm::default());
            }
            let line = form.lines.get_mut(number - 1)?;
            match name {
                "description" => &mut line.description,
                "quantity" => &mut line.quantity,
                "unit_price" => &mut line.unit_price,
                "tax_percent" => &mut line.tax_percent,
                _ => return None,
            }
        }
    })
}

/// What the edge alone can judge: the address and the links. `must_send` needs an address.
pub(super) fn check(form: &InvoiceForm, must_send: bool) -> Vec<Problem> {
    let mut wrong = Vec::new();
    let email = form.customer_email.trim();
    if email.is_empty() {
        if must_send {
            let text = "E-mail: enter one to send the link to";
            wrong.push(Problem::new("customer_email", text));
        }
    } else if !is_email(email) {
        let text = "E-mail: enter one address such as anna@example.com";
        wrong.push(Problem::new("customer_email", text));
    }
    for (input, label, url) in [
        ("url_success", "Page after payment", &form.url_success),
        ("url_failed", "Page when nothing was paid", &form.url_failed),
    ] {
        let url = url.trim();
        if url.is_empty() {
            continue;
        }
        if let Err(message) = check_link(url) {
            wrong.push(Problem::new(input, format!("{label}: this {message}")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_where_their_number_says() {
        let body = "number=7&unit_price-2=5.00&description-1=A+b&quantity-9999=1&x-1=y&step=up-2";
        let sent = read(body.as_bytes());
        assert_eq!(sent.step, Step::Up(2));
        assert_eq!(sent.form.number, "7");
        let [first, second] = sent.form.lines.as_slice() else {
            panic!("{:?}", sent.form.lines)
        };
        assert_eq!(first.description, "A b");
        assert_eq!(second.unit_price, "5.00");
    }

    #[test]
    fn a_button_that_is_none_changes_nothing() {
        for word in ["", "remove", "remove-x", "remove--1", "delete-1", "preview"] {
            assert_eq!(Step::read(word), Step::Preview, "{word}");
        }
        assert_eq!(Step::read("issue"), Step::Issue);
        assert_eq!(Step::read("remove-50"), Step::Remove(50));
    }

    #[test]
    fn one_line_too_many_is_kept_and_no_more() {
        let sent = read(b"description-51=x&description-52=x");
        assert_eq!(sent.form.lines.len(), 51);
    }

    #[test]
    fn links_and_addresses_are_judged() {
        let form = InvoiceForm {
            customer_email: "a@example.com, b@example.com".to_owned(),
            url_failed: "javascript:alert(1)".to_owned(),
            ..InvoiceForm::default()
        };
        let inputs: Vec<String> = check(&form, false)
            .into_iter()
            .map(|problem| problem.input)
            .collect();
        assert_eq!(inputs, ["customer_email", "url_failed"]);
        assert!(check(&InvoiceForm::default(), false).is_empty());
        assert_eq!(check(&InvoiceForm::default(), true).len(), 1);
    }
}
