"""boto3 against a served endpoint that holds the fleet: databases, and what relays outboxes.

    OPSCTL_TEST_ENDPOINT=http://127.0.0.1:PORT pytest boto3_fleet.py
"""

import json
import time

import pytest
from botocore.exceptions import ClientError


def eventually(check, seconds_max=10):
    deadline = time.monotonic() + seconds_max
    while not (answer := check()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
    return answer


def test_databases_fail_over_and_say_so(client):
    rds = client("rds", region="af-south-1", access_key="111111111111")
    pages = rds.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20})
    instances = {instance["DBInstanceIdentifier"]: instance for page in pages for instance in page["DBInstances"]}
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier="nexusstream-dev")["DBClusters"]
    writer, reader = sorted(cluster["DBClusterMembers"], key=lambda member: not member["IsClusterWriter"])
    assert {writer["DBInstanceIdentifier"], reader["DBInstanceIdentifier"]} <= set(instances)
    assert (writer["IsClusterWriter"], reader["IsClusterWriter"]) == (True, False)
    target = reader["DBInstanceIdentifier"]
    begun = rds.failover_db_cluster(DBClusterIdentifier="nexusstream-dev", TargetDBInstanceIdentifier=target)
    assert begun["DBCluster"]["Status"] == "failing-over"
    with pytest.raises(rds.exceptions.InvalidDBClusterStateFault):
        rds.failover_db_cluster(DBClusterIdentifier="nexusstream-dev")
    (event,) = rds.describe_events(SourceType="db-cluster", SourceIdentifier="nexusstream-dev")["Events"]
    assert event["Message"] == f"Started cross AZ failover to DB instance: {target}"
    assert event["EventCategories"] == ["failover"]

    def writes():
        (now,) = rds.describe_db_clusters(DBClusterIdentifier="nexusstream-dev")["DBClusters"]
        return [member["DBInstanceIdentifier"] for member in now["DBClusterMembers"] if member["IsClusterWriter"]] == [target]

    eventually(writes, 20)
    by_cluster = [{"Name": "db-cluster-id", "Values": ["nexusstream-dev"]}]
    assert len(rds.describe_db_instances(Filters=by_cluster)["DBInstances"]) == 2
    assert rds.describe_global_clusters()["GlobalClusters"] == []


def test_a_service_behind_a_load_balancer_has_targets(client):
    ecs, balancers = (client(name, region="af-south-1", access_key="333333333333") for name in ("ecs", "elbv2"))
    (service,) = ecs.describe_services(cluster="wallet-service-cluster-prod", services=["wallet-service"])["services"]
    (balancer,) = service["loadBalancers"]
    (group,) = balancers.describe_target_groups(TargetGroupArns=[balancer["targetGroupArn"]])["TargetGroups"]
    assert (group["TargetGroupName"], group["Port"]) == ("wallet-service-prod", balancer["containerPort"])
    pages = balancers.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    assert {"cts-prod", "kong-prod", "wallet-service-prod"} <= {group["TargetGroupName"] for page in pages for group in page["TargetGroups"]}
    targets = balancers.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert [target["TargetHealth"] for target in targets] == [{"State": "healthy"}] * service["desiredCount"]
    assert all(target["Target"]["Port"] == 8080 for target in targets)
    with pytest.raises(balancers.exceptions.TargetGroupNotFoundException):
        balancers.describe_target_health(TargetGroupArn=group["TargetGroupArn"] + "0")


def test_what_rds_refuses_has_its_class(client):
    rds = client("rds", region="af-south-1", access_key="333333333333")
    with pytest.raises(rds.exceptions.DBClusterNotFoundFault):
        rds.describe_db_clusters(DBClusterIdentifier="nothing")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.reboot_db_instance(DBInstanceIdentifier="nothing", ForceFailover=True)
    with pytest.raises(ClientError) as refused:
        rds.describe_events(SourceIdentifier="wallet-prod")
    assert refused.value.response["Error"]["Code"] == "InvalidParameterCombination"
    actions = rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"]
    assert [action["ResourceIdentifier"].rpartition(":")[2] for action in actions] == ["wallet-prod"]
    rebooting = rds.reboot_db_instance(DBInstanceIdentifier="kong-db", ForceFailover=True)["DBInstance"]
    assert rebooting["DBInstanceStatus"] == "rebooting" and rebooting["MultiAZ"]


def test_alarms_say_what_is_wrong_in_the_fleet(client):
    for account, wrong in [("222222222222", "nucleus-recon-deployment-stuck"), ("333333333333", "wallet-movements-lag")]:
        cloudwatch = client("cloudwatch", region="af-south-1", access_key=account)
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        states = {alarm["AlarmName"]: alarm["StateValue"] for page in pages for sort in ("MetricAlarms", "CompositeAlarms") for alarm in page[sort]}
        assert states[wrong] == "ALARM"
        assert {"OK", "ALARM"} <= set(states.values())


