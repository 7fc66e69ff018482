//! Everything that is known of one thing, over its list.

use ratatui::{Frame, layout::Rect};

use crate::{
    cloud::alarms::History,
    domain::{EnvironmentName, ServiceId, Text},
    keymap::{Command, Key, Scope},
    run::Failure,
    screens::{
        list::{
            act::{self, find},
            thing::{LABEL, Meant, Opens, Thing, shown},
            topics::subject,
        },
        screen::{Able, After, Change, Pane, PaneKeys},
    },
    state::{Effect, Load, Model, Mouse, MouseWhat, Overlay, Page, Role, Sheet, Site, Ticket, Way},
    widgets::{
        areas,
        page::part,
        popup,
        sign::{self, sign},
    },
};

/// Widest text: longer lines are hard to read.
const COLUMNS_MAX: u16 = 110;
/// Changes shown; more are read on the command line.
const CHANGES_MAX: usize = 50;
const WAYS: [(Command, &str); 3] =
    [(Command::Copy, "copy name"), (Command::CopyCommand, "copy command"), (Command::Back, "close")];

pub(crate) fn alarm_read(model: &mut Model, ticket: Ticket, answer: Result<History, Failure>) {
    if let Some(Overlay::Sheet(sheet)) = &mut model.overlay
        && sheet.history.answer(ticket, answer)
    {
        model.settle();
    }
}

impl Pane for Sheet {
    /// Keys mean here what they mean in the list of its topic, wherever it was opened.
    fn scope(&self, _: Scope) -> Scope {
        self.topic.list().head().scope
    }

    fn keys(&self) -> PaneKeys {
        let own = self.topic.list().head().sheet_ways;
        let moves = [(Command::Down, "down"), (Command::Up, "up")];
        PaneKeys::Bound(moves.into_iter().chain(own.iter().copied()).chain(WAYS).collect())
    }

    fn depends_on(&self, change: Change) -> bool {
        matches!(change, Change::Seen | Change::Time)
    }

    fn settle(&mut self, model: &Model) {
        let mut page = Page::new(columns(model));
        match found(model, self) {
            Some((site, thing)) => {
                whole(&mut page, model, site, thing, self);
                history(&mut page, &self.history);
            }
            None => page.text("It is not among those seen last.", Role::Warning),
        }
        self.page = page;
        self.page.settle(&mut self.top, rows(model));
    }

