//! The local stack, end to end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use dynamodb_client::client_at_endpoint;
use testkit::dynamodb::UnservedEndpoint;

use crate::program::{command, run, signal, to_its_end};

/// A running local stack, killed where a test fails before it is told to end.
pub struct Stack {
    process: Child,
    pub http_url: String,
    pub dynamodb_url: String,
}

impl Stack {
    pub fn start(arguments: &[&str]) -> Self {
        let ports = ["up", "--http-port", "0", "--dynamodb-port", "0"];
        Self::start_by(&mut command(&[&ports, arguments].concat()))
    }

    /// By a command, made ready.
    pub fn start_by(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the command starts");
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

    pub fn get(&self, path: &str) -> String {
        let authority = self.http_url.trim_start_matches("http://");
        ask(&self.http_url, path, &format!("Host: {authority}"))
    }

    pub fn stop(mut self, signal_name: &str) -> Option<i32> {
        signal(&self.process, signal_name);
        self.process.wait().expect("it ends").code()
    }
}

/// The whole answer to a GET with these header lines.
fn ask(url: &str, path: &str, head: &str) -> String {
    let mut stream =
        TcpStream::connect(url.trim_start_matches("http://")).expect("the stack listens");
    let request = format!("GET {path} HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("an answer");
    response
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

/// The ports that a process listens on, by the sockets it holds.
#[cfg(target_os = "linux")]
fn listening_ports(process_id: u32) -> std::collections::BTreeSet<u16> {
    let folder = format!("/proc/{process_id}");
    let sockets: Vec<String> = std::fs::read_dir(format!("{folder}/fd"))
        .expect("its files")
        .filter_map(|file| std::fs::read_link(file.expect("a file").path()).ok())
        .filter_map(|target| {
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let mut ports = std::collections::BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("{folder}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // `0A` is LISTEN (proc_pid_net(5)).
            if fields[3] == "0A" && sockets.iter().any(|inode| inode == fields[9]) {
                let port = fields[1].rsplit(':').next().expect("a port");
                ports.insert(u16::from_str_radix(port, 16).expect("hexadecimal"));
            }
        }
    }
    ports
}

/// A port that is not printed would be one that nobody guards.
#[cfg(target_os = "linux")]
#[test]
fn nothing_listens_but_the_two_ports_that_are_printed() {
    let stack = Stack::start(&["--in-memory"]);
    let list = run(&["schema", "list", "--endpoint", &stack.dynamodb_url]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    assert!(stack.get("/local/status").starts_with("HTTP/1.1 200"));
    let port = |url: &str| url.rsplit(':').next().and_then(|it| it.parse().ok()).expect("a port");
    let printed: std::collections::BTreeSet<u16> =
        [port(&stack.http_url), port(&stack.dynamodb_url)].into_iter().collect();
    // A connection to the emulator is made by a listener that goes at once: one look may meet it, not every one.
    let is_as_printed = (0..1000).any(|_| listening_ports(stack.process.id()) == printed);
    assert!(is_as_printed, "{:?} and not {printed:?}", listening_ports(stack.process.id()));
}

#[test]
fn pages_and_names_are_allowed_by_name() {
    let name = "app.test";
    let stack = Stack::start(&[
        "--in-memory",
        "--no-seed",
        "--allow-host",
        name,
        "--allow-origin",
        "https://a.example",
        "--allow-origin",
        "https://b.example",
    ]);
    for (origin, status) in
        [("https://a.example", "200"), ("https://b.example", "200"), ("https://c.example", "403")]
    {
        let head = format!("Host: {name}\r\nOrigin: {origin}");
        let answer = ask(&stack.http_url, "/healthz", &head);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{origin}: {answer}");
    }
    for arguments in [["--allow-origin", "null"], ["--allow-origin", "*"], ["--allow-host", "a/b"]]
    {
        let refused = run(&["up", arguments[0], arguments[1]]);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains(arguments[0]), "{}", refused.stderr);
    }
}

#[test]
fn no_proxy_is_asked_for_what_is_on_this_machine() {
    let proxy = UnservedEndpoint::hold();
    let behind_proxy = |arguments: &[&str]| {
        let mut command = command(arguments);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, proxy.url()).env(name.to_lowercase(), proxy.url());
        }
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        command
    };
    let up = ["up", "--http-port", "0", "--dynamodb-port", "0", "--in-memory"];
    let stack = Stack::start_by(&mut behind_proxy(&up));
    let scan = ["scan", "albums", "--output", "json", "--endpoint", &stack.dynamodb_url];
    let scanned = to_its_end(&mut behind_proxy(&scan));
    assert!(scanned.stdout.lines().count() > 50, "{}", scanned.stderr);
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
    assert_eq!(second.status.code(), Some(3), "two stacks on one folder");
    assert_eq!(stack.stop("TERM"), Some(0));

    let stack = Stack::start(&arguments);
    let after = run(&["scan", "albums", "--output", "json", "--endpoint", &stack.dynamodb_url]);
    assert_eq!(before.stdout, after.stdout);
    assert_eq!(stack.stop("INT"), Some(0));
}

/// The album of a number, of one of seven genres.
fn genre(number: u32) -> String {
    format!("Genre {}", number % 7)
}

/// A client for a stack's DynamoDB.
pub fn client(url: &str) -> Client {
    client_at_endpoint(url, embedded_dynamodb::TIMEOUTS)
}

/// Puts albums until one is not acknowledged, and tells of each that was.
async fn put_albums(url: String, numbers: Range<u32>, acknowledged: mpsc::Sender<u32>) {
    let client = client(&url);
    for number in numbers {
        let put = client
            .put_item()
            .table_name("afterimage-albums")
            .item("Artist", AttributeValue::S("Artist".to_owned()))
            .item("Album", AttributeValue::S(format!("Album {number}")))
            .item("Genre", AttributeValue::S(genre(number)))
            .send();
        if put.await.is_err() || acknowledged.send(number).is_err() {
            return;
        }
    }
}

#[test]
fn counts_are_exact_after_a_kill() {
    const ALBUMS: u32 = 700;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data");
    let arguments = ["--data-dir", path.to_str().expect("UTF-8"), "--no-seed"];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");

    let stack = Stack::start(&arguments);
    let (sender, receiver) = mpsc::channel();
    let writer = runtime.spawn(put_albums(stack.dynamodb_url.clone(), 0..ALBUMS, sender));
    let before = receiver.iter().take(300).count();
    assert_eq!(before, 300, "the stack takes albums");
    assert_eq!(stack.stop("KILL"), None, "it ends by the signal");
    runtime.block_on(writer).expect("the writer ends");
    let acknowledged = receiver.iter().last().map_or(300, |last| last + 1);
    assert!(acknowledged < ALBUMS, "killed while albums were written");

    let stack = Stack::start(&arguments);
    let (sender, receiver) = mpsc::channel();
    runtime.block_on(put_albums(stack.dynamodb_url.clone(), acknowledged..ALBUMS, sender));
    assert_eq!(receiver.iter().last(), Some(ALBUMS - 1));
    let is_drained = || stack.get("/local/status").contains("\"drained\":true");
    assert!((0..20_000).any(|_| is_drained()), "{}", stack.get("/local/status"));
    let scan = run(&["scan", "albums", "--output", "json", "--endpoint", &stack.dynamodb_url]);
    assert_eq!(scan.stdout.lines().count(), ALBUMS as usize, "nothing acknowledged is lost");
    let answer = stack.get("/api/genres");
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    let found: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let found = found["genres"].as_array().expect("a list");
    assert_eq!(found.len(), 7, "{body}");
    for entry in found {
        let of_genre = |number: &u32| entry["genre"] == genre(*number).as_str();
        let expected = (0..ALBUMS).filter(of_genre).count();
        assert_eq!(entry["count"], expected, "{body}");
    }
    assert_eq!(stack.stop("INT"), Some(0));
}
