//! Relays in each of their ways, and that a world tells the same whenever it is looked at.

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    domain::Value,
    world::{
        Caller, World,
        actors::{Behaviour, Predicate},
        eventbridge::Rule,
        fleet::{Amount, Fleet},
        rds::{Instance, NotOpened},
        sql::{Access, Failure, Parameters},
        template::Template,
    },
};

const START: Timestamp = Timestamp::UNIX_EPOCH;
const QUEUE: &str = "events.fifo";

use jiff::Timestamp;

fn place() -> Place {
    Place { environment: "dev".into(), account: "111111111111".into(), region: "af-south-1".into() }
}

fn key() -> Key {
    let Place { account, region, .. } = place();
    Key { account, region, server: "bank".to_owned(), name: "bank_transfers".to_owned() }
}

fn after(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

/// A bank whose rows go to a FIFO queue; what is said of its outbox is `like`.
fn world(like: impl FnOnce(Outbox) -> Outbox, behaviour: Behaviour, rows: &[(RowState, u64)]) -> World {
    let mut world = World::new(7, START);
    let Place { account, region, .. } = place();
    let instance = Instance::new("bank", "db.r6g.large", "postgres", "16.6", "af-south-1a", START);
    world.put_instance(&account, &region, instance);
    world.create(START, &place().caller(), QUEUE, &[("FifoQueue", "true")]).expect("created");
    world.lambda.reserve(&account, &region, "relay", 0, None);
    let targets = vec![("relay".to_owned(), format!("arn:aws:lambda:{region}:{account}:function:relay"))];
    let rule = Rule { schedule: "rate(1 minute)".to_owned(), is_enabled: true, targets, ..Rule::default() };
    world.events.put(&account, &region, "minutely", rule);
    let parse = |text: &str| Template::parse(text, &["event"]).expect("a template");
    let template = MessageTemplate {
        variables: vec![Template::parse("${uuid}", &[]).expect("a template")],
        body: parse("{\"eventType\":\"transfer.settled\",\"n\":${n}}"),
        attributes: Vec::new(),
        group: Some(parse("G-${int 1 3}")),
        deduplication: Some(parse("${event}")),
    };
    let outbox = Outbox {
        place: place(),
        key: key(),
        table: Table::Transfers,
        template,
        event_type: "event".to_owned(),
        queue: QUEUE.to_owned(),
        worker: Worker::Schedule { rule: "minutely".to_owned() },
        period_seconds: 60,
        rows_max: 500,
        is_ordered: false,
        error: "the broker says no".to_owned(),
        seed: 7,
    };
    let outbox = Arc::new(like(outbox));
    let seconds = std::time::Duration::from_secs;
    let rows = rows.iter().map(|&(state, count)| Rows {
        state,
        count,
        newest: seconds(60),
        oldest: seconds(600),
        error: None,
    });
    world.sql.declare(key(), outbox.contents(START, rows.collect()));
    world.actors.add_outbox(START, &outbox, behaviour, 0.5);
    world
}

fn ask(world: &mut World, text: &str) -> Vec<Vec<Value>> {
    let now = world.now;
    let ran = world.sql.run(now, &key(), text, Parameters::Placed(&[]));
    ran.unwrap_or_else(|failure| panic!("{text}: {failure}")).rows.rows
}

fn count(world: &mut World, state: &str) -> i64 {
    match ask(world, &format!("SELECT count(*) FROM outbox_transfers WHERE state = '{state}'"))[0][0] {
        Value::Integer(count) => count,
        ref other => panic!("{other:?}"),
    }
}

/// Rows that wait, were given up, were published.
fn counts(world: &mut World) -> [i64; 3] {
    ["PENDING", "FAILED", "SENT"].map(|state| count(world, state))
}

fn sent(world: &World) -> u64 {
    world.queue_view("111111111111", "af-south-1", QUEUE).expect("there").totals.sent
}

fn metric(world: &World, namespace: &str, metric: &str) -> f64 {
    world.counted(&place(), namespace, metric)
}

#[test]
fn a_healthy_relay_publishes_what_is_due_once_a_minute() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[(RowState::Pending, 30)]);
    world.advance(after(59));
    assert_eq!((counts(&mut world), sent(&world)), ([59, 0, 0], 0));
    world.advance(after(61));
    assert_eq!((counts(&mut world), sent(&world)), ([0, 0, 60], 60));
    let rows = ask(
        &mut world,
        "SELECT json_extract(payload, '$.envelope.eventId'), json_extract(payload, '$.key.transferId'),
            json_extract(payload, '$.payload') FROM outbox_transfers ORDER BY createdat, id",
    );
    let mut messages: Vec<_> = world.messages("111111111111", "af-south-1", QUEUE).collect();
    messages.sort_by_key(|message| message.sequence);
    let text = |text: &str| Value::Text(text.to_owned());
    let there = messages.iter().map(|message| {
        let ids = [message.deduplication_id, message.group].map(|id| text(id.expect("there")));
        [&ids[..], &[text(message.body)]].concat()
    });
    assert_eq!(there.collect::<Vec<_>>(), rows, "oldest first, with the ids that stand in the payload");
    assert_eq!((metric(&world, "AWS/Events", "Invocations"), metric(&world, "AWS/Lambda", "Invocations")), (1.0, 1.0));
}

