//! An album, and what makes one valid.

use std::fmt;
use std::num::NonZeroU32;

use http_api::{ApiError, FieldError, Fields, Item, Origin, StoreError, to_item};
use serde::Serialize;

use crate::Albums;

/// The longest artist, in bytes of UTF-8: the partition key
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub const ARTIST_BYTES_MAX: usize = 2048;

/// The longest album, in bytes of UTF-8: the sort key (same page).
pub const ALBUM_BYTES_MAX: usize = 1024;

/// The longest genre, in bytes of UTF-8. As partition key of `genre-index` it might have 2048, but
/// it becomes the sort key of a derived count (same page).
pub const GENRE_BYTES_MAX: usize = 1024;

/// The latest year that is taken.
const YEAR_MAX: u16 = 9999;

/// Albums of this rank and better cannot be deleted.
pub const PROTECTED_RANK_MAX: u32 = 100;

/// The attributes that an album has here. An item may have more; they are kept and shown.
pub(crate) const ATTRIBUTES: [&str; 5] = ["Artist", "Album", "Genre", "Rank", "Year"];

/// Why something is no album. The sentences name the attribute, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAlbum {
    /// A text that is empty or too long.
    #[error("`{name}` must have 1 to {bytes_max} bytes, and has {bytes}")]
    Length {
        /// The attribute.
        name: &'static str,
        /// The most bytes it may have.
        bytes_max: usize,
        /// The bytes that it has.
        bytes: usize,
    },
    /// A number outside its range.
    #[error("`{name}` must be a whole number from 1 to {max}")]
    Range {
        /// The attribute.
        name: &'static str,
        /// The greatest number that is taken.
        max: u32,
    },
    /// Not an object with the right attributes.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl From<InvalidAlbum> for ApiError {
    fn from(error: InvalidAlbum) -> Self {
        Self::invalid_body(error.to_string())
    }
}

/// What an album is known by: the key of its item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlbumKey {
    artist: String,
    album: String,
}

impl AlbumKey {
    /// A key of 1 to [`ARTIST_BYTES_MAX`] and 1 to [`ALBUM_BYTES_MAX`] bytes; texts as given.
    ///
    /// # Errors
    /// [`InvalidAlbum::Length`].
    pub fn new(artist: impl Into<String>, album: impl Into<String>) -> Result<Self, InvalidAlbum> {
        Ok(Self {
            artist: bounded("Artist", artist.into(), ARTIST_BYTES_MAX)?,
            album: bounded("Album", album.into(), ALBUM_BYTES_MAX)?,
        })
    }

    /// The artist.
    #[must_use]
    pub fn artist(&self) -> &str {
        &self.artist
    }

    /// The album's title.
    #[must_use]
    pub fn album(&self) -> &str {
        &self.album
    }

    pub(crate) fn take_from(fields: &mut Fields) -> Result<Self, InvalidAlbum> {
        Self::new(fields.require_text("Artist")?, fields.require_text("Album")?)
    }

    pub(crate) fn item(&self) -> Result<Item, StoreError> {
        to_item(self)
    }
}

impl fmt::Display for AlbumKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} by {}", self.album, self.artist)
    }
}

/// A genre: 1 to [`GENRE_BYTES_MAX`] bytes, as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Genre(String);

impl Genre {
    /// A genre of 1 to [`GENRE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`InvalidAlbum::Length`].
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidAlbum> {
        Ok(Self(bounded("Genre", text.into(), GENRE_BYTES_MAX)?))
    }

    /// The genre's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn take_from(fields: &mut Fields) -> Result<Option<Self>, InvalidAlbum> {
        fields.take_text("Genre")?.map(Self::new).transpose()
    }
}

/// A place in a list of the best albums, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rank(NonZeroU32);

impl Rank {
    /// A place from 1.
    ///
    /// # Errors
    /// [`InvalidAlbum::Range`] for 0 and for numbers over 32 bits.
    pub fn new(number: u64) -> Result<Self, InvalidAlbum> {
        u32::try_from(number)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(InvalidAlbum::Range { name: "Rank", max: u32::MAX })
    }

    /// The place.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    pub(crate) fn take_from(fields: &mut Fields) -> Result<Option<Self>, InvalidAlbum> {
        fields.take_integer("Rank")?.map(Self::new).transpose()
    }
}

