//! AWS's own files, as people have them: the real binary on a served world.

use std::{fs, time::Instant};

use super::ground::{DEV, Ended, Ground, REGION};

/// A queue to see, and an environment `dev` that a profile reaches.
struct Files {
    ground: Ground,
}

impl Files {
    /// `config` and `credentials` as they stand in `~/.aws`; `KEYS` stands for keys of the world's account.
    fn new(config: &str, credentials: &str, profile: &str) -> Self {
        let ground = Ground::quick();
        ground.queue("orders", &[]);
        fs::create_dir_all(ground.home.path().join(".aws")).expect("a folder");
        let keys = format!("aws_access_key_id = {DEV}\naws_secret_access_key = s");
        ground.file(".aws/config", &config.replace("KEYS", &keys));
        ground.file(".aws/credentials", &credentials.replace("KEYS", &keys));
        let profile = if profile.is_empty() { String::new() } else { format!("profile = {profile:?}\n") };
        let text = format!(
            "[environments.dev]\nregion = {REGION:?}\naccount = {DEV:?}\nprotection = \"confirm\"\nendpoint = {:?}\n{profile}",
            ground.url()
        );
        ground.file("opsctl.toml", &text);
        Self { ground }
    }

    fn run(&self, line: &str, variables: &[(&str, &str)]) -> Ended {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = self.ground.command(&words);
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().copied());
        self.ground.ended(command.output().expect("started"))
    }

    fn sees(&self, variables: &[(&str, &str)]) {
        let ended = self.run("queues --all", variables).expect(0);
        assert!(ended.out.contains("orders"), "{ended:?}");
    }
}

const BROKEN: &[&str] = &[
    "[profile broken]\nregion = eu-west-1\n  output = json\n",
    "[profile broken]\n  region\n",
    "[profile broken\nregion = eu-west-1\n",
    "[broken]\nregion = eu-west-1\n",
    "[profile broken]\n= nothing\n",
    "[sso-session broken]\nnot a setting\n",
];

#[test]
fn a_mistake_in_one_profile_takes_no_other_down() {
    for broken in BROKEN {
        for profile in ["good", "two words", "ann@example.com", "quoted 'one'"] {
            let good = format!("[profile \"{profile}\"]\nKEYS\nregion = {REGION} # a comment\n");
            Files::new(&format!("{broken}{good}"), "", profile).sees(&[]);
            Files::new(&format!("{good}{broken}"), "", profile).sees(&[]);
        }
    }
    let files = Files::new(BROKEN[0], "[broken]\nKEYS\n", "broken");
    files.sees(&[]);
    let doctor = files.run("doctor", &[]);
    assert!(doctor.out.contains("line 3 of <home>/.aws/config is left out"), "{doctor:?}");
}

#[test]
fn every_way_of_naming_a_profile_leads_to_it() {
    let credentials =
        "[default]\nKEYS\n[wrong]\naws_access_key_id = 222222222222\naws_secret_access_key = s\n[right]\nKEYS\n";
    let files = Files::new("", credentials, "");
    files.sees(&[]);
    files.sees(&[("AWS_PROFILE", "right")]);
    files.sees(&[("AWS_DEFAULT_PROFILE", "right")]);
    files.sees(&[("AWS_DEFAULT_PROFILE", "right"), ("AWS_PROFILE", "wrong")]);
    let missing = files.run("queues", &[("AWS_DEFAULT_PROFILE", "nobody")]);
    assert!(
        missing.err.contains("no profile \"nobody\"") && missing.err.contains("aws configure sso --profile nobody"),
        "{missing:?}"
    );
    // An environment's own profile counts more than whatever the shell has.
    let files = Files::new("", credentials, "right");
    files.sees(&[("AWS_PROFILE", "wrong"), ("AWS_ACCESS_KEY_ID", "222222222222"), ("AWS_SECRET_ACCESS_KEY", "s")]);
}

#[test]
fn a_helper_that_waits_for_a_person_is_waited_for_and_blamed() {
    let answer = format!("echo '{{\"Version\":1,\"AccessKeyId\":\"{DEV}\",\"SecretAccessKey\":\"s\"}}'");
    let files = Files::new(&format!("[profile slow]\ncredential_process = sleep 6; {answer}\n"), "", "slow");
    let begun = Instant::now();
    for (line, said) in [("queues --all", "orders"), ("doctor", "its credential_process sleep")] {
        let ended = files.run(line, &[]);
        assert!(ended.out.contains(said), "{ended:?}");
        assert!(begun.elapsed().as_secs() >= 6, "it was waited for");
        assert!(!ended.err.contains("may have been done"), "{ended:?}");
    }
    let told = files.run("queues --all", &[]);
    assert!(told.err.contains("has not answered after 3.5 s: it may be waiting for a person"), "{told:?}");
    let files = Files::new("[profile bad]\ncredential_process = echo no vault >&2; exit 2\n", "", "bad");
    let failed = files.run("queues", &[]);
    assert!(
        failed.err.contains("the credential_process of profile \"bad\", echo, ended with 2: no vault"),
        "{failed:?}"
    );
    assert!(
        failed.err.contains("`aws sts get-caller-identity --profile bad`")
            && !failed.err.contains("sts:GetCallerIdentity failed"),
        "{failed:?}"
    );
}

