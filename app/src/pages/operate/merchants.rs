use domain::view::dashboard::Frame;
use domain::view::merchants::{MerchantRow, MerchantTermsView, MerchantsView};
use leptos::prelude::*;

use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{
    Cell, EmptyState, Figure, HeadCell, HiddenField, PageLinks, RowHead, TableFrame, TextField,
};

const PATH: &str = "/app/operate/merchants";

/// Every merchant with its fee and limits.
#[component]
pub fn MerchantsPage(frame: Frame, view: MerchantsView) -> impl IntoView {
    let MerchantsView { q, rows, paging } = view;
    let list = if rows.is_empty() {
        view! {
            <EmptyState text="No merchant matches.">
                <a class="btn-2" href=PATH>"Clear the search"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            {table(rows)}
            <PageLinks of=paging what="merchants" export="/app/operate/merchants.csv"/>
        }
        .into_any()
    };
    view! {
        <DashboardPage frame=frame title="Merchants" section=Section::Merchants>
            <p class="under-title">
                "What payments cost them, and above what a second person approves a withdrawal."
            </p>
            <search>
                <form method="get" action=PATH novalidate class="filters">
                    <TextField
                        name="q"
                        label="Search"
                        kind="search"
                        value=q
                        hint="Part of the name, or the number"
                    />
                    <button class="btn">"Search"</button>
                </form>
            </search>
            {list}
        </DashboardPage>
    }
}

fn table(rows: Vec<MerchantRow>) -> AnyView {
    let head = view! {
        <HeadCell label="Merchant"/>
        <HeadCell label="Number"/>
        <HeadCell label="Payment fee" numeric=true/>
        <HeadCell label="Approval above" numeric=true/>
        <HeadCell label="Approval above, EUR a day" numeric=true/>
    }
    .into_any();
    let rows = rows.into_iter().map(row).collect_view();
    view! { <TableFrame caption="Merchants by number" head=head>{rows}</TableFrame> }.into_any()
}

fn row(item: MerchantRow) -> AnyView {
    let limit = |value: Option<String>| match value {
        Some(value) => view! { <Figure value=value/> }.into_any(),
        None => view! { <span class="quiet">"no limit"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <RowHead label="Merchant">
                <a href=format!("{PATH}/{}", item.id)><bdi>{item.name}</bdi></a>
            </RowHead>
            <Cell label="Number">{item.id}</Cell>
            <Cell label="Payment fee" numeric=true>{item.fee}</Cell>
            <Cell label="Approval above" numeric=true>{limit(item.withdrawal_limit)}</Cell>
            <Cell label="Approval above, EUR a day" numeric=true>{limit(item.daily_limit)}</Cell>
        </tr>
    }
    .into_any()
}

/// The form that edits one merchant's terms.
#[component]
pub fn MerchantTermsPage(frame: Frame, view: MerchantTermsView) -> impl IntoView {
    let MerchantTermsView {
        id,
        name,
        fee,
        withdrawal_limit,
        daily_limit,
        seen,
        notice,
    } = view;
    let wrong = |field: &str| blamed(notice.as_ref(), field);
    let (fee_wrong, each_wrong, daily_wrong) = (
        wrong("fee"),
        wrong("withdrawal_limit"),
        wrong("daily_limit"),
    );
    let frame = with_notice(frame, notice);
    let audit = format!("/app/operate/audit?subject=merchant:{id}");
    view! {
        <DashboardPage frame=frame title=format!("Terms of {name}") section=Section::Merchants>
            <p class="under-title">"Merchant " {id} ". " <a href=audit>"All changes"</a></p>
            <form method="post" action=format!("{PATH}/{id}") novalidate class="card">
                <HiddenField name="seen" value=seen/>
                <TextField
                    name="fee"
                    label="Payment fee, %"
                    value=fee
                    hint="Taken off what a customer paid; orders that exist keep theirs"
                    error=fee_wrong
                    inputmode="decimal"
                />
                <TextField
                    name="withdrawal_limit"
                    label="One withdrawal needs an approval above"
                    value=withdrawal_limit
                    hint="In whole units of the currency that is withdrawn; empty for no limit"
                    error=each_wrong
                    inputmode="decimal"
                />
                <TextField
                    name="daily_limit"
                    label="A day's withdrawals need one above, euros"
                    value=daily_limit
                    hint="All currencies together, at the rates of the moment; empty for no limit"
                    error=daily_wrong
                    inputmode="decimal"
                />
                <button class="btn" name="step" value="review">"Review"</button>
                <a href=PATH>"Back to the merchants"</a>
            </form>
        </DashboardPage>
    }
}

#[cfg(test)]
mod tests {
    use domain::view::checkout::Notice;

    use super::*;
    use crate::pages::frame::tests::frame;

    #[test]
    fn a_wrong_limit_is_named_beside_what_was_typed() {
        let view = MerchantTermsView {
            id: 1_000,
            name: "Café <Riga>".to_owned(),
            fee: "1.00".to_owned(),
            withdrawal_limit: "1,5".to_owned(),
            daily_limit: String::new(),
            seen: "100 none none".to_owned(),
            notice: Some(Notice {
                is_error: true,
                text: "Limit must be a plain decimal number.".to_owned(),
                field: Some("withdrawal_limit".to_owned()),
            }),
        };
        let html = crate::render(move || view! { <MerchantTermsPage frame=frame() view=view/> });
        assert!(html.contains("value=\"1,5\""), "{html}");
        assert!(html.contains("aria-invalid=\"true\""), "{html}");
        assert!(!html.contains("Café <Riga>"), "{html}");
    }
}
