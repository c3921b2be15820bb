//! What the forms of the dashboard have in common.

use axum::http::StatusCode;
use domain::view::checkout::Notice;
use gateway::FieldError;
use gateway::idempotency::{Answer, Once};
use gateway::operations::OperationView;
use sha2::{Digest, Sha256};

/// A field's name in errors, the name of its input, and its label.
pub(super) type Label = (&'static str, &'static str, &'static str);

/// The first of several wrong fields as a notice that leads to its input. The messages are ours;
/// none repeats what was typed.
pub(super) fn blame(wrong: &[FieldError], labels: &[Label]) -> Option<Notice> {
    let error = wrong.first()?;
    let known = labels.iter().find(|(field, ..)| *field == error.field);
    let (input, label) = known.map_or(("", "This"), |(_, input, label)| (*input, *label));
    Some(Notice {
        is_error: true,
        text: format!("{label} {}.", error.message),
        field: Some(input.to_owned()).filter(|input| !input.is_empty()),
    })
}

/// Binds the hidden key of a form to what the form says, so that sending it twice acts once. The
/// same key with other words is refused.
pub(super) fn once(merchant_id: i64, path: &str, key: &str, words: &[&str]) -> Option<Once> {
    let key = Some(key.trim()).filter(|key| {
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
        !key.is_empty() && key.len() <= 64 && printable
    })?;
    Some(Once {
        merchant_id,
        method: "POST",
        path: path.to_owned(),
        key: key.to_owned(),
        body_hash: Sha256::digest(words.join("\n")).into(),
    })
}

/// What is kept with the key of a form that made an operation: its number.
pub(super) fn made(view: &OperationView) -> (u16, Vec<u8>) {
    // Only what succeeded is kept.
    let status = StatusCode::CREATED.as_u16();
    (status, view.id.to_string().into_bytes())
}

/// The number that [`made`] kept.
pub(super) fn made_id(answer: &Answer) -> Option<i64> {
    std::str::from_utf8(&answer.body).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_leads_to_the_input_of_the_field() {
        let wrong = [FieldError {
            field: "foreign_id".to_owned(),
            message: "was used".to_owned(),
        }];
        let labels = [("foreign_id", "reference", "Reference")];
        let notice = blame(&wrong, &labels);
        assert_eq!(
            notice.as_ref().map(|notice| notice.text.as_str()),
            Some("Reference was used.")
        );
        let field = notice.and_then(|notice| notice.field);
        assert_eq!(field.as_deref(), Some("reference"));
        assert_eq!(blame(&[], &labels), None);
    }

    #[test]
    fn a_key_is_bound_to_the_words_of_its_form() {
        let hash = |words: &[&str]| once(1, "/x", "k", words).map(|once| once.body_hash);
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
        assert_ne!(hash(&["a", "b"]), hash(&["ab"]));
        for key in ["", " ", "two words", &"k".repeat(65), "é"] {
            assert!(once(1, "/x", key, &[]).is_none(), "{key}");
        }
    }
}
