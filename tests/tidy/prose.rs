//! Code decides by types, not by the words in which something is said.

use super::{report, sources};

/// Where words are all that there is, and whose they are. The list may only become shorter.
const WORDS: [(&str, &str, &str); 18] = [
    ("src/cli/output.rs", "error: ", "clap writes the heading before some of its errors only"),
    ("src/observe/parts/services/verdict.rs", "has reached a steady state", "ECS's events have no type"),
    ("src/observe/parts/services/crashing.rs", " deployment completed", "ECS's events have no type"),
    ("src/operations/redrive/sources.rs", "to ", "names of what was observed, as they stand in plans and journals"),
    ("src/operations/redrive/sources.rs", ": arn", "names of what was observed, as they stand in plans and journals"),
    ("src/cloud/classify.rs", "not yet current", "STS has one code for a clock that is wrong and a token that is old"),
    (
        "src/cloud/classify.rs",
        "is now earlier than",
        "STS has one code for a clock that is wrong and a token that is old",
    ),
    ("src/domain/consumer.rs", "Connection error", "Lambda's last result has no code"),
    ("src/domain/database.rs", "completed failover", "RDS's events have categories, and none for each step"),
    ("src/domain/database.rs", "failover completed", "RDS's events have categories, and none for each step"),
    ("src/domain/database.rs", "Global ", "RDS's events have categories, and none for each step"),
    ("src/domain/database.rs", "global ", "RDS's events have categories, and none for each step"),
    ("src/domain/task.rs", "Scaling activity initiated by", "why a task stopped has no code"),
    ("src/tui/screens/list/topics/services.rs", "(service ", "ECS's events begin with the service's name"),
    ("src/sandbox/world/sql/mod.rs", "no such table", "SQLite has one code for all that is wrong with a statement"),
    ("src/sandbox/world/sql/mod.rs", "no such column", "SQLite has one code for all that is wrong with a statement"),
    (
        "src/sandbox/world/sql/mod.rs",
        "has no column named",
        "SQLite has one code for all that is wrong with a statement",
    ),
    ("src/sandbox/join.rs", "HTTP/1.1 200", "a line of the protocol"),
];

/// How a text is compared with one that stands in the code.
const COMPARES: [&str; 9] = [
    ".contains(\"",
    ".starts_with(\"",
    ".ends_with(\"",
    ".strip_prefix(\"",
    ".strip_suffix(\"",
    ".find(\"",
    ".split_once(\"",
    "== \"",
    "!= \"",
];

/// Texts of several words that code compares with.
fn compared(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in COMPARES {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let text = rest.split('"').next().unwrap_or_default();
            let has_words = text.chars().any(char::is_alphabetic) && text.contains(' ');
            found.extend(has_words.then(|| text.to_owned()));
        }
    }
    found
}

#[test]
fn no_code_matches_prose() {
    let found: Vec<(String, String)> = sources()
        .iter()
        .flat_map(|source| compared(&source.code).into_iter().map(|text| (source.path.clone(), text)))
        .collect();
    let is_known = |(path, text): &(String, String)| WORDS.iter().any(|(file, words, _)| file == path && words == text);
    let mut problems: Vec<String> = found
        .iter()
        .filter(|found| !is_known(found))
        .map(|(path, text)| format!("{path}: compares with \"{text}\": give what it stands for a type"))
        .collect();
    let is_there = |file: &str, words: &str| found.iter().any(|(path, text)| path == file && text == words);
    let needless = WORDS.iter().filter(|(file, words, _)| !is_there(file, words));
    problems.extend(
        needless.map(|(file, words, _)| format!("{file} no longer compares with \"{words}\": take it out of WORDS")),
    );
    report(problems);
}

/// Ways in which a plan is given a remark.
const REMARKS: [&str; 2] = ["plan.warn(", "plan.block("];

/// Remarks that show a command which is not the advice of a type.
fn untyped(text: &str) -> Vec<&str> {
    let remarks = REMARKS.iter().flat_map(|start| text.match_indices(start).map(|(at, _)| &text[at..]));
    let remarks = remarks.map(|rest| rest.split(";\n").next().unwrap_or(rest));
    remarks.filter(|remark| remark.contains("`{") && !remark.contains("Try::")).collect()
}

#[test]
fn a_command_in_a_remark_is_its_advice() {
    let all = sources();
    let problems = all.iter().flat_map(|source| untyped(&source.text).into_iter().map(|remark| (&source.path, remark)));
    let message = |(path, remark): (&String, &str)| format!("{path}: `{remark}`: give it as `Try::WAY.says(..)`");
    report(problems.map(message).collect());
    assert_eq!(
        untyped("plan.warn(format!(\"no: `{resume}` helps\"));\nplan.block((no, Try::Resume.says(`{resume}`)));\n")
            .len(),
        1
    );
}

#[test]
fn prose_is_found() {
    let code = "a.contains(\"two words\"); b == \"one\"; c.starts_with(\"to \"); d != \" - \"";
    assert_eq!(compared(code), ["two words", "to "]);
}
