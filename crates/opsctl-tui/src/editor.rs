//! The person's editor, and the way to the shell: both have the terminal for themselves meanwhile.

use std::{
    fs::{File, Permissions},
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::{domain::Try, messages::split_words, run::Failure, state::Edit};

/// Largest text taken back, in bytes: four times the largest message.
const BYTES_MAX: usize = 4 * 1_048_576;

/// Lets the person edit text in a file that only they can read, in a folder of its own. Answers with the new text, or
/// nothing where it is as it was.
pub async fn edit(edit: Edit, editor: Option<&str>) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            format!("the file to edit could not be written: {error}"),
            Try::MakeRoom.says("make room in the folder for temporary files"),
        )
    };
    let words = split_words(editor.unwrap_or_default()).map_err(|because| {
        Failure::new(&because, Try::SetVariable.says("set EDITOR to a program and its arguments"))
    })?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::new("no editor is named", Try::SetVariable.says("set EDITOR, to `vi` for instance")));
    };
    // Editors leave copies and exchange files in the folder with permissions of their own: nobody else gets in there.
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("opsctl-").permissions(private).tempdir().map_err(failed)?;
    // tempfile makes files 0600, and never takes one that is there.
    let mut file =
        tempfile::Builder::new().prefix("message-").suffix(edit.suffix).tempfile_in(folder.path()).map_err(failed)?;
    file.write_all(edit.text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    // Ctrl-C in the editor reaches this process too, and must not end it. In the console itself it is a key.
    let _interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(failed)?;
    let status = tokio::process::Command::new(program)
        .args(arguments)
        .arg(file.path())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| {
            Failure::new(
                format!("{program} can't be started: {error}"),
                Try::SetVariable.says("set EDITOR to a program that is there"),
            )
        })?;
    if !status.success() {
        return Err(Failure::new(
            format!("{program} ended with {status}: nothing was changed"),
            Try::EditAgain.says("edit again"),
        ));
    }
    let text = read(file.path())?;
    Ok((text != edit.text).then_some(text))
}

/// Editors may have put another file in the old one's place: it is opened anew.
fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            format!("the edited file could not be read: {error}"),
            Try::EditAgain.says("edit again, and save under the same name"),
        )
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > BYTES_MAX {
        return Err(Failure::new(
            "the edited text is larger than 4 MiB: nothing was changed",
            Try::EditAgain.says("a message takes 1 MiB"),
        ));
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::new("the edited text is not UTF-8: nothing was changed", Try::EditAgain.says("save it as UTF-8"))
    })
}

/// Stops this process as Ctrl-Z would, until the shell wakes it again.
pub(super) async fn suspend() {
    // The shell waits for the whole group, a script around this program included.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    // The signal comes a moment after the call; when this goes on, the process has been woken again.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(folder: &Path, code: &str) -> String {
        let path = folder.join("editor");
        std::fs::write(&path, format!("#!/bin/sh\n{code}\n")).expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("allowed");
        format!("'{}' 'an argument; touch evil'", path.display())
    }

    async fn edited(code: &str) -> (Result<Option<String>, Failure>, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let editor = script(folder.path(), &code.replace("FOLDER", &folder.path().display().to_string()));
        let text = "{\n  \"a\": 1\n}".to_owned();
        (edit(Edit { text, suffix: ".json" }, Some(&editor)).await, folder)
    }

    #[tokio::test]
    async fn only_the_person_can_read_it_and_nothing_of_it_stays() {
        let code = r#"stat -c '%a %n' "$(dirname "$2")" "$2" > FOLDER/seen; echo "$1" >> FOLDER/seen
            cp "$2" "$2~"; printf new > "$2.new"; mv "$2.new" "$2""#;
        let (answer, folder) = edited(code).await;
        assert_eq!(answer, Ok(Some("new".to_owned())));
        let seen = std::fs::read_to_string(folder.path().join("seen")).expect("seen");
        let lines: Vec<&str> = seen.lines().collect();
        assert!(lines[0].starts_with("700 ") && lines[1].starts_with("600 "), "{seen}");
        assert!(lines[1].ends_with(".json"), "{seen}");
        assert_eq!(lines[2], "an argument; touch evil");
        let path = lines[0].trim_start_matches("700 ");
        assert!(!Path::new(path).exists(), "{path} is still there");
    }

    #[tokio::test]
    async fn what_can_not_be_taken_changes_nothing() {
        assert_eq!(edited("true").await.0, Ok(None));
        for (code, words) in [
            ("exit 3", "ended with exit status: 3"),
            ("rm \"$2\"", "could not be read"),
            ("printf '\\377' > \"$2\"", "not UTF-8"),
            ("head -c 5000000 /dev/zero > \"$2\"", "larger than 4 MiB"),
        ] {
            let failure = edited(code).await.0.expect_err(code);
            assert!(failure.what.as_str().contains(words), "{code}: {}", failure.what);
        }
        let text = String::new();
        for (editor, words) in [(None, "no editor"), (Some(" "), "no editor"), (Some("/no/such"), "can't be started")] {
            let failure = edit(Edit { text: text.clone(), suffix: ".txt" }, editor).await.expect_err("no editor");
            assert!(failure.what.as_str().contains(words), "{}", failure.what);
        }
    }
}
