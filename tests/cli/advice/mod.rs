//! Every advice that opsctl gives is followed in the world that gives it, and leads on.

mod arguments;
mod consent;
mod proxy;
mod refused;
mod runs;

use std::{future::Future, panic, thread};

use opsctl::{
    domain::{Advice, Try},
    operations::{Operation, OperationError},
    run::Report,
};

use super::ground::{Ended, Ground};
use crate::support::{follow, stage::Stage};

/// Cases that are tried at once.
const AT_ONCE: usize = 3;

/// What gives the advice, and follows it. A way more does not compile without its case.
fn case(way: Try) -> fn() {
    match way {
        Try::NameIt => arguments::name_it,
        Try::NameAnother => arguments::name_another,
        Try::NameOne => arguments::name_one,
        Try::WriteItSo => arguments::write_it_so,
        Try::ChooseEnvironment => arguments::choose_environment,
        Try::LeaveOut => arguments::leave_out,
        Try::GiveOther => arguments::give_other,
        Try::SeeHelp => arguments::see_help,
        Try::UseOther => arguments::use_other,
        Try::Configure => arguments::configure,
        Try::ChangeSetting => consent::change_setting,
        Try::MendFile => arguments::mend_file,
        Try::SetVariable => arguments::set_variable,
        Try::UseTerminal => arguments::use_terminal,
        Try::ChangeProtection => consent::change_protection,
        Try::MendBlockers => consent::mend_blockers,
        Try::PlanAnew => consent::plan_anew,
        Try::Confirm => consent::confirm,
        Try::TypeTheName => consent::type_the_name,
        Try::ApproveThis => consent::approve_this,
        Try::GiveReason => consent::give_reason,
        Try::ResumeOrRepeat => consent::resume_or_repeat,
        Try::LookAtDeadLetters => consent::look_at_dead_letters,
        Try::Allow => refused::allow,
        Try::ChangePolicy => refused::change_policy,
        Try::MendKey => refused::mend_key,
        Try::Later => refused::later,
        Try::CheckName => refused::check_name,
        Try::LogIn => refused::log_in,
        Try::GiveCredentials => refused::give_credentials,
        Try::MendConnection => refused::mend_connection,
        Try::LookFirst => refused::look_first,
        Try::CorrectRequest => refused::correct_request,
        Try::SetClock => refused::set_clock,
        Try::CheckProfile => refused::check_profile,
        Try::MakeRoom => runs::make_room,
        Try::WaitForOther => runs::wait_for_other,
        Try::ListRuns => runs::list_runs,
        Try::VerifyJournal => runs::verify_journal,
        Try::Resume => runs::resume,
        Try::MendConsumer => runs::mend_consumer,
        Try::MendEdit => runs::mend_edit,
        Try::MendFilter => runs::mend_filter,
        Try::ClientEngine => runs::client_engine,
        Try::RunAgain => runs::run_again,
        Try::LookAtResult => runs::look_at_result,
        Try::MendService => runs::mend_service,
        Try::MendTask => runs::mend_task,
        Try::MendDatabase => runs::mend_database,
        Try::TakeOver => runs::take_over,
        Try::BeginAnew => runs::begin_anew,
        Try::SeeRecord => runs::see_record,
        Try::EditAgain => runs::edit_again,
    }
}

#[test]
fn each_leads_on() {
    let mut failed = Vec::new();
    for some in Try::ALL.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let tried: Vec<_> =
                some.iter().map(|way| (*way, scope.spawn(|| panic::catch_unwind(case(*way))))).collect();
            failed.extend(tried.into_iter().filter_map(|(way, tried)| tried.join().ok()?.err().map(|_| way)));
        });
    }
    assert!(failed.is_empty(), "these do not lead on: {failed:?}");
}

/// Waits on a virtual clock.
fn night(acts: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(acts);
}

/// Why there is no plan, with what is to be tried.
async fn refused(stage: &mut Stage, operation: &Operation) -> Advice {
    let error: OperationError = stage.plan(operation).await.map(|planned| planned.plan).expect_err("it is refused");
    error.advice(&stage.environment).unwrap_or_else(|| panic!("{error} says nothing to try"))
}

/// What a plan is refused for says what helps, and that alone is tried.
async fn blocked(stage: &mut Stage, operation: &Operation) -> Advice {
    let plan = stage.plan(operation).await.expect("a plan").plan;
    stage.approve(plan).expect_err("it is blocked").hint()
}

/// There is a plan that nothing speaks against.
async fn assert_planned(stage: &mut Stage, operation: &Operation) {
    let plan = stage.plan(operation).await.unwrap_or_else(|error| panic!("{operation:?}: {error}")).plan;
    assert!(plan.blockers.is_empty(), "{plan:#?}");
}

fn assert_way(advice: &Advice, way: Try, says: &str) {
    assert_eq!(advice.way(), way, "{advice}");
    assert!(advice.as_str().contains(says), "{advice}");
}

fn assert_fails(report: &Report, way: Try) {
    let failure = report.failure.as_ref().unwrap_or_else(|| panic!("it fails: {report:#?}"));
    assert_eq!(failure.advice, Some(way), "{report:#?}");
}

/// What it says to try, which has these words.
fn tried(ended: &Ended, says: &str) -> String {
    let text = ended.err.lines().chain(ended.out.lines()).find_map(|line| line.trim().strip_prefix("try: "));
    let text = text.unwrap_or_else(|| panic!("nothing to try: {ended:?}"));
    assert!(text.contains(says), "{text}");
    text.to_owned()
}

/// The commands that a text shows.
fn commands(text: &str) -> Vec<String> {
    let inner = text.split('`').skip(1).step_by(2).filter(|inner| inner.starts_with("opsctl "));
    inner.map(str::to_owned).collect()
}

/// Runs a command line that was shown, with what a person adds.
fn run(ground: &Ground, line: &str, more: &[&str]) -> Ended {
    let words = follow::words(&line.replace("<home>", &ground.home.path().display().to_string()));
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).chain(more.iter().copied()).collect();
    ground.plain(&words)
}
