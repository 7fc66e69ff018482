//! Functions that fit a screen.

use super::{report, sources};

const LINES_MAX: usize = 70;

/// Each function with its lines, from its signature to its closing brace: rustfmt indents both alike.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let words = text.split([' ', '(', '<']).take(6).collect::<Vec<_>>();
        let Some(name) = words.iter().position(|word| *word == "fn").and_then(|fn_at| words.get(fn_at + 1)) else {
            continue;
        };
        let starts = ["fn ", "pub", "async ", "const fn"].iter().any(|start| text.starts_with(start));
        if !starts || line.ends_with(';') || line.ends_with('}') {
            continue;
        }
        let indent = &line[..line.len() - text.len()];
        let end = lines[at..].iter().position(|line| *line == format!("{indent}}}"));
        found.extend(end.map(|end| ((*name).to_owned(), end + 1)));
    }
    found
}

#[test]
fn functions_fit_a_screen() {
    let mut problems = Vec::new();
    for source in sources() {
        for (name, lines) in functions(&source.code).into_iter().filter(|(_, lines)| *lines > LINES_MAX) {
            problems.push(format!(
                "{}: `{name}` has {lines} lines: take a part of it out, named for what it does",
                source.path
            ));
        }
    }
    report(problems);
}

#[test]
fn functions_are_measured() {
    let code = "impl A {\n    pub(super) async fn long(\n        a: u8,\n    ) {\n        b();\n    }\n}\nfn one() {}\nfn two() {\n}\n";
    assert_eq!(functions(code), [("long".to_owned(), 5), ("two".to_owned(), 2)]);
}
