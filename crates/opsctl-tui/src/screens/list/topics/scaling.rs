//! What wakes services, puts them to sleep, deploys them, and runs migrations.

use crate::{
    domain::{Service, Text},
    keymap::Command,
    observe::SeenService,
    operations::{Migrate, Operation, OperationKind, Restart, Rollback, Scale, Sleep, Wake},
    screens::{
        list::{
            listed::Here,
            thing::{Meant, changes},
        },
        screen::Able,
    },
    state::Site,
};

pub(super) fn meant(here: &Here<'_, SeenService>, command: Command) -> Result<Meant, Able> {
    match command {
        Command::Operate(OperationKind::Wake) | Command::Operate(OperationKind::Sleep) => scale(here, command),
        Command::Operate(OperationKind::Scale) => under(here).and_then(|(site, seen)| to_a_count(site, seen)),
        Command::Operate(OperationKind::Rollback) => under(here).and_then(|(site, seen)| rolled_back(site, seen)),
        Command::Operate(OperationKind::Restart) => match chosen(here)? {
            Some((site, selected)) => restarted(site, &selected),
            None => under(here).and_then(|(site, seen)| restarted(site, &[seen])),
        },
        Command::Operate(OperationKind::Migrate) => migrate(here),
        _ => Err(Able::NotHere),
    }
}

/// The group whose heading is under the cursor, the services that are selected, or the one under the cursor.
fn scale(here: &Here<'_, SeenService>, command: Command) -> Result<Meant, Able> {
    if let Some((site, group)) = here.group {
        changes(site)?;
        let Some(name) = &group.name else {
            return Err(Able::no("these are in no group: choose services, or group by what wakes together"));
        };
        return named_group(site, command, name);
    }
    if let Some((site, selected)) = chosen(here)? {
        return some(site, command, &selected);
    }
    let (site, seen) = under(here)?;
    some(site, command, &[seen])
}

/// The one service that is meant: the one under the cursor.
fn under<'a>(here: &Here<'a, SeenService>) -> Result<(&'a Site, &'a SeenService), Able> {
    here.under.filter(|_| here.group.is_none()).ok_or_else(|| Able::no("the cursor is on no service"))
}

/// Those that are selected, all of one environment and all in sight; none: nothing is selected.
fn chosen<'a>(here: &Here<'a, SeenService>) -> Result<Option<(&'a Site, Vec<&'a SeenService>)>, Able> {
    if here.hidden > 0 {
        return Err(Able::no(&format!("{} of those selected are not shown here: esc lets go of them", here.hidden)));
    }
    let Some((site, _)) = here.selected.first() else { return Ok(None) };
    if here.selected.iter().any(|(other, _)| other.environment.name != site.environment.name) {
        return Err(Able::no("what is selected is of several environments: an operation is for one"));
    }
    Ok(Some((site, here.selected.iter().map(|(_, seen)| *seen).collect())))
}

pub(super) fn restarted(site: &Site, services: &[&SeenService]) -> Result<Meant, Able> {
    changes(site)?;
    if services.iter().all(|seen| seen.service.desired == 0) {
        return Err(Able::no("nothing of it runs: there is nothing to restart"));
    }
    refused(services, Service::refuses_deployment)?;
    let service = services.iter().map(|seen| seen.service.id.to_string()).collect();
    Ok(Meant::plan(site, Operation::Restart(Restart { service, ..Restart::default() })))
}

pub(super) fn rolled_back(site: &Site, seen: &SeenService) -> Result<Meant, Able> {
    changes(site)?;
    refused(&[seen], Service::refuses_deployment)?;
    let service = seen.service.id.to_string();
    Ok(Meant::plan(site, Operation::Rollback(Rollback { service, ..Rollback::default() })))
}

/// Why ECS would refuse all of them; where it takes some, the plan says which are left out.
fn refused(services: &[&SeenService], why: fn(&Service) -> Option<String>) -> Result<(), Able> {
    if services.iter().any(|seen| why(&seen.service).is_none()) {
        return Ok(());
    }
    let first = services.first().and_then(|seen| why(&seen.service));
    Err(Able::no(&Text::line(&first.unwrap_or_default()).to_string()))
}

