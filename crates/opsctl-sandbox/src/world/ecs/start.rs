//! What stands between a task and its start: its secrets, its image, its log group, its program; and what it does then.

use serde_json::Value;

use super::{
    Outside, PlaceKey, absent,
    model::{Definition, HealthCheck, Outcome, Stop, Task},
    program,
    shell::{self, End, Ran},
};

const LOG_GROUP: &str = "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: \
                         ResourceNotFoundException: The specified log group does not exist. : exit status 1";
const NO_SECRET: &str = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
/// The health checks of a container do not outlive what they wait for.
pub(super) const NEVER: i64 = i64::MAX;

/// Why a task's secrets can't be read; none: they can. This is known before its image is pulled.
pub(super) fn secrets(place: &PlaceKey, id: &str, definition: &Definition, outside: &Outside<'_>) -> Option<Stop> {
    let why = definition.secrets.iter().find_map(|(_, from)| secret(place, id, definition, from, outside));
    let why = why.or_else(|| match definition.program.outcome {
        Outcome::CannotInitialize => Some(from_secrets_manager(NO_SECRET)),
        Outcome::Serves | Outcome::Unhealthy | Outcome::CannotPull | Outcome::Exits { .. } => None,
    });
    why.map(|why| {
        cannot_initialize(&format!(
            "unable to pull secrets or registry auth: execution resource retrieval failed: {why}"
        ))
    })
}

/// Why the task can't start after that; none: it starts.
pub(super) fn trouble(place: &PlaceKey, definition: &Definition, at: i64, outside: &mut Outside<'_>) -> Option<Stop> {
    let image = &definition.image;
    let pull = absent::why_not_pulled(image).filter(|_| definition.registered.is_some());
    let pull = pull.or_else(|| (definition.program.outcome == Outcome::CannotPull).then(|| absent::not_found(image)));
    if let Some(reason) = pull {
        return Some(failed(reason.clone(), Some(reason)));
    }
    if !program::has_log_group(place, definition, at, outside) {
        return Some(cannot_initialize(LOG_GROUP));
    }
    None
}

/// What the task's command does, where that can be read off it.
pub(super) fn command(definition: &Definition, task: &Task) -> Option<Ran> {
    let own = override_of(definition, task);
    let overridden = own.and_then(|own| own["command"].as_array()).map(|words| texts(words));
    let command = overridden.unwrap_or_else(|| definition.command.clone());
    let words: Vec<String> = definition.entry_point.iter().chain(&command).cloned().collect();
    let memory = own.and_then(|own| own["memory"].as_u64());
    let memory = memory.or_else(|| definition.memory.as_ref()?.parse().ok()).unwrap_or(512);
    shell::run(&words, &environment(definition, task), memory)
}

/// How a command that was understood ends its task, and when; none: it does not.
pub(super) fn end(ran: &Ran, at: i64) -> Option<(i64, Stop)> {
    match &ran.end {
        End::Never => None,
        End::Exits { after, code } => Some((at + after, exited(*code, None))),
        End::OutOfMemory { after } => {
            Some((at + after, exited(137, Some("OutOfMemoryError: Container killed due to memory usage".to_owned()))))
        }
        End::CannotStart { program } => {
            let reason = format!(
                "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to \
                 create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \
                 {program:?}: executable file not found in $PATH: unknown"
            );
            Some((at, failed(reason.clone(), Some(reason))))
        }
    }
}

/// When the container's health check finds it healthy, and when it has failed as often as it may: one of them is [`NEVER`].
pub(super) fn health(definition: &Definition, task: &Task, at: i64) -> Option<(i64, i64)> {
    let Some(check) = &definition.health else {
        return definition.program.healthy_after_seconds.map(|after| (at + i64::from(after) * 1_000, NEVER));
    };
    let words: Vec<String> = match check.command.split_first() {
        Some((kind, script)) if kind == "CMD-SHELL" => {
            ["sh", "-c"].map(str::to_owned).into_iter().chain(script.to_vec()).collect()
        }
        Some((kind, words)) if kind == "CMD" => words.to_vec(),
        Some(_) | None => check.command.clone(),
    };
    let passes = match shell::run(&words, &environment(definition, task), 512).map(|ran| ran.end) {
        None => true,
        Some(End::Exits { after, code }) => code == 0 && after <= check.timeout_seconds * 1_000,
        Some(End::Never | End::OutOfMemory { .. } | End::CannotStart { .. }) => false,
    };
    let HealthCheck { interval_seconds, retries, start_period_seconds, .. } = check;
    Some(if passes {
        (at + interval_seconds * 1_000, NEVER)
    } else {
        (NEVER, at + (start_period_seconds + interval_seconds * retries) * 1_000)
    })
}

