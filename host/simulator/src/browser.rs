//! A browser tab as far as the fictional sites need one: typing into a form, clicking, going places.

use url::Url;

use crate::fetch::{Errand, Landing, Redirects, Visit};
use crate::markup::{self, Form, Found};
use scraper::Selector;

/// A tab on a page.
pub(crate) struct Tab<'t, 'v> {
    visit: &'t mut Visit<'v>,
    /// The page that is shown.
    pub(crate) page: Landing,
    typed: Vec<(String, String)>,
    focus: Option<Form>,
}

impl<'t, 'v> Tab<'t, 'v> {
    /// Opens a tab.
    pub(crate) fn open(visit: &'t mut Visit<'v>, url: Url) -> Self {
        let page = visit.go(Errand::get(url));
        Self { visit, page, typed: Vec::new(), focus: None }
    }

    /// Finds the elements that match on the page.
    pub(crate) fn find_all(&self, selector: &Selector) -> Vec<Found> {
        markup::find_all(&String::from_utf8_lossy(&self.page.body), selector)
    }

    /// Goes to another page.
    pub(crate) fn go_to(&mut self, url: Url) {
        self.navigate(Errand::get(url));
    }

    /// Loads the page again.
    pub(crate) fn reload(&mut self) {
        self.go_to(self.page.url.clone());
    }

    /// Gives a control a value; the text is appended to what was typed before.
    pub(crate) fn type_into(&mut self, element: Found, text: &str) -> Result<(), String> {
        self.fill(element, |value| value.push_str(text))
    }

    /// Replaces the value of a control.
    pub(crate) fn set_value(&mut self, element: Found, text: &str) -> Result<(), String> {
        self.fill(element, |value| text.clone_into(value))
    }

    fn fill(&mut self, element: Found, change: impl FnOnce(&mut String)) -> Result<(), String> {
        if !matches!(element.tag.as_str(), "input" | "select" | "textarea") {
            return Err(format!("<{}> takes no text", element.tag));
        }
        self.focus = element.form;
        let name = element.name.unwrap_or_default();
        if let Some((_, value)) = self.typed.iter_mut().find(|(known, _)| *known == name) {
            change(value);
        } else {
            let mut value = String::new();
            change(&mut value);
            self.typed.push((name, value));
        }
        Ok(())
    }

    /// Clicks: a link leads on, a submit button sends its form, anything else does nothing.
    pub(crate) fn click(&mut self, element: Found) {
        if let Some(target) = element.href.and_then(|to| self.page.url.join(&to).ok()) {
            self.go_to(target);
        } else if element.is_submit
            && let Some(form) = element.form
        {
            self.submit(form);
        }
    }

    /// Presses Enter: sends the form that was typed into last.
    pub(crate) fn press_enter(&mut self) {
        if let Some(form) = self.focus.take() {
            self.submit(form);
        }
    }

    /// Sends a form with what was typed into it.
    pub(crate) fn submit(&mut self, form: Form) {
        let Ok(mut url) = self.page.url.join(&form.action) else {
            return;
        };
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        for (name, given) in &form.fields {
            let typed = self.typed.iter().find(|(known, _)| known == name);
            fields.append_pair(name, typed.map_or(given, |(_, value)| value));
        }
        let encoded = fields.finish();
        if form.method == "POST" {
            self.navigate(Errand { method: "POST", url, body: encoded.as_bytes(), redirects: Redirects::Follow });
        } else {
            url.set_query(Some(&encoded));
            self.go_to(url);
        }
    }

    fn navigate(&mut self, errand: Errand<'_>) {
        self.page = self.visit.go(errand);
        self.typed.clear();
        self.focus = None;
    }

    /// Keeps a cookie as if the page had set it.
    pub(crate) fn keep_cookie(&mut self, name: &str, value: &str) {
        let host = self.page.url.host_str().unwrap_or("");
        let cookie = crate::cookies::Cookie::set_by(host, name, value);
        self.visit.jar.put(cookie);
    }
}
