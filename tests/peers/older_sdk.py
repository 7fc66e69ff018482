"""An SDK from before November 2023 against a served endpoint: SQS and CloudWatch over awsQuery, forms in and XML out.

    OPSCTL_TEST_ENDPOINT=http://127.0.0.1:PORT python older_sdk.py

Runs without pytest: the newest pytest and a botocore of 2023 do not agree on what they are installed with.
"""

import datetime
import hashlib
import json
import os
import sys
import traceback
import urllib.request
import uuid

import botocore.session
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ENDPOINT = os.environ["OPSCTL_TEST_ENDPOINT"]
REGION = "eu-west-1"
ATTRIBUTES = {
    "partnerId": {"DataType": "String", "StringValue": "PARTNER_Ä <&>"},
    "price": {"DataType": "Number.decimal", "StringValue": "3.14"},
    "raw": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
}
# XML keeps what the message was: what it must escape, and white space that readers tend to eat.
BODIES = ["plain", '{"a": [1, "<&>"]}', "tab\tline\nreturn\r", " \n leading and trailing \n ", "ä€🙂", "]]>", "&#13;"]


def make_client(service="sqs", region=REGION):
    session = botocore.session.get_session()
    session.set_credentials("111111111111", "secret")
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=5, read_timeout=30)
    made = session.create_client(service, region_name=region, endpoint_url=ENDPOINT, config=config)
    assert made.meta.service_model.metadata["protocol"] == "query", "an SDK that is not old enough"
    return made


def make_queue(sqs, suffix="", **attributes):
    return sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:10]}{suffix}", Attributes=attributes)["QueueUrl"]


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, url, **more):
    names = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10, **more}
    return sqs.receive_message(QueueUrl=url, **names).get("Messages", [])


def move(sqs, source, destination):
    """The serial mover that every team has: one message at a time, sent with what it carries, then deleted -> how many"""
    moved = 0
    while messages := receive(sqs, source, MaxNumberOfMessages=1, WaitTimeSeconds=1):
        (message,) = messages
        more = {"MessageAttributes": message["MessageAttributes"]} if "MessageAttributes" in message else {}
        if destination.endswith(".fifo"):
            system = message["Attributes"]
            more |= {"MessageGroupId": system["MessageGroupId"], "MessageDeduplicationId": system["MessageDeduplicationId"]}
        sent = sqs.send_message(QueueUrl=destination, MessageBody=message["Body"], **more)
        assert sent["MD5OfMessageBody"] == message["MD5OfBody"]
        sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def test_every_operation_of_sqs_goes_round():
    sqs = make_client()
    called = set()
    sqs.meta.events.register("before-call.sqs", lambda model, **_: called.add(model.name))
    url = make_queue(sqs, VisibilityTimeout="45")
    name = url.rpartition("/")[2]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    assert sqs.list_queues(QueueNamePrefix=name)["QueueUrls"] == [url]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0", "VisibilityTimeout": "50"})
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "50" and attributes["QueueArn"].endswith(name), attributes
    sqs.tag_queue(QueueUrl=url, Tags={"team": "a", "owner": "b"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["owner"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a"}
    sqs.add_permission(QueueUrl=url, Label="other", AWSAccountIds=["222222222222"], Actions=["SendMessage", "GetQueueUrl"])
    sqs.remove_permission(QueueUrl=url, Label="other")

    sent = sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=ATTRIBUTES)
    (message,) = receive(sqs, url)
    assert (message["MessageId"], message["MessageAttributes"]) == (sent["MessageId"], ATTRIBUTES)
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (message,) = receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    entries = [{"Id": f"e{number}", "MessageBody": f"body {number}", "MessageAttributes": ATTRIBUTES} for number in range(10)]
    entries[3]["DelaySeconds"] = 901
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Failed"]] == ["e3"] and len(answer["Successful"]) == 9
    assert (answer["Failed"][0]["Code"], answer["Failed"][0]["SenderFault"]) == ("InvalidParameterValue", True)
    handles = [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in enumerate(receive(sqs, url))]
    hidden = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 60} for entry in handles])
    assert len(hidden["Successful"]) == len(handles) and not hidden.get("Failed")
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=handles)
    assert len(deleted["Successful"]) == len(handles) and not deleted.get("Failed")
    sqs.purge_queue(QueueUrl=url)

    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, url), "maxReceiveCount": 1})
    source = make_queue(sqs, RedrivePolicy=policy, VisibilityTimeout="0")
    assert sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"] == [source]
    sqs.send_message(QueueUrl=source, MessageBody="dies")
    receive(sqs, source), receive(sqs, source)
    task = sqs.start_message_move_task(SourceArn=arn_of(sqs, url), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    (running,) = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, url), MaxResults=1)["Results"]
    assert running["SourceArn"] == arn_of(sqs, url) and running["StartedTimestamp"] > 1_600_000_000_000, running
    try:
        assert sqs.cancel_message_move_task(TaskHandle=task)["ApproximateNumberOfMessagesMoved"] >= 0
    except ClientError as error:  # it was faster
        assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
    sqs.delete_queue(QueueUrl=source)
    sqs.delete_queue(QueueUrl=url)
    missing = set(sqs.meta.service_model.operation_names) - called
    assert not missing, missing


