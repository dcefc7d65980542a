//! Which connections have answered before, so that a stale one can be told from a server that does not answer.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::Response;

use crate::fault::sources;

/// The local ends of connections that have answered at least once.
///
/// A connection that ends without our knowledge leaves its entry behind. That does no harm: there are no more entries than
/// ports, and the worst is that a new connection on an old port is repeated once although it was not reused.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<HashSet<SocketAddr>>);

impl Answered {
    /// Remembers the connection of an answer.
    pub(crate) fn note(&self, response: &Response) {
        if let Some(info) = response.extensions().get::<HttpInfo>() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(info.local_addr());
        }
    }

    /// Was the call lost because a connection that had answered before was closed meanwhile? The connection is forgotten.
    ///
    /// A connection that ends within the head of an answer cannot be told from one that ends before it; once the head is
    /// complete there is a response and nobody asks here.
    pub(crate) fn was_stale(&self, error: &reqwest::Error) -> bool {
        let Some(failed) = sources(error).find_map(|source| source.downcast_ref::<legacy::Error>()) else { return false };
        let Some(local) = failed.connect_info().and_then(local_end) else { return false };
        let reused = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&local);
        reused && was_closed(failed)
    }
}

fn local_end(connected: &legacy::connect::Connected) -> Option<SocketAddr> {
    let mut extensions = hyper::http::Extensions::new();
    connected.get_extras(&mut extensions);
    extensions.get::<HttpInfo>().map(HttpInfo::local_addr)
}

/// Did the connection end, as opposed to saying something that is no HTTP?
fn was_closed(error: &legacy::Error) -> bool {
    sources(error).any(|source| {
        let closed = source
            .downcast_ref::<hyper::Error>()
            .is_some_and(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed());
        closed || source.downcast_ref::<io::Error>().is_some_and(|error| is_end(error.kind()))
    })
}

fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
