//! `GET /api/orders/{id}/receipt`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use gateway::Gateway;

use super::Error;
use super::call::Call;
use super::handlers::merchant_of;
use crate::documents::render_receipt;

/// The PDF of an order that is paid, refunded or still to be paid; 409 for others.
pub async fn get_receipt(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let merchant_id = merchant_of(&gateway, &call).await?;
    let order_id = call.order_id()?;
    let view = gateway.receipt(Some(merchant_id), order_id, None).await?;
    // Setting type takes milliseconds of pure computing, which must not stall other requests.
    let pdf = tokio::task::spawn_blocking(move || render_receipt(&view)).await??;
    let mut response = Response::new(Body::from(pdf));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/pdf"),
    );
    // The id holds letters, digits and a hyphen only.
    if let Ok(name) = HeaderValue::try_from(format!("inline; filename=\"{order_id}.pdf\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
