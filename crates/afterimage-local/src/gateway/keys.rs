//! The keys that sign and check tokens: made at the first start, kept with the data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::durable_file;

/// The label of a private key in PEM.
const LABEL: &str = "PRIVATE KEY";
/// The length of a line in PEM.
const LINE: usize = 64;

/// A pair of RSA keys of 2048 bits.
pub struct Keys {
    pub(super) signing: EncodingKey,
    pub(super) checking: DecodingKey,
    /// Which pair it is.
    pub(super) id: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// They could not be made.
    #[error("no key could be made")]
    Generate,
    /// The file does not work.
    #[error("the key {path} could not be read or written; check the disk and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no key.
    #[error("the key {path} does not read; delete it to make another, which ends every session")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl Keys {
    /// New keys.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate() -> Result<Self, KeyError> {
        let (keys, _) = generate()?;
        Ok(keys)
    }

    /// The keys of a directory, made where there are none, readable by their owner alone.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join("token.pem");
        let failed = |source| KeyError::File { path: path.clone(), source };
        match fs::read(&path) {
            Ok(text) => from_pem(&text).ok_or(KeyError::Damaged { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(directory).map_err(failed)?;
                let (keys, text) = generate()?;
                durable_file::write_private(&path, text.as_bytes()).map_err(failed)?;
                Ok(keys)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn generate() -> Result<(Keys, String), KeyError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
    let der = pair.as_der().map_err(|_| KeyError::Generate)?;
    let text = to_pem(der.as_ref());
    let keys = from_pem(text.as_bytes()).ok_or(KeyError::Generate)?;
    Ok((keys, text))
}

fn to_pem(der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let mut text = format!("-----BEGIN {LABEL}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(LINE.min(rest.len()));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text + &format!("-----END {LABEL}-----\n")
}

fn from_pem(text: &[u8]) -> Option<Keys> {
    let signing = EncodingKey::from_rsa_pem(text).ok()?;
    let pair = KeyPair::from_der(signing.as_bytes()).ok()?;
    let public_key = pair.public_key().as_ref();
    let digest = digest::digest(&digest::SHA256, public_key);
    let id = BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref());
    Some(Keys { signing, checking: DecodingKey::from_rsa_der(public_key), id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_a_restart_and_are_their_owner_s() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("keys");
        let keys = Keys::open(&path).expect("made");
        assert_eq!(Keys::open(&path).expect("read").id, keys.id);
        let file = path.join("token.pem");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&file, "nothing").expect("written");
        assert!(matches!(Keys::open(&path), Err(KeyError::Damaged { .. })));
    }
}
