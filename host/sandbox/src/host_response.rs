//! What a guest asks of an answer.

use std::borrow::Cow;

use carousel_core::exchange::Unreadable;
use carousel_document::{Language, Limits as QueryLimits, Query, QueryError, Want};
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::carousel::session::types::{self, HostResponse};
use crate::call::Call;
use crate::handles::ResponseHandle;
use crate::looks;
use crate::page::AskError;
use crate::stopped::Stop;

/// An answer to a guest, or words for its author.
type Told<T> = std::result::Result<T, String>;

impl HostResponse for Call {
    fn url(&mut self, response: Resource<ResponseHandle>) -> Result<String> {
        Ok(read(self.page(&response)?.url())?)
    }

    fn status(&mut self, response: Resource<ResponseHandle>) -> Result<u16> {
        let status = read(self.page(&response)?.status())?;
        looks::at("status", None, status);
        Ok(status)
    }

    fn headers(&mut self, response: Resource<ResponseHandle>) -> Result<Vec<(String, String)>> {
        let headers = read(self.page(&response)?.headers())?.to_vec();
        looks::at("headers", None, headers.len());
        Ok(headers)
    }

    fn header(&mut self, response: Resource<ResponseHandle>, name: String) -> Result<Option<String>> {
        let header = read(self.page(&response)?.header(&name))?.map(str::to_owned);
        looks::at("header", Some(&name), header.as_deref().unwrap_or("nothing"));
        Ok(header)
    }

    fn text(&mut self, response: Resource<ResponseHandle>) -> Result<String> {
        let page = self.page(&response)?;
        let text = read(page.text())?;
        looks::at_text(text);
        Ok(text.to_owned())
    }

    fn body(&mut self, response: Resource<ResponseHandle>) -> Result<Vec<u8>> {
        let body = read(self.page(&response)?.body())?;
        looks::at("body", None, format_args!("{} bytes", body.len()));
        Ok(body)
    }

    fn actions(&mut self, response: Resource<ResponseHandle>) -> Result<String> {
        let actions = read(self.page(&response)?.actions())?.into_owned();
        looks::at("actions", None, &actions);
        Ok(actions)
    }

    fn field(&mut self, response: Resource<ResponseHandle>, pointer: String) -> Result<Option<String>> {
        let field = self.page(&response)?.field(&pointer).map(Cow::into_owned);
        looks::at("field", Some(&pointer), field.as_deref().unwrap_or("nothing"));
        Ok(field)
    }

    fn css(&mut self, response: Resource<ResponseHandle>, selector: String) -> Result<Told<Option<String>>> {
        self.first(&response, Language::Css, selector)
    }

    fn css_all(&mut self, response: Resource<ResponseHandle>, selector: String) -> Result<Told<Vec<String>>> {
        self.all(&response, Language::Css, selector)
    }

    fn xpath(&mut self, response: Resource<ResponseHandle>, expression: String) -> Result<Told<Option<String>>> {
        self.first(&response, Language::Xpath, expression)
    }

    fn xpath_all(&mut self, response: Resource<ResponseHandle>, expression: String) -> Result<Told<Vec<String>>> {
        self.all(&response, Language::Xpath, expression)
    }

    fn jmespath(&mut self, response: Resource<ResponseHandle>, expression: String) -> Result<Told<Option<String>>> {
        self.first(&response, Language::Jmespath, expression)
    }

    fn select(&mut self, response: Resource<ResponseHandle>, queries: Vec<types::Query>) -> Result<Told<Vec<Vec<String>>>> {
        let mut answers: Vec<Vec<String>> = Vec::new();
        let mut room = QueryLimits::default().answer_bytes;
        for query in queries {
            self.check_time()?;
            match Query::parse(&query.language, query.expression, &query.want) {
                Ok(query) => match self.ask_within(&response, query, room)? {
                    Ok(answer) => {
                        room = room.saturating_sub(answer.iter().map(|text| size_of::<String>() + text.len()).sum());
                        answers.push(answer);
                    }
                    Err(why) => return Ok(Err(why)),
                },
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        Ok(Ok(answers))
    }

    fn drop(&mut self, response: Resource<ResponseHandle>) -> Result<()> {
        self.forget(&response);
        Ok(())
    }
}

/// For what has no way to tell an error to the guest: the guest is stopped.
fn read<T>(read: std::result::Result<T, Unreadable>) -> std::result::Result<T, Stop> {
    read.map_err(Stop::Unreadable)
}

impl Call {
    fn first(
        &mut self,
        response: &Resource<ResponseHandle>,
        language: Language,
        expression: String,
    ) -> Result<Told<Option<String>>> {
        let answers = self.ask(response, Query::new(language, expression, Want::First))?;
        Ok(answers.map(|answers| answers.into_iter().next()))
    }

    fn all(&mut self, response: &Resource<ResponseHandle>, language: Language, expression: String) -> Result<Told<Vec<String>>> {
        self.ask(response, Query::new(language, expression, Want::All))
    }

    fn ask(&mut self, response: &Resource<ResponseHandle>, query: Query) -> Result<Told<Vec<String>>> {
        self.ask_within(response, query, QueryLimits::default().answer_bytes)
    }

    /// Asks for an answer of bounded length.
    fn ask_within(
        &mut self,
        response: &Resource<ResponseHandle>,
        query: Query,
        answer_bytes: usize,
    ) -> Result<Told<Vec<String>>> {
        let limits = QueryLimits { answer_bytes, ..self.query_limits() };
        let answers = self.look(response, |page| looks::ask(page, query, &limits))?;
        // The bound is told, not what is left of it.
        let limit = QueryLimits::default().answer_bytes;
        Ok(answers.map_err(|error| match error {
            AskError::Query(QueryError::AnswerTooLarge { .. }) => QueryError::AnswerTooLarge { limit }.to_string(),
            AskError::Query(error) => error.to_string(),
            AskError::Unreadable(error) => self.remember_unreadable(error).to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use carousel_core::exchange::Answer;
    use carousel_core::settings::Instances;
    use serde_json::json;

    use super::*;
    use crate::call::Allowance;
    use crate::reach::Reach;
    use crate::site::SiteFacts;

    #[test]
    fn the_answers_to_many_questions_at_once_are_bounded_together() {
        let site = SiteFacts {
            name: "s".into(),
            plugin: "p".into(),
            config: "null".to_owned(),
            reach: Reach::default(),
            instances: Instances::Fresh,
            init: None,
            shared: Arc::default(),
        };
        let allowance = Allowance {
            deadline: Duration::from_secs(3600),
            memory: 1 << 20,
            max_log_lines: 1,
            max_downloads: 0,
            max_download_bytes: 0,
            max_result: 1 << 20,
        };
        let answer = Answer::parse(json!({"browserHtml": "x".repeat(1 << 20)}).to_string(), None).unwrap();
        let mut call = Call::new(Arc::new(site), None, &allowance).judging(answer);
        call.clock.restart();
        let mut select = |count: usize| {
            let [language, expression, want] = ["regex", "^.+", "first"].map(str::to_owned);
            call.select(Resource::new_borrow(0), vec![types::Query { language, expression, want }; count]).unwrap()
        };
        assert_eq!(select(10).unwrap().len(), 10);
        assert!(select(20).unwrap_err().contains("the answers have more than 16777216 bytes"));
    }
}
