//! `afterimage logs`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
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
    assert!(of(&["--since", "0s"]).is_empty());
    let all = run(&["logs", "--since", "10m", "--data-dir", observed.data_dir()]);
    assert!(
        all.stdout.contains("batch processed  FunctionName=StreamProcessor  cold_start=true"),
        "{}",
        all.stdout
    );
    assert!(!all.stdout.contains("outcome counted"), "{}", all.stdout);
    assert_eq!(observed.stack.stop("TERM"), Some(0));
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
        &["logs", "--aws"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: no log group is named
              next: give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup
        "#]],
    );
}

/// Reads a request, and gives its body.
fn body_of(stream: &mut TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut byte_count = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.to_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            byte_count = length.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; byte_count];
    reader.read_exact(&mut body).expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

/// Runs `logs --aws` against a service that gives these answers, one for each request; the requests.
fn with_service(answers: Vec<(u16, Value)>) -> (crate::program::Run, Vec<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let service = std::thread::spawn(move || {
        let answer = |(status, answer): (u16, Value)| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let request = body_of(&mut stream);
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.1\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + &answer).as_bytes()).expect("sent");
            request
        };
        answers.into_iter().map(answer).collect()
    });
    let mut command = command(&["logs", "--aws", "--log-group", "group", "--outcome", "parked"]);
    let settings = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ];
    let output = command.envs(settings).output().expect("the command runs");
    let run = crate::program::Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    (run, service.join().expect("a service"))
}

#[test]
fn cloudwatch_is_read_page_by_page() {
    let event =
        |id: &str, message: &Value| json!({ "eventId": id, "message": message.to_string() });
    let parked = |number: &str| {
        json!({
            "level": "WARN",
            "fields": { "message": "record parked", "view": "a", "sequence_number": number },
        })
    };
    let other = json!({ "message": "batch processed", "outcomes": { "a": { "applied": 1 } } });
    let (run, requests) = with_service(vec![
        (
            200,
            json!({ "events": [event("1", &parked("7")), event("2", &other)], "nextToken": "t" }),
        ),
        (200, json!({ "events": [event("3", &parked("8"))] })),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    expect![[r#"
        -  WARN   record parked  sequence_number=7  view=a
        -  WARN   record parked  sequence_number=8  view=a
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(requests[0]["logGroupName"], "group");
    assert!(requests[0]["startTime"].as_i64().is_some_and(|it| it > 1_700_000_000_000));
    assert_eq!(requests[1]["nextToken"], "t");
}

#[test]
fn a_log_group_that_is_not_there_is_said() {
    let refusal = json!({ "__type": "ResourceNotFoundException", "message": "none" });
    let (run, _) = with_service(vec![(400, refusal)]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: there is no log group group\n"), "{}", run.stderr);
}
