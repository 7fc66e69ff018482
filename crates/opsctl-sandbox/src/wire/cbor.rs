//! CBOR documents as JSON ones, and back: as much of it as rpcv2Cbor needs.

use aws_smithy_cbor::{Decoder, Encoder, data::Type, decode::DeserializeError};
use aws_smithy_types::DateTime;
use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// Members whose numbers are times.
const TIMES: [&str; 5] = [
    "Timestamp",
    "Timestamps",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
];

/// Reads a document; times become seconds since 1970. An empty body is an empty document.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn decode(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    let value = value(&mut decoder, 0)?;
    if decoder.position() == body.len() { Ok(value) } else { Err("bytes follow the document".to_owned()) }
}

fn value(decoder: &mut Decoder, depth: usize) -> Result<Value, String> {
    let say = |error: DeserializeError| error.to_string();
    if depth > DEPTH_MAX {
        return Err(format!("nested deeper than {DEPTH_MAX}"));
    }
    Ok(match decoder.datatype().map_err(say)? {
        Type::Bool => decoder.boolean().map_err(say)?.into(),
        Type::Null | Type::Undefined => {
            decoder.skip().map_err(say)?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            decoder.long().map_err(say)?.into()
        }
        Type::F16 | Type::F32 => f64::from(decoder.float().map_err(say)?).into(),
        Type::F64 => decoder.double().map_err(say)?.into(),
        Type::String | Type::StringIndef => decoder.string().map_err(say)?.into(),
        Type::Tag => decoder.timestamp().map_err(say)?.as_secs_f64().into(),
        Type::Array | Type::ArrayIndef => {
            let count = decoder.list().map_err(say)?;
            let mut items = Vec::new();
            while goes_on(decoder, count, items.len())? {
                items.push(value(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let count = decoder.map().map_err(say)?;
            let mut members = Map::new();
            let mut read = 0;
            while goes_on(decoder, count, read)? {
                let name = decoder.string().map_err(say)?;
                members.insert(name, value(decoder, depth + 1)?);
                read += 1;
            }
            Value::Object(members)
        }
        other => return Err(format!("{other:?} is not understood here")),
    })
}

/// Whether a list or map has more; takes the mark at the end of one that did not say its length.
fn goes_on(decoder: &mut Decoder, count: Option<u64>, read: usize) -> Result<bool, String> {
    if let Some(count) = count {
        return Ok((read as u64) < count);
    }
    let is_over = decoder.datatype().map_err(|error| error.to_string())? == Type::Break;
    if is_over {
        decoder.skip().map_err(|error| error.to_string())?;
    }
    Ok(!is_over)
}

/// Writes a document. Whole numbers stay whole, others are doubles; members of [`TIMES`] are times.
pub(super) fn encode(document: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder, document, false);
    encoder.into_writer()
}

fn write(encoder: &mut Encoder, value: &Value, is_time: bool) {
    match value {
        Value::Null => encoder.null(),
        Value::Bool(value) => encoder.boolean(*value),
        Value::Number(number) if is_time => {
            encoder.timestamp(&DateTime::from_secs_f64(number.as_f64().unwrap_or_default()))
        }
        Value::Number(number) => write_number(encoder, number),
        Value::String(text) => encoder.str(text),
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| write(encoder, item, is_time));
            encoder
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                write(encoder, member, TIMES.contains(&name.as_str()));
            }
            encoder
        }
    };
}

fn write_number<'a>(encoder: &'a mut Encoder, number: &Number) -> &'a mut Encoder {
    match number.as_i64() {
        Some(whole) => encoder.long(whole),
        None => encoder.double(number.as_f64().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_survive_the_way_there_and_back() {
        let document = json!({
            "Id": "m0", "Values": [1.5, 60.0], "Count": -7, "Timestamps": [1_795_000_000.0], "None": null,
            "Inner": { "Flag": true, "List": [] },
        });
        let bytes = encode(&document);
        assert_eq!(decode(&bytes), Ok(document));
        assert_eq!(decode(&[]), Ok(json!({})));
    }

    #[test]
    fn what_is_broken_or_too_deep_is_said() {
        assert!(decode(&encode(&json!({ "a": [1, 2] }))[..5]).is_err());
        assert!(decode(&[0x81; 100]).is_err_and(|why| why.contains("deeper")));
        assert!(decode(&[0xf6, 0xf6]).is_err());
        assert!(decode(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err(), "a length that lies");
    }
}
