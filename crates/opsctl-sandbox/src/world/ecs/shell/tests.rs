//! Commands and their ends.

use super::*;

fn ran(words: &[&str]) -> Option<Ran> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    run(&words, &[("CODE".to_owned(), "7".to_owned()), ("EMPTY".to_owned(), String::new())], 512)
}

fn exits(after_seconds: i64, code: i32) -> Option<End> {
    Some(End::Exits { after: after_seconds * 1_000, code })
}

#[test]
fn what_people_type_ends_as_a_shell_would_end_it() {
    for (script, end) in [
        ("sleep 5; exit 3", exits(5, 3)),
        ("sleep 1m && exit 1", exits(60, 1)),
        ("false", exits(0, 1)),
        ("true\nsleep 2", exits(2, 0)),
        ("false || exit 4", exits(0, 4)),
        ("true || exit 4; exit 5", exits(0, 5)),
        ("exit $CODE", exits(0, 7)),
        ("exit ${NONE:-9}", exits(0, 9)),
        ("test -n \"$EMPTY\" || exit 2", exits(0, 2)),
        ("[ -z \"$CODE\" ] && exit 2; exit 0", exits(0, 0)),
        ("if [ \"$CODE\" = 7 ]; then sleep 3; exit 6; else exit 8; fi", exits(3, 6)),
        ("if [ -z $CODE ]; then exit 6; elif false; then exit 7; else sleep 1; fi; exit 8", exits(1, 8)),
        ("while true; do sleep 1; done", Some(End::Never)),
        ("until false; do echo x; sleep 5; done", Some(End::Never)),
        ("while false; do exit 1; done; exit 2", exits(0, 2)),
        ("sleep infinity", Some(End::Never)),
        ("tail -f /dev/null", Some(End::Never)),
        ("set -e; false; exit 0", exits(0, 1)),
        ("! true; exit $CODE", exits(0, 7)),
        ("(sleep 2; false) || exit 3", exits(2, 3)),
        ("{ sleep 2; exit 4; }", exits(2, 4)),
        ("npm run build && exit 3", exits(1, 3)),
        ("./no-such-file; exit $?", exits(0, 127)),
        ("no-such-program", exits(0, 127)),
        ("kill -9 $$", exits(0, 137)),
        ("kill 1", exits(0, 143)),
        ("exit 256", exits(0, 0)),
        ("echo 'a; b' >&2; exit 1 # why", exits(0, 1)),
        ("stress --vm 1 --vm-bytes 2G", Some(End::OutOfMemory { after: 1_000 })),
        ("npm start", None),
        ("python manage.py migrate 2>&1 | tee log", None),
    ] {
        assert_eq!(ran(&["sh", "-c", script]).map(|ran| ran.end), end, "{script}");
    }
}

#[test]
fn a_command_may_come_in_any_form() {
    for (words, end) in [
        (&["sleep 5; exit 3"][..], exits(5, 3)),
        (&["sleep", "5;", "exit", "3"], exits(5, 3)),
        (&["/bin/bash", "-ec", "false; exit 0"], exits(0, 1)),
        (&["sleep", "5"], exits(5, 0)),
        (&["false"], exits(0, 1)),
        (&["exec", "sleep", "5"], exits(5, 0)),
        (&["no-such-program", "--flag"], Some(End::CannotStart { program: "no-such-program".to_owned() })),
        (&["npm", "run", "migration:run"], None),
        (&["sh"], None),
        (&[], None),
    ] {
        assert_eq!(ran(words).map(|ran| ran.end), end, "{words:?}");
    }
}

#[test]
fn what_is_echoed_is_written_at_its_time() {
    let ran = ran(&["sh", "-c", "echo begin; sleep 3; echo \"code $CODE\" >&2; exit 1"]).expect("understood");
    assert_eq!(ran.lines, [(0, "begin".to_owned()), (3_000, "code 7".to_owned())]);
}
