-- Tables that only look like outboxes.

-- none: audit log
CREATE TABLE audit_log (id bigserial PRIMARY KEY, event_type text NOT NULL, user_id uuid, entity_type text, entity_id text, old_value jsonb, new_value jsonb, ip_address inet, created_at timestamptz NOT NULL);

-- none: audit with a payload
CREATE TABLE audit_events (id uuid PRIMARY KEY, actor text NOT NULL, action text NOT NULL, payload jsonb NOT NULL, occurred_at timestamptz NOT NULL);

-- none: event store
CREATE TABLE events (global_position bigserial PRIMARY KEY, stream_id text NOT NULL, version int NOT NULL, type text NOT NULL, data jsonb NOT NULL, metadata jsonb, created_at timestamptz NOT NULL, UNIQUE (stream_id, version));

-- none: event store with an aggregate
CREATE TABLE event_store (event_id uuid PRIMARY KEY, aggregate_type text NOT NULL, aggregate_id uuid NOT NULL, sequence_number bigint NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL,
    occurred_on timestamptz NOT NULL, UNIQUE (aggregate_id, sequence_number));

-- none: Axon's event store
CREATE TABLE domain_event_entry (global_index bigserial PRIMARY KEY, event_identifier varchar(255) NOT NULL UNIQUE, meta_data bytea, payload bytea NOT NULL, payload_revision varchar(255),
    payload_type varchar(255) NOT NULL, time_stamp varchar(255) NOT NULL, aggregate_identifier varchar(255) NOT NULL, sequence_number bigint NOT NULL, type varchar(255), UNIQUE (aggregate_identifier, sequence_number));

-- none: inbox
CREATE TABLE inbox (message_id uuid NOT NULL, consumer text NOT NULL, received_at timestamptz NOT NULL, handled_at timestamptz, PRIMARY KEY (message_id, consumer));

-- none: inbox with a payload, the same columns as an outbox
CREATE TABLE "InboxMessages" ("Id" uuid PRIMARY KEY, "OccurredOn" timestamptz NOT NULL, "Type" text NOT NULL, "Data" jsonb NOT NULL, "ProcessedDate" timestamptz);

-- none: messages that were handled
CREATE TABLE processed_messages (message_id text PRIMARY KEY, handler text NOT NULL, payload jsonb, processed_at timestamptz NOT NULL);

-- none: events of a payment provider that came in
CREATE TABLE stripe_events (id text PRIMARY KEY, type text NOT NULL, payload jsonb NOT NULL, received_at timestamptz NOT NULL, processed_at timestamptz);

-- none: orders
CREATE TABLE orders (id uuid PRIMARY KEY, customer_id uuid NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'PAID', 'SHIPPED', 'DELIVERED')), total numeric(10, 2) NOT NULL, currency char(3) NOT NULL,
    items jsonb NOT NULL, created_at timestamptz NOT NULL, delivered_at timestamptz);

-- none: orders without amounts
CREATE TABLE orders (id uuid PRIMARY KEY, customer_id uuid NOT NULL, status text NOT NULL CHECK (status IN ('NEW', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED')), details jsonb NOT NULL, created_at timestamptz NOT NULL, shipped_at timestamptz, delivered_at timestamptz);

-- none: invoices
CREATE TABLE invoices (id bigserial PRIMARY KEY, number text NOT NULL, status text NOT NULL CHECK (status IN ('DRAFT', 'SENT', 'PAID')), amount numeric(12, 2) NOT NULL, document jsonb NOT NULL, sent_at timestamptz);

-- none: payments
CREATE TABLE payments (id uuid PRIMARY KEY, order_id uuid NOT NULL, provider text NOT NULL, amount bigint NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'COMPLETED', 'FAILED')), metadata jsonb, attempts int NOT NULL, last_error text);

-- none: articles
CREATE TABLE articles (id bigserial PRIMARY KEY, title text NOT NULL, slug text NOT NULL UNIQUE, body text NOT NULL, author_id bigint NOT NULL, published_at timestamptz, created_at timestamptz NOT NULL);

-- none: pages
CREATE TABLE pages (id bigserial PRIMARY KEY, name text NOT NULL, content jsonb NOT NULL, published boolean NOT NULL DEFAULT false, updated_at timestamptz NOT NULL);

-- none: chat
CREATE TABLE messages (id uuid PRIMARY KEY, conversation_id uuid NOT NULL, sender_id uuid NOT NULL, recipient_id uuid NOT NULL, body text NOT NULL, sent_at timestamptz, delivered_at timestamptz, read_at timestamptz);

-- none: preferences
CREATE TABLE notification_preferences (user_id uuid NOT NULL, channel text NOT NULL, event_type text NOT NULL, enabled boolean NOT NULL, settings jsonb, PRIMARY KEY (user_id, channel, event_type));

-- none: log of webhooks
CREATE TABLE webhook_log (id bigserial PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, url text NOT NULL, response_code int NOT NULL, response_body text, delivered_at timestamptz NOT NULL, duration_ms int NOT NULL);

-- none: migrations
CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int,
    installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);

