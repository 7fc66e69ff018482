use proptest::prelude::*;

use super::*;
use crate::{files::shape, operations::OperationKind};

fn merged(toml: &str) -> (Keymap, Vec<Problem>) {
    let (file, problems) = shape::read::<File>(toml);
    assert_eq!(problems, [], "{toml}");
    bind(file.as_ref())
}

fn good(toml: &str) -> Keymap {
    let (keymap, problems) = merged(toml);
    assert_eq!(problems, [], "{toml}");
    keymap
}

fn command(command: Command) -> Resolved {
    Resolved::Command(command)
}

#[test]
fn shipped_keymaps_are_good_and_each_is_complete() {
    for base in Base::all() {
        let (file, problems) = shape::read::<File>(merge::text(*base));
        let file = file.expect("TOML");
        assert_eq!(problems, []);
        assert_eq!(check::check(&file).1, [], "{}", base.into_str());
        assert!(file.base.is_none(), "{}", base.into_str());
        let keymap = Keymap::shipped(*base);
        for known in Command::all() {
            for scope in Scope::all().iter().filter(|scope| known.is_meant_in(**scope)) {
                let keys = keymap.keys_for(*scope, *known);
                assert!(!keys.is_empty(), "{}: no key for {} in {}", base.into_str(), known.name(), scope.name());
            }
        }
        for entry in merge::shipped(*base) {
            let known = entry.command.expect("a shipped key means something");
            assert!(
                known.is_meant_in(entry.scope) || entry.scope == Scope::Plan,
                "{} {}",
                base.into_str(),
                known.name()
            );
            assert_eq!(keymap.resolve(entry.scope, &entry.keys), command(known));
        }
    }
}

#[test]
fn enter_esc_and_ctrl_c_do_the_same_in_every_view_of_every_keymap() {
    for base in Base::all() {
        let keymap = Keymap::shipped(*base);
        for scope in Scope::all() {
            assert_eq!(keymap.resolve(*scope, &[Key::ENTER]), command(Command::Open));
            assert_eq!(keymap.resolve(*scope, &[Key::ESC]), command(Command::Back));
            assert_eq!(keymap.resolve(*scope, &[Key::CTRL_C]), command(Command::Quit));
        }
    }
}

#[test]
fn operations_need_shift_and_a_purge_needs_two_keys() {
    let is_shifted = |keys: &str| keys.chars().last().is_some_and(char::is_uppercase);
    for base in Base::all() {
        for entry in merge::shipped(*base) {
            let known = entry.command.expect("a shipped key means something");
            let keys = key::shown(&entry.keys);
            assert!(!known.is_operation() || is_shifted(&keys), "{keys}");
            assert!(known != Command::Operate(OperationKind::Purge) || entry.keys.len() == 2, "{keys}");
        }
    }
}

#[test]
fn the_nearest_scope_wins_and_wider_ones_fill_in() {
    let keymap = Keymap::shipped(Base::Default);
    assert_eq!(keymap.resolve(Scope::Plan, &keys("y")), command(Command::Approve));
    assert_eq!(keymap.resolve(Scope::Queues, &keys("y")), command(Command::Copy));
    assert_eq!(keymap.resolve(Scope::Queues, &keys("/")), command(Command::Filter));
    assert_eq!(keymap.resolve(Scope::Message, &keys("/")), Resolved::Nothing);
    assert_eq!(keymap.resolve(Scope::Queues, &[]), Resolved::Nothing);
    assert_eq!(keymap.keys_for(Scope::Plan, Command::Back), ["n", "esc", "q"]);
    assert_eq!(keymap.key_for(Scope::Queues, Command::Operate(OperationKind::Purge)), Some("D D"));
    assert_eq!(keymap.key_for(Scope::Home, Command::SelectAll), None);
}

