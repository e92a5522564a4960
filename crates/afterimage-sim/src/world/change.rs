//! What the application does to its tables.

use std::fmt;

/// The year of an album: what a view groups by that no index holds to a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Year {
    /// None.
    Absent,
    /// A number, as the application writes it: `1980` and `1.98e3` are one group.
    Number(&'static str),
    /// A boolean.
    Boolean(bool),
    /// A string.
    Text(&'static str),
    /// A list: no group can be made of it.
    List,
    /// NULL: no group, as if absent.
    Null,
}

/// An album as the application puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Album {
    /// Which album.
    pub number: u8,
    /// Its genre; `None` for none.
    pub genre: Option<&'static str>,
    /// Its year.
    pub year: Year,
    /// Whether `genres-ever` selects it.
    pub is_selected: bool,
    /// Bytes of its notes.
    pub note_bytes: u16,
}

/// A message as the application puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which group.
    pub group: u8,
    /// When: the order within the group.
    pub at: u8,
    /// What it says.
    pub text: u16,
    /// Whether it has the second attribute that rows copy.
    pub has_mood: bool,
    /// Bytes that its text has beside.
    pub more_bytes: u16,
}

/// An edit of a row where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Changes an attribute that is there; adds one that the view declares where it is not.
    Note(u16),
    /// Removes it.
    RemoveNote,
    /// Adds or changes an attribute that the view declares.
    Pin(u16),
    /// Removes that.
    Unpin,
    /// Overwrites what the view copies; it is restored.
    Message(u16),
}

/// One change of a source table. Numbers that pick are taken modulo what there is to pick from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Puts an album, new or over the old one.
    PutAlbum(Album),
    /// Sets or removes the genre of an album that is there.
    SetGenre {
        /// Which album.
        number: u8,
        /// The genre; `None` removes it.
        genre: Option<&'static str>,
    },
    /// Deletes an album.
    DeleteAlbum {
        /// Which album.
        number: u8,
    },
    /// Lets DynamoDB delete an album whose time is over.
    ExpireAlbum {
        /// Which album.
        number: u8,
    },
    /// Puts a message, new or over the old one.
    PutMessage(Message),
    /// Deletes a message that was put since the deployment.
    DeleteMessage {
        /// Which of them.
        pick: u16,
    },
    /// A member joins a group: a row is put, behind or ahead of the messages.
    Join {
        /// Who.
        owner: u8,
        /// Which group.
        group: u8,
        /// The row's sort key.
        at: u8,
    },
    /// A member leaves: the row is deleted where it stands.
    Leave {
        /// Which row.
        pick: u16,
    },
    /// A row is edited where it stands.
    EditRow {
        /// Which row.
        pick: u16,
        /// How.
        edit: Edit,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::PutAlbum(album) => write!(
                formatter,
                "puts album {} (genre {}, year {:?}, {})",
                album.number,
                album.genre.unwrap_or("none"),
                album.year,
                if album.is_selected { "selected" } else { "not selected" },
            ),
            Change::SetGenre { number, genre } => {
                write!(formatter, "sets the genre of album {number} to {}", genre.unwrap_or("none"))
            }
            Change::DeleteAlbum { number } => write!(formatter, "deletes album {number}"),
            Change::ExpireAlbum { number } => write!(formatter, "lets album {number} expire"),
            Change::PutMessage(message) => write!(
                formatter,
                "puts message t{:02} of group g{} ({})",
                message.at, message.group, message.text
            ),
            Change::DeleteMessage { pick } => write!(formatter, "deletes a message ({pick})"),
            Change::Join { owner, group, at } => {
                write!(formatter, "o{owner} joins g{group} at t{at:02}")
            }
            Change::Leave { pick } => write!(formatter, "a member leaves ({pick})"),
            Change::EditRow { pick, edit } => write!(formatter, "edits a row ({pick}): {edit:?}"),
        }
    }
}
