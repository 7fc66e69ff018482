//! Values as the Data API writes them.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::bad;
use crate::{domain::Value, world::call::Answered};

#[derive(Deserialize)]
pub(super) struct Parameter {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Field,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Field {
    is_null: Option<bool>,
    boolean_value: Option<bool>,
    long_value: Option<i64>,
    double_value: Option<f64>,
    string_value: Option<String>,
    blob_value: Option<String>,
    array_value: Option<Json>,
}

/// Parameters by name.
pub(super) fn read(parameters: Vec<Parameter>) -> Answered<Vec<(String, Value)>> {
    parameters.into_iter().map(|Parameter { name, value }| Ok((name, of_field(value)?))).collect()
}

fn of_field(field: Field) -> Answered<Value> {
    Ok(match field {
        Field { array_value: Some(_), .. } => return Err(bad("Array parameters are not supported.")),
        Field { is_null: Some(true), .. } => Value::Null,
        Field { boolean_value: Some(flag), .. } => Value::Integer(flag.into()),
        Field { long_value: Some(number), .. } => Value::Integer(number),
        Field { double_value: Some(number), .. } => Value::Real(number),
        Field { string_value: Some(text), .. } => Value::Text(text),
        Field { blob_value: Some(text), .. } => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|_| bad("A blobValue is not base64."))?;
            Value::Bytes(bytes)
        }
        _ => return Err(bad("A parameter has no value.")),
    })
}

pub(super) fn shown(value: &Value) -> Json {
    match value {
        Value::Null => json!({ "isNull": true }),
        Value::Integer(number) => json!({ "longValue": number }),
        Value::Real(number) => json!({ "doubleValue": number }),
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Bytes(bytes) => json!({ "blobValue": BASE64_STANDARD.encode(bytes) }),
    }
}

/// A column; SQLite's have no type that holds for all rows.
pub(super) fn metadata(name: &str) -> Json {
    json!({
        "name": name, "label": name, "type": 12, "typeName": "text", "schemaName": "", "tableName": "",
        "isAutoIncrement": false, "isSigned": false, "isCurrency": false, "isCaseSensitive": true, "nullable": 1,
        "precision": 2_147_483_647, "scale": 0, "arrayBaseColumnType": 0,
    })
}

/// Rows as one JSON text: a list of objects.
pub(super) fn formatted(columns: &[String], rows: &[Vec<Value>]) -> String {
    let plain = |value: &Value| match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(BASE64_STANDARD.encode(bytes)),
    };
    let object =
        |row: &Vec<Value>| -> Map<String, Json> { columns.iter().cloned().zip(row.iter().map(plain)).collect() };
    let objects: Vec<Json> = rows.iter().map(|row| Json::Object(object(row))).collect();
    Json::Array(objects).to_string()
}
