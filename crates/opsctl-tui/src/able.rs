//! Whether a command can be given now, and if not, why.

use crate::{
    keymap::Command,
    screens::{opens_tab, screen::Able},
    state::Model,
};

pub fn able(model: &Model, command: Command) -> Able {
    let screen = model.view().screen();
    match command {
        Command::Quit
        | Command::Help
        | Command::Palette
        | Command::Views
        | Command::Refresh
        | Command::Theme
        | Command::Redraw => Able::Yes,
        command if opens_tab(command) => Able::Yes,
        Command::Suspend => Able::when(
            !model.is_busy(),
            "a run is active: it would stop in the middle; leave it to end or cancel it first",
        ),
        Command::Environment => Able::when(model.sites.len() > 1, "there is one environment only"),
        Command::Back => Able::when(screen.can_go_back() || model.only.is_some(), "this is the first view"),
        _ => screen.able(model, command),
    }
}
