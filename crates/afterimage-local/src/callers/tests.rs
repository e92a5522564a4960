use axum::http::Request;

use super::*;

fn callers(origins: &[&str], hosts: &[&str]) -> Callers {
    Callers {
        origins: origins.iter().map(|it| it.parse().expect("an origin")).collect(),
        hosts: hosts.iter().map(|it| it.parse().expect("a host")).collect(),
    }
}

fn verdict(callers: &Callers, target: &str, headers: &[(&str, &[u8])]) -> String {
    let mut request = Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    callers.check(&parts).map_or_else(|refusal| refusal.to_string(), |()| "answered".to_owned())
}

const OPAQUE: &str = "pages without an origin";
const NO_HOST: &str = "this port answers to localhost";

#[track_caller]
fn check_origin(callers: &Callers, origin: &str, expected: &str) {
    let found =
        verdict(callers, "/", &[("host", b"localhost:3000"), ("origin", origin.as_bytes())]);
    assert!(found.starts_with(expected), "{origin}: {found}");
}

#[test]
fn pages_of_this_machine_may_call() {
    for origin in [
        "http://localhost",
        "http://localhost:5173",
        "https://localhost:8443",
        "HTTP://LocalHost:5173",
        "http://127.0.0.1:3000",
        "http://127.255.0.7",
        "http://[::1]:5173",
    ] {
        check_origin(&Callers::default(), origin, "answered");
    }
}

#[test]
fn other_pages_may_not() {
    for origin in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://127.0.0.1.evil.example",
        "http://128.0.0.1",
        "http://0.0.0.0:3000",
        "http://[::2]",
        "http://app.localhost:5173",
        "ftp://localhost",
        "chrome-extension://abcdefghijklmnop",
    ] {
        let expected = format!(
            "pages of {origin} may not call this port; to allow them, start `afterimage up` with --allow-origin {origin}"
        );
        check_origin(&Callers::default(), origin, &expected);
    }
    for origin in [
        "null",
        "",
        "*",
        "localhost",
        "http://",
        "http://localhost/",
        "http://localhost:",
        "http://localhost:99999",
        "http://localhost:3000.evil.example",
        "http://localhost:3000@evil.example",
        "http://user@localhost",
        "http://localhost https://evil.example",
        "http://localh\u{f6}st",
        "file://",
    ] {
        check_origin(&Callers::default(), origin, OPAQUE);
    }
}

#[test]
fn an_origin_is_allowed_whole() {
    let callers =
        callers(&["https://app.example.com", "http://app.test:8080", "https://b.test:443"], &[]);
    for origin in [
        "https://app.example.com",
        "https://APP.example.com",
        "http://app.test:8080",
        "https://b.test",
    ] {
        check_origin(&callers, origin, "answered");
    }
    for origin in [
        "http://app.example.com",
        "https://app.example.com:444",
        "http://app.test",
        "https://x.app.example.com",
    ] {
        check_origin(&callers, origin, "pages of ");
    }
    check_origin(&callers, "null", OPAQUE);
}

#[track_caller]
fn check_host(callers: &Callers, host: &str, expected: &str) {
    let found = verdict(callers, "/", &[("host", host.as_bytes())]);
    assert!(found.starts_with(expected), "{host}: {found}");
}

#[test]
fn the_ports_answer_to_names_of_this_machine() {
    let default = Callers::default();
    for host in
        ["localhost", "LOCALHOST:3000", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000"]
    {
        check_host(&default, host, "answered");
    }
    for host in [
        "evil.example",
        "localhost.evil.example:3000",
        "0.0.0.0:3000",
        "192.168.1.5",
        "[::2]:3000",
        "localhost.",
    ] {
        check_host(&default, host, "this port does not answer to the name ");
    }
    for host in [
        "",
        "a b",
        "localhost:",
        "localhost:x",
        "localhost:+80",
        "[::1",
        "[::1]x",
        "::1",
        "user@localhost",
    ] {
        check_host(&default, host, NO_HOST);
    }
    let named = callers(&[], &["Evil.example", "app.test:3000", "[fe80::1]"]);
    for host in ["evil.example", "evil.example:1", "app.test:3000", "[fe80::1]:8000", "localhost"] {
        check_host(&named, host, "answered");
    }
    for host in ["app.test", "app.test:3001", "a.evil.example"] {
        check_host(&named, host, "this port does not answer to the name ");
    }
}

#[test]
fn a_request_is_checked_in_all_its_parts() {
    let default = Callers::default();
    let local: (&str, &[u8]) = ("host", b"localhost");
    // HTTP/1.0 names no host, and no browser speaks it.
    assert_eq!(verdict(&default, "/", &[]), "answered");
    let evil = "this port does not answer to the name evil.example; to allow it, start `afterimage up` with --allow-host evil.example";
    assert_eq!(verdict(&default, "http://evil.example/", &[local]), evil);
    assert_eq!(verdict(&default, "/", &[local, ("host", b"evil.example:80")]), evil);
    let rebound: [(&str, &[u8]); 2] =
        [("host", b"evil.example:3000"), ("origin", b"http://evil.example:3000")];
    assert_eq!(verdict(&default, "/", &rebound), evil);
    // A name that is allowed does not allow the pages that it serves.
    let found = verdict(&callers(&[], &["evil.example"]), "/", &rebound);
    assert!(found.starts_with("pages of http://evil.example:3000 may not call"), "{found}");
    let two = [local, ("origin", b"http://localhost"), ("origin", b"https://evil.example")];
    assert!(verdict(&default, "/", &two).starts_with("pages of https://evil.example"));
    assert!(verdict(&default, "/", &[local, ("origin", b"\xff")]).starts_with(OPAQUE));
    assert!(verdict(&default, "/", &[("host", b"\xff")]).starts_with(NO_HOST));
}

#[test]
fn what_cannot_be_allowed_is_refused() {
    for (text, expected) in [
        ("null", CallerNameError::OpaqueOrigin),
        ("*", CallerNameError::Everybody),
        ("app.example.com", CallerNameError::Origin),
        ("https://app.example.com/", CallerNameError::Origin),
        ("https://*.example.com", CallerNameError::Origin),
        ("://app", CallerNameError::Origin),
    ] {
        assert_eq!(text.parse::<AllowedOrigin>(), Err(expected), "{text}");
    }
    for (text, expected) in [
        ("*", CallerNameError::Everybody),
        ("https://app.test", CallerNameError::Host),
        ("app.test/", CallerNameError::Host),
        ("", CallerNameError::Host),
    ] {
        assert_eq!(text.parse::<AllowedHost>(), Err(expected), "{text}");
    }
}
