//! The first two rows: views, environments, the clock; below them a rule, or what somebody has to do first.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::Span,
};

use super::{
    event::{Mouse, MouseWhat},
    fit::{cut, spread, width},
    home,
    model::{Model, Site, View},
    run_view,
    standing::{Needs, Standing, standing},
    theme::Role,
};
use crate::{
    domain::{Environment, EnvironmentName, Protection, Text},
    keymap::Command,
};

/// Views that stand for themselves: the commands that open them, their names, and shorter ones.
const TABS: [(Command, &str, &str); 7] = [
    (Command::Home, "Home", "Home"),
    (Command::Queues, "Queues", "Queues"),
    (Command::Services, "Services", "Services"),
    (Command::Databases, "Databases", "DBs"),
    (Command::Alarms, "Alarms", "Alarms"),
    (Command::Activity, "Activity", "Activity"),
    (Command::Consumers, "Consumers", "Consumers"),
];

/// The program's name.
const NAME: &str = " opsctl ";

/// What stands at the right end of the title, as much as there is room for.
struct Right {
    chips: Vec<(EnvironmentName, String, Style)>,
    /// What stands for environments that have no room.
    more: String,
    clock: String,
}

impl Right {
    fn width(&self) -> usize {
        self.chips.iter().map(|(_, text, _)| width(text) + 1).sum::<usize>() + width(&self.more) + width(&self.clock)
    }
}

/// How much of the title there is room for; each has less than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Everything.
    Whole,
    /// Without the tab of the consumers, unless they are shown.
    WithoutConsumers,
    /// With short names besides.
    Short,
    /// Without the program's name besides: environments come first.
    Shortest,
}

impl Room {
    const ALL: [Self; 4] = [Self::Whole, Self::WithoutConsumers, Self::Short, Self::Shortest];

    /// The most with which every environment still has its place.
    fn of(model: &Model) -> Self {
        let chips: usize = model.sites.iter().map(|site| width(&chip_text(model, site)) + 1).sum();
        let fits = |room: &Self| left_width_in(model, *room) + chips < usize::from(model.size.0);
        Self::ALL.into_iter().find(fits).unwrap_or(Self::Shortest)
    }
}

/// The program's name, where it has room.
fn name(room: Room) -> &'static str {
    match room {
        Room::Whole | Room::WithoutConsumers | Room::Short => NAME,
        Room::Shortest => "",
    }
}

fn tabs(model: &Model) -> Vec<(Command, String)> {
    tabs_in(model, Room::of(model))
}

fn tabs_in(model: &Model, room: Room) -> Vec<(Command, String)> {
    let shown = root(model);
    let needy = home::needy(model);
    let active = model.runs.iter().filter(|run| run.is_active()).count();
    let count = |command: Command| match command {
        Command::Home if needy > 0 => format!(" {needy}"),
        Command::Activity if active > 0 => format!(" {active}"),
        _ => String::new(),
    };
    // A list with a filter does not show all, also while another is shown.
    let filtered = |command: Command| if has_filter(model, command) { "/" } else { "" };
    let is_shown = |command: Command| command != Command::Consumers || command == shown || room == Room::Whole;
    TABS.iter()
        .filter(|(command, ..)| is_shown(*command))
        .map(|(command, name, short)| {
            let name = match room {
                Room::Whole | Room::WithoutConsumers => name,
                Room::Short | Room::Shortest => short,
            };
            (*command, format!(" {name}{}{} ", count(*command), filtered(*command)))
        })
        .collect()
}

fn left_width_in(model: &Model, room: Room) -> usize {
    width(name(room)) + tabs_in(model, room).iter().map(|(_, text)| width(text)).sum::<usize>()
}

fn left_width(model: &Model) -> usize {
    left_width_in(model, Room::of(model))
}

/// An environment's name in the title.
fn chip_text(model: &Model, site: &Site) -> String {
    let name = Text::line(&model.look.environment_name(&site.environment)).to_string();
    format!(" {} ", cut(&name, 20, model.look))
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
    let room = usize::from(model.size.0).saturating_sub(left_width(model) + 1);
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

/// Draws the first row.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let shown = root(model);
    let mut left = vec![Span::styled(name(Room::of(model)), look.style(Role::Accent).add_modifier(Modifier::BOLD))];
    for (command, text) in tabs(model) {
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
    let tab = |view: &View| match view {
        View::Home(_) => Some(Command::Home),
        View::Queues(_) => Some(Command::Queues),
        View::Estate(view) => Some(view.topic.command()),
        View::Activity(_) => Some(Command::Activity),
        View::Letters(_) | View::Message(_) | View::Run(_) => None,
    };
    model.views.iter().rev().find_map(tab).unwrap_or(Command::Home)
}

fn has_filter(model: &Model, command: Command) -> bool {
    model.views.iter().chain(&model.left).any(|view| match view {
        View::Home(view) => command == Command::Home && !view.filter.is_empty(),
        View::Queues(view) => command == Command::Queues && !view.filter.is_empty(),
        View::Estate(view) => command == view.topic.command() && !view.filter.is_empty(),
        View::Letters(_) | View::Message(_) | View::Activity(_) | View::Run(_) => false,
    })
}

/// The tab under the mouse.
pub(super) fn tab_at(model: &Model, mouse: Mouse) -> Option<Command> {
    if mouse.what != MouseWhat::Click || mouse.row != 0 {
        return None;
    }
    let mut from = width(name(Room::of(model)));
    tabs(model).into_iter().find_map(|(command, text)| {
        let to = from + width(&text);
        let inside = (from..to).contains(&usize::from(mouse.column));
        from = to;
        inside.then_some(command)
    })
}

/// The environment whose chip is under the mouse.
pub(super) fn chip_at(model: &Model, mouse: Mouse) -> Option<EnvironmentName> {
    if mouse.what != MouseWhat::Click || mouse.row != 0 {
        return None;
    }
    let right = right(model);
    let mut from = usize::from(model.size.0).saturating_sub(right.width());
    right.chips.into_iter().find_map(|(name, text, _)| {
        let to = from + width(&text);
        let inside = (from..to).contains(&usize::from(mouse.column));
        from = to + 1;
        inside.then_some(name)
    })
}

/// The row below: a rule; what somebody has to do before an environment can be looked at; and where the view belongs to an
/// environment in which names are typed, that.
pub(super) fn draw_rule(model: &Model, frame: &mut Frame<'_>, y: u16) {
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
        let style = match role {
            Role::Warning => look.style(Role::Warning).add_modifier(Modifier::BOLD | Modifier::REVERSED),
            _ => look.style(role),
        };
        frame.buffer_mut().set_stringn(1, y, text, room, style);
    }
}

/// What somebody has to do, or what is not reached; the environments that it holds for, and what to run.
fn banner(model: &Model) -> Option<(String, Role)> {
    let look = model.look;
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

/// The environment that the view is about, if it is about one.
fn place(model: &Model) -> Option<&Environment> {
    let name = match model.view() {
        View::Home(_) | View::Queues(_) | View::Estate(_) | View::Activity(_) => model.only.clone(),
        View::Letters(view) => Some(view.environment.clone()),
        View::Message(view) => Some(view.environment.clone()),
        View::Run(view) => run_view::environment(model, view),
    }?;
    model.site(&name).map(|site| site.environment.as_ref())
}
