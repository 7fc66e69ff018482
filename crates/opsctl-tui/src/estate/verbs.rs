//! Operations on what a list shows: wake and sleep of services, failover of a database. All go through the flow of plan and
//! consent; here it is only said which, and why not.

use super::{EstateView, Group, Item, Row, Topic, heading, item, items, selection, under};
use crate::{
    able::{Able, able_to_change},
    domain::{Environment, EnvironmentName, Text, database::Topology, invocation::quoted, service::ServiceId},
    effect::Effect,
    event::Notice,
    flow,
    keymap::Command,
    model::{Model, Site, View},
    operations::{Failover, Migrate, Operation, PauseConsumers, ResumeConsumers, Sleep, Wake, command_line},
    palette,
};

/// An operation, and where.
pub(crate) type Meant = (EnvironmentName, Operation);

/// What a command would do from the list, or why it can't.
fn meant(model: &Model, view: &EstateView, command: Command) -> Result<Meant, Able> {
    match command {
        Command::Wake | Command::Sleep if view.topic == Topic::Services => scale(model, view, command),
        Command::Migrate if view.topic == Topic::Services => migrate(model, view),
        Command::ConsumersPause | Command::ConsumersResume if view.topic == Topic::Consumers => {
            consumers(model, view, command)
        }
        Command::Failover if view.topic == Topic::Databases => {
            let Some((site, item)) = under(model, view) else { return Err(Able::no("the cursor is on no database")) };
            failover(site, item)
        }
        _ => Err(Able::NotHere),
    }
}

pub(super) fn able(model: &Model, view: &EstateView, command: Command) -> Able {
    match meant(model, view, command) {
        Ok(_) => Able::Yes,
        Err(able) => able,
    }
}

/// Begins it with what is under the cursor, or selected.
pub(super) fn begin_here(model: &mut Model, command: Command) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    if command == Command::Migrate
        && let Some(site) = site_here(model, view).filter(|site| site.environment.services.migrations.len() > 1)
    {
        // Which of them: the palette finds them by name.
        let text = format!("migrate {}", site.environment.name);
        return palette::open_with(model, &text);
    }
    let meant = meant(model, view, command);
    begin(model, command, meant)
}

pub(crate) fn begin(model: &mut Model, command: Command, meant: Result<Meant, Able>) -> Vec<Effect> {
    match meant {
        Ok((environment, operation)) => flow::begin(model, &environment, operation),
        Err(Able::No(because)) => {
            model.say(Notice::bad(&format!("{}: {because}", command.name())));
            Vec::new()
        }
        Err(Able::Yes | Able::NotHere) => {
            model.say(Notice::bad(&format!("{} has no meaning here", command.name())));
            Vec::new()
        }
    }
}

/// What a command would do with one thing, wherever it is shown.
pub(crate) fn on(model: &Model, command: Command, environment: &EnvironmentName, topic: Topic, id: &str) -> Able {
    match one(model, command, environment, topic, id) {
        Ok(_) => Able::Yes,
        Err(able) => able,
    }
}

/// Begins it with one thing, wherever it is shown.
pub(crate) fn begin_on(
    model: &mut Model,
    command: Command,
    environment: &EnvironmentName,
    topic: Topic,
    id: &str,
) -> Vec<Effect> {
    let meant = one(model, command, environment, topic, id);
    begin(model, command, meant)
}

fn one(model: &Model, command: Command, environment: &EnvironmentName, topic: Topic, id: &str) -> Result<Meant, Able> {
    let found =
        model.site(environment).and_then(|site| Some((site, items(site, topic).find(|item| item.is_meant_by(id))?)));
    let Some((site, item)) = found else { return Err(Able::no("it is not among those seen last")) };
    match (command, item) {
        (Command::Wake | Command::Sleep, Item::Service(seen)) => services(site, command, vec![&seen.service.id]),
        (Command::Failover, Item::Database(_)) => failover(site, item),
        _ => Err(Able::NotHere),
    }
}

fn changes(site: &Site) -> Result<(), Able> {
    match able_to_change(&site.environment) {
        Able::Yes => Ok(()),
        able => Err(able),
    }
}

