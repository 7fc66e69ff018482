-- Tables of known systems as the systems make them.

-- preset: outbox-transfers, certain
CREATE TABLE outbox_transfers (id uuid PRIMARY KEY, eventtype text NOT NULL, payload jsonb NOT NULL, state text NOT NULL DEFAULT 'PENDING',
    attempts int NOT NULL DEFAULT 0, lasterror text, next_attempt timestamptz, createdat timestamptz NOT NULL DEFAULT now(),
    updatedat timestamptz NOT NULL DEFAULT now(), CHECK (state IN ('PENDING', 'SENT', 'FAILED')));
CREATE INDEX ON outbox_transfers (createdat) WHERE state = 'PENDING';

-- preset: debezium, likely
CREATE TABLE outbox (id uuid NOT NULL PRIMARY KEY, aggregatetype character varying(255) NOT NULL, aggregateid character varying(255) NOT NULL,
    type character varying(255) NOT NULL, payload jsonb NOT NULL);

-- preset: debezium, likely; group=aggregate_id body.column=payload
CREATE TABLE outbox_event (id uuid NOT NULL PRIMARY KEY, aggregate_type varchar(255) NOT NULL, aggregate_id varchar(255) NOT NULL,
    type varchar(255) NOT NULL, payload jsonb NOT NULL, tracingspancontext varchar(256));

-- preset: modulith-v1, certain
CREATE TABLE event_publication (id UUID NOT NULL, listener_id TEXT NOT NULL, event_type TEXT NOT NULL, serialized_event TEXT NOT NULL,
    publication_date TIMESTAMP WITH TIME ZONE NOT NULL, completion_date TIMESTAMP WITH TIME ZONE, PRIMARY KEY (id));
CREATE INDEX event_publication_serialized_event_hash_idx ON event_publication USING hash(serialized_event);
CREATE INDEX event_publication_by_completion_date_idx ON event_publication (completion_date);

-- preset: modulith-v2, certain
CREATE TABLE event_publication (id UUID NOT NULL, listener_id TEXT NOT NULL, event_type TEXT NOT NULL, serialized_event TEXT NOT NULL,
    publication_date TIMESTAMP WITH TIME ZONE NOT NULL, completion_date TIMESTAMP WITH TIME ZONE, status TEXT, completion_attempts INT,
    last_resubmission_date TIMESTAMP WITH TIME ZONE, PRIMARY KEY (id));

-- preset: openoutbox, certain
CREATE TABLE openoutbox_events (event_id uuid PRIMARY KEY, event_type text NOT NULL, partition_key text, payload jsonb NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}', status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DELIVERING', 'DELIVERED', 'DEAD')),
    attempts int NOT NULL DEFAULT 0, last_error text, available_at timestamptz NOT NULL DEFAULT now(), locked_by text, locked_at timestamptz,
    delivered_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON openoutbox_events (available_at, created_at) WHERE status = 'PENDING';

-- preset: openoutbox-lifecycle, certain
CREATE TABLE openoutbox_events (event_id uuid PRIMARY KEY, event_type text NOT NULL, partition_key text, payload jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('PENDING', 'CLAIMED', 'PUBLISHED', 'DEAD')), attempts int NOT NULL DEFAULT 0, last_error text,
    available_at timestamptz NOT NULL DEFAULT now(), claimed_by text, claimed_at timestamptz, published_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now());

-- preset: cap-published, certain
CREATE TABLE published ("Id" BIGINT PRIMARY KEY NOT NULL, "Version" VARCHAR(20) NOT NULL, "Name" VARCHAR(200) NOT NULL, "Content" TEXT NULL,
    "Retries" INT NOT NULL, "Added" TIMESTAMP NOT NULL, "ExpiresAt" TIMESTAMP NULL, "StatusName" VARCHAR(50) NOT NULL);

-- preset: cap-received, certain
CREATE TABLE received ("Id" BIGINT PRIMARY KEY NOT NULL, "Version" VARCHAR(20) NOT NULL, "Name" VARCHAR(200) NOT NULL, "Group" VARCHAR(200) NULL,
    "Content" TEXT NULL, "Retries" INT NOT NULL, "Added" TIMESTAMP NOT NULL, "ExpiresAt" TIMESTAMP NULL, "StatusName" VARCHAR(50) NOT NULL);

