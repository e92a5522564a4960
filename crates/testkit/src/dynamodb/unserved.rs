//! An endpoint that nobody serves.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port of this machine that is taken and does not listen: connections are refused, and no other test
/// gets it.
#[derive(Debug)]
pub struct UnservedEndpoint {
    socket: TcpSocket,
}

impl UnservedEndpoint {
    /// Holds a free port until it is dropped.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn hold() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        Self { socket }
    }

    /// Its URL, without a path.
    ///
    /// # Panics
    /// Where the system does not tell the port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.socket.local_addr().expect("an address"))
    }
}
