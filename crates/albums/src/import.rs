//! Albums out of a file: all of them valid, or an error that names every bad entry.
//!
//! Values are taken exactly as the file has them; only in CSV are ASCII spaces around a value left
//! out, as spreadsheets write them. Any other white space, such as a no-break space, is the value's.

mod lines;

use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use self::lines::Lines;
use crate::{Album, AlbumKey, Genre, InvalidAlbum, Rank, Year};

/// The columns of a CSV file, each of them once, in any order.
const COLUMNS: [&str; 5] = ["Rank", "Year", "Album", "Artist", "Genre"];

/// How many bad entries an error shows.
const ENTRIES_SHOWN: usize = 20;

/// Where in a file an album stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line of a CSV file on which the record begins, from 1, whatever ends lines.
    Line(u64),
    /// An entry of a JSON array, from 0.
    Entry(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Entry(index) => write!(formatter, "entry {index}"),
        }
    }
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no album.
    #[error(transparent)]
    Album(#[from] InvalidAlbum),
    /// A number that is none.
    #[error("`{column}` must be a whole number")]
    Number {
        /// The column.
        column: &'static str,
    },
    /// The number of values differs from that of the columns.
    #[error("it has {found} values, and the header has {expected}")]
    Values {
        /// The values of the line.
        found: u64,
        /// The columns.
        expected: u64,
    },
    /// Text that is not UTF-8.
    #[error("it is not UTF-8; save the file as UTF-8")]
    Encoding,
    /// An album that stands in the file already.
    #[error("the same artist and album as {first}")]
    Repeated {
        /// Where it stands first.
        first: Place,
    },
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A CSV header that is not the one wanted.
    #[error(
        "line {line} must name each of the columns Rank, Year, Album, Artist, Genre once, and {problem}"
    )]
    Header {
        /// The line on which it begins, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A CSV file that cannot be read.
    #[error("this is not CSV")]
    Csv(#[source] csv::Error),
    /// Not a JSON array.
    #[error("this must be a JSON array of albums: see line {line}, column {column}")]
    Json {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped, from 1.
        column: usize,
    },
    /// Entries that are no albums; all of them are listed.
    #[error("nothing was imported, correct these first:{}", Listing(.0))]
    Entries(Vec<(Place, Problem)>),
}

struct Listing<'list>(&'list [(Place, Problem)]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().take(ENTRIES_SHOWN) {
            write!(formatter, "\n  {place}: {problem}")?;
        }
        match self.0.len().checked_sub(ENTRIES_SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(formatter, "\n  and {more} more"),
        }
    }
}

/// Reads a CSV file with the header `Rank,Year,Album,Artist,Genre` in any order. An empty `Rank`,
/// `Year` or `Genre` means that the album has none.
///
/// # Errors
/// [`ImportError`].
pub fn csv(file: &[u8]) -> Result<Vec<Album>, ImportError> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::None).from_reader(file);
    let mut lines = Lines::of(file);
    let line = lines.of_record_at(0);
    let columns = match reader.headers() {
        Ok(header) => columns(header).map_err(|problem| ImportError::Header { line, problem })?,
        Err(error) => {
            return Err(ImportError::Entries(vec![(Place::Line(line), unreadable(error)?)]));
        }
    };
    let mut found = Vec::new();
    for record in reader.records() {
        let position = match &record {
            Ok(record) => record.position(),
            Err(error) => error.position(),
        };
        let line = position.map(|it| lines.of_record_at(it.byte()));
        let album = match record {
            Ok(record) => row(&record, columns),
            Err(error) => Err(unreadable(error)?),
        };
        found.push((Place::Line(line.unwrap_or(1)), album));
    }
    all_valid(found)
}

