//! Colours and signs. A colour means something and never stands alone: words, signs or weight say it too.

use ratatui::style::{Color, Modifier, Style};

use crate::{
    domain::{Environment, Protection},
    state::{Look, Role, Symbols, look::Theme},
};

impl Theme {
    pub fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::ColourBlind,
            Self::ColourBlind => Self::None,
            Self::None => Self::Dark,
        }
    }

    /// Red, amber, green, accent, dim, line.
    fn palette(self) -> [Color; 6] {
        match self {
            Self::Dark => [203, 221, 114, 117, 245, 240].map(Color::Indexed),
            Self::Light => [124, 130, 28, 25, 242, 248].map(Color::Indexed),
            // Okabe and Ito's palette: told apart with any of the common kinds of colour blindness.
            Self::ColourBlind => [
                Color::Rgb(213, 94, 0),
                Color::Rgb(230, 159, 0),
                Color::Rgb(86, 180, 233),
                Color::Rgb(204, 121, 167),
                Color::Indexed(245),
                Color::Indexed(240),
            ],
            Self::None => [Color::Reset; 6],
        }
    }
}

impl Look {
    pub fn style(self, role: Role) -> Style {
        let [critical, warning, good, accent, dim, line] = self.theme.palette();
        let plain = Style::default();
        let coloured = |colour: Color| if self.theme == Theme::None { plain } else { plain.fg(colour) };
        match role {
            Role::Text => plain,
            Role::Dim if self.theme == Theme::None => plain.add_modifier(Modifier::DIM),
            Role::Dim => plain.fg(dim),
            Role::Strong => plain.add_modifier(Modifier::BOLD),
            Role::Heading => coloured(dim).add_modifier(Modifier::BOLD),
            Role::Cursor => match self.theme {
                // Both colours: in a terminal of the other kind too, the row under the cursor can be read.
                Theme::Dark | Theme::ColourBlind => {
                    plain.fg(Color::Indexed(255)).bg(Color::Indexed(237)).add_modifier(Modifier::BOLD)
                }
                Theme::Light => plain.fg(Color::Indexed(16)).bg(Color::Indexed(253)).add_modifier(Modifier::BOLD),
                Theme::None => plain.add_modifier(Modifier::REVERSED),
            },
            Role::Critical => coloured(critical).add_modifier(Modifier::BOLD),
            Role::Warning => coloured(warning),
            Role::Good => coloured(good),
            Role::Accent => coloured(accent),
            Role::Key => coloured(accent).add_modifier(Modifier::BOLD),
            Role::Line => coloured(line),
            Role::Match => coloured(accent).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
            Role::Stale => coloured(dim).add_modifier(Modifier::DIM | Modifier::ITALIC),
        }
    }

    /// The style of an environment's name: as configured, else by how strictly it is protected.
    pub fn environment(self, environment: &Environment) -> Style {
        let strict = environment.protection == Protection::TypeName;
        if self.theme == Theme::None {
            let weight = if strict { Modifier::BOLD | Modifier::REVERSED } else { Modifier::BOLD };
            return Style::default().add_modifier(weight);
        }
        let [critical, warning, good, accent, ..] = self.theme.palette();
        let configured = environment.colour.as_deref().and_then(|name| name.parse::<Color>().ok());
        let colour = configured.unwrap_or(match environment.protection {
            Protection::ReadOnly => accent,
            Protection::Confirm if environment.name.0.starts_with("stag") => warning,
            Protection::Confirm => good,
            Protection::TypeName => critical,
        });
        match strict {
            true => Style::default().fg(self.on_colour()).bg(colour).add_modifier(Modifier::BOLD),
            false => Style::default().fg(colour).add_modifier(Modifier::BOLD),
        }
    }

    fn on_colour(self) -> Color {
        match self.theme {
            Theme::Light => Color::Indexed(231),
            Theme::Dark | Theme::ColourBlind | Theme::None => Color::Indexed(16),
        }
    }

    /// An environment's name as shown: where names are typed before a change, in capitals.
    pub fn environment_name(self, environment: &Environment) -> String {
        match environment.protection {
            Protection::TypeName => environment.name.0.to_uppercase(),
            Protection::ReadOnly | Protection::Confirm => environment.name.0.clone(),
        }
    }

    pub fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.symbols {
            Symbols::Unicode => unicode,
            Symbols::Ascii => ascii,
        }
    }

    pub fn ellipsis(self) -> &'static str {
        self.sign("…", "~")
    }

    /// Between parts of a line.
    pub fn dot(self) -> &'static str {
        self.sign(" · ", " - ")
    }

    pub fn arrow(self) -> &'static str {
        self.sign("→", "->")
    }

    /// A bar of eight heights for a part from 0 to 1, for sparklines.
    pub fn height(self, part: f64) -> &'static str {
        const UNICODE: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        const ASCII: [&str; 8] = ["_", "_", ".", "-", "=", "+", "*", "#"];
        let at = (part.clamp(0.0, 1.0) * 7.0).round() as usize;
        match self.symbols {
            Symbols::Unicode => UNICODE[at],
            Symbols::Ascii => ASCII[at],
        }
    }

    pub fn pointer(self) -> &'static str {
        self.sign("▌", ">")
    }
}