/// What each profile is told, beside `aws configure sso`, which is right for one of them.
#[test]
fn each_cause_is_told_with_what_helps_against_it() {
    let config = "[profile empty]\nregion = x\n[profile base]\nKEYS\n\
        [profile mfa]\nrole_arn = arn:aws:iam::111111111111:role/Ops\nsource_profile = base\nmfa_serial = arn:aws:iam::111111111111:mfa/ann\n\
        [profile signed-in]\nlogin_session = arn:aws:iam::111111111111:user/ann\n\
        [profile pod]\nrole_arn = arn:aws:iam::111111111111:role/Pod\nweb_identity_token_file = /nowhere/token\n\
        [profile sso]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Ops\n\
        [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n\
        [profile odd]\nrole_arn = arn:aws:iam::111111111111:role/Ops\ncredential_source = Magic\n\
        [profile half]\naws_access_key_id = A\n";
    for (profile, hint) in [
        ("empty", "aws configure sso --profile empty"),
        (
            "mfa",
            "run `aws sts get-caller-identity --profile mfa`: it asks for the code of arn:aws:iam::111111111111:mfa/ann",
        ),
        ("signed-in", "run `aws login --profile signed-in`"),
        ("pod", "check the path and who may read it"),
        ("sso", "run `aws sso login --profile sso`"),
        ("odd", "correct profile odd in the AWS configuration files"),
        ("half", "correct profile half in the AWS configuration files"),
        ("nobody", "correct `profile` of [environments.dev], or make the profile"),
    ] {
        let files = Files::new(config, "", profile);
        for line in ["queues", "doctor"] {
            let ended = files.run(line, &[]);
            let said = format!("{}{}", ended.out, ended.err);
            assert!(said.contains(hint), "{profile} {line}: {said}");
            assert!(!said.contains("allow sts:") && !said.contains("may have been done"), "{profile}: {said}");
        }
    }
}

#[test]
fn a_role_is_assumed_at_the_environment_s_endpoint_and_doctor_says_so() {
    let role = "arn:aws:iam::111111111111:role/Ops";
    let config = format!(
        "[profile base]\nKEYS\n[profile ops]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = ann\n"
    );
    let files = Files::new(&config, "", "ops");
    files.sees(&[]);
    let doctor = files.run("doctor", &[]);
    assert!(
        doctor.out.contains(&format!("profile base: its keys, then the role {role}, asked at <url>")),
        "{doctor:?}"
    );
    // A session that the AWS CLI got with a code is used, and the code is asked for by nobody here.
    let config = format!("{config}mfa_serial = arn:aws:iam::111111111111:mfa/ann\n");
    let files = Files::new(&config, "", "ops");
    let folder = files.ground.home.path().join(".aws/cli/cache");
    fs::create_dir_all(&folder).expect("a folder");
    let given = format!(
        "{{\"RoleArn\": \"{role}\", \"RoleSessionName\": \"ann\", \"SerialNumber\": \"arn:aws:iam::111111111111:mfa/ann\"}}"
    );
    let name = sha1_of(&given);
    let kept = format!(
        "{{\"Credentials\": {{\"AccessKeyId\": \"{DEV}\", \"SecretAccessKey\": \"s\", \"SessionToken\": \"t\", \"Expiration\": \"2099-01-01T00:00:00Z\"}}}}"
    );
    fs::write(folder.join(format!("{name}.json")), kept).expect("written");
    files.sees(&[]);
}

/// By the tool that every system has: not by the code that is tested.
fn sha1_of(text: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", "printf %s \"$1\" | sha1sum", "sh", text])
        .output()
        .expect("sha1sum is there");
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().expect("a digest").to_owned()
}

#[test]
fn doctor_names_what_it_does_not_heed() {
    let config = format!(
        "[profile dev]\nKEYS\nregion = {REGION}\noutput = json\nendpoint_url = http://localhost:4566\nmax_attempts = 9\n"
    );
    let files = Files::new(&config, "", "dev");
    let doctor = files.run("doctor", &[("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_PAGER", "less")]);
    for said in [
        "AWS_USE_FIPS_ENDPOINT is ignored",
        "endpoint_url of profile dev is ignored",
        "set and ignored: max_attempts of profile dev",
    ] {
        assert!(doctor.out.contains(said), "{said}: {doctor:?}");
    }
    for silent in ["AWS_PAGER", "output of profile", "region of profile"] {
        assert!(!doctor.out.contains(silent), "{silent}: {doctor:?}");
    }
}
