//! A proposal as TOML to paste into `opsctl.toml`.

use toml_writer::{ToTomlValue, TomlStringBuilder};

use super::{
    Proposal,
    setting::{Setting, Toml},
};
use crate::domain::Text;

/// The table of the configuration for a proposal. What has to be answered first stands there as a comment.
pub fn toml(proposal: &Proposal, environment: &str, connection: &str) -> String {
    let mut text = String::new();
    let header = ["environments", environment, "outboxes", &proposal.name].map(key).join(".");
    push(&mut text, &format!("[{header}]"));
    push(&mut text, &format!("connection = {}", quoted(connection)));
    push(&mut text, &format!("table = {}", quoted(&proposal.table.to_string())));
    if let Some(preset) = &proposal.preset {
        let comment = if proposal.is_complete { "" } else { "# " };
        push(&mut text, &format!("{comment}preset = {}", quoted(preset)));
    }
    for line in &proposal.lines {
        written(&mut text, line);
    }
    text
}

fn written(text: &mut String, line: &Setting) {
    if let Some(remark) = &line.remark {
        push(text, &format!("# {}", Text::line(remark)));
    }
    let comment = if line.is_open { "# " } else { "" };
    if let Toml::List(items) = &line.value
        && items.iter().any(|item| matches!(item, Toml::Table(_)))
        && items.len() > 1
    {
        push(text, &format!("{comment}{} = [", key(line.key)));
        for item in items {
            push(text, &format!("{comment}    {},", value(item)));
        }
        push(text, &format!("{comment}]"));
        return;
    }
    push(text, &format!("{comment}{} = {}", key(line.key), value(&line.value)));
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn value(toml: &Toml) -> String {
    match toml {
        Toml::Text(text) => quoted(text),
        Toml::Number(number) => number.to_string(),
        Toml::Truth(truth) => truth.to_string(),
        Toml::List(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        Toml::Table(parts) => {
            let parts: Vec<String> =
                parts.iter().map(|(name, part)| format!("{} = {}", key(name), value(part))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
    }
}

/// A key: bare where it may be.
fn key(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string. What a terminal must not see is escaped, too.
fn quoted(text: &str) -> String {
    let mut safe = String::new();
    let plain = TomlStringBuilder::new(text).as_basic().to_toml_value();
    let mut buffer = [0_u8; 4];
    for letter in plain.chars() {
        let one: &str = letter.encode_utf8(&mut buffer);
        if Text::line(one).as_str() == one {
            safe.push(letter);
        } else if letter as u32 > 0xffff {
            safe.push_str(&format!("\\U{:08X}", letter as u32));
        } else {
            safe.push_str(&format!("\\u{:04X}", letter as u32));
        }
    }
    safe
}
