"""boto3 against a served endpoint: round trips, pages, errors as modelled classes, long polls, FIFO, dead letters, move tasks, accounts.

    OPSCTL_TEST_ENDPOINT=http://127.0.0.1:PORT pytest boto3_sandbox.py
"""

import datetime
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import threading
import time
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

ATTRIBUTES = {
    "partnerId": {"DataType": "String", "StringValue": "PARTNER_Ä"},
    "sequenceNumber": {"DataType": "Number", "StringValue": "42"},
    "price": {"DataType": "Number.decimal", "StringValue": "3.14"},
    "raw": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
    "image": {"DataType": "Binary.png", "BinaryValue": b"\x89PNG\x00"},
}


def receive(sqs, url, **options):
    options = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"], **options}
    return sqs.receive_message(QueueUrl=url, **options).get("Messages", [])


def counts(sqs, url):
    """-> visible, in flight, delayed"""
    kinds = ("", "NotVisible", "Delayed")
    names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def eventually(check, seconds_max=10):
    deadline = time.monotonic() + seconds_max
    while not (answer := check()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
    return answer


def attributes_md5(attributes):
    """The digest that AWS documents: names in order, each of name, type and value with its length before it."""
    digest = hashlib.md5()
    for name, attribute in sorted(attributes.items()):
        binary = "BinaryValue" in attribute
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        for part in (name.encode(), attribute["DataType"].encode()):
            digest.update(struct.pack("!I", len(part)) + part)
        digest.update((b"\x02" if binary else b"\x01") + struct.pack("!I", len(value)) + value)
    return digest.hexdigest()


# --- round trips


@pytest.mark.parametrize("body", ["plain", '{"orderId": 7}', "tab\tand\nline\r", "<a & b>", "ä€🙂", "x" * 200_000])
def test_a_message_comes_back_as_it_was_sent(sqs, queue, body):
    url = queue()
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=ATTRIBUTES)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    assert sent["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)
    (message,) = receive(sqs, url)
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], body)
    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(message["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60


def test_the_trace_header_comes_back(sqs, queue):
    url = queue()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    sent = sqs.send_message(QueueUrl=url, MessageBody="x", MessageSystemAttributes=header)
    assert sent["MD5OfMessageSystemAttributes"] == attributes_md5(header)
    assert receive(sqs, url)[0]["Attributes"]["AWSTraceHeader"] == trace


def test_only_the_attributes_that_were_asked_for_come_back(sqs, queue):
    url = queue(VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=ATTRIBUTES)
    (message,) = receive(sqs, url, MessageSystemAttributeNames=[], MessageAttributeNames=[])
    assert "Attributes" not in message and "MessageAttributes" not in message
    (message,) = receive(sqs, url, MessageSystemAttributeNames=["SentTimestamp"], MessageAttributeNames=["p*", "pr.*"])
    assert set(message["Attributes"]) == {"SentTimestamp"}
    assert set(message["MessageAttributes"]) == {"price"}
    assert message["MD5OfMessageAttributes"] == attributes_md5({"price": ATTRIBUTES["price"]})


def test_a_batch_names_each_entry_that_failed(sqs, queue):
    url = queue()
    entries = [{"Id": f"e{number}", "MessageBody": f"body {number}"} for number in range(3)]
    entries[1]["DelaySeconds"] = 901
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["e0", "e2"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("e1", "InvalidParameterValue", True)

    messages = eventually(lambda: receive(sqs, url))
    entries = [{"Id": "gone", "ReceiptHandle": "nonsense"}]
    entries += [{"Id": f"d{number}", "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Failed"]] == ["gone"]
    assert answer["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    assert len(answer["Successful"]) == len(messages)


def test_a_batch_s_answer_has_no_list_without_entries(sqs, queue):
    url = queue()
    raw = []
    sqs.meta.events.register("before-parse.sqs", lambda response_dict, **_: raw.append(set(json.loads(response_dict["body"]))))
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}])
    sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": "nonsense"}])
    assert raw == [{"Successful"}, {"Failed"}]


def test_visibility_hides_shows_and_counts(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    eventually(lambda: counts(sqs, url) == (1, 0, 1))
    (first,) = receive(sqs, url)
    assert receive(sqs, url) == []
    eventually(lambda: counts(sqs, url) == (0, 1, 1))
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = receive(sqs, url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    first_receipt = "ApproximateFirstReceiveTimestamp"
    assert again["Attributes"][first_receipt] == first["Attributes"][first_receipt]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": again["ReceiptHandle"], "VisibilityTimeout": 1}]
    )
    assert [entry["Id"] for entry in changed["Successful"]] == ["a"]
    started = time.monotonic()
    (message,) = receive(sqs, url, WaitTimeSeconds=10)
    assert 0.5 < time.monotonic() - started < 5
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    eventually(lambda: counts(sqs, url) == (0, 0, 1))


# --- long polls


def test_a_long_poll_waits_and_ends_early_when_something_comes(sqs, client, queue):
    url = queue()
    started = time.monotonic()
    assert receive(sqs, url, WaitTimeSeconds=2) == []
    assert 1.8 < time.monotonic() - started < 4

    other = client("sqs")
    sender = threading.Timer(1, lambda: other.send_message(QueueUrl=url, MessageBody="now"))
    sender.start()
    started = time.monotonic()
    (message,) = receive(sqs, url, WaitTimeSeconds=20)
    assert message["Body"] == "now"
    assert 0.8 < time.monotonic() - started < 5
    sender.join()


def test_the_queue_s_own_wait_time_holds(sqs, queue):
    url = queue(ReceiveMessageWaitTimeSeconds="1")
    started = time.monotonic()
    assert sqs.receive_message(QueueUrl=url).get("Messages") is None
    assert time.monotonic() - started > 0.8


# --- FIFO


def test_fifo_keeps_order_blocks_groups_and_drops_doubles(sqs, queue):
    url = queue(".fifo", FifoQueue="true", VisibilityTimeout="60")

    def send(body, group, deduplication_id):
        ids = {"MessageGroupId": group, "MessageDeduplicationId": deduplication_id}
        return sqs.send_message(QueueUrl=url, MessageBody=body, **ids)

    sent = [send(f"a{number}", "a", f"a{number}") for number in range(12)]
    send("b0", "b", "b0")
    numbers = [answer["SequenceNumber"] for answer in sent]
    assert numbers == sorted(numbers) and len(set(numbers)) == 12 and len(numbers[0]) == 20

    double = send("other body", "a", "a0")
    assert double["MessageId"] == sent[0]["MessageId"]

    first = receive(sqs, url)
    in_a = [message["Body"] for message in first if message["Attributes"]["MessageGroupId"] == "a"]
    assert in_a == [f"a{number}" for number in range(len(in_a))] and in_a
    rest = receive(sqs, url)
    assert all(message["Attributes"]["MessageGroupId"] != "a" for message in rest)

    for message in first:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    following = [message["Body"] for message in receive(sqs, url) if message["Attributes"]["MessageGroupId"] == "a"]
    assert following == [f"a{number}" for number in range(len(in_a), 12)]


def test_fifo_refuses_a_delay_and_a_missing_id(sqs, queue):
    url = queue(".fifo", FifoQueue="true")
    for options in ({}, {"MessageGroupId": "g"}, {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 5}):
        with pytest.raises(ClientError) as refusal:
            sqs.send_message(QueueUrl=url, MessageBody="x", **options)
        assert refusal.value.response["Error"]["Code"] in ("MissingParameter", "InvalidParameterValue")
    assert counts(sqs, url) == (0, 0, 0)


def test_content_decides_about_doubles_when_the_queue_says_so(sqs, queue):
    url = queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for group in ("g", "h"):
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId=group)
    (message,) = receive(sqs, url)
    assert message["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"same").hexdigest()


# --- dead letters and move tasks


@pytest.fixture
def dead_letters(sqs, queue, arn_of):
    """-> url of a source, url and ARN of its DLQ; the source gives up after one receive"""
    dlq = queue("-dlq")
    policy = {"deadLetterTargetArn": arn_of(dlq), "maxReceiveCount": 1}
    return queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(policy)), dlq, arn_of(dlq)


def kill_letters(sqs, source, dlq, number):
    """Sends messages to the source and receives them until they lie in the DLQ."""
    for _ in range(number):
        sqs.send_message(QueueUrl=source, MessageBody=uuid.uuid4().hex, MessageAttributes=ATTRIBUTES)

    def all_dead():
        receive(sqs, source)
        return counts(sqs, dlq)[0] >= number

    eventually(all_dead)


def test_a_dead_letter_keeps_its_identity_and_names_its_source(sqs, dead_letters, arn_of):
    source, dlq, dlq_arn = dead_letters
    sent = sqs.send_message(QueueUrl=source, MessageBody="x", MessageAttributes=ATTRIBUTES)
    assert len(receive(sqs, source)) == 1
    assert receive(sqs, source) == []
    (dead,) = eventually(lambda: receive(sqs, dlq))
    assert (dead["MessageId"], dead["MessageAttributes"]) == (sent["MessageId"], ATTRIBUTES)
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(source)
    assert int(dead["Attributes"]["ApproximateReceiveCount"]) >= 2
    assert sqs.list_dead_letter_source_queues(QueueUrl=dlq)["queueUrls"] == [source]
    assert sqs.list_dead_letter_source_queues(QueueUrl=source)["queueUrls"] == []


def test_a_move_task_takes_dead_letters_home(sqs, dead_letters):
    source, dlq, dlq_arn = dead_letters
    kill_letters(sqs, source, dlq, 5)
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "30"})
    assert sqs.start_message_move_task(SourceArn=dlq_arn)["TaskHandle"]
    tasks = lambda: sqs.list_message_move_tasks(SourceArn=dlq_arn)["Results"]  # noqa: E731
    (task,) = eventually(lambda: [task for task in tasks() if task["Status"] == "COMPLETED"])
    assert "TaskHandle" not in task
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (5, 5)
    assert abs(task["StartedTimestamp"] / 1000 - time.time()) < 120
    eventually(lambda: counts(sqs, source)[0] == 5 and counts(sqs, dlq)[0] == 0)
    assert all(message["Attributes"]["ApproximateReceiveCount"] == "1" for message in receive(sqs, source))


