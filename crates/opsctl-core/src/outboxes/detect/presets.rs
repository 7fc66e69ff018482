//! Known systems, told by the columns of their tables. Names of tables are not looked at: installations choose their own.

use super::{
    catalog::{DatabaseTables, Sort, Table},
    facts::Facts,
    words::Sense,
};

/// What tells a system's table.
struct Signature {
    preset: &'static str,
    /// All of these are there; letter case does not count.
    columns: &'static str,
    /// None of these is.
    without: &'static str,
    /// All values of its status, where the catalogs name them, are among these.
    status: Option<(&'static str, &'static str)>,
    /// What only somebody who knows the installation can tell.
    question: Option<&'static str>,
}

const fn plain(preset: &'static str, columns: &'static str) -> Signature {
    Signature { preset, columns, without: "", status: None, question: None }
}

/// The first that fits counts.
const SIGNATURES: &[Signature] = &[
    Signature {
        status: Some(("state", "PENDING SENT FAILED")),
        ..plain("outbox-transfers", "id eventtype payload state attempts lasterror next_attempt createdat")
    },
    Signature {
        status: Some(("status", "PENDING DELIVERING CLAIMED DELIVERED PUBLISHED DEAD")),
        ..plain(
            "openoutbox",
            "event_id event_type payload status attempts last_error available_at locked_by locked_at delivered_at created_at partition_key",
        )
    },
    Signature {
        status: Some(("status", "PENDING DELIVERING CLAIMED DELIVERED PUBLISHED DEAD")),
        ..plain(
            "openoutbox-lifecycle",
            "event_id event_type payload status attempts last_error available_at claimed_by claimed_at published_at created_at partition_key",
        )
    },
    Signature { ..plain("cap-received", "id version name group content retries added expiresat statusname") },
    Signature {
        without: "group",
        ..plain("cap-published", "id version name content retries added expiresat statusname")
    },
    plain("masstransit", "sequencenumber senttime outboxid inboxmessageid messageid messagetype body"),
    plain("nservicebus", "messageid dispatched dispatchedat operations"),
    plain("brighter", "messageid topic messagetype timestamp dispatched headerbag body partitionkey"),
    Signature {
        question: Some(
            "does the relay poll the table? In binlog and WAL mode published stays 0 for ever: then write preset = \"eventuate-wal\"",
        ),
        ..plain("eventuate", "destination headers payload published creation_time")
    },
    plain("gruelbox", "id invocation nextattempttime attempts blocked processed version topic seq"),
    Signature {
        status: Some(("status", "NEW COMPLETED FAILED")),
        ..plain(
            "namastack",
            "id status record_key record_type payload created_at completed_at failure_count failure_reason next_retry_at",
        )
    },
    plain(
        "modulith-v2",
        "id listener_id event_type serialized_event publication_date completion_date status completion_attempts",
    ),
    plain("modulith-v1", "id listener_id event_type serialized_event publication_date completion_date"),
    Signature {
        status: Some(("status", "-1 1 2")),
        ..plain("django-outbox-pattern", "id version destination body added expires_at retry status headers")
    },
    Signature {
        status: Some(("status", "0 1 2 3")),
        ..plain("sbmt-outbox", "id uuid event_key bucket status errors_count error_log processed_at created_at")
    },
    Signature {
        question: Some("which queues or workers publish events? Add a scope on queue or worker"),
        ..plain(
            "oban",
            "id state queue worker args errors attempt max_attempts inserted_at scheduled_at attempted_at completed_at discarded_at cancelled_at",
        )
    },
    Signature {
        question: Some("which queues or kinds publish events? Add a scope on queue or kind"),
        ..plain(
            "river",
            "id state queue kind args errors attempt max_attempts created_at scheduled_at attempted_at finalized_at",
        )
    },
    Signature {
        question: Some("which tasks publish events? Add a scope on task_id"),
        ..plain(
            "graphile-worker",
            "id payload priority run_at attempts max_attempts last_error created_at locked_at locked_by is_available",
        )
    },
    Signature {
        question: Some("which classes or queues publish events? Add a scope on class_name or queue_name"),
        ..plain(
            "solid-queue",
            "id queue_name class_name arguments priority active_job_id scheduled_at finished_at concurrency_key created_at",
        )
    },
    Signature {
        question: Some("which consumer group is looked at? The outbox is one group's"),
        ..plain("watermill", "offset uuid created_at payload metadata transaction_id")
    },
    Signature {
        without: "transaction_id",
        question: Some("which consumer group is looked at? The outbox is one group's"),
        ..plain("watermill-mysql", "offset uuid created_at payload metadata")
    },
    Signature {
        without: "published_at sent_at status state version processed_at dispatched",
        question: Some(
            "is it Debezium that reads the log, or does a relay poll the table and delete what it has sent? For a relay write present = true in place of the preset",
        ),
        ..plain("debezium", "id aggregatetype aggregateid type payload")
    },
];

