//! What is made from the command line's own description; completion.

use super::ground::{DEV, Ground};

#[test]
fn every_shell_gets_a_line_that_registers_completion() {
    let ground = Ground::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ground.plain(&["completions", shell]).expect(0).out;
        assert!(script.contains("COMPLETE") && script.contains("opsctl"), "{shell}: {script}");
    }
}

#[test]
fn queue_names_complete_from_the_last_listing_without_a_call() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    ground.opsctl(&["queues"]).expect(0);
    let complete = |words: &[&str]| {
        let mut command = ground.command(&[&["--", "opsctl"], words].concat());
        let index = words.len().to_string();
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_COMPLETE_COMP_TYPE", "9");
        command.env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
        ground.ended(command.output().expect("started")).expect(0).out
    };
    assert_eq!(complete(&["--sandbox", "redrive", "--queue", "ord"]), "orders\norders-dlq");
    assert_eq!(complete(&["--sandbox", "queues", "--env", "d"]), "dev");
    assert_eq!(complete(&["--sandbox", "-e", "staging", "redrive", "--queue", "ord"]), "");
}

#[test]
fn man_pages_and_the_reference_name_every_command() {
    let ground = Ground::new();
    let folder = ground.home.path().join("man");
    ground.plain(&["man", folder.to_str().expect("UTF-8")]).expect(0);
    for page in ["opsctl.1", "opsctl-redrive.1", "opsctl-journal-verify.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
    let reference = ground.plain(&["docs"]).expect(0).out;
    for command in ["## `opsctl redrive`", "## `opsctl journal verify`", "## `opsctl sandbox serve`"] {
        assert!(reference.contains(command), "{command}");
    }
}

#[test]
fn the_demo_says_what_to_try() {
    let demo = Ground::new().plain(&["demo"]).expect(0);
    assert!(demo.out.contains("Try\n  opsctl sandbox serve"), "{demo:?}");
}

#[test]
fn the_filter_language_is_explained_where_errors_point_to() {
    let help = Ground::new().plain(&["help", "filter"]).expect(0).out;
    for field in opsctl::messages::filter::FIELDS {
        assert!(help.contains(&format!(".{field} ")), "{field}: {help}");
    }
}

#[test]
fn keys_are_listed_as_the_configuration_has_them() {
    let ground = Ground::new();
    let shipped = ground.plain(&["keys", "--keymap", "emacs"]).expect(0);
    assert!(shipped.out.contains("ctrl-x D") && shipped.out.contains("In every list  [list]"), "{shipped:?}");
    let file = ground.home.path().join("own.toml");
    let own = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n\
               [keymap.list]\n\"x\" = \"filter\"\n[keymap.everywhere]\n\"T\" = \"none\"\n";
    std::fs::write(&file, own).expect("written");
    let listed =
        ground.plain(&["keys", "--config", file.to_str().expect("UTF-8"), "--output", "json"]).expect(0).json();
    assert_eq!((listed["schema"].as_str(), listed["base"].as_str()), (Some("opsctl/keys/1"), Some("default")));
    let keys = |command: &str| {
        let rows = listed["keys"].as_array().expect("rows");
        rows.iter().find(|row| row["command"] == command).expect("every command is listed")["keys"].clone()
    };
    assert_eq!(keys("filter"), serde_json::json!(["x", "/"]));
    assert_eq!(keys("theme"), serde_json::json!([]));
    std::fs::write(&file, own.replace("filter", "flter")).expect("written");
    let refused = ground.plain(&["keys", "--config", file.to_str().expect("UTF-8")]).expect(2);
    assert!(refused.err.contains("did you mean `filter`?"), "{refused:?}");
}
