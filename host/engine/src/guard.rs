//! A panic in the work on one request is that request's failure: it is told with its line, and no other request notices.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does a piece of work; an error is what it panicked with. What the work has changed half is dropped, which gives back what it held.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| told(&*panic))
}

/// The same for work that waits. Dropping the future drops the work.
pub(crate) async fn guarded_future<F: Future>(work: F) -> Result<F::Output, String> {
    let mut work = Box::pin(work);
    poll_fn(|context| match guarded(|| work.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => std::task::Poll::Ready(Err(panic)),
    })
    .await
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    format!("a fault of this program, please report it: {text}")
}
