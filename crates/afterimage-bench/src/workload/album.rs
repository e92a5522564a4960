//! Albums, as a collection has them: a few genres hold most of them.

use crate::workload::ALBUMS;

use super::record::SourceChange;

/// Genres, and how many of a thousand albums each has: like a list of well-known albums, where half
/// are Rock and most genres hold a few.
const GENRES: [(&str, u64); 24] = [
    ("Rock", 486),
    ("Funk / Soul", 76),
    ("Hip Hop", 58),
    ("Electronic", 52),
    ("Rock, Pop", 46),
    ("Rock, Blues", 36),
    ("Electronic, Rock", 34),
    ("Folk, World, & Country", 30),
    ("Jazz", 26),
    ("Rock, Folk, World, & Country", 24),
    ("Blues", 20),
    ("Jazz, Rock", 16),
    ("Pop", 14),
    ("Reggae", 12),
    ("Electronic, Rock, Pop", 12),
    ("Funk / Soul, Pop", 10),
    ("Rock, Latin", 8),
    ("Latin", 8),
    ("Electronic, Hip Hop", 8),
    ("Jazz, Funk / Soul", 6),
    ("Classical", 6),
    ("Rock, Reggae", 4),
    ("Stage & Screen", 4),
    ("Hip Hop, Funk / Soul", 4),
];

/// Spreads numbers that follow one another over a thousand places, each as often as the others.
const STRIDE: u64 = 617;

/// The genre of an album; of any thousand that follow one another each genre has its share.
#[must_use]
pub fn genre(number: u64) -> &'static str {
    let mut place = number.wrapping_mul(STRIDE) % 1000;
    for (name, share) in GENRES {
        match place.checked_sub(share) {
            None => return name,
            Some(left) => place = left,
        }
    }
    // The shares add up to a thousand: a test holds it.
    "Rock"
}

/// The attributes of an album.
#[must_use]
pub fn attributes(number: u64, genre: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Artist", format!("Artist {:05}", number / 7)),
        ("Album", format!("Album number {number:07}")),
        ("Genre", genre.to_owned()),
        ("Label", format!("Label {:04}", number % 997)),
    ]
}

/// The record of a new album.
#[must_use]
pub fn inserted(number: u64) -> SourceChange {
    let after = attributes(number, genre(number));
    SourceChange { table: ALBUMS, number, before: None, after }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_genre_has_its_share_of_a_thousand() {
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        for number in 12_345..13_345 {
            *found.entry(genre(number)).or_insert(0) += 1;
        }
        assert_eq!(found, BTreeMap::from(GENRES));
    }
}
