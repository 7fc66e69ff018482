//! The command line that does what an operation does.

use serde_json::Value;

use super::Operation;
use crate::domain::EnvironmentName;

/// The command line for an operation, quoted for a POSIX shell.
pub fn command_line(operation: &Operation, environment: &EnvironmentName) -> String {
    let mut words = vec!["opsctl".to_owned(), operation.name().to_owned()];
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
        let flag = match name.as_str() {
            "filter" => "--where".to_owned(),
            name => format!("--{}", name.replace('_', "-")),
        };
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) => words.push(flag),
            Value::Array(items) => {
                words.extend(items.iter().flat_map(|item| [flag.clone(), quoted(item.as_str().unwrap_or_default())]))
            }
            Value::String(text) => words.extend([flag, quoted(text)]),
            other => words.extend([flag, other.to_string()]),
        }
    }
    words.extend(["--env".to_owned(), quoted(&environment.0)]);
    words.join(" ")
}

fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,%@=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
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
        assert_eq!(
            command_line(&Operation::Redrive(redrive), &EnvironmentName("dev".to_owned())),
            r#"opsctl redrive --queue orders-dlq --where '.body.x == "it'\''s"' --ramp 1,all --mark --env dev"#
        );
    }
}
