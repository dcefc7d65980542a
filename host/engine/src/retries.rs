//! How often one request may still be tried again. Faults of its session and of its page have budgets of their own.

use carousel_core::defaults::meta;
use carousel_core::exchange::Request;
use carousel_core::pool::Used;
use carousel_core::settings::{Profile, Settings};

/// The retries that are left.
#[derive(Debug)]
pub(crate) struct Retries {
    profile: Profile,
    session: u32,
    page: u32,
    throttled: u32,
}

impl Retries {
    pub(crate) fn new(settings: &Settings, request: &Request) -> Self {
        let own = request.meta().get(meta::MAX_RETRY_TIMES).and_then(serde_json::Value::as_u64);
        let own = own.map(|times| u32::try_from(times).unwrap_or(u32::MAX));
        let page = own.unwrap_or(settings.crawl.retry_times);
        let session = if settings.profile.is_peer() { page } else { SESSION_RETRY_TIMES };
        let throttled = settings.session.max_throttled;
        Self { profile: settings.profile, session: settings.session.retry_times.unwrap_or(session), page, throttled }
    }

    /// Takes one retry for what became of a use; false if none is left.
    pub(crate) fn take(&mut self, used: Used) -> bool {
        let is_throttled = matches!(used, Used::Throttled(_)) && !self.profile.is_peer();
        let left = if is_throttled {
            &mut self.throttled
        } else if self.is_sessions_fault(used) {
            &mut self.session
        } else {
            &mut self.page
        };
        let Some(less) = left.checked_sub(1) else { return false };
        *left = less;
        true
    }

    /// In the default profile every fault that another session may mend is the session's. In the peer's profile, which has one
    /// budget for all, only a session that the API has ended is not held against the page.
    fn is_sessions_fault(&self, used: Used) -> bool {
        match used {
            Used::Expired => true,
            Used::DownloadError => false,
            Used::Good | Used::Neutral | Used::CheckFailed | Used::CheckError | Used::Banned | Used::Throttled(_) => {
                !self.profile.is_peer()
            }
        }
    }
}

/// The default of `session.retry_times`.
const SESSION_RETRY_TIMES: u32 = 5;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn retries(profile: Profile) -> Retries {
        let request = Request::from_json(json!({"url": "u", "meta": {"max_retry_times": 2}})).unwrap();
        Retries::new(&Settings { profile, ..Settings::default() }, &request)
    }

    #[test]
    fn the_sessions_faults_do_not_spend_the_pages_retries() {
        let mut retries = retries(Profile::Default);
        for used in [Used::Expired, Used::Banned, Used::CheckFailed, Used::CheckError, Used::Banned, Used::DownloadError] {
            assert!(retries.take(used), "{used:?}");
        }
        assert!(!retries.take(Used::Banned) && retries.take(Used::DownloadError) && !retries.take(Used::DownloadError));
    }

    #[test]
    fn a_site_that_asks_for_time_spends_no_other_retries_and_is_not_believed_for_ever() {
        let mut retries = retries(Profile::Default);
        assert!((0..10).all(|_| retries.take(Used::Throttled(Duration::ZERO))));
        assert!(
            !retries.take(Used::Throttled(Duration::ZERO)) && retries.take(Used::Banned) && retries.take(Used::DownloadError)
        );
    }

    #[test]
    fn in_the_peers_profile_only_an_expired_session_is_not_held_against_the_page() {
        let mut retries = retries(Profile::ScrapyZyteApi);
        assert!(retries.take(Used::Expired) && retries.take(Used::CheckFailed) && retries.take(Used::Banned));
        assert!(!retries.take(Used::CheckFailed) && !retries.take(Used::DownloadError) && retries.take(Used::Expired));
    }
}
