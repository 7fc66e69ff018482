//! The tables: how each kind is made, written and read. Columns and states are their systems' own.

use serde::Deserialize;

/// Tries after which a row is given up.
pub(super) const TRIES_MAX: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::world) enum Table {
    /// `outbox_transfers` of the transfers platform: event id and group stand in the payload.
    Transfers,
    /// `openoutbox_events` of the OpenOutbox relay: claims with leases.
    OpenOutbox,
    /// `event_publication` of Spring Modulith 1: nobody polls, the application publishes again what is not completed.
    Modulith,
}

/// Statements on a table. All values have names: `:id`, `:event`, `:group`, `:type`, `:body`, `:state`, `:attempts`, `:error`, `:due`,
/// `:at` (created), `:done` (published, or claimed), `:now`, `:limit`, `:before`; each uses some.
pub(super) struct Statements {
    pub(super) make: &'static str,
    pub(super) insert: &'static str,
    /// Id, event id, group, body and tries of what is due, the oldest first.
    pub(super) due: &'static str,
    /// The same without what stands behind an older row of its group.
    pub(super) due_in_order: &'static str,
    pub(super) publish: &'static str,
    /// A try failed; the last one gives the row up.
    pub(super) fail: &'static str,
    /// Takes away what was published before `:before`.
    pub(super) clean: &'static str,
    /// At most `:limit` rows that wait.
    pub(super) waiting: &'static str,
    /// Rows that wait, and the age of the oldest in seconds.
    pub(super) backlog: &'static str,
}

impl Table {
    pub(in crate::world) fn name(self) -> &'static str {
        match self {
            Self::Transfers => "outbox_transfers",
            Self::OpenOutbox => "openoutbox_events",
            Self::Modulith => "event_publication",
        }
    }

    pub(super) fn statements(self) -> &'static Statements {
        match self {
            Self::Transfers => &TRANSFERS,
            Self::OpenOutbox => &OPEN_OUTBOX,
            Self::Modulith => &MODULITH,
        }
    }
}

static TRANSFERS: Statements = Statements {
    make: "CREATE TABLE outbox_transfers (
        id TEXT NOT NULL PRIMARY KEY,
        eventtype TEXT NOT NULL,
        payload TEXT NOT NULL CHECK (json_valid(payload)),
        state TEXT NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'FAILED', 'SENT')),
        attempts INTEGER NOT NULL DEFAULT 0,
        lasterror TEXT,
        next_attempt TEXT NOT NULL,
        createdat TEXT NOT NULL,
        updatedat TEXT NOT NULL
    );
    CREATE INDEX outbox_transfers_pending ON outbox_transfers (createdat, id) WHERE state = 'PENDING';
    CREATE INDEX outbox_transfers_failed ON outbox_transfers (createdat, id) WHERE state = 'FAILED';
    CREATE INDEX outbox_transfers_sent ON outbox_transfers (updatedat) WHERE state = 'SENT';
    CREATE INDEX outbox_transfers_open ON outbox_transfers (json_extract(payload, '$.key.transferId'), createdat, id)
        WHERE state IN ('PENDING', 'FAILED')",
    insert: "INSERT INTO outbox_transfers
        (id, eventtype, payload, state, attempts, lasterror, next_attempt, createdat, updatedat)
        VALUES (:id, COALESCE(json_extract(:body, '$.eventType'), :type),
            json_object('envelope', json_object('eventId', :event, 'schemaVersion', 3, 'occurredAt', :at),
                'key', json_object('transferId', :group), 'payload', json(:body)),
            :state, :attempts, :error, :due, :at, :done)",
    due: "SELECT id, json_extract(payload, '$.envelope.eventId'), json_extract(payload, '$.key.transferId'),
            json_extract(payload, '$.payload'), attempts
        FROM outbox_transfers WHERE state = 'PENDING' AND next_attempt <= :now ORDER BY createdat, id LIMIT :limit",
    due_in_order: "SELECT id, json_extract(payload, '$.envelope.eventId'), json_extract(payload, '$.key.transferId'),
            json_extract(payload, '$.payload'), attempts
        FROM outbox_transfers AS own WHERE state = 'PENDING' AND next_attempt <= :now AND NOT EXISTS (
            SELECT 1 FROM outbox_transfers AS older WHERE older.state IN ('PENDING', 'FAILED')
                AND json_extract(older.payload, '$.key.transferId') = json_extract(own.payload, '$.key.transferId')
                AND (older.createdat, older.id) < (own.createdat, own.id))
        ORDER BY createdat, id LIMIT :limit",
    publish: "UPDATE outbox_transfers SET state = 'SENT', lasterror = NULL, updatedat = :now
        WHERE id = :id AND state = 'PENDING'",
    fail: "UPDATE outbox_transfers SET state = CASE WHEN attempts + 1 >= 10 THEN 'FAILED' ELSE 'PENDING' END,
            attempts = attempts + 1, lasterror = :error, next_attempt = :due, updatedat = :now
        WHERE id = :id AND state = 'PENDING'",
    clean: "DELETE FROM outbox_transfers WHERE state = 'SENT' AND updatedat < :before",
    waiting: "SELECT count(*) FROM (SELECT 1 FROM outbox_transfers WHERE state = 'PENDING' LIMIT :limit)",
    backlog: "SELECT count(*), (julianday(:now) - julianday(min(createdat))) * 86400 FROM outbox_transfers WHERE state = 'PENDING'",
};

