//! Programs that edit messages: run without a shell, one process per message, with a deadline and bounded output.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use crate::domain::Text;

const DEADLINE: Duration = Duration::from_secs(10);
/// What is kept of standard error, in bytes.
const COMPLAINT_BYTES_MAX: usize = 2_048;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    path: String,
    arguments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    #[error("the program could not be run: {0}")]
    Run(Text),
    #[error("the program ended with {status}: {complaint}")]
    Exit { status: Text, complaint: Text },
    #[error("the program took longer than {} s and was killed", DEADLINE.as_secs())]
    TooSlow,
    #[error("the program's answer is larger than 2 MiB")]
    TooLarge,
}

impl Program {
    pub(super) fn file(&self) -> PathBuf {
        if self.path.contains('/') { PathBuf::from(&self.path) } else { in_path(&self.path).unwrap_or_default() }
    }

    /// A program as given on a command line. A file of exactly this name wins, spaces and all.
    pub(super) fn find(given: &str) -> Result<Self, String> {
        if Path::new(given).is_file() && given.contains('/') {
            return Ok(Self { path: given.to_owned(), arguments: Vec::new() });
        }
        let mut words = split_words(given)?.into_iter();
        let path = words.next().ok_or("no program is named")?;
        let exists = if path.contains('/') { Path::new(&path).is_file() } else { in_path(&path).is_some() };
        match exists {
            true => Ok(Self { path, arguments: words.collect() }),
            false => Err(format!("there is no program {path}; name a program, or a file that ends in .jq")),
        }
    }

    /// Runs it: `input` on standard input, its standard output back.
    pub(super) async fn run(&self, input: &str, output_bytes_max: usize) -> Result<String, ProgramError> {
        match tokio::time::timeout(DEADLINE, self.talk(input, output_bytes_max)).await {
            Ok(answer) => answer,
            Err(_) => Err(ProgramError::TooSlow),
        }
    }

    async fn talk(&self, input: &str, output_bytes_max: usize) -> Result<String, ProgramError> {
        let failed = |error: std::io::Error| ProgramError::Run(Text::line(&error.to_string()));
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C interrupts the run between messages, not an edit half way.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program may answer without reading everything: a broken pipe is no failure.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ((), output, complaint) =
            tokio::join!(write, read(stdout, output_bytes_max + 1), read(stderr, COMPLAINT_BYTES_MAX));
        let output = output.map_err(failed)?;
        if output.len() > output_bytes_max {
            return Err(ProgramError::TooLarge);
        }
        let status = child.wait().await.map_err(failed)?;
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint.unwrap_or_default()).trim().to_owned();
            return Err(ProgramError::Exit {
                status: Text::line(&status.to_string()),
                complaint: Text::line(if complaint.is_empty() { "it said nothing" } else { &complaint }),
            });
        }
        String::from_utf8(output).map_err(|_| ProgramError::Run(Text::line("its answer is not UTF-8")))
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(bytes_max as u64).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Words, with single and double quotes and backslashes as in a shell, and nothing else of a shell.
pub fn split_words(given: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut characters = given.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, space) if space.is_whitespace() => words.extend(word.take()),
            (_, plain) => word.get_or_insert_default().push(plain),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_in_a_shell() {
        let words = |given: &str| split_words(given).expect("split").join("|");
        assert_eq!(words("a  b"), "a|b");
        assert_eq!(words(r#"'a b' "c \" d" e\ f '' $X"#), r#"a b|c " d|e f||$X"#);
        assert!(split_words("'a").is_err());
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        tokio::time::pause();
        let hanging = Program::find("sleep 60").expect("found");
        assert_eq!(hanging.run("", 100).await, Err(ProgramError::TooSlow));
    }
}