def test_services_and_instances_have_metrics(client):
    cloudwatch = client("cloudwatch", region="af-south-1", access_key="333333333333")
    schemas = {
        "cpu": ("AWS/ECS,ClusterName,ServiceName", "CPUUtilization"),
        "connections": ("AWS/RDS,DBInstanceIdentifier", "DatabaseConnections"),
        "lag": ('AWS/Kafka,"Cluster Name","Consumer Group",Topic', "SumOffsetLag"),
    }
    queries = [
        {"Id": name, "Expression": f"SEARCH('{{{schema}}} MetricName=\"{metric}\"', 'Average', 60)", "Label": "${PROP('MetricName')}"}
        for name, (schema, metric) in schemas.items()
    ]
    end = time.time()
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=end - 1800, EndTime=end)["MetricDataResults"]
    counts = {name: sum(result["Id"] == name and bool(result["Values"]) for result in results) for name in schemas}
    assert counts["cpu"] > 20 and counts["connections"] > 8 and counts["lag"] == 2, counts


def test_a_migration_of_the_fleet_writes_its_log_and_ends(client):
    ecs, logs = (client(name, region="af-south-1", access_key="111111111111") for name in ("ecs", "logs"))
    cluster, group = "wallet-service-cluster-dev", "/aws/ecs/WalletMigrations"
    (service,) = ecs.describe_services(cluster=cluster, services=["wallet-service"])["services"]
    network = service["networkConfiguration"]
    (task,) = ecs.run_task(cluster=cluster, taskDefinition="wallet-service-migration", launchType="FARGATE", networkConfiguration=network)["tasks"]
    stream = f"ecs/wallet-service-migration/{task['taskArn'].rpartition('/')[2]}"

    def lines():
        try:
            return logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []

    first = eventually(lines, 60)
    assert first[0]["message"].startswith("> wallet-service@")
    ecs.stop_task(cluster=cluster, task=task["taskArn"])
    served = logs.filter_log_events(logGroupName="/aws/ecs/wallet-service", filterPattern="INFO", limit=5)
    assert len(served["events"]) == 5


# --- outboxes: who relays them, and the databases that hold them


def test_rules_are_read_disabled_and_enabled(client):
    events = client("events", region="af-south-1", access_key="333333333333")
    rules = {rule["Name"]: rule for rule in events.list_rules(NamePrefix="cts-")["Rules"]}
    name = "cts-outbox-worker-every-minute"
    assert (rules[name]["State"], rules[name]["ScheduleExpression"]) == ("DISABLED", "rate(1 minute)")
    first = events.list_rules(Limit=1)
    second = events.list_rules(Limit=100, NextToken=first["NextToken"])
    assert len(second["Rules"]) >= 3 and first["Rules"][0]["Name"] not in {rule["Name"] for rule in second["Rules"]}
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert target["Arn"].endswith(":function:cts-outbox-worker")
    assert events.list_rule_names_by_target(TargetArn=target["Arn"])["RuleNames"] == [name]
    assert events.describe_rule(Name=name, EventBusName="default")["CreatedBy"] == "333333333333"
    for does, state in [(events.enable_rule, "ENABLED"), (events.disable_rule, "DISABLED")]:
        does(Name=name)
        assert events.describe_rule(Name=name)["State"] == state
    for refused in (events.describe_rule, events.enable_rule, events.disable_rule):
        with pytest.raises(events.exceptions.ResourceNotFoundException):
            refused(Name="nothing")
    with pytest.raises(events.exceptions.ResourceNotFoundException):
        events.list_targets_by_rule(Rule=name, EventBusName="nothing")


def test_reserved_concurrency_is_read_set_and_taken_away(client):
    functions = client("lambda", region="af-south-1", access_key="333333333333")
    name = "directory-outbox-worker"
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 0
    assert functions.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)["ReservedConcurrentExecutions"] == 3
    functions.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    assert functions.get_function_configuration(FunctionName=name)["FunctionName"] == name
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
    for call in (functions.get_function_concurrency, functions.delete_function_concurrency, functions.get_function_configuration):
        with pytest.raises(functions.exceptions.ResourceNotFoundException):
            call(FunctionName="nothing")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


