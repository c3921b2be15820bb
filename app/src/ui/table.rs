//! Tables that become cards on narrow screens.
//!
//! `display: block` takes a table's meaning away from assistive technology, so every part states
//! its role; the column's name is repeated before each cell by CSS from `data-label` (ux §0).

use leptos::prelude::*;

/// A table with its caption, inside a region that scrolls sideways by keyboard where a table is
/// wider than its column.
#[component]
pub fn TableFrame(
    #[prop(into)] caption: String,
    /// The heading above says the same: the caption is for assistive technology only.
    #[prop(optional)]
    caption_hidden: bool,
    /// Cells of the head row.
    head: AnyView,
    children: Children,
) -> impl IntoView {
    let label = caption.clone();
    let caption_class = if caption_hidden { "vh" } else { "caption" };
    view! {
        <div class="table" role="region" tabindex="0" aria-label=label>
            <table role="table">
                <caption class=caption_class>{caption}</caption>
                <thead role="rowgroup">
                    <tr role="row">{head}</tr>
                </thead>
                <tbody role="rowgroup">{children()}</tbody>
            </table>
        </div>
    }
}

/// A column's name.
#[component]
pub fn HeadCell(label: &'static str, #[prop(optional)] numeric: bool) -> impl IntoView {
    view! { <th role="columnheader" scope="col" class=side(numeric)>{label}</th> }
}

/// The cell that names its row.
#[component]
pub fn RowHead(label: &'static str, children: Children) -> impl IntoView {
    view! { <th role="rowheader" scope="row" data-label=label>{children()}</th> }
}

/// A cell; `label` is its column's name.
#[component]
pub fn Cell(
    label: &'static str,
    #[prop(optional)] numeric: bool,
    children: Children,
) -> impl IntoView {
    view! { <td role="cell" class=side(numeric) data-label=label>{children()}</td> }
}

/// Figures stand at the end of their column, so that their points line up.
fn side(numeric: bool) -> &'static str {
    if numeric { "end" } else { "start" }
}
