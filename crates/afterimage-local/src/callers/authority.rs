//! A host with or without a port, as `Host` and `Origin` write it.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name of a host, in bytes (RFC 1035, 2.3.4).
const HOST_BYTES_MAX: usize = 255;

/// A host in lower case, and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, and an IPv6 address in brackets with or without a port; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let host_end = match text.strip_prefix('[') {
            Some(_) => text.find(']')?.checked_add(1)?,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at_checked(host_end)?;
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some(digits) if digits.bytes().all(|it| it.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            None | Some(_) => return None,
        };
        is_host(host).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The same without its port if it is this one.
    pub(super) fn without_port(self, port: u16) -> Self {
        let port = self.port.filter(|it| *it != port);
        Self { port, ..self }
    }

    /// Whether this is `localhost` or a loopback address: 127.0.0.0/8 or `[::1]`.
    pub(super) fn is_loopback(&self) -> bool {
        let is_v4 = self.host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_loopback());
        self.host == "localhost" || is_v4 || v6(&self.host).is_some_and(|it| it.is_loopback())
    }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            None => formatter.write_str(&self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
        }
    }
}

fn is_host(text: &str) -> bool {
    let is_name = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_');
    let is_short = (1..=HOST_BYTES_MAX).contains(&text.len());
    is_short && (v6(text).is_some() || text.bytes().all(is_name))
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}
