//! [`remedy`]: what helps messages that an operation left, or would leave.

use super::{Operation, OperationKind, Redrive, command_line, transfer::Need, values::EngineChoice};
use crate::{
    domain::{Advice, Environment, QueueArn, QueueName, RunId, Try, invocation::option},
    messages::json,
};

/// Stands for a queue that a person chooses.
const QUEUE: &str = "QUEUE";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    pub advice: Advice,
    /// The command line that does it, or that does it once what the words say is done.
    pub command: String,
}

/// What helps messages that need this. `run` left them; none: a plan foresees that.
pub fn remedy(need: &Need, operation: &Operation, environment: &Environment, run: Option<&RunId>) -> Remedy {
    let line = |operation: &Operation| command_line(operation, &environment.name, &environment.invocation);
    let again = once_more(operation, run);
    let after = |way: Try, what: &str, operation: &Operation| {
        let command = line(operation);
        Remedy { advice: way.says(format!("{what}, then `{command}`")), command }
    };
    let by = |way: Try, operation: &Operation, does: &str| {
        let command = line(operation);
        Remedy { advice: way.says(format!("`{command}` {does}")), command }
    };
    match (need, redrive(&again)) {
        (Need::Destination { source, target }, Some(redrive)) => {
            let does = match target {
                Some(_) => "sends them to the queue that the rule could not deliver to",
                None => "sends them to the queue that you name in place of QUEUE",
            };
            by(Try::GiveOther, &Operation::Redrive(elsewhere(redrive, source.as_ref(), target.as_ref())), does)
        }
        (Need::NoMark, Some(redrive)) => {
            by(Try::LeaveOut, &Operation::Redrive(Redrive { mark: false, ..redrive }), "sends them without the mark")
        }
        (Need::OtherEdit, Some(redrive)) if redrive.edit.is_none() => {
            let edit = Some("FILE.jq".to_owned());
            by(Try::MendEdit, &Operation::Redrive(Redrive { edit, ..redrive }), "sends them once FILE.jq mends them")
        }
        (Need::OtherEdit, _) => after(Try::MendEdit, "mend the edit", &again),
        (Need::OtherFilter, _) => other_filter(&again, environment),
        (Need::Room { queue, bytes }, _) => {
            after(Try::ChangeSetting, &format!("raise MaximumMessageSize of {queue} to {bytes} bytes or more"), &again)
        }
        (Need::Keys { queue }, _) => {
            let keys = format!("configure `keys` that these messages have, for {queue} in opsctl.toml");
            after(Try::Configure, &keys, &again)
        }
        (Need::Acceptance, _) => after(Try::CorrectRequest, "mend what the queue refuses them for", &again),
        (Need::Consumer, _) => after(Try::MendConsumer, "mend what they fail on", &again),
        (Need::Destination { .. } | Need::NoMark | Need::OtherRun, _) => {
            by(Try::RunAgain, &again, "is another run, which takes them")
        }
        (Need::Resume, _) => by(Try::RunAgain, &again, "takes them"),
    }
}

/// The same operation as another run, after `run`, which has ended.
pub fn once_more(operation: &Operation, run: Option<&RunId>) -> Operation {
    let (Operation::Redrive(redrive), Some(run)) = (operation, run) else { return operation.clone() };
    // What came back then stands in that file, and no run writes into one that is there.
    let park = redrive.park.as_ref().map(|park| match redrive.park_file() {
        Some(_) => format!("{park}-{run}"),
        None => park.clone(),
    });
    Operation::Redrive(Redrive { park, ..redrive.clone() })
}

/// The same by opsctl itself, where SQS's move task can't do it.
pub fn client_side(operation: &Operation, run: &RunId) -> Operation {
    let again = once_more(operation, Some(run));
    match redrive(&again) {
        Some(redrive) => Operation::Redrive(Redrive { engine: EngineChoice::Client, ..redrive }),
        None => again,
    }
}

fn redrive(operation: &Operation) -> Option<Redrive> {
    if let Operation::Redrive(redrive) = operation { Some(redrive.clone()) } else { None }
}

/// Those that no source queue takes, to one queue.
fn elsewhere(redrive: Redrive, source: Option<&QueueName>, target: Option<&QueueArn>) -> Redrive {
    let is_it = match (source, target) {
        (_, Some(target)) => format!(".attributes.TARGET_ARN == {}", json::quoted(target.as_str())),
        (Some(source), None) => format!(".source == {}", json::quoted(source.as_str())),
        (None, None) => ".source == null".to_owned(),
    };
    let filter = match redrive.filter.as_deref() {
        None => is_it,
        // What a file says is not for a command line; the rest of what it selects has gone.
        Some(file) if file.starts_with("file:") => file.to_owned(),
        Some(filter) => format!("({filter}) and {is_it}"),
    };
    let engine = match redrive.engine {
        EngineChoice::Managed => EngineChoice::Auto,
        engine @ (EngineChoice::Auto | EngineChoice::Client) => engine,
    };
    let to = target.map_or(QUEUE, |target| target.as_str());
    Redrive { to: Some(to.to_owned()), filter: Some(filter), engine, ..redrive }
}

/// What a filter leaves, to another queue: where that is more than can be held while the rest is looked for, it is to go first. None: what
/// the filter says does not stand on the command line.
pub fn turned(operation: &Operation, run: &RunId) -> Option<Operation> {
    let redrive = redrive(&once_more(operation, Some(run)))?;
    let filter = redrive.filter.as_deref().filter(|filter| !filter.starts_with("file:"))?;
    let (filter, to) =
        (Some(format!("({filter}) | not")), Some(redrive.to.clone().unwrap_or_else(|| QUEUE.to_owned())));
    Some(Operation::Redrive(Redrive { filter, to, ..redrive }))
}

/// A filter that fails on messages selects none of them. The groups of the queue come with filters that work.
fn other_filter(operation: &Operation, environment: &Environment) -> Remedy {
    let queue = operation.verb().subject();
    let looks = [(OperationKind::Redrive, "groups"), (OperationKind::Purge, "peek")];
    let look = looks.iter().find(|(kind, _)| *kind == operation.kind()).map(|(_, look)| look);
    let command = match look {
        Some(look) => environment.command(&format!("{look} {}", option("queue", queue))),
        None => environment.invocation.command("filter"),
    };
    Remedy { advice: Try::MendFilter.says(format!("mend the filter: `{command}` shows what it sees")), command }
}
