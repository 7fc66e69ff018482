-- Tables on MariaDB.

-- preset: gruelbox-mysql, certain
CREATE TABLE TXNO_OUTBOX (id VARCHAR(36) PRIMARY KEY, invocation MEDIUMTEXT, nextAttemptTime TIMESTAMP(6) NULL, attempts INT, blocked VARCHAR(255), version INT,
    uniqueRequestId VARCHAR(250) UNIQUE, processed BOOLEAN, lastAttemptTime TIMESTAMP(6) NULL, topic VARCHAR(250) NOT NULL DEFAULT '*', seq BIGINT);

-- preset: eventuate, likely
CREATE TABLE message (id VARCHAR(255) PRIMARY KEY, destination LONGTEXT NOT NULL, headers LONGTEXT NOT NULL, payload LONGTEXT NOT NULL, published SMALLINT DEFAULT 0,
    message_partition SMALLINT, creation_time BIGINT);

-- preset: cap-published, certain
CREATE TABLE `cap.published` (`Id` bigint NOT NULL PRIMARY KEY, `Version` varchar(20) DEFAULT NULL, `Name` varchar(200) NOT NULL, `Content` longtext, `Retries` int DEFAULT NULL,
    `Added` datetime NOT NULL, `ExpiresAt` datetime DEFAULT NULL, `StatusName` varchar(40) NOT NULL);

-- preset: brighter, certain
CREATE TABLE Outbox (`MessageId` VARCHAR(255) NOT NULL, `Topic` VARCHAR(255) NOT NULL, `MessageType` VARCHAR(32) NOT NULL, `Timestamp` TIMESTAMP(3) NOT NULL, `CorrelationId` VARCHAR(255) NULL,
    `ReplyTo` VARCHAR(255) NULL, `ContentType` VARCHAR(128) NULL, `PartitionKey` VARCHAR(128) NULL, `Dispatched` TIMESTAMP(3) NULL, `HeaderBag` TEXT NOT NULL, `Body` TEXT NOT NULL,
    `Created` TIMESTAMP(3) NOT NULL DEFAULT NOW(3), `CreatedID` INT(11) NOT NULL AUTO_INCREMENT, UNIQUE (`CreatedID`), PRIMARY KEY (`MessageId`));

-- preset: modulith-v1, certain
CREATE TABLE EVENT_PUBLICATION (ID VARCHAR(36) NOT NULL, LISTENER_ID VARCHAR(512) NOT NULL, EVENT_TYPE VARCHAR(512) NOT NULL, SERIALIZED_EVENT VARCHAR(4000) NOT NULL,
    PUBLICATION_DATE TIMESTAMP(6) NOT NULL, COMPLETION_DATE TIMESTAMP(6) DEFAULT NULL NULL, PRIMARY KEY (ID), INDEX EVENT_PUBLICATION_BY_COMPLETION_DATE_IDX (COMPLETION_DATE));

-- preset: debezium, likely
CREATE TABLE outbox (id CHAR(36) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL, aggregateid VARCHAR(255) NOT NULL, type VARCHAR(255) NOT NULL, payload JSON NOT NULL);

-- preset: watermill-mysql, likely; beside
CREATE TABLE watermill_orders (`offset` BIGINT AUTO_INCREMENT, `uuid` VARCHAR(36) NOT NULL, `created_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, `payload` JSON DEFAULT NULL,
    `metadata` JSON DEFAULT NULL, PRIMARY KEY (`offset`), UNIQUE (`uuid`));
CREATE TABLE watermill_offsets_orders (consumer_group VARCHAR(255) NOT NULL, offset_acked BIGINT, offset_consumed BIGINT NOT NULL, PRIMARY KEY(consumer_group));

-- outbox: likely; status.column=status status.ready.0=NEW status.published.0=SENT status.failed.0=ERROR times=utc type=event_type
CREATE TABLE outbox_event (id BIGINT AUTO_INCREMENT PRIMARY KEY, event_type VARCHAR(100) NOT NULL, payload JSON NOT NULL, status ENUM('NEW', 'SENT', 'ERROR') NOT NULL DEFAULT 'NEW',
    created_at DATETIME(6) NOT NULL, KEY (status, created_at));

-- outbox: likely; status.column=status status.ready.0=NEW status.published.0=SENT
CREATE TABLE outbox_event (id BIGINT AUTO_INCREMENT PRIMARY KEY, event_type VARCHAR(100) NOT NULL, payload LONGTEXT NOT NULL, status VARCHAR(10) NOT NULL CHECK (status IN ('NEW', 'SENT')),
    created_at TIMESTAMP(6) NOT NULL);

-- outbox: likely; status.column=status status.ready.0=0 status.published.0=1 status.failed.0=2
CREATE TABLE mq_outbox (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, topic VARCHAR(64) NOT NULL COMMENT 'topic', msg_body TEXT NOT NULL, status TINYINT NOT NULL DEFAULT 0 COMMENT '0:pending 1:sent 2:failed, 0-pending, 1-sent, 2-failed',
    retry_count INT NOT NULL DEFAULT 0, gmt_create DATETIME NOT NULL);

-- outbox: likely; null_time=published_at
CREATE TABLE outgoing_events (id BINARY(16) PRIMARY KEY, event_name VARCHAR(100) NOT NULL, payload MEDIUMBLOB NOT NULL, created_at TIMESTAMP(6) NOT NULL DEFAULT NOW(6), published_at TIMESTAMP(6) NULL);

-- outbox: likely; flag.column=dispatched
CREATE TABLE event_outbox (id BIGINT AUTO_INCREMENT PRIMARY KEY, event_type VARCHAR(100) NOT NULL, payload JSON NOT NULL, dispatched TINYINT(1) NOT NULL DEFAULT 0, created_at DATETIME NOT NULL);

-- none: orders
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer_id BIGINT NOT NULL, status ENUM('NEW', 'PAID', 'SENT') NOT NULL, amount DECIMAL(10, 2) NOT NULL, note TEXT);

-- none: event store
CREATE TABLE events (id BIGINT AUTO_INCREMENT PRIMARY KEY, aggregate_id CHAR(36) NOT NULL, version INT NOT NULL, type VARCHAR(100) NOT NULL, payload JSON NOT NULL, UNIQUE (aggregate_id, version));

-- none: posts of a blog
CREATE TABLE wp_posts (ID BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, post_author BIGINT UNSIGNED NOT NULL, post_date DATETIME NOT NULL, post_content LONGTEXT NOT NULL, post_title TEXT NOT NULL, post_excerpt TEXT NOT NULL,
    post_status VARCHAR(20) NOT NULL DEFAULT 'publish', comment_status VARCHAR(20) NOT NULL, post_name VARCHAR(200) NOT NULL, post_modified DATETIME NOT NULL, post_type VARCHAR(20) NOT NULL);

-- none: messages of people
CREATE TABLE messages (id BIGINT AUTO_INCREMENT PRIMARY KEY, thread_id BIGINT NOT NULL, sender_id BIGINT NOT NULL, body TEXT NOT NULL, sent_at DATETIME NULL, is_read TINYINT(1) NOT NULL DEFAULT 0);
