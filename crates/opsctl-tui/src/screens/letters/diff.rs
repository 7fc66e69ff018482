//! What an edit changed, line by line, and whether to keep it.

use ratatui::{
    Frame,
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
};

use super::edits::edit_below;
use crate::{
    domain::{EnvironmentName, QueueName, Text},
    keymap::{Command, Key},
    screens::pane::{After, Pane, PaneKeys},
    state::{
        diff::{Diff, What},
        event::{Mouse, MouseWhat, Notice},
        look::Role,
        model::Model,
    },
    widgets::{areas::areas, fit::cut, popup::popup},
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
        let columns = usize::from(inner.width);
        let buffer = frame.buffer_mut();
        let body_rows = usize::from(inner.height).saturating_sub(2 + self.warnings.len());
        let top = self.scroll.top.min(self.lines.len().saturating_sub(body_rows));
        for (line, changed) in self.lines.iter().skip(top).take(body_rows).enumerate() {
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
        let mut y = inner.bottom() - 1 - self.warnings.len() as u16;
        for warning in &self.warnings {
            let text = cut(warning.as_str(), columns, look).into_owned();
            buffer.set_stringn(inner.x, y, text, columns, look.style(Role::Warning));
            y += 1;
        }
        buffer.set_line(inner.x, y, &question(model, self), inner.width);
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

    /// Lines of the difference that can be seen.
    fn height(&self, model: &Model) -> usize {
        let rows = usize::from(areas(model.size).content.height);
        // Frame, an empty line, the question; warnings.
        rows.saturating_sub(4 + self.warnings.len()).max(1)
    }
}

/// Where the message that was edited lies.
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
