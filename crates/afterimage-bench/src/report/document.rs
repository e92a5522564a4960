//! The files in `docs/`.

use testkit::lambda::repository;

use super::{Report, plot, table};
use crate::BenchError;

/// Around the tables in the document.
const MARKS: (&str, &str) = ("<!-- tables: begin -->\n", "<!-- tables: end -->\n");

/// Writes the figures, the plot, and the tables into the document that stands there.
///
/// # Errors
/// [`BenchError`] where a file cannot be read or written, or the document has no place for tables.
pub fn save(report: &Report) -> Result<(), BenchError> {
    let json = serde_json::to_string_pretty(report)?;
    write("docs/benchmarks.json", &format!("{json}\n"))?;
    write("docs/benchmarks.svg", &plot::svg(report))?;
    let path = "docs/benchmarks.md";
    let document = std::fs::read_to_string(repository().join(path))
        .map_err(|source| BenchError::File { path: path.to_owned(), source })?;
    let document = with_tables(&document, &table::text(report))
        .ok_or(BenchError::State { what: "docs/benchmarks.md has no marks around its tables" })?;
    write(path, &document)
}

fn write(path: &str, text: &str) -> Result<(), BenchError> {
    std::fs::write(repository().join(path), text)
        .map_err(|source| BenchError::File { path: path.to_owned(), source })
}

/// The document with these tables between its marks.
fn with_tables(document: &str, tables: &str) -> Option<String> {
    let (before, rest) = document.split_once(MARKS.0)?;
    let (_, after) = rest.split_once(MARKS.1)?;
    Some(format!("{before}{}{tables}{}{after}", MARKS.0, MARKS.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_put_between_the_marks() {
        let document = format!("a\n{}old\n{}b\n", MARKS.0, MARKS.1);
        let expected = format!("a\n{}new\n{}b\n", MARKS.0, MARKS.1);
        assert_eq!(with_tables(&document, "new\n"), Some(expected));
        assert_eq!(with_tables("a\n", "new\n"), None);
    }

    #[test]
    fn the_document_has_the_marks() {
        let document = std::fs::read_to_string(repository().join("docs/benchmarks.md"));
        assert!(with_tables(&document.expect("a document"), "").is_some());
    }
}
