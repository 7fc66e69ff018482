//! What a container's command does, as far as it can be read off it: a few words of the shell that people type to see a task fail.
//!
//! `sleep 5; exit 3`, `echo no config >&2; exit 1`, `test -n "$URL" || exit 2`, `while true; do sleep 1; done`. A command in which
//! nothing is understood (`npm start`) says nothing, and the task definition's own program counts; beside what is understood, any
//! other command takes a second and succeeds.

#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use super::absent::is_absent;
use words::{Cursor, Token, tokens};

/// Most commands that are followed: a loop goes on for ever after that.
const STEPS_MAX: usize = 1_000;
const SHELLS: [&str; 4] = ["sh", "bash", "ash", "dash"];
/// What a command takes of which nothing is known, milliseconds.
const UNKNOWN: i64 = 1_000;

/// How a command ends, and what it writes on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) end: End,
    /// After so many milliseconds, which line.
    pub(super) lines: Vec<(i64, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Never,
    Exits {
        after: i64,
        code: i32,
    },
    OutOfMemory {
        after: i64,
    },
    /// There is no such program in the image.
    CannotStart {
        program: String,
    },
}

/// Reads a container's entry point and command together; none: nothing in it is understood.
pub(super) fn run(words: &[String], environment: &[(String, String)], memory_mib: u64) -> Option<Ran> {
    let first = words.first()?;
    let script = match script(words) {
        Some((script, exits_on_error)) => (script, exits_on_error),
        None if is_absent(first) => {
            return Some(Ran { end: End::CannotStart { program: first.clone() }, lines: Vec::new() });
        }
        None => (words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "), false),
    };
    let mut shell = Shell {
        variables: environment.iter().cloned().collect(),
        exits_on_error: script.1,
        memory_mib,
        now: 0,
        lines: Vec::new(),
        steps: 0,
        is_understood: false,
        last: 0,
    };
    let tokens = tokens(&script.0);
    let end = match shell.list(&mut Cursor { tokens: &tokens, at: 0 }, true) {
        Ok(code) => End::Exits { after: shell.now, code },
        Err(end) => end,
    };
    shell.is_understood.then_some(Ran { end, lines: shell.lines })
}

/// The script of `sh -c SCRIPT`, or of a command that somebody wrote in one word or split at blanks; and whether `-e` is set.
fn script(words: &[String]) -> Option<(String, bool)> {
    let (first, rest) = words.split_first()?;
    if SHELLS.contains(&first.rsplit('/').next().unwrap_or_default()) {
        let flag = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
        let exits_on_error = rest[..=flag].iter().any(|word| word.starts_with('-') && word.contains('e'));
        return Some((rest.get(flag + 1)?.clone(), exits_on_error));
    }
    if rest.is_empty() && first.contains([' ', ';', '&', '|']) {
        return Some((first.clone(), false));
    }
    let is_split = rest.iter().any(|word| matches!(word.as_str(), ";" | "&&" | "||") || word.ends_with(';'));
    is_split.then(|| (words.join(" "), false))
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

struct Shell {
    variables: BTreeMap<String, String>,
    exits_on_error: bool,
    memory_mib: u64,
    now: i64,
    lines: Vec<(i64, String)>,
    steps: usize,
    is_understood: bool,
    /// What the last command ended with.
    last: i32,
}

impl Shell {
    /// Commands up to the end, or to a word that closes a block. `does` is false where they are passed over.
    fn list(&mut self, cursor: &mut Cursor, does: bool) -> Result<i32, End> {
        let mut code = 0;
        let mut joined = ";";
        while cursor.peek().is_some() && !["done", "fi", "else", "elif", "then", "do", "}"].contains(&cursor.keyword())
        {
            match cursor.operator() {
                Some(")") => break,
                Some("!" | "(") | None => {
                    let runs = does
                        && match joined {
                            "&&" => code == 0,
                            "||" => code != 0,
                            _ => true,
                        };
                    let is_negated = cursor.operator() == Some("!");
                    cursor.at += usize::from(is_negated);
                    let ended = self.command(cursor, runs)?;
                    if runs {
                        code = if is_negated { i32::from(ended == 0) } else { ended };
                        self.last = code;
                        let is_last = !matches!(cursor.operator(), Some("&&" | "||"));
                        if self.exits_on_error && code != 0 && is_last && !is_negated {
                            return Err(End::Exits { after: self.now, code });
                        }
                    }
                }
                Some(operator) => {
                    joined = operator;
                    cursor.at += 1;
                }
            }
        }
        Ok(code)
    }

    fn command(&mut self, cursor: &mut Cursor, runs: bool) -> Result<i32, End> {
        self.steps += usize::from(runs);
        if self.steps > STEPS_MAX {
            return Err(End::Never);
        }
        if cursor.operator() == Some("(") {
            cursor.at += 1;
            let code = self.list(cursor, runs)?;
            cursor.at += usize::from(cursor.operator() == Some(")"));
            return Ok(code);
        }
        match cursor.keyword() {
            "while" | "until" => self.repeated(cursor, runs),
            "if" => self.conditional(cursor, runs),
            "{" => {
                cursor.at += 1;
                let code = self.list(cursor, runs)?;
                cursor.skip("}");
                Ok(code)
            }
            _ => {
                let mut words = Vec::new();
                while let Some(Token::Word(parts)) = cursor.peek() {
                    words.push(self.expanded(parts));
                    cursor.at += 1;
                }
                // What has no words is a mistake of syntax, or an operator that is not known.
                cursor.at += usize::from(words.is_empty());
                if runs { self.simple(&words) } else { Ok(0) }
            }
        }
    }

    fn repeated(&mut self, cursor: &mut Cursor, runs: bool) -> Result<i32, End> {
        let goes_on_at = i32::from(cursor.keyword() == "until");
        let start = cursor.at + 1;
        loop {
            cursor.at = start;
            let condition = self.list(cursor, runs)?;
            let does = runs && i32::from(condition != 0) == goes_on_at;
            cursor.skip("do");
            let code = self.list(cursor, does)?;
            cursor.skip("done");
            if !does {
                return Ok(code);
            }
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return Err(End::Never);
            }
        }
    }

    fn conditional(&mut self, cursor: &mut Cursor, runs: bool) -> Result<i32, End> {
        let (mut is_decided, mut code) = (!runs, 0);
        while ["if", "elif"].contains(&cursor.keyword()) {
            cursor.at += 1;
            let condition = self.list(cursor, !is_decided)?;
            let does = !is_decided && condition == 0;
            cursor.skip("then");
            let ended = self.list(cursor, does)?;
            code = if does { ended } else { code };
            is_decided |= does;
        }
        if cursor.keyword() == "else" {
            cursor.at += 1;
            let ended = self.list(cursor, !is_decided)?;
            code = if is_decided { code } else { ended };
        }
        cursor.skip("fi");
        Ok(code)
    }

    fn simple(&mut self, words: &[String]) -> Result<i32, End> {
        let Some((name, arguments)) = words.split_first() else { return Ok(0) };
        if let Some((variable, value)) = name.split_once('=')
            && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.variables.insert(variable.to_owned(), value.to_owned());
            return self.simple(arguments);
        }
        let first = arguments.first().map(String::as_str);
        let understood = std::mem::replace(&mut self.is_understood, true);
        match name.rsplit('/').next().unwrap_or(name) {
            "exec" | "command" | "env" | "nohup" | "tini" | "dumb-init" | "--" => {
                self.is_understood = understood;
                return self.simple(arguments);
            }
            "true" | ":" => return Ok(0),
            "false" => return Ok(1),
            "exit" | "return" => {
                let code = first.and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
                return Err(End::Exits { after: self.now, code: code & 0xff });
            }
            "sleep" => {
                self.now += arguments.iter().try_fold(0, |sum, text| Ok(sum + slept(text).ok_or(End::Never)?))?;
                return Ok(0);
            }
            "echo" | "printf" => {
                let line = arguments.iter().filter(|word| *word != "-n" && *word != "-e").cloned().collect::<Vec<_>>();
                self.lines.push((self.now, line.join(" ").replace("\\n", "")));
                return Ok(0);
            }
            "test" | "[" => return Ok(i32::from(!holds(arguments))),
            "kill" if arguments.last().is_some_and(|of| of == "$$" || of == "1") => {
                return Err(End::Exits { after: self.now, code: 128 + signal(arguments) });
            }
            "set" => {
                self.exits_on_error |= first.is_some_and(|flag| flag.starts_with('-') && flag.contains('e'));
                self.is_understood = understood;
                return Ok(0);
            }
            "tail" if first == Some("-f") || first == Some("-F") => return Err(End::Never),
            "tail" if first == Some("/dev/zero") => return Err(End::OutOfMemory { after: self.now + UNKNOWN }),
            "stress" | "stress-ng" if self.is_too_much(arguments) => {
                return Err(End::OutOfMemory { after: self.now + UNKNOWN });
            }
            _ => self.is_understood = understood,
        }
        if is_absent(name) {
            self.is_understood = true;
            self.lines.push((self.now, format!("sh: {name}: not found")));
            return Ok(127);
        }
        if arguments.iter().any(|word| is_absent(word)) {
            self.is_understood = true;
            self.lines.push((self.now, format!("{name}: can't open what is not there")));
            return Ok(1);
        }
        self.now += UNKNOWN;
        Ok(0)
    }

    /// Whether `--vm-bytes` is more than the task may have.
    fn is_too_much(&self, arguments: &[String]) -> bool {
        let bytes = arguments.iter().skip_while(|word| *word != "--vm-bytes").nth(1);
        let mib = bytes.and_then(|text| {
            let (number, unit) = text.split_at(text.len().checked_sub(1)?);
            let number: u64 = number.parse().ok()?;
            Some(match unit.to_ascii_lowercase().as_str() {
                "g" => number * 1_024,
                "m" => number,
                _ => return None,
            })
        });
        mib.is_some_and(|mib| mib > self.memory_mib)
    }

    fn expanded(&self, parts: &[(String, bool)]) -> String {
        parts
            .iter()
            .map(|(text, has_variables)| if *has_variables { self.filled(text) } else { text.clone() })
            .collect()
    }

    /// With `$NAME`, `${NAME}` and `${NAME:-default}` replaced; `$$` stays.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let value = |name: &str| self.variables.get(name).cloned().unwrap_or_default();
            if let Some((inside, after)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                let (name, default) =
                    inside.split_once(":-").or_else(|| inside.split_once('-')).unwrap_or((inside, ""));
                let value = value(name);
                filled.push_str(if value.is_empty() { default } else { &value });
                rest = after;
            } else if let Some(after) = after.strip_prefix('?') {
                filled.push_str(&self.last.to_string());
                rest = after;
            } else {
                let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
                let end = after.find(|character| !is_name(character)).unwrap_or(after.len());
                match end {
                    0 => filled.push('$'),
                    _ => filled.push_str(&value(&after[..end])),
                }
                rest = &after[end..];
            }
        }
        filled + rest
    }
}

