use domain::view::dashboard::Frame;
use domain::view::operate::{ChangeRow, ReviewView};
use leptos::prelude::*;

use super::{blamed, with_notice};
use crate::pages::frame::{DashboardPage, Section};
use crate::ui::{Cell, HeadCell, RowHead, TableFrame, TextField};

/// Before and after of a change of the operator, the reason it is recorded with, and the button that
/// makes it.
#[component]
pub fn ReviewPage(frame: Frame, view: ReviewView, section: Section) -> impl IntoView {
    let ReviewView {
        title,
        rows,
        notes,
        hidden,
        action,
        back,
        reason,
        notice,
    } = view;
    let wrong = blamed(notice.as_ref(), "reason");
    let frame = with_notice(frame, notice);
    let hidden = hidden
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let notes = notes
        .into_iter()
        .map(|note| view! { <p>{note}</p> })
        .collect_view();
    view! {
        <DashboardPage frame=frame title=title section=section>
            <p class="under-title">"Nothing has been changed yet."</p>
            {table(rows)}
            {notes}
            <form method="post" action=action novalidate class="card">
                {hidden}
                <TextField
                    name="reason"
                    label="Reason"
                    value=reason
                    hint="Kept in the audit log with your name"
                    error=wrong
                    prose=true
                />
                <button class="btn" name="step" value="save">"Save the change"</button>
                <button class="btn-2" name="step" value="edit">"Change it"</button>
                <a href=back>"Leave it as it is"</a>
            </form>
        </DashboardPage>
    }
}

fn table(rows: Vec<ChangeRow>) -> AnyView {
    let head = view! {
        <HeadCell label="What"/>
        <HeadCell label="Now"/>
        <HeadCell label="New"/>
    }
    .into_any();
    let rows = rows
        .into_iter()
        .map(|row| {
            let is_change = row.is_change();
            let after = if is_change {
                view! { <strong>{row.after}</strong> }.into_any()
            } else {
                row.after.into_any()
            };
            view! {
                <tr role="row">
                    <RowHead label="What">{row.label}</RowHead>
                    <Cell label="Now">{row.before}</Cell>
                    <Cell label="New">{after}</Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame caption="Before and after" caption_hidden=true head=head>{rows}</TableFrame>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::view::checkout::Notice;

    use super::*;
    use crate::pages::frame::tests::frame;

    #[test]
    fn both_values_the_reason_and_what_was_seen_are_there() {
        let view = ReviewView {
            title: "Review the terms of BTC".to_owned(),
            rows: vec![ChangeRow {
                label: "Deposit fee, %".to_owned(),
                before: "1 %".to_owned(),
                after: "0.99 %".to_owned(),
            }],
            notes: Vec::new(),
            hidden: vec![("version".to_owned(), "7".to_owned())],
            action: "/app/operate/currencies/BTC".to_owned(),
            back: "/app/operate/currencies/BTC".to_owned(),
            reason: String::new(),
            notice: Some(Notice {
                is_error: true,
                text: "Reason is needed.".to_owned(),
                field: Some("reason".to_owned()),
            }),
        };
        let html = crate::render(move || {
            view! { <ReviewPage frame=frame() view=view section=Section::Currencies/> }
        });
        assert!(html.contains("1 %"), "{html}");
        assert!(html.contains("<strong>0.99 %</strong>"), "{html}");
        assert!(html.contains("name=\"version\" value=\"7\""), "{html}");
        assert!(html.contains("id=\"reason-error\""), "{html}");
        assert!(html.contains("name=\"step\" value=\"save\""), "{html}");
    }
}
