//! What the server says of dead rows, old snapshots and replication slots. Nothing here reads the outbox's table.

use super::{Sql, quoted_table};
use crate::domain::{
    DeadRows, Dialect, Primitive, Rows, Server, Slot, SlotState, Snapshot, Statement, Text, Upkeep, Value,
};

const SLOTS_MAX: u32 = 20;
/// From this version on PostgreSQL's log has its present names.
const LOG_NAMED: [u32; 3] = [10, 0, 0];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptUp {
    Dead,
    Snapshot,
    Slots,
    History,
}

impl Sql {
    /// What to ask of a server. Any of it may be refused.
    pub fn upkeep(&self, server: &Server) -> Vec<(KeptUp, Statement)> {
        match self.dialect {
            Dialect::Postgres if server.version >= LOG_NAMED => {
                vec![(KeptUp::Dead, self.dead()), (KeptUp::Snapshot, snapshot()), (KeptUp::Slots, self.slots())]
            }
            Dialect::Postgres | Dialect::Sqlite => Vec::new(),
            Dialect::Mysql => {
                let text = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'";
                vec![(KeptUp::History, text.into())]
            }
        }
    }

    fn dead(&self) -> Statement {
        let text = "WITH RECURSIVE p AS (SELECT to_regclass($1::text)::oid AS oid UNION ALL \
                    SELECT i.inhrelid FROM pg_inherits i JOIN p ON i.inhparent = p.oid) \
                    SELECT sum(s.n_dead_tup)::bigint, sum(s.n_live_tup)::bigint, \
                    floor(extract(epoch FROM now() - max(greatest(s.last_vacuum, s.last_autovacuum))))::bigint \
                    FROM p JOIN pg_stat_all_tables s ON s.relid = p.oid";
        Statement { text: text.to_owned(), values: vec![Value::Text(quoted_table(self.dialect, &self.mapping.table))] }
    }

    /// The outbox's own slot stands first.
    fn slots(&self) -> Statement {
        let text = format!(
            "SELECT s.slot_name::text, s.active::int, CASE WHEN pg_is_in_recovery() THEN NULL \
             ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(s.confirmed_flush_lsn, s.restart_lsn)) END::bigint, \
             (s.slot_type = 'logical')::int FROM pg_replication_slots s \
             WHERE s.database IS NULL OR s.database = current_database() \
             ORDER BY (s.slot_name = $1::text) DESC, s.active, 3 DESC NULLS LAST LIMIT {SLOTS_MAX}"
        );
        Statement { text, values: vec![Value::Text(self.own_slot().unwrap_or_default().to_owned())] }
    }

    fn own_slot(&self) -> Option<&str> {
        match &self.mapping.primitive {
            Primitive::Cdc { slot } => slot.as_deref(),
            Primitive::NullTime { .. }
            | Primitive::Flag { .. }
            | Primitive::Status { .. }
            | Primitive::Present
            | Primitive::Satellite { .. }
            | Primitive::Offset(_) => None,
        }
    }

    /// Takes down what was answered. Of an outbox whose relay reads the log: the slot by which it does, where that is known.
    pub fn kept_up(&self, asked: KeptUp, rows: &Rows, upkeep: &mut Upkeep) -> Option<Slot> {
        let first = rows.rows.first().map(Vec::as_slice);
        match (asked, first) {
            (KeptUp::Dead, Some([dead, live, vacuumed])) => {
                upkeep.dead = number(dead).zip(number(live)).map(|(dead, live)| DeadRows {
                    dead,
                    live,
                    vacuumed_seconds: number(vacuumed),
                });
                None
            }
            (KeptUp::Snapshot, Some([age, seconds, Value::Integer(process), Value::Text(application)])) => {
                upkeep.snapshot = number(age).map(|transactions| Snapshot {
                    transactions,
                    seconds: number(seconds),
                    process: *process,
                    application: Text::line(application),
                });
                None
            }
            (KeptUp::History, Some([length])) => {
                upkeep.history = number(length);
                None
            }
            (KeptUp::Slots, _) => {
                let found: Vec<(Slot, bool)> = rows.rows.iter().filter_map(|row| slot(row)).collect();
                upkeep.slots = found.iter().map(|(slot, _)| slot.clone()).collect();
                self.slot_of(&found)
            }
            (KeptUp::Dead | KeptUp::Snapshot | KeptUp::History, Some(_) | None) => None,
        }
    }

    /// The slot that is configured, or the only one that decodes the database's log.
    fn slot_of(&self, found: &[(Slot, bool)]) -> Option<Slot> {
        if !self.rules.outside {
            return None;
        }
        if let Some(own) = self.own_slot() {
            let missing = || Slot { name: Text::line(own), state: SlotState::Missing, bytes: None };
            let of_name = found.iter().find(|(slot, _)| slot.name == Text::line(own));
            return Some(of_name.map_or_else(missing, |(slot, _)| slot.clone()));
        }
        let mut logical = found.iter().filter(|(_, is_logical)| *is_logical);
        logical.next().filter(|_| logical.next().is_none()).map(|(slot, _)| slot.clone())
    }
}

/// The oldest of other sessions. VACUUM's own hold nothing back.
fn snapshot() -> Statement {
    "SELECT age(backend_xmin)::bigint, floor(extract(epoch FROM now() - xact_start))::bigint, pid::bigint, \
     coalesce(application_name, '')::text FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() \
     AND backend_type IS DISTINCT FROM 'autovacuum worker' ORDER BY age(backend_xmin) DESC LIMIT 1"
        .into()
}

fn slot(row: &[Value]) -> Option<(Slot, bool)> {
    let [Value::Text(name), active, bytes, logical] = row else { return None };
    let state = if number(active) == Some(1) { SlotState::Active } else { SlotState::Inactive };
    Some((Slot { name: Text::line(name), state, bytes: number(bytes) }, number(logical) == Some(1)))
}

fn number(value: &Value) -> Option<u64> {
    match value {
        // A difference of two places of the log may be below zero for a moment.
        Value::Integer(number) => Some(u64::try_from(*number).unwrap_or(0)),
        Value::Text(text) => text.parse().ok(),
        Value::Null | Value::Real(_) | Value::Bytes(_) => None,
    }
}
