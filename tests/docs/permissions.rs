//! The calls that the code makes are the calls that the documents and `opsctl doctor` name.

use std::{collections::BTreeSet, fs, path::Path};

use opsctl::cloud::permissions::{ALL, Permission, Purpose};

/// Reads that nobody needs to look at what there is: doctor does not ask for them.
const NOT_ASKED: [&str; 14] = [
    // Of one thing alone, when somebody looks at it.
    "application-autoscaling:DescribeScalingActivities",
    "cloudwatch:DescribeAlarmHistory",
    "cloudwatch:GetAlarmMuteRule",
    "ecs:DescribeTaskDefinition",
    "ecs:ListTaskDefinitions",
    "events:DescribeRule",
    "lambda:GetEventSourceMapping",
    "lambda:GetFunctionConcurrency",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "rds:DescribeDBProxies",
    "rds:DescribeDBProxyTargets",
];

fn sources(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, all);
        } else if entry.extension().is_some_and(|extension| extension == "rs")
            && !entry.ends_with("permissions.rs")
            && !entry.to_string_lossy().contains("tests")
        {
            // What tests made up is no call.
            let text = fs::read_to_string(&entry).expect("readable");
            all.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
}

/// Words in quotes such as `sqs:SendMessage`.
fn actions(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2).filter(|word| {
        let Some((service, call)) = word.split_once(':') else { return false };
        let is_service = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        !service.is_empty()
            && service.chars().all(is_service)
            && call.starts_with(|first: char| first.is_ascii_uppercase())
            && call.chars().all(|letter| letter.is_ascii_alphabetic())
    })
}

#[test]
fn every_call_that_the_code_makes_is_in_the_list_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    sources(&root.join("crates/opsctl-core/src/cloud"), &mut texts);
    let made: BTreeSet<&str> = texts.iter().flat_map(|text| actions(text)).collect();
    let listed: BTreeSet<&str> = ALL.iter().map(|permission| permission.action).collect();
    assert!(made.len() > 50, "the calls are found: {made:?}");
    let (missing, idle): (Vec<_>, Vec<_>) = (made.difference(&listed).collect(), listed.difference(&made).collect());
    assert!(missing.is_empty(), "cloud/permissions.rs lacks {missing:?}");
    assert!(idle.is_empty(), "nobody makes {idle:?}: take them out of cloud/permissions.rs");
    assert_eq!(listed.len(), ALL.len(), "each once");
    let order = |permission: &Permission| (permission.need, permission.action);
    assert!(ALL.is_sorted_by_key(order), "by need, then by name");
}

#[test]
fn doctor_asks_for_every_read_that_looking_needs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/opsctl-core/src/doctor");
    let text: String = ["permissions.rs", "mod.rs"]
        .iter()
        .map(|name| fs::read_to_string(folder.join(name)).expect("readable"))
        .collect();
    for Permission { action, need, .. } in ALL {
        let call = action.split(':').nth(1).expect("a call");
        let is_needed = *need == Purpose::Look && !NOT_ASKED.contains(action);
        // STS is asked by its own name.
        let is_asked = text.contains(call) || *action == "sts:GetCallerIdentity";
        assert!(!is_needed || is_asked, "doctor/permissions.rs does not ask for {action}");
    }
    let unknown: Vec<_> = NOT_ASKED.iter().filter(|action| ALL.iter().all(|one| one.action != **action)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The lists of `docs/permissions.md`.
fn lists() -> String {
    let mut text = String::new();
    for (need, title, words) in [
        (Purpose::Look, "To look", "Nothing changes, and no message is received."),
        (Purpose::Receive, "To look at messages", "SQS counts each look as a receive."),
        (Purpose::Change, "To change", "Only what you want opsctl to be able to do."),
        (
            Purpose::Configured,
            "Where the configuration needs it",
            "On the secrets, parameters and roles that it names.",
        ),
    ] {
        let of: Vec<&Permission> = ALL.iter().filter(|permission| permission.need == need).collect();
        text.push_str(&format!("\n## {title}\n\n{words}\n\n| Action | For |\n| --- | --- |\n"));
        of.iter().for_each(|one| text.push_str(&format!("| `{}` | {} |\n", one.action, one.what)));
        let actions: Vec<String> = of.iter().map(|one| format!("    \"{}\"", one.action)).collect();
        let actions = actions.join(",\n");
        text.push_str(&format!("\n```json\n{{\n  \"Effect\": \"Allow\",\n  \"Action\": [\n{actions}\n  ],\n  \"Resource\": \"*\"\n}}\n```\n"));
    }
    text.push('\n');
    text
}

#[test]
fn the_permissions_of_the_documents_are_fresh() {
    super::block_is_fresh("docs/permissions.md", "permissions", lists().trim());
}