def test_bodies_come_back_as_they_were_sent():
    sqs = make_client()
    url = make_queue(sqs)
    for body in BODIES:
        sqs.send_message(QueueUrl=url, MessageBody=body)
        (message,) = receive(sqs, url)
        assert message["Body"] == body, (body, message["Body"])
        assert message["MD5OfBody"] == hashlib.md5(body.encode()).hexdigest()
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_serial_mover_takes_dead_letters_home():
    sqs = make_client()
    for suffix, more in (("", {}), (".fifo", {"FifoQueue": "true"})):
        dead_letters, source = make_queue(sqs, f"-dlq{suffix}", **more), make_queue(sqs, suffix, **more)
        for number in range(12):
            group = {"MessageGroupId": f"g{number % 3}", "MessageDeduplicationId": str(number)} if suffix else {}
            sqs.send_message(QueueUrl=dead_letters, MessageBody=f"{number:02}", MessageAttributes=ATTRIBUTES, **group)
        assert move(sqs, dead_letters, source) == 12
        arrived = []
        while messages := receive(sqs, source):
            assert all(message["MessageAttributes"] == ATTRIBUTES for message in messages)
            arrived += messages
            for message in messages:
                sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        assert sorted(message["Body"] for message in arrived) == [f"{number:02}" for number in range(12)]
        if suffix:
            for group in ("g0", "g1", "g2"):
                of_it = [message["Body"] for message in arrived if message["Attributes"]["MessageGroupId"] == group]
                assert of_it == sorted(of_it), of_it


MISSING = f"{ENDPOINT}/111111111111/missing"
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
# What is called, and code, status and (a part of) the words of the error.
ERRORS = [
    (lambda sqs, _: sqs.get_queue_attributes(QueueUrl=MISSING), NO_QUEUE, 400, "does not exist for this wsdl version."),
    (lambda sqs, _: sqs.get_queue_url(QueueName="missing"), NO_QUEUE, 400, "does not exist for this wsdl version."),
    (lambda sqs, url: sqs.create_queue(QueueName=url.rpartition("/")[2], Attributes={"DelaySeconds": "7"}), "QueueAlreadyExists", 400, "DelaySeconds"),
    (lambda sqs, url: sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense"), "ReceiptHandleIsInvalid", 404, "receipt handle"),
    (lambda sqs, url: sqs.send_message_batch(QueueUrl=url, Entries=[]), "AWS.SimpleQueueService.EmptyBatchRequest", 400, "at least one"),
    (lambda sqs, url: sqs.send_message(QueueUrl=url, MessageBody=""), "MissingParameter", 400, "MessageBody"),
    (lambda sqs, url: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=11), "InvalidParameterValue", 400, "MaxNumberOfMessages"),
    (lambda sqs, url: [sqs.purge_queue(QueueUrl=url) for _ in range(2)], "AWS.SimpleQueueService.PurgeQueueInProgress", 403, "60 seconds"),
    (lambda sqs, url: sqs.start_message_move_task(SourceArn=arn_of(sqs, url)), "InvalidParameterValue", 400, "Dead Letter Queue"),
]


