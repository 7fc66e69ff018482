//! Event source mappings, enabled and disabled one by one.

use opsctl::{
    domain::{AccountId, ConsumerId, MappingId, Protection, Setting, Toggle},
    journal::Paused,
    operations::{DisableConsumers, EnableConsumers, Operation, PauseConsumers, ResumeConsumers},
    run::End,
    sandbox::world::{
        actors::{Behaviour, Consumer, Worker},
        lambda::{Mapping, State},
        template::Place,
    },
};

use super::{because, calls, fact, fault, kept, killed_at, say, while_somebody};
use crate::support::stage::{ACCOUNT, QueueSetup, REGION, Stage, arn};

const UPDATE: (&str, &str) = ("lambda", "UpdateEventSourceMapping");

/// `orders` with its DLQ in which five messages lie, and a function that could take them.
fn stage(state: State) -> (Stage, String) {
    let dlq = QueueSetup { name: "orders-dlq".into(), messages: 5, died_in: Some("orders".into()), ..<_>::default() };
    let orders =
        QueueSetup { name: "orders".into(), dead_letter: Some(("orders-dlq".into(), 3)), ..QueueSetup::default() };
    let stage = Stage::new(Protection::TypeName, &[dlq, orders]);
    let id = add(&stage, "handler", "orders-dlq", state);
    (stage, id)
}

fn add(stage: &Stage, function: &str, queue: &str, state: State) -> String {
    stage.sandbox.with(|world, now| {
        let mut mapping = Mapping::new(function, &arn(queue), now);
        mapping.state = state;
        let id = world.lambda.put(ACCOUNT, REGION, mapping);
        let worker = Worker::Mapping(id.clone());
        let consumer =
            Consumer { behaviour: Behaviour::Healthy, rate_per_second: 100.0, worker, ..Consumer::default() };
        let place = Place { environment: "dev".into(), account: ACCOUNT.into(), region: REGION.into() };
        world.actors.add(now, place, queue, consumer);
        id
    })
}

fn state(stage: &Stage, id: &str) -> State {
    let now = stage.sandbox.clock().now();
    stage.sandbox.with(|world, _| world.lambda.mapping(now, ACCOUNT, REGION, id).expect("there").state)
}

fn set(stage: &Stage, id: &str, state: State) {
    let now = stage.sandbox.clock().now();
    stage.sandbox.with(|world, _| world.lambda.mapping(now, ACCOUNT, REGION, id).expect("there").state = state);
}

fn toggle(id: &str) -> Toggle {
    Toggle::Mapping(MappingId(id.into()))
}

fn enable(mapping: &str) -> Operation {
    Operation::EnableConsumers(EnableConsumers { mapping: vec![mapping.into()], queue: None })
}

