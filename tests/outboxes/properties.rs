//! Any mapping, any row: what SQL says is what the conditions say, every row is in one state, and the states' numbers add up.

use std::collections::BTreeMap;

use opsctl::{
    domain::{
        Attempts, AttemptsMax, Dead, Dialect, In, Lease, Literal, Primitive, RowMapping, RowState, Satellite, Scope,
        Times, Value,
    },
    outboxes::{
        RowCondition, Rules,
        condition::{Comparison, Side},
        preset,
        sql::BoundedCount,
    },
};

use super::{case::fitted, server::Schema};

const ROWS: usize = 250;
const MAPPINGS: u64 = 60;
const TABLE: &str = "CREATE TABLE box (id int PRIMARY KEY, st varchar(10), num int, tries int, most int, due bigint, held bigint, ends bigint,
    dead varchar(10), done bigint, flag int);
    CREATE TABLE side_a (box int PRIMARY KEY); CREATE TABLE side_b (box int PRIMARY KEY, due bigint);";

/// Numbers and texts of a row; what is not there is NULL. `side_a` and `side_b` say which tables have a row of it.
type Row = BTreeMap<&'static str, Literal>;

fn random_row(random: &mut fastrand::Rng, now: i64) -> Row {
    let mut row = Row::new();
    let words = ["NEW", "SENT", "BAD", "BUSY", "new", ""];
    for column in ["st", "dead"] {
        if random.u8(0..4) > 0 {
            row.insert(column, Literal::Text(random.choice(words).expect("words").to_owned()));
        }
    }
    for (column, most) in [("num", 4), ("tries", 6), ("most", 6), ("flag", 3)] {
        if random.u8(0..4) > 0 {
            row.insert(column, Literal::Integer(random.i64(0..most)));
        }
    }
    // Far from now, so that the time between two questions changes nothing.
    for column in ["due", "held", "ends", "done", "side_b_due"] {
        if random.u8(0..3) > 0 {
            row.insert(column, Literal::Integer(now + 3_600_000 * random.i64(-3..4) + 1_800_000));
        }
    }
    for table in ["side_a", "side_b"] {
        if random.bool() {
            row.insert(table, Literal::Integer(1));
        }
    }
    row
}

fn random_mapping(random: &mut fastrand::Rng, schema: &Schema) -> RowMapping {
    let mut mapping = preset("debezium").expect("a preset").mapping_for(&schema.table("box"));
    let text = |word: &str| Literal::Text(word.to_owned());
    let column = |name: &str| name.to_owned();
    (mapping.group, mapping.kind, mapping.body) = (None, None, None);
    mapping.times = Times::EpochMs;
    mapping.primitive = match random.u8(0..6) {
        0 => Primitive::NullTime { column: column("done") },
        1 => Primitive::Flag { column: column("flag"), published: Literal::Integer(1) },
        2 => Primitive::Present,
        3 => Primitive::Satellite {
            key: column("id"),
            members: vec![
                Satellite { table: schema.table("side_a"), column: column("box"), state: RowState::Failed, due: None },
                Satellite {
                    table: schema.table("side_b"),
                    column: column("box"),
                    state: RowState::Scheduled,
                    due: Some(column("due")),
                },
            ],
            finished: random.bool().then(|| column("done")),
        },
        4 => Primitive::Status {
            column: column("num"),
            states: vec![
                (Literal::Integer(0), RowState::Ready),
                (Literal::Integer(1), RowState::Published),
                (Literal::Integer(2), RowState::InProgress),
            ],
            null: None,
            done: None,
        },
        _ => Primitive::Status {
            column: column("st"),
            states: vec![
                (text("NEW"), RowState::Ready),
                (text("SENT"), RowState::Published),
                (text("BAD"), RowState::Scheduled),
                (text("BUSY"), RowState::InProgress),
            ],
            null: random.bool().then(|| *random.choice(&RowState::ALL).expect("states")),
            done: random.bool().then(|| column("done")),
        },
    };
    let max = [Some(AttemptsMax::Number(3)), Some(AttemptsMax::Column(column("most"))), None];
    mapping.attempts =
        random.bool().then(|| Attempts { column: column("tries"), max: random.choice(&max).expect("one").clone() });
    mapping.due = random.bool().then(|| column("due"));
    let leases = [
        Lease::Until(column("held")),
        Lease::Since { column: column("held"), ttl_seconds: 3_600 },
        Lease::Owner(column("held")),
    ];
    mapping.lease = random.bool().then(|| random.choice(&leases).expect("one").clone());
    let deads = [Dead::NotNull(column("dead")), Dead::Is(column("dead"), text("BAD"))];
    mapping.dead = random.bool().then(|| random.choice(&deads).expect("one").clone());
    mapping.expiry = random.bool().then(|| column("ends"));
    let ins = [In::Null, In::NotNull, In::Values(vec![text("NEW"), text("BAD")]), In::Except(vec![text("SENT")])];
    let mut scope = |name: &str| Scope { column: column(name), is: random.choice(&ins).expect("one").clone() };
    let (scoped, held) = (scope("st"), scope("dead"));
    mapping.scope = random.bool().then_some(scoped).into_iter().collect();
    mapping.held = random.bool().then_some(held).into_iter().collect();
    mapping
}