-- none: Liquibase
CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL, exectype varchar(10) NOT NULL,
    md5sum varchar(35), description varchar(255), comments varchar(255), tag varchar(255), contexts varchar(255), labels varchar(255), deployment_id varchar(10));

-- none: sessions
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL);

-- none: sessions of PHP
CREATE TABLE sessions (id varchar(255) PRIMARY KEY, user_id bigint, ip_address varchar(45), user_agent text, payload text NOT NULL, last_activity int NOT NULL);

-- none: saga
CREATE TABLE order_state (correlation_id uuid PRIMARY KEY, current_state text NOT NULL, data jsonb NOT NULL, version int NOT NULL, updated_at timestamptz NOT NULL);

-- none: saga with a status
CREATE TABLE saga_instance (saga_id varchar(100) PRIMARY KEY, saga_type varchar(255) NOT NULL, state_name varchar(255) NOT NULL, last_request_id varchar(100), end_state int, saga_data_json text NOT NULL, compensating int);

-- none: watermarks of an ETL
CREATE TABLE etl_watermark (source_table text PRIMARY KEY, last_value text NOT NULL, last_run_at timestamptz, status text NOT NULL CHECK (status IN ('PENDING', 'DONE')));

-- none: idempotency keys
CREATE TABLE idempotency_keys (id bigserial PRIMARY KEY, idempotency_key text NOT NULL, request_method text NOT NULL, request_params jsonb NOT NULL, request_path text NOT NULL, response_code int, response_body jsonb,
    recovery_point text NOT NULL, locked_at timestamptz, user_id bigint NOT NULL);

-- none: dead letters
CREATE TABLE dead_letters (id bigserial PRIMARY KEY, topic text NOT NULL, payload jsonb NOT NULL, error text NOT NULL, failed_at timestamptz NOT NULL);

-- none: what happened, and nothing more
CREATE TABLE activity (id bigserial PRIMARY KEY, type text NOT NULL, data jsonb NOT NULL, created_at timestamptz NOT NULL);

-- none: an event log without a state
CREATE TABLE event_log (id bigserial PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL);

-- none: shipments
CREATE TABLE shipments (id uuid PRIMARY KEY, carrier text NOT NULL, tracking_number text, address jsonb NOT NULL, shipped_at timestamptz, delivered_at timestamptz, status text NOT NULL CHECK (status IN ('PENDING', 'SENT', 'DELIVERED')));

-- none: tasks of people
CREATE TABLE tasks (id bigserial PRIMARY KEY, title text NOT NULL, description text NOT NULL, assignee_id bigint, status text NOT NULL CHECK (status IN ('todo', 'in_progress', 'done')), due_date date, completed_at timestamptz);

-- none: settings
CREATE TABLE settings (key text PRIMARY KEY, value jsonb NOT NULL, updated_at timestamptz NOT NULL);

-- none: feature flags
CREATE TABLE feature_flags (name text PRIMARY KEY, description text, enabled boolean NOT NULL, rules jsonb NOT NULL);

-- none: cache
CREATE TABLE cache (key varchar(255) PRIMARY KEY, value text NOT NULL, expiration int NOT NULL);

-- none: documents that people approve
CREATE TABLE documents (id uuid PRIMARY KEY, type text NOT NULL, content jsonb NOT NULL, status text NOT NULL CHECK (status IN ('DRAFT', 'REVIEW', 'PUBLISHED')), published_at timestamptz, version int NOT NULL);

