//! Lists of ids as people have them: one a line, as the AWS CLI, jq, SQL clients, spreadsheets and editors write them. What is no id
//! is refused with its line: a list that was understood in part would do something else than was meant.

mod json;
mod text;

use std::{collections::HashSet, fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

use super::{OperationError, plan::Plan};
use crate::domain::{MessageId, Text, Try, message::hex};

const BYTES_MAX: u64 = 64 * 1_048_576;
/// What is shown of a word that is no id.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// Ids of one kind: what they look like, and how the fields and columns are called in which they stand.
#[derive(Debug, Clone)]
pub(super) struct Ids<'a> {
    /// In words: `message id`.
    what: &'a str,
    /// Whether they are SQS's: of one look, which tells them from all else.
    is_of_messages: bool,
    /// Names in lower case, letters and digits alone; the first that is there counts. With several columns, one for each.
    names: Vec<String>,
    /// How many columns an id has.
    columns: usize,
    check: fn(&str) -> Result<String, Wrong>,
}

/// Why a word is no id.
type Wrong = String;

/// What is wrong with a list, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    line: usize,
    because: String,
}

/// One id: a word for each of its columns.
type Id = Vec<String>;

/// An id that was found, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    line: usize,
    id: Id,
}

/// The message ids in a file.
///
/// # Errors
/// A file that can't be read, names no message, or has something in it that is no message id.
pub(super) fn messages(path: &Path) -> Result<Vec<MessageId>, OperationError> {
    let names = ["messageid", "sqsmessageid", "id"].map(str::to_owned).to_vec();
    let ids = Ids { what: "message id", is_of_messages: true, names, columns: 1, check: message_id };
    let found = ids.read(path, BYTES_MAX)?;
    Ok(found.into_iter().map(|id| MessageId(id.concat())).collect())
}

/// The same as a set.
///
/// # Errors
/// As [`messages`].
pub(super) fn listed(path: &Path) -> Result<HashSet<MessageId>, OperationError> {
    Ok(messages(path)?.into_iter().collect())
}

/// A plan rests on the ids that were given.
pub(super) fn observe(ids: Option<&HashSet<MessageId>>, plan: &mut Plan) {
    if let Some(ids) = ids {
        let mut ids: Vec<_> = ids.iter().map(|id| id.0.as_str()).collect();
        ids.sort_unstable();
        plan.observe("ids", hex(&Sha256::digest(ids.join("\n"))));
    }
}

/// The ids of rows in a file: each has a text for each of these columns.
///
/// # Errors
/// As [`messages`].
pub(super) fn rows(path: &Path, columns: &[String], bytes_max: u64) -> Result<Vec<Vec<String>>, OperationError> {
    let names = columns.iter().map(|name| plain(name)).collect();
    Ids { what: "row id", is_of_messages: false, names, columns: columns.len(), check: row_id }.read(path, bytes_max)
}

