//! Connections that break in the middle: a relay on loopback that cuts the line when it is told to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use opsctl::domain::{Bounds, Connection, Dialect, Place, SqlKind, Statement, Tls, Value};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{
    SET, Server, servers,
    sessions::{open, session},
};

const QUICK: Bounds = Bounds { statement: Duration::from_secs(1), ..Bounds::LOOK };

/// What the relay does with what comes next, where it does not pass it on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Cut before the server gets anything.
    CutGoing = 1,
    /// The server gets it, and its answer is cut.
    CutComing = 2,
    /// Nothing passes, and nothing is cut.
    Silent = 3,
}

#[derive(Clone, Default)]
struct Switch(Arc<AtomicU8>);

impl Switch {
    fn set(&self, line: Line) {
        self.0.store(line as u8, Ordering::SeqCst);
    }

    fn is(&self, line: Line) -> bool {
        self.0.load(Ordering::SeqCst) == line as u8
    }
}

/// The same server over a relay, without TLS: so that the relay sees where a message ends.
async fn over_relay(server: &Server) -> (Connection, Switch) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let switch = Switch::default();
    let (endpoint, told) = (server.endpoint.clone(), switch.clone());
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.expect("the server");
            tokio::spawn(relay(near, far, told.clone()));
        }
    });
    let place = Place::Host { host: "127.0.0.1".to_owned(), port: Some(port) };
    (Connection { place, tls: Some(Tls::Off), ..server.connection() }, switch)
}

async fn relay(mut near: TcpStream, mut far: TcpStream, switch: Switch) {
    let (mut going, mut coming) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = near.read(&mut going) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if switch.is(Line::CutGoing) => return,
                Ok(_) if switch.is(Line::Silent) => {}
                Ok(count) => far.write_all(&going[..count]).await.expect("sent on"),
            },
            read = far.read(&mut coming) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if switch.is(Line::CutComing) => return,
                Ok(_) if switch.is(Line::Silent) => {}
                Ok(count) => near.write_all(&coming[..count]).await.expect("sent on"),
            },
        }
    }
}

async fn table(server: &Server, name: &str) -> String {
    let statements: [Statement; 3] = [
        format!("DROP TABLE IF EXISTS {name}").as_str().into(),
        format!("CREATE TABLE {name} (id int)").as_str().into(),
        format!("INSERT INTO {name} VALUES (1)").as_str().into(),
    ];
    session(server).await.change(&statements, Bounds::LOOK).await.expect("a table");
    name.to_owned()
}

async fn value(server: &Server, table: &str) -> Value {
    let select = format!("SELECT id FROM {table}");
    session(server).await.read(&[select.as_str().into()], Bounds::LOOK).await.expect("rows")[0].rows[0][0].clone()
}

#[tokio::test]
async fn a_line_that_is_cut_before_the_commit_leaves_nothing() {
    let _writable = SET.read().await;
    for server in servers() {
        let table = table(&server, "broken_before").await;
        for cut in [Line::CutGoing, Line::CutComing, Line::Silent] {
            let (connection, switch) = over_relay(&server).await;
            let mut session = open(&connection).await.expect("a session");
            let mut transaction = session.begin(QUICK).await.expect("begun");
            let update = format!("UPDATE {table} SET id = 2");
            transaction.run(&update.as_str().into()).await.expect("changed");
            switch.set(cut);
            assert_eq!(transaction.run(&"SELECT 1".into()).await.expect_err("cut").kind, SqlKind::Lost);
            let refused = transaction.commit().await.expect_err("it can't be");
            assert_ne!(refused.kind, SqlKind::Unknown, "COMMIT was never sent");
            assert_eq!(session.begin(QUICK).await.expect_err("over").kind, SqlKind::Lost);
            assert_eq!(value(&server, &table).await, Value::Integer(1), "{:?}", server.dialect);
        }
    }
}

#[tokio::test]
async fn a_line_that_is_cut_during_the_commit_leaves_the_outcome_unknown_and_both_happen() {
    let _writable = SET.read().await;
    for server in servers() {
        let table = table(&server, "broken_during").await;
        for (cut, stays) in [(Line::CutGoing, 1), (Line::CutComing, 2)] {
            let (connection, switch) = over_relay(&server).await;
            let mut session = open(&connection).await.expect("a session");
            let mut transaction = session.begin(QUICK).await.expect("begun");
            let update = format!("UPDATE {table} SET id = 2");
            transaction.run(&update.as_str().into()).await.expect("changed");
            switch.set(cut);
            assert_eq!(transaction.commit().await.expect_err("cut").kind, SqlKind::Unknown, "{:?}", server.dialect);
            // The server may still be at it.
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!(value(&server, &table).await, Value::Integer(stays), "{:?}", server.dialect);
        }
    }
}

#[tokio::test]
async fn a_server_that_ends_a_session_is_told_as_a_lost_connection() {
    let _writable = SET.read().await;
    for server in servers() {
        let mut victim = session(&server).await;
        let who = if server.dialect == Dialect::Mysql { "SELECT connection_id()" } else { "SELECT pg_backend_pid()" };
        let mut transaction = victim.begin(QUICK).await.expect("begun");
        let rows = transaction.run(&who.into()).await.expect("a number");
        let Value::Integer(number) = rows.rows[0][0] else { panic!("{rows:?}") };
        let kill = match server.dialect {
            Dialect::Mysql => format!("KILL {number}"),
            Dialect::Postgres | Dialect::Sqlite => format!("SELECT pg_terminate_backend({number})"),
        };
        session(&server).await.change(&[kill.as_str().into()], Bounds::LOOK).await.expect("killed");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(transaction.run(&"SELECT 1".into()).await.expect_err("gone").kind, SqlKind::Lost);
    }
}
