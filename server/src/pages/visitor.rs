//! Who looks at the dashboard, and whose.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use domain::view::dashboard::Frame;
use gateway::auth::{Permission, SessionUser};
use gateway::{Error, Gateway};
use url::form_urlencoded;

use super::errors::Refusal;
use super::local_path::{HOME, sign_in_path};
use super::session;
use crate::state::AppState;

/// Parameter and cookie with the merchant that an admin or a manager looks at.
const MERCHANT: &str = "merchant";

/// Somebody signed in, and the merchant shown. Having one proves that the visitor may see that
/// merchant; what it may do is asked with [`Visitor::may`].
pub(super) struct Visitor {
    user: SessionUser,
    pub(super) merchant_id: i64,
    merchant_name: String,
}

impl Visitor {
    /// # Errors
    /// [`Refusal::Forbidden`] when the visitor's role does not have the permission.
    pub(super) fn may(&self, permission: Permission) -> Result<(), Refusal> {
        if self.has(permission) {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    pub(super) fn has(&self, permission: Permission) -> bool {
        self.user.role.permits(permission)
    }

    /// Who did something, for the record.
    pub(super) fn actor(&self) -> String {
        self.user.email.clone()
    }

    /// The same as a number.
    pub(super) fn user_id(&self) -> i64 {
        self.user.user_id
    }

    /// The frame around a page.
    pub(super) async fn frame(
        &self,
        gateway: &Gateway,
        notice: Option<Notice>,
    ) -> Result<Frame, Refusal> {
        let inbox_count = if self.has(Permission::ReadInbox) {
            gateway.inbox_count(self.merchant_id).await?
        } else {
            0
        };
        Ok(Frame {
            user_email: self.user.email.clone(),
            role: self.user.role.word().to_owned(),
            merchant_name: Some(self.merchant_name.clone()),
            test_mode: gateway.settings().test_mode,
            inbox_count,
            notice,
        })
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    /// Signed out: to the sign-in page and back. An admin or a manager picks a merchant with
    /// `?merchant=`, which is kept in a cookie; without a choice it is the first one they may see.
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let gateway = &state.gateway;
        let public_url = gateway.settings().public_url.as_str();
        let user = match session::token(&parts.headers, public_url) {
            None => return Err(sign_in_first(parts)),
            Some(token) => match gateway.session(token).await {
                Ok(user) => user,
                Err(Error::Unauthorized) => return Err(sign_in_first(parts)),
                Err(error) => return Err(Refusal::from(error).into_response()),
            },
        };
        let visible = gateway
            .merchants_visible_to(&user)
            .await
            .map_err(|error| Refusal::from(error).into_response())?;
        let sees = |id: i64| visible.iter().find(|(visible, _)| *visible == id);
        if let Some(asked) = asked_in_query(&parts.uri) {
            // A merchant somebody may not see does not exist for them.
            let (id, _) = sees(asked).ok_or_else(|| Refusal::NotFound.into_response())?;
            return Err(keep_choice(&parts.uri, *id, public_url));
        }
        let (merchant_id, merchant_name) = chosen_before(&parts.headers)
            .and_then(sees)
            .or_else(|| visible.first())
            .cloned()
            .ok_or_else(|| Refusal::NoMerchant.into_response())?;
        Ok(Self {
            user,
            merchant_id,
            merchant_name,
        })
    }
}

fn sign_in_first(parts: &Parts) -> Response {
    // A form that came too late is not sent again by itself.
    let next = match parts.method {
        Method::GET => parts
            .uri
            .path_and_query()
            .map_or(HOME, |path| path.as_str()),
        _ => HOME,
    };
    Redirect::to(&sign_in_path(next)).into_response()
}

fn asked_in_query(uri: &Uri) -> Option<i64> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == MERCHANT)
        .and_then(|(_, value)| value.parse().ok())
}

fn chosen_before(headers: &HeaderMap) -> Option<i64> {
    session::cookie(headers, MERCHANT)?.parse().ok()
}

/// Back to the same page without the parameter; the cookie tells from now on. It is a preference,
/// not a right: every request checks again what its visitor may see.
fn keep_choice(uri: &Uri, merchant_id: i64, public_url: &str) -> Response {
    let query = uri.query().unwrap_or_default();
    let mut kept = form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != MERCHANT),
    );
    let kept = kept.finish();
    let to = match kept.as_str() {
        "" => uri.path().to_owned(),
        kept => format!("{}?{kept}", uri.path()),
    };
    let mut response = Redirect::to(&to).into_response();
    let secure = session::secure(public_url);
    let cookie = format!("{MERCHANT}={merchant_id}; Path=/app; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_moves_from_the_url_into_a_cookie() {
        let uri: Uri = "/app/charges?status=paid&merchant=1001&q=a%20b"
            .parse()
            .unwrap();
        assert_eq!(asked_in_query(&uri), Some(1001));
        let response = keep_choice(&uri, 1001, "https://pay.example");
        assert_eq!(response.status(), 303);
        assert_eq!(
            response.headers()[header::LOCATION],
            "/app/charges?status=paid&q=a+b"
        );
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert_eq!(
            cookie,
            "merchant=1001; Path=/app; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn a_choice_that_is_no_number_is_none() {
        assert_eq!(asked_in_query(&"/app?merchant=x".parse().unwrap()), None);
        assert_eq!(asked_in_query(&"/app".parse().unwrap()), None);
    }
}
