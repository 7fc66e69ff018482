-- Outboxes that teams wrote for themselves, in many styles.

-- outbox: likely; null_time=processed_on type=name created=occurred_on body.column=body
CREATE TABLE domain_events (id uuid PRIMARY KEY, name varchar(200) NOT NULL, body jsonb NOT NULL, occurred_on timestamptz NOT NULL, processed_on timestamptz);

-- open: likely; attempts.column=TimesSent type=EventTypeName created=CreationTime body.column=Content id.0=EventId
CREATE TABLE "IntegrationEventLog" ("EventId" uuid PRIMARY KEY, "EventTypeName" text NOT NULL, "State" int NOT NULL, "TimesSent" int NOT NULL,
    "CreationTime" timestamptz NOT NULL, "Content" text NOT NULL, "TransactionId" text);

-- outbox: likely; flag.column=sent order.0=- group=key type=topic body.column=value id.0=seq
CREATE TABLE message_outbox (seq bigserial PRIMARY KEY, topic text NOT NULL, key bytea, value bytea NOT NULL, headers jsonb, sent boolean NOT NULL DEFAULT false);

-- outbox: certain; null_time=published_at order.0=created_at group=aggregate_id type=event_type
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregate_type text NOT NULL, aggregate_id text NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), published_at timestamptz);
CREATE INDEX ON outbox (created_at) WHERE published_at IS NULL;

-- outbox: certain; status.column=status status.ready.0=PENDING status.published.0=SENT status.failed.0=FAILED due=next_attempt_at error=last_error published_at=sent_at
CREATE TABLE app_outbox_messages (id bigserial PRIMARY KEY, message_id uuid NOT NULL UNIQUE, topic varchar(100) NOT NULL, message_key varchar(100),
    payload bytea NOT NULL, headers jsonb, status varchar(16) NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
    retry_count int NOT NULL DEFAULT 0, last_error text, next_attempt_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz);

-- outbox: likely; status.column=zustand status.ready.0=OFFEN status.published.0=GESENDET status.failed.0=FEHLER attempts.column=anzahl_versuche due=naechster_versuch error=letzter_fehler type=ereignistyp
CREATE TABLE postausgang (kennung bigserial PRIMARY KEY, ereignistyp varchar(100) NOT NULL, nutzlast jsonb NOT NULL,
    zustand varchar(20) NOT NULL DEFAULT 'OFFEN' CHECK (zustand IN ('OFFEN', 'GESENDET', 'FEHLER')), anzahl_versuche int NOT NULL DEFAULT 0,
    letzter_fehler text, naechster_versuch timestamp, erstellt_am timestamp NOT NULL);

-- outbox: likely; null_time=versendet_am created=angelegt_am type=ereignis body.column=inhalt
CREATE TABLE ausgangsereignisse (id bigserial PRIMARY KEY, ereignis varchar(80) NOT NULL, schluessel varchar(80), inhalt text NOT NULL,
    angelegt_am timestamptz NOT NULL, versendet_am timestamptz);

-- outbox: likely; null_time=envoye_le attempts.column=nb_tentatives error=derniere_erreur type=type_evenement body.column=contenu created=cree_le
CREATE TABLE evenements_sortants (id bigserial PRIMARY KEY, type_evenement varchar(100) NOT NULL, contenu jsonb NOT NULL, cree_le timestamptz NOT NULL,
    envoye_le timestamptz, nb_tentatives int NOT NULL DEFAULT 0, derniere_erreur text);

-- outbox: likely; status.column=situacao status.ready.0=PENDENTE status.published.0=ENVIADO status.failed.0=ERRO attempts.column=tentativas published_at=data_envio created=data_criacao
CREATE TABLE mensagens_saida (id bigserial PRIMARY KEY, tipo_evento varchar(100) NOT NULL, conteudo text NOT NULL, topico varchar(100) NOT NULL,
    situacao varchar(20) NOT NULL DEFAULT 'PENDENTE' CHECK (situacao IN ('PENDENTE', 'ENVIADO', 'ERRO')), tentativas int NOT NULL DEFAULT 0,
    data_criacao timestamptz NOT NULL, data_envio timestamptz);

-- outbox: likely; status.column=ESTADO status.ready.0=PENDIENTE status.published.0=PUBLICADO attempts.column=INTENTOS
CREATE TABLE "EVENTOS_SALIDA" ("ID" bigint PRIMARY KEY, "TIPO_EVENTO" varchar(100) NOT NULL, "CARGA" jsonb NOT NULL,
    "ESTADO" varchar(20) NOT NULL CHECK ("ESTADO" IN ('PENDIENTE', 'PUBLICADO', 'FALLIDO')), "INTENTOS" int NOT NULL DEFAULT 0, "CREADO_EN" timestamptz NOT NULL);