def test_a_move_task_is_one_of_its_kind_and_can_be_cancelled(sqs, dead_letters, queue, arn_of):
    source, dlq, dlq_arn = dead_letters
    other = queue()
    kill_letters(sqs, source, dlq, 20)
    started = sqs.start_message_move_task(SourceArn=dlq_arn, DestinationArn=arn_of(other), MaxNumberOfMessagesPerSecond=1)
    (task,) = sqs.list_message_move_tasks(SourceArn=dlq_arn)["Results"]
    assert (task["Status"], task["TaskHandle"]) == ("RUNNING", started["TaskHandle"])
    assert (task["DestinationArn"], task["MaxNumberOfMessagesPerSecond"]) == (arn_of(other), 1)
    with pytest.raises(ClientError) as refusal:
        sqs.start_message_move_task(SourceArn=dlq_arn)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValue"
    cancelled = sqs.cancel_message_move_task(TaskHandle=started["TaskHandle"])
    assert cancelled["ApproximateNumberOfMessagesMoved"] < 20
    status = lambda: sqs.list_message_move_tasks(SourceArn=dlq_arn)["Results"][0]["Status"]  # noqa: E731
    eventually(lambda: status() == "CANCELLED", seconds_max=60)
    assert counts(sqs, other)[0] + counts(sqs, dlq)[0] == 20
    with pytest.raises(ClientError):
        sqs.cancel_message_move_task(TaskHandle=started["TaskHandle"])


