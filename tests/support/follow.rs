//! Follows a command line that opsctl shows, in the world that showed it.

use opsctl::{
    domain::RunId,
    operations::{self, Operation, OperationKind},
    run::{self, Report},
};

use super::stage::Stage;

/// What a command line does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Followed {
    Operation(Box<Operation>),
    Resume(RunId),
}

/// The words of a line as a POSIX shell hands them to a program: what opsctl shows is quoted by `'` alone.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                word.get_or_insert_default();
                is_quoted = !is_quoted;
            }
            '\\' if !is_quoted => word.get_or_insert_default().extend(characters.next()),
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// Reads the command line of an operation of environment `dev`.
pub(crate) fn read(line: &str) -> Followed {
    let words = words(line);
    let rest = words.strip_prefix(&["opsctl".to_owned()]).unwrap_or_else(|| panic!("not a command of opsctl: {line}"));
    let at = rest.windows(2).position(|two| two == ["--env", "dev"]).unwrap_or_else(|| panic!("for dev: {line}"));
    let rest: Vec<String> = rest[..at].iter().chain(&rest[at + 2..]).cloned().collect();
    let is_named = |kind: &&OperationKind| {
        let name: Vec<&str> = kind.name().split(' ').collect();
        rest.len() >= name.len() && name.iter().zip(&rest).all(|(one, other)| one == other)
    };
    let kind = OperationKind::ALL.iter().find(is_named).unwrap_or_else(|| panic!("not an operation: {line}"));
    let arguments = &rest[kind.name().split(' ').count()..];
    if let [resume, run, ..] = arguments
        && resume == "--resume"
    {
        return Followed::Resume(run.parse().expect("a run"));
    }
    let operation = operations::parse(*kind, arguments.iter().cloned());
    Followed::Operation(Box::new(operation.unwrap_or_else(|because| panic!("{line}: {because}"))))
}

impl Stage {
    /// Does what a command line says, as a careful person does; `queue` is the one that they choose, where it asks for one.
    pub(crate) async fn follow(&mut self, line: &str, queue: &str) -> Report {
        // What arrives with the command is not the next run's.
        self.sandbox.clock().sleep(std::time::Duration::from_secs(5)).await;
        match read(&line.replace("--to QUEUE", &format!("--to {queue}"))) {
            Followed::Operation(operation) => self.run(&operation).await,
            Followed::Resume(run) => {
                let plan = run::plan_of(&self.folder(), &run).expect("a plan");
                let approved = self.approve(plan).expect("approval");
                let context = self.context().await;
                run::resume(&run, approved, &context).await.expect("a journal")
            }
        }
    }

    /// Follows `next` of one report after the other, until none is left.
    pub(crate) async fn follow_to_the_end(&mut self, first: Report, queue: &str) -> Vec<Report> {
        let mut reports = vec![first];
        while let Some(next) = reports.last().and_then(|report| report.next.clone()) {
            assert!(reports.len() < 6, "it goes round: {reports:#?}");
            let report = self.follow(next.as_str(), queue).await;
            reports.push(report);
        }
        reports
    }
}
