//! What teams wrap their messages in, checked.

use super::{
    check::One,
    texts::Sort,
    typed::{Defaults, Environment, Wrapping},
};
use crate::{
    domain::{Envelope, Pointer, Sign},
    files::{Spot, problem::Problem},
};

/// Each message is held against all of them.
const ENVELOPES_MAX: usize = 50;
const PLACES_MAX: usize = 10;

impl One<'_> {
    /// The environment's own, then those of the defaults.
    pub(super) fn envelopes(&mut self, typed: &Environment, defaults: &Defaults) -> Vec<Envelope> {
        let all: Vec<&Wrapping> = [&typed.envelopes, &defaults.envelopes].into_iter().flatten().flatten().collect();
        if let Some(name) = all.get(ENVELOPES_MAX).and_then(|wrapping| wrapping.name.as_ref()) {
            self.problems.push(Problem::error(name.span(), format!("more than {ENVELOPES_MAX} envelopes")));
        }
        all.into_iter().take(ENVELOPES_MAX).filter_map(|wrapping| self.envelope(wrapping)).collect()
    }

    fn envelope(&mut self, typed: &Wrapping) -> Option<Envelope> {
        let (name, when) = (typed.name.as_ref()?, typed.when.as_ref()?);
        let written = self.expanded(name);
        self.verdict(name, Sort::Visible.check(&written));
        if when.is_empty() {
            let problem = Problem::error(name.span(), format!("the envelope `{}` matches every message", name.value()));
            self.problems.push(problem.help("write in `when` what such messages have: when = [\"/meta/kind\"]"));
        }
        let texts = |one: &mut Self, spots: &[Spot<String>], sort: Sort| -> Vec<String> {
            if let Some(spot) = spots.get(PLACES_MAX) {
                one.problems.push(Problem::error(spot.span(), format!("more than {PLACES_MAX} places")));
            }
            let text = |spot: &Spot<String>| {
                let text = one.expanded(spot);
                one.verdict(spot, sort.check(&text));
                text
            };
            spots.iter().take(PLACES_MAX).map(text).collect()
        };
        let when = texts(self, when, Sort::MessageSign).iter().map(|text| Sign::parse(text)).collect();
        let mut places = |spots: &Option<Vec<Spot<String>>>, sort: Sort| -> Vec<Pointer> {
            let texts = texts(self, spots.as_deref().unwrap_or_default(), sort);
            texts.iter().map(|text| Pointer::parse(text)).collect()
        };
        let envelope = Envelope {
            kind: places(&typed.kind, Sort::MessagePlace),
            content: places(&typed.content, Sort::BodyPlace),
            error: places(&typed.error, Sort::MessagePlace),
            code: places(&typed.code, Sort::MessagePlace),
            kind_otherwise: Vec::new(),
            name: written,
            when,
        };
        if [&envelope.kind, &envelope.content, &envelope.error, &envelope.code].iter().all(|places| places.is_empty()) {
            let problem = Problem::error(
                name.span(),
                format!("the envelope `{}` does not say where anything stands", name.value()),
            );
            self.problems.push(problem.help("add `type`, `content`, `error` or `code`"));
        }
        Some(envelope)
    }
}
