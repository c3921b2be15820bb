//! Who is calling: a merchant by its key, or the operator by the static key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use gateway::Gateway;

use super::Error;
use crate::http::{Query, client};
use crate::state::AppState;

/// What a merchant's keys start with.
const MERCHANT_KEY_PREFIX: &str = "ex_pk_";

/// Names under which keys are put into addresses, where logs and histories keep them.
const KEY_PARAMETERS: [&str; 7] = [
    "key",
    "api_key",
    "apikey",
    "access_token",
    "authorization",
    "bearer",
    "token",
];

/// On whose behalf a call acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    Merchant(i64),
    /// The static key; each call names its merchant.
    Operator,
}

/// A caller whose key was accepted. Whatever needs one takes this as an argument.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    pub principal: Principal,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let (extensions, headers) = (&parts.extensions, &parts.headers);
        let proxies = &state.edge.trusted_proxies;
        if client::is_plain_http(extensions, headers, proxies) {
            return Err(Error::plain_http());
        }
        let is_static_key = |text: &str| state.gateway.is_static_key(text);
        let accepted = match bearer(headers) {
            Some(key) if !has_key_in_query(&Query::of(&parts.uri), is_static_key) => {
                identify(&state.gateway, key)
                    .await?
                    .map(|principal| (key, principal))
            }
            _ => None,
        };
        let Some((key, principal)) = accepted else {
            let address = client::address(extensions, headers, proxies);
            state.limits.check_address(address)?;
            return Err(Error::unauthorized());
        };
        state.limits.check_credential(key)?;
        Ok(Self { principal })
    }
}

async fn identify(gateway: &Gateway, key: &str) -> Result<Option<Principal>, Error> {
    if gateway.is_static_key(key) {
        return Ok(Some(Principal::Operator));
    }
    if !key.starts_with(MERCHANT_KEY_PREFIX) {
        return Ok(None);
    }
    match gateway.merchant_by_key(key).await {
        Ok(merchant) => Ok(Some(Principal::Merchant(merchant.merchant_id))),
        Err(gateway::Error::Unauthorized | gateway::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The one `Authorization: Bearer …` of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim())
        .filter(|key| !key.is_empty())
}

/// A key in the address is refused even beside a good one: it has leaked into logs by now.
fn has_key_in_query(query: &Query, is_static_key: impl Fn(&str) -> bool) -> bool {
    query.iter().any(|(name, value)| {
        KEY_PARAMETERS
            .iter()
            .any(|parameter| name.eq_ignore_ascii_case(parameter))
            || value.starts_with(MERCHANT_KEY_PREFIX)
            || is_static_key(value)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::Uri;

    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        assert_eq!(bearer(&headers), expected, "{values:?}");
    }

    #[test]
    fn one_bearer_key() {
        check(&["Bearer ex_pk_1"], Some("ex_pk_1"));
        check(&["bearer  ex_pk_1"], Some("ex_pk_1"));
        check(&["Basic ex_pk_1"], None);
        check(&["Bearer "], None);
        check(&["ex_pk_1"], None);
        check(&["Bearer ex_pk_1", "Bearer ex_pk_2"], None);
        check(&[], None);
    }

    #[test]
    fn keys_do_not_belong_into_addresses() {
        let found = |uri: &str| {
            has_key_in_query(&Query::of(&uri.parse::<Uri>().unwrap()), |text| {
                text == "static-key"
            })
        };
        assert!(found("/api/orders?key=x"));
        assert!(found("/api/orders?API_KEY=x"));
        assert!(found("/api/orders?page=1&note=ex_pk_abc"));
        assert!(found("/api/orders?x=static-key"));
        assert!(!found("/api/orders?page=1&merchant_id=1000"));
        assert!(!found("/api/orders"));
    }
}
