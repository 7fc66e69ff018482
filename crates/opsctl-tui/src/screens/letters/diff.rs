//! What an edit changed, line by line, and whether to keep it.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
};
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::{
    domain::{EnvironmentName, MessageId, QueueName, Text},
    keymap::{Command, Key},
    messages::json as bodies,
    screens::{
        letters::edits::edit_below,
        screen::{After, Pane, PaneKeys},
    },
    state::{
        Cursor, Diff, Model, Mouse, MouseWhat, Notice, Role,
        letters::{Changed, What},
    },
    widgets::{areas, json, popup, put_lines, words},
};

impl Pane for Diff {
    fn keys(&self) -> PaneKeys {
        PaneKeys::View
    }

    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After {
        match key.to_string().as_str() {
            "left" | "right" | "tab" | "backtab" => self.is_keep = !self.is_keep,
            "y" => return self.keep(model),
            "enter" if self.is_keep => return self.keep(model),
            "enter" | "n" | "esc" | "ctrl-c" | "ctrl-g" => return self.discard(model),
            "e" => {
                self.keep_silently(model);
                return After::leaves(edit_below(model, &self.id));
            }
            _ => {
                if let Some(command) = meaning {
                    self.scroll.glide(command, self.lines.len(), self.height(model));
                }
            }
        }
        After::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let last = self.lines.len().saturating_sub(self.height(model));
            self.scroll.top = self.scroll.top.saturating_add_signed(isize::from(lines)).min(last);
        }
        After::stay()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let rows = (self.lines.len() + self.warnings.len() + 4).min(usize::from(u16::MAX)) as u16;
        let size = (area.width.saturating_sub(2).min(160), rows);
        let title = format!("What the edit of {} changes", Text::line(&self.id.0));
        let inner = popup(frame, area, size, &title, look.style(Role::Accent), look);
        if inner.height < 3 {
            return;
        }
        let body_rows = usize::from(inner.height).saturating_sub(2 + self.warnings.len());
        let top = self.scroll.top.min(self.lines.len().saturating_sub(body_rows));
        let line = |changed: &Changed| {
            let (sign, role) = match changed.what {
                What::Old => ("- ", Role::Critical),
                What::New => ("+ ", Role::Good),
                What::Same => ("  ", Role::Text),
                What::Gap => (look.sign("⋯ ", ". "), Role::Dim),
            };
            let mut style = look.style(role);
            if changed.what == What::Old {
                style = style.remove_modifier(Modifier::BOLD);
            }
            (format!("{sign}{}", changed.text), style)
        };
        put_lines(frame, inner, self.lines.iter().skip(top).take(body_rows).map(line), look);
        let rows = self.warnings.len() as u16;
        let below = Rect { y: inner.bottom() - 1 - rows, height: rows, ..inner };
        put_lines(frame, below, self.warnings.iter().map(|text| (text.as_str(), look.style(Role::Warning))), look);
        frame.buffer_mut().set_line(inner.x, inner.bottom() - 1, &question(model, self), inner.width);
    }
}

impl Diff {
    fn keep_silently(&self, model: &mut Model) {
        let Some((environment, queue)) = place(model) else { return };
        model.edits.keep(&environment, &queue, &self.id, self.body.clone());
    }

    fn keep(&self, model: &mut Model) -> After {
        self.keep_silently(model);
        model.say(Notice::good("kept here: nothing is sent before you redrive it"));
        model.settle();
        After::close()
    }

    fn discard(&self, model: &mut Model) -> After {
        if let Some((environment, queue)) = place(model) {
            model.edits.discard(&environment, &queue, &self.id);
            model.say(Notice::note("discarded: the message goes as it lies in the queue"));
            model.settle();
        }
        After::close()
    }

    fn height(&self, model: &Model) -> usize {
        let rows = usize::from(areas(model.size).content.height);
        // Frame, an empty line, the question; warnings.
        rows.saturating_sub(4 + self.warnings.len()).max(1)
    }
}

fn place(model: &Model) -> Option<(EnvironmentName, QueueName)> {
    model.letters().map(|view| (view.environment.clone(), view.queue.clone()))
}

fn question(model: &Model, diff: &Diff) -> Line<'static> {
    let look = model.look;
    let button = |text: &str, has_focus: bool| {
        let style =
            if has_focus { look.style(Role::Key).add_modifier(Modifier::REVERSED) } else { look.style(Role::Text) };
        Span::styled(format!(" {text} "), style)
    };
    let dim = look.style(Role::Dim);
    Line::from(vec![
        button("y keep", diff.is_keep),
        Span::raw("  "),
        button("n discard", !diff.is_keep),
        Span::raw("  "),
        button("e edit on", false),
        Span::styled("  kept edits go with a redrive", dim),
    ])
}

/// Lines that are alike, shown before and after what differs.
const AROUND: usize = 3;
const LINES_MAX: usize = 5_000;
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
