//! How often one request may still be tried again. Faults of its session and of its page have budgets of their own.

use carousel_core::defaults::meta;
use carousel_core::exchange::Request;
use carousel_core::pool::Used;
use carousel_core::settings::Settings;

/// The retries that are left.
#[derive(Debug)]
pub(crate) struct Retries {
    /// For faults of sessions; none where they spend the page's retries, as in the peer.
    session: Option<u32>,
    page: u32,
    /// For a site that asks for time; none where that is a failed check like any other, as in the peer.
    throttled: Option<u32>,
}

impl Retries {
    pub(crate) fn new(settings: &Settings, request: &Request) -> Self {
        let own = request.meta().get(meta::MAX_RETRY_TIMES).and_then(serde_json::Value::as_u64);
        let own = own.map(|times| u32::try_from(times).unwrap_or(u32::MAX));
        let ours = |times| (!settings.profile.is_peer()).then_some(times);
        Self {
            session: settings.session.retry_times.or(ours(SESSION_RETRY_TIMES)),
            page: own.unwrap_or(settings.crawl.retry_times),
            throttled: ours(settings.session.max_throttled),
        }
    }

    /// Takes one retry for what became of a use; false if none is left.
    pub(crate) fn take(&mut self, used: Used) -> bool {
        let own = match used {
            Used::Throttled(_) => self.throttled.as_mut().or(self.session.as_mut()),
            Used::DownloadError => None,
            Used::CheckFailed | Used::CheckError | Used::Expired | Used::Banned => self.session.as_mut(),
            Used::Good | Used::Neutral | Used::Superseded | Used::Unavailable(_) | Used::Hindered(_) => return true,
        };
        let left = own.unwrap_or(&mut self.page);
        let Some(less) = left.checked_sub(1) else { return false };
        *left = less;
        true
    }
}

/// The default of `session.retry_times`.
const SESSION_RETRY_TIMES: u32 = 5;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use carousel_core::settings::{Profile, SessionSettings};
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
    fn in_the_peers_profile_all_faults_spend_one_budget() {
        let mut retries = retries(Profile::ScrapyZyteApi);
        assert!(retries.take(Used::CheckFailed) && retries.take(Used::Expired));
        let faults = [Used::Expired, Used::Banned, Used::DownloadError, Used::Throttled(Duration::ZERO), Used::CheckError];
        assert!(faults.into_iter().all(|used| !retries.take(used)));
    }

    #[test]
    fn a_setting_gives_sessions_a_budget_of_their_own_in_the_peers_profile_too() {
        let request = Request::from_json(json!({"url": "u", "meta": {"max_retry_times": 0}})).unwrap();
        let session = SessionSettings { retry_times: Some(1), ..SessionSettings::default() };
        let mut retries = Retries::new(&Settings { profile: Profile::ScrapyZyteApi, session, ..Settings::default() }, &request);
        assert!(!retries.take(Used::DownloadError) && retries.take(Used::Expired) && !retries.take(Used::CheckFailed));
    }
}
