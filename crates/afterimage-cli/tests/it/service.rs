//! An AWS service that gives answers made by hand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::Value;

use crate::program::command;

/// A service that gives its answers one after the other, whatever is asked.
pub struct Service {
    url: String,
    /// Where whoever asks once more shall wait, and not be refused.
    waiting_room: Option<TcpListener>,
    answering: JoinHandle<Vec<Value>>,
}

impl Service {
    /// Each answer is a status and a body; whoever asks once more is refused.
    pub fn start(answers: Vec<(u16, Value)>) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").expect("a port"), answers)
    }

    /// The same, for a client that asks until the test ends it: what it asks after the last answer is
    /// never answered.
    pub fn start_for_follower(answers: Vec<(u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let waiting_room = Some(listener.try_clone().expect("the same port"));
        Self { waiting_room, ..Self::start_on(listener, answers) }
    }

    fn start_on(listener: TcpListener, answers: Vec<(u16, Value)>) -> Self {
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let answering = std::thread::spawn(move || {
            answers.into_iter().map(|(status, body)| answer(&listener, status, &body)).collect()
        });
        Self { url, waiting_room: None, answering }
    }

    /// A command that takes the service for AWS, and asks once.
    pub fn command(&self, arguments: &[&str]) -> Command {
        on_aws(&self.url, arguments)
    }

    /// The bodies of the requests, once the client has ended.
    ///
    /// # Panics
    /// Where an answer was not asked for.
    pub fn requests(self) -> Vec<Value> {
        // Whoever still waits for a request gets one without a body; refused where nobody does.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
        let requests = self.answering.join().expect("a service");
        drop(self.waiting_room);
        requests
    }
}

/// A command that takes what answers at a URL for AWS, and repeats no request. Neither the caller's AWS
/// settings nor a proxy, which AWS itself would be asked through, reach it.
pub fn on_aws(url: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.envs([
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("NO_PROXY", "127.0.0.1"),
    ]);
    command
}

fn answer(listener: &TcpListener, status: u16, body: &Value) -> Value {
    let (mut stream, _) = listener.accept().expect("a connection");
    let request = body_of(&mut stream);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.1\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).expect("sent");
    request
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
