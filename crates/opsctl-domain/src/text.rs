//! [`Text`]: the one type through which outside text reaches a person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest text kept, in characters; what is cut is marked with `…`.
pub const CHARACTERS_MAX: usize = 4_096;

/// Text from outside (message bodies, names, error texts), made safe to show on a terminal.
///
/// Control characters except tab and line feed, DEL, C1, bidirectional and zero-width characters, and tag
/// characters become a visible replacement. Build it *after* decoding: a JSON `\u001b` is an escape only then.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Several lines: keeps tabs and line feeds.
    pub fn block(outside: &str) -> Self {
        Self::capped(outside, CHARACTERS_MAX)
    }

    /// Several lines, cut after `characters_max`.
    pub fn capped(outside: &str, characters_max: usize) -> Self {
        let mut text = String::with_capacity(outside.len().min(characters_max * 4));
        for (count, character) in outside.chars().enumerate() {
            if count == characters_max {
                text.push('…');
                break;
            }
            push_safe(&mut text, character);
        }
        Self(text)
    }

    /// One line: tabs and line feeds become spaces.
    pub fn line(outside: &str) -> Self {
        let block = Self::block(outside);
        if block.0.contains(['\n', '\t']) {
            return Self(block.0.replace(['\n', '\t'], " "));
        }
        block
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn push_safe(text: &mut String, character: char) {
    match character {
        '\n' | '\t' => text.push(character),
        // Control pictures show which control it was.
        '\u{0}'..='\u{1f}' => text.push(char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}')),
        '\u{7f}' => text.push('\u{2421}'),
        hostile if is_hostile(hostile) => text.push('\u{fffd}'),
        plain => text.push(plain),
    }
}

/// C1 controls; characters that reorder, hide or join what stands around them; tags; interlinear marks.
fn is_hostile(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

impl From<String> for Text {
    fn from(outside: String) -> Self {
        Self::block(&outside)
    }
}

impl From<&str> for Text {
    fn from(outside: &str) -> Self {
        Self::block(outside)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_becomes_visible() {
        assert_eq!(Text::block("\u{1b}[31mred\u{7}").as_str(), "␛[31mred␇");
    }

    #[test]
    fn reordering_and_hiding_characters_are_replaced() {
        for hostile in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{9b}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(Text::line(&hostile.to_string()).as_str(), "\u{fffd}", "{:x}", hostile as u32);
        }
    }

    #[test]
    fn a_line_has_no_line_feed_and_a_block_is_capped() {
        assert_eq!(Text::line("a\nb\tc").as_str(), "a b c");
        assert_eq!(Text::capped("abcdef", 3).as_str(), "abc…");
    }
}
