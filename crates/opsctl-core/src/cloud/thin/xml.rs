//! [`Element`]: a small XML document, read whole.

use std::str::FromStr;

use aws_smithy_runtime_api::box_error::BoxError;
use jiff::Timestamp;
use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

const DEPTH_MAX: usize = 32;

/// An element, without attributes and namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cloud) struct Element {
    pub(in crate::cloud) name: String,
    /// Its own text, whole.
    pub(in crate::cloud) text: String,
    pub(in crate::cloud) children: Vec<Element>,
}

impl Element {
    /// The document's root.
    ///
    /// # Errors
    /// It is no XML, ends within an element, is nested deeper than 32 elements, or names an entity that XML itself does not define.
    pub(in crate::cloud) fn read(document: &[u8]) -> Result<Self, BoxError> {
        let mut reader = Reader::from_reader(document);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event()? {
                Event::Start(start) if open.len() <= DEPTH_MAX => open.push(Self::named(&start)?),
                Event::Start(_) => return Err("elements that are nested too deep".into()),
                Event::Empty(empty) => last(&mut open)?.children.push(Self::named(&empty)?),
                Event::End(_) => {
                    let closed = open.pop().ok_or("an end without a start")?;
                    last(&mut open)?.children.push(closed);
                }
                Event::Text(text) => last(&mut open)?.text.push_str(&text.xml10_content()?),
                Event::CData(data) => last(&mut open)?.text.push_str(&data.decode()?),
                Event::GeneralRef(reference) => {
                    let text = &mut last(&mut open)?.text;
                    match reference.resolve_char_ref()? {
                        Some(character) => text.push(character),
                        None => text.push_str(
                            resolve_predefined_entity(&reference.decode()?).ok_or("an entity that is not defined")?,
                        ),
                    }
                }
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        let [document] = &mut open[..] else { return Err("the document ends within an element".into()) };
        if document.children.len() != 1 {
            return Err("not a document of one element".into());
        }
        document.children.pop().ok_or_else(|| "an empty document".into())
    }

    /// What an answer of the query protocol holds.
    ///
    /// # Errors
    /// As [`Element::read`]; and an answer without a result.
    pub(in crate::cloud) fn result(document: &[u8]) -> Result<Self, BoxError> {
        let mut inside = Self::read(document)?.children.into_iter();
        inside.find(|child| child.name.ends_with("Result")).ok_or_else(|| "an answer without a result".into())
    }

    pub(in crate::cloud) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(in crate::cloud) fn word(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// As [`Element::word`], where it says something: emulators write what is not there as an empty text.
    pub(in crate::cloud) fn said(&self, name: &str) -> Option<&str> {
        self.word(name).filter(|word| !word.is_empty())
    }

    pub(in crate::cloud) fn number<N: FromStr>(&self, name: &str) -> Option<N> {
        self.word(name)?.parse().ok()
    }

    pub(in crate::cloud) fn is(&self, name: &str) -> bool {
        self.word(name) == Some("true")
    }

    pub(in crate::cloud) fn time(&self, name: &str) -> Option<Timestamp> {
        self.number(name)
    }

    pub(in crate::cloud) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |list| &list.children)
    }

    fn named(start: &BytesStart<'_>) -> Result<Self, BoxError> {
        let name = std::str::from_utf8(start.local_name().into_inner())?.to_owned();
        Ok(Self { name, ..Self::default() })
    }
}

/// The element that is open: at least the document is.
fn last(open: &mut [Element]) -> Result<&mut Element, BoxError> {
    open.last_mut().ok_or_else(|| "an end without a start".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_put_together_of_its_parts() {
        let root = Element::read(
            b"<?xml version=\"1.0\"?><n:a x=\"1\"><b>1 &lt;<!-- - --><![CDATA[<2>]]>&#x26;</b><c/></n:a>",
        );
        let root = root.expect("a document");
        assert_eq!((root.name.as_str(), root.word("b"), root.word("c")), ("a", Some("1 <<2>&"), Some("")));
        assert_eq!(root.word("d"), None);
    }

    #[test]
    fn what_is_cut_off_is_no_document() {
        let whole = b"<a><b>1&amp;</b><c/></a>";
        assert!(Element::read(whole).is_ok());
        for end in 0..whole.len() {
            assert!(Element::read(&whole[..end]).is_err(), "{}", String::from_utf8_lossy(&whole[..end]));
        }
    }

    #[test]
    fn what_would_cost_much_is_refused() {
        let entities = "<!DOCTYPE a [<!ENTITY b \"&c;&c;\"><!ENTITY c \"much\">]><a>&b;</a>";
        assert!(Element::read(entities.as_bytes()).is_err());
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        assert!(Element::read(deep.as_bytes()).is_err());
        for other in ["</a>", "<a></b>", "<a/><a/>", "text", "<a>\u{0}&#0;</a>", "\u{feff}"] {
            assert!(Element::read(other.as_bytes()).is_err(), "{other:?}");
        }
    }
}