/// What the conditions say of a row, without a server.
fn holds(condition: &RowCondition, row: &Row, now: i64) -> bool {
    let get = |column: &String| row.get(column.as_str());
    let number = |column: &String| match get(column) {
        Some(Literal::Integer(number)) => Some(*number),
        Some(Literal::Text(_)) | None => None,
    };
    match condition {
        RowCondition::Always => true,
        RowCondition::Never => false,
        RowCondition::IsNull(column) => get(column).is_none(),
        RowCondition::NotNull(column) => get(column).is_some(),
        RowCondition::In(column, values) => get(column).is_some_and(|value| values.contains(value)),
        RowCondition::NotIn(column, values) => get(column).is_none_or(|value| !values.contains(value)),
        RowCondition::Compare(column, comparison, side) => {
            let other = match side {
                Side::Now(seconds) => Some(now + seconds * 1_000),
                Side::Number(number) => Some(*number),
                Side::Column(column) => number(column),
            };
            number(column).zip(other).is_some_and(|(one, other)| match comparison {
                Comparison::Less => one < other,
                Comparison::AtMost => one <= other,
                Comparison::More => one > other,
                Comparison::AtLeast => one >= other,
            })
        }
        RowCondition::Exists(member) => {
            let there = row.contains_key(member.table.name.as_str());
            let later = || matches!(row.get("side_b_due"), Some(Literal::Integer(due)) if *due > now);
            there && (member.later.is_none() || later())
        }
        RowCondition::Missing(member) => !holds(&RowCondition::Exists(member.clone()), row, now),
        RowCondition::All(parts) => parts.iter().all(|part| holds(part, row, now)),
        RowCondition::Any(parts) => parts.iter().any(|part| holds(part, row, now)),
        RowCondition::Acked(_) | RowCondition::NotAcked(_) | RowCondition::Unsettled(_) | RowCondition::Settled(_) => {
            panic!("no such mapping here")
        }
    }
}

async fn fill(schema: &mut Schema, rows: &[Row]) {
    schema.script(TABLE).await;
    let spelled = |row: &Row, column: &str| match row.get(column) {
        None => "NULL".to_owned(),
        Some(Literal::Integer(number)) => number.to_string(),
        Some(Literal::Text(text)) => format!("'{text}'"),
    };
    let columns = ["st", "num", "tries", "most", "due", "held", "ends", "dead", "done", "flag"];
    let values = rows.iter().enumerate().map(|(id, row)| {
        let values: Vec<String> = columns.iter().map(|column| spelled(row, column)).collect();
        format!("({id}, {})", values.join(", "))
    });
    let values: Vec<String> = values.collect();
    schema.script(&format!("INSERT INTO box (id, {}) VALUES {}", columns.join(", "), values.join(", "))).await;
    for (id, row) in rows.iter().enumerate() {
        if row.contains_key("side_a") {
            schema.script(&format!("INSERT INTO side_a VALUES ({id})")).await;
        }
        if row.contains_key("side_b") {
            schema.script(&format!("INSERT INTO side_b VALUES ({id}, {})", spelled(row, "side_b_due"))).await;
        }
    }
}

#[tokio::test]
async fn sql_and_conditions_agree_on_every_row() {
    let now = jiff::Timestamp::now().as_millisecond();
    for mut schema in Schema::all().await {
        let mut random = fastrand::Rng::with_seed(7);
        let rows: Vec<Row> = (0..ROWS).map(|_| random_row(&mut random, now)).collect();
        if schema.dialect() == Dialect::Mysql {
            // Texts that differ in case are the same in MySQL's default collation, as they are for the relay.
            schema.script(&format!("ALTER DATABASE {} COLLATE utf8mb4_bin", schema.name)).await;
        }
        fill(&mut schema, &rows).await;
        let ids: Vec<Vec<Value>> = (0..ROWS).map(|id| vec![Value::Integer(id as i64)]).collect();
        for seed in 0..MAPPINGS {
            let mut random = fastrand::Rng::with_seed(seed);
            let mapping = random_mapping(&mut random, &schema);
            let sql = fitted(&mut schema, mapping).await;
            let rules = Rules::of(&sql.mapping);
            let state = |row: &Row| {
                let found = rules.list.iter().find(|(_, condition)| holds(condition, row, now));
                found.map_or(RowState::Unaccounted, |(state, _)| *state)
            };
            for row in sql.listed(&schema.run(&sql.rows_by_id(&ids)).await) {
                let Value::Integer(id) = row.id[0] else { panic!("an id") };
                let mine = &rows[usize::try_from(id).expect("small")];
                assert_eq!(row.state, state(mine), "seed {seed}, {mine:?}, {rules:?}");
            }
            let together = sql.counts_of(&schema.run(&sql.counts(&sql.counted())).await);
            let mine: Vec<&Row> = rows.iter().filter(|row| holds(&rules.scope, row, now)).collect();
            for of in RowState::ALL {
                let expected = mine.iter().filter(|row| state(row) == of).count() as u64;
                assert_eq!(
                    mine.iter().filter(|row| holds(&rules.exactly(of), row, now)).count() as u64,
                    expected,
                    "seed {seed}, {of}"
                );
                let of_all: u64 = together.iter().filter(|count| count.state == of).map(|count| count.rows).sum();
                assert_eq!(of_all, expected, "seed {seed}, {of}, {}", sql.counts(&sql.counted()).text);
                let counted = BoundedCount::of(&schema.run(&sql.count(of)).await);
                assert_eq!(counted, Some(BoundedCount::Exactly(expected)), "seed {seed}, {of}, {}", sql.count(of).text);
            }
        }
        schema.end().await;
    }
}
