//! The keys that sign and check tokens: made at the first start, kept with the data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::es256;
use crate::durable_file;

/// The file of the private key, in PKCS#8 and DER.
const FILE: &str = "token.pk8";

/// The file in which data dirs of version 0.1 have an RSA key.
const RSA_FILE: &str = "token.pem";

/// A pair of keys for ES256.
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

    /// The keys of a directory, made where there are none, readable by their owner alone. An RSA key of version
    /// 0.1 is replaced: the tokens that it signed are refused, and everybody signs in again.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join(FILE);
        let failed = |source| KeyError::File { path: path.clone(), source };
        match fs::read(&path) {
            Ok(der) => Self::from_der(&der).ok_or(KeyError::Damaged { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(directory).map_err(failed)?;
                let (keys, der) = generate()?;
                durable_file::write_private(&path, &der).map_err(failed)?;
                remove_rsa_key(directory)?;
                Ok(keys)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        es256::install();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der, &SystemRandom::new()).ok()?;
        let public_key = pair.public_key().as_ref();
        let digest = digest::digest(&digest::SHA256, public_key);
        Some(Self {
            signing: EncodingKey::from_ec_der(der),
            checking: DecodingKey::from_ec_der(public_key),
            id: BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref()),
        })
    }
}

fn generate() -> Result<(Keys, Vec<u8>), KeyError> {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
    let der = der.map_err(|_| KeyError::Generate)?.as_ref().to_vec();
    let keys = Keys::from_der(&der).ok_or(KeyError::Generate)?;
    Ok((keys, der))
}

fn remove_rsa_key(directory: &Path) -> Result<(), KeyError> {
    let path = directory.join(RSA_FILE);
    match fs::remove_file(&path) {
        Ok(()) => {
            tracing::info!(
                "the key of tokens was made anew, since this version signs with ES256: sign in again"
            );
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(KeyError::File { path, source }),
    }
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
        let file = path.join(FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&file, "nothing").expect("written");
        assert!(matches!(Keys::open(&path), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn an_rsa_key_is_replaced_once_and_the_new_one_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let rsa_key = directory.path().join(RSA_FILE);
        fs::write(&rsa_key, "-----BEGIN PRIVATE KEY-----\n").expect("written");
        let keys = Keys::open(directory.path()).expect("made");
        assert!(!rsa_key.exists());
        assert_eq!(Keys::open(directory.path()).expect("read").id, keys.id);
    }
}
