//! Profiles, by the Cognito trigger and by the local sign-in.

use futures::future::join_all;
use messages::{EnsureProfileError, MESSAGES, PostConfirmationError, PostConfirmationEvent};
use serde_json::{Value, json};

use crate::gateway::{ADA, Gateway};

const KIM: &str = "a0a0a0a0-0000-4000-8000-000000000004";

pub fn confirmed(sub: &str, user_name: &str, name: Option<&str>) -> PostConfirmationEvent {
    let mut attributes = json!({ "sub": sub, "email": "kim-demo@example.com" });
    if let Some(name) = name {
        attributes["name"] = json!(name);
    }
    event("PostConfirmation_ConfirmSignUp", user_name, &attributes)
}

fn event(source: &str, user_name: &str, attributes: &Value) -> PostConfirmationEvent {
    serde_json::from_value(json!({
        "version": "1", "triggerSource": source, "region": "eu-central-1",
        "userPoolId": "eu-central-1_EXAMPLE01", "userName": user_name,
        "callerContext": { "awsSdkVersion": "1", "clientId": "1" },
        "request": { "userAttributes": attributes }, "response": {},
    }))
    .expect("an event")
}

#[tokio::test]
async fn a_confirmed_user_gets_a_profile_once() {
    let gateway = Gateway::empty().await;
    for name in [Some("Kim"), Some("another name"), None] {
        let event = confirmed(KIM, "kim-demo", name);
        let answer = messages::post_confirmation(&gateway.messages, event.clone()).await;
        assert_eq!(answer.expect("the event"), event);
        assert_eq!(
            json!(gateway.items("").await),
            json!({
                format!("USER#{KIM} PROFILE"):
                    { "user_uuid": KIM, "user_handle": "kim-demo", "user_display_name": "Kim" },
                "HANDLE#kim-demo HANDLE": { "user_uuid": KIM },
            })
        );
    }
    let other = confirmed(ADA, "kim-demo", None);
    let refused = messages::post_confirmation(&gateway.messages, other).await;
    assert!(matches!(refused, Err(PostConfirmationError::HandleTaken)), "{refused:?}");
    let ada = confirmed(ADA, "ada-demo", None);
    messages::post_confirmation(&gateway.messages, ada).await.expect("the event");
    let profile = messages::ensure_profile(&gateway.messages, "ada-demo").await.expect("a profile");
    assert_eq!((&*profile.user_uuid, &*profile.user_display_name), (ADA, "ada-demo"));
}

#[tokio::test]
async fn other_events_write_nothing() {
    let gateway = Gateway::empty().await;
    let reset = event("PostConfirmation_ConfirmForgotPassword", "kim-demo", &json!({ "sub": KIM }));
    messages::post_confirmation(&gateway.messages, reset).await.expect("the event");
    for event in [confirmed("kim", "kim-demo", None), confirmed("", "kim-demo", None)] {
        let refused = messages::post_confirmation(&gateway.messages, event).await;
        assert!(matches!(refused, Err(PostConfirmationError::NoUser)), "{refused:?}");
    }
    let spaced = confirmed(KIM, "kim demo", None);
    let refused = messages::post_confirmation(&gateway.messages, spaced).await;
    assert!(matches!(refused, Err(PostConfirmationError::Handle(_))), "{refused:?}");
    assert_eq!(gateway.items("").await.len(), 0);
}

#[tokio::test]
async fn a_profile_is_made_where_there_is_none() {
    let gateway = Gateway::with_sample().await;
    let ada = messages::ensure_profile(&gateway.messages, "ada-demo").await.expect("a profile");
    assert_eq!((&*ada.user_uuid, &*ada.user_display_name), (ADA, "Ada (demo)"));
    let calls = (0..10).map(|_| messages::ensure_profile(&gateway.messages, "kim-demo"));
    let mut found: Vec<String> =
        join_all(calls).await.into_iter().map(|it| it.expect("a profile").user_uuid).collect();
    found.dedup();
    assert_eq!(found.len(), 1);
    assert_eq!(gateway.items("USER#").await.len(), 4);
    let refused = messages::ensure_profile(&gateway.messages, "").await;
    assert!(matches!(refused, Err(EnsureProfileError::Handle(_))), "{refused:?}");
}

#[tokio::test]
async fn a_malformed_profile_is_an_error_to_its_user_alone() {
    let gateway = Gateway::with_sample().await;
    let profile = [("pk", &*format!("USER#{KIM}")), ("sk", "PROFILE"), ("user_uuid", KIM)];
    gateway.put(&profile).await;
    let body = json!({ "message": "hello", "handle": "lin-demo" }).to_string();
    gateway.post(&format!("{KIM} kim-demo"), &body).await.is_error(500, "internal");
    assert_eq!(gateway.post(ADA, &body).await.status, 201);
    gateway.put(&[("pk", "HANDLE#kim-demo"), ("sk", "HANDLE"), ("user_uuid", KIM)]).await;
    let failed = messages::ensure_profile(&gateway.messages, "kim-demo").await;
    let Err(EnsureProfileError::Store(cause)) = failed else { panic!("{failed:?}") };
    let table = gateway.dynamodb.name(&MESSAGES);
    let expected = format!(
        "the item with pk \"USER#{KIM}\", sk \"PROFILE\" of table {table} has no valid attribute `user_handle`"
    );
    assert_eq!(cause.to_string(), expected);
}

#[tokio::test]
async fn a_profile_that_the_trigger_failed_to_write_is_written_by_the_first_post() {
    let gateway = Gateway::with_sample().await;
    let body = json!({ "message": "hello", "handle": "lin-demo" }).to_string();
    gateway.post(KIM, &body).await.is_error(403, "no_profile");
    gateway.post(&format!("{KIM} ada-demo"), &body).await.is_error(403, "no_profile");
    gateway.post(&format!("{KIM} not a handle"), &body).await.is_error(403, "no_profile");
    for _ in 0..2 {
        let answer = gateway.post(&format!("{KIM} kim-demo"), &body).await;
        assert_eq!((answer.status, &answer.json()["user_handle"]), (201, &json!("kim-demo")));
    }
    let profile = messages::ensure_profile(&gateway.messages, "kim-demo").await.expect("a profile");
    assert_eq!(profile.user_uuid, KIM);
}
