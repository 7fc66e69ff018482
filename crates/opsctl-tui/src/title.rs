//! The first two rows: views, environments, the clock; below them a rule, or what somebody has to do first.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::Span,
};

use crate::{
    domain::{Environment, EnvironmentName, Protection, Text},
    keymap::{Command, Scope},
    screens::{home::what::needy, runbooks::words::waits_for, screen::Tab},
    state::{Model, Mouse, MouseWhat, Needs, Role, Site, View, look::Standing, run::Subject},
    widgets::{
        cut,
        sign::{self, standing},
        spread, width,
    },
};

const NAME: &str = " opsctl ";

struct Left {
    name: &'static str,
    tabs: Vec<(Command, String)>,
}

impl Left {
    fn width(&self) -> usize {
        width(self.name) + self.tabs.iter().map(|(_, text)| width(text)).sum::<usize>()
    }
}

/// What stands at the right end of the title, as much as there is room for.
struct Right {
    chips: Vec<(EnvironmentName, String, Style)>,
    more: String,
    clock: String,
}

impl Right {
    fn width(&self) -> usize {
        self.chips.iter().map(|(_, text, _)| width(text) + 1).sum::<usize>() + width(&self.more) + width(&self.clock)
    }
}

/// A tab, and whether it stays where there is little room.
struct Offered {
    tab: Tab,
    text: String,
    short: String,
    stays: bool,
}

/// Program and tabs, the most with which every environment still has its place: first names get shorter, then the program's goes,
/// then tabs fold into a menu from the last on. The one that is shown and those that count something stay longest.
fn left(model: &Model) -> Left {
    let chips: usize = model.sites.iter().map(|site| width(&chip_text(model, site)) + 1).sum();
    let room = usize::from(model.size.0).saturating_sub(chips);
    let mut offered = offered(model);
    for (name, is_short) in [(NAME, false), (NAME, true), ("", true)] {
        let tabs = offered.iter().map(|one| (one.tab.command, if is_short { &one.short } else { &one.text }.clone()));
        let left = Left { name, tabs: tabs.collect() };
        if left.width() < room {
            return left;
        }
    }
    let mut folded = 0;
    loop {
        let at = offered.iter().rposition(|one| !one.stays);
        let Some(at) = at.or_else(|| (offered.len() > 1).then(|| offered.len() - 1)) else { break };
        offered.remove(at);
        folded += 1;
        let left = folded_left(model, &offered, folded);
        if left.width() < room {
            return left;
        }
    }
    folded_left(model, &offered, folded)
}

fn folded_left(model: &Model, offered: &[Offered], folded: usize) -> Left {
    let mut tabs: Vec<(Command, String)> = offered.iter().map(|one| (one.tab.command, one.short.clone())).collect();
    tabs.push((Command::Views, format!(" {}+{folded} ", key(model, Command::Views))));
    Left { name: "", tabs }
}

/// The key of a tab, with the gap after it; a long one is no help here.
fn key(model: &Model, command: Command) -> String {
    let key = model.keymap.key_for(Scope::Everywhere, command).filter(|key| width(key) <= 3);
    key.map(|key| format!("{key} ")).unwrap_or_default()
}

fn offered(model: &Model) -> Vec<Offered> {
    let shown = root(model);
    let needy = needy(model);
    let active = model.runs.iter().filter(|run| run.is_active()).count();
    let active = active + model.driven.iter().filter(|driven| driven.is_active()).count();
    let tab = |view: &View| {
        let tab = view.screen().tab()?;
        let count = match tab.command {
            Command::Home => needy,
            Command::Activity => active,
            Command::Runbooks => model.asking().count(),
            _ => 0,
        };
        let number = if count > 0 { format!(" {count}") } else { String::new() };
        // A list with a filter does not show all, also while another is shown.
        let filtered = if has_filter(model, tab.command) { "/" } else { "" };
        let text = |title: &str| format!(" {}{title}{number}{filtered} ", key(model, tab.command));
        let stays = tab.command == shown || count > 0;
        Some(Offered { tab, text: text(tab.title), short: text(tab.short), stays })
    };
    View::standing().iter().filter_map(tab).collect()
}

