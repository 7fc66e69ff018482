//! What a redrive from here takes: what was selected, else a group or what a filter finds, else the whole queue.

use std::path::PathBuf;

use crate::{
    domain::{EnvironmentName, MessageId, QueueName},
    observe::Seen,
    operations::{Operation, Redrive, choices::Draft},
    run::Failure,
    screens::{
        flow::planning,
        letters::{places::seen, rows::members},
    },
    state::{
        Effect, Letters, LettersView, Level, Model, Notice, Ticket,
        letters::{File, Saving},
    },
    widgets::words,
};

pub(crate) const PLANNED: &str = "a redrive is being planned";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Take {
    Ids(Vec<MessageId>),
    /// Those that fit a filter that somebody typed: so many of those looked at.
    Where(String, usize),
    /// Those that fit a group's filter, which is made of messages' text: so many of those looked at.
    Group(String, usize),
    All,
}

pub(crate) fn take(view: &LettersView) -> Take {
    if !view.selected.is_empty() {
        return Take::Ids(view.selected.iter().cloned().collect());
    }
    let Some(letters) = view.letters.shown() else { return Take::All };
    match view.level {
        Level::Groups => match view.group_cursor.at.checked_sub(1) {
            Some(group) => of_group(letters, group),
            None => Take::All,
        },
        Level::Messages => listed(view, letters),
    }
}

fn of_group(letters: &Letters, group: usize) -> Take {
    match letters.groups.groups.get(group) {
        Some(known) => match &known.filter {
            Some(filter) => Take::Group(filter.clone(), known.count),
            None => Take::Ids(ids(letters, members(letters, Some(group)))),
        },
        None => Take::All,
    }
}

/// What is listed: the group, narrowed down by the filter.
fn listed(view: &LettersView, letters: &Letters) -> Take {
    let group = view.group.map(|group| of_group(letters, group));
    match (group, &view.filter) {
        (None, None) => Take::All,
        (Some(group), None) => group,
        (None, Some(filter)) => Take::Where(filter.code.clone(), view.rows.len()),
        (Some(Take::Where(group, _) | Take::Group(group, _)), Some(filter)) => {
            Take::Group(format!("({group}) and ({})", filter.code), view.rows.len())
        }
        (Some(Take::Ids(_) | Take::All), Some(_)) => Take::Ids(ids(letters, view.rows.iter().copied())),
    }
}

fn ids(letters: &Letters, messages: impl Iterator<Item = usize>) -> Vec<MessageId> {
    messages.map(|at| letters.messages[at].id.clone()).collect()
}

/// What is taken, in words that follow a key.
pub(crate) fn in_words(view: &LettersView, visible: Option<u64>) -> String {
    let looked_at = view.letters.shown().map_or(0, |letters| letters.messages.len());
    match take(view) {
        Take::Ids(ids) if view.selected.is_empty() => {
            format!("redrives these {} by their ids", words::of(ids.len() as u64, "message"))
        }
        Take::Ids(ids) => format!("redrives the {} selected", words::of(ids.len() as u64, "message")),
        Take::Where(_, count) | Take::Group(_, count) if visible.is_none_or(|visible| visible <= looked_at as u64) => {
            format!("redrives these {}", words::of(count as u64, "message"))
        }
        Take::Where(_, count) | Take::Group(_, count) => {
            format!("redrives these {} and all others in the queue that fit this filter", words::count(count as u64))
        }
        Take::All => match visible {
            Some(visible) => format!("redrives the whole queue: {} messages", words::about(visible)),
            None => "redrives the whole queue".to_owned(),
        },
    }
}

pub(super) fn begin(view: &mut LettersView, model: &mut Model) -> Vec<Effect> {
    if std::mem::take(&mut view.lost_selection) {
        let visible = seen(model, &view.environment, &view.queue).and_then(Seen::messages);
        let takes = in_words(view, visible);
        model.say(Notice::bad(&format!("redrive: what was selected is gone from the queue; once more {takes}")));
        return Vec::new();
    }
    begin_taking(model, &view.environment, &view.queue, take(view))
}

