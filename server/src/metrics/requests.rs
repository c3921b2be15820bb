//! Requests as they are answered: by the route's template, never by the path that was asked for, so
//! that nobody can make up labels.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::view::system::{Durations, RequestFigures};
use gateway::histogram::Histogram;

use crate::state::AppState;

/// What no route takes, and routes beyond the limit.
const OTHER: &str = "other";

/// Routes with counters of their own. There are fewer; a mistake must not cost memory without end.
const ROUTES_MAX: usize = 500;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", OTHER];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Why a request was turned away, as far as its status tells.
const REASONS: [&str; 7] = [
    "validation",
    "auth",
    "not_found",
    "conflict",
    "rate_limit",
    "overload",
    "unavailable",
];

/// Counters since the process began.
#[derive(Debug, Default)]
pub struct Requests {
    routes: RwLock<BTreeMap<String, Arc<Route>>>,
    rejected: [AtomicU64; REASONS.len()],
}

#[derive(Debug, Default)]
struct Route {
    answered: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    durations: Histogram,
}

/// What one route has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFigures {
    pub route: String,
    /// Method, class of status and number; only those that happened.
    pub answered: Vec<(&'static str, &'static str, u64)>,
    pub durations: Durations,
}

impl Requests {
    fn note(&self, route: &str, method: &Method, answer: &Response, took: Duration) {
        let status = answer.status();
        let counters = self.counters_of(route);
        let method = position(&METHODS, method.as_str());
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = counters
            .answered
            .get(method)
            .and_then(|classes| classes.get(class))
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        counters.durations.observe(took);
        // A probe that is told to wait is not a customer who is turned away.
        let is_probe = route.starts_with("/health");
        if let Some(reason) = reason(status, answer.headers()).filter(|_| !is_probe)
            && let Some(counter) = self.rejected.get(position(&REASONS, reason))
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counters_of(&self, route: &str) -> Arc<Route> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = known.get(route) {
            return counters.clone();
        }
        let name = if known.len() < ROUTES_MAX {
            route
        } else {
            OTHER
        };
        drop(known);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(name.to_owned()).or_default().clone()
    }

    /// Reason and number, for every reason there is.
    pub fn rejected(&self) -> Vec<(&'static str, u64)> {
        let counts = self
            .rejected
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        REASONS.into_iter().zip(counts).collect()
    }

    /// Every route that was asked for.
    pub fn routes(&self) -> Vec<RouteFigures> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes
            .iter()
            .map(|(route, counters)| RouteFigures {
                route: route.clone(),
                answered: counters.answered(),
                durations: counters.durations.durations(),
            })
            .collect()
    }

    /// All routes together.
    pub fn figures(&self) -> RequestFigures {
        let mut figures = RequestFigures {
            rejected: self.rejected(),
            ..RequestFigures::default()
        };
        for route in self.routes() {
            for (_, class, count) in &route.answered {
                figures.answered += count;
                if *class == "5xx" {
                    figures.failed += count;
                }
            }
            figures.durations = figures.durations.plus(&route.durations);
        }
        figures
    }
}

impl Route {
    fn answered(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut answered = Vec::new();
        for (method, classes) in METHODS.into_iter().zip(&self.answered) {
            for (class, count) in CLASSES.into_iter().zip(classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    answered.push((method, class, count));
                }
            }
        }
        answered
    }
}

/// Middleware: counts what it lets through, by what came of it.
pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(OTHER, MatchedPath::as_str);
    let took = begun.elapsed();
    tracing::debug!(
        route,
        status = response.status().as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    state.requests.note(route, &method, &response, took);
    response
}

fn position(words: &[&str], word: &str) -> usize {
    let found = words.iter().position(|each| *each == word);
    found.unwrap_or(words.len().saturating_sub(1))
}

fn reason(status: StatusCode, headers: &HeaderMap) -> Option<&'static str> {
    Some(match status.as_u16() {
        401 | 403 => "auth",
        404 | 405 | 410 => "not_found",
        409 => "conflict",
        429 => "rate_limit",
        400..=499 => "validation",
        503 if headers.contains_key(header::RETRY_AFTER) => "overload",
        503 => "unavailable",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;
    use axum::response::IntoResponse;

    use super::*;

    fn note(requests: &Requests, route: &str, method: &str, status: u16) {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let answer = (status, Body::empty()).into_response();
        requests.note(route, &method, &answer, Duration::from_millis(2));
    }

    #[test]
    fn answers_count_by_route_method_and_class() {
        let requests = Requests::default();
        note(&requests, "/api/orders/{id}", "GET", 200);
        note(&requests, "/api/orders/{id}", "GET", 204);
        note(&requests, "/api/orders/{id}", "POST", 422);
        note(&requests, "/api/orders/{id}", "BREW", 500);
        let routes = requests.routes();
        assert_eq!(routes.len(), 1);
        assert_eq!(
            routes.first().map(|route| route.answered.clone()),
            Some(vec![
                ("GET", "2xx", 2),
                ("POST", "4xx", 1),
                (OTHER, "5xx", 1)
            ])
        );
        let all = requests.figures();
        assert_eq!((all.answered, all.failed), (4, 1));
        assert_eq!(all.durations.count(), 4);
    }

    #[test]
    fn every_refusal_has_its_reason_and_probes_have_none() {
        let requests = Requests::default();
        for status in [401, 403, 400, 422, 413, 404, 409, 429, 503, 200, 500] {
            note(&requests, "/api/orders", "POST", status);
        }
        note(&requests, "/health/ready", "GET", 503);
        assert_eq!(
            requests.rejected(),
            [
                ("validation", 3),
                ("auth", 2),
                ("not_found", 1),
                ("conflict", 1),
                ("rate_limit", 1),
                ("overload", 0),
                ("unavailable", 1)
            ]
        );
        let wait = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("1"))]);
        assert_eq!(
            reason(StatusCode::SERVICE_UNAVAILABLE, &wait),
            Some("overload")
        );
    }

    #[test]
    fn routes_cannot_be_made_up_without_end() {
        let requests = Requests::default();
        for number in 0..10 * ROUTES_MAX {
            note(&requests, &format!("/made/up/{number}"), "GET", 404);
        }
        assert_eq!(requests.routes().len(), ROUTES_MAX + 1);
        assert!(requests.routes().iter().any(|route| route.route == OTHER));
    }
}
