//! How databases are reached to be read and changed, checked.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    check::One,
    texts::Sort,
    typed::{Connection, Defaults, Environment, Sql},
};
use crate::{
    domain::{self, Dialect, Password, Place, Tls},
    files::{Spot, problem::Problem},
};

impl One<'_> {
    /// In the order of their names. An environment's own take the place of the defaults'.
    pub(super) fn connections(&mut self, typed: &Environment, defaults: &Defaults) -> Vec<domain::Connection> {
        let mut named: BTreeMap<&str, (&Spot<String>, &Connection)> = BTreeMap::new();
        for (name, connection) in [&defaults.connections, &typed.connections].into_iter().flatten().flatten() {
            named.insert(name.value(), (name, connection));
        }
        named.into_values().filter_map(|(name, connection)| self.connection(name, connection, typed)).collect()
    }

    fn connection(
        &mut self,
        name: &Spot<String>,
        typed: &Connection,
        environment: &Environment,
    ) -> Option<domain::Connection> {
        self.plain(name, Sort::PlainName);
        let dialect = typed.dialect.as_ref().map(|sql| match sql.value() {
            Sql::Postgres => Dialect::Postgres,
            Sql::Mysql => Dialect::Mysql,
        });
        let place = self.place(name, typed, dialect, environment)?;
        let password = typed.password.as_ref().map_or(Password::None, |spot| self.password(spot));
        self.login(name, typed, &place, &password);
        Some(domain::Connection {
            name: name.value().clone(),
            user: typed.user.as_ref().map(|user| self.plain(user, Sort::Visible)),
            database: typed.connect_to.as_ref().map(|name| self.plain(name, Sort::Visible)),
            tls: typed.tls.as_ref().map(|tls| *tls.value()),
            ca_file: typed.ca_file.as_ref().map(|file| self.path(file)),
            place,
            password,
            dialect,
        })
    }

    /// The one place that is named.
    fn place(
        &mut self,
        name: &Spot<String>,
        typed: &Connection,
        dialect: Option<Dialect>,
        environment: &Environment,
    ) -> Option<Place> {
        let places = [
            ("database", &typed.database),
            ("host", &typed.host),
            ("url", &typed.url),
            ("cluster_arn", &typed.cluster_arn),
        ];
        let mut given = places.iter().filter_map(|(key, spot)| Some((*key, spot.as_ref()?)));
        let Some((key, spot)) = given.next() else {
            let problem = Problem::error(name.span(), format!("the connection `{}` leads nowhere", name.value()));
            self.problems.push(problem.help("add `database`, `host`, `url` or `cluster_arn`"));
            return None;
        };
        if let Some((other, second)) = given.next() {
            let message = format!("a connection leads to one place, and `{key}` is given, too");
            self.problems.push(Problem::error(second.span(), message).help(format!("remove `{key}` or `{other}`")));
        }
        if let Some(port) = typed.port.as_ref().filter(|_| key != "host") {
            let problem = Problem::error(port.span(), format!("a port goes with `host`, not with `{key}`"));
            self.problems.push(problem.help("remove it"));
        }
        match key {
            "database" => Some(Place::Database(self.plain(spot, Sort::PlainName))),
            "host" => Some(self.host(spot, typed.port.as_ref(), dialect)),
            "url" => self.url(spot),
            _ => Some(Place::DataApi(self.cluster(spot, environment))),
        }
    }

    fn host(&mut self, spot: &Spot<String>, port: Option<&Spot<i64>>, dialect: Option<Dialect>) -> Place {
        let text = self.expanded(spot);
        self.verdict(spot, Sort::Visible.check(&text));
        let number = port.and_then(|port| {
            let number = u16::try_from(*port.value()).ok().filter(|number| *number > 0);
            if number.is_none() {
                let problem = Problem::error(port.span(), format!("{} is not a port", port.value()));
                self.problems.push(problem.help("write a number from 1 to 65535"));
            }
            number
        });
        if let Some(name) = text.strip_prefix("ssm:") {
            return Place::HostParameter { name: name.to_owned(), port: number };
        }
        if text.contains(['/', '@', '?']) || text.matches(':').count() == 1 {
            let problem = Problem::error(spot.span(), "a host is a name or an address, nothing else");
            self.problems.push(problem.help("write the port as `port`, the user as `user`, a URL's place as `url`"));
        }
        if dialect.is_none() && number.and_then(Dialect::of_port).is_none() {
            let problem = Problem::error(spot.span(), "neither the port nor `dialect` says what SQL the server speaks");
            self.problems.push(problem.help("add `dialect = \"postgres\"` or `dialect = \"mysql\"`"));
        }
        Place::Host { host: text, port: number }
    }

    /// Where a URL is found. What stands here may be the URL with its password: it is not repeated.
    fn url(&mut self, spot: &Spot<String>) -> Option<Place> {
        let text = self.expanded(spot);
        self.verdict(spot, Sort::Visible.check(&text));
        let place = match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && !name.contains('=') => Some(Place::UrlVariable(name.to_owned())),
            Some(("file", path)) if path.starts_with('/') && !path.starts_with("//") => {
                Some(Place::UrlFile(PathBuf::from(path)))
            }
            Some(_) | None => None,
        };
        if place.is_none() {
            let problem = Problem::error(spot.span(), "not a place where a URL is found");
            let help = "write \"env:VARIABLE\" or \"file:/path\"; never the URL itself, for it holds the password";
            self.problems.push(problem.help(help));
        }
        place
    }

    /// The ARN of a cluster in the environment's account.
    fn cluster(&mut self, spot: &Spot<String>, environment: &Environment) -> String {
        let arn = self.plain(spot, Sort::Visible);
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "rds", _, account, "cluster", _] = parts.as_slice() else {
            let problem = Problem::error(spot.span(), "not the ARN of an RDS cluster");
            let help = "write it like \"arn:aws:rds:eu-west-1:111122223333:cluster:orders\"";
            self.problems.push(problem.help(help));
            return arn;
        };
        let own = environment.account.as_ref().map(Spot::value);
        if let Some(own) = own.filter(|own| own.as_str() != *account) {
            let message = format!("the cluster is in account {account}, but `{}` is account {own}", self.name);
            self.problems.push(Problem::error(spot.span(), message).help("correct the ARN or the account"));
        }
        arn
    }

    /// Whether somebody can log in with what is given.
    fn login(&mut self, name: &Spot<String>, typed: &Connection, place: &Place, password: &Password) {
        let is_by_url = matches!(place, Place::UrlFile(_) | Place::UrlVariable(_));
        if matches!(place, Place::DataApi(_)) {
            let is_arn = matches!(password, Password::Secret(secret) if secret.starts_with("arn:"));
            if !is_arn {
                let spot = typed.password.as_ref().unwrap_or(name);
                let problem = Problem::error(spot.span(), "the Data API logs in with a secret by its ARN");
                self.problems.push(problem.help("write `password = \"secret:arn:aws:secretsmanager:...\"`"));
            }
            for spot in [
                typed.user.as_ref().map(Spot::span),
                typed.tls.as_ref().map(Spot::span),
                typed.ca_file.as_ref().map(Spot::span),
            ] {
                let Some(span) = spot else { continue };
                let problem = Problem::error(
                    span,
                    "the Data API takes no such thing: the secret names the user, and AWS's own TLS counts",
                );
                self.problems.push(problem.help("remove it"));
            }
            return;
        }
        if typed.user.is_none() && !is_by_url && !matches!(password, Password::Secret(_)) {
            let problem = Problem::error(name.span(), format!("the connection `{}` has no user", name.value()));
            self.problems.push(problem.help("add `user`, or name a secret that has a `username`"));
        }
        if *password == Password::Iam
            && let Some(spot) = typed.tls.as_ref().filter(|tls| *tls.value() != Tls::VerifyFull)
        {
            let problem = Problem::error(spot.span(), "a token goes only to a server that has proven who it is");
            self.problems.push(problem.help("leave `tls` out"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Paint, Source, Why, examine};

    const HEAD: &str = "[environments.dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\n";

    fn read(rest: &str) -> (String, Vec<domain::Connection>) {
        let source = Source { path: "opsctl.toml".into(), why: Why::Flag };
        let (report, bound) = examine(source, format!("{HEAD}{rest}"));
        let connections = bound.first().map(|bound| bound.reach().databases.connections.clone()).unwrap_or_default();
        (report.problems.render(Paint::Plain), connections)
    }

    fn of(place: &str) -> (String, Vec<domain::Connection>) {
        read(&format!("[environments.dev.connections.orders]\n{place}\n"))
    }

    #[test]
    fn places_are_bound_with_names_filled_in() {
        let login = "user = \"relay\"\npassword = \"secret:${env}/orders\"";
        for (place, expected) in [
            ("database = \"orders-${env}\"", Place::Database("orders-dev".to_owned())),
            (
                "host = \"db.${env}.example\"\nport = 3306",
                Place::Host { host: "db.dev.example".to_owned(), port: Some(3306) },
            ),
            ("host = \"db\"\ndialect = \"mysql\"", Place::Host { host: "db".to_owned(), port: None }),
            (
                "host = \"ssm:/${env}/proxy\"\nport = 5432",
                Place::HostParameter { name: "/dev/proxy".to_owned(), port: Some(5432) },
            ),
            ("url = \"env:DATABASE_URL\"", Place::UrlVariable("DATABASE_URL".to_owned())),
            ("url = \"file:/run/secrets/${env}\"", Place::UrlFile(PathBuf::from("/run/secrets/dev"))),
        ] {
            let (problems, connections) = of(&format!("{place}\n{login}"));
            assert_eq!(problems, "", "{place}");
            assert_eq!(connections[0].place, expected);
            assert_eq!(connections[0].password, Password::Secret("dev/orders".to_owned()));
        }
        let (problems, connections) = of(
            "cluster_arn = \"arn:aws:rds:af-south-1:111122223333:cluster:orders\"\npassword = \"secret:arn:aws:secretsmanager:x\"",
        );
        assert_eq!(problems, "");
        assert_eq!(connections[0].words(), "the Data API of arn:aws:rds:af-south-1:111122223333:cluster:orders");
    }

    #[test]
    fn an_environment_s_own_take_the_place_of_the_defaults() {
        let (problems, connections) = read(
            "[environments.dev.connections.orders]\nurl = \"env:ORDERS\"\n[defaults.connections.orders]\nurl = \"env:A\"\n\
             [defaults.connections.wallet]\nurl = \"env:WALLET_${env}\"\n",
        );
        assert_eq!(problems, "");
        let places: Vec<_> =
            connections.iter().map(|connection| (connection.name.as_str(), connection.place.to_string())).collect();
        assert_eq!(
            places,
            [("orders", "the URL in ORDERS".to_owned()), ("wallet", "the URL in WALLET_dev".to_owned())]
        );
    }

    #[test]
    fn what_leads_nowhere_or_gives_a_secret_away_is_refused() {
        let arn = "cluster_arn = \"arn:aws:rds:af-south-1:111122223333:cluster:orders\"";
        for (rest, part) in [
            ("user = \"a\"", "the connection `orders` leads nowhere"),
            ("url = \"env:A\"\nhost = \"b\"", "a connection leads to one place"),
            ("url = \"postgres://a:hunter2@b/c\"", "never the URL itself"),
            ("url = \"file:relative\"", "not a place where a URL is found"),
            ("url = \"env:A\"\npassword = \"hunter2\"", "never the password itself"),
            ("url = \"env:A\"\nport = 5432", "a port goes with `host`"),
            ("host = \"a\"\nuser = \"a\"", "says what SQL the server speaks"),
            ("host = \"a:5432\"\nuser = \"a\"\nport = 5432", "nothing else"),
            ("host = \"a\"\nuser = \"a\"\nport = 70000", "70000 is not a port"),
            ("database = \"a\"", "has no user"),
            ("database = \"a\"\nuser = \"a\"\npassword = \"iam\"\ntls = \"encrypt\"", "has proven who it is"),
            ("database = \"a\"\nuser = \"a\"\nca_file = \"ca.pem\"", "not a path from the root"),
            ("database = \"a\"\nuser = \"a\"\ndialect = \"postgre\"", "did you mean `postgres`"),
            ("databse = \"a\"", "did you mean `database`"),
            (arn, "a secret by its ARN"),
            ("cluster_arn = \"orders\"\npassword = \"secret:arn:x\"", "not the ARN of an RDS cluster"),
            (
                "cluster_arn = \"arn:aws:rds:af-south-1:999999999999:cluster:a\"\npassword = \"secret:arn:x\"",
                "in account 999999999999",
            ),
        ] {
            let (problems, _) = of(rest);
            assert!(problems.contains(part), "{rest}: {problems}");
        }
    }
}
