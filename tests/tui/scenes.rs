//! What the console is shown of three environments, as several views are looked at with it.

use std::sync::Arc;

use jiff::SignedDuration;
use opsctl::{
    cloud::{CloudError, ErrorKind},
    domain::{Counts, CredentialSource, QueueName},
    observe::{
        Oldest, Seen, Snapshot, Source, Trend,
        queues::{DeadLetters, KnownBy},
    },
    sandbox::fleet,
};

use crate::support::console::{Console, Picture, now, redrive_to};

/// Counts over the last half hour, the last one now.
pub(crate) fn trend(counts: &[u64]) -> Trend {
    let mut trend = Trend::default();
    for (at, messages) in counts.iter().enumerate() {
        let ago = SignedDuration::from_mins(2) * (counts.len() - 1 - at) as i32;
        trend.push(now() - ago, *messages);
    }
    trend
}

pub(crate) fn denied(action: &str) -> CloudError {
    let message = "User: arn:aws:sts::111111111111:assumed-role/on-call/nina is not authorized to perform: \
                   sqs:getqueueattributes on resource: arn:aws:sqs:af-south-1:111111111111:secrets because no \
                   identity-based policy allows it";
    CloudError::new(ErrorKind::Denied, action, message)
}

pub(crate) fn expired() -> CloudError {
    CloudError::new(
        ErrorKind::CredentialsExpired,
        "sqs:ListQueues",
        "The security token included in the request is expired",
    )
}

fn oldest(days: u64) -> Option<Oldest> {
    Some(Oldest { seconds: days * 86_400, at: now() - SignedDuration::from_secs(40) })
}

pub(crate) fn dev() -> Picture {
    Picture::of("dev")
        .queue_with("orders", 3, |seen| {
            seen.queue.as_mut().expect("seen").redrive = Some(redrive_to("orders-dlq", 5));
            seen.trend = trend(&[0, 0, 4, 3]);
        })
        .dead_letters("orders-dlq", "orders", 42)
        .queue_with("orders-retry.fifo", 0, |_| {})
        .queue_with("secrets", 0, |seen| {
            (seen.queue, seen.at) = (None, None);
            seen.error = Some(denied("sqs:GetQueueAttributes"));
        })
}

pub(crate) fn staging() -> Picture {
    Picture::of("staging").queue("orders", 0).dead_letters("orders-dlq", "orders", 0).queue("reports", 12)
}

pub(crate) fn prod() -> Picture {
    Picture::of("prod")
        .queue_with("payments", 120, |seen| {
            let queue = seen.queue.as_mut().expect("seen");
            queue.counts = Counts { visible: 120, in_flight: 48, delayed: 7 };
            queue.redrive = Some(redrive_to("payments-dlq", 3));
            seen.trend = trend(&[150, 170, 160, 168, 175]);
        })
        .queue_with("payments-dlq", 4_812, |seen| {
            let sources = ["payments", "payments-replay"].map(|name| QueueName(name.to_owned())).to_vec();
            seen.dead_letters = Some(DeadLetters { sources, known_by: KnownBy::RedrivePolicy });
            seen.oldest = oldest(13);
            seen.trend = trend(&[4_000, 4_100, 4_100, 4_300, 4_600, 4_700, 4_812]);
        })
        .queue_with("ledger-postings-reconciliation-dlq.fifo", 60, |seen| {
            seen.dead_letters = Some(DeadLetters { sources: Vec::new(), known_by: KnownBy::Name });
            seen.oldest = oldest(2);
            seen.trend = trend(&[60, 60]);
        })
        .queue_with("checkout", 12_400, |seen| {
            seen.waiting_since = Some(now() - SignedDuration::from_mins(24));
            seen.trend = trend(&[900, 4_000, 7_000, 12_400]);
        })
}

/// Three environments as they may stand one night.
pub(crate) fn night(size: (u16, u16)) -> Console {
    let mut console = Console::new(size);
    for picture in [dev(), staging(), prod()] {
        console.seen(picture.done());
    }
    console
}