#[test]
fn rows_wait_while_the_rule_is_disabled_and_go_out_once_it_is_enabled() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[(RowState::Pending, 30)]);
    let caller = place().caller();
    world.ask_json(START, &caller, ("events", "DisableRule"), json!({ "Name": "minutely" })).expect("disabled");
    world.advance(after(1_800));
    assert_eq!((counts(&mut world), sent(&world)), ([930, 0, 0], 0));
    world.ask_json(after(1_800), &caller, ("events", "EnableRule"), json!({ "Name": "minutely" })).expect("enabled");
    world.advance(after(1_861));
    let first = sent(&world);
    assert_eq!(first, 500, "as many as a run comes to");
    world.advance(after(1_921));
    assert_eq!(count(&mut world, "PENDING"), 0);
}

#[test]
fn a_function_without_concurrency_is_throttled_until_it_may_run() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[]);
    world.lambda.reserve("111111111111", "af-south-1", "relay", 0, Some(0));
    world.advance(after(600));
    assert_eq!((count(&mut world, "SENT"), sent(&world)), (0, 0));
    assert_eq!((metric(&world, "AWS/Lambda", "Throttles"), metric(&world, "AWS/Lambda", "Invocations")), (10.0, 0.0));
    world.lambda.reserve("111111111111", "af-south-1", "relay", 0, None);
    world.advance(after(661));
    assert_eq!(count(&mut world, "PENDING"), 0);
}

#[test]
fn what_can_not_be_published_is_tried_ten_times_further_and_further_apart() {
    let poison = Behaviour::Failing(Predicate::BodyContains("\"n\":7}".to_owned()));
    let mut world = world(|outbox| outbox, poison, &[]);
    world.advance(after(61));
    let tried = "SELECT attempts, lasterror, next_attempt FROM outbox_transfers WHERE attempts > 0";
    let words = Value::Text("the broker says no".to_owned());
    let then = Value::Text("1970-01-01 00:01:01.000".to_owned());
    assert_eq!(ask(&mut world, tried), [[Value::Integer(1), words.clone(), then]]);
    world.advance(after(3_600));
    assert_eq!(counts(&mut world)[..2], [0, 1]);
    let tries = ask(&mut world, tried);
    assert_eq!((tries.len(), &tries[0][..2]), (1, &[Value::Integer(10), words][..]));
    assert_eq!(world.actors.set_behaviour("*", "bank_transfers.*", &Behaviour::Healthy), 1);
    ask(&mut world, "UPDATE outbox_transfers SET state = 'PENDING', attempts = 0 WHERE state = 'FAILED'");
    world.advance(after(4_321));
    assert_eq!(counts(&mut world)[..2], [0, 0], "it is sent once it may be tried again");
}

