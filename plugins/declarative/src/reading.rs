//! Reads a config key by key. What is wrong is told with the path of the key, what is allowed there, and the nearest right word.

use carousel_guest::prelude::*;

use crate::notes::Notes;

/// How alike two words must be for one to be offered in the place of the other.
const ALIKE: f64 = 0.75;

/// A value of the config and where it stands.
#[derive(Clone)]
pub(crate) struct Field<'v> {
    pub(crate) value: &'v Value,
    pub(crate) path: String,
    pub(crate) notes: &'v Notes,
}

/// A table whose keys are asked for by name; those that nobody asked for are wrong.
pub(crate) struct Table<'v> {
    field: Field<'v>,
    asked: Vec<&'static str>,
}

/// An error about a key.
pub(crate) fn fault(path: &str, why: impl AsRef<str>) -> Error {
    let path = if path.is_empty() { "config" } else { path };
    Error::new(format!("{path}: {}", why.as_ref()))
}

/// What a misspelt word may have been meant to be, and all that could stand there.
pub(crate) fn suggestion(word: &str, known: &[&str], kind: &str) -> String {
    let near = known.iter().map(|other| (strsim::jaro_winkler(word, other), *other)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    let meant = near.filter(|(alike, _)| *alike >= ALIKE).map(|(_, other)| format!("; did you mean \"{other}\"?"));
    let all = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
    format!("{} ({kind}: {all})", meant.unwrap_or_default())
}

impl<'v> Field<'v> {
    pub(crate) fn fault(&self, why: impl AsRef<str>) -> Error {
        fault(&self.path, why)
    }

    pub(crate) fn text(&self) -> Result<&'v str> {
        self.value.as_str().ok_or_else(|| self.expected("text"))
    }

    pub(crate) fn truth(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// A number that is not below 0.
    pub(crate) fn number(&self) -> Result<f64> {
        self.value.as_f64().filter(|number| *number >= 0.0).ok_or_else(|| self.expected("a number from 0"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let item = |(index, value)| Self { value, path: format!("{}[{index}]", self.path), notes: self.notes };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(crate) fn table(self) -> Result<Table<'v>> {
        if !self.value.is_object() {
            return Err(self.expected("a table"));
        }
        Ok(Table { field: self, asked: Vec::new() })
    }

    /// The members of a table whose keys are the author's choice.
    pub(crate) fn members(&self) -> Result<Vec<(&'v String, Self)>> {
        let members = self.value.as_object().ok_or_else(|| self.expected("a table"))?;
        Ok(members.iter().map(|(name, value)| (name, self.member(name, value))).collect())
    }

    /// One of a few words.
    pub(crate) fn word(&self, known: &[&'static str]) -> Result<&'static str> {
        let word = self.text()?;
        let found = known.iter().find(|other| **other == word);
        found.copied().ok_or_else(|| self.fault(format!("unknown word \"{word}\"{}", suggestion(word, known, "known"))))
    }

    fn member(&self, name: &str, value: &'v Value) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { value, path, notes: self.notes }
    }

    fn expected(&self, what: &str) -> Error {
        self.fault(format!("expected {what}, not {}", self.value))
    }
}

impl<'v> Table<'v> {
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Field<'v>> {
        self.asked.push(key);
        let value = self.field.value.get(key)?;
        Some(self.field.member(key, value))
    }

    /// The items of a list, none where the key is absent.
    pub(crate) fn items<T>(&mut self, key: &'static str, read: impl Fn(Field<'v>) -> Result<T>) -> Result<Vec<T>> {
        let items = self.get(key).map_or_else(|| Ok(Vec::new()), |field| field.list())?;
        items.into_iter().map(read).collect()
    }

    pub(crate) fn fault(&self, why: impl AsRef<str>) -> Error {
        self.field.fault(why)
    }

    /// Refuses the keys that nobody asked for.
    pub(crate) fn done(self) -> Result<()> {
        let members = self.field.value.as_object().into_iter().flatten();
        match members.into_iter().find(|(key, _)| !self.asked.contains(&key.as_str())) {
            Some((key, _)) => Err(self.fault(format!("unknown key \"{key}\"{}", suggestion(key, &self.asked, "known here")))),
            None => Ok(()),
        }
    }
}