def test_a_move_task_needs_a_dead_letter_queue_that_is_there(sqs, queue, arn_of):
    url = queue()
    with pytest.raises(ClientError) as refusal:
        sqs.start_message_move_task(SourceArn=arn_of(url))
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValue"
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn=f"{arn_of(url)}-gone")


# --- pages


def test_pages_of_queues(sqs):
    prefix = f"p-{uuid.uuid4().hex[:8]}"
    urls = [sqs.create_queue(QueueName=f"{prefix}-{number:04}")["QueueUrl"] for number in range(1001)]
    try:
        pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 400}))
        assert [len(page["QueueUrls"]) for page in pages] == [400, 400, 201]
        assert sorted(url for page in pages for url in page["QueueUrls"]) == sorted(urls)
        unpaged = sqs.list_queues(QueueNamePrefix=prefix)
        assert len(unpaged["QueueUrls"]) == 1000 and "NextToken" not in unpaged
        assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=f"{prefix}-none")
    finally:
        for url in urls:
            sqs.delete_queue(QueueUrl=url)


def test_pages_of_sources(sqs, queue, arn_of):
    dlq = queue("-dlq")
    policy = json.dumps({"deadLetterTargetArn": arn_of(dlq), "maxReceiveCount": 3})
    sources = [queue(RedrivePolicy=policy) for _ in range(5)]
    paginator = sqs.get_paginator("list_dead_letter_source_queues")
    pages = list(paginator.paginate(QueueUrl=dlq, PaginationConfig={"PageSize": 2}))
    assert [len(page["queueUrls"]) for page in pages] == [2, 2, 1]
    assert sorted(url for page in pages for url in page["queueUrls"]) == sorted(sources)


# --- errors


def batch(number):
    return [{"Id": f"e{index}", "MessageBody": "x"} for index in range(number)]


