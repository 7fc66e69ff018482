//! How many tasks a service shall run, asked in the console.

use opsctl::operations::Operation;

use super::estate::{at_night, planned, to};

#[test]
fn how_many_tasks_a_service_shall_run_is_asked_in_a_form() {
    let mut console = at_night((120, 40));
    console.keys("3");
    to(&mut console, "directory");
    console.keys("=");
    let text = console.text();
    assert!(text.contains("scale directory") && text.contains("Run this many tasks"), "{text}");
    console.keys("<backspace> 1 2 <enter>");
    let (environment, operation) = planned(&mut console);
    let Operation::Scale(scale) = operation else { panic!("{operation:?}") };
    assert_eq!((environment.as_str(), scale.service.as_str(), scale.to), ("prod", "nucleus/directory", Some(12)));
}
