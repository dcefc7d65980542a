//! One call of a guest: what it was asked about, what it may still use, and what it told.

use std::sync::Arc;
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object, Unreadable};
use carousel_core::hooks::{HookCall, HookError, PoolChoice};
use carousel_document::Limits as QueryLimits;
use carousel_engine::Downloader;
use wasmtime::component::Resource;

use crate::bindings::carousel::session::types::Failure;
use crate::clock::{Clock, Left};
use crate::handles::{RequestHandle, ResponseHandle};
use crate::limits::{Limits, Refused};
use crate::log::{Log, Writer};
use crate::page::Page;
use crate::site::SiteFacts;
use crate::stopped::Stop;
use crate::wasi::Wasi;
use crate::words::plain;

/// The failures that one call may pass on later.
const FAILURES: usize = 256;

/// The slowest steps of a query that fit into a microsecond.
const QUERY_STEPS_PER_MICROSECOND: u64 = 25;

/// The steps that a query may always take.
const QUERY_STEPS: u64 = 100_000;

/// What is said where the answers of the downloads are too large together.
const TOO_MANY_BYTES: &str = "the downloads have more bytes than [plugins] max_download_bytes allows";

/// What a guest may use in one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) deadline: Duration,
    pub(crate) memory: usize,
    pub(crate) max_log_lines: u32,
    pub(crate) max_downloads: u32,
    pub(crate) max_download_bytes: usize,
    pub(crate) max_result: usize,
}

/// The state of one call; the data of its store.
pub(crate) struct Call {
    /// None while a plugin is asked what it is.
    asked: Option<HookCall>,
    site: Arc<SiteFacts>,
    pages: Vec<Option<Page>>,
    downloads: Option<Downloads>,
    failures: Vec<Refusal>,
    /// What the guest was told last that it cannot be read.
    unreadable: Option<Unreadable>,
    /// The pool that the guest was told it would be without the plugin.
    pub(crate) default_pool: Option<PoolChoice>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) wasi: Wasi,
}

/// The way to the API in a hook that may download.
struct Downloads {
    downloader: Arc<dyn Downloader>,
    left: u32,
    left_bytes: usize,
}

/// An error that a guest was given a token for.
enum Refusal {
    /// A download that failed.
    Download(CallError),
    /// A failure of a default behaviour, such as the crawl-wide checker.
    Default(HookError),
}

impl Call {
    pub(crate) fn new(site: Arc<SiteFacts>, asked: Option<HookCall>, allowance: &Allowance) -> Self {
        let writer = Writer { plugin: site.plugin.clone(), site: site.name.clone() };
        Self {
            asked,
            site,
            pages: Vec::new(),
            downloads: None,
            failures: Vec::new(),
            unreadable: None,
            default_pool: None,
            limits: Limits::new(allowance.memory),
            clock: Clock::new(allowance.deadline),
            log: Log::new(writer, allowance.max_log_lines),
            wasi: Wasi::default(),
        }
    }

    /// With the answer that is to be judged; its number is [`THE_ONE`](crate::handles::THE_ONE).
    pub(crate) fn judging(mut self, answer: Answer) -> Self {
        self.pages.push(Some(Page::new(answer)));
        self
    }

    /// With permission to download.
    pub(crate) fn downloading(mut self, downloader: Arc<dyn Downloader>, allowance: &Allowance) -> Self {
        self.downloads = Some(Downloads { downloader, left: allowance.max_downloads, left_bytes: allowance.max_download_bytes });
        self
    }

    pub(crate) fn site(&self) -> &Arc<SiteFacts> {
        &self.site
    }

    /// What the guest was asked about; while it describes itself there is nothing, and a handle to it cannot be genuine.
    pub(crate) fn asked(&self) -> Result<&HookCall, Stop> {
        self.asked.as_ref().ok_or(Stop::Foreign("request"))
    }

    /// Changes what later hooks of the same step see.
    pub(crate) fn asked_mut(&mut self) -> Option<&mut HookCall> {
        self.asked.as_mut()
    }

    pub(crate) fn about(&self, _request: &Resource<RequestHandle>) -> Result<&HookCall, Stop> {
        self.asked()
    }

    pub(crate) fn page(&self, response: &Resource<ResponseHandle>) -> Result<&Page, Stop> {
        let index = usize::try_from(response.rep()).unwrap_or(usize::MAX);
        self.pages.get(index).and_then(Option::as_ref).ok_or(Stop::Foreign("response"))
    }

    /// Looks at an answer. The time of decoding and parsing, which is bounded by the document and happens once, is not the guest's.
    pub(crate) fn look<T>(&mut self, response: &Resource<ResponseHandle>, work: impl FnOnce(&Page) -> T) -> Result<T, Stop> {
        let page = self.page(response)?;
        if page.is_parsed() {
            return Ok(work(page));
        }
        let began = Clock::now();
        let result = work(page);
        if page.is_parsed() {
            self.clock.spare(began);
        }
        Ok(result)
    }

