//! The whole config of a site: its keys and which hooks they need.

use carousel_guest::prelude::*;

use crate::edit::PageEdit;
use crate::init::Step;
use crate::notes::Notes;
use crate::reading::Field;
use crate::rule::Rule;
use crate::save::Save;
use crate::scope::Place;
use crate::template::Template;

/// What a site's config says.
pub(crate) struct Config {
    pub(crate) enabled: Option<bool>,
    pub(crate) cookie_mode: Option<bool>,
    /// The pool's id, or a table with `id` and options.
    pub(crate) pool: Option<Template>,
    /// The address where a request has none.
    pub(crate) location: Option<Template>,
    /// Whether requests without a location are served as if there were no config.
    pub(crate) only_with_location: bool,
    pub(crate) params: Option<Template>,
    pub(crate) init: Vec<Step>,
    /// Whether the host's own check comes before the rules.
    pub(crate) usual_check: bool,
    pub(crate) check: Vec<Rule>,
    pub(crate) save: Vec<Save>,
    pub(crate) edit: Vec<PageEdit>,
}

/// Options of a pool.
const POOL: [&str; 5] = ["id", "size", "delay", "randomize_delay", "max_in_flight"];

/// Members of an address.
const ADDRESS: [&str; 4] = ["addressCountry", "addressRegion", "postalCode", "streetAddress"];

impl Config {
    /// The config of the site that is served; it was looked through when the site was loaded.
    pub(crate) fn of_site() -> Result<Self> {
        let config: Value = config()?;
        if config.is_null() {
            return Err(Error::new("the [[site]] table of the plugin declarative needs a config"));
        }
        Self::read(&config, &Notes::default())
    }

    /// Reads a config and looks at every expression in it.
    pub(crate) fn checked(value: &Value) -> Result<Self> {
        let notes = Notes::default();
        let config = Self::read(value, &notes)?;
        notes.check()?;
        Ok(config)
    }

    fn read(value: &Value, notes: &Notes) -> Result<Self> {
        let mut table = Field { value, path: String::new(), notes }.table()?;
        let truth = |field: Option<Field<'_>>| field.map(|field| field.truth()).transpose();
        let config = Self {
            enabled: truth(table.get("enabled"))?,
            cookie_mode: truth(table.get("cookie_mode"))?,
            pool: table.get("pool").map(pool).transpose()?,
            location: table.get("location").map(location).transpose()?,
            only_with_location: truth(table.get("only_with_location"))?.unwrap_or(false),
            params: table.get("params").map(params).transpose()?,
            init: table.items("init", Step::read)?,
            usual_check: truth(table.get("usual_check"))?.unwrap_or(true),
            check: table.items("check", Rule::read)?,
            save: table.get("save").map_or_else(|| Ok(Vec::new()), |field| Save::read_all(&field))?,
            edit: table.items("edit", PageEdit::read)?,
        };
        if config.params.is_some() && !config.init.is_empty() {
            return Err(table.fault("params and init exclude each other: params is one call, init a chain of calls"));
        }
        table.done()?;
        Ok(config)
    }

    /// The hooks that the host must ask for this site.
    pub(crate) fn hooks(&self) -> Vec<&'static str> {
        let judges = !self.check.is_empty() || !self.save.is_empty() || !self.usual_check;
        let needs = [
            ("enabled", self.enabled.is_some()),
            ("cookie-mode", self.cookie_mode.is_some()),
            ("pool", self.pool.is_some()),
            ("location", self.location.is_some()),
            ("params", self.params.is_some()),
            ("check", judges),
            ("process-request", !self.edit.is_empty()),
            ("init-session", !self.init.is_empty()),
        ];
        needs.into_iter().filter(|(_, needed)| *needed).map(|(hook, _)| hook).collect()
    }
}

fn pool(field: Field<'_>) -> Result<Template> {
    let template = Template::read(&field, Place::Planning)?;
    if field.value.is_string() {
        return Ok(template);
    }
    let mut table = field.table()?;
    for option in POOL {
        if table.get(option).is_none() && option == "id" {
            return Err(table.fault("a pool needs an id"));
        }
    }
    table.done()?;
    Ok(template)
}

fn location(field: Field<'_>) -> Result<Template> {
    let template = Template::read(&field, Place::Planning)?;
    let mut table = field.table()?;
    for member in ADDRESS {
        table.get(member);
    }
    table.done()?;
    Ok(template)
}

/// API parameters, which the API itself checks.
pub(crate) fn params(field: Field<'_>) -> Result<Template> {
    field.members()?;
    Template::read(&field, Place::Calling)
}
