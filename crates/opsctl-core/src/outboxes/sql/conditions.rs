//! Conditions as SQL. Each comes out true or false, never NULL, so that they may be joined freely.

use super::Writer;
use crate::{
    domain::{Dialect, Literal, Offset},
    outboxes::condition::{Comparison, Member, RowCondition, Side},
};

impl Writer<'_> {
    pub(super) fn condition(&mut self, condition: &RowCondition) -> &mut Self {
        match condition {
            RowCondition::Always => self.push("1 = 1"),
            RowCondition::Never => self.push("1 = 0"),
            RowCondition::IsNull(column) => self.column(column).push(" IS NULL"),
            RowCondition::NotNull(column) => self.column(column).push(" IS NOT NULL"),
            RowCondition::In(column, values) => self.within(column, values),
            RowCondition::NotIn(column, values) => {
                self.push("(").column(column).push(" IS NULL OR NOT (").within(column, values).push("))")
            }
            RowCondition::Compare(column, comparison, side) => self.compare(column, *comparison, side),
            RowCondition::Exists(member) => self.member(member),
            RowCondition::Missing(member) => self.push("NOT ").member(member),
            RowCondition::Acked(offset) => self.acked(offset),
            RowCondition::NotAcked(offset) => self.push("NOT ").acked(offset),
            RowCondition::Unsettled(column) => {
                self.push("COALESCE(").column(column).push(" >= pg_snapshot_xmin(pg_current_snapshot()), false)")
            }
            RowCondition::Settled(column) => {
                self.push("COALESCE(").column(column).push(" < pg_snapshot_xmin(pg_current_snapshot()), true)")
            }
            RowCondition::All(parts) => self.joined(parts, " AND "),
            RowCondition::Any(parts) => self.push("(").joined(parts, " OR ").push(")"),
        }
    }

    fn joined(&mut self, parts: &[RowCondition], word: &str) -> &mut Self {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push(word);
            }
            let grouped = matches!(part, RowCondition::All(_));
            self.push(if grouped { "(" } else { "" }).condition(part).push(if grouped { ")" } else { "" });
        }
        self
    }

    /// NULL for NULL: only where that counts as false.
    fn within(&mut self, column: &str, values: &[Literal]) -> &mut Self {
        if let [one] = values {
            return self.column(column).push(" = ").literal(column, one);
        }
        self.column(column).push(" IN (");
        self.list(values.iter(), |writer, value| {
            writer.literal(column, value);
        });
        self.push(")")
    }

    fn compare(&mut self, column: &str, comparison: Comparison, side: &Side) -> &mut Self {
        let sign = match comparison {
            Comparison::Less => " < ",
            Comparison::AtMost => " <= ",
            Comparison::More => " > ",
            Comparison::AtLeast => " >= ",
        };
        self.column(column).push(sign);
        match side {
            Side::Now(seconds) => self.now(*seconds),
            Side::Number(number) => self.push(&number.to_string()),
            Side::Column(other) => self.column(other),
        }
    }

    fn member(&mut self, member: &Member) -> &mut Self {
        self.push("EXISTS (SELECT 1 FROM ").table(&member.table).push(" AS m WHERE m.").name(&member.column);
        self.push(" = ").column(&member.key);
        if let Some(later) = &member.later {
            self.push(" AND m.").name(later).push(" > ").now(0);
        }
        self.push(")")
    }

    fn acked(&mut self, offset: &Offset) -> &mut Self {
        let (consumer, name) = &offset.consumer;
        self.push("EXISTS (SELECT 1 FROM ").table(&offset.table).push(" AS o WHERE o.").name(consumer).push(" = ");
        self.bind(name.into());
        if self.sql.dialect == Dialect::Postgres {
            // The consumers' table is not in the catalog that was read.
            self.push(if matches!(name, Literal::Text(_)) { "::text" } else { "::bigint" });
        }
        self.push(" AND (");
        match &offset.transaction {
            Some((own, theirs)) if self.sql.dialect == Dialect::Postgres => {
                self.column(own).push(", ").column(&offset.position).push(") <= (o.").name(theirs).push(", o.");
                self.name(&offset.acked).push("))")
            }
            Some(_) | None => self.column(&offset.position).push(") <= (o.").name(&offset.acked).push("))"),
        }
    }
}
