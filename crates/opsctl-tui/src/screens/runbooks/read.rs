//! A runbook as it is read: its text, and what each step does.

use ratatui::{Frame, layout::Rect, text::Span};

use super::{begin, named, shelved};
use crate::{
    domain::{
        Text,
        invocation::{option, quoted},
    },
    files::Paint,
    keymap::{Command, Scope},
    runbook::{
        Runbook, Values,
        preview::said,
        show::{self, Role as Kind},
    },
    screens::screen::{Able, Change, Screen, moves},
    state::{Effect, Look, Model, Mouse, MouseWhat, Page, Role, RunbookView},
    widgets::{areas, page::part, spread},
};

impl RunbookView {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), page: Page::default(), top: 0 }
    }
}

fn rows(model: &Model) -> usize {
    usize::from(areas(model.size).content.height).saturating_sub(2)
}

/// Adds Markdown to a page.
pub(super) fn markdown(page: &mut Page, text: &str, look: Look) {
    for line in show::lines(text) {
        let sign = line.sign.as_ref().map(|sign| format!("{sign} ")).unwrap_or_default();
        let lead = format!("{:indent$}{sign}", "", indent = line.indent);
        match line.role {
            Kind::Blank => page.blank(),
            Kind::Heading => page.heading(line.text.as_str()),
            Kind::Code => page.line(vec![part(format!("  {}", line.text), Role::Accent)]),
            Kind::Quote => page.item(look.sign("│", "|"), Role::Line, line.text.as_str(), Role::Text),
            Kind::Text if lead.is_empty() => page.text(line.text.as_str(), Role::Text),
            Kind::Text => page.led(&lead, line.text.as_str(), Role::Text),
        }
    }
}

fn page(runbook: &Runbook, (columns, look): (usize, Look)) -> Page {
    let mut page = Page::new(columns);
    markdown(&mut page, runbook.text.get(runbook.introduction.clone()).unwrap_or_default(), look);
    page.blank();
    let owner = runbook.owner.as_ref().map(|owner| format!("owner {owner}"));
    let rehearsed = runbook.last_rehearsed.map(|date| format!("last rehearsed {date}"));
    let recovery = runbook.recovery_time.map(|time| format!("recovery time {time}"));
    let facts: Vec<String> = [owner, rehearsed, recovery].into_iter().flatten().collect();
    page.text(&facts.join(look.dot()), Role::Dim);
    for parameter in &runbook.parameters {
        let default = parameter.default.as_ref().map(|value| format!(", default {value}")).unwrap_or_default();
        let words = format!("{}{default}  {}", parameter.kind.into_str(), parameter.help);
        page.pair(&parameter.name, 12, &words, Role::Text);
    }
    for (number, step) in runbook.steps.iter().enumerate() {
        page.blank();
        page.heading(&format!("{}. {}", number + 1, step.name));
        markdown(&mut page, runbook.body_of(step), look);
        page.item(look.sign("▸", ">"), Role::Accent, Text::line(&said(step)).as_str(), Role::Accent);
    }
    page
}

/// What is wrong with a runbook that can't be carried out.
fn problems(rendered: &str, columns: usize) -> Page {
    let mut page = Page::new(columns);
    page.text("This runbook has errors and cannot run.", Role::Strong);
    page.blank();
    for line in rendered.lines() {
        page.line(vec![part(Text::line(line).to_string(), Role::Warning)]);
    }
    page
}

impl Screen for RunbookView {
    fn scope(&self) -> Scope {
        Scope::Runbook
    }

    fn wanted(&self) -> &'static [Command] {
        &[Command::RunRunbook, Command::CopyCommand]
    }

    fn settle(&mut self, model: &Model) {
        let columns = usize::from(areas(model.size).content.width).saturating_sub(4).min(110);
        self.page = match shelved(model, &self.name) {
            Some(shelved) => match shelved.runbook() {
                Some(runbook) => page(runbook, (columns, model.look)),
                None => problems(&shelved.checked.problems.render(Paint::Plain), columns),
            },
            None => Page::new(columns),
        };
        self.page.settle(&mut self.top, rows(model));
    }

    fn depends_on(&self, _: Change) -> bool {
        false
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        match command {
            command if moves(command) => Able::Yes,
            Command::RunRunbook => Able::when(named(model, &self.name).is_some(), "it has errors, shown here"),
            Command::Copy | Command::CopyCommand => Able::Yes,
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.page.step(&mut self.top, command, rows(model)) {
            return Vec::new();
        }
        match command {
            Command::RunRunbook => match named(model, &self.name) {
                Some(runbook) => begin::open(model, runbook, None, &Values::default()),
                None => Vec::new(),
            },
            Command::Copy => vec![Effect::Copy(Text::line(&self.name).to_string())],
            Command::CopyCommand => {
                let parameters = shelved(model, &self.name).and_then(|shelved| shelved.runbook());
                let set = parameters.into_iter().flat_map(|runbook| &runbook.parameters);
                let set: Vec<String> = set
                    .filter(|parameter| parameter.default.is_none())
                    .map(|parameter| format!(" {}", option("set", &format!("{}=...", parameter.name))))
                    .collect();
                let name = quoted(&self.name);
                vec![Effect::Copy(model.invocation().command(&format!("runbook run {name}{}", set.concat())))]
            }
            _ => Vec::new(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        if let MouseWhat::Scroll(lines) = mouse.what {
            self.page.scroll(&mut self.top, lines, rows(model));
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        if area.height < 3 {
            return;
        }
        let title = shelved(model, &self.name).and_then(|shelved| shelved.runbook()).map(|runbook| &runbook.title);
        let title = title.map_or(Text::line(&self.name).to_string(), ToString::to_string);
        let left = vec![Span::raw("  "), Span::styled(title, look.style(Role::Strong))];
        let right = vec![Span::styled(Text::line(&self.name).to_string(), look.style(Role::Dim))];
        let line = spread(left, right, usize::from(area.width.saturating_sub(2)), look);
        frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
        let below = Rect { x: area.x + 2, y: area.y + 2, width: area.width.saturating_sub(4), height: area.height - 2 };
        self.page.draw(frame, below, self.top, look);
    }
}
