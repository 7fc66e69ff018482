//! [`Key`]: one key as it is pressed, as it stands in a file, and as it is shown.

use std::{fmt, str::FromStr};

use crokey::{KeyCombination, OneToThree};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};

use crate::{domain::Text, files::problem::nearest};

/// One key with its modifiers. What a terminal cannot tell apart is equal: `shift-g` and `G`, `ctrl-D` and `ctrl-d`,
/// `shift-tab` and `backtab`.
///
/// Text form: a character as typed (`g`, `G`, `/`) or a name (`enter`, `pgdn`, `f5`), after `ctrl-`, `alt-` or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(KeyCombination);

/// Names of keys. The first of each is how it is shown; the others are understood too.
const NAMES: [(KeyCode, &[&str]); 16] = [
    (KeyCode::Enter, &["enter", "return"]),
    (KeyCode::Esc, &["esc", "escape"]),
    (KeyCode::Char(' '), &["space"]),
    (KeyCode::Tab, &["tab"]),
    (KeyCode::BackTab, &["backtab"]),
    (KeyCode::Backspace, &["backspace"]),
    (KeyCode::Delete, &["delete", "del"]),
    (KeyCode::Insert, &["insert", "ins"]),
    (KeyCode::Home, &["home"]),
    (KeyCode::End, &["end"]),
    (KeyCode::PageUp, &["pgup", "pageup", "page-up"]),
    (KeyCode::PageDown, &["pgdn", "pgdown", "pagedown", "page-down"]),
    (KeyCode::Up, &["up"]),
    (KeyCode::Down, &["down"]),
    (KeyCode::Left, &["left"]),
    (KeyCode::Right, &["right"]),
];

/// Highest function key that every keyboard has.
const FUNCTION_MAX: u8 = 12;

/// Modifiers as they are written, in the order in which they are shown.
const MODIFIERS: [(&str, KeyModifiers); 3] =
    [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];

/// What a terminal sends for ctrl and a character that is no letter: another key, or ctrl with a digit.
const SENT_FOR_CTRL: [(char, char); 5] = [('4', '\\'), ('5', ']'), ('6', '^'), ('7', '/'), ('_', '/')];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    /// What is wrong, one line.
    pub message: String,
    /// What to write instead, one line.
    pub help: String,
}

impl Key {
    pub const ENTER: Self = Self(KeyCombination::one_key(KeyCode::Enter, KeyModifiers::NONE));
    pub const ESC: Self = Self(KeyCombination::one_key(KeyCode::Esc, KeyModifiers::NONE));
    pub const CTRL_C: Self = Self(KeyCombination::one_key(KeyCode::Char('c'), KeyModifiers::CONTROL));

    /// The key of an event of the terminal. None: a key let go, a modifier alone, or one that no file can name.
    pub fn pressed(event: &KeyEvent) -> Option<Self> {
        let foreign = KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META;
        if event.kind == KeyEventKind::Release || event.modifiers.intersects(foreign) {
            return None;
        }
        let is_known = match event.code {
            KeyCode::Char(character) => is_typed(character) || matches!(character, ' ' | '\r' | '\n'),
            KeyCode::F(number) => (1..=FUNCTION_MAX).contains(&number),
            code => NAMES.iter().any(|(known, _)| *known == code),
        };
        // Where the terminal tells of caps lock, R is what was typed with shift, not what caps lock made of r.
        let code = match event.code {
            KeyCode::Char(letter)
                if event.state.contains(KeyEventState::CAPS_LOCK) && !event.modifiers.contains(KeyModifiers::SHIFT) =>
            {
                KeyCode::Char(letter.to_ascii_lowercase())
            }
            code => code,
        };
        is_known.then(|| Self::new(code, event.modifiers))
    }

