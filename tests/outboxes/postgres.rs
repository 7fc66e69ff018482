//! Every preset on PostgreSQL, on tables as the products make them, with rows in each state.

use opsctl::domain::{
    Dialect,
    RowState::{Expired, Failed, Held, InProgress, Published, Ready, Scheduled, Stuck, Unaccounted},
};

use super::{case::Case, server::Schema};

static CASES: [Case; 22] = [
    Case {
        preset: "outbox-transfers",
        table: "outbox_transfers",
        script: r#"CREATE TABLE outbox_transfers (id uuid PRIMARY KEY, eventtype text NOT NULL, payload jsonb NOT NULL,
                state text NOT NULL, attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt timestamptz,
                createdat timestamptz NOT NULL DEFAULT now(), updatedat timestamptz NOT NULL DEFAULT now());
            CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updatedat := clock_timestamp(); RETURN NEW; END $$;
            CREATE TRIGGER touched BEFORE UPDATE ON outbox_transfers FOR EACH ROW EXECUTE FUNCTION touched();
            INSERT INTO outbox_transfers (id, eventtype, payload, state, attempts, next_attempt, createdat)
            SELECT gen_random_uuid(), 'transfer.settled', jsonb_build_object('envelope', jsonb_build_object('eventId', n),
                'key', jsonb_build_object('transferId', 't' || n % 2), 'payload', '{}'), s, a, d, now() - n * interval '1 minute'
            FROM (VALUES (1, 'PENDING', 0, now()), (2, 'PENDING', 3, now() - interval '1 minute'), (3, 'PENDING', 0, NULL),
                (4, 'PENDING', 1, now() + interval '1 hour'), (5, 'FAILED', 10, now()), (6, 'FAILED', 10, NULL),
                (7, 'PENDING', 10, now()), (8, 'SENT', 1, now()), (9, 'SENT', 0, NULL), (10, 'sent', 0, NULL)) r (n, s, a, d);"#,
        counts: &[(Ready, 3), (Scheduled, 1), (Failed, 3), (Published, 2), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "debezium",
        table: "outbox",
        script: "CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL,
                type varchar(255) NOT NULL, payload jsonb);
            INSERT INTO outbox VALUES (gen_random_uuid(), 'order', '1', 'created', '{}');",
        counts: &[],
        replayed: None,
    },
    Case {
        preset: "modulith-v1",
        table: "event_publication",
        script: "CREATE TABLE event_publication (id uuid NOT NULL PRIMARY KEY, listener_id text NOT NULL, event_type text NOT NULL,
                serialized_event text NOT NULL, publication_date timestamptz NOT NULL, completion_date timestamptz);
            INSERT INTO event_publication SELECT gen_random_uuid(), 'l', 'e', '{}', now() - n * interval '1 hour',
                CASE WHEN n > 2 THEN now() END FROM generate_series(1, 5) n;",
        counts: &[(Ready, 2), (Published, 3)],
        replayed: Some(Ready),
    },
    Case {
        preset: "modulith-v2",
        table: "event_publication",
        script: "CREATE TABLE event_publication (id uuid NOT NULL PRIMARY KEY, listener_id text NOT NULL, event_type text NOT NULL,
                serialized_event text NOT NULL, publication_date timestamptz NOT NULL, completion_date timestamptz, status text,
                completion_attempts int, last_resubmission_date timestamptz);
            INSERT INTO event_publication SELECT gen_random_uuid(), 'l', 'e', '{}', now(), c, s, 1, NULL
            FROM (VALUES ('PUBLISHED', NULL::timestamptz), ('PROCESSING', NULL), ('RESUBMITTED', NULL), ('FAILED', NULL), ('FAILED', NULL),
                ('COMPLETED', now()), (NULL, NULL), (NULL, now()), ('LOST', NULL)) r (s, c);",
        counts: &[(Ready, 2), (InProgress, 2), (Failed, 2), (Published, 2), (Unaccounted, 1)],
        replayed: Some(Failed),
    },
    Case {
        preset: "modulith-v2-archive",
        table: "event_publication_archive",
        script: "CREATE TABLE event_publication_archive (id uuid NOT NULL PRIMARY KEY, listener_id text NOT NULL, event_type text NOT NULL,
                serialized_event text NOT NULL, publication_date timestamptz NOT NULL, completion_date timestamptz, status text,
                completion_attempts int, last_resubmission_date timestamptz);
            INSERT INTO event_publication_archive VALUES (gen_random_uuid(), 'l', 'e', '{}', now(), now(), 'COMPLETED', 1, NULL);",
        counts: &[(Published, 1)],
        replayed: None,
    },
    Case {
        preset: "openoutbox",
        table: "openoutbox_events",
        script: "CREATE TYPE outbox_status AS ENUM ('PENDING', 'DELIVERING', 'DELIVERED', 'DEAD');
            CREATE TABLE openoutbox_events (event_id uuid PRIMARY KEY, event_type text NOT NULL, partition_key text, payload jsonb NOT NULL,
                headers jsonb, status outbox_status NOT NULL DEFAULT 'PENDING', attempts int NOT NULL DEFAULT 0, last_error text,
                available_at timestamptz NOT NULL DEFAULT now(), locked_by text, locked_at timestamptz, delivered_at timestamptz,
                created_at timestamptz NOT NULL DEFAULT now(),
                CHECK ((status = 'DELIVERING') = (locked_at IS NOT NULL)), CHECK ((status = 'DELIVERED') = (delivered_at IS NOT NULL)));
            INSERT INTO openoutbox_events (event_id, event_type, partition_key, payload, status, available_at, locked_at, delivered_at)
            SELECT gen_random_uuid(), 'e', 'k', '{}', s::outbox_status, now() + a * interval '1 second', now() - l * interval '1 second', d
            FROM (VALUES ('PENDING', 0, NULL::int, NULL::timestamptz), ('PENDING', 60, NULL, NULL), ('DELIVERING', 0, 10, NULL),
                ('DELIVERING', 0, 400, NULL), ('DEAD', 0, NULL, NULL), ('DELIVERED', 0, NULL, now())) r (s, a, l, d);",
        counts: &[(Ready, 1), (Scheduled, 1), (InProgress, 1), (Stuck, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "openoutbox-lifecycle",
        table: "openoutbox_events",
        script: "CREATE TABLE openoutbox_events (event_id uuid PRIMARY KEY, event_type text NOT NULL, partition_key text, payload jsonb NOT NULL,
                status text NOT NULL CHECK (status IN ('PENDING', 'CLAIMED', 'PUBLISHED', 'DEAD')), attempts int NOT NULL DEFAULT 0,
                last_error text, available_at timestamptz NOT NULL DEFAULT now(), claimed_by text, claimed_at timestamptz,
                published_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
            INSERT INTO openoutbox_events (event_id, event_type, payload, status, claimed_at)
            SELECT gen_random_uuid(), 'e', '{}', s, c FROM (VALUES ('PENDING', NULL::timestamptz), ('CLAIMED', now()), ('CLAIMED', NULL),
                ('PUBLISHED', NULL), ('DEAD', NULL)) r (s, c);",
        counts: &[(Ready, 1), (InProgress, 1), (Stuck, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "cap-published",
        table: "published",
        script: r#"CREATE TABLE published ("Id" BIGINT PRIMARY KEY NOT NULL, "Version" VARCHAR(20) NOT NULL, "Name" VARCHAR(200) NOT NULL,
                "Content" TEXT NULL, "Retries" INT NOT NULL, "Added" TIMESTAMP NOT NULL, "ExpiresAt" TIMESTAMP NULL, "StatusName" VARCHAR(50) NOT NULL);
            INSERT INTO published SELECT n, 'v1', 'orders', '{"Headers":{"cap-msg-id":"x"},"Value":1}', r, localtimestamp, e, s
            FROM (VALUES (1, 'Scheduled', 0, NULL::timestamp), (2, 'Failed', 3, localtimestamp), (3, 'Failed', 50, NULL), (4, 'Succeeded', 0, localtimestamp),
                (5, 'Delayed', 0, localtimestamp), (6, 'Queued', 0, NULL), (7, 'Processing', 0, NULL)) r (n, s, r, e);"#,
        counts: &[(Ready, 3), (Scheduled, 1), (Failed, 1), (Published, 1), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "cap-received",
        table: "received",
        script: r#"CREATE TABLE received ("Id" BIGINT PRIMARY KEY NOT NULL, "Version" VARCHAR(20) NOT NULL, "Name" VARCHAR(400) NOT NULL,
                "Group" VARCHAR(200) NULL, "Content" TEXT NULL, "Retries" INT NOT NULL, "Added" TIMESTAMP NOT NULL, "ExpiresAt" TIMESTAMP NULL,
                "StatusName" VARCHAR(50) NOT NULL);
            INSERT INTO received VALUES (1, 'v1', 'o', 'g', '{}', 50, localtimestamp, NULL, 'Failed'), (2, 'v1', 'o', 'g', 'no json', 0, localtimestamp, NULL, 'Scheduled');"#,
        counts: &[(Ready, 1), (Failed, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "masstransit",
        table: "OutboxMessage",
        script: r#"CREATE TABLE "OutboxMessage" ("SequenceNumber" bigserial PRIMARY KEY, "EnqueueTime" timestamptz, "SentTime" timestamptz NOT NULL,
                "InboxMessageId" uuid, "InboxConsumerId" uuid, "OutboxId" uuid, "MessageId" uuid NOT NULL, "ContentType" varchar(256) NOT NULL,
                "MessageType" text NOT NULL, "Body" text NOT NULL, "DestinationAddress" varchar(256), "ExpirationTime" timestamptz);
            INSERT INTO "OutboxMessage" ("SentTime", "InboxMessageId", "OutboxId", "MessageId", "ContentType", "MessageType", "Body")
            SELECT now(), CASE WHEN n > 3 THEN gen_random_uuid() END, CASE WHEN n <= 3 THEN gen_random_uuid() END, gen_random_uuid(), 'json', 'm', '{}'
            FROM generate_series(1, 5) n;"#,
        counts: &[(Ready, 3), (Held, 2)],
        replayed: None,
    },
    Case {
        preset: "nservicebus",
        table: "Sales_OutboxData",
        script: r#"CREATE TABLE "Sales_OutboxData" ("MessageId" varchar(200) NOT NULL PRIMARY KEY, "Dispatched" boolean NOT NULL DEFAULT false,
                "DispatchedAt" timestamp, "PersistenceVersion" varchar(23) NOT NULL, "Operations" jsonb NOT NULL);
            INSERT INTO "Sales_OutboxData" VALUES ('1', false, NULL, '8', '[1]'), ('2', true, now(), '8', '[]'), ('3', true, now(), '8', '[]');"#,
        counts: &[(Ready, 1), (Published, 2)],
        replayed: None,
    },
    Case {
        preset: "brighter",
        table: "outbox",
        script: "CREATE TABLE Outbox (Id bigserial PRIMARY KEY, MessageId character varying(255) UNIQUE NOT NULL, Topic character varying(255),
                MessageType character varying(32), Timestamp timestamptz, CorrelationId character varying(255), ReplyTo character varying(255),
                ContentType character varying(128), PartitionKey character varying(128), Dispatched timestamptz, HeaderBag text, Body text);
            INSERT INTO Outbox (MessageId, Topic, Timestamp, Dispatched, Body) VALUES ('a', 't', now(), NULL, '{}'), ('b', 't', NULL, NULL, '{}'),
                ('c', 't', now(), now(), '{}');",
        counts: &[(Ready, 2), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "eventuate",
        table: "message",
        script: "CREATE TABLE message (id varchar(1000) PRIMARY KEY, destination text NOT NULL, headers text NOT NULL, payload text NOT NULL,
                published smallint DEFAULT 0, message_partition smallint, creation_time bigint);
            INSERT INTO message SELECT n::text, CASE WHEN n = 5 THEN 'CDC-IGNORED' ELSE 'orders' END, '{\"PARTITION_ID\":\"7\",\"ID\":\"x\"}', '{}',
                CASE WHEN n = 4 THEN 1 WHEN n = 3 THEN NULL WHEN n = 6 THEN 2 ELSE 0 END, 0, extract(epoch FROM now()) * 1000
            FROM generate_series(1, 6) n;",
        counts: &[(Ready, 3), (Published, 1), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "gruelbox",
        table: "txno_outbox",
        script: "CREATE TABLE TXNO_OUTBOX (id varchar(36) PRIMARY KEY, invocation text, nextAttemptTime timestamp(6), attempts int, blocked boolean,
                version int, uniqueRequestId varchar(250) UNIQUE, processed boolean, lastAttemptTime timestamp(6), topic varchar(250) NOT NULL DEFAULT '*',
                seq bigint);
            INSERT INTO TXNO_OUTBOX (id, invocation, nextAttemptTime, attempts, blocked, version, processed)
            SELECT n::text, 'x', (now() AT TIME ZONE 'UTC') + d * interval '1 minute', 1, b, 1, p FROM (VALUES (1, false, false, -1), (2, false, false, 5),
                (3, true, false, -1), (4, false, true, 100), (5, NULL, NULL, NULL)) r (n, b, p, d);",
        counts: &[(Ready, 2), (Scheduled, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "namastack",
        table: "outbox_record",
        script: "CREATE TABLE outbox_record (id varchar(255) PRIMARY KEY, status varchar(20) NOT NULL, record_key varchar(255) NOT NULL,
                record_type varchar(255) NOT NULL, payload text NOT NULL, created_at timestamptz NOT NULL, completed_at timestamptz,
                failure_count int NOT NULL, failure_reason varchar(1000), next_retry_at timestamptz NOT NULL, partition_no int NOT NULL);
            INSERT INTO outbox_record SELECT n::text, s, 'k', 't', '{}', now() + n * interval '1 second', c, 0, NULL, now() + d * interval '1 minute', 1
            FROM (VALUES (1, 'FAILED', NULL::timestamptz, 0), (2, 'NEW', NULL, 0), (3, 'NEW', NULL, 5), (4, 'COMPLETED', now(), 0)) r (n, s, c, d);",
        counts: &[(Ready, 1), (Scheduled, 1), (Failed, 1), (Published, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "django-outbox-pattern",
        table: "published",
        script: "CREATE TABLE published (id bigserial PRIMARY KEY, version varchar(100) NOT NULL, destination varchar(255) NOT NULL, body jsonb NOT NULL,
                added timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL, retry int NOT NULL, status smallint NOT NULL, headers jsonb);
            INSERT INTO published (version, destination, body, expires_at, retry, status, headers)
            SELECT '1', 'q', '{}', now() + e * interval '1 hour', 0, s, '{\"dop-msg-id\": \"m\"}' FROM (VALUES (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (3, 1)) r (s, e);",
        counts: &[(Ready, 1), (Expired, 1), (Failed, 2), (Published, 1), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "sbmt-outbox",
        table: "order_outbox_items",
        script: "CREATE TABLE order_outbox_items (id bigserial PRIMARY KEY, uuid uuid NOT NULL, event_key bigint NOT NULL, bucket bigint NOT NULL,
                status int NOT NULL DEFAULT 0, errors_count int NOT NULL DEFAULT 0, error_log text, processed_at timestamp(6), payload bytea NOT NULL DEFAULT '',
                created_at timestamp(6) NOT NULL DEFAULT now(), updated_at timestamp(6) NOT NULL DEFAULT now());
            INSERT INTO order_outbox_items (uuid, event_key, bucket, status) SELECT gen_random_uuid(), 1, 1, s FROM unnest(ARRAY[0, 1, 3, 2, 2, 9]) s;",
        counts: &[(Ready, 1), (Failed, 2), (Published, 2), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "oban",
        table: "oban_jobs",
        script: "CREATE TYPE oban_job_state AS ENUM ('available', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
            CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state oban_job_state NOT NULL DEFAULT 'available', queue text NOT NULL DEFAULT 'default',
                worker text NOT NULL, args jsonb NOT NULL DEFAULT '{}', errors jsonb[] NOT NULL DEFAULT '{}', attempt int NOT NULL DEFAULT 0,
                max_attempts int NOT NULL DEFAULT 20, inserted_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
                scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()), attempted_at timestamp, completed_at timestamp, discarded_at timestamp,
                cancelled_at timestamp, CHECK (attempt BETWEEN 0 AND max_attempts));
            INSERT INTO oban_jobs (state, worker, attempt, scheduled_at, attempted_at) SELECT s::oban_job_state, 'w', a,
                timezone('UTC', now()) + d * interval '1 minute', timezone('UTC', now()) - t * interval '1 minute'
            FROM (VALUES ('available', 0, 0, NULL::int), ('scheduled', 0, 5, NULL), ('retryable', 2, -5, 9), ('executing', 20, -5, 1), ('executing', 1, -90, 90),
                ('discarded', 20, -5, 1), ('completed', 1, -5, 1), ('cancelled', 1, -5, 1)) r (s, a, d, t);",
        counts: &[(Ready, 2), (Scheduled, 1), (InProgress, 1), (Stuck, 1), (Failed, 1), (Published, 1), (Held, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "river",
        table: "river_job",
        script: "CREATE TYPE river_job_state AS ENUM ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');
            CREATE TABLE river_job (id bigserial PRIMARY KEY, state river_job_state NOT NULL DEFAULT 'available', attempt smallint NOT NULL DEFAULT 0,
                max_attempts smallint NOT NULL, attempted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), finalized_at timestamptz,
                scheduled_at timestamptz NOT NULL DEFAULT now(), priority smallint NOT NULL DEFAULT 1, args jsonb NOT NULL, errors jsonb[],
                kind text NOT NULL, queue text NOT NULL DEFAULT 'default',
                CHECK ((finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
                    (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))));
            INSERT INTO river_job (state, attempt, max_attempts, attempted_at, finalized_at, scheduled_at, args, kind)
            SELECT s::river_job_state, a, 25, now() - t * interval '1 minute', f, now() + d * interval '1 minute', '{}', 'k'
            FROM (VALUES ('available', 0, 0, NULL::int, NULL::timestamptz), ('scheduled', 0, 5, NULL, NULL), ('running', 25, -1, 1, NULL),
                ('running', 1, -90, 90, NULL), ('pending', 0, 0, NULL, NULL), ('discarded', 25, -9, 1, now()), ('completed', 1, -9, 1, now())) r (s, a, d, t, f);",
        counts: &[(Ready, 1), (Scheduled, 1), (InProgress, 1), (Stuck, 1), (Failed, 1), (Published, 1), (Held, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "graphile-worker",
        table: "_private_jobs",
        script: "CREATE TABLE _private_jobs (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, job_queue_id int, task_id int NOT NULL DEFAULT 1,
                payload json NOT NULL DEFAULT '{}', priority smallint NOT NULL DEFAULT 0, run_at timestamptz NOT NULL DEFAULT now(),
                attempts smallint NOT NULL DEFAULT 0, max_attempts smallint NOT NULL DEFAULT 25, last_error text,
                created_at timestamptz NOT NULL DEFAULT now(), locked_at timestamptz, locked_by text,
                is_available boolean GENERATED ALWAYS AS (locked_at IS NULL AND attempts < max_attempts) STORED NOT NULL);
            INSERT INTO _private_jobs (run_at, attempts, locked_at) SELECT now() + d * interval '1 minute', a, now() - l * interval '1 hour'
            FROM (VALUES (0, 0, NULL::int), (5, 1, NULL), (-5, 25, NULL), (-5, 25, 1), (-5, 3, 5)) r (d, a, l);",
        counts: &[(Ready, 1), (Scheduled, 1), (Failed, 1), (InProgress, 1), (Stuck, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "solid-queue",
        table: "solid_queue_jobs",
        script: "CREATE TABLE solid_queue_jobs (id bigserial PRIMARY KEY, queue_name varchar NOT NULL DEFAULT 'default', class_name varchar NOT NULL DEFAULT 'J',
                arguments text, priority int NOT NULL DEFAULT 0, active_job_id varchar, scheduled_at timestamp(6), finished_at timestamp(6),
                concurrency_key varchar, created_at timestamp(6) NOT NULL DEFAULT now(), updated_at timestamp(6) NOT NULL DEFAULT now());
            CREATE TABLE solid_queue_ready_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL UNIQUE, queue_name varchar NOT NULL, priority int NOT NULL,
                created_at timestamp(6) NOT NULL);
            CREATE TABLE solid_queue_scheduled_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL UNIQUE, scheduled_at timestamp(6) NOT NULL);
            CREATE TABLE solid_queue_claimed_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL UNIQUE);
            CREATE TABLE solid_queue_blocked_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL UNIQUE);
            CREATE TABLE solid_queue_failed_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL UNIQUE, error text, created_at timestamp(6) NOT NULL DEFAULT now());
            INSERT INTO solid_queue_jobs (arguments, finished_at) SELECT '{}', CASE WHEN n = 7 THEN now() END FROM generate_series(1, 8) n;
            INSERT INTO solid_queue_ready_executions (job_id, queue_name, priority, created_at) VALUES (1, 'default', 0, now());
            INSERT INTO solid_queue_scheduled_executions (job_id, scheduled_at) VALUES (2, timezone('UTC', now()) + interval '1 hour'), (3, timezone('UTC', now()) - interval '1 hour');
            INSERT INTO solid_queue_claimed_executions (job_id) VALUES (4);
            INSERT INTO solid_queue_blocked_executions (job_id) VALUES (5);
            INSERT INTO solid_queue_failed_executions (job_id) VALUES (6);",
        counts: &[(Ready, 2), (Scheduled, 1), (InProgress, 1), (Held, 1), (Failed, 1), (Published, 1), (Unaccounted, 1)],
        replayed: Some(Ready),
    },
    Case {
        preset: "watermill",
        table: "watermill_orders",
        script: r#"CREATE TABLE watermill_orders ("offset" bigserial, uuid varchar(36) NOT NULL, created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
                payload json, metadata json, transaction_id xid8 NOT NULL, PRIMARY KEY (transaction_id, "offset"));
            CREATE TABLE watermill_offsets_orders (consumer_group varchar(255) NOT NULL PRIMARY KEY, offset_acked bigint,
                last_processed_transaction_id xid8 NOT NULL);
            INSERT INTO watermill_orders (uuid, payload, transaction_id) VALUES ('a', '{}', '1'), ('b', '{}', '2'), ('c', '{}', '2'), ('d', '{}', '3'),
                ('e', '{}', '9000000000000000000');
            INSERT INTO watermill_offsets_orders VALUES ('', 2, '2'), ('other', 4, '3');"#,
        counts: &[(Published, 2), (Ready, 2), (Held, 1)],
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
        let Some(mut schema) = Schema::of(Dialect::Postgres).await else { return };
        case.hold(&mut schema).await;
        schema.end().await;
    }
}

#[test]
fn no_preset_is_left_out() {
    for preset in opsctl::outboxes::presets::presets() {
        let elsewhere = ["gruelbox-mysql", "watermill-mysql", "eventuate-wal"].contains(&preset.name.as_str());
        assert!(elsewhere || CASES.iter().any(|case| case.preset == preset.name), "{}", preset.name);
    }
}
