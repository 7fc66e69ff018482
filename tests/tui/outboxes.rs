//! Outboxes: what keys do there.

use opsctl::{
    domain::{EnvironmentName, RowCount, RowState, SeenFunction, Text},
    keymap::Command,
    observe::{Estate, Kind, Severity, Subject, Verdict},
    operations::{Operation, OperationKind},
    tui::state::event::Event,
};

use super::{
    estate::{at_night, console, planned, to, with},
    estate_keys::no,
};
use crate::support::estate::{changed, night, outbox, part};

const RULE: &str = "ledger-outbox-every-minute";

/// `prod` with an outbox whose relay is throttled as well.
fn throttled() -> Estate {
    let counts = [
        (RowState::Ready, RowCount::Exactly(40)),
        (RowState::Failed, RowCount::Exactly(0)),
        (RowState::Published, RowCount::Exactly(0)),
        (RowState::Unaccounted, RowCount::Exactly(0)),
    ];
    let function = SeenFunction {
        name: "ledger-outbox-worker".to_owned(),
        concurrency: Some(0),
        rule: Some((RULE.to_owned(), false)),
        unknown: None,
    };
    let ledger = changed(outbox("ledger", counts, 42), |seen| seen.function = Some(function));
    Estate { outboxes: part(vec![ledger]), ..night() }
}

#[test]
fn the_relay_of_the_outbox_under_the_cursor_is_woken_by_what_keeps_it_asleep() {
    let mut console = at_night((160, 40));
    console.keys("8");
    to(&mut console, "ledger").keys("W");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::EnableRule(enable) if enable.rule == RULE), "{operation:?}");
    assert_eq!(environment, "prod");
    console.keys("<esc>");
    to(&mut console, "recon");
    let because = no(&console, Command::WakeRelay);
    assert!(because.contains("nucleus/directory"), "{because}");
    let mut console = self::console((160, 40));
    console.seen(with("prod", throttled()).done());
    console.keys("8");
    to(&mut console, "ledger").keys("W");
    let (_, operation) = planned(&mut console);
    let function = "ledger-outbox-worker";
    assert!(matches!(&operation, Operation::RestoreConcurrency(one) if one.function == function), "{operation:?}");
}

#[test]
fn home_wakes_the_relay_of_an_outbox_that_stands_still() {
    let mut console = at_night((160, 40));
    console.model.sites[2].verdicts = vec![Verdict {
        severity: Severity::Critical,
        environment: EnvironmentName("prod".to_owned()),
        subject: Subject::Outbox("ledger".to_owned()),
        kind: Kind::OutboxStalled,
        reason: Text::from("rows wait for somebody"),
        messages: 0,
        rank: Default::default(),
    }];
    console.event(Event::Resize(160, 40));
    console.keys("/ l e d g e r <enter> g g");
    assert!(console.text().contains("W wake its relay"), "{}", console.text());
    console.take_effects();
    console.keys("W");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::EnableRule(enable) if enable.rule == RULE), "{operation:?}");
    assert_eq!(environment, "prod");
}

#[test]
fn rows_of_the_outbox_under_the_cursor_are_parked_and_what_holds_no_claims_is_not_released() {
    let mut console = at_night((160, 40));
    console.keys("8");
    to(&mut console, "ledger").keys("P");
    let (environment, operation) = planned(&mut console);
    assert!(matches!(&operation, Operation::Park(park) if park.outbox == "ledger"), "{operation:?}");
    assert_eq!(environment, "prod");
    console.keys("<esc>");
    let because = no(&console, Command::Operate(OperationKind::Release));
    assert!(because.contains("its relay claims no rows"), "{because}");
}
