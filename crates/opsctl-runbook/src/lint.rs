//! What can be said against a runbook that is right as it stands.

use std::ops::Range;

use jiff::civil::Date;

use crate::{
    Action, EvidenceKind, Kind, Runbook, Step, Template, Values, document, files::Problem, operations::OperationKind,
    things::is_thing,
};

/// After so many days without a rehearsal nobody knows whether it still fits.
const REHEARSED_DAYS_MAX: i32 = 180;

/// The name of a real thing that is written in a runbook: it fits no environment that lacks the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub kind: Kind,
    pub name: String,
    pub span: Range<usize>,
}

/// Names of real things in defaults of parameters and in inputs of steps.
pub fn named(runbook: &Runbook) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |kind: Kind, name: &str, within: &Range<usize>| {
        let text = runbook.text.get(within.clone()).unwrap_or_default();
        let span = text.find(name).map_or(within.clone(), |at| within.start + at..within.start + at + name.len());
        all.push(Named { kind, name: name.to_owned(), span });
    };
    for parameter in runbook.parameters.iter().filter(|parameter| is_thing(parameter.kind)) {
        if let Some(name) = parameter.default.as_ref().and_then(|value| value.as_str()) {
            add(parameter.kind, name, &runbook.introduction);
        }
    }
    for step in &runbook.steps {
        let templates = step.change().map(|change| &change.template).into_iter().chain(&step.undo);
        for (kind, name) in templates.flat_map(Template::names) {
            add(kind, name, &step.span);
        }
    }
    all
}

