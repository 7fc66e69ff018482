//! Envelopes: what frameworks and teams wrap their messages in, and where the type, the error and the content stand in it.

use super::environment::glob;

/// Where something stands in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointer {
    /// Names of a JSON pointer into the body, each as it is, without `~0` and `~1`.
    Body(Vec<String>),
    /// A message attribute, or what names of a JSON pointer lead to in its text.
    Attribute(String, Vec<String>),
}

impl Pointer {
    /// A JSON pointer into the body (`/meta/kind`), an attribute's name (`JavaType`), or both (`headers/kind`).
    pub fn parse(text: &str) -> Self {
        let names = |pointer: &str| pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        match text.split_once('/') {
            Some(("", pointer)) => Self::Body(names(pointer)),
            Some((attribute, pointer)) => Self::Attribute(attribute.to_owned(), names(pointer)),
            None => Self::Attribute(text.to_owned(), Vec::new()),
        }
    }
}

/// What a message must have to be in an envelope: something at a place, or a certain text there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    pub at: Pointer,
    /// Text with `*` for any characters; none: anything but null.
    pub is: Option<String>,
}

impl Sign {
    /// `/meta/kind`, or `/Type=Notification`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((at, is)) => Self { at: Pointer::parse(at), is: Some(is.to_owned()) },
            None => Self { at: Pointer::parse(text), is: None },
        }
    }

    pub fn fits(&self, text: &str) -> bool {
        self.is.as_ref().is_none_or(|pattern| glob(pattern, text))
    }
}

/// How one framework or team wraps its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub name: String,
    /// All of these are there.
    pub when: Vec<Sign>,
    /// The type of event or job: what is found at these places, with a blank between.
    pub kind: Vec<Pointer>,
    /// The same where neither this nor what is wrapped says a type.
    pub kind_otherwise: Vec<Pointer>,
    /// What is wrapped; the first place where something is.
    pub content: Vec<Pointer>,
    /// The error's text; the first place where some is.
    pub error: Vec<Pointer>,
    /// The error's code; the first place where some is.
    pub code: Vec<Pointer>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_signs_are_read() {
        let body = |names: &[&str]| Pointer::Body(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(Pointer::parse("/a~1b/c~0d"), body(&["a/b", "c~d"]));
        assert_eq!(Pointer::parse("JavaType"), Pointer::Attribute("JavaType".to_owned(), Vec::new()));
        assert_eq!(Pointer::parse("meta/a"), Pointer::Attribute("meta".to_owned(), vec!["a".to_owned()]));
        let sign = Sign::parse("/Type=Noti*");
        assert_eq!(sign.at, body(&["Type"]));
        assert!(sign.fits("Notification") && !sign.fits("Other"));
        assert!(Sign::parse("/Type").fits(""));
    }
}
