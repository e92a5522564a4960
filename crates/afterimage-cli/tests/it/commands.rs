//! Every command's exit code and output.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use aws_sdk_dynamodb::types::AttributeValue;
use embedded_dynamodb::Emulator;
use expect_test::expect;
use testkit::dynamodb::UnservedEndpoint;

use testkit::dynamodb::{product_names, product_tables};

use crate::program::{check, command, run, signal};

async fn emulator_with_tables() -> Emulator {
    let emulator = Emulator::in_memory().await.expect("an emulator");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("tables");
    emulator
}

async fn put_album(emulator: &Emulator, artist: &str, album: &str, notes: &str) {
    emulator
        .client()
        .put_item()
        .table_name("afterimage-albums")
        .item("Artist", AttributeValue::S(artist.to_owned()))
        .item("Album", AttributeValue::S(album.to_owned()))
        .item("Notes", AttributeValue::S(notes.to_owned()))
        .send()
        .await
        .expect("written");
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["schema"] as &[&str],
        &["replay"],
        &["replay", "events/stream", "--undelivered", "message.json"],
        &["replay", "--undelivered", "message.json", "--reverse"],
        &["replay", "events/stream", "--stream-arn", "afterimage-albums"],
        &["up", "--endpoint", "http://127.0.0.1:1"],
        &["up", "--in-memory", "--data-dir", "x"],
        &["scan", "nothing"],
        &["scan", "albums", "--output", "xml"],
        &["unknown"],
    ] {
        let run = run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{arguments:?}: {run:?}");
    }
    check(
        "no endpoint",
        &["scan", "albums", "--aws", "--endpoint", "http://127.0.0.1:1"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint and --aws exclude each other
              next: give the one that you mean
        "#]],
    );
    check(
        "no endpoint",
        &["schema", "drop", "derived"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: schema drop asks before it deletes, and there is no terminal to ask at
              next: add --yes
        "#]],
    );
    check(
        "no endpoint",
        &["token", "mira", "--aws"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: token signs in to the local stack only
              next: on AWS, sign in to the Cognito user pool of the deployed template
        "#]],
    );
}

#[test]
fn every_command_has_help_with_examples() {
    for command in [
        "up",
        "replay",
        "schema",
        "seed",
        "scan",
        "conversation",
        "token",
        "parked",
        "verify",
        "status",
        "logs",
    ] {
        let run = run(&[command, "--help"]);
        assert_eq!(run.code, Some(0), "{command}");
        assert!(run.stdout.contains("Examples:"), "{command} shows no examples:\n{}", run.stdout);
    }
}

#[test]
fn an_endpoint_that_nobody_serves_is_named() {
    let nobody = UnservedEndpoint::hold();
    let endpoint = nobody.url();
    for arguments in [
        &["schema", "list"] as &[&str],
        &["scan", "albums"],
        &["replay", "events/stream"],
        &["seed", "albums"],
        &["seed", "messages"],
        &["conversation", "list", "mira"],
    ] {
        let run = run(&[arguments, &["--endpoint", &endpoint]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        let first = format!("error: no DynamoDB answers at {endpoint}\n");
        assert!(run.stderr.starts_with(&first), "{arguments:?}: {}", run.stderr);
        let last = "  next: start it with `cargo run -- up`, or name another with --endpoint\n";
        assert!(run.stderr.ends_with(last), "{arguments:?}: {}", run.stderr);
    }
    let run = run(&["token", "mira", "--http-url", &endpoint]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("no local stack answers at"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_tables_are_created_and_the_others_compared() {
    let emulator = Emulator::in_memory().await.expect("an emulator");
    let endpoint = emulator.endpoint_url();
    check(
        &endpoint,
        &["schema", "load", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            afterimage-albums: created
            afterimage-messages: created
            afterimage-derived: created
        "#]],
    );
    check(
        &endpoint,
        &["schema", "--endpoint", "ENDPOINT", "--output", "json", "load"],
        &expect![[r#"
            exit code 0
            {"differences":[],"name":"afterimage-albums","outcome":"exists","table":"albums"}
            {"differences":[],"name":"afterimage-messages","outcome":"exists","table":"messages"}
            {"differences":[],"name":"afterimage-derived","outcome":"exists","table":"derived"}
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_listed_and_deleted() {
    let emulator = emulator_with_tables().await;
    let endpoint = emulator.endpoint_url();
    check(
        &endpoint,
        &["schema", "drop", "albums", "--yes", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            afterimage-albums: deleted
        "#]],
    );
    check(
        &endpoint,
        &["scan", "albums", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 1
            on standard error:
            error: a table is missing at ENDPOINT
              because: ResourceNotFoundException: Requested resource not found
              next: create the tables with `afterimage schema load`, or give their real names: `name` in the views file, or variables such as DERIVED_TABLE
        "#]],
    );
    let list = run(&["schema", "list", "--endpoint", &endpoint]);
    let columns: Vec<Vec<&str>> =
        list.stdout.lines().map(|line| line.split_whitespace().take(5).collect()).collect();
    assert_eq!(
        columns,
        [
            ["TABLE", "NAME", "STATUS", "ITEMS", "STREAM"],
            ["albums", "afterimage-albums", "missing", "-", "-"],
            ["messages", "afterimage-messages", "ACTIVE", "0", "NEW_IMAGE"],
            ["derived", "afterimage-derived", "ACTIVE", "0", "-"],
        ]
    );
    check(
        &endpoint,
        &["schema", "drop", "--yes", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            afterimage-albums: was not there
            afterimage-messages: deleted
            afterimage-derived: deleted
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_derived_expire_by_expires_at() {
    let emulator = Emulator::in_memory().await.expect("an emulator");
    let loaded = run(&["schema", "load", "--endpoint", &emulator.endpoint_url()]);
    assert_eq!(loaded.code, Some(0), "{}", loaded.stderr);
    let described = emulator
        .client()
        .describe_time_to_live()
        .table_name("afterimage-derived")
        .send()
        .await
        .expect("described");
    let attribute = described.time_to_live_description().and_then(|it| it.attribute_name());
    assert_eq!(attribute, Some("expires_at"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_prints_every_item() {
    let emulator = emulator_with_tables().await;
    put_album(&emulator, "AC/DC", "Back in Black", "two\nlines").await;
    let endpoint = emulator.endpoint_url();
    check(
        &endpoint,
        &["scan", "albums", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            Artist=AC/DC  Album=Back in Black  Notes=two\nlines
        "#]],
    );
    check(
        &endpoint,
        &["scan", "--output", "json", "albums", "--limit", "5", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            {"Album":{"S":"Back in Black"},"Artist":{"S":"AC/DC"},"Notes":{"S":"two\nlines"}}
        "#]],
    );
    put_album(&emulator, "AC/DC", "Highway to Hell", "").await;
    let limited = run(&["scan", "albums", "--limit", "1", "--endpoint", &endpoint]);
    assert_eq!(limited.stdout.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let emulator = emulator_with_tables().await;
    // More than a pipe holds, so that the command is still writing when its reader leaves.
    let notes = "n".repeat(10_000);
    for number in 0..40 {
        put_album(&emulator, "Artist", &number.to_string(), &notes).await;
    }
    let mut process = command(&["scan", "albums", "--endpoint", &emulator.endpoint_url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut reader = BufReader::new(process.stdout.take().expect("its output"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    drop(reader);
    let output = process.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[] as &[u8]));
}

#[test]
fn ctrl_c_ends_a_command_with_130() {
    // A server that takes the connection and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
    let mut process =
        command(&["schema", "list", "--endpoint", &endpoint]).spawn().expect("the command starts");
    let connection = listener.accept().expect("the command connects");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
    drop(connection);
}
