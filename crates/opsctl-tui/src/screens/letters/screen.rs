//! A queue's dead letters: failure groups first, then messages.

use ratatui::{Frame, layout::Rect};

use super::{able, commands, draw, filter, looks::look, rows};
use crate::{
    domain::EnvironmentName,
    keymap::{Command, Key, Scope},
    leave::Force,
    observe::Focus,
    operations::OperationKind,
    screens::screen::{Able, Screen},
    state::{
        effect::Effect,
        event::Mouse,
        field::Field,
        letters::{LettersView, Level},
        model::Model,
    },
};

impl Screen for LettersView {
    fn scope(&self) -> Scope {
        Scope::DeadLetters
    }

    fn wanted(&self) -> &'static [Command] {
        &[
            Command::Open,
            Command::Operate(OperationKind::Redrive),
            Command::Select,
            Command::SelectGroup,
            Command::Messages,
            Command::Filter,
            Command::Edit,
        ]
    }

    /// Keeps the cursors where they can be seen. Rows change only with what brought the change.
    fn settle(&mut self, model: &Model) {
        rows::settle(self, model.size);
    }

    fn focus(&self, _: &Model) -> Focus {
        Focus { queues: vec![(self.environment.clone(), self.queue.clone())], ..Focus::default() }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        able::able(model, self, command)
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        commands::command(self, model, command)
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.typing.as_mut()
    }

    fn key(&mut self, model: &mut Model, key: &Key) -> Vec<Effect> {
        filter::filter_key(self, model, key)
    }

    fn typed(&mut self, model: &mut Model) -> Vec<Effect> {
        filter::typed(self, model)
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        commands::mouse(self, model, mouse)
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }

    /// From a filter, then from a group's messages.
    fn back(&mut self, model: &mut Model) -> bool {
        if self.level == Level::Groups {
            return false;
        }
        model.settle();
        if self.filter.take().is_some() {
            rows::build(self);
            return true;
        }
        // Where a look found nothing, there are no groups to go back to.
        let has_groups = self.letters.shown().is_some_and(|letters| !letters.groups.groups.is_empty());
        rows::go_to_groups(self);
        has_groups
    }

    /// Looks again at as many.
    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        let messages_max = self.asked;
        look(self, model, messages_max, Force::No)
    }

    fn place(&self, _: &Model) -> Option<EnvironmentName> {
        Some(self.environment.clone())
    }
}
