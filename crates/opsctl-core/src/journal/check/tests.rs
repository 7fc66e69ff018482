//! Damage of every kind is found, and no crash is taken for damage.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    clock::Clock,
    domain::{Message, QueueUrl, ReceiptHandle, RunId, SystemAttributes},
    journal::{Did, End, IntentMessage, Journal, Saved, StateFolder},
};

fn state() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn run(number: u32) -> RunId {
    format!("20261121T0300{number:02}-000001").parse().expect("a run")
}

fn create(state: &tempfile::TempDir, number: u32) -> Journal {
    let folder = StateFolder::new(state.path()).create(&run(number)).expect("a folder");
    Journal::create(folder, Clock::system()).expect("a journal")
}

fn check(folder: &RunFolder) -> Result<Verdict, JournalError> {
    verify(folder, &Heads::read(folder.state()).expect("heads"))
}

fn note(text: &str) -> Record {
    Record::Resumed { by: Text::from(text), reason: None, aws_time: None }
}

fn ended() -> Record {
    Record::Ended {
        end: End::Done,
        did: Did::Nothing,
        is_left: false,
        has_snapshot: false,
        report: Box::new(serde_json::json!({})),
    }
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_of_the_last_line_is_found() {
    let state = state();
    let journal = create(&state, 1);
    let folder = journal.folder().clone();
    journal.write(vec![note("one"), note("two")], Vec::new()).await.expect("written");
    journal.close(vec![ended()]).await.expect("closed");
    assert_eq!(check(&folder).expect("good").anchored, Anchor::Whole);
    let whole = std::fs::read(folder.journal()).expect("a journal");
    let start = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    for at in start..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            std::fs::write(folder.journal(), &flipped).expect("written");
            assert!(matches!(check(&folder), Err(JournalError::Broken { .. })), "byte {at}, bit {bit}");
        }
    }
    for length in 0..whole.len() {
        std::fs::write(folder.journal(), &whole[..length]).expect("written");
        assert!(matches!(check(&folder), Err(JournalError::Broken { .. })), "cut to {length} bytes");
        assert!(Journal::reopen(folder.clone(), Clock::system()).is_err(), "taken up although cut to {length} bytes");
    }
    std::fs::write(folder.journal(), &whole).expect("written");
    assert_eq!(check(&folder).expect("good again").anchored, Anchor::Whole);
}

#[tokio::test]
async fn a_run_that_broke_off_is_anchored_when_the_next_one_begins() {
    let state = state();
    let journal = create(&state, 1);
    let folder = journal.folder().clone();
    journal.write(vec![note("one")], Vec::new()).await.expect("written");
    // What a crash leaves: no end, and half a line.
    std::fs::OpenOptions::new()
        .append(true)
        .open(folder.journal())
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"{\"seq\":1,"))
        .expect("written");
    let verdict = check(&folder).expect("no damage");
    assert_eq!((verdict.anchored, verdict.torn), (Anchor::Nothing, true));
    // One that is still at work is left alone.
    create(&state, 2).close(vec![ended()]).await.expect("closed");
    assert_eq!(check(&folder).expect("no damage").anchored, Anchor::Nothing);
    drop(journal);
    while folder.is_busy() {
        tokio::task::yield_now().await;
    }
    create(&state, 3).close(vec![ended()]).await.expect("closed");
    assert_eq!(check(&folder).expect("no damage").anchored, Anchor::Whole);
    // It is taken up, and breaks off once more.
    let (journal, _) = Journal::reopen(folder.clone(), Clock::system()).expect("a journal");
    journal.write(vec![note("two")], Vec::new()).await.expect("written");
    assert_eq!(check(&folder).expect("no damage").anchored, Anchor::Lines(1));
    journal.close(vec![ended()]).await.expect("closed");
    assert_eq!(check(&folder).expect("no damage").anchored, Anchor::Whole);
}

#[tokio::test]
async fn a_crash_in_the_index_is_no_damage_and_a_change_of_it_is() {
    let state = state();
    let first = create(&state, 1);
    let folder = first.folder().clone();
    first.close(vec![ended()]).await.expect("closed");
    let index = state.path().join("heads.jsonl");
    let line = std::fs::read(&index).expect("the index");
    // All lengths that a crash may leave: the run is not anchored, or it is, and nothing is broken.
    for length in 0..=line.len() {
        std::fs::write(&index, &line[..length]).expect("written");
        let anchored = check(&folder).expect("no damage").anchored;
        assert_eq!(anchored, if length == line.len() { Anchor::Whole } else { Anchor::Nothing }, "{length}");
        create(&state, 2 + (length % 50) as u32).close(vec![ended()]).await.expect("closed");
        assert_eq!(Heads::read(state.path()).expect("heads").broken_at, None, "{length}");
        assert_eq!(check(&folder).expect("no damage").anchored, Anchor::Whole, "anchored by the next run: {length}");
        std::fs::remove_dir_all(state.path().join("runs").join(run(2 + (length % 50) as u32).as_str())).expect("gone");
    }
    let text = std::fs::read_to_string(&index).expect("the index");
    std::fs::write(&index, text.replacen("\"seq\":0", "\"seq\":7", 1)).expect("written");
    assert_eq!(Heads::read(state.path()).expect("heads").broken_at, Some(2));
}

/// A run's files in memory: batches announced and written, with crashes in between.
struct Files {
    lines: Vec<Vec<u8>>,
    records: Vec<Record>,
}

/// Whether intents have hashes of lines, as this version writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    This,
    Earlier,
}

