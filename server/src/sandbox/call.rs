use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::http::request::Parts;

use super::error::Error;
use crate::http::json::{self, Fields, Object, Value};
use crate::http::{Problems, client, cross_site};
use crate::state::AppState;

/// Proof that the caller may play with this instance.
pub struct Admitted;

impl FromRequestParts<AppState> for Admitted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let settings = state.gateway.settings();
        let is_near =
            state.edge.sandbox_public || client::is_local(&parts.extensions, &parts.headers);
        if !settings.test_mode || !is_near {
            return Err(Error::not_found());
        }
        // A browser on this machine may show anybody's page.
        if cross_site::is_foreign(&parts.method, &parts.headers, &settings.public_url) {
            return Err(Error::foreign());
        }
        Ok(Self)
    }
}

/// One call with the members of its body; an empty body has none.
pub struct Call {
    members: Object,
}

impl FromRequest<AppState> for Call {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        Admitted::from_request_parts(&mut parts, state).await?;
        if parts.method != Method::POST {
            return Ok(Self {
                members: Object::default(),
            });
        }
        match json::receive(&parts.headers, body).await?.value {
            None => Ok(Self {
                members: Object::default(),
            }),
            Some(Value::Object(members)) => Ok(Self { members }),
            Some(_) => Err(Error::wrong("The body must be a JSON object.")),
        }
    }
}

impl Call {
    pub fn fields<'v, 'p>(&'v self, problems: &'p mut Problems) -> Fields<'v, 'p> {
        Fields::new(&self.members, problems)
    }
}

pub async fn refuse_path(_admitted: Admitted) -> Error {
    Error::not_found()
}

pub async fn refuse_method(_admitted: Admitted) -> Error {
    Error::method_not_allowed()
}
