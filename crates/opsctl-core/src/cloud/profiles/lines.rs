//! Lines of AWS's configuration files, read so that a mistake in one place takes away no more than that place.
//!
//! As the AWS CLI reads them (Python's `configparser`): `=` or `:` between key and value, blanks around both, comments on lines of
//! their own, indented lines belong to the value above. And as the SDKs do ("Format of the shared config and credentials files"): a
//! comment may follow a value behind a blank. Where those tools refuse the whole file, this remembers a [`Mistake`] and reads on.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Something that could not be read. Shows place and what is wrong, without the line's text: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub path: PathBuf,
    /// The first line is 1; none: the file as a whole.
    pub line: Option<usize>,
    pub what: &'static str,
}

impl Mistake {
    /// `line 12 of ~/.aws/config`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("line {line} of {}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place(), self.what)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Config,
    Credentials,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heading {
    Profile(String),
    SsoSession(String),
    Services(String),
    /// Of something else, or not to be understood: nothing in it is a profile's.
    Other,
}

/// `Debug` hides values.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) value: String,
    pub(super) file: FileKind,
    /// Lines that are indented below a key without a value.
    pub(super) nested: BTreeMap<String, String>,
}

impl fmt::Debug for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Property").field("file", &self.file).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) heading: Heading,
    pub(super) properties: BTreeMap<String, Property>,
    pub(super) mistakes: Vec<Mistake>,
}

const CONTINUES: &str = "it is indented, so the AWS CLI reads it as part of the value above: remove the leading spaces";
const NO_VALUE: &str = "it has no `=`";
const NO_KEY: &str = "it has no name before the `=`";
const NO_HEADING: &str = "it is before the first section";
const NOT_CLOSED: &str = "the section name has no closing `]`";
const NO_PREFIX: &str = "a section of this file is written [profile NAME]";
const PREFIX: &str = "a section of this file is written [NAME], without `profile`";
const NO_NAME: &str = "the section has no name";

pub(super) fn read(text: &str, path: &Path, file: FileKind) -> (Vec<Section>, Vec<Mistake>) {
    let mut reader = Reader { path, file, sections: Vec::new(), before: Vec::new(), open: None };
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let told = line.trim();
        if told.is_empty() || told.starts_with(['#', ';']) {
            continue;
        }
        match told.strip_prefix('[') {
            Some(rest) => reader.heading(number, rest),
            None => reader.property(number, line),
        }
    }
    (reader.sections, reader.before)
}

struct Reader<'a> {
    path: &'a Path,
    file: FileKind,
    sections: Vec<Section>,
    /// Mistakes that are of no section.
    before: Vec<Mistake>,
    /// The key that indented lines belong to, and how far it is indented itself.
    open: Option<(String, usize)>,
}

impl Reader<'_> {
    fn mistake(&mut self, line: usize, what: &'static str) {
        let mistake = Mistake { path: self.path.to_path_buf(), line: Some(line), what };
        match self.sections.last_mut().filter(|section| section.heading != Heading::Other) {
            Some(section) => section.mistakes.push(mistake),
            None => self.before.push(mistake),
        }
    }

    fn heading(&mut self, number: usize, rest: &str) {
        self.open = None;
        let heading = closed(rest).ok_or(NOT_CLOSED).and_then(|inside| meaning(inside.trim(), self.file));
        let (heading, what) = match heading {
            Ok(heading) => (heading, None),
            Err(what) => (Heading::Other, Some(what)),
        };
        self.sections.push(Section { heading, properties: BTreeMap::new(), mistakes: Vec::new() });
        if let Some(what) = what {
            self.mistake(number, what);
        }
    }

    fn property(&mut self, number: usize, line: &str) {
        let indent = line.len() - line.trim_start().len();
        let Some(section) = self.sections.last_mut() else { return self.mistake(number, NO_HEADING) };
        let belongs = self.open.as_ref().filter(|(_, own)| indent > *own).map(|(key, _)| key.clone());
        let (key, value) = match line.split_once(['=', ':']) {
            None => {
                let what = if belongs.is_some() { CONTINUES } else { NO_VALUE };
                return self.mistake(number, what);
            }
            Some((key, value)) => (key.trim().to_ascii_lowercase(), value.trim()),
        };
        if key.is_empty() {
            return self.mistake(number, NO_KEY);
        }
        // A shell takes its comments out of a command itself, and knows which are none.
        let value = if key == "credential_process" { value } else { without_comment(value) };
        if let Some(above) = belongs {
            match section.properties.get_mut(&above).filter(|above| above.value.is_empty()) {
                Some(above) => drop(above.nested.insert(key, value.to_owned())),
                None => self.mistake(number, CONTINUES),
            }
            return;
        }
        let property = Property { value: value.to_owned(), file: self.file, nested: BTreeMap::new() };
        section.properties.insert(key.clone(), property);
        self.open = Some((key, indent));
    }
}

