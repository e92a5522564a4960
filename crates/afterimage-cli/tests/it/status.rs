//! `afterimage status`.

use expect_test::expect;
use serde_json::Value;
use test_dynamodb::UnservedEndpoint;

use crate::observed::Observed;
use crate::program::{check, run};
use crate::world::World;

#[test]
fn a_stack_s_views_are_shown_with_lag_outcomes_parked_and_drift() {
    let observed = Observed::start();
    let stack = &observed.stack;
    let own = ["--endpoint", &stack.dynamodb_url, "--output", "json"];
    let verified = run(&[&["verify", "--patience", "0"], &own[..]].concat());
    assert_eq!(verified.code, Some(1), "a broken count has drifted: {}", verified.stderr);
    let drift: Value = serde_json::from_str(&verified.stdout).expect("JSON");
    let drift_count = drift["views"][0]["drift"].as_array().expect("drift").len();
    let shown = run(&[&["status", "--http-url", &stack.http_url], &own[..]].concat());
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["stack"]["drained"], false, "one record fails again and again: {shown}");
    let view = &shown["views"][0];
    assert_eq!(view["view"], "genre-counts");
    assert_eq!(view["parked"], 1, "{view}");
    assert_eq!(view["outcomes"]["applied"], 1, "{view}");
    assert_eq!(view["verified"]["drift"], drift_count, "{view}");
    assert!(view["lag_ms"].as_i64().is_some_and(|lag_ms| lag_ms >= 0), "{view}");
    assert_eq!(shown["views"][1]["view"], "message-groups");
    assert_eq!(shown["views"][1]["lag_ms"], Value::Null);

    let table = run(&["status", "--http-url", &stack.http_url, "--endpoint", &stack.dynamodb_url]);
    let lines: Vec<_> = table.stdout.lines().collect();
    assert!(lines[0].starts_with("not drained: "), "{}", table.stdout);
    assert!(lines[1].starts_with("VIEW "), "{}", table.stdout);
    assert!(lines[2].starts_with("genre-counts ") && lines[2].contains("parked=1"), "{lines:?}");
    assert_eq!(observed.stack.stop("TERM"), Some(0));
}

#[test]
fn a_stack_that_does_not_answer_is_said() {
    let nobody = UnservedEndpoint::hold();
    let url = format!("{}/", nobody.url());
    let run = run(&["status", "--http-url", &url, "--endpoint", &url]);
    assert_eq!(run.code, Some(1));
    let expected = format!("error: no local stack answers at {url}\n");
    assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
    assert!(run.stderr.contains("next: start it with `cargo run -- up`"), "{}", run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_stack_is_said() {
    let world = World::new().await;
    let endpoint = world.endpoint();
    let url = format!("{endpoint}/");
    let run = run(&["status", "--http-url", &url, "--endpoint", &endpoint]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("name the URL of a local stack with --http-url"), "{}", run.stderr);
    check(
        &endpoint,
        &["status", "--aws", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint and --aws exclude each other
              next: give the one that you mean
        "#]],
    );
}

#[test]
fn options_that_mix_two_stacks_are_refused() {
    let url = "http://127.0.0.1:1";
    for (arguments, expected) in [
        (
            &["status", "--endpoint", url] as &[&str],
            expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint alone would show the lag and the outcomes of another stack
              next: give --http-url too: `afterimage up` prints both URLs of a stack
        "#]],
        ),
        (
            &["status", "--http-url", url],
            expect![[r#"
            exit code 2
            on standard error:
            error: --http-url alone would show what is parked on another stack
              next: give --endpoint too: `afterimage up` prints both URLs of a stack
        "#]],
        ),
        (
            &["status", "--http-url", url, "--aws"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --http-url is of a local stack, and --aws is not
              next: give the one that you mean: on AWS the dashboard has lag and outcomes
        "#]],
        ),
        (
            &["token", "mira", "--endpoint", url],
            expect![[r#"
            exit code 2
            on standard error:
            error: token asks the local stack's HTTP API, and no DynamoDB: --endpoint says nothing to it
              next: name the stack with --http-url
        "#]],
        ),
    ] {
        check("no endpoint", arguments, &expected);
    }
}
