//! Bodies of answers: whole ones, and one that breaks off.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Frame;

/// The body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Makes a body that arrives.
pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// Makes a body of which the first half arrives.
pub(super) fn half(bytes: &[u8]) -> Body {
    let first = bytes.get(..bytes.len() / 2).unwrap_or_default();
    BrokenBody::Bytes(Bytes::copy_from_slice(first)).boxed_unsync()
}

/// A body that breaks off: its bytes, a moment for them to leave, an error.
enum BrokenBody {
    Bytes(Bytes),
    Pause,
    Broken,
}

impl hyper::body::Body for BrokenBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut *self, Self::Broken) {
            Self::Bytes(bytes) => {
                *self = Self::Pause;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Pause => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Broken => Poll::Ready(Some(Err(io::Error::other("truncated on purpose")))),
        }
    }
}