    /// Makes equal what a terminal cannot tell apart.
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let mut modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let has_shift = modifiers.contains(KeyModifiers::SHIFT);
        let code = match code {
            KeyCode::Char('\r' | '\n') => KeyCode::Enter,
            KeyCode::Char(typed) if modifiers.contains(KeyModifiers::CONTROL) => {
                let meant = SENT_FOR_CTRL.iter().find(|(sent, _)| *sent == typed).map(|(_, meant)| *meant);
                KeyCode::Char(meant.unwrap_or(typed.to_ascii_lowercase()))
            }
            KeyCode::Char(typed) if has_shift => KeyCode::Char(upper(typed)),
            KeyCode::Tab if has_shift => KeyCode::BackTab,
            code => code,
        };
        let tells_no_shift = matches!(
            code,
            KeyCode::Char(_) | KeyCode::Enter | KeyCode::Esc | KeyCode::Tab | KeyCode::BackTab | KeyCode::Backspace
        );
        if tells_no_shift {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self(KeyCombination::one_key(code, modifiers))
    }

    pub fn of_character(character: char) -> Self {
        Self::new(KeyCode::Char(character), KeyModifiers::NONE)
    }

    /// The character that it types into a text field; none with ctrl or alt.
    pub fn character(self) -> Option<char> {
        match (self.code(), self.0.modifiers) {
            (KeyCode::Char(character), KeyModifiers::NONE) => Some(character),
            _ => None,
        }
    }

    pub fn event(self) -> KeyEvent {
        let shift = match self.code() {
            KeyCode::Char(letter) if letter.is_uppercase() => KeyModifiers::SHIFT,
            KeyCode::BackTab => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        KeyEvent::new(self.code(), self.0.modifiers | shift)
    }

    fn code(self) -> KeyCode {
        match self.0.codes {
            OneToThree::One(code) | OneToThree::Two(code, _) | OneToThree::Three(code, _, _) => code,
        }
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = parse(text).ok_or_else(|| unknown(text))?;
        let (KeyCode::Char(character), true) = (key.code(), key.0.modifiers.contains(KeyModifiers::CONTROL)) else {
            return Ok(key);
        };
        let sent = match character {
            'i' => "tab",
            'm' => "enter",
            '[' => "esc",
            '@' => "ctrl-space",
            'a'..='z' | ' ' | '\\' | ']' | '^' | '/' => return Ok(key),
            _ => {
                return Err(KeyError {
                    message: format!("no terminal can be relied on to send `{key}`"),
                    help: "write a letter after `ctrl-`, or another key".to_owned(),
                });
            }
        };
        Err(KeyError {
            message: format!("a terminal sends `{sent}` for `{key}`"),
            help: format!("write `{sent}`, or another key"),
        })
    }
}

/// As in a file: `G`, `ctrl-d`, `pgdn`.
impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (name, modifier) in MODIFIERS {
            if self.0.modifiers.contains(modifier) {
                text.push_str(name);
            }
        }
        match (NAMES.iter().find(|(code, _)| *code == self.code()), self.code()) {
            (Some((_, names)), _) => text.push_str(names[0]),
            (None, KeyCode::Char(character)) => text.push(character),
            (None, code) => text.push_str(&code.to_string().to_lowercase()),
        }
        formatter.pad(&text)
    }
}

/// Keys one after the other, as they stand in a file: separated by spaces.
///
/// # Errors
/// The first that is none, or no key at all.
pub fn sequence(text: &str) -> Result<Vec<Key>, KeyError> {
    let keys: Vec<Key> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() {
        let help = "write `space` for the space bar".to_owned();
        return Err(KeyError { message: "no key at all".to_owned(), help });
    }
    Ok(keys)
}

/// Keys one after the other as in a file: `g g`.
pub fn shown(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What a person does, as text, for tests and tours: `j R orders-dlq <enter>`. Spaces separate; a word that names a key is that
/// key, with or without `<>`; any other word, and any word in double quotes, is typed letter by letter.
pub fn keys(text: &str) -> Vec<Key> {
    text.split_whitespace().flat_map(word).collect()
}

fn word(word: &str) -> Vec<Key> {
    let inside = |open: char, close: char| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if let Some(literal) = inside('"', '"') {
        return literal.chars().map(Key::of_character).collect();
    }
    match parse(inside('<', '>').unwrap_or(word)) {
        Some(key) => vec![key],
        None => word.chars().map(Key::of_character).collect(),
    }
}

fn parse(text: &str) -> Option<Key> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = text;
    while let Some((name, modifier)) = MODIFIERS.iter().find(|(name, _)| begins(rest, name)) {
        modifiers |= *modifier;
        rest = &rest[name.len()..];
    }
    let mut characters = rest.chars();
    let code = match (characters.next(), characters.next()) {
        (Some(only), None) if is_typed(only) => KeyCode::Char(only),
        _ => named(rest)?,
    };
    Some(Key::new(code, modifiers))
}

