//! Command lines: the one that does what an operation does, and the one that goes on with a run of it.

use serde_json::Value;

use super::{Operation, values::Uncertain};
use crate::domain::{
    EnvironmentName, Invocation, RunId,
    invocation::{option, quoted},
};

/// The command line for an operation, quoted for a POSIX shell.
pub fn command_line(operation: &Operation, environment: &EnvironmentName, invocation: &Invocation) -> String {
    let mut words = vec![operation.name().to_owned()];
    let (value, plain) = match operation {
        Operation::Redrive(redrive) => (serde_json::to_value(redrive), serde_json::to_value(super::Redrive::default())),
        Operation::Purge(purge) => (serde_json::to_value(purge), serde_json::to_value(super::Purge::default())),
        Operation::Wake(wake) => (serde_json::to_value(wake), serde_json::to_value(super::Wake::default())),
        Operation::Sleep(sleep) => (serde_json::to_value(sleep), serde_json::to_value(super::Sleep::default())),
        Operation::PauseConsumers(pause) => {
            (serde_json::to_value(pause), serde_json::to_value(super::PauseConsumers::default()))
        }
        Operation::ResumeConsumers(resume) => {
            (serde_json::to_value(resume), serde_json::to_value(super::ResumeConsumers::default()))
        }
        Operation::Restore(restore) => {
            words.push(restore.run.to_string());
            (serde_json::to_value(restore), Ok(serde_json::json!({ "run": restore.run })))
        }
        Operation::Failover(failover) => {
            words.push(quoted(&failover.database));
            (serde_json::to_value(failover), Ok(serde_json::json!({ "database": failover.database })))
        }
        Operation::Migrate(migrate) => {
            words.push(quoted(&migrate.migration));
            let plain = super::Migrate { migration: migrate.migration.clone(), ..super::Migrate::default() };
            (serde_json::to_value(migrate), serde_json::to_value(plain))
        }
    };
    let (Ok(Value::Object(fields)), Ok(plain)) = (value, plain) else { unreachable!("parameters are plain data") };
    for (name, value) in
        fields.iter().filter(|(name, value)| plain.get(name.as_str()) != Some(value) && !value.is_null())
    {
        let name = match name.as_str() {
            "filter" => "where".to_owned(),
            name => name.replace('_', "-"),
        };
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) => words.push(format!("--{name}")),
            Value::Array(items) => {
                words.extend(items.iter().map(|item| option(&name, item.as_str().unwrap_or_default())))
            }
            Value::String(text) => words.push(option(&name, text)),
            other => words.push(option(&name, &other.to_string())),
        }
    }
    invocation.command_in(environment, &words.join(" "))
}

/// The command line that goes on with a run of an operation.
pub fn resume_line(
    operation: &Operation,
    run: &RunId,
    environment: &EnvironmentName,
    invocation: &Invocation,
) -> String {
    let uncertain = match operation {
        Operation::Redrive(redrive) if redrive.uncertain == Uncertain::Resend => " --uncertain resend",
        Operation::Restore(restore) if restore.uncertain == Uncertain::Resend => " --uncertain resend",
        Operation::Redrive(_)
        | Operation::Purge(_)
        | Operation::Restore(_)
        | Operation::Wake(_)
        | Operation::Sleep(_)
        | Operation::Failover(_)
        | Operation::Migrate(_)
        | Operation::PauseConsumers(_)
        | Operation::ResumeConsumers(_) => "",
    };
    invocation.command_in(environment, &format!("{} --resume {run}{uncertain}", operation.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Redrive;

    #[test]
    fn only_what_was_given_is_said() {
        let redrive = Redrive {
            queue: "orders-dlq".to_owned(),
            filter: Some(".body.x == \"it's\"".to_owned()),
            ramp: Some("1,all".parse().expect("a ramp")),
            mark: true,
            ..Redrive::default()
        };
        let dev = EnvironmentName("dev".to_owned());
        assert_eq!(
            command_line(&Operation::Redrive(redrive), &dev, &Invocation::Sandbox),
            r#"opsctl redrive --queue orders-dlq --where '.body.x == "it'\''s"' --ramp 1,all --mark --env dev --sandbox"#
        );
    }
}
