"""boto3 against a served endpoint: what a person in a drill makes, breaks and looks at from another terminal."""

import io
import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def eventually(check, seconds_max=40):
    deadline = time.monotonic() + seconds_max
    while not (answer := check()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.2)
    return answer


def code(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


@pytest.fixture
def topic(client, queue, arn_of):
    sns = client("sns")
    arn = sns.create_topic(Name=name("t"), Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
    url = queue()
    subscription = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(url), Attributes={"RawMessageDelivery": "true"})
    yield sns, arn, subscription["SubscriptionArn"], url
    sns.delete_topic(TopicArn=arn)


def test_a_topic_delivers_to_its_queues(topic, sqs):
    sns, arn, subscription, url = topic
    colour = {"colour": {"DataType": "String", "StringValue": "red"}, "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    sns.publish(TopicArn=arn, Message="first", MessageAttributes=colour)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"]
    assert (message["Body"], message["MessageAttributes"]) == ("first", colour)
    policy = json.dumps({"colour": [{"anything-but": "red"}]})
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue=policy)
    entries = [{"Id": "a", "Message": "red", "MessageAttributes": colour}, {"Id": "b", "Message": "none"}]
    assert len(sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)["Successful"]) == 2
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]["FilterPolicy"] == policy
    assert arn in [each["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for each in page["Topics"]]
    assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"][0]["Protocol"] == "sqs"
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsConfirmed"] == "1"
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{arn}-none", Message="x")


def test_a_long_poll_wakes_by_what_is_published(topic, sqs):
    sns, arn, _, url = topic
    started = time.monotonic()
    sns.publish(TopicArn=arn, Message="x")
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert time.monotonic() - started < 5


def test_databases_are_made_changed_and_deleted(client):
    rds = client("rds")
    cluster, instance = name("c"), name("i")
    made = rds.create_db_cluster(DBClusterIdentifier=cluster, Engine="aurora-postgresql", MasterUsername="admin", DeletionProtection=True)
    assert made["DBCluster"]["Status"] == "creating" and made["DBCluster"]["DeletionProtection"]
    made = rds.create_db_instance(
        DBInstanceIdentifier=instance, DBInstanceClass="db.t4g.small", Engine="postgres", AllocatedStorage=20,
        EnableIAMDatabaseAuthentication=True, VpcSecurityGroupIds=["sg-1"], Tags=[{"Key": "team", "Value": "a"}],
    )["DBInstance"]
    assert (made["DBInstanceStatus"], made["IAMDatabaseAuthenticationEnabled"]) == ("creating", True)
    assert made["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres16"
    assert code(rds.modify_db_instance, DBInstanceIdentifier=instance, DBInstanceClass="db.t4g.large") == "InvalidDBInstanceState"
    assert code(rds.stop_db_cluster, DBClusterIdentifier=cluster) == "InvalidDBClusterStateFault"
    assert code(rds.delete_db_cluster, DBClusterIdentifier=cluster, SkipFinalSnapshot=True) == "InvalidParameterCombination"
    rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    assert rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]["DBInstanceStatus"] == "deleting"


def test_a_task_ends_as_its_command_says(client):
    ecs, logs = client("ecs"), client("logs")
    cluster = name("c")
    ecs.create_cluster(clusterName=cluster)
    logs.create_log_group(logGroupName=f"/{cluster}")
    options = {"awslogs-group": f"/{cluster}", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}
    container = {"name": "app", "image": "app:1", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    ecs.register_task_definition(family=cluster, networkMode="awsvpc", containerDefinitions=[container])
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    command = ["sh", "-c", "echo begins; sleep 1; exit 3"]
    overrides = {"containerOverrides": [{"name": "app", "command": command}]}
    (task,) = ecs.run_task(cluster=cluster, taskDefinition=cluster, networkConfiguration=network, overrides=overrides)["tasks"]
    look = lambda: ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"][0]  # noqa: E731
    stopped = eventually(lambda: (told := look())["lastStatus"] == "STOPPED" and told)
    assert (stopped["stopCode"], stopped["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)
    assert stopped["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert stopped["pullStartedAt"] <= stopped["pullStoppedAt"] <= stopped["startedAt"] <= stopped["stoppedAt"]

    now = int(time.time())
    query = "fields @message | filter @message like /beg/ | stats count(*) as n"
    started = logs.start_query(logGroupName=f"/{cluster}", startTime=now - 600, endTime=now + 60, queryString=query)
    results = eventually(lambda: (told := logs.get_query_results(queryId=started["queryId"]))["status"] == "Complete" and told)
    assert results["results"] == [[{"field": "n", "value": "1"}]]
    assert logs.describe_queries()["queries"][0]["queryId"] == started["queryId"]

    service = {"cluster": cluster, "serviceName": "s", "taskDefinition": cluster, "desiredCount": 0, "networkConfiguration": network}
    ecs.create_service(**service)
    assert ecs.delete_service(cluster=cluster, service="s")["service"]["status"] == "DRAINING"


def test_an_alarm_of_ten_seconds_goes_off_within_thirty(client):
    cloudwatch = client("cloudwatch")
    namespace = name("N")
    cloudwatch.put_metric_alarm(
        AlarmName=namespace, Namespace=namespace, MetricName="m", Statistic="Maximum", Period=10, EvaluationPeriods=1,
        Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "m", "Value": 5.0, "StorageResolution": 1}])
    started = time.monotonic()
    state = lambda: cloudwatch.describe_alarms(AlarmNames=[namespace])["MetricAlarms"][0]["StateValue"]  # noqa: E731
    eventually(lambda: state() == "ALARM")
    assert time.monotonic() - started < 30
    now = time.time()
    told = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="m", StartTime=now - 600, EndTime=now + 60, Period=60, Statistics=["Sum", "Maximum"]
    )
    assert sum(point["Sum"] for point in told["Datapoints"]) == 5.0
    stat = {"Metric": {"Namespace": namespace, "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "m1", "MetricStat": stat, "ReturnData": False}, {"Id": "e", "Expression": "m1 * 2 / PERIOD(m1)"}]
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=now - 600, EndTime=now + 60)["MetricDataResults"]
    assert result["Values"] == pytest.approx([10 / 60])


def test_functions_secrets_rules_and_policies(client, queue, arn_of, sqs):
    functions = client("lambda")
    function = name("f")
    functions.create_function(FunctionName=function, Role="arn:aws:iam::123456789012:role/r", Code={"ZipFile": b"x"})
    answer = functions.invoke(FunctionName=function, Payload=io.BytesIO(b"{}"))
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b"null")
    assert functions.invoke(FunctionName=function, InvocationType="Event")["StatusCode"] == 202
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    assert code(functions.invoke, FunctionName=function) == "TooManyRequestsException"

    secrets = client("secretsmanager")
    secret = name("s")
    arn = secrets.create_secret(Name=secret, SecretString="one")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    assert secrets.get_secret_value(SecretId=secret)["SecretString"] == "two"
    secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=7)
    assert code(secrets.get_secret_value, SecretId=secret) == "InvalidRequestException"

    events, url, rule = client("events"), queue(), name("r")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn_of(url)}])
    events.put_events(Entries=[{"Source": rule, "DetailType": "Order", "Detail": "{}"}])
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["detail-type"] == "Order"
    events.remove_targets(Rule=rule, Ids=["q"])
    events.delete_rule(Name=rule)

    scaling, elb = client("application-autoscaling"), client("elbv2")
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    elb.create_target_group(Name=name("g"), Port=80, Protocol="HTTP", TargetType="ip")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    assert balancer["State"]["Code"] == "active"
    assert elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
