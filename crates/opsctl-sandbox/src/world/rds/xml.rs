//! A writer of XML documents, for answers.

use quick_xml::escape::escape;

#[derive(Debug, Default)]
pub(in crate::world) struct Xml(String);

impl Xml {
    pub(in crate::world) fn of(name: &str, inside: impl FnOnce(&mut Self)) -> Self {
        let mut xml = Self::default();
        xml.element(name, inside);
        xml
    }

    pub(in crate::world) fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        let value = value.to_string();
        // XML 1.0 has no way to write other control characters.
        let value: String =
            value.chars().filter(|character| *character >= ' ' || matches!(character, '\t' | '\n' | '\r')).collect();
        self.0.push_str(&format!("<{name}>{}</{name}>", escape(value.as_str())));
        self
    }

    pub(in crate::world) fn maybe(&mut self, name: &str, value: Option<impl ToString>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    pub(in crate::world) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push_str(&format!("<{name}>"));
        inside(self);
        self.0.push_str(&format!("</{name}>"));
        self
    }

    pub(in crate::world) fn into_string(self) -> String {
        self.0
    }
}
