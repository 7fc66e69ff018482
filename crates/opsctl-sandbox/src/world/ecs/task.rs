//! One task: how it is made, begins, fails its checks and stops.

use super::{
    Outside,
    life::{Due, STOPPING},
    model::{BRIEF, Definition, Deployment, Stage, Stop, Task},
    program,
    start::{self, NEVER},
    targets::TargetCheck,
};

impl Task {
    pub(super) fn new(at: i64, (provision_seconds, haste): (u32, i64), definition: &str) -> Self {
        let task = Self {
            definition: definition.to_owned(),
            service: None,
            started_by: None,
            group: String::new(),
            stage: Stage::Provisioning,
            is_unwanted: false,
            next_at: None,
            healthy_at: None,
            unhealthy_at: None,
            ailing_since: None,
            target_check: TargetCheck::Passes,
            created_at: at,
            pull_at: None,
            started_at: None,
            stopping_at: None,
            stopped_at: None,
            stop: None,
            overrides: serde_json::json!({ "containerOverrides": [], "inferenceAcceleratorOverrides": [] }),
            tags: Vec::new(),
            ends: None,
            is_brief: false,
            waits: false,
            haste,
            subnet: None,
        };
        Self { next_at: Some(at + task.takes(provision_seconds)), ..task }
    }

    /// How long something takes that its task definition gives so many seconds, milliseconds.
    pub(super) fn takes(&self, seconds: u32) -> i64 {
        i64::from(seconds) * 10 * (100 - self.haste)
    }

    /// Its program begins to run, or does not.
    pub(super) fn begin(&mut self, at: i64, due: &Due, id: &str, definition: &Definition, outside: &mut Outside<'_>) {
        let understood = start::command(definition, self);
        let end = understood.as_ref().and_then(|ran| start::end(ran, at));
        if let Some((_, stop)) = end.clone().filter(|(_, stop)| stop.exit_code.is_none()) {
            return self.halt(at, stop);
        }
        self.stage = Stage::Running;
        self.started_at = Some(at);
        self.is_brief = end.as_ref().is_some_and(|(ends_at, _)| ends_at - at < BRIEF);
        self.ends = match &understood {
            Some(ran) => {
                program::say(&due.place, id, definition, at, &ran.lines, outside.logs);
                end
            }
            None if program::waits_for_table(&due.place, definition, at, outside) => {
                self.waits = true;
                program::say(
                    &due.place,
                    id,
                    definition,
                    at,
                    definition.script.get(..1).unwrap_or_default(),
                    outside.logs,
                );
                None
            }
            None => program::begin(&due.place, id, definition, at, outside)
                .map(|(ends_at, code)| (ends_at, start::exited(code, None))),
        };
        let (healthy_at, unhealthy_at) = start::health(definition, self, at).unzip();
        self.healthy_at = healthy_at;
        self.unhealthy_at = unhealthy_at.filter(|at| *at < NEVER);
        self.ailing_since = definition.starts_cold.then_some(at);
        // What a command does that is understood, it serves nobody.
        self.target_check = match (&understood, &definition.registered) {
            (Some(_), Some(_)) => TargetCheck::SILENT,
            (Some(_), None) | (None, _) => definition.program.checked(),
        };
    }

    /// A task of a service, which a deployment starts.
    pub(super) fn of_service(at: i64, provision: (u32, i64), service: &str, deployment: &Deployment) -> Self {
        Self {
            service: Some(service.to_owned()),
            started_by: Some(deployment.id.clone()),
            group: format!("service:{service}"),
            ..Self::new(at, provision, &deployment.definition)
        }
    }

    pub(super) fn halt(&mut self, at: i64, stop: Stop) {
        self.stage = Stage::Stopping;
        self.stopping_at = Some(at);
        self.next_at = Some(at + STOPPING);
        self.stop = Some(stop);
    }
}

/// How much faster than the first the other tasks of one start come up, percent: their network and their image are there sooner
/// or later, as chance has it.
pub(super) fn haste(index: usize, id: &str) -> i64 {
    const MOST: i64 = 34;
    match index {
        0 => 0,
        _ => i64::from_str_radix(&id[..4], 16).unwrap_or_default() % MOST,
    }
}

pub(super) fn first_subnet(network: &serde_json::Value) -> Option<String> {
    network["awsvpcConfiguration"]["subnets"][0].as_str().map(str::to_owned)
}
