//! The types of the host's objects in the hands of a guest. A guest holds numbers; what they stand for is in
//! [`Call`](crate::call::Call).

#![allow(unreachable_pub, reason = "the generated bindings re-export them, which they may only if they are public")]

/// The one request that a call is about.
pub enum RequestHandle {}

/// The answer that is judged, or one that the guest downloaded.
pub enum ResponseHandle {}

/// The one session of a call.
pub enum SessionHandle {}

/// The number of the only request, session and judged answer of a call.
pub(crate) const THE_ONE: u32 = 0;
