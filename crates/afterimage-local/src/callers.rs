//! Who may call the ports of the local stack: programs, and the pages that this machine serves.
//!
//! A browser lets any web page send requests to 127.0.0.1, and names the page's origin in `Origin`
//! (<https://fetch.spec.whatwg.org/#origin-header>). A page whose own name was made to resolve to 127.0.0.1 (DNS
//! rebinding) is of the same origin as the port, and is told by its name in `Host`. A program sends no `Origin`, and
//! a `Host` of this machine.

mod authority;
mod named;

use axum::http::header::{HOST, HeaderValue, ORIGIN};
use axum::http::request::Parts;

use self::authority::Authority;
pub use self::named::{AllowedHost, AllowedOrigin, CallerNameError};

/// Who may call, besides programs and pages of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Callers {
    /// Pages of these origins.
    pub origins: Vec<AllowedOrigin>,
    /// Whoever calls the ports by these names.
    pub hosts: Vec<AllowedHost>,
}

/// Why a request is not answered. The sentence is what the caller reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallerRefusal {
    /// It is from a page of an origin that is not allowed.
    #[error(
        "pages of {origin} may not call this port; to allow them, start `afterimage up` with --allow-origin {origin}"
    )]
    Origin {
        /// The origin, which is one that can be allowed.
        origin: String,
    },
    /// It is from a page whose origin is `null` or does not read, such as a file or a sandboxed frame.
    #[error(
        "pages without an origin may not call this port; serve the page over HTTP from this machine, or from an origin that `afterimage up` allows with --allow-origin"
    )]
    OpaqueOrigin,
    /// It calls the port by a name that is not allowed.
    #[error(
        "this port does not answer to the name {host}; to allow it, start `afterimage up` with --allow-host {host}"
    )]
    Host {
        /// The name, which is one that can be allowed.
        host: String,
    },
    /// It calls the port by something that is not a name.
    #[error(
        "this port answers to localhost, to loopback addresses, and to the names that `afterimage up` allows with --allow-host"
    )]
    UnreadableHost,
}

impl Callers {
    /// Decides whether a request is answered. Every `Host` and every `Origin` that it has must be of this machine or
    /// allowed; it may have none.
    ///
    /// # Errors
    /// [`CallerRefusal`]: then nothing of the request may be carried out, and its response may not carry CORS headers.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), CallerRefusal> {
        let target = request.uri.authority().map(|it| it.as_str().as_bytes());
        let named = request.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
        for host in target.into_iter().chain(named) {
            self.check_host(host)?;
        }
        let mut origins = request.headers.get_all(ORIGIN).iter();
        origins.try_for_each(|it| self.check_origin(it.as_bytes()))
    }

    fn check_host(&self, host: &[u8]) -> Result<(), CallerRefusal> {
        let text = std::str::from_utf8(host).map_err(|_| CallerRefusal::UnreadableHost)?;
        let authority = Authority::parse(text).ok_or(CallerRefusal::UnreadableHost)?;
        if authority.is_loopback() || self.hosts.iter().any(|it| it.is(&authority)) {
            return Ok(());
        }
        Err(CallerRefusal::Host { host: authority.host().to_owned() })
    }

    fn check_origin(&self, origin: &[u8]) -> Result<(), CallerRefusal> {
        let text = std::str::from_utf8(origin).map_err(|_| CallerRefusal::OpaqueOrigin)?;
        let origin = text.parse::<AllowedOrigin>().map_err(|_| CallerRefusal::OpaqueOrigin)?;
        if origin.is_loopback() || self.origins.contains(&origin) {
            return Ok(());
        }
        Err(CallerRefusal::Origin { origin: origin.to_string() })
    }
}

#[cfg(test)]
mod tests;
