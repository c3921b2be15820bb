//! Lists as CSV files (RFC 4180): CRLF, quoted where needed, streamed as they are read.

use std::future::Future;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use csv::{Terminator, WriterBuilder};
use futures::stream;
use gateway::Error;
use gateway::dashboard::ExportPage;
use time::OffsetDateTime;

use super::errors::Refusal;

/// What a spreadsheet takes for the beginning of a formula, or skips to find one.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

/// `charges-2026-11-21.csv`.
pub(super) fn file_name(what: &str, at: OffsetDateTime) -> String {
    format!("{what}-{}.csv", at.date())
}

/// A download of all the pages that `read` gives, each asked for with where the one before ended.
///
/// The first page is read before the answer begins, so a request that cannot be met is still
/// refused; a failure later on breaks the download off, which the browser shows.
pub(super) async fn download<C, F, Fut>(
    file_name: &str,
    columns: &[&str],
    read: F,
) -> Result<Response, Refusal>
where
    C: Send + 'static,
    F: Fn(Option<C>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<ExportPage<C>, Error>> + Send + 'static,
{
    let first = read(None).await?;
    let head = columns.iter().map(|&column| column.to_owned()).collect();
    let mut opening = vec![head];
    opening.extend(first.rows);
    let opening = write(opening).map_err(|error| {
        tracing::error!(%error, "an export could not be written");
        Refusal::Internal
    })?;
    let rest = stream::try_unfold((read, first.next), |(read, next)| async move {
        let Some(cursor) = next else { return Ok(None) };
        let reading = read(Some(cursor));
        let page = reading.await.inspect_err(|error| {
            tracing::error!(%error, "an export broke off");
        })?;
        let chunk = write(page.rows).map_err(Error::internal)?;
        Ok::<_, Error>(Some((chunk, (read, page.next))))
    });
    let body = futures::StreamExt::chain(stream::iter([Ok(opening)]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{file_name}\""),
        ),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

fn write(rows: Vec<Vec<String>>) -> Result<Bytes, csv::Error> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::<u8>::new());
    for row in rows {
        writer.write_record(row.into_iter().map(harmless))?;
    }
    let written = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(Bytes::from(written))
}

/// Puts an apostrophe before what a spreadsheet would run. A plain negative number stays one.
fn harmless(cell: String) -> String {
    if cell.starts_with(FORMULA_STARTS) && !is_number(&cell) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(rows: &[&[&str]]) -> String {
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|&cell| cell.to_owned()).collect());
        String::from_utf8(write(rows.collect()).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_needed_and_lines_end_in_crlf() {
        let csv = text(&[&["order", "name"], &["EX-1", "Anna \"A\", Riga\nLatvia"]]);
        assert_eq!(
            csv,
            "order,name\r\nEX-1,\"Anna \"\"A\"\", Riga\nLatvia\"\r\n"
        );
    }

    #[test]
    fn nothing_in_a_cell_is_a_formula() {
        for formula in [
            "=1+1", "+1", "@SUM(A1)", "-1+1", "-", "--1", "\t=1", "\r=1", "-1e3",
        ] {
            assert_eq!(
                harmless(formula.to_owned()),
                format!("'{formula}"),
                "{formula:?}"
            );
        }
        for plain in ["-120.00", "-5", "0.00123456", "Anna", "", "anna=x"] {
            assert_eq!(harmless(plain.to_owned()), plain);
        }
    }

    #[tokio::test]
    async fn pages_follow_each_other_under_one_head() {
        let read = |from: Option<u32>| async move {
            let from = from.unwrap_or(0);
            let rows = vec![vec![from.to_string()]];
            Ok(ExportPage {
                rows,
                next: Some(from + 1).filter(|next| *next < 3),
            })
        };
        let response = download("x.csv", &["n"], read).await.unwrap();
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/csv; charset=utf-8"
        );
        let body = axum::body::to_bytes(response.into_body(), 1_024)
            .await
            .unwrap();
        assert_eq!(body, "n\r\n0\r\n1\r\n2\r\n");
    }

    #[tokio::test]
    async fn a_request_that_cannot_be_met_is_refused() {
        let read = |_: Option<u32>| async { Err::<ExportPage<u32>, _>(Error::NotFound) };
        let refused = download("x.csv", &["n"], read).await;
        assert_eq!(refused.err(), Some(Refusal::NotFound));
    }
}