    fn key(&mut self, model: &mut Model, _: &Key, meaning: Option<Command>) -> After {
        let Some(command) = meaning else { return After::stay() };
        if self.page.step(&mut self.top, command, rows(model)) {
            return After::stay();
        }
        let found = found(model, self);
        match command {
            Command::Back | Command::Details => {
                model.moved();
                After::close()
            }
            Command::Open => self.open(model),
            Command::Copy | Command::CopyCommand => {
                let text = found.map(|(site, thing)| act::copied(command, site, thing));
                After::wants(text.map(Effect::Copy).into_iter().collect())
            }
            _ => {
                let meant = match found {
                    Some((site, thing)) => thing.meant(site, command),
                    None => Err(Able::no("it is not among those seen last")),
                };
                self.leave_for(model, command, meant)
            }
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        match mouse.what {
            MouseWhat::Click => After::close(),
            MouseWhat::Scroll(lines) => {
                self.page.scroll(&mut self.top, lines, rows(model));
                After::stay()
            }
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let size = (columns(model) as u16 + 4, u16::try_from(self.page.len()).unwrap_or(u16::MAX).saturating_add(2));
        let environment = model.site(&self.environment).map(|site| sign::environment(site, look)).unwrap_or_default();
        let name = found(model, self).map_or_else(|| shown(&self.id), |(_, thing)| shown(thing.name()));
        let title = format!("{name}{}{environment}", look.dot());
        let inside = popup(frame, area, size, &title, look.style(Role::Accent), look);
        self.page.draw(frame, inside, self.top, look);
    }
}

impl Sheet {
    /// Closes it and goes on; where that is not possible it says why, and stays.
    fn leave_for(&self, model: &mut Model, command: Command, meant: Result<Meant, Able>) -> After {
        match meant {
            Ok(_) => After::leaves(act::begin(model, command, meant)),
            Err(Able::NotHere) => After::stay(),
            Err(able) => {
                able.say(model, command);
                After::stay()
            }
        }
    }

    /// Dead letters of a dead-letter queue; of anything else its list, where that is not shown already.
    fn open(&self, model: &mut Model) -> After {
        let opens = found(model, self).map(|(_, thing)| thing.opens());
        let is_in_its_list = model.view().list().is_some_and(|list| list.topic == self.topic);
        match opens {
            Some(Opens::Letters) => After::leaves(act::open(model, self.topic, &self.environment, &self.id)),
            Some(Opens::Sheet) | None if is_in_its_list => After::stay(),
            Some(Opens::Sheet) | None => {
                model.go(Way::Thing(self.topic, self.environment.clone(), self.id.clone()));
                After::close()
            }
        }
    }
}

fn found<'a>(model: &'a Model, sheet: &Sheet) -> Option<(&'a Site, &'a dyn Thing)> {
    find(model, sheet.topic, &sheet.environment, &sheet.id)
}

pub(crate) fn service(model: &Model) -> Option<(EnvironmentName, ServiceId)> {
    let Some(Overlay::Sheet(sheet)) = &model.overlay else { return None };
    let (site, thing) = found(model, sheet)?;
    Some((site.environment.name.clone(), thing.service()?))
}

fn columns(model: &Model) -> usize {
    usize::from(areas(model.size).content.width.saturating_sub(2).min(COLUMNS_MAX + 4).saturating_sub(4))
}

fn rows(model: &Model) -> usize {
    usize::from(areas(model.size).content.height.saturating_sub(2))
}

fn whole(page: &mut Page, model: &Model, site: &Site, thing: &dyn Thing, sheet: &Sheet) {
    let about = site.verdicts.iter().filter(|verdict| {
        subject(&verdict.subject).is_some_and(|(topic, name)| topic == sheet.topic && thing.is_meant_by(&name))
    });
    for verdict in about {
        let (sign, role) = sign(verdict.severity, model.look);
        page.pair("needs you", LABEL, &format!("{sign} {}", shown(verdict.reason.as_str())), role);
    }
    thing.page(page, model, site);
    where_it_is(page, site);
    page.blank();
    page.heading("On the command line");
    for line in thing.lines(site) {
        page.text(&line, Role::Text);
    }
    ways(page, model, site, thing, sheet);
}

fn where_it_is(page: &mut Page, site: &Site) {
    let environment = &site.environment;
    page.blank();
    page.heading("Where");
    let account = environment.account.as_ref().map_or("any account".to_owned(), |account| format!("account {account}"));
    let text = format!("{}, {account}, {}, {}", environment.name, environment.region, environment.protection);
    page.pair("environment", LABEL, Text::line(&text).as_str(), Role::Text);
    if let Some(endpoint) = &environment.endpoint {
        page.pair("endpoint", LABEL, Text::line(endpoint).as_str(), Role::Text);
    }
}

fn ways(page: &mut Page, model: &Model, site: &Site, thing: &dyn Thing, sheet: &Sheet) {
    page.blank();
    let scope = sheet.topic.list().head().scope;
    let (mut line, mut reasons) = (Vec::new(), Vec::new());
    for (command, words) in thing.ways().iter().chain(&WAYS) {
        let Some(key) = model.keymap.key_for(scope, *command) else { continue };
        let able = match command {
            Command::Open | Command::Copy | Command::CopyCommand | Command::Back => Able::Yes,
            _ => Able::of(thing.meant(site, *command)),
        };
        let is_able = able == Able::Yes;
        if let Able::No(because) = able {
            reasons.push(format!("{}: {because}", command.name()));
        }
        line.push(part(key, if is_able { Role::Key } else { Role::Dim }));
        line.push(part(format!(" {words}   "), if is_able { Role::Text } else { Role::Dim }));
    }
    page.line(line);
    for reason in reasons {
        page.text(&reason, Role::Dim);
    }
}

fn history(page: &mut Page, history: &Load<History>) {
    if matches!(history, Load::Idle) {
        return;
    }
    page.blank();
    page.heading("What it went through");
    if let Load::Failed(failure, _) = history {
        page.text(&format!("it can't be read: {failure}"), Role::Warning);
    }
    let Some(known) = history.shown() else {
        if history.is_waiting() {
            page.text("asking CloudWatch", Role::Dim);
        }
        return;
    };
    if known.changes.is_empty() {
        page.text("nothing that CloudWatch still knows of", Role::Dim);
    }
    for change in known.changes.iter().take(CHANGES_MAX) {
        let at = change.at.strftime("%m-%d %H:%M:%S").to_string();
        page.pair(&at, LABEL, Text::line(change.summary.as_str()).as_str(), Role::Text);
    }
    let more = known.changes.len().saturating_sub(CHANGES_MAX);
    if more > 0 {
        page.text(&format!("and {more} more: `alarms --history` lists them all"), Role::Dim);
    }
    if let Some(why) = &known.incomplete {
        page.text(Text::line(why.as_str()).as_str(), Role::Dim);
    }
}
