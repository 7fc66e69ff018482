//! What an edit changed, line by line, and whether to keep it.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
};
use similar::{Algorithm, ChangeTag, TextDiff};

use super::{begin_edit, near};
use crate::{
    domain::{MessageId, Text},
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    fit::cut,
    json,
    keymap::Key,
    list::Cursor,
    messages::json as bodies,
    model::{Model, Overlay},
    overlay::meaning,
    popup::popup,
    theme::Role,
    view::areas,
    words,
};

/// Lines that are alike, shown before and after what differs.
const AROUND: usize = 3;
/// Lines shown at most.
const LINES_MAX: usize = 5_000;
/// Characters of a line.
const CHARACTERS_MAX: usize = 2_000;
/// Largest message that SQS takes, in bytes: 1 MiB (quotas, 2025).
const BYTES_MAX: usize = 1_048_576;

/// What an edit changed, and whether to keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    id: MessageId,
    body: String,
    lines: Vec<Changed>,
    /// What is to be known about the new text.
    warnings: Vec<Text>,
    scroll: Cursor,
    is_keep: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Changed {
    what: What,
    text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Old,
    New,
    Same,
    /// Lines that are alike and not shown.
    Gap,
}

impl Diff {
    pub(super) fn new(id: MessageId, before: &str, body: String) -> Self {
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

/// Takes a key.
pub(crate) fn diff_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let command = meaning(model, key);
    let height = height(model);
    let Some(Overlay::Diff(diff)) = &mut model.overlay else { return Vec::new() };
    match key.to_string().as_str() {
        "left" | "right" | "tab" | "backtab" => diff.is_keep = !diff.is_keep,
        "y" => return keep(model),
        "enter" if diff.is_keep => return keep(model),
        "enter" | "n" | "esc" | "ctrl-c" | "ctrl-g" => discard(model),
        "e" => {
            let (id, body) = (diff.id.clone(), diff.body.clone());
            keep_silently(model, &id, body);
            model.overlay = None;
            return begin_edit(model, &id);
        }
        _ => {
            if let Some(command) = command {
                diff.scroll.glide(command, diff.lines.len(), height);
            }
        }
    }
    Vec::new()
}

fn keep_silently(model: &mut Model, id: &MessageId, body: String) {
    let Some(view) = near(model) else { return };
    let (environment, queue) = (view.environment.clone(), view.queue.clone());
    model.edits.keep(&environment, &queue, id, body);
}

fn keep(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Diff(diff)) = model.overlay.take() else { return Vec::new() };
    keep_silently(model, &diff.id, diff.body);
    model.say(Notice::good("kept here: nothing is sent before you redrive it"));
    super::super::observed::settle(model);
    Vec::new()
}

fn discard(model: &mut Model) {
    let Some(Overlay::Diff(diff)) = model.overlay.take() else { return };
    let Some(view) = near(model) else { return };
    let (environment, queue) = (view.environment.clone(), view.queue.clone());
    model.edits.discard(&environment, &queue, &diff.id);
    model.say(Notice::note("discarded: the message goes as it lies in the queue"));
    super::super::observed::settle(model);
}

pub(crate) fn diff_mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let height = height(model);
    let Some(Overlay::Diff(diff)) = &mut model.overlay else { return Vec::new() };
    if let MouseWhat::Scroll(lines) = mouse.what {
        let last = diff.lines.len().saturating_sub(height);
        diff.scroll.top = diff.scroll.top.saturating_add_signed(isize::from(lines)).min(last);
    }
    Vec::new()
}

/// Lines of the difference that can be seen.
fn height(model: &Model) -> usize {
    let Some(Overlay::Diff(diff)) = &model.overlay else { return 1 };
    let rows = usize::from(areas(model.size).content.height);
    // Frame, an empty line, the question; warnings.
    rows.saturating_sub(4 + diff.warnings.len()).max(1)
}

/// Draws it.
pub(crate) fn draw_diff(model: &Model, diff: &Diff, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let rows = (diff.lines.len() + diff.warnings.len() + 4).min(usize::from(u16::MAX)) as u16;
    let size = (area.width.saturating_sub(2).min(160), rows);
    let title = format!("What the edit of {} changes", Text::line(&diff.id.0));
    let inner = popup(frame, area, size, &title, look.style(Role::Accent), look);
    if inner.height < 3 {
        return;
    }
    let columns = usize::from(inner.width);
    let buffer = frame.buffer_mut();
    let body_rows = usize::from(inner.height).saturating_sub(2 + diff.warnings.len());
    let top = diff.scroll.top.min(diff.lines.len().saturating_sub(body_rows));
    for (line, changed) in diff.lines.iter().skip(top).take(body_rows).enumerate() {
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
        let text = format!("{sign}{}", changed.text);
        buffer.set_stringn(inner.x, inner.y + line as u16, cut(&text, columns, look), columns, style);
    }
    let mut y = inner.bottom() - 1 - diff.warnings.len() as u16;
    for warning in &diff.warnings {
        let text = cut(warning.as_str(), columns, look).into_owned();
        buffer.set_stringn(inner.x, y, text, columns, look.style(Role::Warning));
        y += 1;
    }
    buffer.set_line(inner.x, y, &question(model, diff), inner.width);
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
