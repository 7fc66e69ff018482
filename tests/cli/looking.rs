//! `opsctl peek`, `groups`.

use super::ground::{DEV, Ground};

fn ground() -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    for number in 0..4 {
        ground.dead_letter(
            "orders",
            &format!(r#"{{"orderId":{number},"error":"Timeout after {number}00 ms","password":"hunter{number}"}}"#),
        );
    }
    ground.dead_letter("orders", "ValueError: no such order 17");
    ground
}

#[test]
fn a_look_shows_messages_and_puts_them_back() {
    let ground = ground();
    let words = ["peek", "-e", "dev", "--queue", "orders-dlq", "--where", ".body.orderId == 2"];
    let seen = ground.opsctl(&words).expect(0);
    assert!(seen.out.contains(r#"{"orderId":2,"error":"Timeout after 200 ms","password":"‹redacted›"}"#), "{seen:?}");
    assert!(seen.out.contains("from      queue orders"), "{seen:?}");
    assert!(seen.err.contains("it costs each message one receive"), "{seen:?}");
    let full = ground.opsctl(&[&words[..], &["--full"]].concat()).expect(0);
    assert!(full.out.contains("hunter2"), "{full:?}");
    let all = ground.opsctl(&["peek", "-e", "dev", "--queue", "orders-dlq", "--output", "json"]).expect(0).json();
    assert_eq!((all["schema"].as_str(), all["looked_at"].as_u64()), (Some("opsctl/peek/1"), Some(5)));
    assert_eq!(all["messages"][0]["origin"]["from"], "queue");
    assert!(all["messages"][0]["receive_count"].as_u64() >= Some(6), "each look costs a receive: {all}");
}

#[test]
fn a_queue_whose_messages_would_die_of_it_is_not_looked_at() {
    let ground = ground();
    insta::assert_snapshot!(ground.opsctl(&["peek", "-e", "dev", "--queue", "orders"]).shown(), @r#"
        exit 3
        -- out
        -- err
        sandbox: joined the one at <url> (seed 7)
        error: refused: looking at orders may cost messages: after 3 receives they move to its dead-letter queue
        try: look at its dead-letter queue instead, or insist with --force
        "#);
    ground.opsctl(&["peek", "-e", "dev", "--queue", "orders", "--force"]).expect(0);
}

#[test]
fn failures_are_grouped_with_a_filter_for_each() {
    let ground = ground();
    insta::assert_snapshot!(ground.opsctl(&["groups", "-e", "dev", "--queue", "orders-dlq"]).shown(), @r#"
        exit 0
        -- out
        COUNT  SHARE  LAST SEEN            SOURCE  ERROR                        TYPE OR SHAPE
            4    80%  2026-11-21 02:00:00  orders  Timeout after … ms           {error orderId password}
            1    20%  2026-11-21 02:00:00  orders  ValueError: no such order …  text

        1: --where '(.error // "" | test("^\\s*Timeout after \\S* ms"))'
        2: --where '(.error // "" | test("^\\s*ValueError: no such order \\S*"))'
        -- err
        sandbox: joined the one at <url> (seed 7)
        looking at orders-dlq: it costs each message one receive; all are put back at once
        "#);
    let answer = ground.opsctl(&["groups", "-e", "dev", "--queue", "orders", "--output", "json"]).expect(0).json();
    let filter = answer["groups"][0]["filter"].as_str().expect("a filter");
    let seen = ground.opsctl(&["peek", "-e", "dev", "--queue", "orders-dlq", "--where", filter, "--output", "jsonl"]);
    assert_eq!(seen.expect(0).out.lines().count(), 4);
}

#[test]
fn a_wrong_filter_is_underlined() {
    let ground = ground();
    insta::assert_snapshot!(ground.opsctl(&["peek", "-e", "dev", "--queue", "orders-dlq", "--where", ".body.x = 1"]).shown(), @r#"
        exit 2
        -- out
        -- err
        sandbox: joined the one at <url> (seed 7)
        error: cannot use the filter: it assigns, so that every message would match
          .body.x = 1
                ^
        try: compare with `==`
        "#);
}