-- open: likely; type=EVENT_TYPE body.column=PAYLOAD
CREATE TABLE "TB_OUTBOX" ("ID_OUTBOX" bigint PRIMARY KEY, "EVENT_TYPE" varchar(60) NOT NULL, "PAYLOAD" text NOT NULL, "STATUS" smallint NOT NULL DEFAULT 0,
    "DT_CREATED" timestamp NOT NULL, "RETRIES" int NOT NULL DEFAULT 0);

-- open: likely
CREATE TABLE outbox_messages (id bigserial PRIMARY KEY, topic text NOT NULL, payload jsonb NOT NULL, status char(1) NOT NULL DEFAULT 'N' CHECK (status IN ('N', 'P', 'S', 'F')),
    created_at timestamptz NOT NULL DEFAULT now());

-- outbox: likely; status.column=status status.ready.0=0 status.published.0=1 status.failed.0=2
CREATE TABLE outbox_messages (id bigserial PRIMARY KEY, topic text NOT NULL, payload jsonb NOT NULL, status smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now());
COMMENT ON COLUMN outbox_messages.status IS '0 = pending, 1 = sent, 2 = failed';

-- outbox: likely; status.column=publish_status status.ready.0=NEW status.published.0=PUBLISHED
CREATE TABLE order_event_outbox (id uuid PRIMARY KEY, order_id uuid NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('CREATED', 'COMPLETED')), publish_status text NOT NULL CHECK (publish_status IN ('NEW', 'PUBLISHED', 'FAILED')),
    created_at timestamptz NOT NULL);

-- outbox: likely; null_time=sent_at scope.0.column=deleted_at scope.0.null=true
CREATE TABLE event_outbox (id bigserial PRIMARY KEY, tenant_id uuid NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL,
    sent_at timestamptz, deleted_at timestamptz);

-- outbox: certain; null_time=sent_at dead.column=failed_at error=failure_reason
CREATE TABLE outgoing_events (id bigserial PRIMARY KEY, event_type text NOT NULL, destination text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL,
    sent_at timestamptz, failed_at timestamptz, failure_reason text);

-- outbox: likely; status.column=state status.ready.0=waiting status.in_progress.0=sending status.published.0=sent status.failed.0=failed lease.owner=- 
CREATE TYPE dispatch_state AS ENUM ('waiting', 'sending', 'sent', 'failed');
CREATE TABLE dispatch_queue (id uuid PRIMARY KEY, topic text NOT NULL, partition_key text, payload jsonb NOT NULL, state dispatch_state NOT NULL DEFAULT 'waiting',
    attempts smallint NOT NULL DEFAULT 0, claimed_at timestamptz, claimed_by text, enqueued_at timestamptz NOT NULL DEFAULT now());

-- outbox: likely; flag.column=processed
CREATE TABLE integration_events (id bigserial PRIMARY KEY, event_name text NOT NULL, aggregate_id uuid NOT NULL, payload jsonb NOT NULL,
    processed smallint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now());

-- outbox: likely; null_time=dispatched_at attempts.column=retries attempts.max=-
CREATE TABLE event_dispatch (id uuid PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, retries int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL, dispatched_at timestamptz);

-- outbox: likely; null_time=published_at lease.until=locked_until
CREATE TABLE outbox_entry (id uuid PRIMARY KEY, kind text NOT NULL, data jsonb NOT NULL, locked_until timestamptz, published_at timestamptz, created_at timestamptz NOT NULL);

-- outbox: likely; present=true lease.until=locked_until attempts.column=attempts
CREATE TABLE outgoing_message_queue (id bigserial PRIMARY KEY, exchange text NOT NULL, routing_key text NOT NULL, body bytea NOT NULL, locked_until timestamptz, attempts int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now());

-- outbox: likely; null_time=published_at id.0=id id.1=created_at
CREATE TABLE outbox_by_day (id uuid NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL, published_at timestamptz,
    PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE outbox_by_day_1 PARTITION OF outbox_by_day FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
CREATE TABLE outbox_by_day_2 PARTITION OF outbox_by_day FOR VALUES FROM ('2026-01-02') TO ('2026-01-03');

-- outbox: certain; flag.column=is_pending flag.published=false
CREATE TABLE outbox_items (id bigserial PRIMARY KEY, message_type text NOT NULL, message text NOT NULL, is_pending boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL);
CREATE INDEX ON outbox_items (id) WHERE is_pending;

-- outbox: likely; flag.column=enviado flag.published=S
CREATE TABLE fila_saida (id bigserial PRIMARY KEY, evento varchar(50) NOT NULL, mensagem text NOT NULL, enviado char(1) NOT NULL DEFAULT 'N' CHECK (enviado IN ('S', 'N')), criado_em timestamptz NOT NULL);

-- outbox: certain; null_time=published_at attempts.max=10
CREATE TABLE outbox_v3 (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, event_type text NOT NULL, event_data jsonb NOT NULL, event_metadata jsonb,
    attempts int NOT NULL DEFAULT 0, published_at timestamptz, recorded_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON outbox_v3 (position) WHERE published_at IS NULL AND attempts < 10;

-- outbox: likely; status.column=status status.done=sent_at status.failed.0=FAILED
CREATE TABLE message_relay (id uuid PRIMARY KEY, destination text NOT NULL, message jsonb NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'FAILED')), sent_at timestamptz,
    created_at timestamptz NOT NULL, error text);

