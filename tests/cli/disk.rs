//! A disk that is full: files may grow to so many bytes and no further.

use std::process::Command;

use opsctl::sandbox::world::lambda::State;

use super::ground::{DEV, Ground, REGION};

/// The binary under a limit on the size of files it writes, in blocks of 1,024 bytes.
pub(super) fn limited(ground: &Ground, blocks: u32, words: &[&str]) -> super::ground::Ended {
    let plain = ground.command(words);
    // A write over the limit shall fail as on a full disk, not end the process.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(ground.home.path()).stdin(std::process::Stdio::null());
    ground.ended(command.output().expect("started"))
}

#[test]
fn a_full_disk_stops_a_redrive_and_loses_nothing() {
    for blocks in [0, 8, 24, 40] {
        let ground = Ground::quick();
        ground.pair(DEV, "orders");
        (0..200).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
        let words = ["--sandbox", "redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", "client", "--yes"];
        let ended = limited(&ground, blocks, &words);
        let (moved, left) = (ground.count("orders"), ground.count("orders-dlq"));
        assert_eq!(moved + left, 200, "{blocks}: lost or doubled: {ended:?}");
        assert!(left > 0, "{blocks} blocks are no limit: {ended:?}");
        let says = format!("{}{}", ended.out, ended.err);
        assert!(says.contains("journal") && says.contains("File too large"), "{blocks}: {ended:?}");
        let code = if moved == 0 { [Some(1), Some(3)] } else { [Some(4), Some(4)] };
        assert!(code.contains(&ended.code), "{blocks}: {ended:?}");
    }
}

#[test]
fn a_full_disk_keeps_no_consumer_paused() {
    for blocks in [8, 16, 24] {
        let ground = Ground::quick();
        ground.pair(DEV, "orders");
        (0..200).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
        let id = super::consumers::mapping(&ground, "orders-processor", "orders", State::Enabled);
        let mut words =
            vec!["--sandbox", "redrive", "-e", "dev", "--queue", "orders-dlq", "--engine", "client", "--yes"];
        words.extend(["--ramp", "all", "--pause-consumers"]);
        let ended = limited(&ground, blocks, &words);
        assert!(ground.count("orders-dlq") > 0, "{blocks} blocks are no limit: {ended:?}");
        let state = ground.sandbox.with(|world, now| world.lambda.mapping(now, DEV, REGION, &id).expect("there").state);
        assert_eq!(state, State::Enabled, "{blocks}: {ended:?}");
    }
}
