//! Tables, each under a line that says what must be thought of it.
//!
//! `-- preset: NAME, CONFIDENCE; key=value ...`, `-- outbox: CONFIDENCE; key=value ...`, `-- open: CONFIDENCE; ...` (a question has to be
//! answered first), `-- doubtful: why`, `-- none: why`. `beside` among the keys: the other tables of the block are found by their names.

use opsctl::outboxes::detect::Confidence;

pub(super) struct Block {
    pub(super) script: String,
    pub(super) expected: Expected,
    words: String,
}

pub(super) enum Expected {
    None,
    Doubtful,
    Preset { name: String, confidence: Confidence, keys: Vec<(String, String)> },
    Outbox { is_open: bool, confidence: Confidence, keys: Vec<(String, String)> },
}

pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        let head = line.strip_prefix("-- ").and_then(|head| head.split_once(": "));
        if let Some((kind, rest)) = head {
            let expected = expected(kind, rest);
            blocks.push(Block { script: String::new(), expected, words: format!("{kind}: {rest}") });
        } else if let Some(block) = blocks.last_mut() {
            block.script.push_str(line);
            block.script.push('\n');
        }
    }
    assert!(blocks.iter().all(|block| block.script.contains("CREATE TABLE")), "a block without a table");
    blocks
}

fn expected(kind: &str, rest: &str) -> Expected {
    let (head, keys) = rest.split_once("; ").unwrap_or((rest, ""));
    let pair = |word: &str| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let keys = keys.split_whitespace().filter_map(pair).collect();
    match kind {
        "none" => Expected::None,
        "doubtful" => Expected::Doubtful,
        "preset" => {
            let (name, sure) = head.split_once(", ").expect("a confidence");
            Expected::Preset { name: name.to_owned(), confidence: confidence(sure), keys }
        }
        "outbox" | "open" => Expected::Outbox { is_open: kind == "open", confidence: confidence(head), keys },
        other => panic!("{other}"),
    }
}

fn confidence(word: &str) -> Confidence {
    [Confidence::Doubtful, Confidence::Likely, Confidence::Certain]
        .into_iter()
        .find(|confidence| confidence.words() == word)
        .unwrap_or_else(|| panic!("{word} is no confidence"))
}

impl Block {
    /// Its tables, as they are written.
    pub(super) fn tables(&self) -> Vec<String> {
        let of = |line: &str| {
            let rest = line.strip_prefix("CREATE TABLE ").filter(|rest| !rest.contains("PARTITION OF"))?;
            let end = if let Some(inner) = rest.strip_prefix('"') {
                inner.find('"').map(|end| end + 2)
            } else {
                rest.find(' ')
            };
            Some(rest[..end?].to_owned())
        };
        self.script.lines().filter_map(of).collect()
    }

    pub(super) fn name(&self) -> String {
        self.tables().first().cloned().unwrap_or_default()
    }

    pub(super) fn expected_words(&self) -> String {
        self.words.chars().take(40).collect()
    }

    /// Whether its tables are known by each other's names.
    pub(super) fn is_bound_to_names(&self) -> bool {
        self.words.contains("solid-queue")
    }
}
