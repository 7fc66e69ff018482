//! The key table of the documentation: every shipped keymap side by side.

use super::{Base, Command, Keymap, Scope};

/// `docs/keys.md`.
pub fn reference() -> String {
    let maps: Vec<(Base, Keymap)> = Base::all().iter().map(|base| (*base, Keymap::shipped(*base))).collect();
    let mut text = String::from(
        "# Keys\n\n\
         Made from the shipped keymaps in `keymaps/`. `[keymap]` in `opsctl.toml` chooses one and changes single keys;\n\
         `opsctl keys` prints what then holds. Keys one after the other are separated by a space; \
         what has no key is found in the palette.\n",
    );
    for scope in Scope::all() {
        text.push_str(&format!("\n## {}: `[{}]`\n\n{}\n\n", scope.help(), scope.name(), also(*scope)));
        let names: Vec<&str> = maps.iter().map(|(base, _)| base.into_str()).collect();
        text.push_str(&format!("| Does | Command | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 2)));
        for command in commands(&maps, *scope) {
            let cells: Vec<String> = maps.iter().map(|(_, keymap)| cell(keymap.keys_for(*scope, command))).collect();
            text.push_str(&format!("| {} | `{}` | {} |\n", command.help(), command.name(), cells.join(" | ")));
        }
    }
    text
}

/// Which keys count there besides.
fn also(scope: Scope) -> String {
    match scope.wider() {
        [] => "These keys count in every view that does not give them another meaning.".to_owned(),
        wider => {
            let names: Vec<String> = wider.iter().map(|scope| format!("`[{}]`", scope.name())).collect();
            format!("Besides, the keys of {}.", names.join(" and "))
        }
    }
}

/// What one of the keymaps binds in the scope itself, in the order of the first that does.
fn commands(maps: &[(Base, Keymap)], scope: Scope) -> Vec<Command> {
    let mut commands = Vec::new();
    for binding in maps.iter().flat_map(|(_, keymap)| keymap.bindings(scope)).filter(|binding| binding.scope == scope) {
        if !commands.contains(&binding.command) {
            commands.push(binding.command);
        }
    }
    commands
}

fn cell(keys: &[String]) -> String {
    let keys: Vec<String> = keys.iter().map(|keys| format!("`{}`", keys.replace('|', "\\|"))).collect();
    keys.join(" ")
}