MISSING = "http://127.0.0.1:1/123456789012/missing"
ERRORS = {
    "QueueDoesNotExist": lambda sqs, _: sqs.get_queue_attributes(QueueUrl=MISSING),
    "QueueDoesNotExist by name": lambda sqs, _: sqs.get_queue_url(QueueName="missing"),
    "QueueDoesNotExist to send": lambda sqs, _: sqs.send_message(QueueUrl=MISSING, MessageBody="x"),
    "QueueNameExists": lambda sqs, url: sqs.create_queue(QueueName=url.rpartition("/")[2], Attributes={"DelaySeconds": "7"}),
    "ReceiptHandleIsInvalid": lambda sqs, url: sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense"),
    "ReceiptHandleIsInvalid to hide": lambda sqs, url: sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=1
    ),
    "PurgeQueueInProgress": lambda sqs, url: [sqs.purge_queue(QueueUrl=url) for _ in range(2)],
    "EmptyBatchRequest": lambda sqs, url: sqs.send_message_batch(QueueUrl=url, Entries=[]),
    "TooManyEntriesInBatchRequest": lambda sqs, url: sqs.send_message_batch(QueueUrl=url, Entries=batch(11)),
    "BatchEntryIdsNotDistinct": lambda sqs, url: sqs.send_message_batch(QueueUrl=url, Entries=batch(1) * 2),
    "InvalidBatchEntryId": lambda sqs, url: sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a b", "MessageBody": "x"}]),
    "BatchRequestTooLong": lambda sqs, url: sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": name, "MessageBody": "x" * 600_000} for name in "ab"]
    ),
    "InvalidMessageContents": lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="\x00"),
    "InvalidAttributeName": lambda sqs, url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Nonsense"]),
    "InvalidAttributeValue": lambda sqs, url: sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "43201"}),
    "ResourceNotFoundException": lambda sqs, _: sqs.list_message_move_tasks(
        SourceArn="arn:aws:sqs:eu-west-1:123456789012:missing"
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_arrive_as_the_classes_of_the_model(sqs, queue, name):
    url = queue()
    with pytest.raises(getattr(sqs.exceptions, name.partition(" ")[0])) as error:
        ERRORS[name](sqs, url)
    assert error.value.response["Error"]["Message"]
    assert error.value.response["ResponseMetadata"]["RequestId"]
    assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500


def test_a_late_extension_is_taken_and_hides_nothing(sqs, queue):
    # Seen of AWS by localstack's tests; its reference says MessageNotInflight.
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    (message,) = receive(sqs, url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=10)
    (again,) = receive(sqs, url)
    assert again["MessageId"] == message["MessageId"]


INVALID = {
    "receive 11": lambda sqs, url: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=11),
    "wait 21 s": lambda sqs, url: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=21),
    "delay 901 s": lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=901),
    "body too large": lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody="x" * (1024 * 1024 + 1)),
    "eleven attributes": lambda sqs, url: sqs.send_message(
        QueueUrl=url, MessageBody="x", MessageAttributes={f"a{number}": ATTRIBUTES["price"] for number in range(11)}
    ),
    "unknown type": lambda sqs, url: sqs.send_message(
        QueueUrl=url, MessageBody="x", MessageAttributes={"a": {"DataType": "Date", "StringValue": "1"}}
    ),
    "no number": lambda sqs, url: sqs.send_message(
        QueueUrl=url, MessageBody="x", MessageAttributes={"a": {"DataType": "Number", "StringValue": "one"}}
    ),
    "name of a queue": lambda sqs, _: sqs.create_queue(QueueName="a/b"),
    "fifo without .fifo": lambda sqs, _: sqs.create_queue(QueueName="a", Attributes={"FifoQueue": "true"}),
}


@pytest.mark.parametrize("name", INVALID)
def test_values_out_of_bounds_are_refused(sqs, queue, name):
    url = queue()
    with pytest.raises(ClientError) as error:
        INVALID[name](sqs, url)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert counts(sqs, url) == (0, 0, 0)


# --- what a queue is


