//! Presets on MariaDB, for products that run on MySQL.

use opsctl::domain::{
    Dialect,
    RowState::{Expired, Failed, Held, InProgress, Published, Ready, Scheduled, Stuck, Unaccounted},
};

use super::{case::Case, server::Schema};

static CASES: [Case; 13] = [
    Case {
        preset: "outbox-transfers",
        table: "outbox_transfers",
        script: r#"CREATE TABLE outbox_transfers (id char(36) PRIMARY KEY, eventtype varchar(100) NOT NULL, payload json NOT NULL,
                state enum('PENDING','FAILED','SENT') NOT NULL, attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt datetime(6),
                createdat datetime(6) NOT NULL, updatedat datetime(6) NOT NULL DEFAULT now(6) ON UPDATE now(6));
            INSERT INTO outbox_transfers (id, eventtype, payload, state, attempts, next_attempt, createdat)
            SELECT uuid(), 'transfer.settled', '{"envelope":{"eventId":"e"},"key":{"transferId":"t"}}', s, a, utc_timestamp(6) + INTERVAL d MINUTE, utc_timestamp(6)
            FROM (SELECT 'PENDING' s, 0 a, 0 d UNION ALL SELECT 'PENDING', 0, NULL UNION ALL SELECT 'PENDING', 1, 5 UNION ALL SELECT 'PENDING', 10, 0
                UNION ALL SELECT 'FAILED', 10, 0 UNION ALL SELECT 'SENT', 1, 0 UNION ALL SELECT 'SENT', 2, 0) r;"#,
        counts: &[(Ready, 2), (Scheduled, 1), (Failed, 2), (Published, 2)],
        replayed: Some(Ready),
    },
    Case {
        preset: "modulith-v1",
        table: "EVENT_PUBLICATION",
        script: "CREATE TABLE EVENT_PUBLICATION (ID varchar(36) NOT NULL PRIMARY KEY, LISTENER_ID varchar(512) NOT NULL, EVENT_TYPE varchar(512) NOT NULL,
                SERIALIZED_EVENT varchar(4000) NOT NULL, PUBLICATION_DATE timestamp(6) NOT NULL, COMPLETION_DATE timestamp(6) NULL DEFAULT NULL);
            INSERT INTO EVENT_PUBLICATION VALUES ('1', 'l', 'e', '{}', now(6), NULL), ('2', 'l', 'e', '{}', now(6), now(6));",
        counts: &[(Ready, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "modulith-v2",
        table: "EVENT_PUBLICATION",
        script: "CREATE TABLE EVENT_PUBLICATION (ID varchar(36) NOT NULL PRIMARY KEY, LISTENER_ID varchar(512) NOT NULL, EVENT_TYPE varchar(512) NOT NULL,
                SERIALIZED_EVENT varchar(4000) NOT NULL, PUBLICATION_DATE timestamp(6) NOT NULL, COMPLETION_DATE timestamp(6) NULL DEFAULT NULL,
                STATUS varchar(20), COMPLETION_ATTEMPTS int, LAST_RESUBMISSION_DATE timestamp(6) NULL);
            INSERT INTO EVENT_PUBLICATION VALUES ('1', 'l', 'e', '{}', now(6), NULL, 'PUBLISHED', 0, NULL), ('2', 'l', 'e', '{}', now(6), now(6), 'COMPLETED', 1, NULL),
                ('3', 'l', 'e', '{}', now(6), NULL, 'FAILED', 1, NULL), ('4', 'l', 'e', '{}', now(6), NULL, NULL, NULL, NULL),
                ('5', 'l', 'e', '{}', now(6), NULL, 'PROCESSING', 1, NULL), ('6', 'l', 'e', '{}', now(6), NULL, 'X', 1, NULL);",
        counts: &[(Ready, 2), (InProgress, 1), (Failed, 1), (Published, 1), (Unaccounted, 1)],
        replayed: Some(Failed),
    },
    Case {
        preset: "openoutbox",
        table: "openoutbox_events",
        script: "CREATE TABLE openoutbox_events (event_id char(36) PRIMARY KEY, event_type varchar(100) NOT NULL, partition_key varchar(100), payload json NOT NULL,
                status varchar(20) NOT NULL, attempts int NOT NULL DEFAULT 0, last_error text, available_at datetime(6) NOT NULL, locked_by varchar(100),
                locked_at datetime(6), delivered_at datetime(6), created_at datetime(6) NOT NULL);
            INSERT INTO openoutbox_events (event_id, event_type, payload, status, available_at, locked_at, created_at)
            SELECT uuid(), 'e', '{}', s, utc_timestamp(6) + INTERVAL a SECOND, utc_timestamp(6) - INTERVAL l SECOND, utc_timestamp(6)
            FROM (SELECT 'PENDING' s, 0 a, NULL l UNION ALL SELECT 'PENDING', 60, NULL UNION ALL SELECT 'DELIVERING', 0, 10 UNION ALL SELECT 'DELIVERING', 0, 400
                UNION ALL SELECT 'DEAD', 0, NULL UNION ALL SELECT 'DELIVERED', 0, NULL) r;",
        counts: &[(Ready, 1), (Scheduled, 1), (InProgress, 1), (Stuck, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "cap-published",
        table: "cap.published",
        script: r#"CREATE TABLE `cap.published` (`Id` bigint NOT NULL PRIMARY KEY, `Version` varchar(20), `Name` varchar(200) NOT NULL, `Content` longtext,
                `Retries` int, `Added` datetime NOT NULL, `ExpiresAt` datetime, `StatusName` varchar(40) NOT NULL);
            INSERT INTO `cap.published` VALUES (1, 'v1', 'o', '{"Headers":{"cap-msg-id":"x"}}', 0, now(), NULL, 'Scheduled'), (2, 'v1', 'o', '{}', 49, now(), now(), 'Failed'),
                (3, 'v1', 'o', '{}', 50, now(), now(), 'Failed'), (4, 'v1', 'o', '{}', NULL, now(), NULL, 'Failed'), (5, 'v1', 'o', '{}', 0, now(), now(), 'Succeeded'),
                (6, 'v1', 'o', '{}', 0, now(), now(), 'Delayed');"#,
        counts: &[(Ready, 3), (Scheduled, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "masstransit",
        table: "OutboxMessage",
        script: "CREATE TABLE OutboxMessage (SequenceNumber bigint PRIMARY KEY AUTO_INCREMENT, SentTime datetime(6) NOT NULL, InboxMessageId char(36), OutboxId char(36),
                MessageId char(36) NOT NULL, MessageType longtext NOT NULL, Body longtext NOT NULL, ExpirationTime datetime(6));
            INSERT INTO OutboxMessage (SentTime, InboxMessageId, OutboxId, MessageId, MessageType, Body) VALUES (utc_timestamp(6), NULL, 'o', 'm', 't', '{}'),
                (utc_timestamp(6), 'i', NULL, 'm2', 't', '{}');",
        counts: &[(Ready, 1), (Held, 1)],
        replayed: None,
    },
    Case {
        preset: "nservicebus",
        table: "Sales_OutboxData",
        script: "CREATE TABLE Sales_OutboxData (MessageId nvarchar(200) NOT NULL PRIMARY KEY, Dispatched bit NOT NULL DEFAULT 0, DispatchedAt datetime,
                PersistenceVersion varchar(23) NOT NULL, Operations json NOT NULL);
            INSERT INTO Sales_OutboxData VALUES ('1', 0, NULL, '8', '[1]'), ('2', 1, utc_timestamp(), '8', '[]');",
        counts: &[(Ready, 1), (Published, 1)],
        replayed: None,
    },
    Case {
        preset: "brighter",
        table: "Outbox",
        script: "CREATE TABLE Outbox (MessageId varchar(255) NOT NULL, Topic varchar(255) NOT NULL, MessageType varchar(32) NOT NULL, Timestamp timestamp(3) NOT NULL,
                PartitionKey varchar(128), Dispatched timestamp(3) NULL, HeaderBag text NOT NULL, Body text NOT NULL, Created timestamp(3) NOT NULL DEFAULT now(3),
                CreatedID int NOT NULL UNIQUE AUTO_INCREMENT, PRIMARY KEY (MessageId));
            INSERT INTO Outbox (MessageId, Topic, MessageType, Timestamp, Dispatched, HeaderBag, Body) VALUES ('a', 't', 'e', now(3), NULL, '', '{}'), ('b', 't', 'e', now(3), now(3), '', '{}');",
        counts: &[(Ready, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "eventuate",
        table: "message",
        script: r#"CREATE TABLE message (id varchar(255) PRIMARY KEY, destination longtext NOT NULL, headers longtext NOT NULL, payload longtext NOT NULL,
                published smallint DEFAULT 0, message_partition smallint, creation_time bigint);
            INSERT INTO message VALUES ('1', 'o', '{"ID":"x","PARTITION_ID":"7"}', '{}', 0, 0, unix_timestamp() * 1000), ('2', 'o', '{}', '{}', 1, 0, 1), ('0', 'CDC-IGNORED', '{}', '{}', 0, 0, 1);"#,
        counts: &[(Ready, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "gruelbox-mysql",
        table: "TXNO_OUTBOX",
        script: "CREATE TABLE TXNO_OUTBOX (id varchar(36) PRIMARY KEY, invocation mediumtext, nextAttemptTime timestamp(6) NULL, attempts int, blocked varchar(255),
                version int, uniqueRequestId varchar(250) UNIQUE, processed boolean, lastAttemptTime timestamp(6) NULL, topic varchar(250) NOT NULL DEFAULT '*', seq bigint);
            INSERT INTO TXNO_OUTBOX (id, invocation, nextAttemptTime, attempts, blocked, version, processed) VALUES ('1', 'x', now(6), 0, '0', 1, 0),
                ('2', 'x', now(6) + INTERVAL 5 MINUTE, 1, '0', 1, 0), ('3', 'x', now(6), 5, '1', 1, 0), ('4', 'x', now(6), 5, '0', 1, 1);",
        counts: &[(Ready, 1), (Scheduled, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "django-outbox-pattern",
        table: "published",
        script: r#"CREATE TABLE published (id bigint PRIMARY KEY AUTO_INCREMENT, version varchar(100) NOT NULL, destination varchar(255) NOT NULL, body json NOT NULL,
                added datetime(6) NOT NULL, expires_at datetime(6) NOT NULL, retry int unsigned NOT NULL, status smallint NOT NULL, headers json);
            INSERT INTO published (version, destination, body, added, expires_at, retry, status, headers) VALUES
                ('1', 'q', '{}', utc_timestamp(6), utc_timestamp(6) + INTERVAL 1 DAY, 0, 1, '{"dop-msg-id":"m"}'), ('1', 'q', '{}', utc_timestamp(6), utc_timestamp(6), 0, 1, NULL),
                ('1', 'q', '{}', utc_timestamp(6), utc_timestamp(6), 3, -1, NULL), ('1', 'q', '{}', utc_timestamp(6), utc_timestamp(6), 3, 2, NULL);"#,
        counts: &[(Ready, 1), (Expired, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "solid-queue",
        table: "solid_queue_jobs",
        script: "CREATE TABLE solid_queue_jobs (id bigint PRIMARY KEY AUTO_INCREMENT, queue_name varchar(255) NOT NULL, class_name varchar(255) NOT NULL, arguments text,
                priority int NOT NULL DEFAULT 0, scheduled_at datetime(6), finished_at datetime(6), concurrency_key varchar(255), created_at datetime(6) NOT NULL);
            CREATE TABLE solid_queue_ready_executions (id bigint PRIMARY KEY AUTO_INCREMENT, job_id bigint NOT NULL UNIQUE, queue_name varchar(255) NOT NULL,
                priority int NOT NULL, created_at datetime(6) NOT NULL);
            CREATE TABLE solid_queue_scheduled_executions (id bigint PRIMARY KEY AUTO_INCREMENT, job_id bigint NOT NULL UNIQUE, scheduled_at datetime(6) NOT NULL);
            CREATE TABLE solid_queue_claimed_executions (id bigint PRIMARY KEY AUTO_INCREMENT, job_id bigint NOT NULL UNIQUE);
            CREATE TABLE solid_queue_blocked_executions (id bigint PRIMARY KEY AUTO_INCREMENT, job_id bigint NOT NULL UNIQUE);
            CREATE TABLE solid_queue_failed_executions (id bigint PRIMARY KEY AUTO_INCREMENT, job_id bigint NOT NULL UNIQUE, error text, created_at datetime(6) NOT NULL);
            INSERT INTO solid_queue_jobs (queue_name, class_name, arguments, finished_at, created_at) VALUES ('d', 'J', '{}', NULL, utc_timestamp(6)), ('d', 'J', '{}', NULL, utc_timestamp(6)),
                ('d', 'J', '{}', utc_timestamp(6), utc_timestamp(6)), ('d', 'J', '{}', NULL, utc_timestamp(6));
            INSERT INTO solid_queue_ready_executions (job_id, queue_name, priority, created_at) VALUES (1, 'd', 0, utc_timestamp(6));
            INSERT INTO solid_queue_failed_executions (job_id, error, created_at) VALUES (2, 'no', utc_timestamp(6));
            INSERT INTO solid_queue_scheduled_executions (job_id, scheduled_at) VALUES (4, utc_timestamp(6) + INTERVAL 1 HOUR);",
        counts: &[(Ready, 1), (Failed, 1), (Published, 1), (Scheduled, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "watermill-mysql",
        table: "watermill_orders",
        script: "CREATE TABLE watermill_orders (`offset` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid varchar(36) NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
                payload json, metadata json);
            CREATE TABLE watermill_offsets_orders (consumer_group varchar(255) NOT NULL PRIMARY KEY, offset_acked bigint, offset_consumed bigint NOT NULL);
            INSERT INTO watermill_orders (uuid, payload) VALUES ('a', '{}'), ('b', '{}'), ('c', '{}');
            INSERT INTO watermill_offsets_orders VALUES ('', 1, 1);",
        counts: &[(Published, 1), (Ready, 2)],
        replayed: None,
    },
];

/// All of them.
pub(super) fn cases() -> &'static [Case] {
    &CASES
}

/// The case of a preset.
pub(super) fn case(preset: &str) -> &'static Case {
    CASES.iter().find(|case| case.preset == preset).expect("a case")
}

#[tokio::test]
async fn every_preset_tells_the_states_and_replays_and_restores() {
    for case in &CASES {
        let Some(mut schema) = Schema::of(Dialect::Mysql).await else { return };
        case.hold(&mut schema).await;
        schema.end().await;
    }
}
