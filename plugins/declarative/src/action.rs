//! Status codes of pages and outcomes of browser actions.

use carousel_guest::prelude::*;

use crate::reading::Field;

/// The status codes that are meant.
#[derive(Clone, Debug)]
pub(crate) struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Reads `200`, `"4xx"` or a list of these.
    pub(crate) fn read(field: &Field<'_>) -> Result<Self> {
        let items = if field.value.is_array() { field.list()? } else { vec![field.clone()] };
        Ok(Self(items.iter().map(range).collect::<Result<_>>()?))
    }

    pub(crate) fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

fn range(field: &Field<'_>) -> Result<(u16, u16)> {
    let whole = field.value.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| *status < 1000);
    if let Some(status) = whole {
        return Ok((status, status));
    }
    let hundreds = field.value.as_str().and_then(|text| text.strip_suffix("xx")).and_then(|digit| digit.parse::<u16>().ok());
    match hundreds.filter(|digit| (1..=9).contains(digit)) {
        Some(digit) => Ok((digit * 100, digit * 100 + 99)),
        None => Err(field.fault(format!("expected a status such as 200 or \"4xx\", or a list of these, not {}", field.value))),
    }
}

/// The status of the first result of an action that is not a success, else `success`; none if no such action was run. `*` is any
/// action.
pub(crate) fn outcome(response: &Response, action: &str) -> Result<Option<Value>> {
    let results = response.actions()?;
    let meant = results.iter().filter(|result| action == "*" || result.get("action").is_some_and(|name| name == action));
    let mut statuses = meant.map(|result| result.get("status").cloned().unwrap_or_default()).peekable();
    let first = statuses.peek().cloned();
    Ok(statuses.find(|status| status != "success").or(first))
}
