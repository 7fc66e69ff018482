//! `opsctl databases`.

use jiff::Timestamp;
use opsctl::sandbox::world::{
    Denial, Fault, FaultKind,
    rds::{Capacity, Category, Cluster, Event, Global, Instance, Maintenance, Proxy, SourceType},
};

use super::ground::{DEV, Ground, REGION};

const ENGINE: &str = "aurora-postgresql";

pub(super) fn cluster(ground: &Ground, name: &str, change: impl Fn(&mut Cluster)) {
    ground.sandbox.with(|world, now| {
        let names = [format!("{name}-1"), format!("{name}-2")];
        let instance = |name: &String, zone: &str, tier| {
            let mut instance = Instance::new(name, "db.r6g.large", ENGINE, "16.6", zone, now);
            instance.tier = Some(tier);
            instance
        };
        let instances = vec![instance(&names[0], "af-south-1a", 0), instance(&names[1], "af-south-1b", 1)];
        let mut cluster = Cluster::new(name, ENGINE, "16.6", &[&names[0], &names[1]], now);
        change(&mut cluster);
        world.put_cluster(DEV, REGION, cluster, instances);
    });
}

fn single(ground: &Ground, name: &str, standby: Option<&str>) {
    ground.sandbox.with(|world, now| {
        let mut instance = Instance::new(name, "db.t4g.medium", "postgres", "16.8", "af-south-1a", now);
        instance.secondary_zone = standby.map(str::to_owned);
        world.put_instance(DEV, REGION, instance);
    });
}

fn event(ground: &Ground, source: &str, message: &str) {
    let at: Timestamp = "2026-11-21T02:40:00Z".parse().expect("a time");
    let (source, message) = (source.to_owned(), message.to_owned());
    let event = Event { at, source_type: SourceType::Instance, source, category: Category::Notification, message };
    ground.sandbox.with(|world, _| world.put_event(DEV, REGION, event));
}

