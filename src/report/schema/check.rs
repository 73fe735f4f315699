//! Whether an object is as the table says.

use serde_json::Value;

use super::kinds::KINDS;
use super::types::SchemaField;
use super::types::SchemaType::{
    self, Any, Bool, Count, Cursor, List, Number, Object, Raw, Text, Time, Word,
};
use crate::model::cursor::LineRef;
use crate::report::json::VERSION;

/// Whether an object is one of [`KINDS`]: every field is there and of its form, and there is no
/// other.
///
/// # Errors
/// With the first thing that is wrong.
pub fn check(object: &Value) -> Result<(), String> {
    let name = object["type"].as_str().ok_or("it has no type")?;
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| format!("unknown type {name:?}"))?;
    if object["v"] != VERSION {
        return Err(format!("{name}: v is {}", object["v"]));
    }
    let mut rest = object.as_object().cloned().unwrap_or_default();
    rest.retain(|key, _| key != "v" && key != "type");
    fields(kind.fields, &Value::Object(rest)).map_err(|why| format!("{name}: {why}"))
}

fn fields(fields: &[SchemaField], value: &Value) -> Result<(), String> {
    let object = value
        .as_object()
        .ok_or_else(|| format!("{value} is no object"))?;
    if let Some(unknown) = object
        .keys()
        .find(|key| !fields.iter().any(|field| field.name == *key))
    {
        return Err(format!("unknown field {unknown:?}"));
    }
    for field in fields {
        let value = object
            .get(field.name)
            .ok_or_else(|| format!("{} is missing", field.name))?;
        if !(value.is_null() && field.nullable) {
            form(field.form, value).map_err(|why| format!("{}: {why}", field.name))?;
        }
    }
    Ok(())
}

fn form(form: SchemaType, value: &Value) -> Result<(), String> {
    let holds = match form {
        Count => value.is_u64(),
        Number => value.is_number(),
        Bool => value.is_boolean(),
        Text => value.is_string(),
        Raw => value.is_string() || value["bytes"].is_string(),
        Time => value.as_str().is_some_and(is_time),
        Cursor => value
            .as_str()
            .is_some_and(|text| text.parse::<LineRef>().is_ok_and(|it| it.check.is_some())),
        Word(words) => words.iter().any(|word| value == word),
        Object(of) => return fields(of, value),
        Any => value.is_object() || value.is_array(),
        List(of) => {
            let list = value
                .as_array()
                .ok_or_else(|| format!("{value} is no list"))?;
            return list.iter().try_for_each(|value| self::form(*of, value));
        }
    };
    if holds {
        Ok(())
    } else {
        Err(format!("{value} is not a {form:?}"))
    }
}

/// As all of ours are: sorted as text they are sorted by time.
fn is_time(text: &str) -> bool {
    text.len() == "2026-11-20T13:02:11.000000000Z".len() && text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_unknown_or_of_another_form_is_told() {
        let count = json!({"v": 1, "type": "count", "host": "web-1", "hits": 3});
        assert_eq!(check(&count), Ok(()));
        for (key, value, told) in [
            ("hits", json!(-1), "count: hits: -1 is not a Count"),
            ("hits", json!(null), "count: hits: null is not a Count"),
            ("more", json!(1), "count: unknown field \"more\""),
            ("v", json!(2), "count: v is 2"),
            ("type", json!("counts"), "unknown type \"counts\""),
        ] {
            let mut wrong = count.clone();
            wrong[key] = value;
            assert_eq!(check(&wrong), Err(told.to_owned()));
        }
        let mut wrong = count;
        wrong.as_object_mut().expect("an object").remove("hits");
        assert_eq!(check(&wrong), Err("count: hits is missing".to_owned()));
    }

    #[test]
    fn every_field_is_explained_or_says_itself() {
        for kind in KINDS {
            assert!(
                !kind.about.is_empty() && kind.fields.iter().all(|field| !field.about.is_empty()),
                "{}",
                kind.name
            );
        }
    }
}