/// The container's variables, with those that `RunTask` gave.
pub(super) fn environment(definition: &Definition, task: &Task) -> Vec<(String, String)> {
    let given = override_of(definition, task).and_then(|own| own["environment"].as_array()).into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = given.map(|one| (text(&one["name"]), text(&one["value"])));
    // The last one of a name counts.
    definition.environment.iter().cloned().chain(given).collect()
}

fn override_of<'a>(definition: &Definition, task: &'a Task) -> Option<&'a Value> {
    let all = task.overrides["containerOverrides"].as_array()?;
    all.iter().find(|own| own["name"] == definition.container.as_str())
}

fn texts(words: &[Value]) -> Vec<String> {
    words.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect()
}

/// Why a `valueFrom` can't be read: an ARN of Secrets Manager with `:json-key:stage:version`, a parameter's name or ARN.
fn secret(place: &PlaceKey, id: &str, definition: &Definition, from: &str, outside: &Outside<'_>) -> Option<String> {
    let (account, region) = (&*place.0, &*place.1);
    let who = || {
        let role = definition
            .execution_role
            .as_deref()
            .and_then(|arn| arn.rsplit('/').next())
            .unwrap_or("ecsTaskExecutionRole");
        format!("arn:aws:sts::{account}:assumed-role/{role}/{id}")
    };
    let is_denied = |service: &str, action: &str, subject: &str| {
        outside.denials.iter().any(|denial| denial.refuses(account, service, action, Some(subject)))
    };
    let refused = |action: &str| {
        format!(
            "AccessDeniedException: User: {} is not authorized to perform: {action} on resource: {from} because no identity-based \
             policy allows the {action} action",
            who()
        )
    };
    if let Some((_, rest)) = from.strip_prefix("arn:aws:secretsmanager:").and_then(|arn| arn.split_once(":secret:")) {
        let mut parts = rest.split(':');
        let name = parts.next().unwrap_or_default();
        if is_denied("secretsmanager", "GetSecretValue", name) {
            return Some(from_secrets_manager(&refused("secretsmanager:GetSecretValue")));
        }
        let arn = &from[..from.len() - rest.len() + name.len()];
        let Some(value) = outside.secrets.value(account, region, arn) else {
            return Some(from_secrets_manager(NO_SECRET));
        };
        let key = parts.next().filter(|key| !key.is_empty())?;
        let has = serde_json::from_str::<Value>(value).is_ok_and(|value| value.get(key).is_some());
        return (!has).then(|| format!("retrieved secret from Secrets Manager did not contain json key {key}"));
    }
    // A fixture names what it likes; a task definition that somebody registered must name what is there.
    definition.registered.as_ref()?;
    let name = match from.strip_prefix("arn:aws:ssm:").and_then(|arn| arn.split_once(":parameter")) {
        Some((_, name)) => name,
        None => from,
    };
    if is_denied("ssm", "GetParameters", name) {
        return Some(format!(
            "unable to retrieve secrets from ssm: service call has been retried 1 time(s): {}",
            refused("ssm:GetParameters")
        ));
    }
    let is_there =
        [name, name.trim_start_matches('/')].iter().any(|name| outside.ssm.value(account, region, name).is_some());
    (!is_there).then(|| format!("unable to retrieve secrets from ssm: invalid ssm parameters: {name}"))
}

fn from_secrets_manager(why: &str) -> String {
    format!("unable to retrieve secret from asm: service call has been retried 1 time(s): {why}")
}

fn cannot_initialize(why: &str) -> Stop {
    failed(format!("ResourceInitializationError: {why}"), None)
}

fn failed(reason: String, container_reason: Option<String>) -> Stop {
    Stop { code: "TaskFailedToStart", reason, exit_code: None, container_reason }
}

pub(super) fn exited(code: i32, container_reason: Option<String>) -> Stop {
    let reason = "Essential container in task exited".to_owned();
    Stop { code: "EssentialContainerExited", reason, exit_code: Some(code), container_reason }
}