/// The year of an album, from 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Year(u16);

impl Year {
    /// A year from 1 to 9999.
    ///
    /// # Errors
    /// [`InvalidAlbum::Range`].
    pub fn new(number: u64) -> Result<Self, InvalidAlbum> {
        u16::try_from(number)
            .ok()
            .filter(|year| (1..=YEAR_MAX).contains(year))
            .map(Self)
            .ok_or(InvalidAlbum::Range { name: "Year", max: u32::from(YEAR_MAX) })
    }

    /// The year's number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    pub(crate) fn take_from(fields: &mut Fields) -> Result<Option<Self>, InvalidAlbum> {
        fields.take_integer("Year")?.map(Self::new).transpose()
    }
}

/// An album: every part of it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Album {
    /// Its artist and title.
    #[serde(flatten)]
    pub key: AlbumKey,
    /// Its genre, if it has one: an album without adds nothing to the counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genre: Option<Genre>,
    /// Its place in a list, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// Its year, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<Year>,
}

impl Album {
    /// Reads `{"Artist": …, "Album": …}` with `Genre`, `Rank` and `Year` as it has them.
    ///
    /// # Errors
    /// [`InvalidAlbum`], for unknown attributes too.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidAlbum> {
        Self::take_from(&mut Fields::parse(json, &ATTRIBUTES)?)
    }

    pub(crate) fn take_from(fields: &mut Fields) -> Result<Self, InvalidAlbum> {
        Ok(Self {
            key: AlbumKey::take_from(fields)?,
            genre: Genre::take_from(fields)?,
            rank: Rank::take_from(fields)?,
            year: Year::take_from(fields)?,
        })
    }

    pub(crate) fn item(&self) -> Result<Item, StoreError> {
        to_item(self)
    }
}

impl Albums {
    /// Where albums come from.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin { table: self.table(), key: ["Artist", "Album"] }
    }
}

fn bounded(name: &'static str, text: String, bytes_max: usize) -> Result<String, InvalidAlbum> {
    if (1..=bytes_max).contains(&text.len()) {
        Ok(text)
    } else {
        Err(InvalidAlbum::Length { name, bytes_max, bytes: text.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let found = Album::parse(json.as_bytes()).map(|album| {
            let year = album.year.map(Year::number);
            format!("{} {:?} {:?}", album.key, album.rank.map(Rank::number), year)
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn albums_are_checked_attribute_by_attribute() {
        let with = |more: &str| format!(r#"{{"Artist": "Björk", "Album": "Post"{more}}}"#);
        check(&with(r#", "Rank": 373, "Year": 1995"#), "Post by Björk Some(373) Some(1995)");
        check(&with(""), "Post by Björk None None");
        check(&with(r#", "Rank": 0"#), "`Rank` must be a whole number from 1 to 4294967295");
        check(
            &with(r#", "Rank": 4294967296"#),
            "`Rank` must be a whole number from 1 to 4294967295",
        );
        check(&with(r#", "Rank": "7""#), "`Rank` must be a whole number");
        check(&with(r#", "Year": 10000"#), "`Year` must be a whole number from 1 to 9999");
        check(&with(r#", "Year": 0"#), "`Year` must be a whole number from 1 to 9999");
        check(&with(r#", "Genre": """#), "`Genre` must have 1 to 1024 bytes, and has 0");
        check(
            &with(r#", "Label": "x""#),
            "there is no attribute `Label`; known are Artist, Album, Genre, Rank, Year",
        );
        check(r#"{"Artist": "", "Album": "x"}"#, "`Artist` must have 1 to 2048 bytes, and has 0");
        check(r#"{"Artist": "x"}"#, "`Album` is required");
    }

    #[test]
    fn texts_are_measured_in_bytes() {
        let umlauts = "ö".repeat(512);
        assert!(AlbumKey::new(umlauts.repeat(2), umlauts.as_str()).is_ok());
        assert!(AlbumKey::new("x", format!("{umlauts}o")).is_err());
        assert!(AlbumKey::new(format!("{umlauts}{umlauts}o"), "x").is_err());
        assert!(Genre::new(umlauts.as_str()).is_ok());
        assert!(Genre::new(format!("{umlauts}o")).is_err());
    }
}
