//! Commands without the secrets that somebody wrote into them.

use crate::domain::migration::shell_words;

const HIDDEN: &str = "***";
/// A name that has one of these in it, in capitals, names a secret.
const SECRET_NAMES: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL"];

/// A command as one line for a shell, without the values of `NAME=value` and of `--name value` where the name tells of a secret, and
/// without the login of URLs. A word may be a whole script of a shell.
pub(super) fn shown_command(command: &[String]) -> String {
    let mut is_value = false;
    let words = command.iter().map(|word| {
        let shown = if is_value && !word.starts_with('-') { HIDDEN.to_owned() } else { shown_script(word) };
        is_value = names_secret_flag(word);
        shown
    });
    shell_words(&words.collect::<Vec<_>>())
}

/// A word, or words with white space between.
fn shown_script(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let (mut rest, mut is_value) = (script, false);
    while !rest.is_empty() {
        let gap = rest.len() - rest.trim_start().len();
        out.push_str(&rest[..gap]);
        rest = &rest[gap..];
        let (word, after) = rest.split_at(word_bytes(rest));
        match is_value && !word.is_empty() && !word.starts_with('-') {
            true => out.push_str(HIDDEN),
            false => out.push_str(&shown_word(word)),
        }
        is_value = names_secret_flag(word);
        rest = after;
    }
    out
}

/// Bytes up to the next white space outside of quotes.
fn word_bytes(text: &str) -> usize {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, space) if space.is_whitespace() => return at,
            (Some(_) | None, _) => {}
        }
    }
    text.len()
}

/// A word without white space outside of quotes.
fn shown_word(word: &str) -> String {
    // A quoted script inside a script: `sh -c "PASSWORD=x run"`.
    if let Some(quote) = word.chars().next().filter(|first| matches!(first, '\'' | '"'))
        && let Some(inner) = word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote))
    {
        return format!("{quote}{}{quote}", shown_script(inner));
    }
    if let Some((name, value)) = word.split_once('=')
        && !name.contains("://")
    {
        return match names_secret(name) && !value.is_empty() {
            true => format!("{name}={HIDDEN}"),
            false => format!("{name}={}", shown_word(value)),
        };
    }
    without_login(word)
}

/// `scheme://user:password@host` as `scheme://user:***@host`, and secrets among its parameters.
fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    // A password may have any of `/?#` in it, against the rules: better too much is hidden than too little.
    let host = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let login = rest.len() - host.len();
    let login = match rest[..login].split_once(':') {
        Some((user, _)) => format!("{user}:{HIDDEN}@"),
        None => rest[..login].to_owned(),
    };
    let parameter = |pair: &str| match pair.rsplit_once('=') {
        Some((name, _)) if names_secret(name) => format!("{name}={HIDDEN}"),
        Some(_) | None => pair.to_owned(),
    };
    let host: Vec<String> = host.split('&').map(parameter).collect();
    format!("{scheme}://{login}{}", host.join("&"))
}

fn names_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    SECRET_NAMES.iter().any(|secret| upper.contains(secret))
}

fn names_secret_flag(word: &str) -> bool {
    word.starts_with("--") && !word.contains('=') && names_secret(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_command_are_not_shown() {
        for (command, shown) in [
            (vec!["npm", "run", "migrate"], "npm run migrate"),
            (
                vec!["run", "--url=postgres://app:hunter2@db.example.com/x"],
                "run '--url=postgres://app:***@db.example.com/x'",
            ),
            (vec!["postgres://app:hu/nt@er2@db:5432/x?a=1"], "'postgres://app:***@db:5432/x?a=1'"),
            (vec!["https://x.example.com/?token=hunter2&a=1"], "'https://x.example.com/?token=***&a=1'"),
            (
                vec!["env", "DB_PASSWORD=hunter2", "MODE=up", "api_key=hunter2", "run"],
                "env 'DB_PASSWORD=***' MODE=up 'api_key=***' run",
            ),
            (vec!["run", "--db-password", "hunter2", "--token", "--dry"], "run --db-password '***' --token --dry"),
            (vec!["sh", "-c", "A=1 SECRET='hunter2 hunter2' run && next"], r"sh -c 'A=1 SECRET=*** run && next'"),
            (vec!["sh", "-c", "exec sh -c \"PASSWORD=hunter2 run\""], "sh -c 'exec sh -c \"PASSWORD=*** run\"'"),
            (vec!["DATABASE_URL=mysql://root:hunter2@db"], "'DATABASE_URL=mysql://root:***@db'"),
            (vec!["https://user@host/x"], "'https://user@host/x'"),
            (vec!["https://host/x"], "https://host/x"),
        ] {
            let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
            let is = shown_command(&command);
            assert!(!is.contains("hunter2"), "{is}");
            if !is.contains("://") {
                assert_eq!(is, shown);
            }
            assert_eq!(is.replace('\'', ""), shown.replace('\'', ""));
        }
    }
}
