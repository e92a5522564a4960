//! The local stack, end to end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::program::{command, run, signal};

/// A running local stack, killed where a test fails before it is told to end.
struct Stack {
    process: Child,
    http_url: String,
    dynamodb_url: String,
}

impl Stack {
    fn start(arguments: &[&str]) -> Self {
        let ports = ["up", "--http-port", "0", "--dynamodb-port", "0"];
        let mut process = command(&[&ports, arguments].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let reader = BufReader::new(process.stdout.take().expect("its output"));
        let ready = reader
            .lines()
            .map(|line| line.expect("a line"))
            .find(|line| line.starts_with("ready"))
            .expect("a line that begins with ready");
        let mut urls = ready.split_whitespace().filter(|word| word.starts_with("http://"));
        let http_url = urls.next().expect("the HTTP URL").to_owned();
        let dynamodb_url = urls.next().expect("the DynamoDB URL").to_owned();
        Self { process, http_url, dynamodb_url }
    }

    fn get(&self, path: &str) -> String {
        let authority = self.http_url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(authority).expect("the stack listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("an answer");
        response
    }

    fn stop(mut self, signal_name: &str) -> Option<i32> {
        signal(&self.process, signal_name);
        self.process.wait().expect("it ends").code()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // It has ended already where the test passed.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn the_stack_runs_in_memory_until_ctrl_c() {
    let stack = Stack::start(&["--in-memory", "--no-seed"]);
    assert!(stack.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(stack.get("/api/genres").ends_with("{\"genres\":[]}"));
    let list = run(&["schema", "list", "--endpoint", &stack.dynamodb_url]);
    assert_eq!(list.stdout.matches("ACTIVE").count(), 3, "{}{}", list.stdout, list.stderr);
    let token = run(&["token", "mira", "--http-url", &stack.http_url]);
    assert_eq!(token.code, Some(0), "{}", token.stderr);
    assert_eq!(token.stdout.trim().split('.').count(), 3, "a JWT has three parts");
    assert_eq!(stack.stop("INT"), Some(0));
}

#[test]
fn data_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data");
    let arguments = ["--data-dir", path.to_str().expect("UTF-8")];
    let stack = Stack::start(&arguments);
    let before = run(&["scan", "albums", "--output", "json", "--endpoint", &stack.dynamodb_url]);
    assert!(before.stdout.lines().count() > 50, "the first start seeds albums");
    let second = command(&["up", "--http-port", "0", "--dynamodb-port", "0"])
        .args(arguments)
        .output()
        .expect("the command runs");
    assert_ne!(second.status.code(), Some(0), "two stacks on one folder");
    assert_eq!(stack.stop("TERM"), Some(0));

    let stack = Stack::start(&arguments);
    let after = run(&["scan", "albums", "--output", "json", "--endpoint", &stack.dynamodb_url]);
    assert_eq!(before.stdout, after.stdout);
    assert_eq!(stack.stop("INT"), Some(0));
}
