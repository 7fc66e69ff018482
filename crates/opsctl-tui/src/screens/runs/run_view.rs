//! One run: its progress, then its report; its journal.

use std::sync::Arc;

use ratatui::{Frame, layout::Rect, text::Span};

use crate::{
    domain::EnvironmentName,
    keymap::{Command, Scope},
    operations::OperationKind,
    screens::{
        runs::{
            run_page,
            verbs::{self, environment, known, read_journal, state},
        },
        screen::{Able, Change, Screen, moves},
    },
    state::{Effect, Model, Mouse, MouseWhat, Page, Role, RunView, run::Worded},
    widgets::{areas, spread},
};

/// Rows in which the page is seen: below the run's name and an empty row.
fn rows(model: &Model) -> usize {
    usize::from(areas(model.size).content.height).saturating_sub(2)
}

impl Screen for RunView {
    fn scope(&self) -> Scope {
        Scope::Run
    }

    fn wanted(&self) -> &'static [Command] {
        &[
            Command::Cancel,
            Command::Journal,
            Command::CopyCommand,
            Command::Resume,
            Command::Operate(OperationKind::Restore),
        ]
    }

    fn settle(&mut self, model: &Model) {
        let columns = usize::from(areas(model.size).content.width).saturating_sub(4);
        let stays = |worded: &Worded| worded.columns == columns && worded.wraps == self.wraps;
        if self.shows_journal && !self.worded.as_ref().is_some_and(stays) {
            let mut page = Page::new(columns);
            run_page::journal(&mut page, self);
            self.worded = Some(Worded { columns, wraps: self.wraps, page: Arc::new(page) });
        }
        let rows = rows(model);
        // Who reads the end of a log goes on reading its end.
        let was_at_end = self.top > 0 && self.top + self.page.seen(rows) >= self.page.len();
        (self.page, self.journal_at) = run_page::page(model, self, columns);
        let follows = state(model, self).is_some_and(|run| !run.log.is_empty() && run.is_active());
        if follows && (was_at_end || !self.is_moved) {
            self.top = self.page.len();
        }
        if let Some(at) = self.journal_at.filter(|_| self.goes_to_journal) {
            self.top = at;
            // It moves the person once: from then on the place is theirs.
            self.goes_to_journal = self.journal.is_waiting();
        }
        self.page.settle(&mut self.top, rows);
    }

    fn depends_on(&self, change: Change) -> bool {
        change == Change::Runs
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        match command {
            command if moves(command) => Able::Yes,
            Command::Wrap => Able::when(self.shows_journal, "the journal is not shown"),
            _ => match known(model, self) {
                Some(known) => verbs::able(model, &known, command),
                None => Able::NotHere,
            },
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.page.step(&mut self.top, command, rows(model)) {
            self.is_moved = true;
            return Vec::new();
        }
        match command {
            Command::Journal => {
                self.shows_journal = !self.shows_journal;
                self.goes_to_journal = self.shows_journal;
                model.settle();
                // It goes to the journal once that is awaited no more.
                read_journal(self, model)
            }
            Command::Wrap => {
                self.wraps = !self.wraps;
                model.settle();
                Vec::new()
            }
            _ => known(model, self).map(|known| verbs::give(model, &known, command)).unwrap_or_default(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        if let MouseWhat::Scroll(lines) = mouse.what {
            self.page.scroll(&mut self.top, lines, rows(model));
            self.is_moved = true;
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        if area.height < 3 {
            return;
        }
        let (left, right) = run_page::head(model, self);
        let mut spans = vec![Span::raw("  ")];
        spans.extend(left.into_iter().map(|part| Span::styled(part.text, look.style(part.role))));
        if let Some(site) = environment(model, self).and_then(|name| model.site(&name)) {
            let name = format!(" {} ", look.environment_name(&site.environment));
            spans.push(Span::styled(name, look.environment(&site.environment)));
            if let Some(account) = &site.environment.account {
                spans.push(Span::styled(format!(" {account}"), look.style(Role::Dim)));
            }
        }
        let right = right.into_iter().map(|part| Span::styled(part.text, look.style(part.role))).collect();
        let line = spread(spans, right, usize::from(area.width.saturating_sub(2)), look);
        frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
        let below = Rect { x: area.x + 2, y: area.y + 2, width: area.width.saturating_sub(4), height: area.height - 2 };
        self.page.draw(frame, below, self.top, look);
    }

    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        read_journal(self, model)
    }

    fn place(&self, model: &Model) -> Option<EnvironmentName> {
        environment(model, self)
    }
}