-- outbox: likely; status.column=delivery_state status.ready.0=pending status.failed.0=dead
CREATE TABLE tbl_evt_out (evt_id uuid PRIMARY KEY, evt_type varchar(80) NOT NULL, routing_key varchar(120) NOT NULL, body jsonb NOT NULL,
    delivery_state varchar(12) NOT NULL CHECK (delivery_state IN ('pending', 'delivered', 'dead')), tries int NOT NULL DEFAULT 0, max_tries int NOT NULL DEFAULT 8, created timestamptz NOT NULL);

-- open: likely
CREATE TABLE outbox_event (id uuid PRIMARY KEY, event_type varchar(255) NOT NULL, payload text NOT NULL, status varchar(255) NOT NULL, created_at timestamp(6) NOT NULL, sent_at timestamp(6));

-- open: likely
CREATE TABLE transactional_outbox (id bigserial PRIMARY KEY, topic text NOT NULL, payload jsonb NOT NULL, sent_at timestamptz, delivered_at timestamptz, created_at timestamptz NOT NULL);

-- outbox: likely; null_time=published_at_ms times=epoch-ms created=created_at_ms
CREATE TABLE outbox_events (id bigserial PRIMARY KEY, event_type text NOT NULL, payload bytea NOT NULL, created_at_ms bigint NOT NULL, published_at_ms bigint);

-- outbox: likely; null_time=PublishedOnUtc times=utc created=OccurredOnUtc error=Error type=Type
CREATE TABLE "OutboxMessages" ("Id" uuid PRIMARY KEY, "Type" text NOT NULL, "Content" jsonb NOT NULL, "OccurredOnUtc" timestamp NOT NULL, "PublishedOnUtc" timestamp, "Error" text);

-- outbox: likely; null_time=processedonutc error=error
CREATE TABLE outbox_messages (id uuid PRIMARY KEY, type varchar(255) NOT NULL, content varchar(2000) NOT NULL, occurredonutc timestamptz NOT NULL, processedonutc timestamptz, error text);

-- outbox: likely; scope.0.column=direction scope.0.values.0=OUT status.column=status
CREATE TABLE broker_messages (id uuid PRIMARY KEY, direction text NOT NULL CHECK (direction IN ('IN', 'OUT')), topic text NOT NULL, message_type text NOT NULL, payload jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('NEW', 'SENT', 'FAILED')), created_at timestamptz NOT NULL);

-- open: doubtful
CREATE TABLE transfer_outbox (id bigserial PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL);

-- outbox: likely; status.column=status status.failed.0=DEAD
CREATE TABLE outbox_with_two_failures (id uuid PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'FAILED', 'DEAD', 'SENT')),
    attempts int NOT NULL DEFAULT 0, created_at timestamptz NOT NULL);

-- outbox: likely; null_time=relayed_at group=ordering_key event_id=event_uuid
CREATE TABLE "Outbox Events" ("no" bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, event_uuid uuid NOT NULL, event_kind text NOT NULL, ordering_key text, payload json NOT NULL,
    "weird ""name"".x" text, created_at timestamptz NOT NULL, relayed_at timestamptz);

-- outbox: likely; null_time=verzonden_op
CREATE TABLE uitgaande_berichten (id bigserial PRIMARY KEY, soort varchar(40) NOT NULL, bericht jsonb NOT NULL, bestemming text NOT NULL, aangemaakt_op timestamptz NOT NULL, verzonden_op timestamptz);

-- doubtful: a queue of emails is relayed as an outbox is
CREATE TABLE email_queue (id bigserial PRIMARY KEY, recipient text NOT NULL, subject text NOT NULL, html_body text NOT NULL, status text NOT NULL CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
    attempts int NOT NULL DEFAULT 0, sent_at timestamptz);

-- doubtful: deliveries of webhooks that are tried again
CREATE TABLE webhook_deliveries (id uuid PRIMARY KEY, event_type text NOT NULL, payload jsonb NOT NULL, url text NOT NULL, response_status int, attempts int NOT NULL, next_attempt_at timestamptz,
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')), created_at timestamptz NOT NULL);

-- doubtful: jobs of some worker
CREATE TABLE jobs (id bigserial PRIMARY KEY, type text NOT NULL, payload jsonb NOT NULL, status text NOT NULL CHECK (status IN ('NEW', 'RUNNING', 'DONE', 'FAILED')), attempts int NOT NULL,
    run_at timestamptz NOT NULL, locked_by text);