fn message(number: usize, receive: usize) -> Message {
    Message {
        id: crate::domain::MessageId(format!("{number:08x}-0000-4000-8000-000000000000")),
        receipt: ReceiptHandle(format!("{number}-{receive}")),
        body: format!("body {number}"),
        attributes: BTreeMap::new(),
        system: SystemAttributes { receive_count: receive as u32, ..SystemAttributes::default() },
    }
}

impl Files {
    /// Tries of a run, each with so many batches; all but the last break off, with the last batch written and not announced.
    fn new(version: Version, tries: &[usize]) -> Self {
        let plan = serde_json::json!({
            "operation": { "operation": "purge" }, "observed": { "from: arn": "arn:aws:sqs:af-south-1:111111111111:orders" },
        });
        let opened = Record::Opened {
            run: run(1),
            version: "0".to_owned(),
            plan: Box::new(plan),
            by: Text::from("tester"),
            how: crate::journal::Consented::Yes,
            reason: None,
            cutoff: jiff::Timestamp::UNIX_EPOCH,
            parent: None,
        };
        let mut files = Self { lines: Vec::new(), records: vec![opened] };
        let (mut batch, mut number) = (0, 0);
        for (index, batches) in tries.iter().enumerate() {
            if index > 0 {
                files.records.push(note("again"));
            }
            for _ in 0..*batches {
                batch += 1;
                files.write(version, batch, number..number + 3, index, true);
                number += 3;
            }
            if index + 1 < tries.len() {
                // The next try uses the number again, for the same messages.
                files.write(version, batch + 1, number..number + 3, index, false);
            }
        }
        files.records.push(ended());
        files
    }

    fn write(
        &mut self,
        version: Version,
        batch: u64,
        numbers: std::ops::Range<usize>,
        receive: usize,
        announced: bool,
    ) {
        let from = QueueUrl::from("https://sqs.af-south-1.amazonaws.com/111111111111/orders");
        let mut messages = Vec::new();
        for message in numbers.map(|number| message(number, receive)) {
            let mut line = Vec::new();
            let hash = Saved::append(&from, batch, &message, &mut line)[..32].to_owned();
            self.lines.push(line);
            messages.push(IntentMessage {
                id: message.id.clone(),
                hash: message.content_hash().0[..32].to_owned(),
                saved: (version == Version::This).then_some(hash),
                deduplication_id: None,
                parked: false,
            });
        }
        if announced {
            self.records.push(Record::Intent { batch, to: None, messages });
        }
    }

    /// What the check says of them.
    async fn damage(self) -> Damage {
        let state = state();
        let journal = create(&state, 1);
        let folder = journal.folder().clone();
        std::fs::write(folder.snapshot(), self.lines.concat()).expect("written");
        journal.close(self.records).await.expect("closed");
        check_snapshot(&folder).expect("a journal").map(|snapshot| snapshot.damage).unwrap_or_default()
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_crash_is_taken_for_damage(tries in prop::collection::vec(0_usize..4, 1..4), earlier: bool) {
        let version = if earlier { Version::Earlier } else { Version::This };
        let damage = now(Files::new(version, &tries).damage());
        prop_assert!(damage.is_none(), "{damage:?}");
    }

    /// One line is lost, changed, doubled, moved or put in, anywhere in what was announced.
    #[test]
    fn every_damage_is_found(at in 0_usize..12, other in 0_usize..12, how in 0_u8..7, earlier: bool) {
        let version = if earlier { Version::Earlier } else { Version::This };
        let mut files = Files::new(version, &[4]);
        prop_assume!(at != other);
        let replace = |line: &[u8], from: &str, to: &str| {
            String::from_utf8(line.to_vec()).expect("text").replacen(from, to, 1).into_bytes()
        };
        match how {
            0 => drop(files.lines.remove(at)),
            1 => files.lines[at] = replace(&files.lines[at], "body ", "BODY "),
            2 => files.lines.insert(other, files.lines[at].clone()),
            3 => files.lines.swap(at, other),
            4 => files.lines.insert(at, replace(&files.lines[at], "-0000-4000-", "-1111-4111-")),
            5 => files.lines[at] = replace(&files.lines[at], "111111111111/orders", "111111111111/others"),
            // Cut in the middle of a line.
            _ => {
                files.lines.truncate(at + 1);
                let half = files.lines[at].len() / 2;
                files.lines[at].truncate(half);
            }
        }
        let damage = now(files.damage());
        prop_assert!(!damage.is_none() && !damage.words().is_empty(), "{how} at {at}");
        match how {
            0 | 6 => prop_assert!(!damage.missing.is_empty()),
            1 | 5 => prop_assert_eq!(damage.changed, vec![at as u64 + 1]),
            2 => prop_assert!(damage.doubled.len() == 1),
            3 => prop_assert!(!damage.moved.is_empty()),
            _ => prop_assert_eq!(damage.foreign, vec![at as u64 + 1]),
        }
    }

    /// What the content's hash does not cover, the line's does.
    #[test]
    fn a_line_is_covered_whole(byte in 0_usize..10_000, bit in 0_u8..7) {
        let mut files = Files::new(Version::This, &[1]);
        let line = &mut files.lines[1];
        let at = byte % (line.len() - 1);
        line[at] ^= 1 << bit;
        prop_assume!(line[at] != b'\n');
        let damage = now(files.damage());
        prop_assert!(!damage.is_none(), "byte {at}, bit {bit}");
    }
}

#[test]
fn a_snapshot_that_is_gone_is_damage() {
    let mut files = Files::new(Version::Earlier, &[2]);
    files.lines.clear();
    assert_eq!(now(files.damage()).missing.len(), 6);
}
