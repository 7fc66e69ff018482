//! The example file: values chosen here, comments taken from the types that read them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{check::ENDPOINT_WORDS, typed};
use crate::files::shape::{Subschemas, schema_of};

const COLUMNS: usize = 100;

/// A heading of the example and the keys below it.
struct Table {
    heading: &'static str,
    /// Where the schema describes it: names of keys, `*` for an environment's name and for an item of a list.
    path: &'static [&'static str],
    keys: &'static [(&'static str, &'static str, Shown)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Live,
    Commented,
}

use Shown::{Commented, Live};

const TABLES: [Table; 24] = [
    Table {
        heading: "[defaults]",
        path: &["defaults"],
        keys: &[
            ("region", r#""af-south-1""#, Live),
            ("profile", r#""storo-${env}""#, Live),
            ("role_chain", "[]", Commented),
            ("protection", r#""type-name""#, Live),
        ],
    },
    Table {
        heading: "[defaults.queues]",
        path: &["defaults", "queues"],
        keys: &[
            ("include", r#"["events-*", "ssm:/storo/${env}/sqs/names"]"#, Commented),
            ("exclude", r#"["*-scratch"]"#, Live),
            ("pairs", r#"[{ source = "*", dead_letter = "*-dlq" }]"#, Live),
            ("pair_tag", r#""dead-letter-of""#, Live),
            ("undo_messages_max", "10000", Live),
        ],
    },
    Table {
        heading: "[[defaults.keys]]",
        path: &["defaults", "keys", "*"],
        keys: &[
            ("queue", r#""events-transfers.fifo""#, Live),
            ("group_id", r#""/transferId""#, Live),
            ("deduplication_id", r#""/eventId""#, Live),
        ],
    },
    Table {
        heading: "[[defaults.envelopes]]",
        path: &["defaults", "envelopes", "*"],
        keys: &[
            ("name", r#""shop""#, Live),
            ("when", r#"["/meta/kind", "/meta/version=2*"]"#, Live),
            ("type", r#"["/meta/kind"]"#, Live),
            ("content", r#"["/payload"]"#, Live),
            ("error", r#"["/meta/lastFailure/text", "failure"]"#, Live),
            ("code", r#"["/meta/lastFailure/code"]"#, Live),
        ],
    },
    Table {
        heading: "[defaults.watch]",
        path: &["defaults", "watch"],
        keys: &[
            ("calls_per_minute_max", "1500", Live),
            ("dollars_per_hour_max", "0.10", Live),
            ("backlog_messages", "1000", Live),
            ("backlogs", r#"[{ queue = "bulk-*", messages = 50000 }]"#, Live),
            ("expires_soon_hours", "24", Live),
            ("growth_messages", "1", Live),
            ("growth_minutes", "15", Live),
            ("consumer_absent_minutes", "5", Live),
            ("parked", r#"["error_orders"]"#, Live),
            ("service_below_minutes", "2", Live),
            ("service_cpu_percent", "80", Live),
            ("service_memory_percent", "80", Live),
            ("database_cpu_percent", "80", Live),
            ("database_connections", "80", Live),
            ("free_storage_gigabytes", "2", Live),
            ("database_latency_milliseconds", "1000", Live),
            ("replica_lag_seconds", "10", Live),
            ("kafka_lag_offsets", "10000", Live),
        ],
    },
    Table {
        heading: "[defaults.databases]",
        path: &["defaults", "databases"],
        keys: &[("objectives", r#"[{ database = "orders-*", rto_seconds = 300 }]"#, Live)],
    },
    Table {
        heading: "[[defaults.databases.checks]]",
        path: &["defaults", "databases", "checks", "*"],
        keys: &[
            ("database", r#""orders-*""#, Live),
            ("user", r#""opsctl_read_only""#, Live),
            ("password", r#""secret:${env}/orders/opsctl""#, Live),
            ("connect_to", r#""orders""#, Commented),
            ("tls", r#""verify-full""#, Commented),
            ("ca_file", r#""/etc/ssl/rds-global-bundle.pem""#, Live),
            ("sql", r#""select 1""#, Commented),
        ],
    },
    Table {
        heading: "[defaults.connections.orders]",
        path: &["defaults", "connections", "*"],
        keys: &[
            ("database", r#""orders-${env}""#, Live),
            ("user", r#""opsctl""#, Live),
            ("password", r#""iam""#, Live),
            ("connect_to", r#""orders""#, Live),
            ("tls", r#""verify-full""#, Commented),
            ("ca_file", r#""/etc/ssl/rds-global-bundle.pem""#, Commented),
        ],
    },
    Table {
        heading: "[defaults.connections.wallet]",
        path: &["defaults", "connections", "*"],
        keys: &[
            ("host", r#""ssm:/storo/${env}/wallet/proxy""#, Live),
            ("port", "6432", Live),
            ("dialect", r#""postgres""#, Live),
            ("password", r#""secret:${env}/wallet/opsctl""#, Live),
        ],
    },
    Table {
        heading: "[[defaults.consumers]]",
        path: &["defaults", "consumers", "*"],
        keys: &[("queue", r#""offers-*""#, Live), ("service", r#""shop-${env}/offers-worker""#, Live)],
    },
    Table {
        heading: "[environments.dev]",
        path: &["environments", "*"],
        keys: &[
            ("account", r#""111122223333""#, Live),
            ("protection", r#""confirm""#, Live),
            ("colour", r#""green""#, Live),
        ],
    },
    Table {
        heading: "[environments.staging]",
        path: &["environments", "*"],
        keys: &[
            ("account", r#""444455556666""#, Live),
            ("colour", r#""yellow""#, Live),
            ("endpoint", r#""http://127.0.0.1:4566""#, Commented),
            ("endpoint_allowed", ENDPOINT_WORDS, Commented),
        ],
    },
    Table {
        heading: "[environments.prod]",
        path: &["environments", "*"],
        keys: &[
            ("account", r#""777788889999""#, Live),
            ("role_chain", r#"["arn:aws:iam::777788889999:role/operations"]"#, Live),
            ("colour", r#""red""#, Live),
        ],
    },
    Table {
        heading: "[environments.dev.connections.orders]",
        path: &["environments", "*", "connections", "*"],
        keys: &[("url", r#""env:ORDERS_URL""#, Live)],
    },
    Table {
        heading: "[environments.prod.connections.orders]",
        path: &["environments", "*", "connections", "*"],
        keys: &[
            ("cluster_arn", r#""arn:aws:rds:af-south-1:777788889999:cluster:orders-prod""#, Live),
            ("password", r#""secret:arn:aws:secretsmanager:af-south-1:777788889999:secret:orders""#, Live),
            ("connect_to", r#""orders""#, Commented),
        ],
    },
    Table {
        heading: "[environments.prod.watch]",
        path: &["environments", "*", "watch"],
        keys: &[("calls_per_minute_max", "3000", Commented), ("dollars_per_hour_max", "0.50", Live)],
    },
    Table {
        heading: "[environments.dev.groups.shop]",
        path: &["environments", "*", "groups", "*"],
        keys: &[
            ("stages", r#"[["auth"], ["offers", "shop-${env}/bff"], ["*-worker"]]"#, Live),
            ("always_on", r#"["kong"]"#, Live),
            ("size", "1", Commented),
            ("sleep_allowed", "true", Commented),
        ],
    },
    Table {
        heading: "[environments.dev.migrations.shop]",
        path: &["environments", "*", "migrations", "*"],
        keys: &[
            ("cluster", r#""shop-${env}""#, Live),
            ("task_definition", r#""shop-migration""#, Live),
            ("network_of", r#""offers""#, Live),
            ("container", r#""migration""#, Commented),
            ("commands", r#"{ status = ["npm", "run", "migrate:status"] }"#, Live),
            ("log_group", r#""/aws/ecs/shop-migration""#, Commented),
            ("database", r#""shop-${env}""#, Live),
            ("timeout_seconds", "7200", Commented),
        ],
    },
    Table {
        heading: "[environments.prod.migrations.shop]",
        path: &["environments", "*", "migrations", "*"],
        keys: &[
            ("cluster", r#""shop-${env}""#, Live),
            ("task_definition", r#""shop-migration:12""#, Live),
            ("subnets", r#"["subnet-0a1b2c3d4e5f60718"]"#, Live),
            ("security_groups", r#"["sg-0123456789abcdef0"]"#, Live),
            ("public_ip", "false", Live),
        ],
    },
    Table {
        heading: "[environments.prod.outboxes.transfers]",
        path: &["environments", "*", "outboxes", "*"],
        keys: &[
            ("connection", r#""orders""#, Live),
            ("preset", r#""outbox-transfers""#, Live),
            ("table", r#""outbox_transfers""#, Commented),
            ("relay", r#"{ function = "shop-outbox", rule = "shop-outbox-each-minute" }"#, Live),
            ("fifo", "true", Commented),
            ("lag_seconds", "300", Commented),
        ],
    },
    Table {
        heading: "[environments.prod.outboxes.invoices]",
        path: &["environments", "*", "outboxes", "*"],
        keys: &[
            ("connection", r#""orders""#, Live),
            ("table", r#""billing.invoice_events""#, Live),
            ("id", r#"["id"]"#, Commented),
            ("status", r#"{ column = "state", ready = ["NEW"], failed = ["FAILED"], published = ["SENT"] }"#, Live),
            ("attempts", r#"{ column = "tries", max = 10 }"#, Live),
            ("due", r#""next_try""#, Commented),
            ("lease", r#"{ since = "claimed_at", ttl_seconds = 300 }"#, Commented),
            ("holder", r#""claimed_by""#, Commented),
            ("expiry", r#""expires_at""#, Commented),
            ("scope", r#"[{ column = "tenant", values = ["eu"] }]"#, Commented),
            ("order", r#"["created_at", "id"]"#, Live),
            ("created", r#""created_at""#, Live),
            ("published_at", r#""sent_at""#, Commented),
            ("times", r#""utc""#, Commented),
            ("type", r#""event_type""#, Live),
            ("group", r#""payload/invoice/id""#, Live),
            ("event_id", r#""payload/eventId""#, Commented),
            ("error", r#""last_error""#, Commented),
            ("body", r#"{ column = "payload" }"#, Live),
            ("relay_locks", "true", Commented),
            ("rearm", r#"[{ set = "state", to = "NEW" }, { set = "tries", to = 0 }]"#, Live),
            ("park", r#"[{ set = "state", to = "FAILED" }, { set = "last_error", reason = true }]"#, Live),
            ("release", r#"[{ set = "claimed_by", null = true }, { set = "claimed_at", null = true }]"#, Commented),
            ("notes", r#"["consumers have an inbox: they drop what they have seen"]"#, Commented),
        ],
    },
    Table { heading: "[keymap]", path: &["keymap"], keys: &[("base", r#""vim""#, Live)] },
    Table {
        heading: "[keymap.everywhere]",
        path: &["keymap", "everywhere"],
        keys: &[(r#""ctrl-q""#, r#""quit""#, Live), (r#""Z Q""#, r#""none""#, Live)],
    },
    Table {
        heading: "[keymap.queues]",
        path: &["keymap", "queues"],
        keys: &[(r#""x""#, r#""select""#, Live), (r#""g r""#, r#""redrive""#, Live)],
    },
];

/// The example configuration: every key once, with what it means.
pub fn example() -> String {
    let schema = schema_of::<typed::File>(Subschemas::Inline);
    let mut text = comment(schema["description"].as_str().unwrap_or_default());
    text.push_str("#\n# Checked by `opsctl config check`; for editors there is `opsctl config schema`.\n");
    let mut described = BTreeSet::new();
    for table in &TABLES {
        let place = descend(&schema, table.path);
        text.push('\n');
        if described.insert(table.path.join(".")) {
            let description = place["description"].as_str().unwrap_or_default();
            text.push_str(&comment(description));
        }
        text.push_str(table.heading);
        text.push('\n');
        for (key, value, shown) in table.keys {
            if described.insert((*key).to_owned()) {
                text.push_str(&comment(place["properties"][key]["description"].as_str().unwrap_or_default()));
            }
            let quoted = if *value == ENDPOINT_WORDS { format!("\"{value}\"") } else { (*value).to_owned() };
            let mark = if *shown == Commented { "#" } else { "" };
            text.push_str(&format!("{mark}{key} = {quoted}\n"));
        }
    }
    text
}

fn descend<'a>(schema: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(schema, |place, name| match *name {
        "*" if place["items"].is_object() => &place["items"],
        "*" => &place["additionalProperties"],
        name => &place["properties"][name],
    })
}

/// Text as comment lines, wrapped. Only paragraphs keep their line breaks.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    for (index, paragraph) in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()).enumerate() {
        if index > 0 {
            lines.push_str("#\n");
        }
        let mut columns = COLUMNS;
        for word in paragraph.split_whitespace() {
            if columns + 1 + word.chars().count() > COLUMNS {
                lines.push_str(if lines.is_empty() || lines.ends_with('\n') { "#" } else { "\n#" });
                columns = 1;
            }
            lines.push(' ');
            lines.push_str(word);
            columns += 1 + word.chars().count();
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Paint, Source, Why, examine};

    fn problems(text: String) -> String {
        let (report, _) = examine(Source { path: "example.toml".into(), why: Why::Flag }, text);
        report.problems.render(Paint::Plain)
    }

    #[test]
    fn the_example_is_good_also_with_everything_in_comments_switched_on() {
        assert_eq!(problems(example()), "");
        let switched_on: String = example()
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
            .collect();
        assert_eq!(problems(switched_on), "");
    }

    #[test]
    fn every_key_is_in_the_example() {
        let schema = schema_of::<typed::File>(Subschemas::Inline);
        let shown = |path: &[&str], key: &str| {
            let is_table = |table: &&Table| table.path[..] == *path || table.path[..] == [path, &["*"]].concat();
            let child = [path, &[key]].concat();
            TABLES.iter().filter(is_table).any(|table| table.keys.iter().any(|(name, ..)| *name == key))
                || TABLES.iter().any(|table| table.path.starts_with(&child))
        };
        for path in [
            &["defaults"][..],
            &["defaults", "queues"],
            &["defaults", "keys", "*"],
            &["defaults", "envelopes", "*"],
            &["defaults", "watch"],
            &["defaults", "databases"],
            &["defaults", "databases", "checks", "*"],
            &["defaults", "connections", "*"],
            &["environments", "*"],
        ] {
            for key in descend(&schema, path)["properties"].as_object().expect("a table").keys() {
                // What every environment may have is shown under the defaults.
                let elsewhere = [&["environments", "*"], &path[1..]].concat();
                assert!(shown(path, key) || shown(&["defaults"], key) || shown(&elsewhere, key), "{path:?} {key}");
            }
        }
    }
}
