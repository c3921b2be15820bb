//! What an invoice says, with its sums: beside the form and on the invoice's page.

use domain::invoice::{InvoiceDetails, InvoiceLine};
use leptos::prelude::*;

use crate::ui::{Cell, Figure, HeadCell, RowHead, TableFrame};

/// The lines as a table, the sums below it.
pub(super) fn lines(details: InvoiceDetails, code: String) -> AnyView {
    let head = view! {
        <HeadCell label="Description"/>
        <HeadCell label="Quantity" numeric=true/>
        <HeadCell label="Unit price" numeric=true/>
        <HeadCell label="Net" numeric=true/>
        <HeadCell label="Tax" numeric=true/>
    }
    .into_any();
    let rows = details.lines.iter().cloned().map(row).collect_view();
    view! {
        <TableFrame caption="Lines of the invoice" caption_hidden=true head=head>{rows}</TableFrame>
        {sums(details, code)}
    }
    .into_any()
}

fn row(line: InvoiceLine) -> AnyView {
    let InvoiceLine {
        description,
        quantity,
        unit_price,
        tax_percent,
        net,
        tax,
    } = line;
    let tax = (!tax_percent.is_empty()).then(|| {
        view! { <Figure value=tax/> " " <span class="quiet">"(" {tax_percent} " %)"</span> }
    });
    view! {
        <tr role="row">
            <RowHead label="Description"><bdi>{description}</bdi></RowHead>
            <Cell label="Quantity" numeric=true>{quantity}</Cell>
            <Cell label="Unit price" numeric=true><Figure value=unit_price/></Cell>
            <Cell label="Net" numeric=true><Figure value=net/></Cell>
            <Cell label="Tax" numeric=true>{tax}</Cell>
        </tr>
    }
    .into_any()
}

/// Subtotal, tax, shipping and total, each as it is printed.
pub(super) fn sums(details: InvoiceDetails, code: String) -> AnyView {
    let sum = |label: &'static str, value: String| {
        (!value.is_empty())
            .then(|| view! { <div><dt>{label}</dt><dd><Figure value=value/></dd></div> })
    };
    view! {
        <dl class="facts figures">
            {sum("Subtotal", details.subtotal)}
            {sum("Tax", details.tax)}
            {sum("Shipping", details.shipping)}
            <div class="sum">
                <dt>"Total"</dt>
                <dd><Figure value=details.total/> " " <span class="unit">{code}</span></dd>
            </div>
        </dl>
    }
    .into_any()
}