def test_secrets_are_found_by_name_and_by_arn(client):
    secrets, ssm = (client(name, region="af-south-1", access_key="333333333333") for name in ("secretsmanager", "ssm"))
    arn = ssm.get_parameter(Name="/storo/prod/rds/secret/arn")["Parameter"]["Value"]
    by_arn, by_name = (secrets.get_secret_value(SecretId=one) for one in (arn, "storo/prod/rds"))
    assert by_arn["SecretString"] == by_name["SecretString"] and json.loads(by_arn["SecretString"])["username"] == "storo_app"
    assert by_arn["VersionStages"] == ["AWSCURRENT"]
    through = ssm.get_parameter(Name="/aws/reference/secretsmanager/storo/prod/rds", WithDecryption=True)["Parameter"]
    assert (through["Value"], through["Type"]) == (by_arn["SecretString"], "SecureString")
    described = secrets.describe_secret(SecretId=arn)
    assert (described["ARN"], described["VersionIdsToStages"]) == (arn, {by_arn["VersionId"]: ["AWSCURRENT"]})
    pages = secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1})
    assert {"storo/prod/rds"} <= {secret["Name"] for page in pages for secret in page["SecretList"]}
    for request in ({"SecretId": "nothing"}, {"SecretId": arn, "VersionStage": "AWSPREVIOUS"}):
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.get_secret_value(**request)
    with pytest.raises(secrets.exceptions.InvalidNextTokenException):
        secrets.list_secrets(NextToken="nothing")


def data_api(client, account="333333333333", environment="prod"):
    """-> the client, and what every call needs"""
    cluster = f"arn:aws:rds:af-south-1:{account}:cluster:storo-{environment}"
    to = {"resourceArn": cluster, "secretArn": f"storo/{environment}/rds", "database": "storo_cts"}
    return client("rds-data", region="af-south-1", access_key=account), to


def test_the_data_api_runs_statements_on_an_outbox(client):
    data, to = data_api(client)
    counted = data.execute_statement(**to, sql="SELECT state, count(*) AS rows FROM outbox_transfers GROUP BY state", includeResultMetadata=True)
    rows = {state["stringValue"]: count["longValue"] for state, count in counted["records"]}
    assert rows["PENDING"] > 100 and rows["FAILED"] == 7, rows
    assert [column["name"] for column in counted["columnMetadata"]] == ["state", "rows"]
    values = {"n": {"isNull": True}, "l": {"longValue": 7}, "d": {"doubleValue": 1.5}, "s": {"stringValue": "it's"}, "b": {"blobValue": b"\x00\xff"}}
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    (row,) = data.execute_statement(**to, sql="SELECT :n, :l, :d, :s, :b", parameters=parameters)["records"]
    assert row == list(values.values())
    formatted = data.execute_statement(**to, sql="SELECT 1 AS a, 'x' AS b", formatRecordsAs="JSON")["formattedRecords"]
    assert json.loads(formatted) == [{"a": 1, "b": "x"}]


def test_the_data_api_has_transactions(client):
    data, to = data_api(client)
    where = {name: to[name] for name in ("resourceArn", "secretArn")}
    count = lambda **more: data.execute_statement(**to, sql="SELECT count(*) FROM parked", **more)["records"][0][0]["longValue"]
    data.execute_statement(**to, sql="CREATE TABLE parked (id TEXT PRIMARY KEY)")
    for end, left in [(data.rollback_transaction, 0), (data.commit_transaction, 2)]:
        transaction = data.begin_transaction(**to)["transactionId"]
        ids = [[{"name": "id", "value": {"stringValue": one}}] for one in ("a", "b")]
        done = data.batch_execute_statement(**to, sql="INSERT INTO parked VALUES (:id)", parameterSets=ids, transactionId=transaction)
        assert len(done["updateResults"]) == 2
        assert (count(transactionId=transaction), count()) == (2, 0)
        assert end(**where, transactionId=transaction)["transactionStatus"]
        assert count() == left
        with pytest.raises(data.exceptions.TransactionNotFoundException):
            end(**where, transactionId=transaction)
    assert data.execute_statement(**to, sql="DELETE FROM parked")["numberOfRecordsUpdated"] == 2
    data.execute_statement(**to, sql="DROP TABLE parked")


def test_what_the_data_api_refuses_has_its_class(client):
    data, to = data_api(client)
    for more, expected in [
        ({"sql": "SELECT * FROM nowhere"}, data.exceptions.DatabaseErrorException),
        ({"sql": "SELECT 1", "database": "nowhere"}, data.exceptions.DatabaseNotFoundException),
        ({"sql": "SELECT 1", "secretArn": "storo/prod/nothing"}, data.exceptions.SecretsErrorException),
        ({"sql": "SELECT 1", "resourceArn": to["resourceArn"].replace("storo-prod", "wallet-prod")}, data.exceptions.HttpEndpointNotEnabledException),
        ({"sql": "SELECT 1", "transactionId": "nothing"}, data.exceptions.TransactionNotFoundException),
        ({"sql": "SELECT hex(zeroblob(1000000))"}, data.exceptions.BadRequestException),
    ]:
        with pytest.raises(expected):
            data.execute_statement(**{**to, **more})


def test_a_paused_database_resumes(client):
    data, to = data_api(client, "111111111111", "dev")
    with pytest.raises(data.exceptions.DatabaseResumingException):
        data.execute_statement(**to, sql="SELECT 1")
