//! The last row: which keys do what here, or what can follow the keys pressed so far.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    able::able,
    keymap::{Command, Key, Next, Resolved},
    navigate::{key_scope, scope},
    screens::screen::{Able, PaneKeys},
    state::{Model, Role},
    widgets::width,
};

const ALWAYS: [Command; 4] = [Command::Back, Command::Palette, Command::Help, Command::Quit];

pub(crate) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let entries = entries(model);
    let mut spans = vec![Span::raw(" ")];
    for at in fitting(&entries, usize::from(area.width).saturating_sub(1)) {
        let Entry { key, what, able, .. } = &entries[at];
        spans.push(Span::styled(key.clone(), look.style(if *able { Role::Key } else { Role::Dim })));
        spans.push(Span::raw(" "));
        spans.push(Span::styled(what.clone(), look.style(if *able { Role::Text } else { Role::Dim })));
        spans.push(Span::raw("   "));
    }
    frame.buffer_mut().set_line(area.x, area.y, &Line::from(spans), area.width);
}

/// Keys of what lies over the view, or of the line being typed; none: the view's own hold.
fn on_top(model: &Model) -> Option<Vec<(String, &'static str)>> {
    let keys = match &model.overlay {
        Some(overlay) => overlay.pane().keys(),
        None if model.view().screen().is_filtering() => PaneKeys::Typing("keep the filter", "no filter"),
        None => PaneKeys::View,
    };
    match keys {
        PaneKeys::View => None,
        // They say themselves what the keys do.
        PaneKeys::Own => Some(Vec::new()),
        PaneKeys::Typing(enter, esc) => {
            let keys = [("enter", enter), ("up down", "move"), ("esc", esc)];
            Some(keys.map(|(key, what)| (key.to_owned(), what)).to_vec())
        }
        PaneKeys::Bound(wanted) => {
            let scope = key_scope(model);
            let key = |(command, what)| Some((model.keymap.key_for(scope, command)?.to_owned(), what));
            Some(wanted.into_iter().filter_map(key).collect())
        }
    }
}

struct Entry {
    key: String,
    what: String,
    able: bool,
    first: bool,
}

impl Entry {
    fn new(key: String, what: String) -> Self {
        Self { key, what, able: true, first: false }
    }
}

/// Which entries fit, in their order: the way to help and palette first, then the most wanted.
fn fitting(entries: &[Entry], mut room: usize) -> Vec<usize> {
    let mut wanted: Vec<usize> = (0..entries.len()).collect();
    wanted.sort_by_key(|at| !entries[*at].first);
    let mut fit: Vec<usize> = wanted
        .into_iter()
        .filter(|at| {
            let columns = width(&entries[*at].key) + 1 + width(&entries[*at].what);
            let fits = columns <= room;
            if fits {
                room = room.saturating_sub(columns + 3);
            }
            fits
        })
        .collect();
    fit.sort_unstable();
    fit
}

fn entries(model: &Model) -> Vec<Entry> {
    if let Some(keys) = on_top(model) {
        // The way out comes last, and is never the one that has no room.
        let last = keys.len().saturating_sub(1);
        let entry = |(at, (key, what)): (usize, (String, &str))| Entry {
            first: at == last,
            ..Entry::new(key, what.to_owned())
        };
        return keys.into_iter().enumerate().map(entry).collect();
    }
    if let Resolved::Pending(next) = model.keymap.resolve(scope(model), &model.pending)
        && !model.pending.is_empty()
    {
        let mut entries = vec![Entry { first: true, ..Entry::new(typed(model), model.look.arrow().to_owned()) }];
        let room = usize::from(model.size.0).saturating_sub(8);
        let helps: Vec<(String, String)> = next.iter().map(|(key, next)| (key.to_string(), next.help())).collect();
        let columns: usize = helps.iter().map(|(key, help)| width(key) + width(help) + 4).sum();
        // Where there is no room to explain them all, their names say more than the explanation of a few.
        let named = |(key, next): &(Key, Next)| match next {
            Next::Command(command) => (key.to_string(), command.name()),
            Next::More(_) => (key.to_string(), next.help()),
        };
        let shown = if columns <= room { helps } else { next.iter().map(named).collect() };
        entries.extend(shown.into_iter().map(|(key, what)| Entry::new(key, what)));
        return entries;
    }
    let wanted = model.view().screen().wanted().iter().map(|command| (command, false));
    let commands = wanted.chain(ALWAYS.iter().map(|command| (command, true)));
    commands
        .filter_map(|(command, always)| {
            let able = able(model, *command);
            let key = model.keymap.key_for(scope(model), *command)?.to_owned();
            let first = matches!(command, Command::Help | Command::Palette);
            // What is a promise of every view says nothing where it does not hold.
            let shown = if always { able == Able::Yes } else { able != Able::NotHere };
            shown.then(|| Entry { first, able: able == Able::Yes, ..Entry::new(key, command.name()) })
        })
        .collect()
}

fn typed(model: &Model) -> String {
    model.pending.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
