//! Several environments: lists take them, what is for one refuses them.

use super::ground::Ground;

#[test]
fn lists_take_several_environments_and_what_is_for_one_refuses_them() {
    let ground = Ground::fleet();
    for list in
        ["queues", "services", "databases", "alarms", "consumers", "outbox list", "tasks --service cts", "doctor"]
    {
        let words: Vec<&str> = list.split(' ').chain(["-e", "dev", "-e", "staging"]).collect();
        let shown = ground.opsctl(&words).out;
        let has = |name: &str| shown.lines().any(|line| line.starts_with(name));
        assert!(has("dev ") && has("staging ") && !has("prod "), "{list}: {shown}");
    }
    let runs = ground.opsctl(&["redrive", "-e", "dev", "--queue", "cts-dlq", "--limit", "1", "--yes"]).expect(0);
    assert!(runs.out.contains("1 moved"), "{runs:?}");
    let count = |words: &[&str]| ground.opsctl(words).expect(0).json()["runs"].as_array().map(Vec::len);
    assert_eq!(count(&["runs", "-e", "prod", "-e", "dev", "--output", "json"]), Some(1));
    assert_eq!(count(&["runs", "-e", "prod", "-e", "staging", "--output", "json"]), Some(0));
    let before = ground.count("cts-dlq");
    for line in [
        "redrive -e dev -e staging --queue cts-dlq --yes",
        "-e dev redrive -e staging --queue cts-dlq --yes",
        "-e dev consumers pause -e staging --queue cts-commands --yes",
        "-e dev outbox -e staging show cts",
        "wake -e dev -e staging --service cts --yes",
        "peek -e dev -e staging --queue cts-dlq",
        "groups -e dev -e staging --queue cts-dlq",
        "outbox detect -e dev -e staging",
    ] {
        let refused = ground.opsctl(&line.split(' ').collect::<Vec<_>>()).expect(2);
        assert!(refused.err.contains("--env names several: dev, staging"), "{line}: {refused:?}");
        assert!(refused.out.is_empty(), "{line}: {refused:?}");
    }
    assert_eq!(ground.count("cts-dlq"), before);
}