def test_attributes_tags_and_permissions_can_be_changed(sqs, queue, arn_of):
    url = queue(VisibilityTimeout="45")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "45" and attributes["MessageRetentionPeriod"] == "345600"
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})
    eventually(
        lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
        == {"MessageRetentionPeriod": "1209600"}
    )
    sqs.tag_queue(QueueUrl=url, Tags={"Owner": "team-a", "Environment": "dev"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["Owner"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"Environment": "dev"}
    sqs.add_permission(QueueUrl=url, Label="other", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["other"]
    sqs.remove_permission(QueueUrl=url, Label="other")


def test_the_resource_interface_works(endpoint, queue):
    resource = boto3.resource(
        "sqs", region_name="eu-west-1", endpoint_url=endpoint, aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="secret"
    )
    made = resource.Queue(queue())
    assert made.url in [each.url for each in resource.queues.filter(QueueNamePrefix=made.url.rpartition("/")[2])]
    made.send_message(MessageBody="x")
    (message,) = made.receive_messages()
    message.change_visibility(VisibilityTimeout=0)
    assert made.purge()["ResponseMetadata"]["HTTPStatusCode"] == 200


# --- accounts, regions, identity


def test_an_access_key_of_twelve_digits_is_an_account(client):
    for account in ("111122223333", "444455556666"):
        identity = client("sts", access_key=account).get_caller_identity()
        assert identity["Account"] == account and f":{account}:" in identity["Arn"]
    name = f"q-{uuid.uuid4().hex[:8]}"
    mine, other = (client("sqs", access_key=account) for account in ("111122223333", "444455556666"))
    url = mine.create_queue(QueueName=name)["QueueUrl"]
    assert "/111122223333/" in url
    with pytest.raises(other.exceptions.QueueDoesNotExist):
        other.get_queue_url(QueueName=name)
    assert mine.get_queue_url(QueueName=name)["QueueUrl"] == url
    mine.delete_queue(QueueUrl=url)


def test_a_role_leads_into_its_account(client):
    role = "arn:aws:iam::777788889999:role/operator"
    assumed = client("sts").assume_role(RoleArn=role, RoleSessionName="night-shift")
    keys = assumed["Credentials"]
    options = {"access_key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}
    identity = client("sts", **options).get_caller_identity()
    assert identity["Account"] == "777788889999"
    assert identity["Arn"] == "arn:aws:sts::777788889999:assumed-role/operator/night-shift"


def test_regions_are_apart(client, queue):
    name = queue().rpartition("/")[2]
    elsewhere = client("sqs", region="sa-east-1")
    with pytest.raises(elsewhere.exceptions.QueueDoesNotExist):
        elsewhere.get_queue_url(QueueName=name)


def test_parameters_are_missed_by_name(client):
    ssm = client("ssm")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/storo/missing")
    assert ssm.get_parameters(Names=["/storo/missing"])["InvalidParameters"] == ["/storo/missing"]
    assert list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/storo", Recursive=True))[0]["Parameters"] == []


def test_the_aws_command_line_works(endpoint, queue, tmp_path):
    url = queue()
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }

    def aws(*arguments):
        program = pathlib.Path(sys.executable).with_name("aws")
        answer = subprocess.run(
            # Version 1 does not heed AWS_ENDPOINT_URL for SQS.
            [program, *arguments, "--endpoint-url", endpoint, "--output", "json"], env=settings, capture_output=True, text=True, timeout=60
        )
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout or "{}")

    assert aws("sts", "get-caller-identity")["Account"]
    attributes = json.dumps(
        {name: value for name, value in ATTRIBUTES.items() if "StringValue" in value}
    )
    aws("sqs", "send-message", "--queue-url", url, "--message-body", "from the shell", "--message-attributes", attributes)
    (message,) = aws("sqs", "receive-message", "--queue-url", url, "--message-attribute-names", "All")["Messages"]
    assert message["Body"] == "from the shell" and len(message["MessageAttributes"]) == 3
    assert url in aws("sqs", "list-queues")["QueueUrls"]


def minutes(client, queries, **more):
    """The last ten minutes of these queries -> label: values, newest first"""
    now = time.time()
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, StartTime=now - 600, EndTime=now + 60, **more)
    found = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault(result["Label"], []).extend(zip(result["Timestamps"], result["Values"]))
    return found


def test_metrics_are_put_read_searched_and_listed(client):
    cloudwatch = client("cloudwatch")
    namespace = f"Test{uuid.uuid4().hex[:8]}"
    things = [{"Name": "Thing", "Value": name} for name in ("a", "b")]
    data = [{"MetricName": "Work", "Dimensions": [thing], "Values": [2.0, 5.0], "Counts": [3.0, 1.0]} for thing in things]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    metric = {"Namespace": namespace, "MetricName": "Work", "Dimensions": [things[0]]}
    stat = {"Id": "m0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    ((at, value),) = minutes(cloudwatch, [stat])["Work"]
    assert value == 11.0 and abs(at.timestamp() - time.time()) < 120
    search = f"SEARCH('{{{namespace},Thing}} MetricName=\"Work\"', 'Maximum', 60)"
    found = minutes(cloudwatch, [{"Id": "all", "Expression": search, "Label": "${PROP('Dim.Thing')}"}], MaxDatapoints=1)
    assert {label: [value for _, value in points] for label, points in found.items()} == {"a": [5.0], "b": [5.0]}
    listed = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Thing", "Value": "b"}])["Metrics"]
    assert listed == [{**metric, "Dimensions": [things[1]]}]


def test_a_large_put_of_metrics_arrives_compressed(client):
    cloudwatch = client("cloudwatch")
    namespace = f"Test{uuid.uuid4().hex[:8]}"
    data = [{"MetricName": f"work-{number:04}-{'x' * 50}", "Value": float(number)} for number in range(400)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    names = [metric["MetricName"] for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace) for metric in page["Metrics"]]
    assert sorted(names) == [datum["MetricName"] for datum in data]


def test_what_cloudwatch_refuses_has_its_code(client):
    cloudwatch = client("cloudwatch")
    metric = {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent"}
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    with pytest.raises(ClientError) as refused:
        minutes(cloudwatch, [{"Id": f"m{number}", "MetricStat": stat} for number in range(501)])
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[{"MetricName": "x", "Value": 1.0}])


# --- ECS and its autoscaling


def test_services_and_tasks_live_as_the_models_say(client):
    ecs = client("ecs")
    cluster = f"c-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family=cluster, containerDefinitions=[{"name": "app", "image": "app:1"}])
    for number in range(12):
        ecs.create_service(cluster=cluster, serviceName=f"s{number:02}", taskDefinition=cluster, desiredCount=0)
    pages = list(ecs.get_paginator("list_services").paginate(cluster=cluster))
    assert [len(page["serviceArns"]) for page in pages] == [10, 2]
    answer = ecs.describe_services(cluster=cluster, services=["s00", "nobody"], include=["TAGS"])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    (before,) = answer["services"]
    updated = ecs.update_service(cluster=cluster, service="s00", desiredCount=1)["service"]
    assert updated["deployments"][0]["id"] == before["deployments"][0]["id"]
    (arn,) = eventually(lambda: ecs.list_tasks(cluster=cluster, serviceName="s00")["taskArns"])
    (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
    assert task["lastStatus"] == "PROVISIONING"
    stopped = ecs.stop_task(cluster=cluster, task=arn, reason="enough")["task"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    with pytest.raises(ecs.exceptions.ServiceNotFoundException):
        ecs.update_service(cluster=cluster, service="nobody", desiredCount=1)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.list_services(cluster="nowhere")
    token = uuid.uuid4().hex
    first = ecs.run_task(cluster=cluster, taskDefinition=cluster, clientToken=token)
    assert ecs.run_task(cluster=cluster, taskDefinition=cluster, clientToken=token)["tasks"][0]["taskArn"] == first["tasks"][0]["taskArn"]
    with pytest.raises(ecs.exceptions.ConflictException):
        ecs.run_task(cluster=cluster, taskDefinition=cluster, clientToken=token, startedBy="other")
    assert ecs.describe_task_definition(taskDefinition=cluster)["taskDefinition"]["revision"] == 1


def test_deployments_and_revisions_are_as_the_models_say(client):
    ecs = client("ecs")
    cluster = f"c-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    for image in ("app:1", "app:2"):
        container = {"name": "app", "image": image, "environment": [{"name": "LEVEL", "value": image}]}
        ecs.register_task_definition(family=cluster, cpu="512", memory="1024", containerDefinitions=[container])
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}, "minimumHealthyPercent": 50, "maximumPercent": 150}
    ecs.create_service(
        cluster=cluster, serviceName="api", taskDefinition=f"{cluster}:1", desiredCount=0, deploymentConfiguration=breaker
    )

    def described():
        return ecs.describe_services(cluster=cluster, services=["api"])["services"][0]

    def is_completed():
        deployments = described()["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    eventually(is_completed)
    before = described()
    assert before["deploymentConfiguration"]["minimumHealthyPercent"] == 50
    forced = ecs.update_service(cluster=cluster, service="api", forceNewDeployment=True)["service"]
    assert forced["deployments"][0]["id"] != before["deployments"][0]["id"]
    assert forced["taskDefinition"] == before["taskDefinition"]
    eventually(lambda: described()["deployments"][0]["id"] == forced["deployments"][0]["id"] and is_completed())
    updated = ecs.update_service(cluster=cluster, service="api", taskDefinition=f"{cluster}:2")["service"]
    again = ecs.update_service(cluster=cluster, service="api", taskDefinition=f"{cluster}:2")["service"]
    assert updated["deployments"][0]["id"] == again["deployments"][0]["id"]
    eventually(is_completed)
    first = ecs.list_service_deployments(cluster=cluster, service="api", status=["SUCCESSFUL"], maxResults=2)
    rest = ecs.list_service_deployments(
        cluster=cluster, service="api", status=["SUCCESSFUL"], maxResults=2, nextToken=first["nextToken"]
    )
    briefs = first["serviceDeployments"] + rest["serviceDeployments"]
    revisions = [brief["targetServiceRevisionArn"] for brief in briefs]
    answer = ecs.describe_service_revisions(serviceRevisionArns=[*revisions, revisions[0] + "0"])
    told = [revision["taskDefinition"].rpartition(":")[2] for revision in answer["serviceRevisions"]]
    assert (told, [failure["reason"] for failure in answer["failures"]]) == (["2", "1", "1"], ["MISSING"])
    assert ecs.describe_task_definition(taskDefinition=f"{cluster}:2")["taskDefinition"]["cpu"] == "512"
    gone = ecs.deregister_task_definition(taskDefinition=f"{cluster}:1")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.update_service(cluster=cluster, service="api", taskDefinition=f"{cluster}:1")
    newest = ecs.list_task_definitions(familyPrefix=cluster, status="ACTIVE", sort="DESC")["taskDefinitionArns"]
    assert [arn.rpartition(":")[2] for arn in newest] == ["2"]


def test_a_one_off_task_is_one_for_its_token_and_needs_a_network(client):
    ecs = client("ecs")
    cluster = f"c-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    secret = client("secretsmanager").create_secret(Name=f"db-{uuid.uuid4().hex[:8]}", SecretString="x")["ARN"]
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/none", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}}
    container = {
        "name": "migration",
        "image": "migration:1",
        "command": ["npm", "run", "migrate"],
        "logConfiguration": log,
        "secrets": [{"name": "DB_PASSWORD", "valueFrom": secret}],
    }
    roles = {"taskRoleArn": "arn:aws:iam::111111111111:role/t", "executionRoleArn": "arn:aws:iam::111111111111:role/e"}
    for _ in range(2):
        ecs.register_task_definition(family=cluster, networkMode="awsvpc", containerDefinitions=[container], **roles)
    definition = ecs.describe_task_definition(taskDefinition=cluster)["taskDefinition"]
    assert (definition["revision"], definition["networkMode"], definition["taskRoleArn"]) == (2, "awsvpc", roles["taskRoleArn"])
    (shown,) = definition["containerDefinitions"]
    assert (shown["command"], shown["logConfiguration"]["options"]["awslogs-group"]) == (container["command"], "/none")
    listed = ecs.list_task_definitions(familyPrefix=cluster)["taskDefinitionArns"]
    assert [arn.rpartition(":")[2] for arn in listed] == ["1", "2"]
    task = {"cluster": cluster, "taskDefinition": f"{cluster}:2", "launchType": "FARGATE", "startedBy": "opsctl-migrate/dev", "group": "opsctl-1"}
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.run_task(**task)
    for subnets, groups in ((17, 1), (1, 6)):
        network = {"subnets": [f"subnet-{number}" for number in range(subnets)], "securityGroups": [f"sg-{number}" for number in range(groups)]}
        with pytest.raises(ecs.exceptions.InvalidParameterException):
            ecs.run_task(**task, networkConfiguration={"awsvpcConfiguration": network})
    task["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
    token = uuid.uuid4().hex
    (first,) = ecs.run_task(**task, clientToken=token)["tasks"]
    assert (first["group"], first["startedBy"], first["lastStatus"]) == ("opsctl-1", "opsctl-migrate/dev", "PROVISIONING")
    assert [again["taskArn"] for again in ecs.run_task(**task, clientToken=token)["tasks"]] == [first["taskArn"]]
    with pytest.raises(ecs.exceptions.ConflictException) as conflict:
        ecs.run_task(**{**task, "group": "other"}, clientToken=token)
    assert conflict.value.response["resourceIds"] == [first["taskArn"]]
    assert ecs.list_tasks(cluster=cluster, startedBy="opsctl-migrate/dev")["taskArns"] == [first["taskArn"]]
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.list_tasks(cluster=cluster, startedBy="opsctl-migrate/dev", family=cluster)

    def ended():
        (now,) = ecs.describe_tasks(cluster=cluster, tasks=[first["taskArn"]])["tasks"]
        return now if now["lastStatus"] == "STOPPED" else None

    stopped = eventually(ended, 60)
    assert stopped["stopCode"] == "TaskFailedToStart" and "log group does not exist" in stopped["stoppedReason"]
    assert "exitCode" not in stopped["containers"][0]


# --- CloudWatch Logs


def test_lines_are_put_and_read_forward_until_the_token_repeats(client):
    logs = client("logs")
    group, stream = f"/test/{uuid.uuid4().hex[:8]}", "ecs/app/1"
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName=group, logStreamName=stream)
    logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName=group, logStreamName=stream)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    server_now = shown["creationTime"]
    events = [{"timestamp": server_now + number, "message": f"line {number}"} for number in range(25)]
    assert now and "rejectedLogEventsInfo" not in logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    token, read = {}, []
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, limit=10, **token)
        read += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
    assert read == [f"line {number}" for number in range(25)]
    newest = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=2)
    assert [event["message"] for event in newest["events"]] == ["line 23", "line 24"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern='"line 7"')
    assert [event["message"] for page in pages for event in page["events"]] == ["line 7"]
    (described,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="ecs/")["logStreams"]
    assert described["lastEventTimestamp"] == server_now + 24
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.get_log_events(logGroupName=group, logStreamName=stream, nextToken="nonsense")
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=list(reversed(events)))
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName=group)


