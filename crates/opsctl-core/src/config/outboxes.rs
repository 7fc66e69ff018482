//! Outboxes: where each is, what its columns mean, who reads it, checked.

use std::collections::BTreeSet;

use super::{
    check::One,
    texts::Sort,
    typed::{Defaults, Environment},
    watch::Range,
};
use crate::{
    domain::{Literal, Outbox as Bound, Relay, RelayLock, TableName, outbox::LAG_SECONDS},
    files::{Spot, problem::Problem},
    outboxes::{
        Preset,
        bind::{bind, table_of},
        presets::presets,
        typed::{self, Outbox},
    },
};

const LAG: Range = Range { least: 1, most: 604_800, unit: "seconds" };

impl One<'_> {
    /// The environment's outboxes, in the order of their names.
    pub(super) fn outboxes(&mut self, typed: &Environment, defaults: &Defaults) -> Vec<Bound> {
        // As they are typed: what is wrong with one of them is said there.
        let named = [&typed.connections, &defaults.connections].into_iter().flatten().flatten();
        let connections: BTreeSet<&str> = named.map(|(name, _)| name.value().as_str()).collect();
        let outboxes = typed.outboxes.iter().flatten();
        outboxes.filter_map(|(name, outbox)| self.outbox(name, outbox, &connections)).collect()
    }

    fn outbox(&mut self, name: &Spot<String>, typed: &Outbox, connections: &BTreeSet<&str>) -> Option<Bound> {
        self.plain(name, Sort::PlainName);
        let preset = typed.preset.as_ref().and_then(|spot| self.preset(spot));
        if typed.connection.is_none() {
            let problem = Problem::error(name.span(), format!("the outbox `{}` has no connection", name.value()));
            self.problems.push(problem.help("add `connection`: the name of one that leads to its database"));
        }
        // Said already: what is meant by the other parts depends on the preset.
        if typed.preset.is_some() && preset.is_none() {
            return None;
        }
        let table = self.table(name, typed, preset);
        let relay = self.relay(typed, preset, table.as_ref());
        let lag_seconds = typed.lag_seconds.as_ref().and_then(|spot| self.figure(spot, &LAG)).unwrap_or(LAG_SECONDS);
        let connection = typed.connection.as_ref().map(|spot| self.connection_of(spot, connections));
        let table = table?;
        let base = preset.map(|preset| preset.mapping_for(&table));
        let (mapping, problems) = bind(typed, base, table, name.span());
        self.problems.extend(problems);
        Some(Bound {
            name: name.value().clone(),
            connection: connection?,
            preset: preset.map(|preset| preset.name.clone()),
            mapping: mapping?,
            relay,
            fifo: typed.fifo.as_ref().map_or_else(|| preset.is_some_and(|preset| preset.fifo), |fifo| *fifo.value()),
            lag_seconds,
        })
    }

    fn connection_of(&mut self, spot: &Spot<String>, known: &BTreeSet<&str>) -> String {
        let name = self.plain(spot, Sort::PlainName);
        if !known.contains(name.as_str()) {
            let problem = Problem::error(spot.span(), format!("no connection is named `{name}`"));
            let known: Vec<&str> = known.iter().copied().collect();
            self.problems.push(match known.is_empty() {
                true => problem.help(format!("add `[environments.{}.connections.{name}]`", self.name)),
                false => problem.suggest(&name, &known),
            });
        }
        name
    }

    fn preset(&mut self, spot: &Spot<String>) -> Option<&'static Preset> {
        let name = self.plain(spot, Sort::PlainName);
        let found = presets().iter().find(|preset| preset.name == name);
        if found.is_none() {
            let known: Vec<&str> = presets().iter().map(|preset| preset.name.as_str()).collect();
            let problem = Problem::error(spot.span(), format!("no preset is named `{name}`"));
            self.problems.push(problem.suggest(&name, &known));
        }
        found
    }

    fn table(&mut self, name: &Spot<String>, typed: &Outbox, preset: Option<&Preset>) -> Option<TableName> {
        let Some(spot) = &typed.table else {
            let known = preset.filter(|preset| !preset.needs_table());
            if known.is_none() {
                let problem = Problem::error(name.span(), format!("the outbox `{}` has no table", name.value()));
                let help = match preset {
                    Some(preset) => format!("add `table`: its name is like {}", preset.table),
                    None => "add `table`".to_owned(),
                };
                self.problems.push(problem.help(help));
            }
            return known.map(|preset| preset.mapping.table.clone());
        };
        let text = self.expanded(spot);
        table_of(spot, &text).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn relay(&mut self, typed: &Outbox, preset: Option<&Preset>, table: Option<&TableName>) -> Relay {
        let Some(relay) = &typed.relay else {
            return if preset.is_some_and(|preset| preset.nobody_polls) { Relay::Nobody } else { Relay::Unknown };
        };
        let function = relay.function.as_ref().or(relay.rule.as_ref());
        let nobody = relay.nobody.as_ref().filter(|nobody| *nobody.value());
        let lock = relay.lock.as_ref().and_then(|lock| lock.table.as_ref());
        let places = [relay.service.as_ref().map(Spot::span), function.map(Spot::span), lock.map(Spot::span)];
        let places: Vec<_> = places.into_iter().chain([nobody.map(Spot::span)]).flatten().collect();
        if let [_, second, ..] = places.as_slice() {
            let problem = Problem::error(second.clone(), "two sorts of relays are named");
            self.problems
                .push(problem.help("leave all but one of `service`, `function` with `rule`, `lock` and `nobody` out"));
        }
        if let Some(service) = &relay.service {
            return Relay::Service(self.plain(service, Sort::ServiceName));
        }
        if let Some(function) = &relay.function {
            let rule = relay.rule.as_ref().map(|rule| self.plain(rule, Sort::PlainName));
            return Relay::Function { function: self.plain(function, Sort::PlainName), rule };
        }
        if let Some(rule) = &relay.rule {
            let problem = Problem::error(rule.span(), "a rule starts a function, and none is named");
            self.problems.push(problem.help("add `function`"));
        }
        if let Some(lock) = &relay.lock {
            return self.lock(lock, table).map_or(Relay::Unknown, Relay::Lock);
        }
        if nobody.is_some() { Relay::Nobody } else { Relay::Unknown }
    }

    fn lock(&mut self, typed: &typed::RelayLock, outbox: Option<&TableName>) -> Option<RelayLock> {
        let (spot, until) = (typed.table.as_ref()?, typed.until.as_ref()?);
        let table = table_of(spot, spot.value()).map_err(|problem| self.problems.push(problem)).ok()?;
        let table = match outbox {
            Some(outbox) if table.schema.is_none() => outbox.beside(&table.name),
            Some(_) | None => table,
        };
        let row = match (&typed.column, &typed.value) {
            (Some(column), Some(value)) => Some((self.plain(column, Sort::Visible), Literal::from(value.value()))),
            (Some(one), None) => self.half(one),
            (None, Some(one)) => self.half(one),
            (None, None) => None,
        };
        let owner = typed.owner.as_ref().map(|owner| self.plain(owner, Sort::Visible));
        Some(RelayLock { table, row, until: self.plain(until, Sort::Visible), owner })
    }

    fn half<T, U>(&mut self, spot: &Spot<T>) -> Option<U> {
        let problem = Problem::error(spot.span(), "`column` and `value` tell a lock's row together");
        self.problems.push(problem.help("write both, or neither"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Paint, Source, Why, examine},
        domain::{Primitive, RowState},
    };

    const HEAD: &str = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n\
        [environments.dev.connections]\ndb = { database = \"events\", user = \"u\", password = \"env:P\" }\n\
        db-dev = { database = \"events\", user = \"u\", password = \"env:P\" }\n[environments.dev.outboxes.events]\n";

    fn read(rest: &str) -> (String, Option<Bound>) {
        let source = Source { path: "opsctl.toml".into(), why: Why::Flag };
        let (report, bound) = examine(source, format!("{HEAD}{rest}"));
        let outbox = bound.first().and_then(|bound| bound.reach().databases.outbox("events").cloned());
        (report.problems.render(Paint::Plain), outbox)
    }

    #[test]
    fn a_preset_may_be_taken_as_it_is_or_changed_in_parts() {
        let (problems, outbox) = read(
            "connection = \"db-${env}\"\npreset = \"outbox-transfers\"\ntable = \"${env}.outbox\"\ndue = \"later\"\nattempts = { column = \"tries\", max = 3 }\nfifo = false\nrelay = { function = \"f\", rule = \"r\" }\n",
        );
        assert_eq!(problems, "");
        let outbox = outbox.expect("an outbox");
        assert_eq!((outbox.connection.as_str(), outbox.mapping.table.to_string().as_str()), ("db-dev", "dev.outbox"));
        assert_eq!((outbox.mapping.due.as_deref(), outbox.fifo, outbox.lag_seconds), (Some("later"), false, 300));
        assert_eq!(outbox.mapping.group.map(|group| group.to_string()).as_deref(), Some("payload/key/transferId"));
        assert_eq!(outbox.relay, Relay::Function { function: "f".to_owned(), rule: Some("r".to_owned()) });
        let (problems, outbox) = read(
            "connection = \"db\"\npreset = \"watermill\"\ntable = \"watermill_orders\"\noffset = { consumer = \"mail\" }\n",
        );
        assert_eq!(problems, "");
        let Some(Primitive::Offset(offset)) = outbox.map(|outbox| outbox.mapping.primitive) else {
            panic!("an offset")
        };
        assert_eq!(offset.consumer.1, Literal::Text("mail".to_owned()));
        assert_eq!(offset.table.name, "watermill_offsets_orders");
    }

    #[test]
    fn a_mapping_is_written_by_hand() {
        let (problems, outbox) = read(
            "connection = \"db\"\ntable = \"events\"\nstatus = { column = \"s\", ready = [0], failed = [2, \"dead\"], published = [true], null = \"ready\" }\nlease = { until = \"u\" }\nrearm = [{ set = \"s\", to = 0 }, { set = \"at\", in_seconds = 60 }]\n",
        );
        assert_eq!(problems, "");
        let mapping = outbox.expect("an outbox").mapping;
        let Primitive::Status { states, null, .. } = &mapping.primitive else { panic!("a status") };
        assert_eq!((states.len(), *null), (4, Some(RowState::Ready)));
        assert_eq!(mapping.rearmable(), [RowState::Failed, RowState::Expired, RowState::Published]);
    }

    #[test]
    fn mistakes_are_told_in_their_places() {
        const BOX: &str = "connection = \"db\"\ntable = \"t\"\n";
        for (rest, words) in [
            ("table = \"t\"\nnull_time = \"c\"", "has no connection"),
            ("connection = \"db-de\"\ntable = \"t\"\nnull_time = \"c\"", "did you mean `db-dev`?"),
            ("connection = \"db\"\nnull_time = \"c\"", "has no table"),
            ("connection = \"db\"\npreset = \"modulith-v3\"", "no preset is named `modulith-v3`"),
            ("connection = \"db\"\npreset = \"modulith-v3\"", "modulith-v"),
            ("connection = \"db\"\npreset = \"watermill\"", "its name is like watermill_*"),
            ("connection = \"db\"\ntable = \"a.b.c\"\nnull_time = \"c\"", "more than two parts"),
            (BOX, "nothing says which rows are published"),
            (
                "connection = \"db\"\ntable = \"t\"\nnull_time = \"c\"\npresent = true",
                "both say which rows are published",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\nrearm = [{ set = \"c\", null = true }]",
                "nothing says which rows are published",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\nstatus = { column = \"c\", ready = [\"A\"], failed = [\"A\"] }",
                "already stands for ready",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\nstatus = { column = \"c\", failed = [\"A\"] }",
                "no value of this status",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\nstatus = { column = \"c\", reday = [\"A\"] }",
                "did you mean `ready`?",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nlease = { since = \"c\" }",
                "how long this claim holds",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nlease = { until = \"c\", owner = \"d\" }",
                "told by one of",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nattempts = { column = \"c\", max = 0 }",
                "makes no sense here",
            ),
            ("connection = \"db\"\ntable = \"t\"\npresent = true\ngroup = \"a//b\"", "not a place in a row"),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nscope = [{ column = \"c\" }]",
                "not said in exactly one way",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nrearm = [{ set = \"c\" }]",
                "not said in exactly one way",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nrearm = [{ set = \"id\", to = 1 }]",
                "may not change what names the row",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\npark_claim = [{ set = \"c\", to = 1 }]",
                "`park_claim` without `park`",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\npark = [{ set = \"id\", reason = true }]",
                "may not change what names the row",
            ),
            ("connection = \"db\"\ntable = \"t\"\ncdc = {}\nrearm = [{ set = \"c\", to = 1 }]", "none can be set back"),
            ("connection = \"db\"\ntable = \"t\"\npresent = true\ntimes = \"utcc\"", "did you mean `utc`?"),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nrelay = { service = \"a\", nobody = true }",
                "two sorts of relays",
            ),
            ("connection = \"db\"\ntable = \"t\"\npresent = true\nrelay = { rule = \"a\" }", "none is named"),
            (
                "connection = \"db\"\ntable = \"t\"\npresent = true\nbody = { column = \"b\", table = \"x\" }",
                "needs `table`, `key` and `from`",
            ),
            (
                "connection = \"db\"\ntable = \"t\"\nflag = { column = \"c\", published = 1.5 }",
                "`environments.dev.outboxes.events.flag.published` must be",
            ),
        ] {
            let (problems, _) = read(rest);
            assert!(problems.contains(words), "{rest}\n{problems}");
        }
    }
}
