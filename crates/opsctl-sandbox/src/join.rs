//! How programs find a sandbox that `opsctl sandbox serve` runs: a state file, and a question whether it still answers.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use etcetera::BaseStrategy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    wire::{DRILL_PATH, ENDPOINT_PATH, STATUS_PATH},
    world::fleet,
};
use crate::{
    clock::Clock,
    domain::{Ask, Environment, Told, Unanswered},
};

/// How long a running sandbox may take to answer.
const DEADLINE: Duration = Duration::from_millis(500);
const ANSWER_BYTES_MAX: u64 = 8 * 1_048_576;

/// What the state file says about a running sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// `http://127.0.0.1:4100`.
    pub url: String,
    pub pid: u32,
    pub seed: u64,
    /// How many times as fast as real time its clock runs.
    pub speed: f64,
}

#[derive(Debug, Clone)]
pub struct Joined {
    /// `http://127.0.0.1:4100`.
    pub endpoint: String,
    pub pid: u32,
    pub seed: u64,
    /// How many times as fast as real time its clock runs.
    pub speed: f64,
    /// A clock that goes with the sandbox's.
    pub clock: Clock,
}

#[derive(Deserialize)]
struct Status {
    now: Timestamp,
    speed: f64,
    seed: u64,
}

/// The running sandbox; `None` where there is none that answers within half a second. Blocks that long at most.
pub fn running() -> Option<Joined> {
    running_at(&state_file().ok()?)
}

/// The sandbox that `state_file` tells of, if it answers.
pub fn running_at(state_file: &Path) -> Option<Joined> {
    let state: State = serde_json::from_slice(&fs::read(state_file).ok()?).ok()?;
    let status = ask(&state.url).ok()?;
    let clock = Clock::virtual_from(status.now, if status.speed > 0.0 { status.speed } else { return None });
    Some(Joined { endpoint: state.url, pid: state.pid, seed: status.seed, speed: status.speed, clock })
}

/// The fleet's environments, reached at a running sandbox.
pub fn environments(joined: &Joined) -> Vec<Environment> {
    let reached = |environment| Environment { endpoint: Some(joined.endpoint.clone()), ..environment };
    fleet::environments().into_iter().map(reached).collect()
}

/// Where the state file lies: `opsctl/sandbox.json` in `$XDG_RUNTIME_DIR`, else in the user's state folder.
///
/// # Errors
/// No home folder.
pub fn state_file() -> io::Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(io::Error::other)?;
    let folder = base.runtime_dir().or_else(|| base.state_dir()).unwrap_or_else(|| base.data_dir());
    Ok(folder.join("opsctl").join("sandbox.json"))
}

/// A state file that goes when this value does.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    state: State,
}

impl StateFile {
    /// Writes the state file, readable by its owner only. One that another sandbox left is replaced: the newest is joined.
    ///
    /// # Errors
    /// The folder or file cannot be written.
    pub fn write(path: &Path, state: State) -> io::Result<Self> {
        let folder = path.parent().ok_or_else(|| io::Error::other("the state file needs a folder"))?;
        fs::create_dir_all(folder)?;
        let new = folder.join(format!("sandbox.json.{}", state.pid));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&state)?)?;
        fs::rename(&new, path)?;
        Ok(Self { path: path.to_owned(), state })
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        let there = fs::read(&self.path).ok().and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok());
        if there.as_ref() == Some(&self.state) {
            // Nothing depends on it: whoever reads it asks whether the sandbox answers.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Asks a sandbox what it is. A plain request of our own: no client is up yet when this is asked.
fn ask(url: &str) -> io::Result<Status> {
    Ok(serde_json::from_str(&request(url, &format!("GET {STATUS_PATH}"), "", DEADLINE)?)?)
}

pub(super) fn ask_endpoint(url: &str, ask: &Ask, deadline: Duration) -> io::Result<Result<Told, Unanswered>> {
    let body = serde_json::to_string(ask)?;
    Ok(serde_json::from_str(&request(url, &format!("POST {ENDPOINT_PATH}"), &body, deadline)?)?)
}

/// Asks whoever leads the drill of a joined sandbox: a document for a document. Blocks half a second at most for each step.
///
/// # Errors
/// Nothing answers there, or no drill is played.
pub fn ask_leader(joined: &Joined, document: &str) -> io::Result<String> {
    request(&joined.endpoint, &format!("POST {DRILL_PATH}"), document, DEADLINE)
}

/// The answer to a request, method and path. Blocks as long as `deadline` at most for each step.
fn request(url: &str, what: &str, body: &str, deadline: Duration) -> io::Result<String> {
    let authority = url.strip_prefix("http://").ok_or_else(|| io::Error::other("no http URL"))?;
    let address: SocketAddr = authority.parse().map_err(io::Error::other)?;
    if !address.ip().is_loopback() {
        return Err(io::Error::other("a sandbox runs on loopback only"));
    }
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(deadline))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let length = body.len();
    let head = format!("{what} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("no HTTP answer"))?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other("no sandbox answers there"));
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_is_private_and_goes_with_its_sandbox() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("opsctl/sandbox.json");
        let state = State { url: "http://127.0.0.1:1".to_owned(), pid: 1, seed: 7, speed: 1.0 };
        let first = StateFile::write(&path, state.clone()).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let second = StateFile::write(&path, State { pid: 2, ..state }).expect("written");
        drop(first);
        assert!(path.exists(), "the second's file is not the first's to remove");
        assert!(running_at(&path).is_none(), "nobody answers on port 1");
        drop(second);
        assert!(!path.exists());
    }
}
