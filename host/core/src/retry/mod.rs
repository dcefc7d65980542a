//! Whether, and after which pause, a failed API call is repeated on the spot.
//!
//! A [`Policy`] is data: for each [`ErrorClass`] a [`Wait`] and a [`Stop`]. A [`RetryState`] follows one request through its failed
//! attempts. The built-in policies ([`PolicyName`]) are those of the Python client zyte-api 0.11.0 and of scrapy-zyte-api's
//! sessions; a test drives both through the same failures. The one difference: a failure whose type concerns the session
//! (expired, over the limit, not created) is never repeated here, whatever its status, since only the pool can mend it.
//!
//! Not done here: sleeping, and repeating on another session, which is the pool's business.

mod failure;
mod name;
mod policy;
mod state;

#[cfg(test)]
mod tests;

pub use failure::{ErrorClass, Failure};
pub use name::{PolicyName, UnknownPolicy};
pub use policy::{ClassPolicy, Policy, Span, Stop, Wait};
pub use state::{Decision, RetryOptions, RetryState};
