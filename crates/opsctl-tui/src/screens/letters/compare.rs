//! What an edit changed, line by line.

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::{
    domain::{MessageId, Text},
    messages::json as bodies,
    state::{
        cursor::Cursor,
        diff::{Changed, Diff, What},
    },
    widgets::{json, words},
};

/// Lines that are alike, shown before and after what differs.
const AROUND: usize = 3;
/// Lines shown at most.
const LINES_MAX: usize = 5_000;
/// Characters of a line.
const CHARACTERS_MAX: usize = 2_000;
/// Largest message that SQS takes, in bytes: 1 MiB (quotas, 2025).
const BYTES_MAX: usize = 1_048_576;

impl Diff {
    pub(crate) fn new(id: MessageId, before: &str, body: String) -> Self {
        let lines = compare(&laid_out(before), &laid_out(&body));
        let mut warnings = Vec::new();
        if bodies::is_json(before)
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&body)
        {
            warnings.push(Text::line(&format!("it is no JSON any more ({error}): it would go as plain text")));
        }
        if body.len() > BYTES_MAX {
            let bytes = words::count(body.len() as u64);
            warnings.push(Text::line(&format!("it has {bytes} bytes: SQS takes 1 MiB, so it can't be sent")));
        }
        Self { id, body, lines, warnings, scroll: Cursor::default(), is_keep: true }
    }
}

fn laid_out(body: &str) -> String {
    if bodies::is_json(body) { json::pretty(body) } else { body.to_owned() }
}

fn compare(old: &str, new: &str) -> Vec<Changed> {
    // Patience keeps braces and the like from being taken for what changed.
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    let mut lines = Vec::new();
    let mut shown_to = 0;
    for group in diff.grouped_ops(AROUND) {
        let from = group.first().map_or(0, |first| first.old_range().start);
        gap(&mut lines, from.saturating_sub(shown_to));
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let what = match change.tag() {
                ChangeTag::Delete => What::Old,
                ChangeTag::Insert => What::New,
                ChangeTag::Equal => What::Same,
            };
            let text = change.value();
            let safe = Text::line(&Text::capped(text.trim_end_matches(['\r', '\n']), CHARACTERS_MAX).to_string());
            lines.push(Changed { what, text: safe });
            if lines.len() == LINES_MAX {
                lines.push(Changed { what: What::Gap, text: Text::from("more lines are not shown") });
                return lines;
            }
        }
        shown_to = group.last().map_or(shown_to, |last| last.old_range().end);
    }
    gap(&mut lines, old.lines().count().saturating_sub(shown_to));
    lines
}

fn gap(lines: &mut Vec<Changed>, count: usize) {
    if count > 0 {
        let text = Text::line(&format!("{} alike", words::of(count as u64, "line")));
        lines.push(Changed { what: What::Gap, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_among_a_few_lines_that_are_alike() {
        let body = |code: &str| {
            let items: Vec<String> = (0..12).map(|at| format!("\"k{at}\":{at}")).collect();
            format!("{{\"code\":\"{code}\",{},\"z\":\"\\u001b[2J\"}}", items.join(","))
        };
        let diff = Diff::new(MessageId("x".to_owned()), &body("A"), body("B\u{202e}"));
        let sign = |what: What| match what {
            What::Old => '-',
            What::New => '+',
            What::Same => ' ',
            What::Gap => '~',
        };
        let lines: Vec<String> = diff.lines.iter().map(|line| format!("{}{}", sign(line.what), line.text)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
         {
        -  "code": "A",
        +  "code": "B�",
           "k0": 0,
           "k1": 1,
           "k2": 2,
        ~11 lines alike
        "#);
        assert_eq!(diff.warnings, []);
        let broken = Diff::new(MessageId("x".to_owned()), "{}", "{".to_owned());
        assert!(broken.warnings[0].as_str().starts_with("it is no JSON any more"));
    }
}
