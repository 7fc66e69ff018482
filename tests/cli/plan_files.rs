//! `--plan-out`, `apply`, `--approve`: a consent is used once.

use std::process::Stdio;

use super::ground::{DEV, Ended, Ground};

const PROD: &str = "333333333333";

fn ground(account: &str, messages: usize) -> Ground {
    let ground = Ground::quick();
    ground.pair(account, "orders");
    (0..messages).for_each(|number| ground.dead_letter_of(account, "orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground
}

fn plan(ground: &Ground, name: &str) -> String {
    let path = ground.home.path().join(name).to_str().expect("UTF-8").to_owned();
    let purge = ["purge", "-e", "dev", "--queue", "orders-dlq", "--limit", "5", "--plan-out", &path];
    let written = ground.opsctl(&purge).expect(0);
    assert!(written.err.contains("once and within 24 h"), "{written:?}");
    path
}

fn assert_used(ended: &Ended, run: &str) {
    assert!(ended.err.contains(&format!("was used already, by run {run}")), "{ended:?}");
    assert!(ended.err.contains(&format!("--resume {run} --env")) && ended.err.contains("--sandbox"), "{ended:?}");
}

fn newest(ground: &Ground) -> String {
    let runs = ground.opsctl(&["runs", "--output", "json"]).expect(0).json();
    runs["runs"][0]["run"].as_str().expect("a run").to_owned()
}

#[test]
fn an_approved_plan_is_applied_once() {
    let ground = ground(DEV, 20);
    let path = plan(&ground, "plan.json");
    ground.opsctl(&["apply", &path, "--yes"]).expect(0);
    assert_eq!(ground.count("orders-dlq"), 15);
    let run = newest(&ground);
    let copy = ground.home.path().join("copy.json");
    std::fs::copy(&path, &copy).expect("copied");
    for name in [path.as_str(), path.as_str(), copy.to_str().expect("UTF-8")] {
        assert_used(&ground.opsctl(&["apply", name, "--yes"]).expect(3), &run);
        assert_eq!(ground.count("orders-dlq"), 15, "nothing more is deleted");
    }
    // A plan is not made younger by being written down again.
    let again = ground.home.path().join("again.json");
    let again = again.to_str().expect("UTF-8");
    ground.opsctl(&["apply", &path, "--plan-out", again]).expect(3);
    let other = plan(&ground, "other.json");
    ground.opsctl(&["apply", &other, "--yes"]).expect(0);
    assert_eq!(ground.count("orders-dlq"), 10, "an equal plan that was made later is another consent");
    let said = ground.opsctl(&["apply", &path, "--again", "--yes"]).expect(0);
    assert!(said.err.contains("--again carries it out once more"), "{said:?}");
    assert_eq!(ground.count("orders-dlq"), 5);
}

#[test]
fn a_plan_destroys_nothing_that_stands_where_it_goes() {
    let ground = ground(DEV, 6);
    let home = ground.home.path().to_owned();
    let out = |words: &[&str]| {
        ground.opsctl(&[&["purge", "-e", "dev", "--queue", "orders-dlq", "--limit", "1", "--plan-out"], words].concat())
    };
    ground.file("mine.txt", "mine");
    let mine = home.join("mine.txt").display().to_string();
    let refused = out(&[&mine]).expect(1);
    assert!(refused.err.contains("exists already") && refused.err.contains("try: ") && refused.err.contains("--force"));
    assert_eq!(std::fs::read_to_string(&mine).expect("text"), "mine");
    std::os::unix::fs::symlink("mine.txt", home.join("link")).expect("linked");
    let link = home.join("link").display().to_string();
    out(&[&link]).expect(1);
    out(&[&link, "--force"]).expect(0);
    assert!(home.join("link").is_symlink(), "a link stays one");
    ground.opsctl(&["apply", &mine, "--yes"]).expect(0);
    assert_eq!(ground.count("orders-dlq"), 5);
    let full = out(&["/dev/full"]).expect(1);
    assert!(full.err.contains("No space left") && full.err.contains("try: make room"), "{full:?}");
    assert!(!std::path::Path::new("/dev/full").is_file(), "the device is one still");
    let lost = out(&[&home.join("none/plan.json").display().to_string()]).expect(1);
    assert!(lost.err.contains("try: make the folder first"), "{lost:?}");
    // Standard output has the plan and nothing else.
    let words = ["--sandbox", "purge", "-e", "dev", "--queue", "orders-dlq", "--limit", "1", "--plan-out", "-"];
    let piped = ground.command(&words).output().expect("it runs").stdout;
    std::fs::write(home.join("piped.json"), piped).expect("written");
    ground.opsctl(&["apply", &home.join("piped.json").display().to_string(), "--yes"]).expect(0);
    assert_eq!(ground.count("orders-dlq"), 4);
}

#[test]
fn of_two_that_apply_at_once_one_does() {
    let ground = ground(DEV, 20);
    let path = plan(&ground, "plan.json");
    let words = ["--sandbox", "apply", &path, "--yes"];
    let start = || ground.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let both = [start(), start(), start()];
    let mut codes = both.map(|child| ground.ended(child.wait_with_output().expect("ended")).code);
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3), Some(3)]);
    assert_eq!(ground.count("orders-dlq"), 15);
}

