//! What the host offers a guest besides its request and its answer: log, settings, shared data, default behaviours.

use std::sync::Arc;

use carousel_core::hooks::{Defaults, HookCall};
use carousel_core::verdict::Verdict;
use carousel_document::Query;
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::carousel::session::{defaults, host, shared, types};
use crate::call::Call;
use crate::handles::{RequestHandle, ResponseHandle};
use crate::host_values::text;

impl host::Host for Call {
    fn log(&mut self, level: String, message: String) -> Result<()> {
        self.log.write(&level, &message);
        Ok(())
    }

    fn site_name(&mut self) -> Result<String> {
        Ok(self.site().name.to_string())
    }

    fn config(&mut self) -> Result<String> {
        Ok(self.site().config.clone())
    }

    fn settings(&mut self) -> Result<String> {
        Ok(text(&self.asked()?.defaults.settings()))
    }

    fn check_query(&mut self, query: types::Query) -> Result<std::result::Result<(), String>> {
        self.check_time()?;
        let query = Query::parse(&query.language, query.expression, &query.want);
        Ok(query.and_then(|query| query.check()).map_err(|error| error.to_string()))
    }

    /// Stands in the linker of the hooks that hold their thread; see [`download`](crate::download) for the other.
    fn download(&mut self, _params: String) -> Result<std::result::Result<Resource<ResponseHandle>, types::DownloadError>> {
        let message = "only params and init-session may download".to_owned();
        Ok(Err(types::DownloadError { token: 0, kind: "refused".to_owned(), status: 0, problem_type: String::new(), message }))
    }
}

impl shared::Host for Call {
    fn get(&mut self, key: String) -> Result<Option<String>> {
        Ok(self.site().shared.get(&key))
    }

    fn set(&mut self, key: String, value: Option<String>) -> Result<std::result::Result<(), String>> {
        Ok(self.site().shared.set(&key, value))
    }

    fn increment(&mut self, key: String, by: i64) -> Result<std::result::Result<i64, String>> {
        Ok(self.site().shared.increment(&key, by))
    }
}

impl defaults::Host for Call {
    fn enabled(&mut self, request: Resource<RequestHandle>) -> Result<bool> {
        let call = self.about(&request)?;
        Ok(call.defaults.enabled(&call.request))
    }

    fn cookie_mode(&mut self, request: Resource<RequestHandle>) -> Result<bool> {
        let call = self.about(&request)?;
        Ok(call.defaults.cookie_mode(&call.request))
    }

    fn pool(&mut self, request: Resource<RequestHandle>) -> Result<std::result::Result<String, types::Failure>> {
        let call = self.about(&request)?;
        match call.defaults.pool(&call.request, &call.location) {
            Ok(choice) => {
                let told = choice.to_json().to_string();
                self.default_pool = Some(choice);
                Ok(Ok(told))
            }
            Err(error) => Ok(Err(self.remember_failure(error))),
        }
    }

    fn location(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        let call = self.about(&request)?;
        Ok(text(&call.defaults.location(&call.request)))
    }

    fn params(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        let call = self.about(&request)?;
        Ok(text(&call.defaults.params(&call.location)))
    }

    fn check(
        &mut self,
        response: Resource<ResponseHandle>,
        request: Resource<RequestHandle>,
    ) -> Result<std::result::Result<types::Verdict, types::Failure>> {
        let call: HookCall = self.about(&request)?.clone();
        let answer = self.page(&response)?.answer().clone();
        let defaults: Arc<dyn Defaults> = call.defaults.clone();
        match defaults.check(&call, &answer) {
            Ok(verdict) => Ok(Ok(verdict_record(verdict))),
            Err(error) => Ok(Err(self.remember_failure(error))),
        }
    }
}

fn verdict_record(verdict: Verdict) -> types::Verdict {
    let (kind, reason, delay) = match verdict {
        Verdict::Keep => ("keep", String::new(), 0.0),
        Verdict::Discard(reason) => ("discard", reason, 0.0),
        Verdict::Throttled(delay) => ("throttled", String::new(), delay.as_secs_f64()),
        Verdict::Reject(reason) => ("reject", reason, 0.0),
        Verdict::ClosePool(reason) => ("close-pool", reason, 0.0),
        Verdict::CloseCrawl(reason) => ("close-crawl", reason, 0.0),
    };
    types::Verdict { kind: kind.to_owned(), reason, delay }
}
