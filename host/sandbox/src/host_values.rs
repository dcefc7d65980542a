//! What a guest asks of its request and its session.

use serde_json::Value;
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::carousel::session::types::{Host, HostRequest, HostSession};
use crate::call::Call;
use crate::handles::{RequestHandle, SessionHandle, THE_ONE};
use crate::stopped::Stop;

impl Host for Call {}

impl HostRequest for Call {
    fn url(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        Ok(self.about(&request)?.request.url().to_owned())
    }

    fn host(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        Ok(self.about(&request)?.request.host())
    }

    fn params(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        Ok(text(self.about(&request)?.request.params()))
    }

    fn param(&mut self, request: Resource<RequestHandle>, name: String) -> Result<Option<String>> {
        Ok(self.about(&request)?.request.params().get(&name).map(Value::to_string))
    }

    fn meta(&mut self, request: Resource<RequestHandle>) -> Result<String> {
        Ok(text(self.about(&request)?.request.meta()))
    }

    fn meta_value(&mut self, request: Resource<RequestHandle>, name: String) -> Result<Option<String>> {
        Ok(self.about(&request)?.request.meta().get(&name).map(Value::to_string))
    }

    fn is_init(&mut self, request: Resource<RequestHandle>) -> Result<bool> {
        Ok(self.about(&request)?.init)
    }

    fn location(&mut self, request: Resource<RequestHandle>) -> Result<Option<String>> {
        let location = &self.about(&request)?.location;
        Ok((!location.is_empty()).then(|| text(location)))
    }

    fn session(&mut self, request: Resource<RequestHandle>) -> Result<Option<Resource<SessionHandle>>> {
        Ok(self.about(&request)?.session.as_ref().map(|_| Resource::new_own(THE_ONE)))
    }

    fn drop(&mut self, _request: Resource<RequestHandle>) -> Result<()> {
        Ok(())
    }
}

impl HostSession for Call {
    fn id(&mut self, session: Resource<SessionHandle>) -> Result<String> {
        Ok(self.session_of(&session)?.id().to_string())
    }

    fn pool(&mut self, session: Resource<SessionHandle>) -> Result<String> {
        Ok(self.session_of(&session)?.pool().to_string())
    }

    fn get(&mut self, session: Resource<SessionHandle>, key: String) -> Result<Option<String>> {
        Ok(self.session_of(&session)?.get(&key).map(|value| value.to_string()))
    }

    fn set(
        &mut self,
        session: Resource<SessionHandle>,
        key: String,
        value: Option<String>,
    ) -> Result<std::result::Result<(), String>> {
        let value = match value.map(|text| serde_json::from_str(&text)).transpose() {
            Ok(value) => value,
            Err(error) => return Ok(Err(format!("the value of \"{key}\" is not JSON: {error}"))),
        };
        Ok(self.session_of(&session)?.set(&key, value).map_err(|full| full.to_string()))
    }

    fn drop(&mut self, _session: Resource<SessionHandle>) -> Result<()> {
        Ok(())
    }
}

impl Call {
    fn session_of(&self, _session: &Resource<SessionHandle>) -> std::result::Result<&carousel_core::hooks::SessionHandle, Stop> {
        self.asked()?.session.as_deref().ok_or(Stop::Foreign("session"))
    }
}

/// A JSON object as text.
pub(crate) fn text(object: &carousel_core::exchange::Object) -> String {
    serde_json::to_string(object).unwrap_or_default()
}
