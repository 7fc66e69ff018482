//! Leaving: at once, or once the active runs have stopped.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    domain::Text,
    keymap::{Command, Key},
    screens::{
        flow::planning::subject,
        screen::{After, Pane, PaneKeys},
    },
    state::{Driven, Effect, Model, Notice, Overlay, Role, RunState, view::Quitting},
    widgets::{button, last_row, page::bar, popup, put, put_lines},
};

const RUNS_MAX: usize = 5;
const BAR_COLUMNS: usize = 8;

/// Leaves; asks first where runs are active.
pub(crate) fn quit(model: &mut Model) -> Vec<Effect> {
    if model.is_busy() {
        model.overlay = Some(Overlay::Quitting(Quitting::default()));
        return Vec::new();
    }
    vec![Effect::Quit]
}

/// The outside asks for the end: runs are stopped after what is in hand, and the console ends when they have.
pub(crate) fn terminate(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    for run in model.runs.iter_mut().filter(|run| run.is_active()) {
        run.cancelled = true;
        effects.push(Effect::Cancel(run.ticket));
    }
    for driven in model.driven.iter_mut().filter(|driven| driven.is_active()) {
        driven.cancelled = true;
        effects.push(Effect::Cancel(driven.ticket));
    }
    if effects.is_empty() {
        return vec![Effect::Quit];
    }
    model.leaving = true;
    model.settle();
    model.say(Notice::note("stopping runs after what is in hand"));
    effects
}

fn stop_and_leave(model: &mut Model) -> After {
    if model.leaving {
        // Asked for twice: the journals have it all, and Activity goes on from there.
        return After::leaves(vec![Effect::Quit]);
    }
    After::leaves(terminate(model))
}

impl Pane for Quitting {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After {
        match (key.to_string().as_str(), meaning) {
            ("left" | "right" | "tab" | "backtab" | "h" | "l", _) => self.leave = !self.leave,
            ("y", _) => return stop_and_leave(model),
            ("n" | "esc" | "ctrl-c", _) => return After::close(),
            ("enter", _) if self.leave => return stop_and_leave(model),
            ("enter", _) | (_, Some(Command::Back)) => return After::close(),
            _ => {}
        }
        After::stay()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let active: Vec<&RunState> = model.runs.iter().filter(|run| run.is_active()).collect();
        let driven: Vec<&Driven> = model.driven.iter().filter(|driven| driven.is_active()).collect();
        let all = active.len() + driven.len();
        let rows = all.min(RUNS_MAX + 1) as u16;
        let inside = popup(frame, area, (64, rows + 9), "Leave?", look.style(Role::Warning), look);
        let mut lines: Vec<(String, Role)> = Vec::new();
        lines.push((
            match all {
                1 => "A run is active:".to_owned(),
                runs => format!("{runs} runs are active:"),
            },
            Role::Strong,
        ));
        for run in active.iter().take(RUNS_MAX) {
            let (done, open) = bar(run.share(), BAR_COLUMNS, look);
            let share = format!("{done}{open} {:>3.0} %", (run.share() * 100.0).floor());
            lines
                .push((format!("  {share}  {} in {}", subject(&run.plan.operation), run.plan.environment), Role::Text));
        }
        for driven in driven.iter().take(RUNS_MAX.saturating_sub(active.len())) {
            let words = format!("runbook {} in {}", driven.runbook.name, driven.environment);
            let of = format!("{} of {} steps", driven.over(), driven.steps.len());
            lines.push((Text::line(&format!("  {words}: {of}; it stays open")).to_string(), Role::Text));
        }
        if all > RUNS_MAX {
            lines.push((format!("  and {} more", all - RUNS_MAX), Role::Dim));
        }
        lines.push((String::new(), Role::Text));
        let words = match model.leaving {
            false => [
                "Leaving stops what is active after what is in hand: nothing",
                "is lost, and Activity (or --resume) goes on with it.",
            ],
            true => [
                "It is stopping after what is in hand. Leaving at once loses",
                "nothing either: Activity (or --resume) goes on with it.",
            ],
        };
        lines.extend(words.map(|text| (text.to_owned(), Role::Text)));
        let above = Rect { height: inside.height.saturating_sub(2), ..inside };
        put_lines(frame, above, lines.into_iter().map(|(text, role)| (text, look.style(role))), look);
        let (stay, leave) = if model.leaving { ("Wait", "Leave at once") } else { ("Stay", "Stop and leave") };
        let line = Line::from(vec![button(stay, !self.leave, look), Span::raw("  "), button(leave, self.leave, look)]);
        if inside.height > 2 {
            frame.buffer_mut().set_line(inside.x, inside.bottom() - 2, &line, inside.width);
            let keys = "y leave   n stay   tab choose   enter take it";
            put(frame, last_row(inside), keys, look.style(Role::Dim), look);
        }
    }
}