/// Whether something follows after the modifier.
fn begins(text: &str, modifier: &str) -> bool {
    text.len() > modifier.len() && text.get(..modifier.len()).is_some_and(|start| start.eq_ignore_ascii_case(modifier))
}

fn named(name: &str) -> Option<KeyCode> {
    let name = name.to_ascii_lowercase();
    let number = || name.strip_prefix('f')?.parse().ok().filter(|number| (1..=FUNCTION_MAX).contains(number));
    let code = NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(code, _)| *code);
    code.or_else(|| number().map(KeyCode::F))
}

/// Whether a character can stand for its key: it is seen, and is no space.
fn is_typed(character: char) -> bool {
    let text = character.to_string();
    !character.is_whitespace() && !character.is_control() && Text::line(&text).as_str() == text
}

/// With shift. Where one letter becomes two (ß), it stays.
fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

fn unknown(text: &str) -> KeyError {
    let names: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
    let meant = translated(text).or_else(|| spelt_out(text)).or_else(|| nearest(text, &names).map(str::to_owned));
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write a character as typed or a name such as `enter`, `space` or `f5`, after `ctrl-` or `alt-`".into(),
    };
    KeyError { message: format!("`{text}` is no key"), help }
}

/// How other programs write it: `C-x`, `M-x`, `^x`, `ctrl+x`, `<C-x>`, `<CR>`.
fn translated(text: &str) -> Option<String> {
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    let mut name = inside.replace('+', "-");
    if let Some(rest) = name.strip_prefix('^').filter(|rest| rest.chars().count() == 1) {
        name = format!("ctrl-{rest}");
    }
    for (theirs, ours) in [("C-", "ctrl-"), ("c-", "ctrl-"), ("control-", "ctrl-"), ("M-", "alt-"), ("A-", "alt-")] {
        if let Some(rest) = name.strip_prefix(theirs) {
            name = format!("{ours}{rest}");
        }
    }
    let name = match name.as_str() {
        "CR" | "RET" => "enter",
        "SPC" => "space",
        other => other,
    };
    (name != text).then(|| parse(name)).flatten().map(|key| key.to_string())
}