def test_scalable_targets_are_as_the_models_say(client):
    ecs, scaling = client("ecs"), client("application-autoscaling")
    cluster = f"c-{uuid.uuid4().hex[:8]}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family=cluster, containerDefinitions=[{"name": "app", "image": "app:1"}])
    ecs.create_service(cluster=cluster, serviceName="api", taskDefinition=cluster, desiredCount=0)
    target = {"ServiceNamespace": "ecs", "ResourceId": f"service/{cluster}/api", "ScalableDimension": "ecs:service:DesiredCount"}
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=4)
    answer = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[target["ResourceId"]])
    (shown,) = answer["ScalableTargets"]
    assert (shown["MinCapacity"], shown["MaxCapacity"], shown["SuspendedState"]["DynamicScalingInSuspended"]) == (2, 4, False)
    eventually(lambda: ecs.describe_services(cluster=cluster, services=["api"])["services"][0]["desiredCount"] == 2)
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []
    activities = scaling.describe_scaling_activities(ServiceNamespace="ecs", ResourceId=target["ResourceId"])["ScalingActivities"]
    assert [(one["StatusCode"], one["Cause"]) for one in activities] == [("Successful", "minimum capacity was set to 2")]
    with pytest.raises(scaling.exceptions.ValidationException):
        scaling.register_scalable_target(**target, MinCapacity=9, MaxCapacity=4)


