use proptest::prelude::*;
use serde_json::json;

use super::*;

fn names() -> Vec<String> {
    ["queue", "service", "answers", "fix"].map(str::to_owned).to_vec()
}

fn input() -> Value {
    json!({
        "queue": {
            "name": "orders-dlq", "messages": 12, "visible": 12, "in_flight": null, "oldest_seconds": null, "is_fifo": false,
            "sources": [{ "messages": 3, "oldest_seconds": 40 }, { "messages": 0, "oldest_seconds": null }],
        },
        "service": { "is_steady": null, "running": 2, "stopped": [{ "exit_code": 137 }, { "exit_code": 1 }] },
        "fix": null,
    })
}

fn compile(text: &str) -> Condition {
    Condition::compile(text, &names()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn judge(text: &str) -> Judged {
    compile(text).judge(input()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn unknown(what: &str) -> Judged {
    Judged::Unknown { what: Text::line(&format!("{what} is not known")) }
}

#[test]
fn what_is_known_decides() {
    for (text, expected) in [
        ("queue.messages == 12", Judged::Holds),
        ("queue.messages == 0", Judged::Not),
        ("queue.messages > 0 and (service.running >= 2)", Judged::Holds),
        (r#"queue.name | endswith("-dlq")"#, Judged::Holds),
        ("queue.is_fifo", Judged::Not),
        ("queue.is_fifo | not", Judged::Holds),
        ("queue.sources | length == 2", Judged::Holds),
        ("any(queue.sources[]; .messages > 2)", Judged::Holds),
        ("queue.sources[].messages == 0", Judged::Holds),
        ("queue.sources | all(.messages > 2)", Judged::Not),
        ("any(service.stopped[]; .exit_code == 137)", Judged::Holds),
        ("service.stopped[0].exit_code == 137", Judged::Holds),
        ("[queue.sources[].messages] | add == 3", Judged::Holds),
        ("queue.sources[] | select(.messages > 5)", Judged::Not),
        ("empty", Judged::Not),
        ("if queue.messages > 10 then service.running == 2 else false end", Judged::Holds),
        (".queue.messages == 12", Judged::Holds),
        ("def many(f): f > 10; many(queue.messages)", Judged::Holds),
        ("queue.messages as $m | $m == 12", Judged::Holds),
    ] {
        assert_eq!(judge(text), expected, "{text}");
    }
}

/// In jq each of these holds, or fails, by the null alone.
#[test]
fn what_is_unknown_never_decides() {
    for (text, what) in [
        ("queue.oldest_seconds < 300", "queue.oldest_seconds"),
        ("queue.oldest_seconds > 300", "queue.oldest_seconds"),
        ("300 > queue.oldest_seconds", "queue.oldest_seconds"),
        ("queue.oldest_seconds != 0", "queue.oldest_seconds"),
        ("queue[\"oldest_seconds\"] < 300", "queue.oldest_seconds"),
        ("queue.oldest_seconds", "queue.oldest_seconds"),
        (".queue.oldest_seconds < 300", "queue.oldest_seconds"),
        ("queue.visible + queue.in_flight == 12", "queue.in_flight"),
        ("-queue.in_flight <= 0", "queue.in_flight"),
        ("service.is_steady | not", "service.is_steady"),
        ("if service.is_steady then false else true end", "service.is_steady"),
        ("(queue.oldest_seconds | length) == 0", "queue.oldest_seconds"),
        ("[queue.in_flight] | add < 10", "queue.in_flight"),
        ("queue | .oldest_seconds < 300", "queue.oldest_seconds"),
        ("queue.oldest_seconds | . < 300", "queue.oldest_seconds"),
        ("all(queue.sources[]; .oldest_seconds < 300)", "queue.sources[].oldest_seconds"),
        ("queue.sources | all(.oldest_seconds < 300)", "queue.sources[].oldest_seconds"),
        ("queue.sources | map(.oldest_seconds) | max < 300", "queue.sources[].oldest_seconds"),
        ("queue.sources[] | select(.messages == 0) | .oldest_seconds < 300", "queue.sources[].oldest_seconds"),
        ("[queue.sources[] | select(.messages > 99) | .messages] | max < 10", "a value"),
        ("reduce queue.sources[] as $s (0; . + $s.oldest_seconds) < 300", "$s.oldest_seconds"),
        ("queue.sources[1].oldest_seconds < 300", "queue.sources[1].oldest_seconds"),
        ("queue.sources[9].messages == 0", "queue.sources[9].messages"),
        ("queue.oldest_seconds as $age | $age < 300", "queue.oldest_seconds"),
        ("def young(f): f < 300; young(queue.oldest_seconds)", "queue.oldest_seconds"),
        ("queue as {oldest_seconds: $age} | $age < 300", "$age"),
        ("queue.nothing[] < 3", "queue.nothing"),
        ("[queue.nothing[]] == []", "queue.nothing"),
        ("fix == \"1.4.2\"", "fix"),
        ("answers.confirmed", "answers.confirmed"),
        ("queue.oldest_seconds == queue.in_flight", "queue.oldest_seconds"),
        ("\"\\(queue.oldest_seconds)\" == \"null\"", "queue.oldest_seconds"),
        ("{age: queue.oldest_seconds} == {age: null}", "queue.oldest_seconds"),
        ("[queue.oldest_seconds] | contains([null])", "queue.oldest_seconds"),
    ] {
        assert_eq!(judge(text), unknown(what), "{text}");
    }
}

#[test]
fn a_condition_may_say_what_to_make_of_the_unknown() {
    for (text, expected) in [
        ("(queue.oldest_seconds // 0) < 300", Judged::Holds),
        ("(queue.oldest_seconds // 900) < 300", Judged::Not),
        ("queue.oldest_seconds == null", Judged::Holds),
        ("null == fix", Judged::Holds),
        ("queue.oldest_seconds != null and queue.oldest_seconds < 300", Judged::Not),
        ("answers == null or answers.confirmed", Judged::Holds),
        ("all(queue.sources[] | select(.oldest_seconds != null); .oldest_seconds < 300)", Judged::Holds),
        // What is not evaluated does not count...
        ("queue.messages == 12 or queue.oldest_seconds < 300", Judged::Holds),
        ("queue.messages == 0 and queue.oldest_seconds < 300", Judged::Not),
        // ... and what is evaluated first does.
        ("queue.oldest_seconds < 300 or queue.messages == 12", unknown("queue.oldest_seconds")),
        // The sum is the left side here, not the figure: null + 1 is not 1.
        ("((queue.oldest_seconds + 1) // 0) < 1", unknown("queue.oldest_seconds")),
    ] {
        assert_eq!(judge(text), expected, "{text}");
    }
}

#[test]
fn a_trend_compares_with_the_observation_before() {
    let age = |now: Value, before: Value| json!({ "queue": { "age": now }, "before": before });
    let before = |age: Value| json!({ "queue": { "age": age } });
    let of = |text: &str, input: Value| compile(text).judge(input).expect("judged");
    for (now, then, falls, rises) in [(40, 50, Judged::Holds, Judged::Not), (50, 50, Judged::Not, Judged::Not)] {
        let input = age(json!(now), before(json!(then)));
        assert_eq!(of("falls(queue.age)", input.clone()), falls);
        assert_eq!(of("rises(queue.age)", input), rises);
    }
    let rising = age(json!(60), before(json!(50)));
    assert_eq!(of("rises(queue.age) and queue.age > 50", rising.clone()), Judged::Holds);
    assert_eq!(of("rises(.queue.age)", rising.clone()), Judged::Holds);
    assert_eq!(of("rises(queue | .age * 2)", rising), Judged::Holds);
    assert_eq!(of("falls(queue.age)", age(json!(40), Value::Null)), unknown("the earlier queue.age"));
    assert_eq!(of("falls(queue.age)", age(json!(40), before(Value::Null))), unknown("the earlier queue.age"));
    assert_eq!(of("falls(queue.age)", age(Value::Null, before(json!(40)))), unknown("queue.age"));
    let several = compile("falls(queue.ages[])")
        .judge(json!({ "queue": { "ages": [1, 2] } , "before": { "queue": { "ages": [1] } } }));
    assert!(several.expect_err("two figures").to_string().contains("compare one figure"));
    assert!(compile("falls(queue.age)").is_trend() && !compile("queue.age == 3").is_trend());
}

#[test]
fn figures_are_told_with_their_places() {
    let told = |text: &str| {
        let condition = compile(text);
        let told: Vec<String> = condition
            .figures()
            .iter()
            .map(|figure| format!("{} {} {}", figure.word, figure.field(), &text[figure.at.clone()]))
            .collect();
        told.join("; ")
    };
    assert_eq!(
        told("queue.messages == 0 and (service.stopped[0].exit_code // 0) < 300 and queue.messages < 3"),
        "queue messages queue.messages; service stopped[].exit_code service.stopped[0].exit_code"
    );
    assert_eq!(
        told("any(queue.sources[]; .messages > 2)"),
        "queue sources[] queue.sources; queue sources[].messages messages"
    );
    assert_eq!(told("falls(queue.oldest_seconds)"), "queue oldest_seconds queue.oldest_seconds");
    assert_eq!(told("queue | .oldest_seconds < 3"), "queue  queue; queue oldest_seconds oldest_seconds");
    assert_eq!(told("fix == \"1.4\""), "fix  fix");
    assert_eq!(told("def queue: 3; queue == 3"), "", "it is the condition's own word");
    let condition = compile("queue.messages == 0 and queue.oldest_seconds < 3 and any(queue.sources[]; .messages > 2)");
    let seen = condition.seen(&input());
    assert_eq!(seen.as_str(), "queue.messages = 12, queue.oldest_seconds = unknown, queue.sources[].messages = 3 0");
}

#[test]
fn what_is_wrong_is_underlined() {
    let refusal = |text: &str| Condition::compile(text, &names()).expect_err(text).to_string();
    insta::assert_snapshot!(refusal("qeue.messages == 0"), @r"
    cannot use the condition: there is no word `qeue`
      qeue.messages == 0
      ^^^^
    try: did you mean `queue`?
    ");
    insta::assert_snapshot!(refusal("queue.messages == nil"), @r#"
    cannot use the condition: there is no word `nil`
      queue.messages == nil
                        ^^^
    try: a text needs double quotes ("nil"); the words here are queue, service, answers, fix
    "#);
    insta::assert_snapshot!(refusal("queue.messages = 0"), @r"
    cannot use the condition: it assigns, so that it would always hold
      queue.messages = 0
            ^^^^^^^^
    try: compare with `==`
    ");
    insta::assert_snapshot!(refusal("(queue.messages == 0"), @r"
    cannot use the condition: expected closing parenthesis here
      (queue.messages == 0
                          ^
    try: write for instance `queue.messages == 0 and service.is_steady`
    ");
    insta::assert_snapshot!(refusal("now > 0"), @r"
    cannot use the condition: `now` can't be used, because a condition sees what was observed, and nothing else
      now > 0
      ^^^
    try: compare with what was observed, for instance `queue.oldest_seconds < 300`
    ");
    insta::assert_snapshot!(refusal("fall(queue.messages)"), @r"
    cannot use the condition: there is no filter `fall`
      fall(queue.messages)
      ^^^^
    try: falls(…) and rises(…) take one figure; the rest is jq's
    ");
    insta::assert_snapshot!(refusal(" "), @"
    cannot use the condition: it is empty
       
      ^
    try: write for instance `queue.messages == 0`
    ");
    assert!(refusal("def f: 1 + f; f").contains("calls itself"));
    assert!(refusal("condition").contains("no word `condition`"), "the program cannot call itself");
    let none = Condition::compile("queue", &[]).expect_err("no words").to_string();
    assert!(none.contains("there are no words here yet"), "{none}");
}

#[test]
fn names_that_jq_has_cannot_be_said() {
    for name in ["queue", "queue_2", "_x", "fix"] {
        assert!(Condition::can_say(name), "{name}");
    }
    for name in ["", "2x", "the-queue", "a b", "length", "not", "if", "falls", "now", "input", "true", "first", "type"]
    {
        assert!(!Condition::can_say(name), "{name}");
    }
    let condition = Condition::compile("[1, 2] | length == 2", &["length".to_owned()]).expect("compiles");
    assert_eq!(condition.judge(json!({ "length": 7 })), Ok(Judged::Holds), "it stays jq's word");
}

#[test]
fn a_failure_is_told_and_the_next_judgement_is_new() {
    let failed = compile("queue.messages.of").judge(input()).expect_err("a number has no field");
    assert!(failed.to_string().starts_with("the condition cannot be judged: cannot index 12"), "{failed}");
    let endless = compile("if queue.messages == 12 then last(range(1e12)) else true end");
    let slow = endless.judge(input()).expect_err("no end").to_string();
    assert!(slow.contains("longer than 1 s"), "{slow}");
    assert_eq!(endless.judge(json!({ "queue": { "messages": 1 } })), Ok(Judged::Holds));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands around it, a figure that is not known makes nothing hold that did not hold without it.
    #[test]
    fn no_comparison_holds_by_a_null(
        operator in prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]),
        other in prop::sample::select(vec!["0", "300", "\"x\"", "queue.messages", "[]", "true"]),
        around in prop::sample::select(vec!["{}", "({}) and true", "any(queue.sources[]; {})", "[{}][0]", "if {} then true else true end", "({}) | not", "({}), empty"]),
        is_left in any::<bool>(),
    ) {
        let compared = match is_left {
            true => format!("queue.oldest_seconds {operator} {other}"),
            false => format!("{other} {operator} queue.oldest_seconds"),
        };
        let text = around.replace("{}", &compared);
        prop_assert_eq!(judge(&text), unknown("queue.oldest_seconds"), "{}", text);
    }

    #[test]
    fn no_text_makes_compile_or_judge_panic(code in "[ -~\\u{202e}é\n]{0,40}") {
        match Condition::compile(&code, &names()) {
            Err(error) => prop_assert!(!error.to_string().contains('\u{202e}'), "unsafe"),
            Ok(condition) => drop(condition.judge(input())),
        }
    }
}
