//! [`Invocation`]: what a command line says so that it acts in the same world again.

use super::EnvironmentName;

/// Which world a command line acts in, beside the environment's name. Every command that is shown or copied is made here: whoever
/// pastes it, does exactly this again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Invocation {
    /// The configuration that opsctl finds by itself.
    #[default]
    Found,
    /// The configuration that was named, by its absolute path.
    Named(String),
    Sandbox,
}

impl Invocation {
    /// `opsctl <words>`, for this world. `words` are quoted already where they need it.
    pub fn command(&self, words: &str) -> String {
        match self {
            Self::Found => format!("opsctl {words}"),
            Self::Named(path) => format!("opsctl {words} {}", option("config", path)),
            Self::Sandbox => format!("opsctl {words} --sandbox"),
        }
    }

    pub fn command_in(&self, environment: &EnvironmentName, words: &str) -> String {
        self.command(&format!("{words} {}", option("env", &environment.0)))
    }
}

/// `--name value`, or `--name=value` where the value would be taken for an option.
pub fn option(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{between}{}", quoted(value))
}

/// The text as one word of a POSIX shell.
pub fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,%@=+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_which_world_it_is_for() {
        let dev = EnvironmentName("dev".to_owned());
        let named = Invocation::Named("/srv/it's/opsctl.toml".to_owned());
        for (invocation, expected) in [
            (Invocation::Found, "opsctl queues --env dev"),
            (Invocation::Sandbox, "opsctl queues --env dev --sandbox"),
            (named, r"opsctl queues --env dev --config '/srv/it'\''s/opsctl.toml'"),
        ] {
            assert_eq!(invocation.command_in(&dev, "queues"), expected);
        }
        assert_eq!(Invocation::Sandbox.command("runs"), "opsctl runs --sandbox");
    }

    #[test]
    fn a_value_is_one_word_and_never_an_option() {
        assert_eq!(option("queue", "orders-dlq"), "--queue orders-dlq");
        assert_eq!(option("where", "-1 == .body"), "--where='-1 == .body'");
        assert_eq!(option("reason", ""), "--reason ''");
    }
}