/// All is well everywhere.
pub(crate) fn calm(size: (u16, u16)) -> Console {
    let mut console = Console::new(size);
    for environment in ["dev", "staging", "prod"] {
        console.seen(Picture::of(environment).queue("orders", 3).dead_letters("orders-dlq", "orders", 0).done());
    }
    console
}

/// Credentials expired in one environment, another is not reached, the third throttles: what is shown is from before.
pub(crate) fn broken(size: (u16, u16)) -> Console {
    let mut environments = fleet::environments();
    for environment in &mut environments {
        environment.credentials = CredentialSource::Profile(format!("{}-on-call", environment.name));
    }
    let mut console = Console::on(environments, size);
    for picture in [dev(), staging(), prod()] {
        console.seen(picture.done());
    }
    let reached = CloudError::new(ErrorKind::Unreachable, "sqs:ListQueues", "no connection was made: timed out");
    let old = |snapshot: &mut Snapshot, minutes: i64| {
        snapshot.number = 2;
        snapshot.listing.at = Some(now() - SignedDuration::from_mins(minutes));
        age(snapshot, minutes);
    };
    let with = |picture: Picture, minutes: i64, error: CloudError| {
        let mut snapshot = picture.done();
        old(&mut snapshot, minutes);
        snapshot.listing.error = Some(error);
        snapshot
    };
    console.seen(with(prod(), 12, expired()));
    console.seen(with(staging(), 45, reached));
    console.seen(dev().with(|snapshot| (snapshot.number, snapshot.spend.throttled) = (2, 17)).done());
    console
}

/// All is from an earlier session's cache.
pub(crate) fn cached(size: (u16, u16)) -> Console {
    let mut console = Console::new(size);
    for picture in [dev(), staging(), prod()] {
        let mut snapshot = picture.done();
        snapshot.source = Source::Cache;
        snapshot.listing.at = Some(now() - SignedDuration::from_hours(7));
        age(&mut snapshot, 7 * 60);
        console.seen(snapshot);
    }
    console
}

/// Makes all figures that old.
fn age(snapshot: &mut Snapshot, minutes: i64) {
    let aged = snapshot.queues.iter().map(|seen| {
        let mut seen = Seen::clone(seen);
        seen.at = seen.at.map(|_| now() - SignedDuration::from_mins(minutes));
        Arc::new(seen)
    });
    snapshot.queues = aged.collect();
}

/// Names that come from outside and mean ill.
pub(crate) const HOSTILE: [&str; 6] =
    ["\u{1b}[2Jcleared", "gnp.\u{202e}exe", "two\nlines", "日本語の注文キュー", "e\u{301}\u{200b}hidden", "\u{9b}31m"];

/// Hostile text in every field from outside.
pub(crate) fn hostile(size: (u16, u16)) -> Console {
    let mut console = Console::new(size);
    let mut picture = Picture::of("dev");
    for (at, name) in HOSTILE.iter().enumerate() {
        picture = picture.queue_with(name, 5, |seen| {
            let queue = seen.queue.as_mut().expect("seen");
            queue.kms_key = Some((*name).to_owned());
            queue.redrive = Some(redrive_to(name, 3));
            seen.dead_letters =
                Some(DeadLetters { sources: vec![QueueName((*name).to_owned())], known_by: KnownBy::Tag });
            seen.error = (at == 2).then(|| CloudError::new(ErrorKind::Invalid, name, name));
        });
    }
    let long = "x".repeat(4_000);
    picture = picture.dead_letters(&long, &long, 9);
    console.seen(picture.with(|snapshot| snapshot.listing.error = Some(expired_with(HOSTILE[0]))).done());
    console
}

fn expired_with(message: &str) -> CloudError {
    CloudError::new(ErrorKind::Unreachable, message, message)
}

/// No control or reordering character is on a screen; wide characters keep their place.
pub(crate) fn assert_harmless(console: &Console) {
    let text = console.text();
    let bad = |character: char| {
        character != '\n' && (character.is_control() || "\u{202e}\u{200b}\u{feff}".contains(character))
    };
    if let Some(line) = text.lines().find(|line| line.contains(bad)) {
        panic!("{line:?}");
    }
}