fn disable(mapping: &str) -> Operation {
    Operation::DisableConsumers(DisableConsumers { mapping: vec![mapping.into()], queue: None })
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_is_off_by_design_empties_its_queue_and_is_put_back() {
    let (mut stage, id) = stage(State::Disabled);
    let plan = stage.plan(&enable("handler")).await.expect("a plan").plan;
    assert_eq!(
        (fact(&plan, "now"), fact(&plan, "waiting")),
        ("disabled (USER_INITIATED)", "~5 messages in orders-dlq")
    );
    assert!(fact(&plan, "after").starts_with("enabled; disabled is remembered"), "{plan:#?}");
    let report = stage.run(&enable("handler")).await;
    assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Enabled), "{report:#?}");
    assert_eq!(kept(&stage, &toggle(&id)), Some(Setting::Enabled(false)));
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(stage.count("orders-dlq"), 0, "the function took them");
    assert!(stage.plan(&enable("handler")).await.expect("a plan").plan.empty);
    let plan = stage.plan(&disable(&id)).await.expect("a plan").plan;
    assert!(fact(&plan, "after").starts_with(&format!("disabled, as before {}", report.run)), "{plan:#?}");
    let report = stage.run(&disable(&id)).await;
    assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Disabled), "{report:#?}");
    assert_eq!(kept(&stage, &toggle(&id)), None, "it is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_a_mapping_on_its_way_is_waited_for() {
    for (kind, wanted) in [("lost-after", 1), ("lost-before", 2), ("throttled", 2)] {
        let (mut stage, id) = stage(State::Enabled);
        fault(&stage, UPDATE.1, kind, 1);
        let report = stage.run(&disable("handler")).await;
        assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Disabled), "{kind}: {report:#?}");
        assert_eq!(calls(&stage, UPDATE.0, UPDATE.1), wanted, "{kind}");
        let seconds = report.details.settings()[0].seconds.expect("done");
        assert!(seconds >= 9.0, "{kind}: Disabling is not disabled: {seconds}");
        assert_eq!(kept(&stage, &toggle(&id)), Some(Setting::Enabled(true)), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_said_and_not_remembered() {
    let (mut stage, id) = stage(State::Disabled);
    fault(&stage, UPDATE.1, "denied", 9);
    let report = stage.run(&enable(&id)).await;
    assert_eq!((report.end, state(&stage, &id)), (End::Failed, State::Disabled), "{report:#?}");
    assert!(because(&report).contains("allow lambda:UpdateEventSourceMapping"), "{report:#?}");
    assert_eq!(kept(&stage, &toggle(&id)), None);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_does_meanwhile_is_left() {
    let (mut stage, id) = stage(State::Disabled);
    let planned = stage.plan(&enable(&id)).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    set(&stage, &id, State::Enabled);
    let context = stage.context().await;
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!(report.end, End::Stale, "{report:#?}");
    set(&stage, &id, State::Disabled);
    // Somebody disables it as soon as it is enabled.
    fault(&stage, UPDATE.1, "lost-before", 1);
    let report = while_somebody(&mut stage, &enable(&id), UPDATE, |stage| set(stage, &id, State::Deleting)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(because(&report).contains("somebody deletes it"), "{report:#?}");
    assert_eq!(calls(&stage, UPDATE.0, UPDATE.1), 1);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_gone_on_with() {
    for is_applied in [true, false] {
        let (mut stage, id) = stage(State::Disabled);
        fault(&stage, UPDATE.1, if is_applied { "lost-after" } else { "lost-before" }, 1);
        killed_at(&mut stage, &enable("handler"), UPDATE).await;
        assert_eq!(kept(&stage, &toggle(&id)), Some(Setting::Enabled(false)), "before the call");
        let report = stage.resume().await;
        assert_eq!((report.end, state(&stage, &id)), (End::Done, State::Enabled), "{is_applied}: {report:#?}");
        assert_eq!(calls(&stage, UPDATE.0, UPDATE.1), if is_applied { 1 } else { 2 });
        assert_eq!(kept(&stage, &toggle(&id)), Some(Setting::Enabled(false)), "and by the resume");
        let report = stage.run(&disable("handler")).await;
        assert_eq!((report.end, kept(&stage, &toggle(&id))), (End::Done, None), "{report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_are_set_in_one_run_and_one_that_fails_leaves_the_others() {
    let (mut stage, first) = stage(State::Enabled);
    let second = add(&stage, "other", "orders", State::Enabled);
    let operation =
        Operation::DisableConsumers(DisableConsumers { mapping: vec![first.clone(), "other".into()], queue: None });
    let fault = serde_json::json!({ "call": UPDATE.1, "kind": "denied", "times": 9, "queue": second });
    stage.fault(serde_json::from_value(fault).expect("a fault"));
    let report = stage.run(&operation).await;
    assert_eq!(
        (report.end, state(&stage, &first), state(&stage, &second)),
        (End::Partly, State::Disabled, State::Enabled)
    );
    assert_eq!((kept(&stage, &toggle(&first)), kept(&stage, &toggle(&second))), (Some(Setting::Enabled(true)), None));
    stage.sandbox.with(|world, _| world.faults.clear());
    let report = stage.resume().await;
    assert_eq!((report.end, state(&stage, &second)), (End::Done, State::Disabled), "{report:#?}");
    assert_eq!(report.details.settings().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_is_named_by_id_or_function_and_queue() {
    let (mut stage, id) = stage(State::Disabled);
    add(&stage, "handler:live", "orders", State::Enabled);
    let error = stage.plan(&enable("handler")).await.expect_err("two");
    let hint = error.hint(&stage.environment);
    assert!(error.to_string().contains("handler has 2 mappings") && hint.as_str().contains(&id), "{error}: {hint}");
    let narrowed = Operation::EnableConsumers(EnableConsumers {
        mapping: vec!["handler".into()],
        queue: Some("orders-dlq".into()),
    });
    let plan = stage.plan(&narrowed).await.expect("a plan").plan;
    assert!(fact(&plan, "mapping").contains(&id), "{plan:#?}");
    let plan = stage.plan(&disable("handler:live")).await.expect("a plan").plan;
    assert!(!plan.empty && plan.resource.as_str() == "handler:live", "{plan:#?}");
    let error = stage.plan(&enable("handlr")).await.expect_err("none");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean handler"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_not_ended_by_the_way() {
    let (mut stage, _) = stage(State::Disabled);
    let id = add(&stage, "orders-handler", "orders", State::Enabled);
    let pause = Operation::PauseConsumers(PauseConsumers { queue: "orders".into(), ..PauseConsumers::default() });
    let paused = stage.run(&pause).await;
    assert_eq!((paused.end, state(&stage, &id)), (End::Done, State::Disabled), "{paused:#?}");
    let plan = stage.plan(&enable(&id)).await.expect("a plan").plan;
    let words = format!(
        "{} has paused orders-handler (orders) for orders: `opsctl consumers resume --queue orders",
        paused.run
    );
    assert!(say(&plan.blockers, &words), "{plan:#?}");
    let plan = stage.plan(&disable(&id)).await.expect("a plan").plan;
    assert!(plan.empty && say(&plan.warnings, "will enable it again"), "{plan:#?}");
    let resume = Operation::ResumeConsumers(ResumeConsumers { queue: Some("orders".into()), ..<_>::default() });
    assert_eq!((stage.run(&resume).await.end, state(&stage, &id)), (End::Done, State::Enabled));
    // What is disabled for its own sake is no pause's business.
    assert_eq!(stage.run(&disable(&id)).await.end, End::Done);
    let plan = stage.plan(&pause).await.expect("a plan").plan;
    assert!(plan.empty && fact(&plan, "left as is").contains("disabled by"), "{plan:#?}");
    let known = Paused::read(&stage.folder(), &AccountId(ACCOUNT.into()), REGION).expect("readable");
    assert!(known.of(&ConsumerId::Mapping(MappingId(id.clone()))).is_none());
    assert!(stage.plan(&resume).await.expect("a plan").plan.empty, "nothing is resumed that was not paused");
    assert_eq!(stage.run(&enable(&id)).await.end, End::Done);
    assert_eq!((state(&stage, &id), kept(&stage, &toggle(&id))), (State::Enabled, None));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_remembered_is_not_set() {
    let (mut stage, id) = stage(State::Disabled);
    let folder = stage.folder().path().join("turned-off");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{ACCOUNT}-{REGION}.json")), "{").expect("written");
    let error = stage.plan(&enable(&id)).await.expect_err("unreadable");
    assert!(error.to_string().contains("turned-off"), "{error}");
    assert_eq!((calls(&stage, UPDATE.0, UPDATE.1), state(&stage, &id)), (0, State::Disabled));
}