def test_mappings_live_as_the_model_says(client, queue, arn_of):
    functions = client("lambda")
    name, role = f"f-{uuid.uuid4().hex[:8]}", "arn:aws:iam::123456789012:role/lambda"
    code = {"Runtime": "python3.13", "Handler": "app.handler", "Code": {"ZipFile": b""}}
    functions.create_function(FunctionName=name, Role=role, **code)
    with pytest.raises(functions.exceptions.ResourceConflictException):
        functions.create_function(FunctionName=name, Role=role, **code)
    assert functions.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    assert name in [shown["FunctionName"] for shown in functions.list_functions()["Functions"]]
    arns = [arn_of(queue()) for _ in range(3)]
    made = [
        functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, Enabled=False, BatchSize=5)["UUID"] for arn in arns
    ]
    pages = functions.get_paginator("list_event_source_mappings").paginate(FunctionName=name, PaginationConfig={"PageSize": 2})
    listed = [[shown["UUID"] for shown in page["EventSourceMappings"]] for page in pages]
    assert [len(page) for page in listed] == [2, 1] and sorted(sum(listed, [])) == sorted(made)
    (shown,) = functions.list_event_source_mappings(EventSourceArn=arns[1])["EventSourceMappings"]
    assert (shown["UUID"], shown["BatchSize"]) == (made[1], 5)
    with pytest.raises(functions.exceptions.ResourceInUseException):
        functions.update_event_source_mapping(UUID=made[0], Enabled=True)

    def state(number):
        return functions.get_event_source_mapping(UUID=made[number])["State"]

    eventually(lambda: state(0) == "Disabled", 20)
    assert functions.update_event_source_mapping(UUID=made[0], Enabled=True)["State"] == "Enabling"
    eventually(lambda: state(0) == "Enabled", 20)
    for wrong in ({"EventSourceArn": arns[0]}, {"EventSourceArn": arns[0] + "x"}, {}):
        with pytest.raises(ClientError):
            functions.create_event_source_mapping(FunctionName=name, **wrong)
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.list_event_source_mappings(FunctionName="nobody")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_event_source_mapping(UUID="00000000-0000-4000-8000-000000000000")
    assert functions.delete_event_source_mapping(UUID=made[0])["State"] == "Deleting"