/// The group whose heading is under the cursor, the services that are selected, or the one under the cursor.
fn scale(model: &Model, view: &EstateView, command: Command) -> Result<Meant, Able> {
    if let Some(group) = heading(view) {
        return group_of(model, command, group);
    }
    if !view.selected.is_empty() {
        let selected = selection(model, view);
        let hidden = view.selected.len() - shown(model, view);
        if hidden > 0 {
            return Err(Able::no(&format!("{hidden} of those selected are not shown here: esc lets go of them")));
        }
        let Some((site, _)) = selected.first() else { return Err(Able::no("what is selected is no longer there")) };
        if selected.iter().any(|(other, _)| other.environment.name != site.environment.name) {
            return Err(Able::no("what is selected is of several environments: an operation is for one"));
        }
        let ids = selected.iter().filter_map(|(_, item)| match item {
            Item::Service(seen) => Some(&seen.service.id),
            Item::Database(_) | Item::Alarm(_) | Item::Mapping(_) | Item::Lag(_) => None,
        });
        return services(site, command, ids.collect());
    }
    match under(model, view) {
        Some((site, Item::Service(seen))) => services(site, command, vec![&seen.service.id]),
        Some(_) | None => Err(Able::no("the cursor is on no service")),
    }
}

/// How many of those selected are on the list: an operation is never for what its person does not see there.
fn shown(model: &Model, view: &EstateView) -> usize {
    let known = |row: &Row| match row {
        Row::Item(at) => {
            let (site, item) = item(model, view.topic, *at)?;
            Some((site.environment.name.clone(), item.id()))
        }
        Row::Heading(_) => None,
    };
    view.rows.iter().filter_map(known).filter(|known| view.selected.contains(known)).count()
}

/// All consumers of the queue that the one under the cursor takes from: one alone would let the others go on.
fn consumers(model: &Model, view: &EstateView, command: Command) -> Result<Meant, Able> {
    let Some((site, item)) = under(model, view) else { return Err(Able::no("the cursor is on no consumer")) };
    changes(site)?;
    let queue = match item {
        Item::Mapping(mapping) => mapping.queue.as_ref().map(|queue| queue.0.clone()),
        Item::Service(_) | Item::Database(_) | Item::Alarm(_) | Item::Lag(_) => None,
    };
    let Some(queue) = queue else { return Err(Able::no("it takes from no queue of SQS")) };
    let operation = match command {
        Command::ConsumersResume => {
            Operation::ResumeConsumers(ResumeConsumers { queue: Some(queue), ..ResumeConsumers::default() })
        }
        _ => Operation::PauseConsumers(PauseConsumers { queue, ..PauseConsumers::default() }),
    };
    Ok((site.environment.name.clone(), operation))
}

/// The environment that the cursor is in.
fn site_here<'a>(model: &'a Model, view: &EstateView) -> Option<&'a Site> {
    let here = under(model, view).map(|(site, _)| site);
    let here = here.or_else(|| heading(view).and_then(|group| model.site(&group.environment)));
    here.or_else(|| model.only.as_ref().and_then(|only| model.site(only)))
}

/// The environment's migration, as configured: where there are several, which of them is asked first.
fn migrate(model: &Model, view: &EstateView) -> Result<Meant, Able> {
    let Some(site) = site_here(model, view) else { return Err(Able::no("the cursor is in no environment")) };
    changes(site)?;
    match site.environment.services.migrations.first() {
        Some(migration) => Ok(named_migration(site, &migration.name)),
        None => Err(Able::no(&format!("no migration is configured for {}", site.environment.name))),
    }
}

/// Runs a migration of the configuration.
pub(crate) fn named_migration(site: &Site, name: &str) -> Meant {
    let migrate = Migrate { migration: name.to_owned(), ..Migrate::default() };
    (site.environment.name.clone(), Operation::Migrate(migrate))
}

fn operation(command: Command, group: Option<String>, service: Vec<String>) -> Operation {
    match command {
        Command::Sleep => Operation::Sleep(Sleep { group, service, ..Sleep::default() }),
        _ => Operation::Wake(Wake { group, service, ..Wake::default() }),
    }
}

fn group_of(model: &Model, command: Command, group: &Group) -> Result<Meant, Able> {
    let Some(site) = model.site(&group.environment) else { return Err(Able::NotHere) };
    changes(site)?;
    let Some(name) = &group.name else {
        return Err(Able::no("these are in no group: choose services, or group by what wakes together"));
    };
    named_group(site, command, name)
}

