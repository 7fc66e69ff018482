//! What can be done with things of lists, wherever they are shown: opened, copied, operated on.

use crate::{
    domain::{EnvironmentName, QueueName},
    keymap::Command,
    screens::{
        flow::{options, planning},
        letters::{choose, looks},
        list::{
            listed::{Listed, things},
            thing::{Meant, Opens, Thing, shown},
        },
        screen::Able,
    },
    state::{Effect, Load, Model, Overlay, Page, Palette, Sheet, Site, Topic},
};

/// The thing that a verdict, or whoever looked it up, means by this name.
pub(crate) fn find<'a>(
    model: &'a Model,
    topic: Topic,
    environment: &EnvironmentName,
    name: &str,
) -> Option<(&'a Site, &'a dyn Thing)> {
    let site = model.site(environment)?;
    let list = topic.list();
    let row = list.find(site, name).first().copied()?;
    Some((site, list.thing(site, row)?))
}

pub(crate) fn begin(model: &mut Model, command: Command, meant: Result<Meant, Able>) -> Vec<Effect> {
    match meant {
        Ok(Meant::Plan(environment, operation)) => planning::begin(model, &environment, *operation),
        Ok(Meant::Fill(environment, operation)) => options::fill(model, &environment, *operation),
        Ok(Meant::Redrive(environment, queue)) => choose::begin_all(model, &environment, &queue),
        Ok(Meant::Find(text)) => {
            model.overlay = Some(Overlay::Palette(Palette::with(&text)));
            model.settle();
            Vec::new()
        }
        Err(able) => {
            able.say(model, command);
            Vec::new()
        }
    }
}

pub(crate) fn meant(
    model: &Model,
    command: Command,
    topic: Topic,
    environment: &EnvironmentName,
    name: &str,
) -> Result<Meant, Able> {
    match find(model, topic, environment, name) {
        Some((site, thing)) => thing.meant(site, command),
        None => Err(Able::no("it is not among those seen last")),
    }
}

pub(crate) fn give(
    model: &mut Model,
    command: Command,
    topic: Topic,
    environment: &EnvironmentName,
    name: &str,
) -> Vec<Effect> {
    match command {
        Command::Details => open_sheet(model, topic, environment, name),
        Command::Copy | Command::CopyCommand => {
            let found = find(model, topic, environment, name);
            found.map(|(site, thing)| Effect::Copy(copied(command, site, thing))).into_iter().collect()
        }
        _ => {
            let meant = meant(model, command, topic, environment, name);
            begin(model, command, meant)
        }
    }
}

/// What a command copies: the name, or the command line.
pub(crate) fn copied(command: Command, site: &Site, thing: &dyn Thing) -> String {
    match command {
        Command::CopyCommand => thing.lines(site).into_iter().next().unwrap_or_default(),
        _ => shown(thing.name()),
    }
}

/// Dead letters of a dead-letter queue, the sheet of anything else.
pub(crate) fn open(model: &mut Model, topic: Topic, environment: &EnvironmentName, name: &str) -> Vec<Effect> {
    let found = find(model, topic, environment, name);
    match found.map_or(Opens::Sheet, |(_, thing)| thing.opens()) {
        Opens::Letters => looks::open(model, environment, &QueueName(name.to_owned())),
        Opens::Sheet => open_sheet(model, topic, environment, name),
    }
}

/// Everything that is known of a thing, over whatever is shown.
pub(crate) fn open_sheet(model: &mut Model, topic: Topic, environment: &EnvironmentName, id: &str) -> Vec<Effect> {
    let alarm = find(model, topic, environment, id).and_then(|(_, thing)| thing.alarm());
    let (environment, id) = (environment.clone(), id.to_owned());
    let mut sheet = Sheet { topic, environment, id, page: Page::default(), top: 0, history: Load::Idle };
    let mut effects = Vec::new();
    if let Some(name) = alarm {
        let ticket = model.ticket();
        sheet.history.ask(ticket);
        effects.push(Effect::ReadAlarm(ticket, sheet.environment.clone(), name));
    }
    model.overlay = Some(Overlay::Sheet(Box::new(sheet)));
    model.changed();
    effects
}

/// What everything of a list is known by, with its name, safe to show.
pub(crate) fn named<'a>(list: &'a dyn Listed, site: &'a Site) -> impl Iterator<Item = (String, String)> {
    things(list, site).map(|thing| (thing.id(), shown(thing.name())))
}