#[test]
fn what_can_follow_is_told_with_its_help() {
    let keymap = Keymap::shipped(Base::Default);
    let Resolved::Pending(next) = keymap.resolve(Scope::Home, &keys("g")) else { panic!("g begins something") };
    let told: Vec<String> = next.iter().map(|(key, next)| format!("{key} {}", next.help())).collect();
    assert_eq!(
        told,
        [
            "g Go to the first line",
            "h Show what needs somebody",
            "q Show every queue",
            "s Show services: who runs, who sleeps, who fails",
            "d Show databases: who writes, who could take over",
            "l Show alarms, what is in alarm first",
            "a Show what was done and what is being done",
            "r Show runbooks and their open runs",
            "o Show outboxes: rows that wait, rows that failed, whether the relay runs",
            "c Show what takes messages: Lambda functions, groups that read Kafka",
            "e Show one environment only, or all again"
        ]
    );
    assert_eq!(keymap.resolve(Scope::Home, &keys("g x")), Resolved::Nothing);
    assert_eq!(keymap.resolve(Scope::Home, &keys("g g g")), Resolved::Nothing);
}

#[test]
fn sequences_of_several_scopes_are_merged_and_shadowed_one_by_one() {
    let keymap = good(
        "[queues]\n\"g x\" = \"select\"\n\"g h\" = \"sort\"\n\"Q 1 2\" = \"wide\"\n[everywhere]\n\"g a\" = \"none\"",
    );
    let Resolved::Pending(next) = keymap.resolve(Scope::Queues, &keys("g")) else { panic!("g begins something") };
    let told: Vec<String> = next.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(told, ["x", "h", "g", "q", "s", "d", "l", "r", "o", "c", "e"]);
    assert_eq!(keymap.resolve(Scope::Queues, &keys("g h")), command(Command::Sort));
    assert_eq!(keymap.resolve(Scope::Home, &keys("g h")), command(Command::Home));
    assert_eq!(keymap.resolve(Scope::Queues, &keys("g g")), command(Command::First));
    let more = Resolved::Pending(vec![(Key::of_character('1'), Next::More(1))]);
    assert_eq!(keymap.resolve(Scope::Queues, &keys("Q")), more, "a wider scope's complete key is shadowed");
    assert_eq!(keymap.keys_for(Scope::Queues, Command::Quit), ["ctrl-c"]);
    assert_eq!(keymap.keys_for(Scope::Home, Command::Quit), ["ctrl-c", "Q"]);
}

#[test]
fn own_keys_win_and_come_first() {
    let keymap =
        good("base = \"vim\"\n[list]\n\"x\" = \"filter\"\n\"J\" = \"page-down\"\n[everywhere]\n\"j\" = \"none\"");
    assert_eq!(keymap.base(), Base::Vim);
    assert_eq!(keymap.keys_for(Scope::Queues, Command::Filter), ["x", "/"]);
    assert_eq!(keymap.keys_for(Scope::Queues, Command::PageDown), ["J", "ctrl-f", "pgdn"]);
    assert_eq!(keymap.resolve(Scope::Queues, &keys("j")), Resolved::Nothing);
    assert_eq!(keymap.keys_for(Scope::Plan, Command::Down), ["down"]);
}

#[test]
fn taking_a_meaning_away_counts_where_it_is_said() {
    let keymap = good("[list]\n\"j\" = \"none\"\n\"g\" = \"none\"");
    assert_eq!(keymap.resolve(Scope::Queues, &keys("j")), Resolved::Nothing);
    assert_eq!(keymap.resolve(Scope::Queues, &keys("g")), Resolved::Nothing);
    assert_eq!(keymap.resolve(Scope::Queues, &keys("g g")), Resolved::Nothing);
    assert_eq!(keymap.resolve(Scope::Message, &keys("j")), command(Command::Down));
    assert_eq!(keymap.keys_for(Scope::Queues, Command::First), ["home"]);
}