/// Wakes or puts to sleep a group of the configuration.
pub(crate) fn named_group(site: &Site, command: Command, name: &str) -> Result<Meant, Able> {
    changes(site)?;
    let members = items(site, Topic::Services).filter_map(|item| match item {
        Item::Service(seen)
            if site.environment.services.groups_of(&seen.service.id).any(|group| group.name == name) =>
        {
            Some(seen)
        }
        Item::Service(_) | Item::Database(_) | Item::Alarm(_) | Item::Mapping(_) | Item::Lag(_) => None,
    });
    let asleep: Vec<bool> = members.map(|seen| seen.service.desired == 0).collect();
    let fits = |is_asleep: &bool| *is_asleep == (command == Command::Wake);
    if !asleep.is_empty() && !asleep.iter().any(fits) {
        let why = if command == Command::Wake { "nothing of it is asleep" } else { "all of it is asleep" };
        return Err(Able::no(why));
    }
    Ok((site.environment.name.clone(), operation(command, Some(name.to_owned()), Vec::new())))
}

fn services(site: &Site, command: Command, ids: Vec<&ServiceId>) -> Result<Meant, Able> {
    changes(site)?;
    let seen = |id: &&ServiceId| {
        items(site, Topic::Services).find_map(|item| match item {
            Item::Service(seen) if seen.service.id == **id => Some(seen),
            Item::Service(_) | Item::Database(_) | Item::Alarm(_) | Item::Mapping(_) | Item::Lag(_) => None,
        })
    };
    let known: Vec<_> = ids.iter().filter_map(seen).collect();
    if let [only] = known.as_slice() {
        let (running, desired) = (only.service.running, only.service.desired);
        match command {
            Command::Wake if desired > 0 => {
                return Err(Able::no(&format!("it is not asleep: {running} of {desired} run")));
            }
            Command::Sleep if desired == 0 => return Err(Able::no("it is asleep already")),
            _ => {}
        }
    } else if command == Command::Wake && known.iter().all(|seen| seen.service.desired > 0) {
        return Err(Able::no("none of those selected is asleep"));
    } else if command == Command::Sleep && known.iter().all(|seen| seen.service.desired == 0) {
        return Err(Able::no("all of those selected are asleep"));
    }
    if command == Command::Sleep {
        let always = |id: &&&ServiceId| site.environment.services.is_always_on(id);
        if let Some(id) = ids.iter().find(always) {
            return Err(Able::no(&format!("{} is always on: the configuration says so", id.name)));
        }
    }
    let names = ids.into_iter().map(ToString::to_string).collect();
    Ok((site.environment.name.clone(), operation(command, None, names)))
}

fn failover(site: &Site, item: Item<'_>) -> Result<Meant, Able> {
    changes(site)?;
    let Item::Database(seen) = item else { return Err(Able::NotHere) };
    let database = &seen.seen.database;
    match database.topology {
        Topology::Single => return Err(Able::no("it is a single instance: nothing could take over")),
        Topology::Aurora | Topology::MultiAzCluster if database.readers().next().is_none() => {
            return Err(Able::no("it has no reader: nothing could take over"));
        }
        Topology::Aurora | Topology::MultiAzCluster | Topology::MultiAzInstance => {}
    }
    let failover = Failover { database: database.name.clone(), to: None };
    Ok((site.environment.name.clone(), Operation::Failover(failover)))
}

/// The command line for a thing: what can be done with it, else what shows it.
pub(super) fn line(site: &Site, item: Item<'_>) -> String {
    let Environment { name, invocation, .. } = site.environment.as_ref();
    let meant = match item {
        Item::Service(seen) if seen.service.desired == 0 => services(site, Command::Wake, vec![&seen.service.id]).ok(),
        Item::Database(_) => failover(site, item).ok(),
        Item::Service(_) | Item::Alarm(_) | Item::Mapping(_) | Item::Lag(_) => None,
    };
    let line = match (meant, item) {
        (Some((_, operation)), _) => command_line(&operation, name, invocation),
        (None, Item::Service(seen)) => shows("services", &seen.service.id.to_string(), site),
        (None, Item::Database(seen)) => shows("databases", &seen.seen.database.name, site),
        (None, Item::Alarm(alarm)) => shows("alarms", &alarm.name, site),
        (None, Item::Mapping(_) | Item::Lag(_)) => site.environment.command("consumers"),
    };
    Text::line(&line).to_string()
}

fn shows(verb: &str, name: &str, site: &Site) -> String {
    site.environment.command(&format!("{verb} {}", quoted(name)))
}
