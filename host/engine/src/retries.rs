//! How often one request may still be tried again. Faults of its session and of its page have budgets of their own.

use carousel_core::defaults::meta;
use carousel_core::exchange::Request;
use carousel_core::settings::Settings;
use carousel_core::stats::RetryReason;

/// The retries that are left.
#[derive(Debug)]
pub(crate) struct Retries {
    session: u32,
    page: u32,
}

impl Retries {
    pub(crate) fn new(settings: &Settings, request: &Request) -> Self {
        let own = request.meta().get(meta::MAX_RETRY_TIMES).and_then(serde_json::Value::as_u64);
        let own = own.map(|times| u32::try_from(times).unwrap_or(u32::MAX));
        let page = own.unwrap_or(settings.crawl.retry_times);
        let session = match settings.profile.is_peer() {
            true => settings.session.retry_times.unwrap_or(page),
            false => settings.session.retry_times.unwrap_or(SESSION_RETRY_TIMES),
        };
        Self { session, page }
    }

    /// Takes one retry; false if none is left.
    pub(crate) fn take(&mut self, reason: RetryReason) -> bool {
        let left = match reason {
            RetryReason::SessionExpired | RetryReason::Throttled => &mut self.session,
            RetryReason::DownloadError => &mut self.page,
        };
        let Some(less) = left.checked_sub(1) else { return false };
        *left = less;
        true
    }
}

/// The default of `session.retry_times`.
const SESSION_RETRY_TIMES: u32 = 10;

#[cfg(test)]
mod tests {
    use carousel_core::settings::Profile;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_cause_has_its_own_budget() {
        let request = Request::from_json(json!({"url": "u", "meta": {"max_retry_times": 1}})).unwrap();
        let settings = Settings { profile: Profile::ScrapyZyteApi, ..Settings::default() };
        let mut retries = Retries::new(&settings, &request);
        assert!(retries.take(RetryReason::SessionExpired) && retries.take(RetryReason::DownloadError));
        assert!(!retries.take(RetryReason::SessionExpired) && !retries.take(RetryReason::DownloadError));
    }
}
