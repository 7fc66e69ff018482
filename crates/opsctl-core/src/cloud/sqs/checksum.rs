//! The MD5s that SQS tells of bodies and attributes. The Rust SDK does not check them.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::domain::{AttributeValue, Payload, message::hex};

/// Which part is not what SQS says, if any. An MD5 that SQS does not tell is not checked.
pub(super) fn differs(
    body: &str,
    attributes: &BTreeMap<String, AttributeValue>,
    md5_of_body: Option<&str>,
    md5_of_attributes: Option<&str>,
) -> Option<&'static str> {
    let other = |told: Option<&str>, hash: &dyn Fn() -> String| {
        told.is_some_and(|told| !told.is_empty() && !told.eq_ignore_ascii_case(&hash()))
    };
    if other(md5_of_body, &|| hex(&Md5::digest(body.as_bytes()))) {
        return Some("body");
    }
    other(md5_of_attributes, &|| of_attributes(attributes)).then_some("attribute")
}

/// As the SQS Developer Guide has it ("Calculating the MD5 message digest for message attributes"): by name, each part
/// with its length in four bytes before it, and a byte that tells text from binary.
fn of_attributes(attributes: &BTreeMap<String, AttributeValue>) -> String {
    let mut hash = Md5::new();
    let mut part = |lead: &[u8], bytes: &[u8]| {
        hash.update(lead);
        // A message is 1 MiB at most.
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };
    for (name, value) in attributes {
        part(&[], name.as_bytes());
        part(&[], value.data_type.as_bytes());
        match &value.payload {
            Payload::Text(text) => part(&[1], text.as_bytes()),
            Payload::Binary(bytes) => part(&[2], bytes),
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From an independent computation (Python's hashlib, by the guide's description).
    #[test]
    fn attributes_hash_as_the_guide_says() {
        let text = AttributeValue { data_type: "Number.int".into(), payload: Payload::Text("42".into()) };
        let binary = AttributeValue { data_type: "Binary".into(), payload: Payload::Binary(vec![0, 255, 7]) };
        let attributes = BTreeMap::from([("b".to_owned(), binary), ("a".to_owned(), text)]);
        assert_eq!(of_attributes(&attributes), "d0c10d62f0814a5bde7a1ba7c42894c4");
    }

    #[test]
    fn what_is_not_told_is_not_checked() {
        assert_eq!(differs("x", &BTreeMap::new(), None, Some("")), None);
        assert_eq!(differs("x", &BTreeMap::new(), Some("9DD4E461268C8034F5C8564E155C67A6"), None), None);
        assert_eq!(differs("y", &BTreeMap::new(), Some("9dd4e461268c8034f5c8564e155c67a6"), None), Some("body"));
    }
}
