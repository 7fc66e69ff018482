//! What can be done with the letters now, and why not.

use crate::{
    domain::QueueName,
    keymap::Command,
    leave::Force,
    leave::NoLeave,
    operations::OperationKind,
    screens::{
        letters::{
            choose::PLANNED,
            looks::leave,
            places::{environment, seen},
        },
        screen::{Able, able_to_change, moves},
    },
    state::{
        letters::{LettersView, Level},
        model::Model,
    },
};

const NOT_LOOKED: &str = "no message was looked at";

/// Whether a command can be given now.
pub(crate) fn able(model: &Model, view: &LettersView, command: Command) -> Able {
    let letters = view.letters.shown().filter(|letters| !letters.messages.is_empty());
    let are_there = Able::when(letters.is_some(), NOT_LOOKED);
    let is_listed = match view.level {
        Level::Groups => Able::when(letters.is_some(), NOT_LOOKED),
        Level::Messages => Able::when(view.under().is_some(), "no message is listed"),
    };
    let of_messages = match (view.level, view.under()) {
        (Level::Groups, _) => Able::no("open a group or the messages first"),
        (Level::Messages, None) => Able::no("no message is listed"),
        (Level::Messages, Some(_)) => Able::Yes,
    };
    match command {
        command if moves(command) => Able::Yes,
        Command::Open if letters.is_none() => open_instead(model, view),
        Command::Open | Command::Select | Command::SelectAll | Command::Copy => is_listed,
        Command::Messages | Command::Filter | Command::Columns | Command::CopyCommand | Command::Details => are_there,
        Command::SelectGroup | Command::Sort | Command::Reverse => of_messages,
        Command::Edit => both(changeable(model, view), of_messages),
        Command::LookMore => match (view.more(), leave(model, view, Force::Yes)) {
            (_, Err(refusal)) => Able::no(&refusal.to_string()),
            (None, _) => Able::no(&format!("{} is the most that a look takes", view.asked)),
            (Some(_), _) if view.letters.is_waiting() => Able::no("a look is under way"),
            (Some(_), _) => Able::Yes,
        },
        Command::Force => match leave(model, view, Force::No) {
            Err(NoLeave::LookKills { .. }) => Able::when(!view.letters.is_waiting(), "a look is under way"),
            Err(refusal) => Able::no(&refusal.to_string()),
            Ok(()) => Able::no("nothing stands in the way of a look: refresh looks again"),
        },
        Command::Operate(OperationKind::Redrive) => both(changeable(model, view), redrivable(model, view)),
        Command::Operate(OperationKind::Purge) => changeable(model, view),
        _ => Able::NotHere,
    }
}

fn both(first: Able, second: Able) -> Able {
    if first == Able::Yes { second } else { first }
}

fn changeable(model: &Model, view: &LettersView) -> Able {
    environment(model, &view.environment).map_or(Able::NotHere, able_to_change)
}

fn redrivable(model: &Model, view: &LettersView) -> Able {
    if model.saving.is_some() {
        return Able::no(PLANNED);
    }
    match (&view.filter, view.level) {
        (Some(filter), Level::Messages) if view.selected.is_empty() => {
            match (&filter.failure(), filter.answers.is_waiting()) {
                (Some(_), _) => Able::no("the filter can't be used"),
                (None, true) => Able::no("the filter is still at work"),
                (None, false) => Able::when(!view.rows.is_empty(), "nothing fits the filter"),
            }
        }
        _ => Able::Yes,
    }
}

/// Where looking is refused because this queue's messages would die of it, its dead-letter queue can be opened.
fn open_instead(model: &Model, view: &LettersView) -> Able {
    match dead_letter(model, view) {
        Some(_) => Able::Yes,
        None => Able::no(NOT_LOOKED),
    }
}

/// The dead-letter queue of the queue that is shown, where it is known.
pub(crate) fn dead_letter(model: &Model, view: &LettersView) -> Option<QueueName> {
    let name = seen(model, &view.environment, &view.queue)?.feeds()?.name();
    seen(model, &view.environment, &name).map(|seen| seen.name.clone())
}