/// Warnings about a runbook, in the order of the file. `exists` says whether a file that it links to is there.
pub fn lint(runbook: &Runbook, today: Date, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    header(runbook, today, &mut problems);
    for (index, step) in runbook.steps.iter().enumerate() {
        forbidden(runbook, step, &mut problems);
        unverified(runbook, index, step, &mut problems);
        not_put_back(runbook, index, step, &mut problems);
        no_evidence(runbook, step, &mut problems);
    }
    links(runbook, exists, &mut problems);
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

fn header(runbook: &Runbook, today: Date, problems: &mut Vec<Problem>) {
    let at = 0..runbook.text.lines().next().unwrap_or_default().len();
    if runbook.owner.is_none() {
        let problem = Problem::warning(at.clone(), "no owner");
        problems
            .push(problem.help("say who maintains it: `owner = \"...\"` in a `toml runbook` block below the title"));
    }
    match runbook.last_rehearsed {
        None => {
            let problem = Problem::warning(at, "never rehearsed");
            problems.push(problem.help("run it on the sandbox, and write the date: `last_rehearsed = 2026-11-12`"));
        }
        Some(date) => {
            let days = (today - date).get_days();
            if days > REHEARSED_DAYS_MAX {
                let problem = Problem::warning(at, format!("last rehearsed {days} days ago"));
                problems.push(
                    problem.help(format!("rehearse it at least every {REHEARSED_DAYS_MAX} days, and write the date")),
                );
            }
        }
    }
}

/// A change that the runbook itself forbids.
fn forbidden(runbook: &Runbook, step: &Step, problems: &mut Vec<Problem>) {
    let Some(change) = step.change() else { return };
    if runbook.forbids.contains(&change.template.operation) {
        let name = change.template.operation.name();
        let problem = Problem::warning(step.span.clone(), format!("`{name}` is among what this runbook `forbids`"));
        problems.push(problem.help("the step would be refused: remove one of the two"));
    }
}

/// A change after which nothing is looked at before the next change.
fn unverified(runbook: &Runbook, index: usize, step: &Step, problems: &mut Vec<Problem>) {
    if step.change().is_none() || step.check.is_some() {
        return;
    }
    let after = runbook.steps[index + 1..].iter();
    let mut until_next = after.take_while(|step| step.change().is_none());
    if !until_next.any(|step| step.check.is_some()) {
        let problem = Problem::warning(step.span.clone(), format!("nothing verifies `{}`", step.name));
        problems.push(problem.help("add `check`, or a step after it that checks"));
    }
}

/// What is switched off, raised or muted for the time of the run comes back however the run ends.
fn not_put_back(runbook: &Runbook, index: usize, step: &Step, problems: &mut Vec<Problem>) {
    let Some(change) = step.change() else { return };
    let operation = change.template.fill(&samples(runbook), None);
    let operation = operation.unwrap_or_else(|_| change.template.operation.plain());
    let Some(back) = operation.verb().put_back_by() else { return };
    let puts_back = |step: &Step| step.always && step.change().is_some_and(|change| change.template.operation == back);
    if step.always || runbook.steps[index..].iter().any(puts_back) {
        return;
    }
    let (name, back) = (change.template.operation.name(), OperationKind::name(back));
    let problem = Problem::warning(step.span.clone(), format!("`{name}` is not put back when the run stops early"));
    problems.push(problem.help(format!("add a step with `do = \"{back}\"` and `always = true`")));
}

/// Values such as the parameters may have.
fn samples(runbook: &Runbook) -> Values {
    let parameters = runbook.parameters.iter();
    Values(parameters.map(|parameter| (parameter.name.clone(), parameter.kind.sample(&parameter.choices))).collect())
}

/// Evidence of which no parameter names anything.
fn no_evidence(runbook: &Runbook, step: &Step, problems: &mut Vec<Problem>) {
    for kind in &step.evidence {
        let is_there = runbook.parameters.iter().any(|parameter| EvidenceKind::is_of(*kind, parameter.kind));
        if !is_there {
            let message = format!("no parameter names anything that has `{}`", kind.into_str());
            problems.push(Problem::warning(step.span.clone(), message).help("add a parameter, or remove the evidence"));
        }
    }
    if matches!(step.action, Action::Collect) && step.evidence.is_empty() {
        problems.push(Problem::warning(step.span.clone(), "no evidence is named"));
    }
}

fn links(runbook: &Runbook, exists: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    let (document, _) = document::read(&runbook.text);
    for link in document.links {
        let file = link.target.split(['#', '?']).next().unwrap_or_default();
        let is_elsewhere = file.is_empty() || file.contains(':') || file.starts_with('/');
        if !is_elsewhere && !exists(file) {
            let problem = Problem::warning(link.span, format!("the link leads nowhere: there is no file `{file}`"));
            problems.push(problem.help("links are relative to the runbook's folder"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Origin, check};

    const GOOD: &str = r#"# T

See [the other](other.md) and [a page](https://example.com/x.md).

```toml runbook
owner = "us"
last_rehearsed = 2026-11-12
forbids = ["failover"]
parameters.queue = { kind = "queue" }
```

## Move them

```toml step
do = "redrive"
with = { queue = "{queue}" }
check = "queue.messages == 0"
```
"#;

    /// What is said against a runbook on 2026-11-30, where `other.md` is there and nothing else.
    fn told(text: &str) -> Vec<String> {
        let checked = check("x", Path::new("x.md"), Origin::BuiltIn, text);
        let rendered = checked.problems.render(crate::files::Paint::Plain);
        let runbook = checked.runbook.unwrap_or_else(|| panic!("{rendered}"));
        let today = Date::constant(2026, 11, 30);
        lint(&runbook, today, |file| file == "other.md").iter().map(|problem| problem.message.to_string()).collect()
    }

    #[test]
    fn each_rule_has_something_to_say() {
        assert_eq!(told(GOOD), Vec::<String>::new());
        let cases = [
            ("owner = \"us\"\n", "", "no owner"),
            ("last_rehearsed = 2026-11-12\n", "", "never rehearsed"),
            ("2026-11-12", "2026-06-02", "last rehearsed 181 days ago"),
            ("\"failover\"", "\"redrive\"", "`redrive` is among what this runbook `forbids`"),
            ("check = \"queue.messages == 0\"\n", "", "nothing verifies `Move them`"),
            ("do = ", "evidence = [\"logs\"]\ndo = ", "no parameter names anything that has `logs`"),
            ("other.md", "gone.md", "the link leads nowhere: there is no file `gone.md`"),
            ("other.md", "sub/../gone.md#part", "the link leads nowhere: there is no file `sub/../gone.md`"),
        ];
        for (from, to, wanted) in cases {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(told(&GOOD.replace(from, to)), [wanted], "{from:?} -> {to:?}");
        }
        assert_eq!(told(&GOOD.replace("2026-11-12", "2026-06-03")), Vec::<String>::new(), "180 days are fine");
        let nothing = format!("{GOOD}\n## Save\n\n```toml step\nevidence = []\n```\n");
        assert_eq!(told(&nothing), ["no evidence is named"]);
    }

    /// Whatever a run switches, scales, pauses or mutes has a step that puts it back however the run ends.
    #[test]
    fn each_change_for_the_time_of_a_run_is_put_back_or_warned_of() {
        let changes = [
            ("consumers pause", "queue = \"{queue}\"", "consumers resume", "queue = \"{queue}\""),
            ("consumers enable", "mapping = \"f\"", "consumers disable", "mapping = \"f\""),
            ("consumers disable", "mapping = \"f\"", "consumers enable", "mapping = \"f\""),
            ("rule disable", "rule = \"r\"", "rule enable", "rule = \"r\""),
            ("concurrency stop", "function = \"f\"", "concurrency restore", "function = \"f\""),
            ("alarms mute", "alarm = \"a\", for = \"1h\"", "alarms unmute", "alarm = \"a\""),
            ("retention", "queue = \"{queue}\", to = \"14d\"", "retention", "queue = \"{queue}\", restore = true"),
            ("scale", "service = \"c/s\", to = 9, move_bounds = true", "scale", "service = \"c/s\", restore = true"),
        ];
        let step = |name: &str, operation: &str, with: &str, always: &str| {
            format!(
                "\n## {name}\n\n```toml step\ndo = \"{operation}\"\nwith = {{ {with} }}\ncheck = \"queue.messages >= 0\"\n{always}```\n"
            )
        };
        for (change, with, back, back_with) in changes {
            let alone = format!("{GOOD}{}", step("Change", change, with, ""));
            let wanted = format!("`{change}` is not put back when the run stops early");
            assert_eq!(told(&alone), [wanted.as_str()]);
            let not_always = format!("{alone}{}", step("Back", back, back_with, ""));
            assert!(
                told(&not_always).contains(&wanted),
                "{change}: a step that a stopped run leaves out is not enough"
            );
            let always = format!("{alone}{}", step("Back", back, back_with, "always = true\n"));
            assert_eq!(told(&always), Vec::<String>::new(), "{change}");
        }
        // Every operation that is to be put back stands above.
        for kind in OperationKind::ALL.iter().filter(|kind| kind.plain().verb().put_back_by().is_some()) {
            assert!(changes.iter().any(|(change, ..)| *change == kind.name()), "{}", kind.name());
        }
    }

    #[test]
    fn names_of_real_things_have_their_places() {
        let text = GOOD
            .replace("kind = \"queue\" }", "kind = \"queue\", default = \"orders-dlq\" }")
            .replace("queue = \"{queue}\" }", "queue = \"{queue}\", to = \"orders\" }");
        let checked = check("x", Path::new("x.md"), Origin::BuiltIn, &text);
        let found = named(&checked.runbook.expect("a runbook"));
        let shown: Vec<_> = found.iter().map(|named| (named.kind, &text[named.span.clone()])).collect();
        assert_eq!(shown, [(Kind::Queue, "orders-dlq"), (Kind::Queue, "orders")]);
    }
}
