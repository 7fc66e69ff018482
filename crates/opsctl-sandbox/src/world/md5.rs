//! The MD5 digests that SQS answers with, and that the SDKs verify.

use md5::{Digest, Md5};
use serde::{Serialize, Serializer};
use sha2::Sha256;

use super::sqs::message::{Attribute, Value};
use crate::domain::message::hex;

/// An MD5 digest; serialises as hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Md5Digest(pub [u8; 16]);

impl Md5Digest {
    pub fn of(text: &str) -> Self {
        Self(Md5::digest(text.as_bytes()).into())
    }

    /// Digest of attributes: sorted by name; name, type label and value each with its length, the value with a mark of its
    /// transport type (SQS developer guide, "Calculating the MD5 message digest for message attributes").
    pub fn of_attributes<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Self {
        let mut sorted: Vec<&Attribute> = attributes.collect();
        sorted.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        let mut digest = Md5::new();
        for attribute in sorted {
            part(&mut digest, attribute.name.as_bytes());
            part(&mut digest, attribute.label.as_bytes());
            match &attribute.value {
                Value::Text(text) => {
                    digest.update([1]);
                    part(&mut digest, text.as_bytes());
                }
                Value::Binary(bytes) => {
                    digest.update([2]);
                    part(&mut digest, bytes);
                }
            }
        }
        Self(digest.finalize().into())
    }
}

fn part(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a message is at most 1 MiB");
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

impl Serialize for Md5Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

/// SHA-256 of a text in hexadecimal: what content-based deduplication takes for the id.
pub(super) fn sha256_hex(text: &str) -> Box<str> {
    hex(&Sha256::digest(text.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(digest: Md5Digest) -> String {
        serde_json::to_string(&digest).expect("text").trim_matches('"').to_owned()
    }

    fn attribute(name: &str, label: &str, value: &str) -> Attribute {
        Attribute { name: name.into(), label: label.into(), value: Value::Text(value.into()) }
    }

    #[test]
    fn digests_are_those_of_aws() {
        // Values recorded from AWS and repeated in other clients' tests.
        assert_eq!(text(Md5Digest::of("derp")), "58fd9edd83341c29f1aebba81c31e257");
        let number = attribute("timestamp", "Number", "1493147359900");
        assert_eq!(text(Md5Digest::of_attributes([&number].into_iter())), "235c5c510d26fb653d073faed50ae77c");
        let labelled = attribute("timestamp", "Number.java.lang.Long", "1493147359900");
        assert_eq!(text(Md5Digest::of_attributes([&labelled].into_iter())), "2e2e4876d8e0bd6b8c2c8f556831c349");
        let several = [
            attribute("id", "String", "453ae55e-f03b-21a6-a4b1-70c2e2e8fe71"),
            Attribute { name: "mybin".into(), label: "Binary".into(), value: Value::Binary((*b"kekchebukek").into()) },
            attribute("timestamp", "Number.java.lang.Long", "1603134247654"),
            attribute("contentType", "String", "application/json"),
        ];
        assert_eq!(text(Md5Digest::of_attributes(several.iter())), "049075255ebc53fb95f7f9f3cedf3c50");
    }
}