impl Ids<'_> {
    /// Each id once, in the file's order.
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<Id>, OperationError> {
        let cannot = |because: &str| self.unusable(path, because);
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| cannot(&error.to_string()))?;
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error.to_string()))?;
        if bytes.len() as u64 > bytes_max {
            return Err(cannot(&format!("it is larger than {} MiB", bytes_max / 1_048_576)));
        }
        let text = as_text(bytes).ok_or_else(|| cannot("it is not a text"))?;
        let found = self.list(&text).map_err(|Refused { line, because }| cannot(&format!("line {line}: {because}")))?;
        if found.is_empty() {
            return Err(cannot(&format!("it has no {} in it", self.what)));
        }
        Ok(found)
    }

    fn unusable(&self, path: &Path, because: &str) -> OperationError {
        let what = format!("the {}s in {} can't be used: {because}", self.what, path.display());
        let hint = match self.columns {
            1 => {
                "give one id a line, a list with commas, JSON as `aws` and `jq` print it, or a CSV file with a column of ids"
            }
            _ => "give one id a line with its columns separated by commas, JSON, or a CSV file with these columns",
        };
        OperationError::usage(&what, Try::MendFile.says(hint))
    }

    fn list(&self, text: &str) -> Result<Vec<Id>, Refused> {
        let text = text.trim_start_matches('\u{feff}');
        let found = match json::documents(text) {
            Some(documents) => json::ids(self, text, &documents)?,
            None => match json::cut_off(text) {
                Some(refused) => return Err(refused),
                None => text::ids(self, text)?,
            },
        };
        self.alike(&found)?;
        let mut seen = HashSet::new();
        Ok(found.into_iter().map(|found| found.id).filter(|id| seen.insert(id.clone())).collect())
    }

    fn word(&self, word: &str, line: usize) -> Result<String, Refused> {
        (self.check)(word.trim()).map_err(|because| Refused { line, because })
    }

    /// Whether a field or column of this name has the id, and of which of its columns; less is surer.
    fn named(&self, name: &str) -> Option<usize> {
        let name = plain(name);
        self.names.iter().position(|known| *known == name)
    }

    /// Rows have ids of one sort. A word among numbers is a heading, or a mistake.
    fn alike(&self, found: &[Found]) -> Result<(), Refused> {
        let number = |text: &String| text.parse::<i128>().is_ok();
        for column in 0..self.columns {
            let words = || found.iter().filter_map(|found| Some((found.line, found.id.get(column)?)));
            let numbers = words().filter(|(_, word)| number(word)).count();
            let uuids = words().filter(|(_, word)| is_uuid(word)).count();
            let (sort, is_of): (&str, fn(&String) -> bool) = match (numbers, uuids) {
                (numbers, uuids) if numbers > uuids => ("numbers", |word| word.parse::<i128>().is_ok()),
                _ => ("UUIDs", |word| is_uuid(word)),
            };
            let of_sort = numbers.max(uuids);
            if of_sort * 2 <= found.len() {
                continue;
            }
            if let Some((line, odd)) = words().find(|(_, word)| !is_of(word)) {
                let names = self.names.join(", ");
                let because = format!(
                    "`{}` is not an id like the others, which are {sort}; if it is a heading, name the column {names}",
                    shown(odd)
                );
                return Err(Refused { line, because });
            }
        }
        Ok(())
    }
}

/// UTF-8, or UTF-16 as Windows' tools write it.
fn as_text(bytes: Vec<u8>) -> Option<String> {
    let units = |pair: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes[2..].as_chunks::<2>().0.iter().map(|bytes| pair(*bytes)).collect()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes)).ok(),
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes)).ok(),
        _ => String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')),
    }
}

/// A name in lower case, letters and digits alone.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn shown(word: &str) -> String {
    Text::capped(word, SHOWN_CHARACTERS_MAX).to_string()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// SQS's message ids are UUIDs in lower case.
fn message_id(word: &str) -> Result<String, Wrong> {
    let bare = word.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    if is_uuid(bare) {
        return Ok(bare.to_ascii_lowercase());
    }
    let is_hex = |length| word.len() == length && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let looks_like = "a message id looks like 6f1d3f1e-0000-4000-8000-000000000001";
    let odd = match word {
        _ if word.starts_with("AQEB") && word.len() > 60 => {
            " is a receipt handle; the message id stands beside it as `MessageId`"
        }
        _ if is_hex(32) => " is an MD5, of a body for instance; the message id stands beside it as `MessageId`",
        _ if is_hex(64) => " is a hash",
        _ if word.starts_with("arn:") => " is an ARN",
        _ if word.len() > 8 && word.len() < 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') => {
            " is cut off, or not a message id"
        }
        _ => " is not a message id",
    };
    Err(format!("`{}`{odd}: {looks_like}", shown(word)))
}

fn row_id(word: &str) -> Result<String, Wrong> {
    match word.is_empty() {
        true => Err("an id is empty".to_owned()),
        false => Ok(word.to_owned()),
    }
}

#[cfg(test)]
mod tests;