def test_errors_have_the_codes_that_older_programs_compare_with():
    sqs = make_client()
    url = make_queue(sqs)
    for call, code, status, words in ERRORS:
        try:
            call(sqs, url)
        except ClientError as error:
            response = error.response
            assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), response
            assert response["Error"]["Type"] == "Sender" and response["ResponseMetadata"]["RequestId"], response
            assert words in response["Error"]["Message"], response
        else:
            raise AssertionError(f"no {code}")
    assert issubclass(sqs.exceptions.QueueDoesNotExist, ClientError)
    try:
        sqs.get_queue_url(QueueName="missing")
    except sqs.exceptions.QueueDoesNotExist:
        pass


def test_two_regions_queues_of_one_name_are_two():
    name = f"q-{uuid.uuid4().hex[:10]}"
    clients = {region: make_client(region=region) for region in (REGION, "us-west-2")}
    urls = {region: sqs.create_queue(QueueName=name)["QueueUrl"] for region, sqs in clients.items()}
    assert len(set(urls.values())) == 2, urls
    for region, sqs in clients.items():
        sqs.send_message(QueueUrl=urls[region], MessageBody=region)
    for region, sqs in clients.items():
        assert [message["Body"] for message in receive(sqs, urls[region])] == [region]
    try:
        clients["us-west-2"].receive_message(QueueUrl=urls[REGION].replace("/111", f"/{REGION}/111"))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidAddress", error
    else:
        raise AssertionError("a URL led to another region")


def test_a_signed_url_alone_is_a_call():
    sqs = make_client()
    url = make_queue(sqs)
    asked = AWSRequest("GET", url, params={"Action": "SendMessage", "MessageBody": "by link", "Version": "2012-11-05"})
    SigV4QueryAuth(Credentials("111111111111", "secret"), "sqs", REGION).add_auth(asked)
    with urllib.request.urlopen(asked.prepare().url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/xml" and b"<SendMessageResponse" in answer.read()
    (message,) = receive(sqs, url)
    assert message["Body"] == "by link"


def test_cloudwatch_is_spoken_to_likewise():
    cloudwatch = make_client("cloudwatch")
    name = f"Test{uuid.uuid4().hex[:8]}"
    datum = {"MetricName": "Work", "Dimensions": [{"Name": "Thing", "Value": "7"}], "Value": 2.5}
    cloudwatch.put_metric_data(Namespace=name, MetricData=[datum, {**datum, "Value": 3.5}])
    now = datetime.datetime.now(datetime.timezone.utc)
    period = {"StartTime": now - datetime.timedelta(minutes=10), "EndTime": now + datetime.timedelta(minutes=2)}
    metric = {"Namespace": name, "MetricName": "Work", "Dimensions": datum["Dimensions"]}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": True}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query], **period)["MetricDataResults"]
    assert sum(result["Values"]) == 6.0 and result["Timestamps"][0].tzinfo, result
    assert cloudwatch.list_metrics(Namespace=name)["Metrics"] == [metric]
    alarm = {"AlarmName": name, **metric, "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.5, "Statistic": "Maximum"}
    cloudwatch.put_metric_alarm(**alarm, ComparisonOperator="GreaterThanThreshold")
    (told,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (told["Threshold"], told["Dimensions"], told["ActionsEnabled"]) == (1.5, datum["Dimensions"], True), told
    cloudwatch.delete_alarms(AlarmNames=[name])


def main():
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    failed = 0
    for name, test in tests.items():
        try:
            test()
            print(f"ok      {name}")
        except Exception:
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
