//! CBOR documents as JSON ones, and back: as much of it as rpcv2Cbor needs.

use aws_smithy_cbor::{Decoder, Encoder, data::Type};
use aws_smithy_types::DateTime;
use serde_json::{Map, Number, Value};

const DEPTH_MAX: usize = 32;
/// Members whose numbers are times.
const TIMES: [&str; 6] = [
    "Timestamp",
    "Timestamps",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
    "LastUpdatedTimestamp",
];

/// Reads a document; times become seconds since 1970. An empty body is an empty document; none: it is no CBOR, or goes too deep.
pub(super) fn decode(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    let value = value(&mut decoder, 0)?;
    (decoder.position() == body.len()).then_some(value)
}

fn value(decoder: &mut Decoder, depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match decoder.datatype().ok()? {
        Type::Bool => decoder.boolean().ok()?.into(),
        Type::Null | Type::Undefined => {
            decoder.skip().ok()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            decoder.long().ok()?.into()
        }
        Type::F16 | Type::F32 => f64::from(decoder.float().ok()?).into(),
        Type::F64 => decoder.double().ok()?.into(),
        Type::String | Type::StringIndef => decoder.string().ok()?.into(),
        Type::Tag => decoder.timestamp().ok()?.as_secs_f64().into(),
        Type::Array | Type::ArrayIndef => {
            let count = decoder.list().ok()?;
            let mut items = Vec::new();
            while goes_on(decoder, count, items.len())? {
                items.push(value(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let count = decoder.map().ok()?;
            let mut members = Map::new();
            let mut read = 0;
            while goes_on(decoder, count, read)? {
                let name = decoder.string().ok()?;
                members.insert(name, value(decoder, depth + 1)?);
                read += 1;
            }
            Value::Object(members)
        }
        _ => return None,
    })
}

/// Whether a list or map has more; takes the mark at the end of one that did not say its length.
fn goes_on(decoder: &mut Decoder, count: Option<u64>, read: usize) -> Option<bool> {
    if let Some(count) = count {
        return Some((read as u64) < count);
    }
    let is_over = decoder.datatype().ok()? == Type::Break;
    if is_over {
        decoder.skip().ok()?;
    }
    Some(!is_over)
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
        assert_eq!(decode(&bytes), Some(document));
        assert_eq!(decode(&[]), Some(json!({})));
    }

    #[test]
    fn what_is_broken_or_too_deep_is_no_document() {
        assert!(decode(&encode(&json!({ "a": [1, 2] }))[..5]).is_none());
        assert!(decode(&[0x81; 100]).is_none());
        assert!(decode(&[0xf6, 0xf6]).is_none());
        assert!(decode(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_none(), "a length that lies");
    }
}
