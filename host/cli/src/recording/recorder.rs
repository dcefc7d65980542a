//! Keeps some of what the engine and the plugins say to each other. Nothing is written before the end, when all is known that must
//! be replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carousel_core::exchange::{Answer, Object};
use carousel_core::hooks::HookCall;
use carousel_core::id::SessionId;
use carousel_core::settings::{Profile, SessionSettings, Settings};
use carousel_sandbox::SiteReport;
use serde_json::{Value, json};

use super::fixture::{Asked, Download, Fixture, FixtureSession, FixtureSite};
use super::secrets::{Redactor, Secrets};
use super::{folder, outcome};
use crate::args::Secret;

/// The text that is kept of one crawl; further calls are not recorded.
const MAX_BYTES: usize = 64 << 20;

/// What is recorded, and where.
pub(crate) struct RecorderOptions<'o> {
    /// An empty directory, or none yet.
    pub(crate) dir: &'o Path,
    /// Calls of each hook with each outcome, per site.
    pub(crate) limit: usize,
    /// The API keys, which must not get into a file.
    pub(crate) api_keys: &'o [Secret],
}

/// Keeps calls until they are written.
pub(crate) struct Recorder {
    dir: PathBuf,
    limit: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    sites: BTreeMap<String, SiteRecord>,
    secrets: Secrets,
    bytes: usize,
}

/// What is kept of one site.
#[derive(Default)]
struct SiteRecord {
    counts: BTreeMap<(Asked, bool, String), usize>,
    /// Calls without a session.
    requests: Vec<Fixture>,
    /// Calls about sessions, in order of their first sight.
    sessions: Vec<(SessionId, Vec<Fixture>)>,
}

/// What was known before a call.
pub(super) struct Before {
    asked: Asked,
    call: HookCall,
    data: Object,
}

/// What comes of a call besides its outcome.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) answer: Option<Answer>,
    pub(super) downloads: Vec<Download>,
}

impl Recorder {
    /// Makes the directory. Fails if there is something in it.
    pub(crate) fn open(options: RecorderOptions<'_>) -> anyhow::Result<Arc<Self>> {
        folder::prepare(options.dir)?;
        let secrets = Secrets::new(options.api_keys);
        let kept = Mutex::new(Kept { sites: BTreeMap::new(), secrets, bytes: 0 });
        Ok(Arc::new(Self { dir: options.dir.to_path_buf(), limit: options.limit, kept }))
    }

    /// Writes what was kept, with every secret replaced, and says what it is.
    pub(crate) fn write(&self, settings: &Settings, sites: &[SiteReport]) -> anyhow::Result<String> {
        let kept = &mut *self.kept();
        let (mut calls, mut folders) = (0, BTreeSet::new());
        for name in kept.sites.keys() {
            kept.secrets.learn(&json!(facts(name, settings, sites)));
        }
        let redactor = kept.secrets.redactor()?;
        for (name, record) in &kept.sites {
            let mut folder = folder::folder_name(name);
            while !folders.insert(folder.clone()) {
                folder.push('_');
            }
            let folder = self.dir.join(folder);
            let mut facts = facts(name, settings, sites);
            facts.config.iter_mut().for_each(|config| redactor.value(config));
            redactor.object(&mut facts.settings);
            folder::write_site(&folder, &facts)?;
            let sessions = record.sessions.iter().enumerate().map(|(at, (_, calls))| (format!("session-{}", at + 1), calls));
            let groups = std::iter::once(("requests".to_owned(), &record.requests)).chain(sessions);
            for (group, fixtures) in groups.filter(|(_, fixtures)| !fixtures.is_empty()) {
                let redacted: Vec<Fixture> = fixtures.iter().map(|fixture| redacted(fixture, &redactor)).collect();
                folder::write_calls(&folder.join(group), &redacted)?;
                calls += fixtures.len();
            }
        }
        folder::write_readme(&self.dir)?;
        let full = if kept.bytes > MAX_BYTES { " (not all: the recording was full)" } else { "" };
        let dir = self.dir.display();
        Ok(format!("recorded {calls} calls of {} sites in {dir}{full}; try: carousel plugin test {dir}", kept.sites.len()))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, site: &str, before: Before, heard: Heard, outcome: Object) {
        let kept = &mut *self.kept();
        let session = before.call.session.as_ref().map(|session| session.id());
        let record = kept.sites.get(site);
        let kind = (before.asked, before.call.init, outcome::word(&outcome));
        let count = record.and_then(|record| record.counts.get(&kind)).copied().unwrap_or_default();
        let is_wanted = count < self.limit && kept.bytes <= MAX_BYTES;
        let is_followed = record.is_some_and(|it| it.sessions.iter().any(|(known, _)| Some(*known) == session));
        // A session of which anything is kept may show later what was secret in it.
        if !is_wanted && !is_followed {
            return;
        }
        let stored = before.call.session.as_ref().map(|session| session.snapshot()).unwrap_or_default();
        let fixture = before.fixture(heard, outcome, &stored);
        let text = json!(fixture);
        fixture.session.iter().for_each(|session| kept.secrets.spare(&session.id));
        kept.secrets.learn(&text);
        kept.secrets.learn_stored(&Value::Object(stored));
        if is_wanted {
            kept.bytes += text.to_string().len();
            let record = kept.sites.entry(site.to_owned()).or_default();
            *record.counts.entry(kind).or_default() += 1;
            record.add(session, fixture);
        }
    }
}

