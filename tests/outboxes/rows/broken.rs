//! Lines that are cut while a change of rows commits.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use opsctl::{
    domain::{Dialect, Place, Tls},
    operations::Operation,
    run::End,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{
    desk::{Desk, park, replay},
    relay::Relay,
    whole::drained,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server never gets the COMMIT.
    Before,
    /// It commits, and nobody hears of it.
    After,
}

/// Leads to the server without TLS, and cuts the line at every so many COMMITs.
async fn over_wire(desk: &mut Desk, cut: Cut, every: u32) {
    let connection = &mut desk.stage.environment.databases.connections[0];
    let Place::Host { host, port } = connection.place.clone() else { panic!("a host") };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let near_port = listener.local_addr().expect("bound").port();
    let commits = Arc::new(AtomicU32::new(0));
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect((host.as_str(), port.expect("a port"))).await.expect("the server");
            tokio::spawn(carry(near, far, cut, every, Arc::clone(&commits)));
        }
    });
    connection.place = Place::Host { host: "127.0.0.1".to_owned(), port: Some(near_port) };
    connection.tls = Some(Tls::Off);
}

/// Not of `READ COMMITTED`.
fn is_commit(sent: &[u8]) -> bool {
    let mut places = sent.windows(6).enumerate().filter(|(_, word)| *word == b"COMMIT");
    places.any(|(place, _)| sent.get(place + 6) != Some(&b'T'))
}

async fn carry(mut near: TcpStream, mut far: TcpStream, cut: Cut, every: u32, commits: Arc<AtomicU32>) {
    let (mut going, mut coming) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_cut = false;
    loop {
        tokio::select! {
            read = near.read(&mut going) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let commits_now = is_commit(&going[..count]);
                    if commits_now && (commits.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every) {
                        if cut == Cut::Before {
                            return;
                        }
                        is_cut = true;
                    }
                    far.write_all(&going[..count]).await.expect("sent on");
                }
            },
            read = far.read(&mut coming) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if is_cut => return,
                Ok(count) => near.write_all(&coming[..count]).await.expect("sent on"),
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_looked_at_and_no_row_is_sent_twice() {
    for cut in [Cut::Before, Cut::After] {
        for mut desk in Desk::all().await {
            let dialect = desk.schema.dialect();
            desk.fill("FAILED", 2_000, 7, 0).await;
            over_wire(&mut desk, cut, 3).await;
            let relay = Relay::start(&desk);
            let report = desk.run(&Operation::Replay(replay())).await;
            let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("text");
            let settled = if cut == Cut::Before { "\"undone\"" } else { "rows-intent" };
            assert!(journal.contains(settled), "{dialect:?}, {cut:?}: a line was cut");
            let rows = report.details.rows().expect("rows").clone();
            assert_eq!((rows.done + rows.in_doubt, rows.left), (2_000, 0), "{dialect:?}, {cut:?}: {report:#?}");
            if dialect == Dialect::Postgres || cut == Cut::Before {
                // PostgreSQL says how a transaction ended; rows that are as before prove that one did not.
                assert_eq!((report.end, rows.in_doubt), (End::Done, 0), "{dialect:?}, {cut:?}: {report:#?}");
            }
            drained(&mut desk).await;
            relay.stop().await;
            assert_eq!(desk.in_state("SENT").await, 2_000, "{dialect:?}, {cut:?}");
            assert_eq!(desk.number("SELECT count(*) FROM sent").await, 2_000, "{dialect:?}, {cut:?}: none twice");
            desk.schema.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_finds_out_how_the_last_batch_ended() {
    for cut in [Cut::Before, Cut::After] {
        for mut desk in Desk::all().await {
            let dialect = desk.schema.dialect();
            desk.fill("FAILED", 500, 7, 0).await;
            let direct = desk.stage.environment.databases.connections.clone();
            // From the third COMMIT on the server is out of reach for good.
            over_wire(&mut desk, cut, 3).await;
            let run = desk.interrupted(&Operation::Replay(replay())).await;
            desk.stage.environment.databases.connections = direct;
            let relay = Relay::start(&desk);
            let report = desk.resume().await;
            assert_eq!(report.run, run);
            let rows = report.details.rows().expect("rows").clone();
            assert_eq!((rows.done + rows.in_doubt, rows.left), (500, 0), "{dialect:?}, {cut:?}: {report:#?}");
            drained(&mut desk).await;
            relay.stop().await;
            assert_eq!(desk.number("SELECT count(*) FROM sent").await, 500, "{dialect:?}, {cut:?}: none twice");
            assert_eq!(desk.in_state("SENT").await, 500, "{dialect:?}, {cut:?}: none lost");
            desk.schema.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_leaves_each_row_in_one_place() {
    for cut in [Cut::Before, Cut::After] {
        for mut desk in Desk::all().await {
            let dialect = desk.schema.dialect();
            desk.fill("FAILED", 2_000, 7, 0).await;
            over_wire(&mut desk, cut, 3).await;
            let report = desk.run(&Operation::Park(park())).await;
            let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("text");
            let settled = if cut == Cut::Before { "\"undone\"" } else { "rows-intent" };
            assert!(journal.contains(settled), "{dialect:?}, {cut:?}: a line was cut");
            let rows = report.details.rows().expect("rows").clone();
            let figures = (report.end, rows.done, rows.in_doubt, rows.left);
            assert_eq!(figures, (End::Done, 2_000, 0, 0), "{dialect:?}, {cut:?}: {report:#?}");
            let parked = "SELECT count(DISTINCT number) FROM outbox_transfers_opsctl_parked";
            assert_eq!(desk.number(parked).await, 2_000, "{dialect:?}, {cut:?}: none lost");
            assert_eq!(desk.number("SELECT count(*) FROM outbox_transfers").await, 0, "{dialect:?}, {cut:?}");
            desk.schema.end().await;
        }
    }
}
