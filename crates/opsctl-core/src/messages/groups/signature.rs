//! [`Signature`]: how a message failed. Messages with equal signatures form a group.
//!
//! Source, error code and error text tell; without them the type of event or job; without that what the body looks like.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    shape::{self, Keys, Shape},
    words,
};
use crate::{
    domain::{Envelope, Message, template},
    messages::envelopes::Opened,
};

/// Fewer messages say nothing of whether a type is one.
const KINDS_JUDGED_MIN: usize = 8;
/// So many different shapes may be those of as many types.
const SHAPES_MIN: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Signature {
    pub(super) source: Option<String>,
    /// Name and value.
    pub(super) code: Option<(String, String)>,
    /// Template of the error's text.
    pub(super) error: Option<String>,
    /// Where no error's text tells.
    pub(super) kind: Option<String>,
    pub(super) shape: Shape,
}

/// A message that was looked into.
pub(super) struct Looked {
    pub(super) opened: Opened,
    pub(super) keys: Keys,
    source: Option<String>,
    error: Option<String>,
}

impl Looked {
    pub(super) fn into(message: &Message, own: &[Envelope]) -> Self {
        let opened = Opened::of(message, own);
        let error = opened.error.as_deref().map(template::template).filter(|template| !template.is_empty());
        let source = message.system.dead_letter_source.as_ref().map(|arn| arn.name().0);
        let keys = Keys::of(opened.content.as_ref());
        Self { opened, keys, source, error }
    }

    fn signature(&self, kinds: &Telling) -> Signature {
        let code = self.opened.code.clone();
        // A number is a status such as 500, of which there are many causes.
        let tells = self.error.is_some() || code.as_ref().is_some_and(|(_, code)| code.parse::<f64>().is_err());
        let kind = self.opened.kind.clone().filter(|_| !tells && kinds.tell(&self.source));
        let told = tells || code.is_some() || kind.is_some();
        Signature {
            source: self.source.clone(),
            code,
            error: self.error.clone(),
            kind,
            shape: if told { Shape::Told } else { self.keys.shape.clone() },
        }
    }
}

/// Sources whose messages' types are types: of some, each message has its own.
struct Telling(BTreeSet<Option<String>>);

impl Telling {
    fn of(all: &[Looked]) -> Self {
        let mut kinds: HashMap<&Option<String>, (usize, BTreeSet<&str>)> = HashMap::new();
        for looked in all.iter().filter(|looked| looked.error.is_none()) {
            if let Some(kind) = &looked.opened.kind {
                let (count, kinds) = kinds.entry(&looked.source).or_default();
                *count += 1;
                kinds.insert(kind);
            }
        }
        let sources = kinds.into_iter();
        let differ =
            |(count, kinds): &(usize, BTreeSet<&str>)| *count >= KINDS_JUDGED_MIN && kinds.len() * 5 > *count * 3;
        Self(sources.filter(|(_, all)| !differ(all)).map(|(source, _)| source.clone()).collect())
    }

    fn tell(&self, source: &Option<String>) -> bool {
        self.0.contains(source)
    }
}

/// The signature of each message, with shapes that are alike made one.
pub(super) fn signatures(all: &[Looked]) -> Vec<Signature> {
    let telling = Telling::of(all);
    let mut signatures: Vec<Signature> = all.iter().map(|looked| looked.signature(&telling)).collect();
    fold_errors(&mut signatures);
    fold_shapes(&mut signatures);
    signatures
}

/// Source and error code.
type Cause = (Option<String>, Option<(String, String)>);

/// Errors that differ in one word are one.
fn fold_errors(signatures: &mut [Signature]) {
    let mut texts: BTreeMap<Cause, BTreeSet<String>> = BTreeMap::new();
    for signature in signatures.iter() {
        if let Some(error) = &signature.error {
            texts.entry((signature.source.clone(), signature.code.clone())).or_default().insert(error.clone());
        }
    }
    let folded: BTreeMap<_, BTreeMap<String, String>> =
        texts.into_iter().map(|(of, texts)| (of, words::folded(&texts))).collect();
    for signature in signatures {
        let of = (signature.source.clone(), signature.code.clone());
        let mask = signature.error.as_ref().and_then(|error| folded.get(&of)?.get(error));
        if let Some(mask) = mask.cloned() {
            signature.error = Some(mask);
        }
    }
}

/// Shapes that are alike are one, and all of a source are one where nearly each message has its own: then shapes do not tell.
fn fold_shapes(signatures: &mut [Signature]) {
    let mut counts: BTreeMap<(Option<String>, Shape), usize> = BTreeMap::new();
    for signature in signatures.iter().filter(|signature| signature.shape != Shape::Told) {
        *counts.entry((signature.source.clone(), signature.shape.clone())).or_default() += 1;
    }
    let mut distinct: Vec<((Option<String>, Shape), usize)> = counts.into_iter().collect();
    distinct
        .sort_by(|left, right| left.0.0.cmp(&right.0.0).then(right.1.cmp(&left.1)).then_with(|| left.0.cmp(&right.0)));
    let mut made: HashMap<(Option<String>, Shape), Shape> = HashMap::new();
    for alike in distinct.chunk_by(|left, right| left.0.0 == right.0.0) {
        let shapes: Vec<&Shape> = alike.iter().map(|((_, shape), _)| shape).collect();
        let mut first_of = shape::alike(&shapes);
        let messages: usize = alike.iter().map(|(_, count)| count).sum();
        let objects = |at: &usize| matches!(shapes[*at], Shape::Object(_));
        let distinct = first_of.iter().collect::<BTreeSet<_>>().len();
        if distinct >= SHAPES_MIN
            && distinct * 5 > messages * 3
            && let Some(first) = (0..shapes.len()).find(objects)
        {
            (0..shapes.len()).filter(objects).for_each(|at| first_of[at] = first);
        }
        for (at, first) in first_of.iter().enumerate() {
            let members = (0..shapes.len()).filter(|other| first_of[*other] == *first).map(|other| shapes[other]);
            made.insert(alike[at].0.clone(), common(members));
        }
    }
    for signature in signatures {
        if let Some(shape) = made.get(&(signature.source.clone(), signature.shape.clone())) {
            signature.shape = shape.clone();
        }
    }
}

/// What all of them have.
fn common<'a>(mut shapes: impl Iterator<Item = &'a Shape>) -> Shape {
    let first = shapes.next().cloned().unwrap_or(Shape::Told);
    shapes.fold(first, |common, shape| match (common, shape) {
        (Shape::Object(common), Shape::Object(keys)) => Shape::Object(&common & keys),
        (common, _) => common,
    })
}