/// Reads a JSON array of `{"Artist": …, "Album": …, "Genre": …, "Rank": …, "Year": …}`, the last
/// three as each album has them.
///
/// # Errors
/// [`ImportError`].
pub fn json(file: &[u8]) -> Result<Vec<Album>, ImportError> {
    let entries: Vec<&RawValue> = serde_json::from_slice(file)
        .map_err(|error| ImportError::Json { line: error.line(), column: error.column() })?;
    let found = entries.into_iter().enumerate().map(|(index, entry)| {
        (Place::Entry(index), Album::parse(entry.get().as_bytes()).map_err(Problem::from))
    });
    all_valid(found.collect())
}

/// Where each of [`COLUMNS`] stands, or what is wrong with the header.
fn columns(header: &csv::StringRecord) -> Result<[usize; 5], String> {
    let names: Vec<&str> = header.iter().map(trimmed).collect();
    if let Some(name) = names.iter().find(|name| !COLUMNS.contains(name)) {
        return Err(format!("it has `{name}`"));
    }
    let mut places = [0; 5];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let mut at = names.iter().enumerate().filter(|(_, name)| **name == column);
        *place = match (at.next(), at.next()) {
            (Some((index, _)), None) => index,
            (None, _) => return Err(format!("`{column}` is missing")),
            (Some(_), Some(_)) => return Err(format!("`{column}` is there twice")),
        };
    }
    Ok(places)
}

fn row(record: &csv::StringRecord, columns: [usize; 5]) -> Result<Album, Problem> {
    let [rank, year, album, artist, genre] =
        columns.map(|column| record.get(column).map_or("", trimmed));
    Ok(Album {
        key: AlbumKey::new(artist, album)?,
        genre: present(genre).map(Genre::new).transpose()?,
        rank: number("Rank", rank)?.map(Rank::new).transpose()?,
        year: number("Year", year)?.map(Year::new).transpose()?,
    })
}

fn trimmed(value: &str) -> &str {
    value.trim_matches(' ')
}

fn present(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

fn number(column: &'static str, value: &str) -> Result<Option<u64>, Problem> {
    let digits = present(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    match (present(value), digits) {
        (None, _) => Ok(None),
        (Some(_), Some(digits)) => digits.parse().map(Some).map_err(|_| Problem::Number { column }),
        (Some(_), None) => Err(Problem::Number { column }),
    }
}

type Found = (Place, Result<Album, Problem>);

/// What is wrong with a record that the CSV reader refuses; other failures end the import.
fn unreadable(error: csv::Error) -> Result<Problem, ImportError> {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Ok(Problem::Values { found: *len, expected: *expected_len })
        }
        csv::ErrorKind::Utf8 { .. } => Ok(Problem::Encoding),
        _ => Err(ImportError::Csv(error)),
    }
}

