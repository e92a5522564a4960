//! The messages application: conversations, their messages, and the profiles of those who write them.
//!
//! It knows nothing of views: it puts messages and group rows; that rows follow the newest message of
//! their group is the engine's work.

mod application;
mod clock;
mod content;
pub mod conversation;
mod created_at;
mod ensure_profile;
mod handle;
mod item;
mod key;
mod list_message_groups;
mod list_messages;
mod membership;
mod message_id;
mod message_text;
mod partition;
mod post_confirmation;
mod post_message;
mod posting;
mod profile;
mod sample;
pub mod warm_up;

pub use application::{MESSAGES, Messages};
pub use clock::Clock;
pub use created_at::{CreatedAt, InvalidCreatedAt};
pub use ensure_profile::{EnsureProfileError, ensure_profile};
pub use handle::{HANDLE_BYTES_MAX, Handle, InvalidHandle};
pub use list_message_groups::list_message_groups;
pub use list_messages::list_messages;
pub use message_text::{InvalidMessageText, MESSAGE_BYTES_MAX, MessageText};
pub use post_confirmation::{PostConfirmationError, PostConfirmationEvent, post_confirmation};
pub use post_message::post_message;
pub use profile::Profile;
pub use sample::{Sample, SampleError, SeedError, Seeded, sample, seed, seed_sample};