#[test]
fn own_keys_displace_longer_ones_with_a_warning_until_it_is_said_to_be_meant() {
    let (keymap, problems) = merged("[everywhere]\n\"g\" = \"first\"\n\"g h\" = \"none\"\n\"g q\" = \"none\"");
    let told: Vec<(Severity, &str)> =
        problems.iter().map(|problem| (problem.severity, problem.message.as_str())).collect();
    assert_eq!(
        told,
        [(
            Severity::Warning,
            "`g` takes the place of `g g`, `g s`, `g d`, `g l`, `g a`, `g r`, `g o`, `g c` and `g e`"
        )]
    );
    assert_eq!(keymap.resolve(Scope::Home, &keys("g")), command(Command::First));
    assert_eq!(keymap.key_for(Scope::Home, Command::Home), Some("1"));
}

#[test]
fn help_lists_each_command_once_nearest_scope_first() {
    for base in Base::all() {
        let keymap = Keymap::shipped(*base);
        for scope in Scope::all() {
            let bindings = keymap.bindings(*scope);
            let near: Vec<usize> = bindings
                .iter()
                .map(|binding| scope.chain().position(|near| near == binding.scope).expect("in the chain"))
                .collect();
            assert!(near.is_sorted());
            for (index, binding) in bindings.iter().enumerate() {
                assert!(bindings[..index].iter().all(|other| other.command != binding.command));
                for text in &binding.keys {
                    assert_eq!(keymap.resolve(*scope, &keys(text)), command(binding.command), "{text}");
                }
            }
        }
    }
}

fn line() -> impl Strategy<Value = (Scope, Vec<Key>, Option<Command>)> {
    let key = prop::sample::select(keys("g G j x ctrl-c esc q Q Z n down"));
    let keys = prop::collection::vec(key, 1..4);
    let scope = prop::sample::select(Scope::all());
    let command = prop::option::weighted(0.7, prop::sample::select(Command::all()));
    (scope, keys, command)
}

fn as_toml(base: Base, lines: &[(Scope, Vec<Key>, Option<Command>)]) -> String {
    let mut text = format!("base = \"{}\"\n", base.into_str());
    for scope in Scope::all() {
        text.push_str(&format!("[{}]\n", scope.name()));
        let mut seen = Vec::new();
        for (_, keys, command) in lines.iter().filter(|(of, ..)| of == scope) {
            let keys = key::shown(keys);
            if !seen.contains(&keys) {
                let meaning = command.map_or(typed::NONE.to_owned(), Command::name);
                text.push_str(&format!("\"{keys}\" = \"{meaning}\"\n"));
                seen.push(keys);
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a person binds: nothing panics, and in a file that is taken each own key does what it says.
    #[test]
    fn every_key_of_a_file_that_is_taken_does_what_it_says(
        base in prop::sample::select(Base::all()),
        lines in prop::collection::vec(line(), 0..12),
        pressed in prop::collection::vec(prop::sample::select(keys("g G j x ctrl-c q Z n down")), 0..6),
        scope in prop::sample::select(Scope::all()),
    ) {
        let toml = as_toml(base, &lines);
        let (file, problems) = shape::read::<File>(&toml);
        prop_assert!(problems.is_empty());
        let file = file.expect("TOML");
        let _ = bind(Some(&file)).0.resolve(scope, &pressed);
        let Ok(keymap) = Keymap::merged(&file) else { return Ok(()) };
        for entry in check::check(&file).0 {
            let expected = entry.command.map_or(Resolved::Nothing, Resolved::Command);
            let found = keymap.resolve(entry.scope, &entry.keys);
            let gave_way = entry.command.is_none() && matches!(found, Resolved::Pending(_));
            prop_assert!(found == expected || gave_way, "{}: {:?} instead of {:?}", key::shown(&entry.keys), found, expected);
        }
        for binding in keymap.bindings(scope) {
            for keys in &binding.keys {
                let keys = key::sequence(keys).expect("keys");
                prop_assert_eq!(keymap.resolve(scope, &keys), Resolved::Command(binding.command));
                for length in 1..keys.len() {
                    prop_assert!(matches!(keymap.resolve(scope, &keys[..length]), Resolved::Pending(_)));
                }
            }
        }
    }
}
