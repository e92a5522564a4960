//! Origins and hosts that a user allows.

use std::fmt;
use std::str::FromStr;

use super::authority::Authority;

/// Text that is not an origin or a host that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallerNameError {
    /// Not an origin.
    #[error(
        "give one origin as browsers send it, such as https://app.example.com or http://app.test:8080, without a path"
    )]
    Origin,
    /// `null` stands for pages of many kinds, of anybody.
    #[error(
        "`null` is the origin of any file and any sandboxed frame, so that it cannot be allowed; serve the page over HTTP"
    )]
    OpaqueOrigin,
    /// `*` stands for everybody.
    #[error("`*` would allow every web page to read and change the tables; name each one")]
    Everybody,
    /// Not a host.
    #[error("give one host, such as app.test or 192.168.1.5, with or without a port")]
    Host,
}

/// An origin whose pages may call: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin {
    scheme: String,
    authority: Authority,
}

impl AllowedOrigin {
    /// Whether it is a page that this machine serves.
    pub(super) fn is_loopback(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https") && self.authority.is_loopback()
    }
}

impl FromStr for AllowedOrigin {
    type Err = CallerNameError;

    /// Reads `scheme://host` and `scheme://host:port`, without regard to case. The scheme's own port may be written.
    fn from_str(text: &str) -> Result<Self, CallerNameError> {
        match text {
            "null" => return Err(CallerNameError::OpaqueOrigin),
            "*" => return Err(CallerNameError::Everybody),
            _ => {}
        }
        let (scheme, rest) = text.split_once("://").ok_or(CallerNameError::Origin)?;
        // RFC 3986, 3.1. Pages of browser extensions have schemes of their own.
        let is_scheme = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'-' | b'.');
        if !scheme.starts_with(|it: char| it.is_ascii_alphabetic())
            || !scheme.bytes().all(is_scheme)
        {
            return Err(CallerNameError::Origin);
        }
        let scheme = scheme.to_ascii_lowercase();
        let authority = Authority::parse(rest).ok_or(CallerNameError::Origin)?;
        let authority = match scheme.as_str() {
            "http" => authority.without_port(80),
            "https" => authority.without_port(443),
            _ => authority,
        };
        Ok(Self { scheme, authority })
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.authority)
    }
}

/// A host by whose name the ports may be called: with a port, by this port only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost(Authority);

impl AllowedHost {
    pub(super) fn is(&self, called: &Authority) -> bool {
        let is_port = self.0.port().is_none() || self.0.port() == called.port();
        is_port && self.0.host() == called.host()
    }
}

impl FromStr for AllowedHost {
    type Err = CallerNameError;

    /// Reads a host with or without a port, without regard to case.
    fn from_str(text: &str) -> Result<Self, CallerNameError> {
        if text == "*" {
            return Err(CallerNameError::Everybody);
        }
        Authority::parse(text).map(Self).ok_or(CallerNameError::Host)
    }
}
