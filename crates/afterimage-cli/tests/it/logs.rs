//! `afterimage logs`.

mod cloud;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use expect_test::expect;
use serde_json::{Value, json};

use crate::observed::Observed;
use crate::program::{check, command, run, signal};

/// The messages of the events that a run printed.
#[track_caller]
fn messages(arguments: &[&str]) -> Vec<String> {
    let run = run(&[&["logs", "--output", "json"], arguments].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let events = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let message = |event: Value| {
        let nested = event["fields"]["message"].as_str();
        event["message"].as_str().or(nested).expect("a message").to_owned()
    };
    events.map(message).collect()
}

#[test]
fn the_stack_s_log_is_printed_by_view_and_outcome() {
    let observed = Observed::start();
    let of =
        |arguments: &[&str]| messages(&[&["--data-dir", observed.data_dir()], arguments].concat());
    let parked = of(&["--view", "genre-counts", "--outcome", "parked"]);
    assert!(parked.contains(&"record parked".to_owned()), "{parked:?}");
    assert!(parked.contains(&"batch processed".to_owned()), "{parked:?}");
    assert!(!parked.iter().any(|it| it.starts_with("record failed")), "{parked:?}");
    let failed = of(&["--outcome", "failed"]);
    assert!(failed.iter().any(|it| it.starts_with("record failed")), "{failed:?}");
    assert!(of(&["--view", "message-groups"]).is_empty());
    let all = run(&["logs", "--since", "10m", "--data-dir", observed.data_dir()]);
    assert!(
        all.stdout.contains("batch processed  FunctionName=StreamProcessor  cold_start=true"),
        "{}",
        all.stdout
    );
    assert!(!all.stdout.contains("outcome counted"), "{}", all.stdout);
    assert_eq!(observed.stack.stop("TERM"), Some(0));
}

/// A data folder whose log holds this text.
fn with_log(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("logs")).expect("a folder");
    std::fs::write(folder.path().join("logs/functions.jsonl"), text).expect("written");
    folder
}

#[test]
fn what_is_older_is_left_out() {
    let line = |at: &str, message: &str| json!({ "timestamp": at, "message": message }).to_string();
    let lines = [
        line("2020-01-01T00:00:00Z", "old"),
        line("2100-01-01T00:00:00Z", "new"),
        line("sometime", "undated"),
    ];
    let folder = with_log(&(lines.join("\n") + "\n"));
    let data_dir = folder.path().to_str().expect("UTF-8");
    assert_eq!(messages(&["--data-dir", data_dir, "--since", "1d"]), ["new", "undated"]);
}

#[test]
fn the_file_that_was_set_aside_comes_first() {
    let folder = with_log("new\n");
    std::fs::write(folder.path().join("logs/functions.1.jsonl"), "old\n").expect("written");
    let data_dir = folder.path().to_str().expect("UTF-8");
    assert_eq!(messages(&["--data-dir", data_dir]), ["old", "new"]);
}

#[test]
fn the_log_is_followed_until_ctrl_c() {
    let observed = Observed::start();
    let arguments = [
        "logs",
        "--follow",
        "--data-dir",
        observed.data_dir(),
        "--since",
        "1m",
        "--output",
        "json",
    ];
    let mut process = command(&arguments).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    observed.put_message("hello");
    let is_wanted = |line: &String| line.contains("message-groups");
    let found = lines.by_ref().map(|line| line.expect("a line")).find(is_wanted);
    let found: Value = serde_json::from_str(&found.expect("an event")).expect("JSON");
    assert_eq!(found["message"], "batch processed");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_log_that_is_not_there_yet_is_waited_for_and_that_is_said_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().to_str().expect("UTF-8");
    let mut process = command(&["logs", "--follow", "--data-dir", data_dir])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(process.stderr.take().expect("its errors"));
    let mut text = String::new();
    said.read_line(&mut text).expect("a line");
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).expect("a folder");
    std::fs::write(logs.join("functions.jsonl"), "hello\n").expect("written");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("it");
    assert!(line.ends_with("hello\n"), "{line}");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
    said.read_to_string(&mut text).expect("UTF-8");
    expect![[r#"
        error: there is no log at FOLDER/logs/functions.jsonl yet: waiting for it
          next: start a stack with `afterimage up`, or name its --data-dir: one in memory keeps no log
    "#]]
    .assert_eq(&text.replace(data_dir, "FOLDER"));
}

#[test]
fn a_log_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("logs/functions.jsonl")).expect("a folder");
    let data_dir = folder.path().to_str().expect("UTF-8");
    check(
        data_dir,
        &["logs", "--data-dir", data_dir],
        &expect![[r#"
            exit code 1
            on standard error:
            error: the log ENDPOINT/logs/functions.jsonl cannot be read
              because: Is a directory (os error 21)
              next: make it a file that you may read, or name another --data-dir
        "#]],
    );
}

#[test]
fn help_lists_no_option_that_is_refused() {
    for (command, refused) in
        [("logs", &["--endpoint"] as &[&str]), ("token", &["--endpoint", "--aws"])]
    {
        let help = run(&[command, "--help"]).stdout;
        assert!(help.contains("--output"), "{help}");
        for option in refused {
            assert!(
                !help.contains(&format!("{option} ")) && !help.contains(&format!("{option}\n")),
                "{help}"
            );
        }
    }
    assert!(run(&["logs", "--help"]).stdout.contains("--aws\n"));
}

#[test]
fn a_log_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let run = run(&["logs", "--data-dir", path]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: there is no log at "), "{}", run.stderr);
    assert!(run.stderr.contains("\n  next: start a stack with `afterimage up`"), "{}", run.stderr);
    check(
        "no endpoint",
        &["logs", "--since", "10"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: invalid value '10' for '--since <TIME>': give a number and one of s, m, h and d, such as 10m

            For more information, try '--help'.
        "#]],
    );
    check(
        "no endpoint",
        &["logs", "--since", "99999999d"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: there is no time that long ago
              next: give a shorter --since, such as 10m
        "#]],
    );
    check(
        "no endpoint",
        &["logs", "--aws"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: no log group is named
              next: give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup
        "#]],
    );
}

#[test]
fn options_of_another_place_are_refused() {
    for (arguments, expected) in [
        (
            &["--endpoint", "http://127.0.0.1:1"] as &[&str],
            expect![[r#"
            exit code 2
            on standard error:
            error: logs reads a file or CloudWatch Logs, and no DynamoDB: --endpoint says nothing to it
              next: name the local stack's --data-dir, or give --aws
        "#]],
        ),
        (
            &["--endpoint", "http://127.0.0.1:1", "--aws"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint and --aws exclude each other
              next: give the one that you mean
        "#]],
        ),
        (
            &["--data-dir", "other", "--aws", "--log-group", "group"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --data-dir is of a local stack, and --aws is not
              next: give --log-group with --aws, or --data-dir alone
        "#]],
        ),
        (
            &["--log-group", "group"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --log-group is on AWS
              next: give --aws with it, or --data-dir for a local stack
        "#]],
        ),
    ] {
        check("no endpoint", &[&["logs"], arguments].concat(), &expected);
    }
}
