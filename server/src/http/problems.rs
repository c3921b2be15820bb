use gateway::{Error, FieldError};

/// Everything wrong with one request, in the order it was found: a caller learns all of it at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// `field` is a dotted path; `message` a sentence without the field's name: `must be …`.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// The value that was read, if nothing was wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem. A value missing without a problem is our own mistake.
    pub fn require<T>(self, value: Option<T>) -> Result<T, Error> {
        if !self.0.is_empty() {
            return Err(Error::Invalid(self.0));
        }
        value.ok_or_else(|| Error::internal("a refused field left no problem"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_problem_refuses_the_value() {
        assert_eq!(Problems::default().require(Some(1)).unwrap(), 1);

        let mut problems = Problems::default();
        problems.add("amount", "is required");
        problems.add("items.0.price", "is too large");
        let Err(Error::Invalid(fields)) = problems.require(Some(1)) else {
            panic!("accepted")
        };
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["amount", "items.0.price"]);
    }

    #[test]
    fn a_value_lost_without_a_problem_is_not_the_callers_fault() {
        assert!(matches!(
            Problems::default().require::<i64>(None),
            Err(Error::Internal(_))
        ));
    }
}