#[test]
fn databases_that_need_somebody_come_first_and_topology_is_told() {
    let ground = Ground::new();
    cluster(&ground, "orders", |_| ());
    cluster(&ground, "paused", |cluster| {
        cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
    });
    cluster(&ground, "wallet", |cluster| {
        cluster.pending = vec![Maintenance::new("system-update", "New Operating System update is available")];
    });
    single(&ground, "auth-db", Some("af-south-1b"));
    single(&ground, "kong-db", None);
    ground.sandbox.with(|world, now| {
        world.instance(now, DEV, REGION, "kong-db").expect("there").status = "storage-full".to_owned();
    });
    event(&ground, "auth-db", "The free storage capacity is low");
    insta::assert_snapshot!(ground.opsctl(&["databases", "-e", "dev"]).shown(), @r#"
        exit 0
        -- out
        ENV  NAME     STATUS        WRITER                                        READERS                                       CAPACITY               CPU  CONNECTIONS  FREE  LAG  TOPOLOGY                                          TO KNOW
        dev  kong-db  storage-full  db.t4g.medium, af-south-1a, storage-full      -                                             -                        -            -     -    -  single instance: nothing takes over
        dev  wallet   available     wallet-1 (db.r6g.large, af-south-1a, tier 0)  wallet-2 (db.r6g.large, af-south-1b, tier 1)  -                        -            -     -    -  Aurora cluster: a writer and 1 reader in 2 zones  pending: system-update
        dev  auth-db  available     db.t4g.medium, af-south-1a                    standby in af-south-1b                        -                        -            -     -    -  Multi-AZ instance: a standby in another zone      20 min ago: The free storage capacity is low
        dev  orders   available     orders-1 (db.r6g.large, af-south-1a, tier 0)  orders-2 (db.r6g.large, af-south-1b, tier 1)  -                        -            -     -    -  Aurora cluster: a writer and 1 reader in 2 zones
        dev  paused   available     paused-1 (db.r6g.large, af-south-1a, tier 0)  paused-2 (db.r6g.large, af-south-1b, tier 1)  paused, of 0 to 4 ACU    -            -     -    -  Aurora cluster: a writer and 1 reader in 2 zones
        -- err
        sandbox: joined the one at <url> (seed 7)
        "#);
    let some = ground.opsctl(&["databases", "-e", "dev", "*-db"]).expect(0).out;
    assert!(some.contains("auth-db") && !some.contains("orders"), "{some}");
}

#[test]
fn databases_in_json_name_their_schema_and_unknown_is_not_zero() {
    let ground = Ground::new();
    cluster(&ground, "orders", |cluster| {
        cluster.capacity = Some(Capacity { minimum: 0.5, maximum: 4.0, current: 1.5, pause_after_seconds: None });
    });
    let answer = ground.opsctl(&["databases", "--output", "json"]).expect(0).json();
    assert_eq!(answer["schema"], "opsctl/databases/1");
    let row = &answer["databases"][0];
    assert_eq!((&row["name"], &row["writer"]), (&"orders".into(), &"orders-1".into()));
    assert_eq!((&row["topology"], &row["capacity"]["state"]), (&"aurora".into(), &"units".into()));
    assert_eq!(row["capacity"]["units"], 1.5);
    let denial = |action: &str| Denial { account: "*".to_owned(), queue: "*".to_owned(), action: action.to_owned() };
    ground.sandbox.with(|world, _| {
        world.denials.extend([denial("cloudwatch:*"), denial("rds:DescribeEvents"), denial("rds:DescribePending*")]);
    });
    let ended = ground.opsctl(&["databases", "-e", "dev", "--output", "jsonl"]).expect(0);
    let row: serde_json::Value = serde_json::from_str(ended.out.trim()).expect("one line");
    assert_eq!((&row["schema"], &row["capacity"]["state"]), (&"opsctl/database/1".into(), &"unknown".into()));
    for action in ["rds:DescribeEvents", "rds:DescribePendingMaintenanceActions", "cloudwatch:GetMetricData"] {
        assert!(ended.err.contains(action), "{}", ended.err);
    }
    ground.sandbox.with(|world, _| world.denials.push(denial("rds:DescribeDBClusters")));
    let ended = ground.opsctl(&["databases", "-e", "dev"]).expect(1);
    assert!(ended.err.contains("rds:DescribeDBClusters"), "{}", ended.err);
}

#[test]
fn looking_never_wakes_a_paused_cluster() {
    let ground = Ground::new();
    let capacity = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
    cluster(&ground, "paused", |cluster| cluster.capacity = Some(capacity.clone()));
    for form in ["human", "json"] {
        let ended = ground.opsctl(&["databases", "-e", "dev", "--output", form]).expect(0);
        assert!(ended.out.contains("paused"), "{}", ended.out);
    }
    ground.sandbox.with(|world, now| {
        let cluster = world.cluster(now, DEV, REGION, "paused").expect("there");
        assert_eq!(cluster.capacity.as_ref(), Some(&capacity));
    });
}

#[test]
fn of_250_databases_each_has_its_row() {
    let ground = Ground::new();
    (0..250).for_each(|number| single(&ground, &format!("db-{number:03}"), None));
    let answer = ground.opsctl(&["databases", "-e", "dev", "--output", "json"]).expect(0).json();
    assert_eq!(answer["databases"].as_array().expect("rows").len(), 250);
}

#[test]
fn hostile_events_are_shown_safely() {
    let ground = Ground::new();
    single(&ground, "auth-db", None);
    event(&ground, "auth-db", "a\u{9b}31m\u{202e}evil\u{200b}\u{7f}\nnext <b>&amp;");
    for form in ["human", "json", "jsonl"] {
        let ended = ground.opsctl(&["databases", "-e", "dev", "--output", form]).expect(0);
        assert!(ended.out.contains("evil") && ended.out.contains("next <b>&amp;"), "{}", ended.out);
        assert!(!ended.out.contains(['\u{9b}', '\u{202e}', '\u{200b}', '\u{7f}']), "{:?}", ended.out);
    }
}

#[test]
fn a_throttled_look_is_repeated_and_a_lost_one_too() {
    let ground = Ground::new();
    single(&ground, "auth-db", None);
    for kind in [FaultKind::Throttled, FaultKind::LostBefore] {
        let fault = Fault { call: "rds:Describe*".to_owned(), queue: None, nth: 1, times: 2, kind };
        ground.sandbox.with(|world, _| world.faults.add(fault));
    }
    ground.opsctl(&["databases", "-e", "dev"]).expect(0);
}

#[test]
fn a_failover_measures_its_seconds_and_is_asked_for_once() {
    let ground = Ground::quick();
    cluster(&ground, "nexusstream-dev", |_| ());
    let plan = ground.opsctl(&["failover", "nexusstream-dev", "-e", "dev", "--dry-run", "--output", "json"]);
    let plan = plan.expect(0).json();
    assert_eq!(plan["operation"]["operation"], "failover");
    assert_eq!(plan["summary"], "let nexusstream-dev-2 write in place of nexusstream-dev-1");
    let without = ground.opsctl(&["failover", "nexusstream-dev", "-e", "dev"]).expect(3);
    assert!(without.err.contains("nobody confirmed"), "{}", without.err);
    let words = ["failover", "nexusstream-dev", "-e", "dev", "--yes", "--output", "json"];
    let report = ground.opsctl(&words).expect(0).json();
    assert_eq!((&report["operation"], &report["end"]), (&"failover".into(), &"done".into()), "{report}");
    let done = &report["details"];
    assert_eq!((&done["writer_after"], &done["rto_seconds"]), (&"nexusstream-dev-2".into(), &300.into()));
    // A clock thirty times as fast: a tenth of a second of the machine's is three of the sandbox's.
    let seconds = done["seconds_to_writer"].as_f64().expect("measured");
    assert!((12.0..120.0).contains(&seconds), "{seconds}");
    assert_eq!(done["within_rto"], true);
    let answered = &done["answered"];
    assert!(answered["seconds"].as_f64() > done["seconds_to_writer"].as_f64(), "{answered}");
    assert_eq!(answered["reached"], "answers");
    ground.sandbox.with(|world, now| {
        assert_eq!(world.cluster(now, DEV, REGION, "nexusstream-dev").expect("there").failovers, 1);
    });
    let run = report["run"].as_str().expect("a run");
    let shown = ground.opsctl(&["journal", "show", run]).expect(0).out;
    assert!(shown.contains("about to fail over nexusstream-dev to nexusstream-dev-2"), "{shown}");
    let again = ground.opsctl(&["failover", "--resume", run, "-e", "dev", "--yes"]).expect(0).out;
    assert!(again.contains("times are those of RDS's events"), "{again}");
}

#[test]
fn where_names_are_typed_a_yes_is_not_enough_and_the_fingerprint_needs_a_reason() {
    let ground = Ground::quick();
    let prod = "333333333333";
    ground.sandbox.with(|world, now| {
        let instances = ["a", "b"].map(|name| Instance::new(name, "db.r6g.large", ENGINE, "16.6", "af-south-1a", now));
        world.put_cluster(prod, REGION, Cluster::new("orders", ENGINE, "16.6", &["a", "b"], now), instances.to_vec());
    });
    ground.opsctl(&["failover", "orders", "-e", "prod", "--yes"]).expect(3);
    let plan = ground.opsctl(&["failover", "orders", "-e", "prod", "--dry-run", "--output", "json"]).expect(0).json();
    let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let words = ["failover", "orders", "-e", "prod", "--approve", &fingerprint];
    assert!(ground.opsctl(&words).expect(3).err.contains("reason"));
    ground.opsctl(&[&words[..], &["--reason", "the writer is sick"]].concat()).expect(0);
    let stale = ground.opsctl(&[&words[..], &["--reason", "again"]].concat()).expect(3);
    assert!(stale.err.contains("the world or the operation differs"), "{}", stale.err);
}

#[test]
fn one_database_by_itself_with_its_events_proxies_and_dated_maintenance() {
    let ground = Ground::new();
    cluster(&ground, "storo", |cluster| {
        let at = |text: &str| text.parse().ok();
        cluster.pending = vec![Maintenance {
            opt_in: Some("next-maintenance".to_owned()),
            auto_applied_after: at("2026-11-25T02:00:00Z"),
            forced_at: at("2026-12-20T02:00:00Z"),
            ..Maintenance::new("system-update", "New OS\u{1b}[2J")
        }];
    });
    ground.sandbox.with(|world, now| {
        let broken = ["storo-2", "AUTH_FAILURE", "wrong\u{9b}31m\u{202e} password"].map(str::to_owned);
        world.put_proxy(DEV, REGION, Proxy { broken: vec![broken], ..Proxy::new("front", "storo", now) });
    });
    event(&ground, "storo-1", "DB instance\u{7} restarted");
    insta::assert_snapshot!(ground.opsctl(&["databases", "-e", "dev", "storo", "--events"]).shown(), @r#"
        exit 0
        -- out
        dev  storo  available
          Aurora cluster: a writer and 1 reader in 2 zones (aurora-postgresql 16.6)
          writer   storo-1 (db.r6g.large, af-south-1a, tier 0)
          reader   storo-2 (db.r6g.large, af-south-1b, tier 1)
          endpoint storo.cluster-c111111111111.af-south-1.rds.amazonaws.com:5432
          proxy    front -> storo-1, storo-2 UNAVAILABLE (AUTH_FAILURE: wrong�31m� password)
          pending  system-update (New OS[2J), asked for: next-maintenance, will be applied 2026-11-25 02:00, forced on 2026-12-20
          event    2026-11-21 02:40:00 (20 min ago) storo-1 [notification]: DB instance restarted
        -- err
        sandbox: joined the one at <url> (seed 7)
        "#);
    let row = ground.opsctl(&["databases", "storo", "--events", "--output", "jsonl"]).expect(0);
    assert!(!row.out.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{:?}", row.out);
    let row: serde_json::Value = serde_json::from_str(row.out.trim()).expect("one line");
    assert_eq!(row["events"][0]["source"], "storo-1");
    assert_eq!(row["pending"][0]["forced_at"], "2026-12-20T02:00:00Z");
    assert_eq!(row["proxies"][0]["targets"][1]["reason"], "AUTH_FAILURE");
    let without = ground.opsctl(&["databases", "storo", "--output", "jsonl"]).expect(0).out;
    assert!(!without.contains("\"events\""), "{without}");
    assert!(ground.opsctl(&["databases", "--days", "3"]).expect(2).err.contains("--events"));
}

#[test]
fn global_clusters_are_listed_beside_databases_and_a_secondary_is_no_worry() {
    let ground = Ground::new();
    global(&ground);
    insta::assert_snapshot!(ground.opsctl(&["databases", "-e", "dev"]).shown(), @r#"
        exit 0
        -- out
        ENV  NAME    STATUS     WRITER                                        READERS                                       CAPACITY  CPU  CONNECTIONS  FREE  LAG  TOPOLOGY                                          TO KNOW
        dev  wallet  available  wallet-1 (db.r6g.large, af-south-1a, tier 0)  wallet-2 (db.r6g.large, af-south-1b, tier 1)  -           -            -     -    -  Aurora cluster: a writer and 1 reader in 2 zones
        ENV  GLOBAL CLUSTER  STATUS     WRITER               SECONDARIES            TO KNOW
        dev  wallet-global   available  wallet (af-south-1)  wallet-dr (us-east-1)
        -- err
        sandbox: joined the one at <url> (seed 7)
        "#);
    let answer = ground.opsctl(&["databases", "-e", "dev", "wallet-*", "--output", "json"]).expect(0).json();
    let global = &answer["globals"][0];
    assert_eq!((&global["name"], &global["status"]), (&"wallet-global".into(), &"available".into()));
    assert_eq!(global["members"][1]["synchronization"], "connected");
    assert_eq!(answer["databases"].as_array().map(Vec::len), Some(0), "the pattern is for global clusters, too");
}

/// `wallet` here, `wallet-dr` in another region.
fn global(ground: &Ground) {
    cluster(ground, "wallet", |_| ());
    ground.sandbox.with(|world, now| {
        let instance = Instance::new("dr-1", "db.r6g.large", ENGINE, "16.6", "us-east-1a", now);
        world.put_cluster(DEV, "us-east-1", Cluster::new("wallet-dr", ENGINE, "16.6", &["dr-1"], now), vec![instance]);
        let members = [(REGION, "wallet"), ("us-east-1", "wallet-dr")];
        world.put_global(DEV, Global::new("wallet-global", ENGINE, "16.6", &members));
    });
}

#[test]
fn names_that_were_listed_are_completed_without_asking() {
    let ground = Ground::new();
    global(&ground);
    ground.opsctl(&["databases", "-e", "dev"]).expect(0);
    let calls = "rds:*";
    ground.sandbox.with(|world, _| {
        world.faults.add(Fault { call: calls.to_owned(), queue: None, nth: 1, times: 99, kind: FaultKind::Hang });
    });
    for words in [&["databases", ""][..], &["failover", ""]] {
        let line = [&["--sandbox"], words].concat();
        let mut command = ground.command(&[&["--", "opsctl"], &line[..]].concat());
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", line.len().to_string());
        command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
        let ended = ground.ended(command.output().expect("started")).expect(0);
        assert!(ended.out.contains("wallet") && ended.out.contains("wallet-global"), "{words:?}: {ended:?}");
    }
}
