//! Keeps evidence in the run's folder, in files that their owner alone can read.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    EvidenceKind, Kind,
    cloud::Cloud,
    course::Kept,
    domain::{Text, message::hex},
    evidence::{self, Evidence},
    things::Wanted,
};

/// Takes evidence down, each piece in a file of its own. What can't be written is said, and nothing is held up by it.
pub(super) async fn keep(
    cloud: &Cloud,
    things: &[(String, Kind, String)],
    which: &[EvidenceKind],
    (folder, step): (&Path, &str),
) -> Vec<Kept> {
    let wanted: Vec<Wanted> = things.iter().map(|(word, kind, name)| Wanted::new(word, *kind, name)).collect();
    let collected = evidence::collect(cloud, &wanted, which).await;
    collected.iter().map(|evidence| write(evidence, folder, step)).collect()
}

fn write(evidence: &Evidence, folder: &Path, step: &str) -> Kept {
    let Evidence { kind, about, summary, document, lost, .. } = evidence;
    let about = Text::line(&format!("{} of {about}: {summary}", kind.into_str()));
    if document.is_null() {
        return Kept { about, file: None, sha256: None, lost: lost.clone() };
    }
    let name = format!("{step}-{}", evidence.file_name());
    match written(document, folder, &name) {
        Ok(sha256) => Kept { about, file: Some(format!("evidence/{name}")), sha256: Some(sha256), lost: lost.clone() },
        Err(error) => {
            let lost = Some(Text::line(&format!("it could not be written: {error}")));
            Kept { about, file: None, sha256: None, lost }
        }
    }
}

fn written(document: &Value, folder: &Path, name: &str) -> std::io::Result<String> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let text = serde_json::to_vec_pretty(document)?;
    // Taken once more by a resume, it replaces what a crash may have cut off.
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(name))?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(hex(&Sha256::digest(&text)))
}