    /// What a question to a page may cost: no more than the guest's time, and a little so that a short one is answered.
    pub(crate) fn query_limits(&self) -> QueryLimits {
        let usual = QueryLimits::default();
        let left = self.clock.at_least();
        let micros = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
        let steps = micros.saturating_mul(QUERY_STEPS_PER_MICROSECOND).saturating_add(QUERY_STEPS);
        QueryLimits { query_steps: usual.query_steps.min(steps), regex_time: usual.regex_time.min(left), ..usual }
    }

    /// Stops a guest whose time is over, between the parts of a long host call.
    pub(crate) fn check_time(&self) -> Result<(), Stop> {
        match self.clock.left() {
            Left::Some(_) => Ok(()),
            Left::Nothing => Err(Stop::Deadline(self.clock.limit())),
        }
    }

    /// Keeps a downloaded answer for the guest, where there is room for it; the error is for the plugin's author.
    pub(crate) fn keep(&mut self, answer: Answer) -> Result<Resource<ResponseHandle>, String> {
        if let Some(downloads) = &mut self.downloads {
            // Once it is over, it is over: a smaller answer that would still fit is not let through.
            let left = downloads.left_bytes.checked_sub(answer.text().len());
            downloads.left_bytes = left.unwrap_or_default();
            left.ok_or(TOO_MANY_BYTES)?;
        }
        answer.keep();
        let number = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        self.pages.push(Some(Page::new(answer)));
        Ok(Resource::new_own(number))
    }

    pub(crate) fn forget(&mut self, response: &Resource<ResponseHandle>) {
        let index = usize::try_from(response.rep()).unwrap_or(usize::MAX);
        if let Some(page) = self.pages.get_mut(index) {
            *page = None;
        }
    }

    /// The way to the API for one more download, if it may be made; the error is for the plugin's author.
    pub(crate) fn next_download(&mut self, params: &Object) -> Result<Arc<dyn Downloader>, String> {
        let downloads = self.downloads.as_mut().ok_or("only params and init-session may download")?;
        if let Some(asked) = &self.asked {
            self.site.reach.check(params, &asked.request)?;
        }
        if downloads.left_bytes == 0 {
            return Err(TOO_MANY_BYTES.to_owned());
        }
        downloads.left = downloads.left.checked_sub(1).ok_or("there were more downloads than [plugins] max_downloads allows")?;
        Ok(downloads.downloader.clone())
    }

    /// Remembers a failed download and gives the token by which the guest may pass it on.
    pub(crate) fn remember_download(&mut self, error: CallError) -> u32 {
        self.remember(Refusal::Download(error))
    }

    /// Remembers why a default behaviour failed, so that it is still the same failure when the guest passes it on.
    pub(crate) fn remember_failure(&mut self, error: HookError) -> Failure {
        let kind = match &error {
            HookError::Raised(_) | HookError::Trapped(_) | HookError::Unreadable(_) => "error",
            HookError::CloseCrawl(_) => "close-crawl",
            HookError::ClosePool(_) => "close-pool",
            HookError::Download(_) => "download",
        };
        let message = match &error {
            HookError::CloseCrawl(reason) | HookError::ClosePool(reason) => reason.clone(),
            HookError::Unreadable(error) => self.remember_unreadable(error.clone()).to_string(),
            HookError::Raised(_) | HookError::Trapped(_) | HookError::Download(_) => error.to_string(),
        };
        Failure { kind: kind.to_owned(), message, token: self.remember(Refusal::Default(error)) }
    }

    /// Keeps the first of them; the token 0 stands for those that are forgotten.
    fn remember(&mut self, refusal: Refusal) -> u32 {
        if self.failures.len() >= FAILURES {
            return 0;
        }
        self.failures.push(refusal);
        u32::try_from(self.failures.len()).unwrap_or_default()
    }

    /// What a guest's failure means; none where it defers to the default behaviour.
    pub(crate) fn meaning(&self, mut failure: Failure) -> Option<HookError> {
        failure.message = plain(&failure.message);
        match failure.kind.as_str() {
            "defer" => None,
            "close-crawl" => Some(HookError::CloseCrawl(failure.message)),
            "close-pool" => Some(HookError::ClosePool(failure.message)),
            "download" => Some(self.passed_on(failure)),
            _ => Some(self.raised(failure.message)),
        }
    }

    /// Remembers what could not be read, for the case that the guest passes it on.
    pub(crate) fn remember_unreadable(&mut self, error: Unreadable) -> &Unreadable {
        self.unreadable.insert(error)
    }

    /// A guest's own error, unless it only repeats that something cannot be read.
    fn raised(&self, message: String) -> HookError {
        match self.unreadable.as_ref().filter(|error| message.contains(&plain(&error.to_string()))) {
            Some(error) => HookError::Unreadable(error.clone()),
            None => HookError::Raised(message),
        }
    }

    fn passed_on(&self, failure: Failure) -> HookError {
        let index = usize::try_from(failure.token).ok().and_then(|token| token.checked_sub(1));
        match index.and_then(|index| self.failures.get(index)) {
            Some(Refusal::Download(error)) => HookError::Download(error.clone()),
            Some(Refusal::Default(error)) => error.clone(),
            None => HookError::Raised(failure.message),
        }
    }

    pub(crate) fn refused(&self) -> Option<Refused> {
        self.limits.refused()
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.clock.limit()
    }

    pub(crate) fn panic(&self) -> Option<String> {
        self.log.panic()
    }
}