/// How many tasks a service shall run is asked in a form.
pub(super) fn to_a_count(site: &Site, seen: &SeenService) -> Result<Meant, Able> {
    changes(site)?;
    refused(&[seen], Service::refuses_count)?;
    let (service, to) = (seen.service.id.to_string(), Some(seen.service.desired));
    let scale = Scale { service, to, ..Scale::default() };
    Ok(Meant::Fill(site.environment.name.clone(), Box::new(Operation::Scale(scale))))
}

/// The environment's migration, as configured; where there are several, they are found by name.
fn migrate(here: &Here<'_, SeenService>) -> Result<Meant, Able> {
    let Some(site) = here.site else { return Err(Able::no("the cursor is in no environment")) };
    changes(site)?;
    match site.environment.services.migrations.as_slice() {
        [] => Err(Able::no(&format!("no migration is configured for {}", site.environment.name))),
        [only] => Ok(named_migration(site, &only.name)),
        [_, _, ..] => Ok(Meant::Find(format!("migrate {}", site.environment.name))),
    }
}

pub(crate) fn named_migration(site: &Site, name: &str) -> Meant {
    Meant::plan(site, Operation::Migrate(Migrate { migration: name.to_owned(), ..Migrate::default() }))
}

fn operation(command: Command, group: Option<String>, service: Vec<String>) -> Operation {
    match command {
        Command::Operate(OperationKind::Sleep) => Operation::Sleep(Sleep { group, service, ..Sleep::default() }),
        _ => Operation::Wake(Wake { group, service, ..Wake::default() }),
    }
}

pub(crate) fn named_group(site: &Site, command: Command, name: &str) -> Result<Meant, Able> {
    changes(site)?;
    let is_member =
        |seen: &&SeenService| site.environment.services.groups_of(&seen.service.id).any(|group| group.name == name);
    let rows = site.snapshot.iter().flat_map(|snapshot| snapshot.estate.services.rows.iter().map(AsRef::as_ref));
    let is_set = |seen: &&SeenService| is_member(seen) && seen.service.refuses_count().is_none();
    let asleep: Vec<bool> = rows.filter(is_set).map(|seen| seen.service.desired == 0).collect();
    let fits = |is_asleep: &bool| *is_asleep == (command == Command::Operate(OperationKind::Wake));
    if !asleep.is_empty() && !asleep.iter().any(fits) {
        let why = if command == Command::Operate(OperationKind::Wake) {
            "nothing of it is asleep"
        } else {
            "all of it is asleep"
        };
        return Err(Able::no(why));
    }
    Ok(Meant::plan(site, operation(command, Some(name.to_owned()), Vec::new())))
}

pub(super) fn some(site: &Site, command: Command, services: &[&SeenService]) -> Result<Meant, Able> {
    changes(site)?;
    refused(services, Service::refuses_count)?;
    if let [only] = services {
        let (running, desired) = (only.service.running, only.service.desired);
        match command {
            Command::Operate(OperationKind::Wake) if desired > 0 => {
                return Err(Able::no(&format!("it is not asleep: {running} of {desired} run")));
            }
            Command::Operate(OperationKind::Sleep) if desired == 0 => return Err(Able::no("it is asleep already")),
            _ => {}
        }
    } else if command == Command::Operate(OperationKind::Wake) && services.iter().all(|seen| seen.service.desired > 0) {
        return Err(Able::no("none of those selected is asleep"));
    } else if command == Command::Operate(OperationKind::Sleep) && services.iter().all(|seen| seen.service.desired == 0)
    {
        return Err(Able::no("all of those selected are asleep"));
    }
    if command == Command::Operate(OperationKind::Sleep) {
        let always = |seen: &&&SeenService| site.environment.services.is_always_on(&seen.service.id);
        if let Some(seen) = services.iter().find(always) {
            return Err(Able::no(&format!("{} is always on: the configuration says so", seen.service.id.name)));
        }
    }
    let names = services.iter().map(|seen| seen.service.id.to_string()).collect();
    Ok(Meant::plan(site, operation(command, None, names)))
}
