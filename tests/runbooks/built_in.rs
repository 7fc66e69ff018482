//! The runbooks that opsctl brings, carried out as the tests beside them say.

use std::process::Command;

/// Each is played in a world of its own, whose minutes pass at once.
#[test]
fn what_opsctl_brings_ends_as_its_tests_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
    command.args(["runbook", "test"]).current_dir(folder.path()).env("XDG_CONFIG_HOME", folder.path());
    let output = command.env("XDG_STATE_HOME", folder.path()).output().expect("the program");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let tested = |name: &str| told.lines().any(|line| line.starts_with("ok") && line.contains(&format!("{name}: ")));
    for (name, _) in opsctl::runbook::shelf::BUILT_IN {
        assert!(tested(name), "{name} has no test\n{told}");
    }
}
