//! What must hold of every mapping on a table with rows in each state: counts, pages, states of single rows, replay, restore.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opsctl::{
    domain::{Dialect, Outbox, Relay, RowCount, RowState, Value},
    outboxes::{
        Sql, look,
        sql::{
            Among, BoundedCount, ChangedRow, Changing, Extent, ListedRow, Position, Selection, catalog, catalog_of,
            extent, extent_of,
        },
    },
};

use super::server::Schema;
use crate::sql::session;

/// A preset, its table as the product makes it, rows, and what is said of them.
pub(super) struct Case {
    pub(super) preset: &'static str,
    pub(super) table: &'static str,
    /// Statements, each ending with a semicolon.
    pub(super) script: &'static str,
    pub(super) counts: &'static [(RowState, u64)],
    /// State of a row after its replay. None: there is no replay.
    pub(super) replayed: Option<RowState>,
}

impl Case {
    pub(super) async fn hold(&self, schema: &mut Schema) {
        schema.script(self.script).await;
        let preset = opsctl::outboxes::preset(self.preset).expect(self.preset);
        let mapping = preset.mapping_for(&schema.table(self.table));
        let sql = fitted(schema, mapping).await;
        self.check(schema, &sql).await;
    }

    pub(super) async fn check(&self, schema: &mut Schema, sql: &Sql) {
        self.counted(schema, sql).await;
        self.looked_at(sql).await;
        if !sql.rules.outside {
            self.listed(schema, sql).await;
        }
        for statement in [sql.kinds(RowState::Failed, Among::All), sql.blocked_groups(), sql.published_within(60)]
            .into_iter()
            .flatten()
        {
            schema.run(&statement).await;
        }
        let explained = schema.run(&sql.explain(&sql.oldest(RowState::Ready))).await;
        let explained = sql.explained(&explained).unwrap_or_else(|| panic!("{}: {explained:?}", self.preset));
        assert!(explained.rows.is_none_or(|rows| rows < 100_000), "{}: {explained:?}", self.preset);
        let size = extent_of(&schema.run(&extent(sql.dialect, &sql.mapping.table)).await).expect(self.preset);
        assert!(Extent::is_small(&size), "{}: {size:?}", self.preset);
        if let Some(index) = sql.index_wanted() {
            schema.script(&index).await;
            self.counted(schema, sql).await;
        }
        self.replayed(schema, sql).await;
    }

    /// The same counts by the program's own session, which binds and reads in its own way.
    async fn looked_at(&self, sql: &Sql) {
        let mut session = session(sql.dialect).await;
        let (preset, mapping) = (Some(self.preset.to_owned()), sql.mapping.clone());
        let relay = Relay::Unknown;
        let outbox = Outbox {
            name: "test".to_owned(),
            connection: "test".to_owned(),
            preset,
            mapping,
            relay,
            fifo: false,
            lag_seconds: 300,
        };
        let fitted =
            look::fitted(&mut session, &outbox).await.unwrap_or_else(|error| panic!("{}: {error:?}", self.preset));
        let backlog = look::backlog(&mut session, &fitted, Timestamp::now()).await;
        let backlog = backlog.unwrap_or_else(|error| panic!("{}: {error}", self.preset));
        let mut counts = backlog.counts.clone();
        counts.retain(|_, count| *count != RowCount::Exactly(0));
        let expected: BTreeMap<_, _> =
            self.counts.iter().map(|(state, count)| (*state, RowCount::Exactly(*count))).collect();
        assert_eq!(counts, expected, "{}", self.preset);
        let is_ready = backlog.count(RowState::Ready).is_some_and(|ready| ready != RowCount::Exactly(0));
        assert_eq!(backlog.oldest_ready.is_some(), is_ready && sql.mapping.created.is_some(), "{}", self.preset);
        assert!(!backlog.may_hide && backlog.index_wanted.is_none(), "{}", self.preset);
        session.close().await;
    }

    pub(super) async fn counted(&self, schema: &mut Schema, sql: &Sql) {
        for state in RowState::ALL {
            let expected = self.counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
            let counted = BoundedCount::of(&schema.run(&sql.count(state)).await);
            assert_eq!(
                counted,
                Some(BoundedCount::Exactly(expected)),
                "{}: {state} {:?}",
                self.preset,
                sql.count(state).text
            );
        }
    }

