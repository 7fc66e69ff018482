use std::path::Path;

use super::*;
use crate::{Action, Kind, files::Paint};

const DRAIN: &str = r#"# Drain a dead-letter queue

Messages that a consumer could not handle wait in a dead-letter queue.

```toml runbook
owner = "payments"
last_rehearsed = 2026-11-12
recovery_time = "30m"
applies_when = ["dead-letters", "expires"]
parameters.queue = { kind = "queue", help = "The dead-letter queue" }
parameters.canary = { kind = "number", default = 10 }
```

## Find the cause

Read the errors.

## Is the fix out?

```toml step
ask = "version"
keep = "fix"
```

## Try a few

```toml step
id = "try"
do = "redrive"
with = { queue = "{queue}", limit = "{canary}", where = '.body.x == "{}"' }
check = "try.state == \"done\""
within = "5m"
```
"#;

fn told(text: &str) -> String {
    check("x", Path::new("x.md"), Origin::BuiltIn, text).problems.render(Paint::Plain)
}

#[test]
fn a_runbook_is_read() {
    let text = DRAIN.replace("try.state", "canary_try.state").replace("\"try\"", "\"canary_try\"");
    let checked = check("drain", Path::new("drain.md"), Origin::BuiltIn, &text);
    assert_eq!(checked.problems.render(Paint::Plain), "");
    let runbook = checked.runbook.expect("a runbook");
    assert_eq!(
        runbook.parameters.iter().map(|parameter| parameter.kind).collect::<Vec<_>>(),
        [Kind::Queue, Kind::Number]
    );
    let what: Vec<_> = runbook.steps.iter().map(|step| (step.id.as_str(), step.what())).collect();
    assert_eq!(what, [("find_the_cause", "by hand"), ("is_the_fix_out", "question"), ("canary_try", "redrive")]);
    assert!(matches!(&runbook.steps[1].action, Action::Ask(ask) if ask.keep == "fix"));
    assert_eq!(runbook.summary().as_str(), "Messages that a consumer could not handle wait in a dead-letter queue.");
}

#[test]
fn a_word_of_jq_is_no_name() {
    assert!(told(DRAIN).contains("`try` is reserved in conditions"));
}

#[test]
fn mistakes_are_told_in_their_places_all_at_once() {
    let text = r#"# X

```toml runbook
ownr = "payments"
last_rehearsed = "soon"
parameters.queue = { kind = "queu" }
parameters.Limit = { kind = "number", default = "ten" }
parameters.what = { kind = "choice" }
```

## A

```toml step
do = "redrve"
```

## B

```toml step
do = "redrive"
with = { queue = "{qeue}", limt = 3 }
```

## C

```toml step
do = "redrive"
with = { queue = "q {what}", limit = 0 }
ask = "text"
```

## D

```toml step
holds_for = "5m"
repeat = { shares = [50, 10], of = "what", input = "limit" }
```

## E

```toml step
this is no TOML
```
"#;
    insta::assert_snapshot!(told(text));
}
