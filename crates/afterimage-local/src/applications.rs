//! The product's applications, whose functions the gateway calls. The one file that names them.

use afterimage::Views;
use afterimage_schema::{Table, TableDefinition, TableNames};
use albums::{ALBUMS, Albums, Genres};
use aws_sdk_dynamodb::Client;
use lambda_http::{Body, Request, Response};
use messages::{Clock, EnsureProfileError, MESSAGES, Messages, Profile, ensure_profile};

use crate::stack::StartError;

/// The targets of the applications' log events.
pub(crate) const LOG_TARGETS: [&str; 2] = ["albums", "messages"];

/// The applications whose tables are there.
#[derive(Debug, Clone)]
pub(crate) struct Applications {
    albums: Option<(Albums, Genres)>,
    messages: Option<Messages>,
}

impl Applications {
    /// The applications whose tables these views declare, with the keys that the application writes.
    ///
    /// # Errors
    /// [`StartError`] if the product's own views do not read, or a declared table has no real name.
    pub(crate) fn of(
        client: &Client,
        views: &Views,
        names: &TableNames,
    ) -> Result<Self, StartError> {
        let own = Views::compiled_in().map_err(StartError::Views)?;
        let is_there = |table: &Table| {
            let find =
                |tables: &[TableDefinition]| tables.iter().find(|it| it.table == *table).cloned();
            find(own.tables())
                .zip(find(views.tables()))
                .is_some_and(|(own, it)| own.has_keys_of(&it))
        };
        let name = |table: &Table| names.name(table).map(str::to_owned);
        let albums = match is_there(&ALBUMS) {
            true => Some((
                Albums::new(client.clone(), name(&ALBUMS)?),
                Genres::new(client.clone(), name(&Table::DERIVED)?),
            )),
            false => None,
        };
        let messages = match is_there(&MESSAGES) {
            true => Some(Messages::new(client.clone(), name(&MESSAGES)?, Clock::system())),
            false => None,
        };
        Ok(Self { albums, messages })
    }

    /// Whether a function of the template, by its logical id, can be called.
    pub(crate) fn has(&self, function: &str) -> bool {
        match function {
            "ListAlbums" | "AddAlbum" | "UpdateAlbum" | "DeleteAlbum" | "ListGenres" => {
                self.albums.is_some()
            }
            "ListMessageGroups" | "ListMessages" | "PostMessage" => self.messages.is_some(),
            _ => false,
        }
    }

    /// Calls a function; `None` if there is none of this logical id.
    pub(crate) async fn call(&self, function: &str, request: Request) -> Option<Response<Body>> {
        if let Some((albums, genres)) = &self.albums {
            match function {
                "ListAlbums" => return Some(albums::list_albums(albums, request).await),
                "AddAlbum" => return Some(albums::add_album(albums, request).await),
                "UpdateAlbum" => return Some(albums::update_album(albums, request).await),
                "DeleteAlbum" => return Some(albums::delete_album(albums, request).await),
                "ListGenres" => return Some(albums::list_genres(genres, request).await),
                _ => {}
            }
        }
        let messages = self.messages.as_ref()?;
        match function {
            "ListMessageGroups" => Some(messages::list_message_groups(messages, request).await),
            "ListMessages" => Some(messages::list_messages(messages, request).await),
            "PostMessage" => Some(messages::post_message(messages, request).await),
            _ => None,
        }
    }

    /// The profile of a handle, made if there is none; `None` without a table of profiles.
    pub(crate) async fn profile(
        &self,
        handle: &str,
    ) -> Option<Result<Profile, EnsureProfileError>> {
        let messages = self.messages.as_ref()?;
        Some(ensure_profile(messages, handle).await)
    }

    /// Writes the samples of the applications that are there. Each may be put again.
    ///
    /// # Errors
    /// The application's own.
    pub(crate) async fn seed(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some((albums, _)) = &self.albums {
            let album_count = albums::put_all(albums, &albums::sample()?, |_| {}).await?;
            tracing::info!(album_count, "sample data written");
        }
        if let Some(messages) = &self.messages {
            messages::seed_sample(messages).await?;
        }
        Ok(())
    }
}
