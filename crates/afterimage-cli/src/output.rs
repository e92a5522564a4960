//! Standard output: data only, as a table for people or as JSON for programs.

use std::io::{BufWriter, Stdout, Write};

use clap::ValueEnum;
use serde_json::Value;

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// Standard output, buffered. A reader that goes away is an error of kind `BrokenPipe`.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<Stdout>,
}

impl Output {
    /// Standard output.
    pub fn new() -> Self {
        Self { stdout: BufWriter::new(std::io::stdout()) }
    }

    /// Prints a line.
    pub fn line(&mut self, text: &str) -> std::io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.write_all(b"\n")
    }

    /// Prints a JSON value, on one line.
    pub fn json(&mut self, value: &Value) -> std::io::Result<()> {
        self.line(&value.to_string())
    }

    /// Prints rows in aligned columns under their titles.
    pub fn table<const N: usize>(
        &mut self,
        titles: [&str; N],
        rows: &[[String; N]],
    ) -> std::io::Result<()> {
        for line in aligned(titles, rows) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Prints what there is so far.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.stdout.flush()
    }

    /// Makes sure that all is printed.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.stdout.flush()
    }
}

fn aligned<const N: usize>(titles: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut widths = titles.map(|title| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let render = |cells: Vec<&str>| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let title_line = render(titles.to_vec());
    let row_lines = rows.iter().map(|row| render(row.iter().map(String::as_str).collect()));
    std::iter::once(title_line).chain(row_lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["Afrobeat".to_owned(), "1".to_owned()], ["Jazz".to_owned(), "22".to_owned()]];
        assert_eq!(aligned(["GENRE", "N"], &rows), ["GENRE     N", "Afrobeat  1", "Jazz      22"]);
    }
}