impl SiteRecord {
    fn add(&mut self, session: Option<SessionId>, fixture: Fixture) {
        let Some(session) = session else { return self.requests.push(fixture) };
        match self.sessions.iter_mut().find(|(known, _)| *known == session) {
            Some((_, calls)) => calls.push(fixture),
            None => self.sessions.push((session, vec![fixture])),
        }
    }
}

impl Before {
    pub(super) fn of(asked: Asked, call: &HookCall) -> Self {
        let data = call.session.as_ref().map(|session| session.snapshot()).unwrap_or_default();
        Self { asked, call: call.clone(), data }
    }

    fn fixture(self, heard: Heard, outcome: Object, stored: &Object) -> Fixture {
        let mut expect = outcome;
        if *stored != self.data {
            expect.insert("session_data".to_owned(), Value::Object(stored.clone()));
        }
        Fixture {
            hook: self.asked,
            request: self.call.request.to_json(),
            init: self.call.init,
            location: (*self.call.location).clone(),
            session: self.call.session.map(|session| FixtureSession {
                id: session.id().to_string(),
                pool: session.pool().to_string(),
                data: self.data,
            }),
            response: heard.answer.and_then(|answer| outcome::of_answer(&answer)),
            downloads: heard.downloads,
            expect,
        }
    }
}

/// A call with every secret replaced. What it is, and of which session, is none.
fn redacted(fixture: &Fixture, redactor: &Redactor<'_>) -> Fixture {
    let mut redacted = fixture.clone();
    let Fixture { hook: _, request, init: _, location, session, response, downloads, expect } = &mut redacted;
    redactor.value(request);
    redactor.object(location);
    if let Some(FixtureSession { id: _, pool, data }) = session {
        *pool = redactor.text(pool);
        redactor.object(data);
    }
    response.iter_mut().for_each(|response| redactor.value(response));
    for Download { params, answer, error } in downloads {
        params.iter_mut().chain(error).for_each(|members| redactor.object(members));
        answer.iter_mut().for_each(|answer| redactor.value(answer));
    }
    redactor.object(expect);
    redacted
}

/// What stands in a site's file: whose plugin it is, and all that hooks may have seen of the settings.
fn facts(site: &str, settings: &Settings, sites: &[SiteReport]) -> FixtureSite {
    let plugin = sites.iter().find(|report| report.site == site).map(|report| report.plugin.clone());
    let table = settings.site.iter().find(|table| table.name == site);
    FixtureSite {
        site: site.to_owned(),
        plugin: plugin.or_else(|| table.map(|table| table.plugin.clone())).unwrap_or_else(|| site.to_owned()),
        config: table.and_then(|table| table.config.clone()),
        settings: visible(settings),
    }
}

/// The settings that hooks see and the defaults depend on, where they are not the usual ones.
fn visible(settings: &Settings) -> Object {
    let usual = SessionSettings::default().to_json(settings.profile);
    let mut session = settings.session.to_json(settings.profile);
    session.retain(|key, value| usual.get(key) != Some(value));
    session.extend(settings.session.checker.as_ref().map(|checker| ("checker".to_owned(), json!(checker))));
    let mut visible = Object::new();
    if settings.profile == Profile::ScrapyZyteApi {
        visible.insert("profile".to_owned(), json!("scrapy-zyte-api"));
    }
    if !session.is_empty() {
        visible.insert("session".to_owned(), Value::Object(session));
    }
    visible
}
