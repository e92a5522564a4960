//! Which views file a program takes.

use std::fmt;
use std::io;
use std::path::PathBuf;

use afterimage::{Views, ViewsError};

/// The environment variable that names a views file.
pub const VIEWS_VARIABLE: &str = "AFTERIMAGE_VIEWS";

/// What the variable holds for a function without a file: it maintains what the registry names, and nothing
/// else.
const REGISTRY_ONLY: &str = "registry";

/// The views file of a folder.
const FILE_NAME: &str = "views.toml";

/// The views file that a program takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewsFile {
    /// The file at this path.
    Path(PathBuf),
    /// The product's own, which is compiled in.
    CompiledIn,
}

/// Why there are no views.
#[derive(Debug, thiserror::Error)]
pub enum ViewsFileError {
    /// The file cannot be read.
    #[error("the views file `{}` cannot be read", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The views do not hold together.
    #[error("{file} holds a mistake")]
    Views {
        /// The file.
        file: ViewsFile,
        /// What is wrong, and how to correct it.
        #[source]
        source: ViewsError,
    },
}

impl ViewsFile {
    /// The file that a command takes: `option`, or what `AFTERIMAGE_VIEWS` names, or `views.toml` in the
    /// working folder if it exists, or the product's own.
    #[must_use]
    pub fn of_command(option: Option<PathBuf>) -> Self {
        let in_folder = || Some(PathBuf::from(FILE_NAME)).filter(|path| path.is_file());
        option.or_else(of_environment).or_else(in_folder).map_or(Self::CompiledIn, Self::Path)
    }

    /// The file that a Lambda function takes: what `AFTERIMAGE_VIEWS` names, or the product's own; `None` if it
    /// says `registry`.
    #[must_use]
    pub fn of_function() -> Option<Self> {
        match of_environment() {
            None => Some(Self::CompiledIn),
            Some(path) if path.as_os_str() == REGISTRY_ONLY => None,
            Some(path) => Some(Self::Path(path)),
        }
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ViewsFileError`], which names the file and what to correct.
    pub fn read(&self) -> Result<Views, ViewsFileError> {
        let views = match self {
            ViewsFile::CompiledIn => Views::compiled_in(),
            ViewsFile::Path(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ViewsFileError::Read { path: path.clone(), source })?;
                Views::parse(&text)
            }
        };
        views.map_err(|source| ViewsFileError::Views { file: self.clone(), source })
    }
}

impl fmt::Display for ViewsFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ViewsFile::Path(path) => write!(formatter, "the file `{}`", path.display()),
            ViewsFile::CompiledIn => formatter.write_str("the product's own file"),
        }
    }
}

fn of_environment() -> Option<PathBuf> {
    std::env::var_os(VIEWS_VARIABLE).map(PathBuf::from)
}
