use app::pages::SignInPage;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::dashboard::SignInView;
use gateway::Error;
use leptos::prelude::*;
use serde::Deserialize;

use super::address::ClientAddress;
use super::document::document;
use super::errors::Refusal;
use super::local_path::dashboard_path;
use super::session;
use crate::state::AppState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NextQuery {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Credentials {
    email: String,
    password: String,
    next: String,
}

/// The form; somebody who is signed in goes straight on.
pub(super) async fn show(
    State(state): State<AppState>,
    Query(query): Query<NextQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let next = dashboard_path(&query.next);
    if let Some(token) = session::token(&headers, &state.gateway.settings().public_url)
        && state.gateway.session(token).await.is_ok()
    {
        return Ok(Redirect::to(next).into_response());
    }
    form(&state, StatusCode::OK, String::new(), next, None).await
}

/// Opens a session. A wrong e-mail and a wrong password are not told apart.
pub(super) async fn submit(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Refusal> {
    let Credentials {
        email,
        password,
        next,
    } = credentials;
    let next = dashboard_path(&next);
    if let Err(too_many) = state.limits.check_login(address) {
        let seconds = too_many.retry_after_seconds;
        let text = format!("Too many tries. Try again in {seconds} seconds.");
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = form(&state, status, email, next, Some(text)).await?;
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let public_url = &state.gateway.settings().public_url;
    match state
        .gateway
        .sign_in(&email, &password, agent.unwrap_or_default())
        .await
    {
        Ok(token) => {
            // A session of before ends here: signing in always gives a new one.
            if let Some(old) = session::token(&headers, public_url) {
                state.gateway.sign_out(old).await?;
            }
            let cookie = session::begin(&token.0, public_url).ok_or(Refusal::Internal)?;
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
        }
        Err(Error::Unauthorized) => {
            let text = "E-mail or password is wrong.".to_owned();
            form(
                &state,
                StatusCode::UNPROCESSABLE_ENTITY,
                email,
                next,
                Some(text),
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends the session, also one that had ended already.
pub(super) async fn sign_out(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let public_url = &state.gateway.settings().public_url;
    if let Some(token) = session::token(&headers, public_url) {
        state.gateway.sign_out(token).await?;
    }
    let cookie = session::end(public_url).ok_or(Refusal::Internal)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

async fn form(
    state: &AppState,
    status: StatusCode,
    email: String,
    next: &str,
    error: Option<String>,
) -> Result<Response, Refusal> {
    let view = SignInView {
        email,
        error,
        demo: state.gateway.demo_logins().await?,
        test_mode: state.gateway.settings().test_mode,
        next: next.to_owned(),
    };
    Ok(document(status, move || view! { <SignInPage view=view/> }))
}
