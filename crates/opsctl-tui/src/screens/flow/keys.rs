//! Keys in a plan.

use ratatui::{Frame, layout::Rect};

use super::{
    consent, draw, options,
    planning::{copy_command, plan_again, settle},
};
use crate::{
    gate::Ask,
    keymap::{Command, Key, Scope},
    screens::pane::{After, Pane, PaneKeys},
    state::{
        effect::Effect,
        event::{Mouse, MouseWhat, Notice},
        field::{Field, Typed},
        flow::{Flow, Line},
        model::Model,
        ticket::Load,
    },
    widgets::areas::is_too_small,
};

impl Pane for Flow {
    fn scope(&self, _: Scope) -> Scope {
        Scope::Plan
    }

    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn settle(&mut self, model: &Model) {
        settle(self, model);
    }

    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After {
        if is_too_small(model.size) {
            // Nothing of it is seen: all that can be done is to give it up.
            let typing = self.options.is_some() || self.consenting.line.is_some();
            let gives_up = *key == Key::CTRL_C || (!typing && meaning == Some(Command::Back));
            return if gives_up { close(model) } else { After::stay() };
        }
        if self.options.is_some() {
            return After::wants(options::key(self, model, key));
        }
        if self.consenting.line.is_some() {
            return self.typing(model, key);
        }
        match meaning {
            Some(command) => self.given(model, command),
            None => self.begin_to_type(key),
        }
    }

    /// The wheel turns the plan's pages.
    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let rows = draw::page_rows(self, model.size);
            match &mut self.options {
                Some(form) => form.scroll(lines),
                None => self.page.scroll(&mut self.top, lines, rows),
            }
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        match &mut self.options {
            Some(form) => form.field(),
            None => self.consenting.field(),
        }
    }

    fn typed(&mut self, _: &Model) {
        self.consenting.said = None;
        if let Some(form) = &mut self.options {
            form.check();
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }
}

/// Gives up; an answer that comes later finds nobody.
fn close(model: &mut Model) -> After {
    model.say(Notice::note("given up: nothing was done"));
    After::close()
}

impl Flow {
    fn given(&mut self, model: &mut Model, command: Command) -> After {
        let rows = draw::page_rows(self, model.size);
        if self.page.step(&mut self.top, command, rows) {
            return After::stay();
        }
        let asks_type = self.asks_type();
        match command {
            Command::Back => return close(model),
            Command::Approve | Command::Next if asks_type => self.consenting.line = Some(Line::Phrase),
            Command::Previous if asks_type => self.consenting.line = Some(Line::Reason),
            Command::Approve => return self.approve(model),
            Command::Open => return self.enter(model),
            Command::Next | Command::Previous | Command::Left | Command::Right => {
                let asks_yes = matches!(self.asked, Some(Ok(Ask::Yes))) && self.ready().is_some_and(|plan| !plan.empty);
                self.consenting.yes = asks_yes && !self.consenting.yes;
            }
            Command::Options => options::open(self, model),
            Command::Refresh => return After::wants(plan_again(self, model, None)),
            Command::Copy | Command::CopyCommand => return After::wants(copy_command(self, model)),
            Command::Theme => {
                model.look.theme = model.look.theme.next();
                settle(self, model);
            }
            Command::Suspend => model.due.command = Some(command),
            Command::Redraw => return After::wants(vec![Effect::Redraw]),
            _ => {}
        }
        After::stay()
    }

    /// Whether a name is to be typed for it.
    fn asks_type(&self) -> bool {
        matches!(&self.asked, Some(Ok(Ask::Type(_)))) && !self.ready().is_some_and(|plan| plan.empty)
    }

    fn approve(&mut self, model: &mut Model) -> After {
        match (&self.plan, &self.asked) {
            (Load::Here(plan), Some(Ok(_))) if !plan.empty => return consent::give(self, model),
            (Load::Here(_), _) => model.say(Notice::bad("there is nothing to agree to: the plan says why")),
            // It is not there yet: that is said, and remembered.
            (Load::Idle | Load::Waiting(..), _) => return consent::give(self, model),
            (Load::Failed(..), _) => model.say(Notice::bad("there is no plan")),
        }
        After::stay()
    }

    /// The button that has the focus; where there is no question, the one thing that can be done.
    fn enter(&mut self, model: &mut Model) -> After {
        match (&self.plan, &self.asked) {
            (Load::Here(plan), Some(Ok(_))) if plan.empty => close(model),
            (Load::Here(_), Some(Ok(Ask::Yes))) if self.consenting.yes => self.approve(model),
            (Load::Here(_), Some(Ok(Ask::Type(_)))) => {
                self.consenting.line = Some(Line::Phrase);
                After::stay()
            }
            (Load::Here(_), _) => close(model),
            (Load::Failed(..), _) => After::wants(plan_again(self, model, None)),
            (Load::Idle | Load::Waiting(..), _) => After::stay(),
        }
    }

    /// Where a name is asked for, whoever just types it is understood.
    fn begin_to_type(&mut self, key: &Key) -> After {
        if self.ready().is_some() && self.asks_type() && key.character().is_some() {
            self.consenting.line = Some(Line::Phrase);
            self.consenting.phrase.key(key);
        }
        After::stay()
    }

    /// Keys while the phrase or the reason is typed.
    fn typing(&mut self, model: &mut Model, key: &Key) -> After {
        let rows = draw::page_rows(self, model.size);
        let Some(line) = self.consenting.line else { return After::stay() };
        let Some(field) = self.consenting.field() else { return After::stay() };
        if *key == Key::CTRL_C {
            return close(model);
        }
        match field.key(key) {
            Typed::Changed => self.consenting.said = None,
            Typed::Escape => self.consenting.line = None,
            Typed::Enter => return consent::give(self, model),
            Typed::Nothing => match (key.to_string().as_str(), line) {
                ("tab", Line::Phrase) => self.consenting.line = Some(Line::Reason),
                ("backtab", Line::Reason) => self.consenting.line = Some(Line::Phrase),
                ("tab", Line::Reason) | ("backtab", Line::Phrase) => self.consenting.line = None,
                (key, _) => {
                    let command = match key {
                        "down" => Command::Down,
                        "up" => Command::Up,
                        "pgdn" => Command::PageDown,
                        "pgup" => Command::PageUp,
                        _ => return After::stay(),
                    };
                    self.page.step(&mut self.top, command, rows);
                }
            },
        }
        After::stay()
    }
}