static OPEN_OUTBOX: Statements = Statements {
    make: "CREATE TABLE openoutbox_events (
        event_id TEXT NOT NULL PRIMARY KEY,
        event_type TEXT NOT NULL,
        partition_key TEXT NOT NULL,
        payload TEXT NOT NULL,
        headers TEXT NOT NULL DEFAULT '{}',
        status TEXT NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DELIVERING', 'DELIVERED', 'DEAD')),
        attempts INTEGER NOT NULL DEFAULT 0,
        last_error TEXT,
        available_at TEXT NOT NULL,
        locked_by TEXT,
        locked_at TEXT,
        delivered_at TEXT,
        created_at TEXT NOT NULL,
        CHECK ((status = 'DELIVERING') = (locked_at IS NOT NULL)),
        CHECK ((status = 'DELIVERED') = (delivered_at IS NOT NULL))
    );
    CREATE INDEX openoutbox_events_pending ON openoutbox_events (available_at, created_at) WHERE status = 'PENDING';
    CREATE INDEX openoutbox_events_open ON openoutbox_events (partition_key, created_at, event_id)
        WHERE status IN ('PENDING', 'DELIVERING', 'DEAD');
    CREATE INDEX openoutbox_events_delivered ON openoutbox_events (delivered_at) WHERE status = 'DELIVERED'",
    insert: "INSERT INTO openoutbox_events (event_id, event_type, partition_key, payload, status, attempts, last_error,
            available_at, locked_by, locked_at, delivered_at, created_at)
        VALUES (:event, COALESCE(json_extract(:body, '$.eventType'), :type), COALESCE(:group, :event), json(:body), :state,
            :attempts, :error, :due, CASE :state WHEN 'DELIVERING' THEN 'relay-6f9c-1' END,
            CASE :state WHEN 'DELIVERING' THEN :done END, CASE :state WHEN 'DELIVERED' THEN :done END, :at)",
    due: "SELECT event_id, event_id, partition_key, payload, attempts FROM openoutbox_events
        WHERE status = 'PENDING' AND available_at <= :now ORDER BY available_at, created_at LIMIT :limit",
    due_in_order: "SELECT event_id, event_id, partition_key, payload, attempts FROM openoutbox_events AS own
        WHERE status = 'PENDING' AND available_at <= :now AND NOT EXISTS (
            SELECT 1 FROM openoutbox_events AS older WHERE older.status IN ('PENDING', 'DELIVERING', 'DEAD')
                AND older.partition_key = own.partition_key
                AND (older.created_at, older.event_id) < (own.created_at, own.event_id))
        ORDER BY available_at, created_at LIMIT :limit",
    publish: "UPDATE openoutbox_events SET status = 'DELIVERED', delivered_at = :now, last_error = NULL
        WHERE event_id = :id AND status = 'PENDING'",
    fail: "UPDATE openoutbox_events SET status = CASE WHEN attempts + 1 >= 10 THEN 'DEAD' ELSE 'PENDING' END,
            attempts = attempts + 1, last_error = :error, available_at = :due
        WHERE event_id = :id AND status = 'PENDING'",
    clean: "DELETE FROM openoutbox_events WHERE status = 'DELIVERED' AND delivered_at < :before",
    waiting: "SELECT count(*) FROM (SELECT 1 FROM openoutbox_events WHERE status = 'PENDING' LIMIT :limit)",
    backlog: "SELECT count(*), (julianday(:now) - julianday(min(created_at))) * 86400 FROM openoutbox_events WHERE status = 'PENDING'",
};

static MODULITH: Statements = Statements {
    make: "CREATE TABLE event_publication (
        id TEXT NOT NULL PRIMARY KEY,
        listener_id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        serialized_event TEXT NOT NULL,
        publication_date TEXT NOT NULL,
        completion_date TEXT
    );
    CREATE INDEX event_publication_by_completion_date ON event_publication (completion_date, publication_date)",
    insert: "INSERT INTO event_publication (id, listener_id, event_type, serialized_event, publication_date, completion_date)
        VALUES (:id, 'com.tsdevstack.offers.OfferListener.on(com.tsdevstack.offers.OfferChanged)', :type, :body, :at,
            CASE :state WHEN 'COMPLETED' THEN :done END)",
    due: "SELECT id, id, listener_id, serialized_event, 0 FROM event_publication
        WHERE completion_date IS NULL ORDER BY publication_date LIMIT :limit",
    due_in_order: "SELECT id, id, listener_id, serialized_event, 0 FROM event_publication
        WHERE completion_date IS NULL ORDER BY publication_date LIMIT :limit",
    publish: "UPDATE event_publication SET completion_date = :now WHERE id = :id AND completion_date IS NULL",
    // It has nowhere to write down that a try failed.
    fail: "SELECT 1",
    clean: "DELETE FROM event_publication WHERE completion_date < :before",
    waiting: "SELECT count(*) FROM (SELECT 1 FROM event_publication WHERE completion_date IS NULL LIMIT :limit)",
    backlog: "SELECT count(*), (julianday(:now) - julianday(min(publication_date))) * 86400 FROM event_publication WHERE completion_date IS NULL",
};
