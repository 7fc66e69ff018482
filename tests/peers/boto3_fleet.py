"""boto3 against a served endpoint that holds the fleet: databases.

    OPSCTL_TEST_ENDPOINT=http://127.0.0.1:PORT pytest boto3_fleet.py
"""

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