    /// Page by page, one row each; and each row's state, asked by its id, is that of the page.
    async fn listed(&self, schema: &mut Schema, sql: &Sql) {
        for (state, count) in self.counts {
            let mut after: Option<Position> = None;
            let mut seen: Vec<Vec<Value>> = Vec::new();
            loop {
                let page = sql.listed(&schema.run(&sql.page(*state, after.as_ref(), 1)).await);
                let Some(row) = page.into_iter().next() else { break };
                assert!(!seen.contains(&row.id), "{}: {:?} twice", self.preset, row.id);
                let alone = one(schema, sql, &row.id).await;
                assert_eq!(alone.state, *state, "{}: {:?}", self.preset, row.id);
                assert_eq!(alone.body.is_some(), sql.mapping.body.is_some(), "{}", self.preset);
                after = Some(row.position);
                seen.push(row.id);
            }
            assert_eq!(seen.len() as u64, *count, "{}: {state}", self.preset);
            let all = sql.listed(&schema.run(&sql.rows_by_id(&seen)).await);
            assert_eq!(all.len(), seen.len(), "{}", self.preset);
        }
    }

    async fn replayed(&self, schema: &mut Schema, sql: &Sql) {
        let selection = Selection::of(&sql.mapping.rearmable());
        let Some(expected) = self.replayed else {
            assert!(sql.change(&selection, None, 10).is_none(), "{}", self.preset);
            return;
        };
        let done = self.changed(schema, sql).await;
        assert!(!done.is_empty(), "{}: nothing to replay", self.preset);
        for row in &done {
            assert_eq!(one(schema, sql, &row.id).await.state, expected, "{}: {row:?}", self.preset);
        }
        self.put_back(schema, sql, &done).await;
    }

    /// Changes every row that the deed is done to, two at a time: each once.
    pub(super) async fn changed(&self, schema: &mut Schema, sql: &Sql) -> Vec<ChangedRow> {
        let selection = Selection::of(&sql.change.from);
        let wanted: u64 =
            self.counts.iter().filter(|(state, _)| selection.states.contains(state)).map(|(_, count)| count).sum();
        let selected = schema.run(&sql.selected(&selection)).await;
        assert_eq!(BoundedCount::of(&selected), Some(BoundedCount::Exactly(wanted)), "{}", self.preset);
        let mut done: Vec<ChangedRow> = Vec::new();
        while let Some(batch) = batch(schema, sql, &selection, done.last().map(|row| &row.position)).await {
            done.extend(batch);
            assert!(done.len() as u64 <= wanted, "{}: more than there are", self.preset);
        }
        assert_eq!(done.len() as u64, wanted, "{}", self.preset);
        done
    }

    /// Restores rows: then all is as it was.
    pub(super) async fn put_back(&self, schema: &mut Schema, sql: &Sql, done: &[ChangedRow]) {
        for row in done {
            for step in sql.restore(row) {
                assert_eq!(schema.run(&step).await.changed, 1, "{}: {row:?} {step:?}", self.preset);
            }
        }
        self.counted(schema, sql).await;
    }
}

/// The next two rows of a change. None: no more.
pub(super) async fn batch(
    schema: &mut Schema,
    sql: &Sql,
    selection: &Selection,
    after: Option<&Position>,
) -> Option<Vec<ChangedRow>> {
    let statement = match sql.change(selection, after, 2).expect("a change") {
        Changing::Once(statement) => {
            let rows = sql.changed_rows(&schema.run(&statement).await);
            return (!rows.is_empty()).then_some(rows);
        }
        Changing::PickFirst(statement) => statement,
    };
    let mut rows = sql.changed_rows(&schema.run(&statement).await);
    if rows.is_empty() {
        return None;
    }
    let ids: Vec<Vec<Value>> = rows.iter().map(|row| row.id.clone()).collect();
    for step in sql.steps(selection, &ids) {
        assert_eq!(schema.run(&step.statement).await.changed, step.rows, "{step:?}");
    }
    let now = match sql.after_move() {
        Some(after) => rows.iter().map(|row| ChangedRow { before: after.clone(), ..row.clone() }).collect(),
        None => sql.changed_rows(&schema.run(&sql.set_now(&ids)).await),
    };
    for row in &mut rows {
        let now = now.iter().find(|now| now.id == row.id).expect("still there");
        row.after.clone_from(&now.before);
    }
    Some(rows)
}

pub(super) async fn one(schema: &mut Schema, sql: &Sql, id: &[Value]) -> ListedRow {
    let rows = schema.run(&sql.row(id)).await;
    sql.listed(&rows).pop().unwrap_or_else(|| panic!("no row {id:?}: {rows:?}"))
}

/// The mapping as the table has it.
pub(super) async fn fitted(schema: &mut Schema, mapping: opsctl::domain::RowMapping) -> Sql {
    let dialect: Dialect = schema.dialect();
    let rows = schema.run(&catalog(dialect, &mapping.table)).await;
    let catalog = catalog_of(dialect, &rows).unwrap_or_else(|| panic!("no table {}", mapping.table));
    let mapping = catalog.fit(&mapping).unwrap_or_else(|misfits| panic!("{misfits:?}"));
    Sql::new(dialect, mapping, catalog)
}
