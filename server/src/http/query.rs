use axum::http::Uri;
use url::form_urlencoded;

use super::Problems;

/// The parameters of a query string, decoded. Unknown ones are ignored by whoever reads it.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn of(uri: &Uri) -> Self {
        let text = uri.query().unwrap_or_default();
        Self(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The one value of a parameter. Giving it twice is a problem: two readers could disagree about
    /// which one counts.
    pub fn one(&self, name: &str, problems: &mut Problems) -> Option<&str> {
        let mut values = self
            .iter()
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value);
        let first = values.next();
        if values.next().is_some() {
            problems.add(name, "must be given once");
            return None;
        }
        first
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&text.parse::<Uri>().unwrap())
    }

    #[test]
    fn values_are_decoded() {
        let mut problems = Problems::default();
        assert_eq!(
            query("/x?a=1%2B1+2&b").one("a", &mut problems),
            Some("1+1 2")
        );
        assert_eq!(query("/x?a=1&b").one("b", &mut problems), Some(""));
        assert_eq!(query("/x").one("a", &mut problems), None);
        assert!(problems.is_empty());
    }

    #[test]
    fn a_parameter_given_twice_is_a_problem() {
        let mut problems = Problems::default();
        assert_eq!(query("/x?a=1&a=1").one("a", &mut problems), None);
        assert_eq!(problems.iter().next().unwrap().field, "a");
    }
}