fn all_valid(found: Vec<Found>) -> Result<Vec<Album>, ImportError> {
    let mut first_places: HashMap<AlbumKey, Place> = HashMap::new();
    let mut albums = Vec::new();
    let mut problems = Vec::new();
    for (place, album) in found {
        match album {
            Err(problem) => problems.push((place, problem)),
            Ok(album) => match first_places.get(&album.key) {
                Some(first) => problems.push((place, Problem::Repeated { first: *first })),
                None => {
                    first_places.insert(album.key.clone(), place);
                    albums.push(album);
                }
            },
        }
    }
    if problems.is_empty() { Ok(albums) } else { Err(ImportError::Entries(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Result<Vec<Album>, ImportError>) -> String {
        let line = |album: &Album| {
            let genre = album.genre.as_ref().map(Genre::as_str);
            let (rank, year) = (album.rank.map(Rank::number), album.year.map(Year::number));
            format!("{:?} {:?} {genre:?} {rank:?} {year:?}", album.key.artist(), album.key.album())
        };
        match found {
            Ok(albums) => albums.iter().map(line).collect::<Vec<_>>().join("\n"),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check_csv(file: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(shown(csv(file.as_ref())), expected);
    }

    #[track_caller]
    fn check_json(file: &str, expected: &str) {
        assert_eq!(shown(json(file.as_bytes())), expected);
    }

    #[test]
    fn a_csv_file_is_read_by_its_header() {
        check_csv(
            "Rank,Year,Album,Artist,Genre\r\n1,1967,\"Sgt. Pepper, etc\", The Beatles ,Rock\r\n,,Ágætis byrjun,Sigur Rós,\r\n",
            "\"The Beatles\" \"Sgt. Pepper, etc\" Some(\"Rock\") Some(1) Some(1967)\n\"Sigur Rós\" \"Ágætis byrjun\" None None None",
        );
        check_csv(
            "\u{feff}Genre,Artist,Album,Year,Rank\nRock,\u{a0}x\u{a0},\"a \"\"b\"\"\",1999,7",
            "\"\\u{a0}x\\u{a0}\" \"a \\\"b\\\"\" Some(\"Rock\") Some(7) Some(1999)",
        );
        check_csv("Rank,Year,Album,Artist,Genre\n", "");
    }

    #[test]
    fn a_wrong_header_is_refused() {
        let wanted =
            "line 1 must name each of the columns Rank, Year, Album, Artist, Genre once, and ";
        check_csv("", &format!("{wanted}`Rank` is missing"));
        check_csv("Rank,Year,Album,Artist\n", &format!("{wanted}`Genre` is missing"));
        check_csv("Rank,Year,Album,Artist,Genre,Label\n", &format!("{wanted}it has `Label`"));
        check_csv("Rank,Rank,Year,Album,Artist,Genre\n", &format!("{wanted}`Rank` is there twice"));
    }

    #[test]
    fn every_bad_line_is_named() {
        check_csv(
            b"Rank,Year,Album,Artist,Genre\n0,1,a,b,c\n1,2\n2,x,a,b,c\n3,1.5,a,b,c\n4,1,,b,c\n5,1,\xff,b,c\n6,1,\"a\nb\",b,c\n7,1,\"a\nb\",b,d\n",
            "nothing was imported, correct these first:\n  \
             line 2: `Rank` must be a whole number from 1 to 4294967295\n  \
             line 3: it has 2 values, and the header has 5\n  \
             line 4: `Year` must be a whole number\n  \
             line 5: `Year` must be a whole number\n  \
             line 6: `Album` must have 1 to 1024 bytes, and has 0\n  \
             line 7: it is not UTF-8; save the file as UTF-8\n  \
             line 10: the same artist and album as line 8",
        );
    }

    /// Every bad line of a file that is written with LF is named, and stays the same line with other line ends.
    #[track_caller]
    fn check_lines(file: &str, expected: &[&str]) {
        for line_end in ["\n", "\r\n", "\r"] {
            for bom in ["", "\u{feff}"] {
                let file = format!("{bom}{}", file.replace('\n', line_end));
                let found = shown(csv(file.as_bytes()));
                let found: Vec<&str> = found.lines().skip(1).map(str::trim).collect();
                assert_eq!(found, expected, "{file:?}");
            }
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        const HEADER: &str = "Rank,Year,Album,Artist,Genre";
        let rank = |line: u64| format!("line {line}: `Rank` must be a whole number");
        let check =
            |file: &str, line: u64| check_lines(&file.replace("HEADER", HEADER), &[&rank(line)]);
        check("HEADER\nx,,a,b,", 2);
        check("HEADER\n1,,a,b,\nx,,c,d,\n", 3);
        // Empty lines: before the header, behind it, between records, and one that ends the file.
        check("\n\nHEADER\nx,,a,b,\n", 4);
        check("HEADER\n\n\nx,,a,b,\n\n", 4);
        check("HEADER\n1,,a,b,\n\n\n\nx,,c,d,\n2,,e,f,\n", 6);
        // Line ends in quotes: within the record, and before it.
        check("HEADER\nx,,\"a\nb\n\nc\",d,\n", 2);
        check("HEADER\n1,,\"a\n\nb\",\"c\n\",\nx,,d,e,\n", 6);
        check("HEADER\n\n1,,\"a\n\"\"b\"\"\n\",c,\n\nx,,d,e,", 7);
        check_lines(
            "\nRank,Year,Album,Artist,Genre\n\n1,2\n\n1,,\"a\n\",b,\n\n\n1,,\"a\n\",b,\n",
            &[
                "line 4: it has 2 values, and the header has 5",
                "line 10: the same artist and album as line 6",
            ],
        );
        // In one file, all of them.
        check_csv(
            "Rank,Year,Album,Artist,Genre\r\n\r\nx,,a,b,\n\rx,,\"c\r\n\r\",d,\r\rx,,e,f,\n",
            &format!(
                "nothing was imported, correct these first:\n  {}\n  {}\n  {}",
                rank(3),
                rank(5),
                rank(9)
            ),
        );
        check_csv(
            "\r\n\r\nRank\r\n",
            "line 3 must name each of the columns Rank, Year, Album, Artist, Genre once, and `Year` is missing",
        );
        check_csv(
            b"\n\xff,Year\n",
            "nothing was imported, correct these first:\n  line 2: it is not UTF-8; save the file as UTF-8",
        );
    }

    #[test]
    fn a_json_file_is_read_entry_by_entry() {
        check_json(
            r#"[{"Artist": "AC/DC", "Album": "Back in Black", "Genre": "Rock", "Rank": 77, "Year": 1980}]"#,
            "\"AC/DC\" \"Back in Black\" Some(\"Rock\") Some(77) Some(1980)",
        );
        check_json("[]", "");
        check_json("{}", "this must be a JSON array of albums: see line 1, column 0");
        check_json("[{]", "this must be a JSON array of albums: see line 1, column 3");
        check_json(
            r#"[{"Artist": "a", "Album": "b"}, 3, {"Artist": "a", "Album": "b", "Label": "c"}, {"Artist": "a", "Album": "b"}]"#,
            "nothing was imported, correct these first:\n  \
             entry 1: this must be a JSON object\n  \
             entry 2: there is no attribute `Label`; known are Artist, Album, Genre, Rank, Year\n  \
             entry 3: the same artist and album as entry 0",
        );
    }

    fn of_genre(albums: &[Album], genre: &str) -> usize {
        let is = |album: &&Album| album.genre.as_ref().is_some_and(|it| it.as_str() == genre);
        albums.iter().filter(is).count()
    }

    #[test]
    fn the_500_albums_import() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/albums-500.csv");
        let Ok(file) = std::fs::read(path) else {
            eprintln!("skipped: the 500 albums are not beside this repository, as {path}");
            return;
        };
        let albums = csv(&file).expect("500 albums");
        let counts = (albums.len(), of_genre(&albums, "Rock"), of_genre(&albums, "Funk / Soul"));
        assert_eq!(counts, (500, 249, 38));
    }

    #[test]
    fn a_list_as_of_the_500_albums_imports() {
        let file = "Rank,Year,Album,Artist,Genre\n\
            1,2001,First,\"Made, Up\",Rock\n\
            2,2002,Second,Nobody,Funk / Soul\n\
            3,2003,Third,Nobody,Rock\n";
        let albums = csv(file.as_bytes()).expect("3 albums");
        let counts = (albums.len(), of_genre(&albums, "Rock"), of_genre(&albums, "Funk / Soul"));
        assert_eq!(counts, (3, 2, 1));
    }

    #[test]
    fn a_long_listing_is_shortened() {
        let rows: String = (0..23).map(|_| "0,1,a,b,c\n").collect();
        let found = shown(csv(format!("Rank,Year,Album,Artist,Genre\n{rows}").as_bytes()));
        assert!(found.ends_with("\n  and 3 more"), "{found}");
    }
}
