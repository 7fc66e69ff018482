//! The last lines that tasks and functions wrote.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Subject, Taken, Taking, events::tasks};
use crate::{
    Kind,
    cloud::{ErrorKind, ecs::Wanted},
    domain::{LogDestination, LogLine, Task, Text, words::counted},
    messages::shorten::redact,
};

/// Tasks whose streams are read: the newest of those that stopped, and of those that run.
const TASKS_MAX: usize = 5;
/// Task definitions that are looked up for a subject.
const DEFINITIONS_MAX: usize = 5;
/// A function has many streams: its lines are searched for, from so long ago on.
const FUNCTION_SINCE: SignedDuration = SignedDuration::from_mins(10);
const FUNCTION_LINES_MAX: usize = 500;

#[derive(Serialize)]
struct Stream {
    group: Text,
    stream: Text,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    at: Timestamp,
    text: Text,
}

pub(super) async fn take(taking: &Taking<'_>, subject: &Subject) -> Taken {
    match subject {
        Subject::Other(Kind::Function, name) => of_function(taking, name).await,
        Subject::Service(_) | Subject::Other(..) => of_tasks(taking, subject).await,
    }
}

/// `awslogs` names a stream by prefix, container and task.
async fn of_tasks(taking: &Taking<'_>, subject: &Subject) -> Taken {
    let mut lost = Vec::new();
    let mut all: Vec<Task> = Vec::new();
    for wanted in [Wanted::Stopped, Wanted::Running] {
        match tasks(taking, subject, wanted).await {
            Ok((mut found, _)) => {
                found.sort_by_key(|task| std::cmp::Reverse(task.stopped_at.or(task.started_at).or(task.created_at)));
                found.truncate(TASKS_MAX);
                all.extend(found);
            }
            Err(why) => lost.push(why),
        }
    }
    let destinations = destinations(taking, subject, &all, &mut lost).await;
    let mut streams = Vec::new();
    for task in &all {
        for (container, log) in destinations.get(&task.task_definition.0).into_iter().flatten() {
            let Some(stream) = log.stream(container, task.arn.id()) else {
                lost.push(format!("the streams of {container} have no prefix, so their names are not known"));
                continue;
            };
            match taking.cloud.logs.last(&log.group, &stream).await {
                Ok(lines) => streams.push(shown(&log.group, &stream, lines)),
                // A stream appears with its first line.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => lost.push(error.to_string()),
            }
        }
    }
    if all.is_empty() && lost.is_empty() {
        lost.push("no task runs, and none stopped within the hour".to_owned());
    }
    summed(streams, lost)
}

/// Where each container of the tasks' definitions writes.
async fn destinations(
    taking: &Taking<'_>,
    subject: &Subject,
    tasks: &[Task],
    lost: &mut Vec<String>,
) -> BTreeMap<String, Vec<(String, LogDestination)>> {
    let environment = taking.cloud.environment();
    let given = match subject {
        Subject::Other(Kind::Migration, name) => {
            environment.services.migration(name).and_then(|migration| migration.log_group.clone())
        }
        Subject::Service(_) | Subject::Other(..) => None,
    };
    let names: BTreeSet<&str> = tasks.iter().map(|task| task.task_definition.0.as_str()).collect();
    let mut all = BTreeMap::new();
    for name in names.into_iter().rev().take(DEFINITIONS_MAX) {
        let definition = match taking.cloud.ecs.definition(name).await {
            Ok(definition) => definition,
            Err(error) => {
                lost.push(error.to_string());
                continue;
            }
        };
        let mut logs = Vec::new();
        for container in definition.containers {
            match container.log {
                Some(log) if log.region.as_ref().is_some_and(|region| *region != environment.region) => {
                    let region = log.region.unwrap_or_default();
                    lost.push(format!("{} of {name} writes its log in {region}", container.name));
                }
                Some(log) => {
                    logs.push((container.name, LogDestination { group: given.clone().unwrap_or(log.group), ..log }));
                }
                None => lost.push(format!("{} of {name} has no log that can be read (awslogs)", container.name)),
            }
        }
        all.insert(name.to_owned(), logs);
    }
    all
}

async fn of_function(taking: &Taking<'_>, name: &str) -> Taken {
    // Without its alias or version.
    let name = name.split(':').next().unwrap_or(name);
    let group = format!("/aws/lambda/{name}");
    let since = taking.at - FUNCTION_SINCE;
    match taking.cloud.logs.search(&group, "", since, FUNCTION_LINES_MAX).await {
        Ok(found) => {
            let cut = format!("only the first {FUNCTION_LINES_MAX} lines of the last {} min", FUNCTION_SINCE.as_mins());
            summed(vec![shown(&group, "", found.lines)], found.is_cut.then_some(cut).into_iter().collect())
        }
        Err(error) => Taken::lost(&error.to_string()),
    }
}

fn shown(group: &str, stream: &str, lines: Vec<LogLine>) -> Stream {
    let lines = lines.into_iter().map(|line| Line { at: line.at, text: Text::line(&redact(line.text.as_str())) });
    Stream { group: Text::line(group), stream: Text::line(stream), lines: lines.collect() }
}

fn summed(streams: Vec<Stream>, mut lost: Vec<String>) -> Taken {
    let lines: usize = streams.iter().map(|stream| stream.lines.len()).sum();
    let summary = format!("{} of {}", counted(lines as u64, "line"), counted(streams.len() as u64, "log stream"));
    lost.dedup();
    let mut taken = if streams.is_empty() { Taken::default() } else { Taken::of(summary, &streams) };
    taken.lost.extend(lost);
    taken
}
