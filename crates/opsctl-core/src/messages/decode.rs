//! What is encoded in a text: JSON in a string, base64 of text, of JSON or of what gzip and zlib packed, objects that Java and PHP
//! serialised. One reading for the console, for failure groups and for filters.

use std::io::Read;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use flate2::read::{GzDecoder, ZlibDecoder};

use super::json::is_json;

/// Shorter texts are words, also where they could be base64 of a text.
const BASE64_BYTES_MIN: usize = 16;
/// The same of JSON, which no word happens to be.
const JSON_BYTES_MIN: usize = 8;
/// The most that is unpacked, in bytes: a kilobyte can hold gigabytes.
const UNPACKED_BYTES_MAX: u64 = 4 * 1_048_576;
/// How often what is decoded is decoded again.
pub const DEPTH_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    JsonString,
    Lines,
    JsonBase64,
    TextBase64,
    JsonGzip,
    TextGzip,
}

impl Encoded {
    pub fn words(self) -> &'static str {
        match self {
            Self::JsonString => "JSON in a string",
            Self::Lines => "several lines",
            Self::JsonBase64 => "JSON in base64",
            Self::TextBase64 => "text in base64",
            Self::JsonGzip => "JSON, packed and in base64",
            Self::TextGzip => "text, packed and in base64",
        }
    }

    /// How it is named among envelopes; none: it is written as it is.
    pub(super) fn layer(self) -> Option<&'static str> {
        match self {
            Self::JsonString | Self::Lines => None,
            Self::JsonBase64 | Self::TextBase64 => Some("base64"),
            Self::JsonGzip | Self::TextGzip => Some("gzip"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    pub how: Encoded,
    pub text: String,
    pub is_json: bool,
}

/// What is encoded in the text of a string, if anything is.
pub fn decode(text: &str) -> Option<Decoded> {
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '[']) && is_json(trimmed) {
        return Some(Decoded { how: Encoded::JsonString, text: trimmed.to_owned(), is_json: true });
    }
    if is_json_string(trimmed) {
        let inner: String = serde_json::from_str(trimmed).ok()?;
        return decode(&inner);
    }
    // Encoders of MIME break base64 into lines of 76 characters.
    match trimmed.contains('\n') {
        true => {
            from_lines(trimmed).or_else(|| Some(Decoded { how: Encoded::Lines, text: text.to_owned(), is_json: false }))
        }
        false => from_base64(trimmed),
    }
}

/// A text that is a JSON string, in which JSON may lie again.
fn is_json_string(text: &str) -> bool {
    text.len() > 2 && text.starts_with('"') && text.ends_with('"') && is_json(text)
}

fn from_lines(text: &str) -> Option<Decoded> {
    let long_lines = text.lines().rev().skip(1).all(|line| line.trim_end().len() >= 60);
    let joined: String = text.lines().map(str::trim).collect();
    long_lines.then(|| from_base64(&joined)).flatten()
}

/// Only what is surely text: random words decode to bytes that are none.
pub fn from_base64(text: &str) -> Option<Decoded> {
    let bytes = base64_bytes(text)?;
    let (bytes, is_packed) = match unpacked(&bytes) {
        Some(unpacked) => (unpacked, true),
        None => (bytes, false),
    };
    let decoded = String::from_utf8(bytes).ok()?;
    let is_readable = |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    if !decoded.chars().all(is_readable) || decoded.is_empty() {
        return None;
    }
    let is_json = decoded.trim().starts_with(['{', '[', '"']) && is_json(decoded.trim());
    if text.len() < BASE64_BYTES_MIN && !is_json {
        return None;
    }
    let how = match (is_json, is_packed) {
        (true, false) => Encoded::JsonBase64,
        (false, false) => Encoded::TextBase64,
        (true, true) => Encoded::JsonGzip,
        (false, true) => Encoded::TextGzip,
    };
    Some(Decoded { how, text: decoded, is_json })
}

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    // `{` and `[` begin like this.
    let may_be_json = text.len() >= JSON_BYTES_MIN && text.starts_with(['e', 'W', 'I']);
    if !(text.len() >= BASE64_BYTES_MIN || may_be_json) || !text.bytes().all(is_sign) {
        return None;
    }
    let engines = [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(text).ok())
}

/// What gzip or zlib packed, whole; none where it is neither, is damaged, or is too much.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, 8, ..] => Box::new(GzDecoder::new(bytes)),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Box::new(ZlibDecoder::new(bytes)),
        _ => return None,
    };
    let mut out = Vec::new();
    reader.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut out).ok()?;
    (out.len() as u64 <= UNPACKED_BYTES_MAX).then_some(out)
}

/// The class of an object that Java serialised and base64 carries, or that PHP serialised; or the root element of an XML document.
pub(super) fn class_of(text: &str) -> Option<String> {
    let text = text.trim_start();
    xml_root(text).or_else(|| php_class(text)).or_else(|| java_class(&base64_bytes(text.trim_end())?))
}

