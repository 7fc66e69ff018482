//! What can be parked and released of each system's table, tried on rows in every state.

use opsctl::{
    domain::{
        Dialect,
        RowState::{self, Failed, Held, InProgress, Published, Ready},
        Value,
    },
    outboxes::{
        Deed, RowChange, Sql, preset,
        presets::presets,
        sql::{BoundedCount, ChangedRow, Locks},
    },
};

use super::{
    case::{Case, fitted, one},
    mysql, postgres,
    server::Schema,
};

/// What is done to rows of a preset.
struct Fate {
    preset: &'static str,
    /// State of a waiting row that is parked in the table's own terms; none: there are no such terms.
    own: Option<RowState>,
    /// Whether rows may be moved beside the outbox.
    aside: bool,
    /// State of a stuck row that is released; none: none is.
    released: Option<RowState>,
}

const fn fate(preset: &'static str, own: Option<RowState>, aside: bool, released: Option<RowState>) -> Fate {
    Fate { preset, own, aside, released }
}

const FATES: [Fate; 25] = [
    fate("brighter", None, true, None),
    fate("cap-published", Some(Failed), true, None),
    fate("cap-received", Some(Failed), true, None),
    fate("debezium", None, false, None),
    fate("django-outbox-pattern", Some(Failed), true, None),
    fate("eventuate", None, true, None),
    fate("eventuate-wal", None, false, None),
    fate("graphile-worker", Some(Failed), true, Some(Ready)),
    fate("gruelbox", None, true, None),
    fate("gruelbox-mysql", None, true, None),
    fate("masstransit", None, true, None),
    fate("modulith-v1", None, true, None),
    fate("modulith-v2", None, true, None),
    fate("modulith-v2-archive", None, false, None),
    fate("namastack", None, true, None),
    fate("nservicebus", None, false, None),
    fate("oban", Some(Held), true, Some(Ready)),
    fate("openoutbox", Some(Failed), false, Some(Ready)),
    fate("openoutbox-lifecycle", Some(Failed), false, Some(Ready)),
    fate("outbox-transfers", Some(Failed), true, None),
    fate("river", Some(Held), true, Some(Ready)),
    fate("sbmt-outbox", Some(Failed), true, None),
    fate("solid-queue", None, false, None),
    fate("watermill", None, false, None),
    fate("watermill-mysql", None, false, None),
];

#[test]
fn every_preset_says_what_can_be_parked_and_released() {
    for preset in presets() {
        let fate = FATES.iter().find(|fate| fate.preset == preset.name).unwrap_or_else(|| panic!("{}", preset.name));
        let can = |deed| !RowChange::of(deed, &preset.mapping).from.is_empty();
        let found = (can(Deed::Park), can(Deed::Aside), can(Deed::Release));
        assert_eq!(found, (fate.own.is_some(), fate.aside, fate.released.is_some()), "{}", preset.name);
        // Whoever may not is told why, and what helps.
        if let Some(stays) = &preset.mapping.park.stays {
            assert!(!stays.because.is_empty() && !stays.instead.is_empty(), "{}", preset.name);
        }
        if let opsctl::domain::Release::Refused(refused) = &preset.mapping.release {
            assert!(!refused.because.is_empty() && !refused.instead.is_empty(), "{}", preset.name);
        }
    }
}

#[tokio::test]
async fn rows_in_every_state_are_parked_and_released_and_put_back() {
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        let cases = if dialect == Dialect::Postgres { postgres::cases() } else { mysql::cases() };
        for case in cases {
            let Some(mut schema) = Schema::of(dialect).await else { return };
            schema.script(case.script).await;
            let fate = FATES.iter().find(|fate| fate.preset == case.preset).expect("a fate");
            for deed in [Deed::Park, Deed::Aside, Deed::Release, Deed::ReleaseGone] {
                fate.hold(&mut schema, case, deed).await;
            }
            schema.end().await;
        }
    }
}

impl Fate {
    async fn hold(&self, schema: &mut Schema, case: &Case, deed: Deed) {
        let mapping = preset(self.preset).expect("a preset").mapping_for(&schema.table(case.table));
        let sql = fitted(schema, mapping).await.doing(deed);
        if sql.change.from.is_empty() {
            return;
        }
        let expected = match deed {
            Deed::Park => self.own.into_iter().collect(),
            Deed::Release => self.released.into_iter().collect(),
            // The attempt that was under way may have been the last.
            Deed::ReleaseGone => self.released.into_iter().chain([Failed]).collect(),
            Deed::Aside | Deed::Replay => Vec::new(),
        };
        hold(schema, case, sql, &expected).await;
    }
}

/// Rows are changed, are where and what they are to be, and are put back; those that a relay has are left alone.
pub(super) async fn hold(schema: &mut Schema, case: &Case, mut sql: Sql, expected: &[RowState]) {
    let (deed, name) = (sql.change.deed, case.preset);
    sql.change = sql.change.because("20260501T093000-000001", &"poison: it's broken ".repeat(60), &sql.catalog);
    if let Some(create) = sql.create_aside() {
        // Twice: an answer that was lost is no harm.
        schema.run(&create).await;
        schema.run(&create).await;
    }
    let done = case.changed(schema, &sql).await;
    assert!(!done.is_empty(), "{}: {deed:?} was not tried", name);
    let ids: Vec<Vec<Value>> = done.iter().map(|row| row.id.clone()).collect();
    for row in &done {
        if expected.is_empty() {
            continue;
        }
        let now = one(schema, &sql, &row.id).await.state;
        assert!(expected.contains(&now), "{}: {deed:?} {row:?}: {now}", name);
    }
    // What a relay works on, or has sent, is as it was.
    for state in [InProgress, Published].into_iter().filter(|state| !deed.releases().contains(state)) {
        let before = case.counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
        let now = BoundedCount::of(&schema.run(&sql.count(state)).await);
        assert_eq!(now, Some(BoundedCount::Exactly(before)), "{}: {deed:?}", name);
    }
    let mut found: Vec<ChangedRow> = Vec::new();
    for statement in sql.whereabouts(&ids, Locks::Wait) {
        found.extend(sql.changed_rows(&schema.run(&statement).await));
    }
    for row in &done {
        let now = found.iter().find(|now| now.id == row.id).expect("somewhere");
        assert_eq!(now.before, row.after, "{}: {deed:?}", name);
    }
    assert_eq!(found.len(), done.len(), "{}: {deed:?}: in one place each", name);
    case.put_back(schema, &sql, &done).await;
}
