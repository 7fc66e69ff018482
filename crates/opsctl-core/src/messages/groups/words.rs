//! Error texts that differ in one word only, from message to message: a name, an address, a place. They are one cause.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::template::GAP;

/// A place in a text that has so many different words is data. Fewer may be as many causes.
const DIFFERENT_MIN: usize = 4;
/// Shorter texts say too little beside the word that differs.
const WORDS_MIN: usize = 4;
/// Texts that are held against each other.
const TEXTS_MAX: usize = 500;

/// For each text that is one of several alike the text with a gap for the word that differs.
pub(super) fn folded(texts: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut masks: BTreeMap<(String, usize), BTreeSet<&str>> = BTreeMap::new();
    for text in texts.iter().take(TEXTS_MAX) {
        let words: Vec<&str> = text.split(' ').collect();
        if words.len() < WORDS_MIN {
            continue;
        }
        for place in 0..words.len() {
            let mut masked = words.clone();
            let gap = GAP.to_string();
            masked[place] = &gap;
            masks.entry((masked.join(" "), place)).or_default().insert(text);
        }
    }
    let mut alike: Vec<((String, usize), BTreeSet<&str>)> =
        masks.into_iter().filter(|(_, texts)| texts.len() >= DIFFERENT_MIN).collect();
    // Where two places differ, the one that folds more texts.
    alike.sort_by(|left, right| right.1.len().cmp(&left.1.len()).then_with(|| left.0.cmp(&right.0)));
    let mut folded: BTreeMap<String, String> = BTreeMap::new();
    for ((mask, _), texts) in alike {
        let open: Vec<&str> = texts.into_iter().filter(|text| !folded.contains_key(*text)).collect();
        if open.len() >= DIFFERENT_MIN {
            folded.extend(open.into_iter().map(|text| (text.to_owned(), mask.clone())));
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_always_differs_is_data() {
        let texts = |texts: &[&str]| -> BTreeSet<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        let names = texts(&[
            "no account for anna in this bank",
            "no account for bert in this bank",
            "no account for cleo in this bank",
            "no account for dora in this bank",
            "the disk of this bank is full",
        ]);
        let folded = super::folded(&names);
        assert_eq!(folded.len(), 4);
        assert!(folded.values().all(|mask| mask == "no account for … in this bank"), "{folded:?}");
        // Three services that do not answer are three causes.
        let few = texts(&["cannot reach service a", "cannot reach service b", "cannot reach service c"]);
        assert!(super::folded(&few).is_empty());
        assert!(super::folded(&texts(&["a b c", "a b d", "a b e", "a b f"])).is_empty());
    }
}
