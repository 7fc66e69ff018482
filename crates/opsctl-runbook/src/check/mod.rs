//! From what was written to a [`Runbook`]: every mistake at once, each in its place.

mod header;
mod names;
mod steps;
#[cfg(test)]
mod tests;

use std::{ops::Range, path::Path};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use self::names::Names;
use crate::{
    Origin, Runbook,
    document::{self, BYTES_MAX, Block},
    domain::{Text, message::hex},
    files::{Problem, Problems, shape},
    typed,
};

/// A runbook that was read, and what is to be said of it.
#[derive(Debug)]
pub struct Checked {
    /// None: there are errors.
    pub runbook: Option<Runbook>,
    pub problems: Problems,
}

/// Reads a runbook. `name` is the file's name without `.md`, `path` what it is called in messages.
pub fn check(name: &str, path: &Path, origin: Origin, text: &str) -> Checked {
    if text.len() > BYTES_MAX {
        let message = format!("the file is too large: {} bytes, at most {BYTES_MAX} are read", text.len());
        let problems = Problems::new(path, "", vec![Problem::error(0..0, message).help("split the runbook")]);
        return Checked { runbook: None, problems };
    }
    let (document, mut problems) = document::read(text);
    let header: typed::Header =
        document.header.as_ref().and_then(|block| block_of(block, &mut problems)).unwrap_or_default();
    let place = |span: Range<usize>| document.header.as_ref().map_or(span.clone(), |block| block.place(&span));
    let (header, parameters) = header::check(&header, &place, &mut problems);
    let mut names = Names::new(&parameters);
    let steps = steps::check(&document, &mut names, &mut problems);
    names.unused(&mut problems);
    let digest = hex(&Sha256::digest(text.as_bytes()));
    let problems = Problems::new(path, text, problems);
    let runbook = (problems.errors() == 0).then(|| Runbook {
        name: name.to_owned(),
        origin,
        text: text.to_owned(),
        digest,
        title: Text::line(document.title.as_ref().map_or("", |title| title.text.as_str())),
        introduction: document.introduction.clone(),
        owner: header.owner,
        last_rehearsed: header.last_rehearsed,
        recovery_time: header.recovery_time,
        applies_when: header.applies_when,
        forbids: header.forbids,
        parameters: parameters.into_iter().map(|(parameter, _)| parameter).collect(),
        steps,
    });
    Checked { runbook, problems }
}

/// A block as its type; what does not fit is told in its place in the file. None: it is not TOML.
fn block_of<T: DeserializeOwned + JsonSchema>(block: &Block, problems: &mut Vec<Problem>) -> Option<T> {
    let (value, found) = shape::read::<T>(&block.toml);
    problems.extend(found.into_iter().map(|problem| Problem { span: block.place(&problem.span), ..problem }));
    value
}