fn chip_text(model: &Model, site: &Site) -> String {
    format!(" {} ", cut(&sign::environment(site, model.look), 20, model.look))
}

/// Chips of environments and the clock. Where there is no room the clock goes first, then environments from the end; those
/// that are shown alone, or in which names are typed, stay longest.
fn right(model: &Model) -> Right {
    let look = model.look;
    let chip = |site: &Site| {
        let environment = &site.environment;
        let hidden = model.only.as_ref().is_some_and(|only| *only != environment.name);
        let style = if hidden { look.style(Role::Dim) } else { look.environment(environment) };
        (environment.name.clone(), chip_text(model, site), style)
    };
    let room = usize::from(model.size.0).saturating_sub(left(model).width() + 1);
    let clock = format!("{} ", model.now.strftime("%H:%M:%S UTC"));
    let mut right = Right { chips: model.sites.iter().map(chip).collect(), more: String::new(), clock };
    for clock in [format!("{} ", model.now.strftime("%H:%M UTC")), String::new()] {
        if right.width() > room {
            right.clock = clock;
        }
    }
    while right.width() > room && !right.chips.is_empty() {
        let matters = |name: &EnvironmentName| match &model.only {
            Some(only) => only == name,
            None => model.site(name).is_some_and(|site| site.environment.protection == Protection::TypeName),
        };
        let at = right.chips.iter().rposition(|(name, ..)| !matters(name)).unwrap_or(right.chips.len() - 1);
        right.chips.remove(at);
        right.more = format!("+{} ", model.sites.len() - right.chips.len());
    }
    right
}