/// `gg` for `g g`.
fn spelt_out(text: &str) -> Option<String> {
    let is_short = (2..=3).contains(&text.chars().count()) && text.chars().all(char::is_alphabetic);
    is_short.then(|| shown(&text.chars().map(Key::of_character).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        text.parse().expect("a key")
    }

    #[test]
    fn what_a_terminal_cannot_tell_apart_is_one_key() {
        for (text, shown) in [
            ("shift-g", "G"),
            ("G", "G"),
            ("Ctrl-D", "ctrl-d"),
            ("alt-ctrl-x", "ctrl-alt-x"),
            ("alt-<", "alt-<"),
            ("shift-alt-v", "alt-V"),
            ("shift-tab", "backtab"),
            ("BackTab", "backtab"),
            ("Return", "enter"),
            ("PageDown", "pgdn"),
            ("ctrl-_", "ctrl-/"),
            ("ctrl-7", "ctrl-/"),
            ("shift-up", "shift-up"),
            ("alt--", "alt--"),
            ("-", "-"),
            ("F12", "f12"),
            ("é", "é"),
            ("shift-é", "É"),
            ("ctrl-space", "ctrl-space"),
        ] {
            assert_eq!(key(text).to_string(), shown, "{text}");
            assert_eq!(key(shown), key(text));
        }
    }

    #[test]
    fn what_is_no_key_says_what_to_write() {
        let help = |text: &str| text.parse::<Key>().expect_err(text).help;
        for (text, meant) in [
            ("C-x", "ctrl-x"),
            ("<C-x>", "ctrl-x"),
            ("^x", "ctrl-x"),
            ("Ctrl+x", "ctrl-x"),
            ("M-v", "alt-v"),
            ("<CR>", "enter"),
            ("gg", "g g"),
            ("entr", "enter"),
            ("spcae", "space"),
        ] {
            assert_eq!(help(text), format!("did you mean `{meant}`?"), "{text}");
        }
        assert_eq!(help("ctrl-i"), "write `tab`, or another key");
        assert_eq!(help("ctrl-["), "write `esc`, or another key");
        assert_eq!(help("ctrl-1"), "write a letter after `ctrl-`, or another key");
        for text in ["", "ctrl-", "f13", "f0", "\u{1b}", "\u{202e}", "ctrl-ctrl-", "x\u{301}", "cmd-q"] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn events_of_every_kind_of_terminal_give_the_same_key() {
        let event = |code, modifiers| KeyEvent::new(code, modifiers);
        let upper = event(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::pressed(&upper), Some(key("G")));
        assert_eq!(Key::pressed(&event(KeyCode::Char('g'), KeyModifiers::SHIFT)), Some(key("G")));
        assert_eq!(Key::pressed(&event(KeyCode::Char('?'), KeyModifiers::SHIFT)), Some(key("?")));
        assert_eq!(Key::pressed(&event(KeyCode::BackTab, KeyModifiers::SHIFT)), Some(key("backtab")));
        assert_eq!(Key::pressed(&event(KeyCode::Tab, KeyModifiers::SHIFT)), Some(key("backtab")));
        assert_eq!(Key::pressed(&event(KeyCode::Char('7'), KeyModifiers::CONTROL)), Some(key("ctrl-/")));
        assert_eq!(Key::pressed(&event(KeyCode::Char('\r'), KeyModifiers::NONE)), Some(Key::ENTER));
        let keypad = KeyEvent { state: KeyEventState::KEYPAD, ..event(KeyCode::Char('1'), KeyModifiers::NONE) };
        assert_eq!(Key::pressed(&keypad), Some(key("1")));
        let repeat = KeyEvent { kind: KeyEventKind::Repeat, ..upper };
        assert_eq!(Key::pressed(&repeat), Some(key("G")));
    }

    #[test]
    fn caps_lock_does_not_make_a_letter_dangerous() {
        let event = KeyEvent::new(KeyCode::Char('R'), KeyModifiers::NONE);
        let locked = KeyEvent { state: KeyEventState::CAPS_LOCK, ..event };
        assert_eq!(Key::pressed(&locked), Some(key("r")));
        assert_eq!(Key::pressed(&KeyEvent { modifiers: KeyModifiers::SHIFT, ..locked }), Some(key("R")));
    }

    #[test]
    fn keys_let_go_modifiers_alone_and_other_peoples_shortcuts_are_none() {
        let event = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
        assert_eq!(Key::pressed(&KeyEvent { kind: KeyEventKind::Release, ..event }), None);
        assert_eq!(Key::pressed(&KeyEvent { modifiers: KeyModifiers::SUPER, ..event }), None);
        assert_eq!(Key::pressed(&KeyEvent { code: KeyCode::CapsLock, ..event }), None);
        assert_eq!(Key::pressed(&KeyEvent { code: KeyCode::Null, ..event }), None);
        assert_eq!(Key::pressed(&KeyEvent { code: KeyCode::Char('\u{1b}'), ..event }), None);
    }

    #[test]
    fn a_persons_doings_are_keys() {
        assert_eq!(shown(&keys("j R ab <enter> esc \"up\" ctrl-x <")), "j R a b enter esc u p ctrl-x <");
        assert_eq!(shown(&keys("orders-dlq")), "o r d e r s - d l q");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_shown_is_read_back(text in ".{0,12}|(ctrl-|alt-|shift-){0,3}(.|[a-z]{2,9}|f[0-9]{1,2})") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse::<Key>(), Ok(key));
                prop_assert_eq!(Key::pressed(&key.event()), Some(key));
            }
            let _ = keys(&text);
        }
    }
}
