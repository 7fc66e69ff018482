//! `--ids`: lists as people have them, and what becomes of what is no list.

use std::{io::Write, process::Stdio};

use super::ground::{DEV, Ended, Ground, REGION};

const GONE: &str = "6f1d3f1e-0000-4000-8000-0000000000ff";

fn ground(messages: usize) -> (Ground, Vec<String>) {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..messages).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
    let ids = ground
        .sandbox
        .with(|world, _| world.messages(DEV, REGION, "orders-dlq").map(|message| message.id.to_string()).collect());
    (ground, ids)
}

/// Runs it with a text on standard input.
fn piped(ground: &Ground, words: &[&str], text: &str) -> Ended {
    let words = [&["--sandbox"], words].concat();
    let mut command = ground.command(&words);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    ground.ended(child.wait_with_output().expect("ended"))
}

const REDRIVE: [&str; 6] = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--ids"];

#[test]
fn what_peek_prints_and_a_pipe_carries_is_a_list_of_ids() {
    let (ground, ids) = ground(6);
    let peeked = ground.opsctl(&[
        "peek",
        "-e",
        "dev",
        "--queue",
        "orders-dlq",
        "--where",
        ".body.orderId < 2",
        "--output",
        "json",
    ]);
    let file = ground.file("peeked.json", &peeked.expect(0).out);
    let words = [&REDRIVE[..], &[file.to_str().expect("UTF-8"), "--yes"]].concat();
    ground.opsctl(&words).expect(0);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (4, 2));
    let list = format!("\u{feff}'{}',\r\n'{GONE}',\r\n", ids[3]);
    let ended = piped(&ground, &[&REDRIVE[..], &["-", "--yes"]].concat(), &list).expect(4);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (3, 3));
    assert!(ended.err.contains(GONE) || ended.out.contains(GONE), "{ended:?}");
    let ended = piped(&ground, &[&REDRIVE[..], &["/dev/stdin", "--yes"]].concat(), &format!("[\"{}\"]", ids[4]));
    ended.expect(0);
    assert_eq!(ground.count("orders"), 4);
}

#[test]
fn a_file_that_is_no_list_is_refused_and_nothing_moves() {
    let (ground, ids) = ground(3);
    for (text, because) in [
        ("", "it has no message id in it"),
        ("orders-17\n", "line 1: `orders-17` is not a message id"),
        (&format!("{}\n{}\n", ids[0], &ids[1][..9]), "line 2: "),
        ("{\"Messages\": [{\"Body\": \"x\"}]}", "an object has no MessageId in it"),
    ] {
        let file = ground.file("ids.txt", text);
        let file = file.to_str().expect("UTF-8");
        for operation in [&["redrive"][..], &["purge"]] {
            let words = [operation, &["-e", "dev", "--queue", "orders-dlq", "--ids", file, "--yes"]].concat();
            let ended = ground.opsctl(&words).expect(2);
            assert!(ended.err.contains(because), "{text:?}: {ended:?}");
        }
        let ended = piped(&ground, &[&REDRIVE[..], &["-", "--yes"]].concat(), text).expect(2);
        assert!(ended.err.contains(because), "{text:?}: {ended:?}");
    }
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (3, 0));
}

#[test]
fn a_purge_and_a_restore_take_ids() {
    let (ground, ids) = ground(5);
    let list = ground.file("ids.csv", &format!("message_id,why\n{},poison\n{},poison\n{GONE},x\n", ids[1], ids[2]));
    let list = list.to_str().expect("UTF-8");
    let words = ["purge", "-e", "dev", "--queue", "orders-dlq", "--ids", list, "--yes", "--output", "json"];
    let report = ground.opsctl(&words).expect(4).json();
    assert_eq!(report["unmet"], serde_json::json!([GONE]), "{report}");
    assert_eq!((report["details"]["removed"].as_u64(), ground.count("orders-dlq")), (Some(2), 3), "{report}");
    assert!(report["notes"].to_string().contains(GONE), "{report}");
    let run = report["run"].as_str().expect("a run").to_owned();
    let one = ground.file("one.txt", &format!("{}\n{GONE}\n", ids[2]));
    let words = ["restore", &run, "-e", "dev", "--ids", one.to_str().expect("UTF-8"), "--yes"];
    let ended = ground.opsctl(&words).expect(4);
    assert_eq!(ground.count("orders-dlq"), 4, "{ended:?}");
    assert!(ended.out.contains(GONE) || ended.err.contains(GONE), "{ended:?}");
}

/// All that was asked for by its id was done, or the exit code says that it was not.
#[test]
fn ids_that_are_not_met_are_not_done() {
    let (ground, ids) = ground(2);
    let list = ground.file("ids.txt", &format!("{}\n", ids[0]));
    let list = list.to_str().expect("UTF-8");
    let gone = ground.file("gone.txt", &format!("{GONE}\n"));
    let gone = gone.to_str().expect("UTF-8");
    for operation in ["redrive", "purge"] {
        let words = [operation, "-e", "dev", "--queue", "orders-dlq", "--yes", "--ids"];
        let ended = ground.opsctl(&[&words[..], &[gone]].concat()).expect(4);
        assert!(ended.out.contains(GONE), "{ended:?}");
        assert!(!ended.out.contains("next: "), "another run would meet no more: {ended:?}");
    }
    ground.opsctl(&[&REDRIVE[..], &[list, "--yes"]].concat()).expect(0);
    ground.opsctl(&["purge", "-e", "dev", "--queue", "orders-dlq", "--yes"]).expect(0);
    // An empty queue has none of them.
    let nothing = [&REDRIVE[..], &[gone, "--yes", "--output", "json"]].concat();
    assert_eq!(ground.opsctl(&nothing).expect(4).json()["unmet"], serde_json::json!([GONE]));
}