pub(crate) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = root(model);
    let Left { name, tabs } = left(model);
    let mut left = vec![Span::styled(name, look.style(Role::Accent).add_modifier(Modifier::BOLD))];
    for (command, text) in tabs {
        let style = match command == shown {
            true => Style::default().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            false => look.style(Role::Dim),
        };
        left.push(Span::styled(text, style));
    }
    let Right { chips, more, clock } = right(model);
    let mut spans = Vec::new();
    for (_, text, style) in chips {
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    spans.push(Span::styled(format!("{more}{clock}"), look.style(Role::Dim)));
    let line = spread(left, spans, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// The command of the tab that the view shown belongs to.
fn root(model: &Model) -> Command {
    let tab = |view: &View| view.screen().tab();
    model.views.iter().rev().find_map(tab).map_or(Command::Home, |tab| tab.command)
}

fn has_filter(model: &Model, command: Command) -> bool {
    let is_it = |view: &&View| view.screen().tab().is_some_and(|tab| tab.command == command);
    model.views.iter().chain(&model.left).filter(is_it).any(|view| view.screen().is_filtered())
}

/// What is clicked of things side by side in the first row: each with its columns, and those between it and the next.
fn pointed_at<T>(mouse: Mouse, mut from: usize, things: impl Iterator<Item = (T, usize, usize)>) -> Option<T> {
    let mut things = things.filter(|_| mouse.what == MouseWhat::Click && mouse.row == 0);
    things.find_map(|(thing, columns, gap)| {
        let to = from + columns;
        let is_inside = (from..to).contains(&usize::from(mouse.column));
        from = to + gap;
        is_inside.then_some(thing)
    })
}

pub(crate) fn tab_at(model: &Model, mouse: Mouse) -> Option<Command> {
    let Left { name, tabs } = left(model);
    pointed_at(mouse, width(name), tabs.into_iter().map(|(command, text)| (command, width(&text), 0)))
}

pub(crate) fn chip_at(model: &Model, mouse: Mouse) -> Option<EnvironmentName> {
    let right = right(model);
    let from = usize::from(model.size.0).saturating_sub(right.width());
    pointed_at(mouse, from, right.chips.into_iter().map(|(name, text, _)| (name, width(&text), 1)))
}

/// The row below: a rule; what somebody has to do before an environment can be looked at; and where the view belongs to an
/// environment in which names are typed, that.
pub(crate) fn draw_rule(model: &Model, frame: &mut Frame<'_>, y: u16) {
    let look = model.look;
    let columns = usize::from(frame.area().width);
    let strict = place(model).filter(|environment| environment.protection == Protection::TypeName);
    let (sign, style) = match strict {
        None => (look.sign("─", "-"), look.style(Role::Line)),
        Some(_) => (look.sign("━", "="), look.style(Role::Critical)),
    };
    frame.buffer_mut().set_string(0, y, sign.repeat(columns), style);
    let banner = banner(model);
    let mut right = columns;
    if let Some(environment) = strict {
        let name = Text::line(&look.environment_name(environment)).to_string();
        let words = match banner.is_some() {
            true => format!(" {name} "),
            false => format!(" {name}: every change asks for its name "),
        };
        let words = cut(&words, columns.saturating_sub(2), look).into_owned();
        right = columns.saturating_sub(width(&words) + 2);
        frame.buffer_mut().set_stringn(right as u16, y, words, columns, look.environment(environment));
    }
    if let Some((text, role)) = banner {
        let room = right.saturating_sub(2);
        let text = format!(" {} ", cut(&text, room.saturating_sub(2), look));
        let mut style = look.style(role);
        if role == Role::Warning {
            style = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
        }
        frame.buffer_mut().set_stringn(1, y, text, room, style);
    }
}

/// Which run of a runbook waits for a person, where its own view is not shown.
fn asking(model: &Model) -> Option<String> {
    let shown = model.view().runbook_run().map(|view| &view.subject);
    let driven = model.asking().find(|driven| shown != Some(&Subject::Driven(driven.ticket)))?;
    let asked = driven.asked.as_ref()?;
    let key = model.keymap.key_for(Scope::Everywhere, Command::Runbooks).unwrap_or("runbooks");
    let words = format!(
        "runbook {} in {} waits for {}; {key} shows it",
        driven.runbook.name,
        driven.environment,
        waits_for(driven, asked)
    );
    Some(Text::line(&words).to_string())
}

/// What somebody has to do, or what is not reached; the environments that it holds for, and what to run.
fn banner(model: &Model) -> Option<(String, Role)> {
    let look = model.look;
    if let Some(words) = asking(model) {
        return Some((words, Role::Warning));
    }
    let stand = |site: &Site| -> (Text, Standing) {
        (Text::line(&look.environment_name(&site.environment)), standing(site, model.now))
    };
    let all: Vec<(Text, Standing)> = model.shown_sites().map(stand).collect();
    let credentials = all.iter().find_map(|(_, standing)| match &standing.needs {
        Needs::Credentials(hint) => Some((standing.words.clone(), hint.clone())),
        Needs::Nothing | Needs::Reaching(_) => None,
    });
    if let Some((words, hint)) = credentials {
        let same = |(name, standing): &(Text, Standing)| {
            (standing.needs == Needs::Credentials(hint.clone())).then(|| name.to_string())
        };
        let names: Vec<String> = all.iter().filter_map(same).collect();
        let needy = all.iter().filter(|(_, standing)| matches!(standing.needs, Needs::Credentials(_))).count();
        let more = match needy - names.len() {
            0 => String::new(),
            more => format!(" (+{more}: see Home)"),
        };
        return Some((format!("{}: {words}{more}; {hint}", names.join(", ")), Role::Warning));
    }
    let calm: Vec<String> = all
        .iter()
        .filter(|(_, standing)| standing.role == Role::Warning)
        .map(|(name, standing)| format!("{name}: {}", standing.words))
        .collect();
    (!calm.is_empty()).then(|| (calm.join(look.dot()), Role::Dim))
}

fn place(model: &Model) -> Option<&Environment> {
    let name = model.view().screen().place(model)?;
    model.site(&name).map(|site| site.environment.as_ref())
}
