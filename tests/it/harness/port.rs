//! A port of 127.0.0.1 that stays a test's own, also while nobody listens there.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

/// Holds a port for as long as it lives, without listening: connections are refused, and the system gives it to nobody
/// else, which it does with a port that is merely free. Beside it a server can listen there, leave, and come back; like
/// this socket it has to allow the address to be reused, as servers do.
pub struct Port(Socket);

impl Port {
    /// One that was free.
    pub fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        Self(socket)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().ok().and_then(|address| address.as_socket()).expect("an address")
    }
}
