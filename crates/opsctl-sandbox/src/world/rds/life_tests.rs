//! Databases that come, change, stop, start and go.

use jiff::SignedDuration;

use super::*;
use crate::world::ApiError;

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
    start + SignedDuration::from_secs(seconds)
}

struct Scene(World);

impl Scene {
    fn new() -> Self {
        Self(World::new(7, at(0)))
    }

    fn call(&mut self, seconds: i64, action: &str, fields: &[(&str, &str)]) -> Result<String, ApiError> {
        let caller = Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() };
        let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.0.ask_form(at(seconds), &caller, ("rds", action), form)
    }

    fn ok(&mut self, seconds: i64, action: &str, fields: &[(&str, &str)]) -> String {
        self.call(seconds, action, fields).unwrap_or_else(|error| panic!("{action} at {seconds}: {error:?}"))
    }

    fn instance(&mut self, seconds: i64, name: &str) -> String {
        self.ok(seconds, "DescribeDBInstances", &[("DBInstanceIdentifier", name)])
    }

    fn status(&mut self, seconds: i64, name: &str) -> String {
        inside(&self.instance(seconds, name), "DBInstanceStatus")
    }

    fn cluster(&mut self, seconds: i64, name: &str) -> String {
        inside(&self.ok(seconds, "DescribeDBClusters", &[("DBClusterIdentifier", name)]), "Status")
    }
}

