//! The albums application: the music album library and its five Lambda functions.
//!
//! It knows nothing of views: it writes albums, and reads the counts per genre that the engine keeps.

mod add_album;
mod album;
mod application;
mod delete_album;
pub mod import;
mod list_albums;
mod list_genres;
mod put_all;
mod sample;
mod update_album;
pub mod warm_up;

pub use add_album::add_album;
pub use album::{
    ALBUM_BYTES_MAX, ARTIST_BYTES_MAX, Album, AlbumKey, GENRE_BYTES_MAX, Genre, InvalidAlbum,
    PROTECTED_RANK_MAX, Rank, Year,
};
pub use application::{ALBUMS, Albums, Genres};
pub use delete_album::delete_album;
pub use list_albums::list_albums;
pub use list_genres::list_genres;
pub use put_all::{PutAllError, put_all};
pub use sample::sample;
pub use update_album::update_album;
