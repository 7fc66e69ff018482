"""Fixtures for judging a served endpoint with boto3: clients, queues, and a check of every answer against botocore's model."""

import itertools
import os
import uuid

import boto3
import pytest
from botocore.config import Config

from model_check import hold_to_model

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def endpoint():
    return os.environ["OPSCTL_TEST_ENDPOINT"]


@pytest.fixture
def client(endpoint):
    """-> makes a client of a service, of which every answer is held to the service's model"""
    answers = []

    def make(service, region=REGION, access_key="AKIAEXAMPLE", secret="secret", token=None, retries=1):
        made = boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": retries, "mode": "standard"}, connect_timeout=5, read_timeout=30),
        )
        hold_to_model(made, answers)
        return made

    yield make
    broken = list(itertools.chain.from_iterable(answers))
    assert not broken, "answers unlike botocore's model:\n" + "\n".join(broken)


@pytest.fixture
def sqs(client):
    return client("sqs")


@pytest.fixture
def queue(sqs):
    """-> makes queues with names of their own, and deletes them at the end"""
    made = []

    def make(suffix="", **attributes):
        url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:10]}{suffix}", Attributes=attributes)["QueueUrl"]
        made.append(url)
        return url

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def arn_of(sqs):
    return lambda url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
