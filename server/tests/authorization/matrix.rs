//! The matrix as rows and cells.

const MATRIX: &str = include_str!("matrix.txt");

/// A visitor who is sent to the sign-in page.
pub const SIGN_IN: &str = "in";

pub struct Matrix {
    /// Names of the principals, one a column.
    pub principals: Vec<&'static str>,
    pub rows: Vec<Row>,
}

pub struct Row {
    /// `GET`, `POST`, or `ANY` for routes that take every method.
    pub method: &'static str,
    /// As the route is written, e.g. `/api/orders/{id}`.
    pub path: &'static str,
    /// What `{id}` stands for; `-` when there is none.
    pub on: &'static str,
    /// What each principal gets.
    pub cells: Vec<&'static str>,
}

impl Matrix {
    pub fn read() -> Self {
        let mut lines = MATRIX
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.split_whitespace().collect::<Vec<&str>>());
        let head = lines.next().unwrap();
        assert_eq!(head[..3], ["method", "path", "on"]);
        let row = |words: Vec<&'static str>| {
            assert_eq!(words.len(), head.len(), "{words:?}");
            Row {
                method: words[0],
                path: words[1],
                on: words[2],
                cells: words[3..].to_vec(),
            }
        };
        Self {
            rows: lines.map(row).collect(),
            principals: head[3..].to_vec(),
        }
    }

    /// Charges that have to be there: one to look at, and one for every call that changes one.
    pub fn charges_needed(&self, on: &str) -> usize {
        let changing = self
            .rows
            .iter()
            .filter(|row| row.on == on && row.is_unsafe())
            .flat_map(|row| &row.cells);
        1 + changing.filter(|cell| lets_in(cell)).count()
    }
}

impl Row {
    /// Every method the row speaks of.
    pub fn methods(&self) -> &'static [&'static str] {
        match self.method {
            "GET" => &["GET"],
            "POST" => &["POST"],
            _ => &["GET", "POST", "DELETE"],
        }
    }

    /// Whether its calls may change something.
    pub fn is_unsafe(&self) -> bool {
        self.method != "GET"
    }

    pub fn is_below(&self, prefix: &str) -> bool {
        self.path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Whether a call that is answered so was carried out.
pub fn lets_in(cell: &str) -> bool {
    cell.starts_with('2') || cell == "303"
}