fn xml_root(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('<').map(|_| text)?;
    for (opens, closes) in [("<?", "?>"), ("<!--", "-->"), ("<!", ">"), ("<!--", "-->")] {
        if rest.starts_with(opens) {
            rest = rest.split_once(closes)?.1.trim_start();
        }
    }
    let name: String = rest.strip_prefix('<')?.chars().take_while(|letter| is_name(*letter)).take(120).collect();
    let closes = text.trim_end().ends_with('>');
    // Without its prefix, which everybody chooses anew.
    let local = name.rsplit(':').next().unwrap_or_default().to_owned();
    (closes && local.starts_with(|first: char| first.is_alphabetic())).then_some(local)
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':')
}

/// `O:20:"App\Message\OrderPaid":1:{...}`; of Symfony's envelope the message in it.
fn php_class(text: &str) -> Option<String> {
    let class = |text: &str| -> Option<String> {
        let (length, rest) = text.strip_prefix("O:")?.split_once(':')?;
        length.parse::<u32>().ok()?;
        // Symfony escapes what it serialises once more.
        let name = rest.trim_start_matches('\\').strip_prefix('"')?;
        let end = name.find('"')?;
        let name = name[..end].trim_end_matches('\\').replace("\\\\", "\\");
        name.chars().all(|letter| is_name(letter) || letter == '\\').then_some(name)
    };
    let outer = class(text)?;
    if outer != "Symfony\\Component\\Messenger\\Envelope" {
        return Some(outer);
    }
    let inner = text.match_indices("O:").skip(1).filter_map(|(at, _)| class(&text[at..]));
    // Its stamps stand before the message.
    inner.filter(|name| !name.starts_with("Symfony\\Component\\Messenger\\Stamp\\")).last().or(Some(outer))
}

/// `AC ED 00 05 73 72`, then the class's name behind two bytes of its length (Java Object Serialization Specification).
fn java_class(bytes: &[u8]) -> Option<String> {
    let [0xac, 0xed, 0, 5, 0x73, 0x72, high, low, rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let name = String::from_utf8(rest.get(..length)?.to_vec()).ok()?;
    name.chars().all(|letter| is_name(letter) || letter == '$').then_some(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };

    use super::*;

    fn gzip(text: &str) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("packed");
        STANDARD.encode(encoder.finish().expect("packed"))
    }

    #[test]
    fn what_is_encoded_is_found_and_other_text_left_alone() {
        let how = |text: &str| decode(text).map(|decoded| decoded.how.words());
        assert_eq!(how(r#"{"a":1}"#), Some("JSON in a string"));
        assert_eq!(how(r#""{\"a\":1}""#), Some("JSON in a string"));
        assert_eq!(how("a\nb"), Some("several lines"));
        assert_eq!(how(&STANDARD.encode("it is some text")), Some("text in base64"));
        assert_eq!(how(&URL_SAFE_NO_PAD.encode(r#"{"a": "???>>>"}"#)), Some("JSON in base64"));
        assert_eq!(how("eyJpZCI6N30="), Some("JSON in base64"));
        assert_eq!(how(&gzip(r#"{"a": 1}"#)), Some("JSON, packed and in base64"));
        assert_eq!(how(&gzip("plain text")), Some("text, packed and in base64"));
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"[1, 2, 3]").expect("packed");
        assert_eq!(how(&STANDARD.encode(zlib.finish().expect("packed"))), Some("JSON, packed and in base64"));
        let long = STANDARD.encode(format!(r#"{{"a": "{}"}}"#, "x".repeat(200)));
        let lines: Vec<&str> =
            long.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("text")).collect();
        assert_eq!(how(&lines.join("\r\n")), Some("JSON in base64"));
        for plain in [
            "",
            "12",
            "PaymentDeclined",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "6f1d3f1e-0000-4000-8000-000000000001",
            "{x",
        ] {
            assert_eq!(how(plain), None, "{plain}");
        }
        assert_eq!(from_base64(&STANDARD.encode("\u{1b}[2J and more of it")), None);
    }

    #[test]
    fn what_unpacks_to_too_much_is_left_packed() {
        let bomb = gzip(&" ".repeat(UNPACKED_BYTES_MAX as usize + 1));
        assert!(bomb.len() < 20_000);
        assert_eq!(decode(&bomb), None);
    }

    #[test]
    fn classes_of_serialised_objects_are_named() {
        let java = [b"\xac\xed\x00\x05sr\x00\x0dcom.acme.Paid".as_slice(), &[0; 12]].concat();
        for (text, class) in [
            (STANDARD.encode(java), Some("com.acme.Paid")),
            (r#"O:20:"App\Message\OrderPaid":1:{s:2:"id";i:7;}"#.to_owned(), Some(r"App\Message\OrderPaid")),
            (
                r#"O:36:\"Symfony\\Component\\Messenger\\Envelope\":2:{s:44:\"stamps\";a:1:{O:46:\"Symfony\\Component\\Messenger\\Stamp\\BusNameStamp\":1:{}}s:45:\"message\";O:21:\"App\\Message\\SendMail\":1:{}}"#.to_owned(),
                Some(r"App\Message\SendMail"),
            ),
            ("<?xml version=\"1.0\"?>\n<!-- c -->\n<ns:OrderPlaced xmlns:ns=\"x\"><id>1</id></ns:OrderPlaced>".to_owned(), Some("OrderPlaced")),
            ("<3 this".to_owned(), None),
            ("O:x".to_owned(), None),
            ("plain".to_owned(), None),
        ] {
            assert_eq!(class_of(&text).as_deref(), class, "{text}");
        }
    }
}
