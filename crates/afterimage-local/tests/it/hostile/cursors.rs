use super::{bearer, check, get_as, stack};
use crate::http::{get, send};
use serde_json::{Value, json};

/// The group of ada and lin in the sample, and that of all three.
const TWO: &str = "c0c0c0c0-0000-4000-8000-000000000001";
const THREE: &str = "c0c0c0c0-0000-4000-8000-000000000002";

async fn cursor(url: &str, bearer: &str, path: &str) -> String {
    let answer = get_as(url, bearer, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_query_is_refused() {
    let stack = stack().await;
    let url = stack.http_url();
    let (ada, lin) = (bearer(&url, "ada-demo").await, bearer(&url, "lin-demo").await);
    let messages = |group: &str| format!("/api/messages/{group}?limit=1");
    let (two, three) = (messages(TWO), messages(THREE));
    // Each query, with who asks; a cursor of one is read by that one alone.
    let queries = [
        (&ada, "/api/albums?limit=1"),
        (&ada, "/api/albums?genre=Rock&limit=1"),
        (&ada, "/api/albums?genre=Jazz&limit=1"),
        (&ada, "/api/message_groups?limit=1"),
        (&lin, "/api/message_groups?limit=1"),
        (&ada, &*two),
        (&ada, &*three),
    ];
    for (owner, (bearer, path)) in queries.iter().enumerate() {
        let cursor = cursor(&url, bearer, path).await;
        for (reader, (bearer, path)) in queries.iter().enumerate() {
            let answer = get_as(&url, bearer, &format!("{path}&cursor={cursor}")).await;
            if owner == reader {
                assert_eq!(answer.status, 200, "{path}");
            } else {
                check(&answer, 400, "invalid_cursor", path);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_cursor_is_refused() {
    let stack = stack().await;
    let url = stack.http_url();
    let ada = bearer(&url, "ada-demo").await;
    for path in ["/api/albums?limit=1", "/api/message_groups?limit=1"] {
        let cursor = cursor(&url, &ada, path).await;
        let mut altered: Vec<String> = Vec::new();
        // Each character another, in place: every bit that a cursor has.
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            altered.push(String::from_utf8(bytes).expect("ASCII"));
        }
        for kept in [1, cursor.len() / 2, cursor.len() - 4, cursor.len() - 1] {
            altered.push(cursor[..kept].to_owned());
        }
        altered.push(format!("{cursor}A"));
        altered.push(format!("{cursor}%3D"));
        altered.push(format!("%20{cursor}"));
        altered.push(cursor.repeat(2));
        altered.push("A".repeat(8 * 1024 + 1));
        altered.push("%00".to_owned());
        for altered in altered {
            let answer = get_as(&url, &ada, &format!("{path}&cursor={altered}")).await;
            check(&answer, 400, "invalid_cursor", &altered);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_group_s_messages_are_nobody_s_business() {
    let stack = stack().await;
    let url = stack.http_url();
    let (ada, sam) = (bearer(&url, "ada-demo").await, bearer(&url, "sam-demo").await);
    let of_two = cursor(&url, &ada, &format!("/api/messages/{TWO}?limit=1")).await;
    let count = |answer: Value| answer["messages"].as_array().map(Vec::len);
    let before = count(get_as(&url, &ada, &format!("/api/messages/{TWO}")).await.json());
    for path in [format!("/api/messages/{TWO}"), format!("/api/messages/{TWO}?cursor={of_two}")] {
        check(&get_as(&url, &sam, &path).await, 403, "not_a_member", &path);
        check(&get(&url, &path).await, 401, "Unauthorized", &path);
    }
    let body = json!({ "message": "let me in", "message_group_uuid": TWO }).to_string();
    let posted =
        send(&url, "POST /api/messages", &[("Authorization", &sam)], body.as_bytes()).await;
    check(&posted, 403, "not_a_member", "a message");
    assert_eq!(count(get_as(&url, &ada, &format!("/api/messages/{TWO}")).await.json()), before);
}
