//! `latest` views: rows that follow the newest source item of their group.
//!
//! Each group has a head: which source item is the newest, and where every row of the group stands.
//! One transaction changes the head, on condition that it still is as read, and moves the rows: each
//! is deleted at its old key and put at its new one, with everything else that it holds.

mod advance;
mod head;
mod open;
mod owner;
mod plan;
mod state;
mod task;
mod view;

pub use head::{Chunk, Head, HeadError, Newest, OwnerPlace, chunk_key, head_key};
pub use view::{LatestView, Rows};