/// What stands before the first `]` that is not within quotes.
fn closed(rest: &str) -> Option<&str> {
    let mut quote = None;
    for (at, mark) in rest.char_indices() {
        match (mark, quote) {
            (']', None) => return Some(&rest[..at]),
            ('"' | '\'', None) => quote = Some(mark),
            (mark, Some(open)) if mark == open => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed is a part of the name.
    rest.find(']').map(|at| &rest[..at])
}

fn meaning(heading: &str, file: FileKind) -> Result<Heading, &'static str> {
    if heading.is_empty() {
        return Err(NO_NAME);
    }
    let (first, name) = heading.split_once(char::is_whitespace).unwrap_or((heading, ""));
    let name = unquoted(name.trim());
    let named = |of: fn(String) -> Heading| if name.is_empty() { Err(NO_NAME) } else { Ok(of(name.to_owned())) };
    match (file, first) {
        (FileKind::Credentials, "profile") if !name.is_empty() => Err(PREFIX),
        (FileKind::Credentials, _) => Ok(Heading::Profile(unquoted(heading).to_owned())),
        (FileKind::Config, "profile") => named(Heading::Profile),
        (FileKind::Config, "sso-session") => named(Heading::SsoSession),
        (FileKind::Config, "services") => named(Heading::Services),
        (FileKind::Config, "default") if name.is_empty() => Ok(Heading::Profile("default".to_owned())),
        (FileKind::Config, "plugins" | "preview" | "toplevel" | "crt") => Ok(Heading::Other),
        (FileKind::Config, _) => Err(NO_PREFIX),
    }
}

fn unquoted(name: &str) -> &str {
    let within = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(name)
}

/// A comment begins with `#` or `;` behind a blank.
fn without_comment(value: &str) -> &str {
    let mut is_blank = false;
    for (at, mark) in value.char_indices() {
        if is_blank && matches!(mark, '#' | ';') {
            return value[..at].trim_end();
        }
        is_blank = mark == ' ' || mark == '\t';
    }
    if value.starts_with(['#', ';']) { "" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (Vec<Section>, Vec<Mistake>) {
        read(text, Path::new("config"), FileKind::Config)
    }

    fn value<'a>(sections: &'a [Section], name: &str, key: &str) -> Option<&'a str> {
        let is_it = |section: &&Section| section.heading == Heading::Profile(name.to_owned());
        Some(sections.iter().find(is_it)?.properties.get(key)?.value.as_str())
    }

    /// What people's files look like: each profile of the last column is read well, whatever else stands there.
    #[test]
    fn a_mistake_in_one_profile_leaves_the_others() {
        let good = "[profile good]\nregion = eu-west-1\n";
        for (bad, line, what) in [
            ("[profile bad]\nregion = x\n  output = json\n", 3, CONTINUES),
            ("[profile bad]\nregion = x\n  and more\n", 3, CONTINUES),
            ("[profile bad]\nregion\n", 2, NO_VALUE),
            ("[profile bad]\n= x\n", 2, NO_KEY),
            ("[profile bad\nregion = x\n", 1, NOT_CLOSED),
            ("[bad]\nregion = x\n", 1, NO_PREFIX),
            ("[profile ]\nregion = x\n", 1, NO_NAME),
            ("[]\nregion = x\n", 1, NO_NAME),
            ("region = x\n", 1, NO_HEADING),
            ("<<<<<<< HEAD\n", 1, NO_HEADING),
        ] {
            let orders = [format!("{bad}{good}"), format!("{good}{bad}")];
            // Lines without a heading of their own are of the section above.
            let orders = if bad.starts_with('[') { &orders[..] } else { &orders[..1] };
            for text in orders {
                let (sections, before) = config(text);
                assert_eq!(value(&sections, "good", "region"), Some("eu-west-1"), "{text}");
                let mut mistakes: Vec<&Mistake> =
                    sections.iter().flat_map(|section| &section.mistakes).chain(&before).collect();
                mistakes.retain(|mistake| mistake.what == what);
                if text.starts_with(bad) {
                    assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [Some(line)], "{text}");
                }
            }
        }
    }

    #[test]
    fn names_and_values_are_read_as_the_aws_cli_reads_them() {
        let text = "\u{feff}# a comment\r\n[default]\r\nregion=eu-west-1\r\n[profile \"two words\"] # more\nREGION : a # x\n\
                    [profile 'single']\nregion = b\n[profile ann@example.com]\nregion = c;d ; e\n\
                    [ profile\tblanks ]\nregion = d\n; note\n  # note\n[profile indented]\n  region = e\n  output = json\n\
                    [profile nested]\ns3 =\n  region = no\nregion = f\n[profile three plain words]\nregion = g\n\
                    [profile helper]\ncredential_process = sh -c \"a # b\" # c\nregion =   # nothing\n\
                    [profile a]b]\nregion = h\n[profile \"c]d\"]\nregion = i\n";
        let (sections, before) = config(text);
        for (name, key, wanted) in [
            ("default", "region", Some("eu-west-1")),
            ("two words", "region", Some("a")),
            ("single", "region", Some("b")),
            ("ann@example.com", "region", Some("c;d")),
            ("blanks", "region", Some("d")),
            ("indented", "region", Some("e")),
            ("indented", "output", Some("json")),
            ("nested", "region", Some("f")),
            ("three plain words", "region", Some("g")),
            ("helper", "credential_process", Some("sh -c \"a # b\" # c")),
            ("helper", "region", Some("")),
            ("a", "region", Some("h")),
            ("c]d", "region", Some("i")),
        ] {
            assert_eq!(value(&sections, name, key), wanted, "{name} {key}");
        }
        assert_eq!(before, []);
        assert!(sections.iter().all(|section| section.mistakes.is_empty()), "{sections:?}");
    }

    #[test]
    fn the_credentials_file_has_names_without_a_prefix() {
        let text = "[ann@example.com]\naws_access_key_id = A\n[\"two words\"]\naws_access_key_id = B\n[two words]\nx = 1\n\
                    [profile no]\naws_access_key_id = C\n";
        let (sections, before) = read(text, Path::new("credentials"), FileKind::Credentials);
        assert_eq!(value(&sections, "ann@example.com", "aws_access_key_id"), Some("A"));
        assert_eq!(value(&sections, "two words", "aws_access_key_id"), Some("B"));
        assert_eq!(value(&sections, "no", "aws_access_key_id"), None);
        assert_eq!(before.iter().map(|mistake| mistake.what).collect::<Vec<_>>(), [PREFIX]);
        assert!(!format!("{sections:?}").contains("\"A\""), "values are nobody's to see");
    }
}
