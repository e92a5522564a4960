//! A plain HTTP client for a server on loopback.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// One request on a connection of its own.
pub async fn send(url: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let address = url.strip_prefix("http://").expect("an http URL");
    let mut head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    send_bytes(url, &[head.as_bytes(), body].concat()).await
}

/// These bytes on a connection of their own.
pub async fn send_bytes(url: &str, request: &[u8]) -> Answer {
    exchange(url, request, false).await
}

/// These bytes, and the end of what the client sends.
pub async fn send_cut_off(url: &str, request: &[u8]) -> Answer {
    exchange(url, request, true).await
}

async fn exchange(url: &str, request: &[u8], cut_off: bool) -> Answer {
    let address = url.strip_prefix("http://").expect("an http URL");
    let (mut reading, mut writing) =
        TcpStream::connect(address).await.expect("connected").into_split();
    let sent = async {
        // A server that refuses a long body may close before it has read all of it.
        writing.write_all(request).await.ok();
        if cut_off {
            writing.shutdown().await.ok();
        }
    };
    let mut answer = Vec::new();
    let read = async { reading.read_to_end(&mut answer).await.ok() };
    tokio::join!(sent, read);
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

pub async fn get(url: &str, path: &str) -> Answer {
    send(url, &format!("GET {path}"), &[], b"").await
}

pub async fn post(url: &str, path: &str, body: &Value) -> Answer {
    let json = [("Content-Type", "application/json")];
    send(url, &format!("POST {path}"), &json, body.to_string().as_bytes()).await
}