pub(crate) fn begin_all(model: &mut Model, environment: &EnvironmentName, queue: &QueueName) -> Vec<Effect> {
    if model.saving.is_some() {
        model.say(Notice::bad(PLANNED));
        return Vec::new();
    }
    begin_taking(model, environment, queue, Take::All)
}

pub(crate) fn begin_taking(
    model: &mut Model,
    environment: &EnvironmentName,
    queue: &QueueName,
    take: Take,
) -> Vec<Effect> {
    let mut redrive = Redrive { queue: queue.0.clone(), ..Redrive::default() };
    let (mut drafts, mut files) = (Vec::new(), Vec::new());
    let edits = relevant(model, environment, queue, &take);
    match take {
        Take::Ids(ids) => {
            if let Some(odd) = ids.iter().find(|id| !is_plain(id)) {
                model.say(Notice::bad(&format!("the id {} can't stand in a list of ids", odd.0)));
                return Vec::new();
            }
            let text: String = ids.iter().map(|id| format!("{}\n", id.0)).collect();
            drafts.push(Draft { name: "ids.txt", text });
            files.push(File::Ids);
        }
        Take::Where(filter, _) => redrive.filter = Some(filter),
        Take::Group(text, _) => {
            drafts.push(Draft { name: "filter.jq", text });
            files.push(File::Filter);
        }
        Take::All => {}
    }
    if let Some(program) = edits {
        drafts.push(Draft { name: "edit.jq", text: program });
        files.push(File::Edit);
    }
    if drafts.is_empty() {
        return planning::begin(model, environment, Operation::Redrive(redrive));
    }
    let ticket = model.ticket();
    model.saving = Some(Saving { ticket, environment: environment.clone(), redrive, files });
    vec![Effect::Save(ticket, drafts)]
}

/// The edits of what is taken. Of a filter's finds and of a whole queue all that are kept: the last look may lack their
/// messages, and the program leaves every other alone.
fn relevant(model: &Model, environment: &EnvironmentName, queue: &QueueName, take: &Take) -> Option<String> {
    match take {
        Take::Ids(ids) => model.edits.program(environment, queue, &ids.iter().collect()),
        Take::Where(..) | Take::Group(..) | Take::All => {
            model.edits.program(environment, queue, &model.edits.ids(environment, queue).collect())
        }
    }
}

/// A line of its own in a file in which lines that begin with `#` are comments.
fn is_plain(id: &MessageId) -> bool {
    let text = id.0.as_str();
    !text.is_empty() && !text.starts_with('#') && text.trim() == text && !text.contains(char::is_control)
}

pub(crate) fn saved(model: &mut Model, ticket: Ticket, answer: Result<Vec<PathBuf>, Failure>) -> Vec<Effect> {
    let Some(saving) = model.saving.take_if(|saving| saving.ticket == ticket) else { return Vec::new() };
    let environment = saving.environment;
    let paths = match answer {
        Ok(paths) => paths,
        Err(failure) => {
            model.say(Notice::from(&failure));
            return Vec::new();
        }
    };
    if model.overlay.is_some() {
        model.say(Notice::note("the redrive was left: something else was opened meanwhile"));
        return Vec::new();
    }
    let mut redrive = saving.redrive;
    for (file, path) in saving.files.into_iter().zip(paths) {
        match (file, path.to_str()) {
            (File::Ids, _) => redrive.ids = Some(path),
            (File::Edit, Some(text)) => redrive.edit = Some(text.to_owned()),
            (File::Filter, Some(text)) => redrive.filter = Some(format!("file:{text}")),
            (File::Edit | File::Filter, None) => {
                model.say(Notice::bad("the path of the state folder is not UTF-8: no file can be named there"));
                return Vec::new();
            }
        }
    }
    planning::begin(model, &environment, Operation::Redrive(redrive))
}
