//! The person's editor, and the way to the shell: both have the terminal for themselves meanwhile.

use std::io::{Read, Seek, SeekFrom, Write};

use super::effect::Edit;
use crate::{domain::Text, messages::split_words, run::Failure};

/// Largest text taken back, in bytes.
const BYTES_MAX: u64 = 4 * 1_048_576;

/// Lets the person edit text in a file that only they can read, in a folder of its own. Answers with the new text, or
/// nothing where it is as it was.
pub(super) async fn edit(edit: Edit, editor: Option<&str>) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| {
        failure(
            &format!("the file to edit could not be written: {error}"),
            "make room in the folder for temporary files",
        )
    };
    let Some(editor) = editor.filter(|editor| !editor.trim().is_empty()) else {
        return Err(failure("no editor is named", "set EDITOR, to `vi` for instance"));
    };
    // tempfile makes folders 0700 and files 0600, and never takes one that is there.
    let folder = tempfile::tempdir().map_err(failed)?;
    let mut file =
        tempfile::Builder::new().prefix("message-").suffix(edit.suffix).tempfile_in(folder.path()).map_err(failed)?;
    file.write_all(edit.text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    let words =
        split_words(editor).map_err(|because| failure(&because, "set EDITOR to a program and its arguments"))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(failure("no editor is named", "set EDITOR, to `vi` for instance"));
    };
    let status =
        tokio::process::Command::new(program).args(arguments).arg(file.path()).status().await.map_err(|error| {
            failure(&format!("{program} can't be started: {error}"), "set EDITOR to a program that is there")
        })?;
    if !status.success() {
        return Err(failure(&format!("{program} ended with {status}: nothing was changed"), "edit again"));
    }
    // Editors may have put another file in its place: it is opened anew.
    let mut text = String::new();
    let mut reader = std::fs::File::open(file.path()).map_err(failed)?;
    reader.seek(SeekFrom::Start(0)).map_err(failed)?;
    reader.take(BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok((text != edit.text).then_some(text))
}

/// Stops this process as Ctrl-Z would, until the shell wakes it again.
pub(super) async fn suspend() {
    // The shell waits for the whole group, a script around this program included.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    // The signal comes a moment after the call; when this goes on, the process has been woken again.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

fn failure(what: &str, hint: &str) -> Failure {
    Failure { what: Text::line(what), hint: Text::line(hint) }
}
