//! Binds a redrive to what was found: everything that its run needs.

use std::{collections::HashSet, sync::Arc};

use super::{
    Redrive,
    scene::{Scene, To},
    sources::Known,
};
use crate::{
    cloud::Cloud,
    domain::MessageId,
    messages::{edit::Editor, filter::Filter},
    operations::{
        bound::{ClientSide, Managed},
        selection::Selection,
        transfer::{Destination, Judge, Park, Route, Settings, Source},
        values::{BounceMax, Ramp},
    },
};

/// How long received messages stay hidden at a time where nobody says otherwise.
const VISIBILITY_SECONDS: u32 = 60;

/// What a program may take for one message, see [`Editor`].
const PROGRAM_SECONDS_MAX: u32 = 10;

pub(super) struct Parts {
    pub(super) filter: Option<Filter>,
    pub(super) ids: Option<HashSet<MessageId>>,
    pub(super) editor: Option<Editor>,
    pub(super) ramp: Ramp,
    pub(super) lanes: usize,
    pub(super) known: Known,
}

pub(super) fn managed(redrive: &Redrive, scene: &Scene) -> Managed {
    Managed {
        source: scene.from.arn.clone(),
        source_url: scene.from.url.clone(),
        // Blank where none was named: then every message goes to its own source, as SQS knows it.
        destination: match (&redrive.to, &scene.to) {
            (Some(_), To::One(to)) => Some(to.arn.clone()),
            _ => None,
        },
        rate: redrive.rate,
        messages_estimate: scene.from.counts.total(),
    }
}

/// Where each message would go and what would be sent, as far as no filter, list of ids or edit decides on it.
pub(super) fn judge(scene: &Scene, cloud: &Cloud, known: &Known) -> Judge {
    let (queues, routes) = scene.destinations();
    let route = match &scene.to {
        To::One(_) => Route::To(0),
        To::Each | To::Unknown => {
            let direct = (scene.sources.len() == 1).then_some(0);
            Route::BySource { sources: routes, direct, known: Arc::clone(known) }
        }
    };
    let rules = &cloud.environment().queues;
    let destinations = queues
        .into_iter()
        // A parking queue is one of the destinations.
        .chain(scene.park.clone())
        .map(|queue| Destination { keys: rules.keys_for(queue.name.as_str()).cloned(), queue })
        .collect();
    Judge::new(route, destinations, None, cloud.clock())
}

pub(super) fn client_side(redrive: &Redrive, scene: &Scene, cloud: &Cloud, parts: Parts) -> ClientSide {
    let judge = judge(scene, cloud, &parts.known);
    let park = match (&scene.park, redrive.park.as_deref()) {
        (Some(_), _) => Park::Queue(judge.destinations.len() - 1),
        (None, Some(_)) => Park::File,
        (None, None) => Park::Leave,
    };
    let visibility_seconds = redrive.visibility.map_or(VISIBILITY_SECONDS, |seconds| seconds.0);
    let selection = Selection { filter: parts.filter.as_ref(), ids: parts.ids.as_ref(), limit: redrive.limit };
    let messages_estimate = selection.bound(scene.from.counts.total());
    let settings = Settings {
        lanes: parts.lanes,
        // A program may take its time with each message, and all of a batch are hidden for so long only.
        batch_max: match &parts.editor {
            Some(Editor::Program(_)) => (visibility_seconds / 2 / PROGRAM_SECONDS_MAX).clamp(1, 10),
            Some(Editor::Jq(_)) | None => 10,
        },
        visibility_seconds,
        limit: redrive.limit,
        rate: redrive.rate,
        selective: selection.is_selective(),
        park: park != Park::Leave,
        bounce_max: bounce_max(redrive),
        watch_seconds: watch_seconds(redrive, scene, &parts.ramp),
        ramp: parts.ramp,
        // With no other reader at the start, what is in flight at the end is ours: it is waited for.
        settle_seconds: if scene.from.counts.in_flight == 0 { visibility_seconds + 10 } else { 10 },
        ..Settings::of_all(scene.from.kind)
    };
    let is_edited = parts.editor.is_some();
    let judge = Judge { park, filter: parts.filter, ids: parts.ids, editor: parts.editor, is_edited, ..judge };
    let source = Source::Queue(scene.from.url.clone());
    ClientSide {
        mark: redrive.mark,
        snapshot: !redrive.no_snapshot,
        park_file: redrive.park_file().map(Into::into),
        uncertain: redrive.uncertain,
        ..ClientSide::new(source, settings, judge, messages_estimate)
    }
}

pub(super) fn bounce_max(redrive: &Redrive) -> BounceMax {
    redrive.max_bounce.unwrap_or(BounceMax::Percent(5))
}

/// As long as a message needs to fail again: its queue's delay, and every receive its visibility timeout; 10 minutes at most, and the delay.
pub(super) fn watch_seconds(redrive: &Redrive, scene: &Scene, ramp: &Ramp) -> u32 {
    if let Some(seconds) = redrive.wait_bounce {
        return seconds.0;
    }
    if !ramp.is_ramped() && redrive.max_bounce.is_none() {
        return 0;
    }
    let (destinations, _) = scene.destinations();
    let longest = destinations
        .iter()
        .filter_map(|queue| Some(queue.redrive.as_ref()?.receives_max.saturating_mul(queue.visibility_timeout_seconds)))
        .max();
    longest.unwrap_or(60).saturating_add(5).clamp(30, 600).saturating_add(delay_seconds(scene))
}

/// For so long messages are hidden where they arrive, at most.
pub(super) fn delay_seconds(scene: &Scene) -> u32 {
    scene.destinations().0.iter().map(|queue| queue.delay_seconds).max().unwrap_or_default()
}