#[test]
fn a_relay_that_keeps_order_lets_the_younger_of_a_group_wait() {
    let poison = Behaviour::Failing(Predicate::BodyContains("\"n\":7}".to_owned()));
    let mut world = world(|outbox| Outbox { is_ordered: true, ..outbox }, poison, &[]);
    world.advance(after(3_600));
    let [waiting, failed, published] = counts(&mut world);
    assert_eq!(failed, 1);
    assert!(waiting > 400 && published > 1_000, "a third is blocked: {waiting} wait, {published} went out");
    let groups = ask(
        &mut world,
        "SELECT DISTINCT json_extract(payload, '$.key.transferId') FROM outbox_transfers
            WHERE state <> 'SENT' AND createdat < '1970-01-01 00:58'",
    );
    assert_eq!(groups.len(), 1);
}

#[test]
fn a_slow_relay_falls_behind() {
    let mut world = world(|outbox| outbox, Behaviour::Slow { seconds: 7 }, &[]);
    world.advance(after(3_601));
    assert_eq!(sent(&world), 3_600 / 7);
}

#[test]
fn a_replay_within_five_minutes_is_accepted_and_dropped() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[]);
    world.actors.set_rate(START, "*", "*", 0.0);
    let row = "INSERT INTO outbox_transfers VALUES ('a', 't', '{\"envelope\":{\"eventId\":\"e\"},
        \"key\":{\"transferId\":\"g\"},\"payload\":{}}', 'PENDING', 0, NULL, '', '', '')";
    ask(&mut world, row);
    world.advance(after(61));
    assert_eq!((counts(&mut world), sent(&world)), ([0, 0, 1], 1));
    let again = "UPDATE outbox_transfers SET state = 'PENDING'";
    ask(&mut world, again);
    world.advance(after(121));
    assert_eq!((counts(&mut world), sent(&world)), ([0, 0, 1], 1), "sent again, and nobody got it");
    world.advance(after(400));
    ask(&mut world, again);
    world.advance(after(481));
    assert_eq!((counts(&mut world), sent(&world)), ([0, 0, 1], 2));
}

#[test]
fn a_relay_waits_for_a_transaction_of_somebody_else() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[(RowState::Pending, 3)]);
    world.actors.set_rate(START, "*", "*", 0.0);
    let run = |world: &mut World, text: &str| {
        let parameters = Parameters::Placed(&[]);
        world.sql.run_in(0, ("a", &key()), Access::Writes, text, parameters).map(|ran| ran.rows.changed)
    };
    run(&mut world, "BEGIN").expect("begun");
    assert_eq!(run(&mut world, "UPDATE outbox_transfers SET attempts = 1"), Ok(3));
    world.advance(after(125));
    assert_eq!((sent(&world), metric(&world, "AWS/Lambda", "Errors")), (0, 2.0));
    world.sql.end("a");
    world.advance(after(185));
    assert_eq!((sent(&world), metric(&world, "AWS/Lambda", "Errors")), (3, 2.0));
    assert_eq!(ask(&mut world, "SELECT sum(attempts) FROM outbox_transfers"), [[Value::Integer(0)]]);
}

#[test]
fn claims_of_a_dead_relay_stay_and_the_others_go_out() {
    let states = [(RowState::Stuck, 4), (RowState::Failed, 2), (RowState::Pending, 5), (RowState::Published, 3)];
    let mut world = world(|outbox| Outbox { table: Table::OpenOutbox, ..outbox }, Behaviour::Healthy, &states);
    world.advance(after(61));
    let rows = ask(&mut world, "SELECT status, count(*) FROM openoutbox_events GROUP BY status ORDER BY status");
    let expected = [("DEAD", 2), ("DELIVERED", 38), ("DELIVERING", 4)];
    let expected = expected.map(|(state, count)| vec![Value::Text(state.to_owned()), Value::Integer(count)]);
    assert_eq!(rows, expected);
    assert_eq!(sent(&world), 35);
}