-- preset: masstransit, certain
CREATE TABLE "OutboxMessage" ("SequenceNumber" bigserial PRIMARY KEY, "EnqueueTime" timestamptz, "SentTime" timestamptz NOT NULL, "Headers" text,
    "Properties" text, "InboxMessageId" uuid, "InboxConsumerId" uuid, "OutboxId" uuid, "MessageId" uuid NOT NULL, "ContentType" varchar(256) NOT NULL,
    "MessageType" text NOT NULL, "Body" text NOT NULL, "ConversationId" uuid, "CorrelationId" uuid, "InitiatorId" uuid, "RequestId" uuid,
    "SourceAddress" varchar(256), "DestinationAddress" varchar(256), "ResponseAddress" varchar(256), "FaultAddress" varchar(256), "ExpirationTime" timestamptz);

-- preset: masstransit, certain; group=outbox_id created=sent_time id.0=sequence_number held.0.column=outbox_id
CREATE TABLE outbox_message (sequence_number bigserial PRIMARY KEY, enqueue_time timestamptz, sent_time timestamptz NOT NULL, headers text,
    properties text, inbox_message_id uuid, inbox_consumer_id uuid, outbox_id uuid, message_id uuid NOT NULL, content_type varchar(256) NOT NULL,
    message_type text NOT NULL, body text NOT NULL, conversation_id uuid, destination_address varchar(256), expiration_time timestamptz);

-- none: MassTransit's state of an outbox is not the outbox
CREATE TABLE "OutboxState" ("OutboxId" uuid PRIMARY KEY, "LockId" uuid NOT NULL, "RowVersion" bytea, "Created" timestamptz NOT NULL,
    "Delivered" timestamptz, "LastSequenceNumber" bigint);

-- none: MassTransit's inbox
CREATE TABLE "InboxState" ("Id" bigserial PRIMARY KEY, "MessageId" uuid NOT NULL, "ConsumerId" uuid NOT NULL, "LockId" uuid NOT NULL, "RowVersion" bytea,
    "Received" timestamptz NOT NULL, "ReceiveCount" int NOT NULL, "ExpirationTime" timestamptz, "Consumed" timestamptz, "Delivered" timestamptz,
    "LastSequenceNumber" bigint, UNIQUE ("MessageId", "ConsumerId"));

-- preset: nservicebus, certain
CREATE TABLE "Sales_OutboxData" ("MessageId" varchar(200) NOT NULL PRIMARY KEY, "Dispatched" boolean NOT NULL DEFAULT false, "DispatchedAt" timestamp,
    "PersistenceVersion" varchar(23) NOT NULL, "Operations" jsonb NOT NULL);

-- preset: brighter, certain
CREATE TABLE Outbox (Id bigserial PRIMARY KEY, MessageId varchar(255) UNIQUE NOT NULL, Topic varchar(255), MessageType varchar(32), Timestamp timestamptz,
    CorrelationId varchar(255), ReplyTo varchar(255), ContentType varchar(128), PartitionKey varchar(128), Dispatched timestamptz, HeaderBag text, Body text);

-- preset: eventuate, likely
CREATE TABLE message (id varchar(1000) PRIMARY KEY, destination text NOT NULL, headers text NOT NULL, payload text NOT NULL,
    published smallint DEFAULT 0, message_partition smallint, creation_time bigint);
CREATE INDEX message_published_idx ON message (published, id);

-- preset: eventuate, likely; id.0=dbid
CREATE TABLE message (dbid bigserial PRIMARY KEY, xid int, destination text NOT NULL, headers text NOT NULL, payload text NOT NULL,
    published smallint DEFAULT 0, creation_time bigint);

-- preset: gruelbox, certain
CREATE TABLE TXNO_OUTBOX (id varchar(36) PRIMARY KEY, invocation text, nextAttemptTime timestamp(6), attempts int, blocked boolean, version int,
    uniqueRequestId varchar(250) UNIQUE, processed boolean, lastAttemptTime timestamp(6), topic varchar(250) NOT NULL DEFAULT '*', seq bigint);

-- preset: namastack, certain
CREATE TABLE outbox_record (id varchar(255) PRIMARY KEY, status varchar(20) NOT NULL, record_key varchar(255) NOT NULL, record_type varchar(255) NOT NULL,
    payload text NOT NULL, created_at timestamptz NOT NULL, completed_at timestamptz, failure_count int NOT NULL, failure_reason varchar(1000),
    next_retry_at timestamptz NOT NULL, partition_no int NOT NULL);

