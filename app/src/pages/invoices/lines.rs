//! The lines of the form: four inputs each, and buttons that send the form to move them about.

use domain::invoice::{LINES_MAX, Problem, line_input};
use domain::view::invoices::LineForm;
use leptos::prelude::*;

/// Every line, and the button for another one.
pub(super) fn fields(lines: Vec<LineForm>, problems: &[Problem], focus: Option<usize>) -> AnyView {
    let count = lines.len();
    let lines = (1..)
        .zip(lines)
        .map(|(number, line)| one(number, count, line, problems, focus == Some(number)))
        .collect_view();
    let add = (count < LINES_MAX).then(|| {
        view! {
            <button class="btn-2" name="step" value="add">"Add line"</button>
        }
    });
    view! {
        {lines}
        {add}
    }
    .into_any()
}

fn one(
    number: usize,
    count: usize,
    line: LineForm,
    problems: &[Problem],
    focused: bool,
) -> AnyView {
    let LineForm {
        description,
        quantity,
        unit_price,
        tax_percent,
    } = line;
    let field = |name: &'static str, label: &'static str, value: String| {
        let id = line_input(name, number);
        let error = problems
            .iter()
            .find(|problem| problem.input == id)
            .map(|problem| problem.text.clone());
        let is_prose = name == "description";
        input(Input {
            id,
            label,
            value,
            error,
            is_prose,
            focused: focused && is_prose,
        })
    };
    let step = |verb: &str, text: &'static str| {
        let value = format!("{verb}-{number}");
        view! {
            <button class="btn-2" name="step" value=value>
                {text} <span class="vh">" line " {number}</span>
            </button>
        }
    };
    let up = (number > 1).then(|| step("up", "Up"));
    let down = (number < count).then(|| step("down", "Down"));
    view! {
        <fieldset class="invoice-line">
            <legend>"Line " {number}</legend>
            {field("description", "Description", description)}
            {field("quantity", "Quantity", quantity)}
            {field("unit_price", "Unit price", unit_price)}
            {field("tax_percent", "Tax, percent", tax_percent)}
            <p class="row">{step("remove", "Remove")} {up} {down}</p>
        </fieldset>
    }
    .into_any()
}

struct Input {
    id: String,
    label: &'static str,
    value: String,
    error: Option<String>,
    is_prose: bool,
    focused: bool,
}

fn input(input: Input) -> AnyView {
    let Input {
        id,
        label,
        value,
        error,
        is_prose,
        focused,
    } = input;
    let error_id = error.as_ref().map(|_| format!("{id}-error"));
    let invalid = error.is_some().then_some("true");
    let described_by = error_id.clone();
    let error = error.map(|text| view! { <p class="field-error" id=error_id>{text}</p> });
    let inputmode = (!is_prose).then_some("decimal");
    let spellcheck = if is_prose { "true" } else { "false" };
    let (name, target) = (id.clone(), id.clone());
    view! {
        <div class="field">
            <label for=target>{label}</label>
            {error}
            <input
                id=id
                name=name
                type="text"
                value=value
                autocomplete="off"
                autocapitalize="none"
                inputmode=inputmode
                spellcheck=spellcheck
                autofocus=focused
                aria-invalid=invalid
                aria-describedby=described_by
            />
        </div>
    }
    .into_any()
}