fn inside(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

const ONE: (&str, &str) = ("DBInstanceIdentifier", "one");
const POSTGRES: [(&str, &str); 3] = [ONE, ("DBInstanceClass", "db.t4g.small"), ("Engine", "postgres")];

#[test]
fn an_instance_is_created_stopped_started_and_deleted_each_in_its_time() {
    let mut scene = Scene::new();
    let created = scene.ok(0, "CreateDBInstance", &POSTGRES);
    assert!(inside(&created, "DBInstanceStatus") == "creating" && !created.contains("<Endpoint>"), "{created}");
    assert_eq!(scene.call(1, "CreateDBInstance", &POSTGRES).expect_err("twice").code, "DBInstanceAlreadyExists");
    let statuses = [10, 160, 200].map(|seconds| scene.status(seconds, "one"));
    assert_eq!(statuses, ["creating", "backing-up", "available"]);
    assert!(scene.instance(200, "one").contains("<Endpoint>"));
    assert_eq!(scene.call(201, "StartDBInstance", &[ONE]).expect_err("runs").code, "InvalidDBInstanceState");
    scene.ok(210, "StopDBInstance", &[ONE]);
    let host = "one.c111111111111.af-south-1.rds.amazonaws.com";
    assert_eq!(scene.0.connect(at(220), host), Connected::Refused);
    assert_eq!([scene.status(220, "one"), scene.status(300, "one")], ["stopping", "stopped"]);
    scene.ok(310, "StartDBInstance", &[ONE]);
    assert_eq!([scene.status(320, "one"), scene.status(440, "one")], ["starting", "available"]);
    assert_eq!(scene.0.connect(at(440), host), Connected::Writer);
    assert_eq!(
        scene.call(450, "DeleteDBInstance", &[ONE]).expect_err("a snapshot").code,
        "InvalidParameterCombination"
    );
    scene.ok(450, "ModifyDBInstance", &[ONE, ("DeletionProtection", "true")]);
    let skip = [ONE, ("SkipFinalSnapshot", "true")];
    assert_eq!(scene.call(450, "DeleteDBInstance", &skip).expect_err("protected").code, "InvalidParameterCombination");
    scene.ok(451, "ModifyDBInstance", &[ONE, ("DeletionProtection", "false")]);
    scene.ok(452, "DeleteDBInstance", &skip);
    assert_eq!(scene.status(460, "one"), "deleting");
    assert_eq!(scene.call(520, "DescribeDBInstances", &[ONE]).expect_err("gone").code, "DBInstanceNotFound");
    let events = scene.ok(520, "DescribeEvents", &[]);
    for words in ["DB instance created", "DB instance started", "DB instance deleted"] {
        assert!(events.contains(words), "{words}: {events}");
    }
}

#[test]
fn a_class_is_changed_at_once_or_waits() {
    let mut scene = Scene::new();
    scene.ok(0, "CreateDBInstance", &POSTGRES);
    let larger = ("DBInstanceClass", "db.t4g.large");
    let waiting = scene.ok(200, "ModifyDBInstance", &[ONE, larger, ("AllocatedStorage", "40")]);
    assert!(
        waiting
            .contains("<PendingModifiedValues><AllocatedStorage>40</AllocatedStorage><DBInstanceClass>db.t4g.large<"),
        "{waiting}"
    );
    assert_eq!(
        (scene.status(201, "one"), inside(&scene.instance(201, "one"), "DBInstanceClass")),
        ("available".into(), "db.t4g.small".into())
    );
    scene.ok(202, "ModifyDBInstance", &[ONE, larger, ("ApplyImmediately", "true")]);
    assert_eq!(scene.status(210, "one"), "modifying");
    assert_eq!(scene.call(211, "RebootDBInstance", &[ONE]).expect_err("busy").code, "InvalidDBInstanceState");
    assert_eq!(
        (scene.status(330, "one"), inside(&scene.instance(330, "one"), "DBInstanceClass")),
        ("available".into(), "db.t4g.large".into())
    );
    let smaller = [ONE, ("AllocatedStorage", "5"), ("ApplyImmediately", "true")];
    assert_eq!(scene.call(340, "ModifyDBInstance", &smaller).expect_err("smaller").code, "InvalidParameterCombination");
}

#[test]
fn a_cluster_stops_and_starts_with_its_instances() {
    let mut scene = Scene::new();
    let cluster = ("DBClusterIdentifier", "orders");
    let aurora = ("Engine", "aurora-postgresql");
    scene.ok(0, "CreateDBCluster", &[cluster, aurora]);
    scene.ok(1, "CreateDBInstance", &[ONE, cluster, aurora, ("DBInstanceClass", "db.r6g.large")]);
    assert_eq!([scene.cluster(10, "orders"), scene.cluster(60, "orders")], ["creating", "available"]);
    assert_eq!(scene.status(200, "one"), "available");
    assert_eq!(scene.call(201, "StopDBInstance", &[ONE]).expect_err("of a cluster").code, "InvalidDBInstanceState");
    scene.ok(202, "StopDBCluster", &[cluster]);
    assert_eq!((scene.cluster(300, "orders"), scene.status(300, "one")), ("stopped".into(), "stopped".into()));
    assert_eq!(
        scene.call(301, "FailoverDBCluster", &[cluster]).expect_err("stopped").code,
        "InvalidDBClusterStateFault"
    );
    scene.ok(310, "StartDBCluster", &[cluster]);
    assert_eq!((scene.cluster(320, "orders"), scene.cluster(440, "orders")), ("starting".into(), "available".into()));
    let skip = ("SkipFinalSnapshot", "true");
    assert_eq!(
        scene.call(450, "DeleteDBCluster", &[cluster, skip]).expect_err("members").code,
        "InvalidDBClusterStateFault"
    );
    scene.ok(451, "DeleteDBInstance", &[ONE]);
    scene.ok(452, "DeleteDBCluster", &[cluster, skip]);
    assert_eq!(scene.call(600, "DescribeDBClusters", &[cluster]).expect_err("gone").code, "DBClusterNotFoundFault");
}

#[test]
fn what_scripts_read_is_told_as_it_was_set() {
    let mut scene = Scene::new();
    let more = [
        ("DBParameterGroupName", "tuned"),
        ("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-1"),
        ("PreferredBackupWindow", "04:00-04:30"),
        ("PreferredMaintenanceWindow", "mon:05:00-mon:05:30"),
        ("EnableIAMDatabaseAuthentication", "true"),
        ("BackupRetentionPeriod", "14"),
        ("MultiAZ", "true"),
        ("Tags.Tag.1.Key", "team"),
        ("Tags.Tag.1.Value", "storo"),
    ];
    scene.ok(0, "CreateDBInstance", &[&POSTGRES[..], &more].concat());
    let told = scene.instance(200, "one");
    for (name, value) in [
        ("DBParameterGroupName", "tuned"),
        ("VpcSecurityGroupId", "sg-1"),
        ("PreferredBackupWindow", "04:00-04:30"),
        ("PreferredMaintenanceWindow", "mon:05:00-mon:05:30"),
        ("IAMDatabaseAuthenticationEnabled", "true"),
        ("BackupRetentionPeriod", "14"),
        ("DeletionProtection", "false"),
        ("MultiAZ", "true"),
        ("Key", "team"),
        ("EngineVersion", "16.4"),
    ] {
        assert_eq!(inside(&told, name), value, "{name}");
    }
    scene.ok(201, "CreateDBCluster", &[("DBClusterIdentifier", "c"), ("Engine", "aurora-mysql")]);
    let told = scene.ok(250, "DescribeDBClusters", &[("DBClusterIdentifier", "c")]);
    assert_eq!(inside(&told, "DBClusterParameterGroup"), "default.aurora-mysql8.0");
    assert!(inside(&told, "DbClusterResourceId").starts_with("cluster-"));
}
