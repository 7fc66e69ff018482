//! Memory of the redriving process, which must not grow with the number of messages.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Bound, Measure,
    redrive::{fill, queues},
    server::{ACCOUNT, Ground, REGION, folder, memory_megabytes, runtime},
};

const FEW: usize = 20_000;
const MANY: usize = 200_000;
/// By how much the peak may differ: what is remembered of messages is bounded, and fills up within this.
const DIFFERENCE_MEGABYTES_MAX: f64 = 16.0;

/// Peaks of `opsctl redrive` with few and with many messages, against a server in another process.
pub(crate) fn redrive() -> Vec<Measure> {
    let (few, many) = (peak_megabytes(FEW), peak_megabytes(MANY));
    let peak = |name, value, messages| Measure {
        name,
        what: format!("peak resident of `opsctl redrive`, {messages} messages"),
        value,
        unit: "MB",
        bound: Bound::None,
    };
    vec![
        peak("redrive-peak-few", few, FEW),
        peak("redrive-peak-many", many, MANY),
        Measure {
            name: "redrive-peak-grows",
            what: "by how much more, for ten times as many messages".to_owned(),
            value: many - few,
            unit: "MB",
            bound: Bound::AtMost(DIFFERENCE_MEGABYTES_MAX),
        },
    ]
}

fn peak_megabytes(messages: usize) -> f64 {
    let ground = runtime().block_on(async {
        let ground = Ground::served(0);
        let (_, dead_letters) = queues(&ground).await;
        fill(&ground.cloud().await, &dead_letters, messages).await;
        ground
    });
    let server = ground.server.as_ref().expect("it is served");
    let home = folder();
    let config = home.path().join("opsctl.toml");
    let credentials = home.path().join("credentials");
    let text = format!(
        "[environments.dev]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\nprofile = \"bench\"\nprotection = \"confirm\"\n\
         endpoint = \"{}\"\n",
        server.url
    );
    fs::write(&config, text).expect("written");
    fs::write(&credentials, format!("[bench]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = sandbox\n"))
        .expect("written");
    let mut process = Command::new(env!("CARGO_BIN_EXE_opsctl"))
        .args(["redrive", "--queue", "bench-dlq", "--env", "dev", "--engine", "client", "--yes", "--config"])
        .arg(&config)
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_SHARED_CREDENTIALS_FILE", &credentials)
        .env("AWS_CONFIG_FILE", home.path().join("none"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("opsctl starts");
    let mut peak: f64 = 0.0;
    while process.try_wait().expect("a child").is_none() {
        peak = memory_megabytes(process.id(), "VmHWM:").map_or(peak, |megabytes| peak.max(megabytes));
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = process.wait_with_output().expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    peak
}
