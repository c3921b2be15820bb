use app::pages::{OperatorRatesPage, Section};
use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::view::checkout::Notice;
use domain::view::operate::{OperatorRatesView, PinForm, ReviewView};
use gateway::auth::Permission;
use gateway::operator::{SOURCE_COLUMNS, SeenPin};
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Said, done, is_reason, page_number, review, status_of};
use crate::pages::csv;
use crate::pages::document::document;
use crate::pages::errors::Refusal;
use crate::pages::forms::{Label, blame};
use crate::pages::notices::{Code, notice};
use crate::pages::visitor::Visitor;
use crate::state::AppState;

const PATH: &str = "/app/operate/rates";

const LABELS: [Label; 5] = [
    ("currency", "filter-currency", "Currency"),
    ("from", "from", "The first currency"),
    ("to", "to", "The second currency"),
    ("rate", "rate", "Rate"),
    ("minutes", "minutes", "Minutes until it ends"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RatesQuery {
    currency: String,
    page: String,
    notice: String,
    /// Fill in the form that pins.
    from: String,
    to: String,
}

/// Every pair with its sources.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<RatesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let asked = gateway.operator_rates(query.currency.trim(), page_number(&query.page));
    let mut view = match asked.await {
        Err(Error::Invalid(wrong)) => {
            let mut view = gateway.operator_rates("", 1).await?;
            view.notice = blame(&wrong, &LABELS);
            view
        }
        listed => listed?,
    };
    (view.form.from, view.form.to) = (query.from, query.to);
    page(gateway, &visitor, view, notice(&query.notice)).await
}

/// The same as CSV: a row for each source.
pub(super) async fn export(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<RatesQuery>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = state.gateway;
    let currency = query.currency.trim().to_owned();
    let name = csv::file_name("rate-sources", gateway.clock().now());
    let rows = move |_: Option<i64>| {
        let (gateway, currency) = (gateway.clone(), currency.clone());
        async move { gateway.export_sources(&currency).await }
    };
    csv::download(&name, &SOURCE_COLUMNS, rows).await
}

/// The fields of both forms and of their reviews.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PinFields {
    /// `save`, `edit`, or anything else to look at it first.
    step: String,
    from: String,
    to: String,
    rate: String,
    minutes: String,
    seen: String,
    reason: String,
}

impl PinFields {
    fn form(&self) -> PinForm {
        PinForm {
            from: self.from.clone(),
            to: self.to.clone(),
            rate: self.rate.clone(),
            minutes: self.minutes.clone(),
        }
    }

    fn pair(&self) -> SeenPin {
        SeenPin {
            from: self.from.clone(),
            to: self.to.clone(),
            seen: self.seen.clone(),
        }
    }
}

/// Shows what a pin would change, or pins.
pub(super) async fn pin(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(sent): Form<PinFields>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let (form, by) = (sent.form(), visitor.actor());
    let said = match sent.step.as_str() {
        "edit" => return again(gateway, &visitor, form, None).await,
        "save" => {
            let pinned = gateway.pin_rate(&form, &sent.seen, &sent.reason, &by);
            match said(pinned.await)? {
                Outcome::Done => return Ok(done(PATH, Code::RatePinned)),
                Outcome::Again(notice) => return again(gateway, &visitor, form, notice).await,
                Outcome::Review(said) => said,
            }
        }
        _ => Said::Nothing,
    };
    let reviewed = gateway.review_pin(&form, &sent.reason).await;
    shown(gateway, &visitor, reviewed, form, said).await
}

/// Shows what the end of a pin would change, or ends it.
pub(super) async fn unpin(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(sent): Form<PinFields>,
) -> Result<Response, Refusal> {
    visitor.may(Permission::Operate)?;
    let gateway = &state.gateway;
    let (pair, by) = (sent.pair(), visitor.actor());
    let said = match sent.step.as_str() {
        "edit" => return again(gateway, &visitor, sent.form(), None).await,
        "save" => match said(gateway.unpin_rate(&pair, &sent.reason, &by).await)? {
            Outcome::Done => return Ok(done(PATH, Code::RateUnpinned)),
            Outcome::Again(notice) => return again(gateway, &visitor, sent.form(), notice).await,
            Outcome::Review(said) => said,
        },
        _ => Said::Nothing,
    };
    let reviewed = gateway.review_unpin(&pair, &sent.reason).await;
    shown(gateway, &visitor, reviewed, sent.form(), said).await
}

/// What follows an attempt to change a pin.
enum Outcome {
    Done,
    /// The form, with what is wrong.
    Again(Option<Notice>),
    /// The review, with what is wrong.
    Review(Said),
}

fn said(changed: Result<(), Error>) -> Result<Outcome, Refusal> {
    match changed {
        Ok(()) => Ok(Outcome::Done),
        Err(Error::Invalid(wrong)) if is_reason(&wrong) => Ok(Outcome::Review(Said::Wrong(wrong))),
        Err(Error::Invalid(wrong)) => Ok(Outcome::Again(blame(&wrong, &LABELS))),
        Err(Error::Conflict(_)) => Ok(Outcome::Review(Said::Conflict)),
        Err(error) => Err(error.into()),
    }
}

async fn shown(
    gateway: &Gateway,
    visitor: &Visitor,
    reviewed: Result<ReviewView, Error>,
    form: PinForm,
    said: Said,
) -> Result<Response, Refusal> {
    match reviewed {
        Ok(view) => review(gateway, visitor, Section::RateSources, view, said).await,
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            again(gateway, visitor, form, said).await
        }
        // The pin was ended by somebody else, or by its time.
        Err(Error::Conflict(_)) => Ok(done(PATH, Code::NotPossible)),
        Err(error) => Err(error.into()),
    }
}

/// The page with the form as it was filled in.
async fn again(
    gateway: &Gateway,
    visitor: &Visitor,
    form: PinForm,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway.operator_rates("", 1).await?;
    view.form = form;
    view.notice = said;
    page(gateway, visitor, view, None).await
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    view: OperatorRatesView,
    above: Option<Notice>,
) -> Result<Response, Refusal> {
    let status = status_of(view.notice.as_ref());
    let frame = visitor.frame(gateway, above).await?;
    Ok(document(
        status,
        move || view! { <OperatorRatesPage frame=frame view=view/> },
    ))
}