/// A known system's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recognised {
    pub(super) preset: &'static str,
    pub(super) question: Option<&'static str>,
    /// Names of the preset's columns that this table writes otherwise, and how.
    pub(super) renamed: Vec<(String, String)>,
    /// Names of its columns that told it.
    pub(super) columns: Vec<String>,
    /// Watermill: the table of the positions.
    pub(super) positions: Option<String>,
}

pub(super) fn recognised(facts: &Facts<'_>, catalog: &DatabaseTables) -> Option<Recognised> {
    let found = SIGNATURES.iter().find_map(|signature| fits(signature, facts))?;
    Some(special(found, facts, catalog)).flatten()
}

fn fits(signature: &Signature, facts: &Facts<'_>) -> Option<Recognised> {
    let table = facts.table;
    let mut columns = Vec::new();
    let mut renamed = Vec::new();
    for wanted in signature.columns.split(' ') {
        let column = column(table, signature.preset, wanted)?;
        if !column.eq_ignore_ascii_case(wanted) {
            renamed.push((wanted.to_owned(), column.to_owned()));
        }
        columns.push(column.to_owned());
    }
    if signature.without.split(' ').any(|column| table.alike(column).is_some()) {
        return None;
    }
    if let Some((column, words)) = signature.status
        && let Some(known) = table.alike(column).and_then(|column| facts.known(column))
        && !known.values.iter().all(|(value, _)| words.split(' ').any(|word| word == value))
    {
        return None;
    }
    Some(Recognised { preset: signature.preset, question: signature.question, renamed, columns, positions: None })
}

/// The column of that name; for systems whose naming a convention may change, in snake case, too.
fn column<'a>(table: &'a Table, preset: &str, wanted: &str) -> Option<&'a str> {
    if let Some(column) = table.alike(wanted) {
        return Some(&column.name);
    }
    // Entity Framework's conventions, Debezium's own settings.
    if !["masstransit", "nservicebus", "debezium"].contains(&preset) {
        return None;
    }
    let bare = |name: &str| name.replace('_', "").to_lowercase();
    let mut found = table.columns.iter().filter(|column| bare(&column.name) == bare(wanted));
    found.next().filter(|_| found.next().is_none()).map(|column| column.name.as_str())
}

/// What a signature cannot say.
fn special(mut found: Recognised, facts: &Facts<'_>, catalog: &DatabaseTables) -> Option<Recognised> {
    let table = facts.table;
    let is_text = |column: &str| table.alike(column).is_some_and(|column| column.sort.is_text());
    match found.preset {
        "gruelbox" if is_text("blocked") => found.preset = "gruelbox-mysql",
        "modulith-v2" if facts.name.has(Sense::Archive) => found.preset = "modulith-v2-archive",
        "eventuate" if table.alike("id").is_none() => {
            let own = table.alike("dbid")?;
            found.renamed.push(("id".to_owned(), own.name.clone()));
        }
        "solid-queue" if !has_executions(catalog, table) => return None,
        "watermill" | "watermill-mysql" => {
            found.positions = positions(catalog, table);
            found.positions.as_ref()?;
        }
        // An event store has the version of each event; a relay's table has a claim.
        "debezium"
            if !table.columns.iter().any(|column| column.sort == Sort::Uuid || column.sort.holds_documents()) =>
        {
            return None;
        }
        _ => {}
    }
    Some(found)
}

fn has_executions(catalog: &DatabaseTables, table: &Table) -> bool {
    let beside = |name: &str| {
        catalog.tables.iter().any(|other| *other.name.name == *name && other.name.schema == table.name.schema)
    };
    beside("solid_queue_failed_executions") && beside("solid_queue_ready_executions")
}

/// The table of consumers' positions: by Watermill's own name, else the only one there is.
fn positions(catalog: &DatabaseTables, table: &Table) -> Option<String> {
    let is_one = |other: &&Table| {
        other.name.schema == table.name.schema
            && other.alike("consumer_group").is_some()
            && other.alike("offset_acked").is_some()
    };
    let mut all = catalog.tables.iter().filter(is_one);
    let topic = table.name.name.strip_prefix("watermill_").unwrap_or(&table.name.name);
    let named = format!("watermill_offsets_{topic}");
    if let Some(found) = all.clone().find(|other| other.name.name == named) {
        return Some(found.name.name.clone());
    }
    let only = all.next().filter(|_| all.next().is_none());
    only.map(|only| only.name.name.clone())
}
