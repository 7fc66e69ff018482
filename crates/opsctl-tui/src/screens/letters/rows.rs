//! Which messages are listed, in which order; made when something changes, never for a frame.

use std::{cmp::Ordering, collections::BTreeSet};

use crate::{
    domain::{Message, MessageId},
    keymap::Command,
    messages::Group,
    screens::letters::places,
    state::{
        Digest, Letters, LettersView, Level,
        letters::{Order, Path},
    },
};

impl Order {
    pub(crate) fn next(self, columns: usize) -> Self {
        match self {
            Self::Arrival => Self::Age,
            Self::Age => Self::Receives,
            Self::Receives => Self::Group,
            Self::Group if columns > 0 => Self::Column(0),
            Self::Column(at) if at + 1 < columns => Self::Column(at + 1),
            Self::Group | Self::Column(_) => Self::Arrival,
        }
    }
}

/// Takes in what a new look brought, in place of `before`; gives how many selected messages are gone.
pub(crate) fn take_in(view: &mut LettersView, before: Option<&Letters>, size: (u16, u16)) -> usize {
    let under = view.under().and_then(|at| before?.messages.get(at)).map(|message| message.id.clone());
    let Some(letters) = view.letters.shown().cloned() else { return 0 };
    let find = |at: usize| {
        let group = before?.groups.groups.get(at)?;
        letters.groups.groups.iter().position(|new| is_same(new, group))
    };
    // The first row stands for all.
    view.group_cursor.at = match (before, view.group_cursor.at) {
        (None, _) => 1,
        (Some(_), 0) => 0,
        (Some(_), at) => find(at - 1).map_or(at, |at| at + 1),
    };
    if let Some(group) = view.group {
        view.group = find(group);
        if view.group.is_none() {
            go_to_groups(view);
        }
    }
    if let Some(filter) = &mut view.filter {
        // Its answers were about other messages.
        filter.answers = crate::state::ticket::Load::Idle;
    }
    if letters.groups.groups.is_empty() {
        go_to_groups(view);
    }
    let gone = drop_gone(view, &letters);
    columns(view);
    count_selected(view);
    build_on(view, under.as_ref());
    settle(view, size);
    gone
}

/// Selects no more what is gone: only a whole look tells. Gives how many those are.
fn drop_gone(view: &mut LettersView, letters: &Letters) -> usize {
    if !letters.is_whole {
        return 0;
    }
    let before = view.selected.len();
    let here: BTreeSet<&MessageId> = letters.messages.iter().map(|message| &message.id).collect();
    view.selected.retain(|id| here.contains(id));
    view.lost_selection |= before > 0 && view.selected.is_empty();
    before - view.selected.len()
}

/// Lists the groups. No group is open then: a filter begun there is for all messages.
pub(crate) fn go_to_groups(view: &mut LettersView) {
    view.level = Level::Groups;
    view.group = None;
}

pub(crate) fn count_selected(view: &mut LettersView) {
    let Some(letters) = view.letters.shown() else { return };
    let mut of = vec![0; letters.groups.groups.len()];
    let mut here = 0;
    for (message, group) in letters.messages.iter().zip(&letters.group_of) {
        if view.selected.contains(&message.id) {
            here += 1;
            if let Some(group) = group {
                of[*group] += 1;
            }
        }
    }
    view.selected_of = of;
    view.selected_here = here;
}

fn is_same(new: &Group, old: &Group) -> bool {
    (&new.source, &new.error, &new.exception, &new.shape) == (&old.source, &old.error, &old.exception, &old.shape)
}

pub(crate) fn columns(view: &mut LettersView) {
    let Some(letters) = view.letters.shown() else { return };
    let paths = view.chosen.clone().unwrap_or_else(|| letters.digest.telling());
    let place = |path: Path| match (letters.digest.place(&path), &path) {
        (Some(place), _) => Some(place.clone()),
        (None, Path::Body(pointer)) => Some(Digest::at_pointer(&letters.messages, pointer)),
        (None, Path::Attribute(_)) => None,
    };
    view.columns = paths.into_iter().filter_map(place).collect();
    if matches!(view.order, Order::Column(at) if at >= view.columns.len()) {
        view.order = Order::Arrival;
    }
}

/// Lists the messages anew; the cursor stays on the message that it was on.
pub(crate) fn build(view: &mut LettersView) {
    let under = view.under().and_then(|at| view.letters.shown()?.messages.get(at)).map(|message| message.id.clone());
    build_on(view, under.as_ref());
}

fn build_on(view: &mut LettersView, under: Option<&MessageId>) {
    let Some(letters) = view.letters.shown() else {
        view.rows.clear();
        return;
    };
    let group = view.group;
    let fits = |at: &usize| {
        let in_group = group.is_none() || letters.group_of[*at] == group;
        in_group && view.filter.as_ref().is_none_or(|filter| filter.admits(*at))
    };
    let mut rows: Vec<usize> = (0..letters.messages.len()).filter(fits).collect();
    // Stable: equal ones stay as they came.
    rows.sort_by(|left, right| compare(view, letters, *left, *right));
    if view.reverse {
        rows.reverse();
    }
    let found = under.and_then(|id| rows.iter().position(|at| letters.messages[*at].id == *id));
    view.cursor.at = found.unwrap_or(view.cursor.at).min(rows.len().saturating_sub(1));
    view.rows = rows;
}

fn compare(view: &LettersView, letters: &Letters, left: usize, right: usize) -> Ordering {
    let message = |at: usize| -> &Message { &letters.messages[at] };
    match view.order {
        Order::Arrival => left.cmp(&right),
        Order::Age => message(left).system.sent_at.cmp(&message(right).system.sent_at),
        Order::Receives => message(right).system.receive_count.cmp(&message(left).system.receive_count),
        Order::Group => {
            let group = |at: usize| letters.group_of[at].unwrap_or(usize::MAX);
            group(left).cmp(&group(right))
        }
        Order::Column(column) => {
            let value = |at: usize| view.columns.get(column).and_then(|place| place.value(at));
            // What has no value comes last.
            match (value(left), value(right)) {
                (Some(left), Some(right)) => by_value(left.as_str(), right.as_str()),
                (left, right) => left.is_none().cmp(&right.is_none()),
            }
        }
    }
}

fn by_value(left: &str, right: &str) -> Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

pub(crate) fn settle(view: &mut LettersView, size: (u16, u16)) {
    let height = places::table_height(view, size);
    let groups = group_rows(view);
    view.group_cursor.settle(groups, height);
    view.cursor.settle(view.rows.len(), height);
}

/// Rows of the list of groups: one for all messages, one for each group.
pub(crate) fn group_rows(view: &LettersView) -> usize {
    let groups = view.letters.shown().map_or(0, |letters| letters.groups.groups.len());
    if groups == 0 { 0 } else { groups + 1 }
}

/// Messages of a group: their places in the look.
pub(crate) fn members(letters: &Letters, group: Option<usize>) -> impl Iterator<Item = usize> + '_ {
    (0..letters.messages.len()).filter(move |at| group.is_none() || letters.group_of[*at] == group)
}

/// Moves among the messages, also from the view of one.
pub(crate) fn step_rows(view: &mut LettersView, command: Command, size: (u16, u16)) {
    let height = places::table_height(view, size);
    view.cursor.step(command, view.rows.len(), height);
}