#[test]
fn a_plan_file_that_is_old_or_was_made_younger_by_hand_is_refused() {
    let ground = ground(DEV, 20);
    let path = plan(&ground, "plan.json");
    let text = std::fs::read_to_string(&path).expect("a plan");
    let mut read: opsctl::operations::plan::Plan = serde_json::from_str(&text).expect("a plan");
    read.made_at -= jiff::SignedDuration::from_hours(25);
    std::fs::write(&path, serde_json::to_string(&read).expect("JSON")).expect("written");
    let changed = ground.opsctl(&["apply", &path, "--yes"]).expect(3);
    assert!(changed.err.contains("not sound"), "{changed:?}");
    // As it would have been written then.
    read.seal = read.seal_of();
    std::fs::write(&path, serde_json::to_string(&read).expect("JSON")).expect("written");
    let old = ground.opsctl(&["apply", &path, "--again", "--yes"]).expect(3);
    assert!(old.err.contains("25 h ago, and a plan in a file is good for 24 h"), "{old:?}");
    assert!(old.err.contains("try: make a new plan with --plan-out"), "{old:?}");
    assert_eq!(ground.count("orders-dlq"), 20);
}

#[test]
fn an_approved_fingerprint_is_good_for_one_run() {
    let ground = ground(PROD, 20);
    let words = ["purge", "-e", "prod", "--queue", "orders-dlq", "--limit", "5"];
    let shown = ground.opsctl(&[&words[..], &["--dry-run", "--output", "json"]].concat()).expect(0).json();
    let fingerprint = shown["fingerprint"].as_str().expect("a fingerprint");
    let approved = [&words[..], &["--approve", fingerprint, "--reason", "test"]].concat();
    ground.opsctl(&approved).expect(0);
    let run = newest(&ground);
    for _ in 0..2 {
        assert_used(&ground.opsctl(&approved).expect(3), &run);
    }
    let left = ground.sandbox.with(|world, _| world.messages(PROD, super::ground::REGION, "orders-dlq").count());
    assert_eq!(left, 15);
    // The run itself may be gone on with by the same fingerprint.
    ground.opsctl(&["purge", "--resume", &run, "--approve", fingerprint, "--reason", "test"]).expect(0);
}

#[test]
fn plans_of_other_operations_are_used_once_too() {
    let ground = ground(DEV, 6);
    let run = {
        ground.opsctl(&["purge", "-e", "dev", "--queue", "orders-dlq", "--yes"]).expect(0);
        newest(&ground)
    };
    let path = ground.home.path().join("restore.json");
    let path = path.to_str().expect("UTF-8");
    ground.opsctl(&["restore", &run, "--again", "--plan-out", path]).expect(0);
    ground.opsctl(&["apply", path, "--yes"]).expect(0);
    assert_used(&ground.opsctl(&["apply", path, "--yes"]).expect(3), &newest(&ground));
    assert_eq!(ground.count("orders-dlq"), 6);
    let path = ground.home.path().join("redrive.json");
    let path = path.to_str().expect("UTF-8");
    for engine in ["client", "managed"] {
        let redrive =
            ["redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", engine, "--plan-out", path, "--force"];
        ground.opsctl(&redrive).expect(0);
        ground.opsctl(&["apply", path, "--yes"]);
        let refused = ground.opsctl(&["apply", path, "--yes"]);
        // A queue that is empty by then has nothing to be refused.
        assert!(matches!(refused.code, Some(3)), "{engine}: {refused:?}");
        ground.dead_letter("orders", "{}");
    }
}