-- preset: django-outbox-pattern, certain
CREATE TABLE published (id bigserial PRIMARY KEY, version varchar(100) NOT NULL, destination varchar(255) NOT NULL, body jsonb NOT NULL,
    added timestamptz NOT NULL, expires_at timestamptz NOT NULL, retry int NOT NULL, status smallint NOT NULL, headers jsonb);

-- preset: sbmt-outbox, certain
CREATE TABLE order_outbox_items (id bigserial PRIMARY KEY, uuid uuid NOT NULL, event_name varchar NOT NULL, event_key bigint NOT NULL, bucket bigint NOT NULL,
    status int NOT NULL DEFAULT 0, errors_count int NOT NULL DEFAULT 0, error_log text, options jsonb, payload bytea, processed_at timestamp(6),
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);

-- preset: oban, likely
CREATE TYPE oban_job_state AS ENUM ('available', 'suspended', 'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled');
CREATE TABLE oban_jobs (id bigserial PRIMARY KEY, state oban_job_state NOT NULL DEFAULT 'available', queue text NOT NULL DEFAULT 'default',
    worker text NOT NULL, args jsonb NOT NULL DEFAULT '{}', errors jsonb[] NOT NULL DEFAULT ARRAY[]::jsonb[], attempt int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL DEFAULT 20, inserted_at timestamp NOT NULL DEFAULT timezone('UTC', now()),
    scheduled_at timestamp NOT NULL DEFAULT timezone('UTC', now()), attempted_at timestamp, completed_at timestamp, attempted_by text[],
    discarded_at timestamp, priority int NOT NULL DEFAULT 0, tags text[] DEFAULT ARRAY[]::text[], meta jsonb DEFAULT '{}', cancelled_at timestamp,
    CHECK (attempt BETWEEN 0 AND max_attempts));

-- preset: river, likely
CREATE TYPE river_job_state AS ENUM ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');
CREATE TABLE river_job (id bigserial PRIMARY KEY, state river_job_state NOT NULL DEFAULT 'available', attempt smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL, attempted_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), finalized_at timestamptz,
    scheduled_at timestamptz NOT NULL DEFAULT now(), priority smallint NOT NULL DEFAULT 1, args jsonb NOT NULL, attempted_by text[], errors jsonb[],
    kind text NOT NULL, metadata jsonb NOT NULL DEFAULT '{}', queue text NOT NULL DEFAULT 'default', tags varchar(255)[]);

-- preset: graphile-worker, likely
CREATE TABLE _private_jobs (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, job_queue_id int, task_id int NOT NULL,
    payload json NOT NULL DEFAULT '{}', priority smallint NOT NULL DEFAULT 0, run_at timestamptz NOT NULL DEFAULT now(), attempts smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL DEFAULT 25, last_error text, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    key text, locked_at timestamptz, locked_by text, revision int NOT NULL DEFAULT 0, flags jsonb,
    is_available boolean GENERATED ALWAYS AS (locked_at IS NULL AND attempts < max_attempts) STORED NOT NULL);

-- preset: solid-queue, likely; beside
CREATE TABLE solid_queue_jobs (id bigserial PRIMARY KEY, queue_name varchar NOT NULL, class_name varchar NOT NULL, arguments text,
    priority int NOT NULL DEFAULT 0, active_job_id varchar, scheduled_at timestamp(6), finished_at timestamp(6), concurrency_key varchar,
    created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE solid_queue_failed_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL REFERENCES solid_queue_jobs, error text, created_at timestamp(6) NOT NULL);
CREATE TABLE solid_queue_ready_executions (id bigserial PRIMARY KEY, job_id bigint NOT NULL REFERENCES solid_queue_jobs, queue_name varchar NOT NULL,
    priority int NOT NULL DEFAULT 0, created_at timestamp(6) NOT NULL);

-- preset: watermill, likely; beside
CREATE TABLE watermill_orders ("offset" BIGSERIAL, "uuid" VARCHAR(36) NOT NULL, "created_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "payload" JSON DEFAULT NULL, "metadata" JSON DEFAULT NULL, "transaction_id" xid8 NOT NULL, PRIMARY KEY ("transaction_id", "offset"));
CREATE TABLE watermill_offsets_orders (consumer_group VARCHAR(255) NOT NULL, offset_acked BIGINT, last_processed_transaction_id xid8 NOT NULL, PRIMARY KEY(consumer_group));