#[test]
fn published_rows_are_cleaned_away_and_a_table_has_a_bound() {
    let mut world = world(|outbox| outbox, Behaviour::Healthy, &[]);
    world.advance(after(4 * 3_600));
    let [waiting, _, published] = counts(&mut world);
    assert!(waiting <= 30 && (1_800..2_100).contains(&published), "{waiting}, {published}");
    world.actors.set_behaviour("*", "*", &Behaviour::Down);
    world.actors.set_rate(after(4 * 3_600), "*", "*", 900.0);
    world.advance(after(4 * 3_600 + 120));
    assert!((20_000..21_000).contains(&count(&mut world, "PENDING")));
}

#[test]
fn an_application_that_is_asleep_publishes_once_it_is_woken() {
    let mut world = World::new(7, START);
    Fleet::built_in().expect("a fleet").settle(&mut world, START, 7, Amount::AtMost(20)).expect("settled");
    let key = Key { server: "offers-db".to_owned(), name: "offers".to_owned(), ..key() };
    let open = |world: &mut World| -> Result<Value, Failure> {
        let (now, text) = (world.now, "SELECT count(*) FROM event_publication WHERE completion_date IS NULL");
        world.sql.run(now, &key, text, Parameters::Placed(&[])).map(|ran| ran.rows.rows[0][0].clone())
    };
    world.advance(after(600));
    assert_eq!(open(&mut world), Ok(Value::Integer(20)));
    world.ecs.set_desired(after(600), &place().caller(), "tsdevstack-dev", "offers-worker", 1);
    world.advance(after(1_200));
    assert_eq!(open(&mut world), Ok(Value::Integer(0)));
    assert_eq!(world.queue_view("111111111111", "af-south-1", "offers-sync").expect("there").totals.sent, 20);
}

#[test]
fn the_endpoint_that_ssm_tells_leads_to_the_outboxes_of_its_cluster() {
    let mut world = World::new(7, START);
    Fleet::built_in().expect("a fleet").settle(&mut world, START, 7, Amount::AtMost(5)).expect("settled");
    let (account, region) = ("333333333333", "af-south-1");
    let host = world.ssm.value(account, region, "/storo/prod/rds/proxy/endpoint").expect("there").to_owned();
    let session = world.open_session(START, &host, Some("storo_cts")).expect("open");
    let ran = world.run_in_session(START, session, &"SELECT DISTINCT state FROM outbox_transfers ORDER BY 1".into());
    let states = ran.expect("rows").rows.concat();
    assert_eq!(states, ["FAILED", "PENDING", "SENT"].map(|state| Value::Text(state.to_owned())));
    assert_eq!(world.open_session(START, &host, Some("nowhere")), Err(NotOpened::NoDatabase));
    let caller = Caller { account: account.to_owned(), region: region.to_owned(), origin: String::new() };
    let shown = world.ask_form(START, &caller, ("rds", "DescribeDBProxies"), std::collections::BTreeMap::new());
    assert!(shown.expect("proxies").contains(&format!("<Endpoint>{host}</Endpoint>")));
}

#[test]
fn a_seed_decides_and_it_does_not_matter_how_often_anybody_looks() {
    let story = |step: i64| -> Vec<String> {
        let mut world = World::new(7, START);
        Fleet::built_in().expect("a fleet").settle(&mut world, START, 7, Amount::AtMost(50)).expect("settled");
        (1..=600 / step).for_each(|look| {
            world.advance(after(look * step));
        });
        let place = Place { environment: "prod".into(), account: "333333333333".into(), region: "af-south-1".into() };
        let Place { account, region, .. } = &place;
        let dump = |name: &str| {
            let key = Key {
                account: account.clone(),
                region: region.clone(),
                server: "storo-prod".to_owned(),
                name: name.to_owned(),
            };
            let table = if name == "storo_compliance" { "openoutbox_events" } else { "outbox_transfers" };
            let text = format!("SELECT * FROM {table} ORDER BY 1");
            let ran = world.sql.run(world.now, &key, &text, Parameters::Placed(&[])).expect("rows");
            assert!(ran.rows.rows.len() > 20, "{name}");
            format!("{:?}", ran.rows)
        };
        ["storo_cts", "storo_ledger", "storo_recon", "storo_compliance", "storo_directory"].map(dump).to_vec()
    };
    let once = story(600);
    assert_eq!(once, story(600));
    assert_eq!(once, story(20));
}