/// What `sleep` takes, milliseconds; none: for ever.
fn slept(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let factor = match &text[digits.len()..] {
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => 1.0,
    };
    let seconds: f64 = digits.parse().ok()?;
    // A year is for ever; so is what is no number, `infinity`.
    (seconds.is_finite() && seconds * factor < 31_536_000.0).then_some((seconds * factor * 1_000.0) as i64)
}

fn signal(arguments: &[String]) -> i32 {
    let named = arguments.iter().find_map(|word| word.strip_prefix('-')).unwrap_or("15");
    match named.trim_start_matches("SIG") {
        "KILL" => 9,
        "SEGV" => 11,
        "ABRT" => 6,
        "INT" => 2,
        number => number.parse().unwrap_or(15),
    }
}

/// `-n TEXT`, `-z TEXT`, `A = B`, `A != B`, and of files that none is there.
fn holds(arguments: &[String]) -> bool {
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "]").collect();
    match words.as_slice() {
        ["!", rest @ ..] => !holds(&rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        ["-n"] | ["-f" | "-e" | "-d" | "-s" | "-r", ..] | [] => false,
        ["-z"] => true,
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        [left, "-eq", right] => left == right,
        [left, "-ne", right] => left != right,
        [text] => !text.is_empty(),
        _ => true,
    }
}