-- none: customers
CREATE TABLE customers (id uuid PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, email text NOT NULL, phone text, profile jsonb, status text NOT NULL, created_at timestamptz NOT NULL);

-- none: readings of sensors
CREATE TABLE readings (id bigserial PRIMARY KEY, device_id text NOT NULL, topic text NOT NULL, payload jsonb NOT NULL, received_at timestamptz NOT NULL);

-- none: newsletter issues
CREATE TABLE newsletter_issues (newsletter_issue_id uuid PRIMARY KEY, title text NOT NULL, text_content text NOT NULL, html_content text NOT NULL, published_at text NOT NULL);

-- none: approvals
CREATE TABLE approvals (id uuid PRIMARY KEY, request_type text NOT NULL, payload jsonb NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED')), decided_at timestamptz, requested_by uuid NOT NULL);

-- none: imports
CREATE TABLE imports (id bigserial PRIMARY KEY, file_name text NOT NULL, rows_total int NOT NULL, rows_failed int NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')), finished_at timestamptz, user_id bigint NOT NULL);

-- none: distributed lock
CREATE TABLE shedlock (name varchar(64) PRIMARY KEY, lock_until timestamp NOT NULL, locked_at timestamp NOT NULL, locked_by varchar(255) NOT NULL);

-- none: projections of an event store
CREATE TABLE token_entry (processor_name varchar(255) NOT NULL, segment int NOT NULL, token bytea, token_type varchar(255), timestamp varchar(255), owner varchar(255), PRIMARY KEY (processor_name, segment));

-- none: snapshots
CREATE TABLE snapshots (stream_id text NOT NULL, version int NOT NULL, state jsonb NOT NULL, created_at timestamptz NOT NULL, PRIMARY KEY (stream_id, version));

-- none: support tickets
CREATE TABLE tickets (id bigserial PRIMARY KEY, subject text NOT NULL, body text NOT NULL, requester_email text NOT NULL, status text NOT NULL CHECK (status IN ('open', 'pending', 'closed')), priority text, closed_at timestamptz);

-- none: accounts of a ledger
CREATE TABLE ledger_entries (id bigserial PRIMARY KEY, account_id bigint NOT NULL, amount numeric(18, 4) NOT NULL, type text NOT NULL, metadata jsonb NOT NULL, posted_at timestamptz, status text NOT NULL CHECK (status IN ('PENDING', 'POSTED')));

-- none: dead letters of an outbox
CREATE TABLE outbox_dead_letters (id uuid PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, error text NOT NULL, attempts int NOT NULL, failed_at timestamptz NOT NULL);

-- none: what a consumer of Kafka has seen
CREATE TABLE kafka_inbox (topic text NOT NULL, partition int NOT NULL, "offset" bigint NOT NULL, payload jsonb NOT NULL, headers jsonb, attempts int NOT NULL, last_error text, processed_at timestamptz, PRIMARY KEY (topic, partition, "offset"));

-- doubtful: Laravel's jobs
CREATE TABLE jobs (id bigserial PRIMARY KEY, queue varchar(255) NOT NULL, payload text NOT NULL, attempts smallint NOT NULL, reserved_at int, available_at int NOT NULL, created_at int NOT NULL);

-- doubtful: text messages to people
CREATE TABLE sms_queue (id bigserial PRIMARY KEY, phone_number text NOT NULL, message text NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'SENT', 'FAILED')), attempts int NOT NULL DEFAULT 0, last_error text, sent_at timestamptz);

-- doubtful: notifications to users
CREATE TABLE notifications (id uuid PRIMARY KEY, user_id uuid NOT NULL, type text NOT NULL, channel text NOT NULL, payload jsonb NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'SENT', 'FAILED')), attempts int NOT NULL, sent_at timestamptz);

-- doubtful: changes that wait for another system
CREATE TABLE sync_queue (id bigserial PRIMARY KEY, entity_type text NOT NULL, entity_id text NOT NULL, payload jsonb NOT NULL, attempts int NOT NULL, synced_at timestamptz);

-- doubtful: reports that are made
CREATE TABLE reports (id bigserial PRIMARY KEY, type text NOT NULL, parameters jsonb NOT NULL, status text NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED')), error text, created_at timestamptz NOT NULL);
