//! The body of a call: the parameters as JSON, with a URL that every server can read.

use carousel_core::exchange::Object;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use crate::escape_url;

/// Writes parameters as JSON. `url` is escaped where it is text; everything else stays as it is, and so does the order.
pub(crate) fn write(params: &Object) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Body(params))
}

struct Body<'p>(&'p Object);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match (name.as_str(), value) {
                ("url", Value::String(url)) => map.serialize_entry(name, &escape_url(url))?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        String::from_utf8(write(&serde_json::from_str(text).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn only_a_url_that_needs_it_is_changed() {
        for (params, body) in [
            (
                r#"{"b":1,"url":"https://a.example/ x","a":[" ",null]}"#,
                r#"{"b":1,"url":"https://a.example/%20x","a":[" ",null]}"#,
            ),
            (r#"{"url":"https://a.example/","x":{"url":" ñ"}}"#, r#"{"url":"https://a.example/","x":{"url":" ñ"}}"#),
            (r#"{"url":[" "],"Url":" "}"#, r#"{"url":[" "],"Url":" "}"#),
            // Numbers go out digit by digit.
            (
                r#"{"a":[123456789012345678901234567890,-9223372036854775809,1.10,1e+400,-0,0.30000000000000004441]}"#,
                r#"{"a":[123456789012345678901234567890,-9223372036854775809,1.10,1e+400,-0,0.30000000000000004441]}"#,
            ),
            (r#"{"url":null}"#, r#"{"url":null}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(written(params), body);
        }
    }
}