def test_alarms_and_their_history(client):
    cloudwatch = client("cloudwatch")
    name = f"alarm-{time.time_ns()}"
    watched = {"Namespace": name, "MetricName": "Work", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 2}
    limit = {"Threshold": 10, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}
    cloudwatch.put_metric_alarm(AlarmName=name, AlarmDescription="busy", AlarmActions=["arn:aws:sns:eu-west-1:1:x"], **watched, **limit)
    cloudwatch.put_composite_alarm(AlarmName=f"{name}-all", AlarmRule=f'ALARM("{name}") OR FALSE')
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"], alarm["ActionsEnabled"]) == ("INSUFFICIENT_DATA", 10.0, True)
    assert alarm["StateTransitionedTimestamp"].tzinfo is not None
    assert cloudwatch.describe_alarms(AlarmNames=[f"{name}-all"])["CompositeAlarms"] == []
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test", StateReasonData='{"a":1}')
    both = cloudwatch.describe_alarms(AlarmNamePrefix=name, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert [alarm["StateValue"] for alarm in both["MetricAlarms"] + both["CompositeAlarms"]] == ["ALARM", "ALARM"]
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(AlarmName=name, PaginationConfig={"PageSize": 1})
    items = [item for page in pages for item in page["AlarmHistoryItems"]]
    assert [item["HistoryItemType"] for item in items] == ["Action", "StateUpdate", "ConfigurationUpdate"]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["ActionsEnabled"] is False
    cloudwatch.delete_alarms(AlarmNames=[f"{name}-all", name])
    assert cloudwatch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"] == []


def test_alarm_mute_rules(client):
    cloudwatch = client("cloudwatch")
    name = f"muted-{time.time_ns()}"
    limit = {"EvaluationPeriods": 1, "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName=name, Namespace="Mine", MetricName="Work", Statistic="Maximum", Period=60, **limit)
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    schedule = {"Expression": at.strftime("at(%Y-%m-%dT%H:%M)"), "Duration": "PT4H", "Timezone": "UTC"}
    targets = {"AlarmNames": [name]}
    cloudwatch.put_alarm_mute_rule(Name=name, Description="quiet", Rule={"Schedule": schedule}, MuteTargets=targets)
    rule = cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=name)
    assert (rule["Rule"]["Schedule"], rule["MuteTargets"], rule["Status"]) == (schedule, targets, "ACTIVE")
    (summary,) = cloudwatch.list_alarm_mute_rules(AlarmName=name, Statuses=["ACTIVE"])["AlarmMuteRuleSummaries"]
    assert summary["AlarmMuteRuleArn"].endswith(f":alarm-mute-rule:{name}")
    assert summary["LastUpdatedTimestamp"].tzinfo is not None
    for _ in range(2):
        cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName=name)
    with pytest.raises(cloudwatch.exceptions.ResourceNotFoundException):
        cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=name)
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_what_alarms_refuse_has_its_class(client):
    cloudwatch = client("cloudwatch")
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.set_alarm_state(AlarmName="nothing", StateValue="OK", StateReason="x")
    with pytest.raises(cloudwatch.exceptions.InvalidNextToken):
        cloudwatch.describe_alarms(NextToken="nonsense")
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(nothing-of-that-name)")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
