//! How many tasks a service shall run, asked in the console.

use opsctl::{
    keymap::Command,
    operations::{Operation, OperationKind},
};

use super::{
    estate::{at_night, planned, to},
    estate_keys::no,
};

#[test]
fn how_many_tasks_a_service_shall_run_is_asked_in_a_form() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "directory");
    console.keys("N");
    let text = console.text();
    assert!(text.contains("scale directory") && text.contains("Run this many tasks"), "{text}");
    // Beside the form stands a plan of what is so already.
    assert!(matches!(planned(&mut console).1, Operation::Scale(scale) if scale.to == Some(2)));
    console.keys("backspace 1 2");
    assert!(console.text().contains("12"), "{}", console.text());
    console.keys("enter");
    let (environment, operation) = planned(&mut console);
    let Operation::Scale(scale) = operation else { panic!("{operation:?}") };
    assert_eq!((environment.as_str(), scale.service.as_str(), scale.to), ("prod", "nucleus/directory", Some(12)));
}

#[test]
fn a_service_that_sleeps_is_woken_and_one_that_runs_is_put_to_sleep() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "auth");
    assert!(no(&console, Command::Operate(OperationKind::Sleep)).contains("asleep already"));
    console.keys("W");
    let (environment, operation) = planned(&mut console);
    let Operation::Wake(wake) = operation else { panic!("{operation:?}") };
    assert_eq!((environment.as_str(), wake.service, wake.group), ("dev", vec!["shop-dev/auth".to_owned()], None));
    console.keys("<esc>");
    to(&mut console, "cts");
    assert!(no(&console, Command::Operate(OperationKind::Wake)).contains("not asleep: 3 of 3 run"));
    console.keys("Z");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(operation, Operation::Sleep(sleep) if sleep.service == ["nucleus/cts"]) && environment == "prod");
    console.keys("<esc>");
    to(&mut console, "kong");
    assert!(no(&console, Command::Operate(OperationKind::Sleep)).contains("always on"));
    console.keys("Z");
    assert!(console.text().contains("sleep: kong is always on"), "{}", console.text());
}

#[test]
fn a_service_is_restarted_and_rolled_back_and_one_that_sleeps_is_not_restarted() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "auth");
    assert!(no(&console, Command::Operate(OperationKind::Restart)).contains("nothing to restart"));
    to(&mut console, "cts");
    console.keys("R");
    let (environment, operation) = planned(&mut console);
    let Operation::Restart(restart) = operation else { panic!("{operation:?}") };
    assert_eq!((environment.as_str(), restart.service), ("prod", vec!["nucleus/cts".to_owned()]));
    console.keys("<esc>");
    to(&mut console, "cts");
    console.keys("B");
    let (environment, operation) = planned(&mut console);
    let Operation::Rollback(rollback) = operation else { panic!("{operation:?}") };
    assert_eq!((environment.as_str(), rollback.service.as_str(), rollback.to), ("prod", "nucleus/cts", None));
}
