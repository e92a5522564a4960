//! The functions' binaries, run as Lambda runs them: each answers its events, changes its table, opens
//! its connection while it starts, and has the permissions that it needs and no others.

use serde_json::{Value, json};
use test_lambda::{DeployedFunction, DynamoDbProxy, Function, Moment, event};

use crate::gateway::{Gateway, TWO};

/// A running function over the sample conversations.
struct Running {
    gateway: Gateway,
    deployed: DeployedFunction,
    dynamodb: DynamoDbProxy,
    function: Function,
}

impl Running {
    async fn start(name: &str, program: &str) -> Self {
        let gateway = Gateway::with_sample().await;
        let names = gateway.dynamodb.names();
        let dynamodb = DynamoDbProxy::start(&gateway.dynamodb.endpoint_url(), names).await;
        let deployed = DeployedFunction::of_binary(name);
        let variables = deployed.environment(names);
        let program = test_lambda::program(name, program);
        let mut function = Function::start(&program, &[], &variables, &dynamodb).await;
        function.ready().await;
        Self { gateway, deployed, dynamodb, function }
    }

    /// The JSON that an event is answered with.
    async fn response(&mut self, event: &str) -> Value {
        let response = self.function.invoke(event).await.expect("a response");
        serde_json::from_str(&response).expect("JSON")
    }

    /// Status and body of the answer to an event of the HTTP API.
    async fn answer(&mut self, event: &str) -> (u64, Value) {
        let response = self.response(event).await;
        let body = serde_json::from_str(response["body"].as_str().expect("a body"));
        (response["statusCode"].as_u64().expect("a status"), body.expect("JSON"))
    }

    /// Its connection was opened by this read before it asked for an event.
    #[track_caller]
    fn assert_warmed_up(&self, read: &str) {
        let first = [Moment::Connected, Moment::Called(read.to_owned()), Moment::AskedForEvent];
        let moments = self.function.journal().moments();
        assert!(moments.starts_with(&first), "{moments:?}");
    }

    #[track_caller]
    fn assert_permissions(&self) {
        self.deployed.assert_permissions(&self.dynamodb.accesses());
    }
}

/// The event, made by another user of this handle.
fn by(name: &str, user_uuid: &str, handle: &str) -> String {
    let mut event: Value = serde_json::from_str(&event(name)).expect("JSON");
    let claims = &mut event["requestContext"]["authorizer"]["jwt"]["claims"];
    claims["sub"] = json!(user_uuid);
    claims["cognito:username"] = json!(handle);
    event.to_string()
}

#[tokio::test]
async fn list_message_groups() {
    let program = env!("CARGO_BIN_EXE_list-message-groups");
    let mut running = Running::start("list-message-groups", program).await;
    let (status, body) = running.answer(&event("api/list-message-groups")).await;
    let groups = body["message_groups"].as_array().expect("groups");
    assert!(status == 200 && groups.iter().any(|it| it["message_group_uuid"] == TWO), "{body}");
    running.assert_warmed_up("Query");
    running.assert_permissions();
}

#[tokio::test]
async fn list_messages() {
    let program = env!("CARGO_BIN_EXE_list-messages");
    let mut running = Running::start("list-messages", program).await;
    let (status, body) = running.answer(&event("api/list-messages")).await;
    let messages = body["messages"].as_array().expect("messages");
    let last = messages.last().expect("a message");
    assert_eq!((status, &last["message"]), (200, &json!("Mint. And leave room on the shelf.")));
    running.assert_warmed_up("Query");
    running.assert_permissions();
}

#[tokio::test]
async fn post_message() {
    let program = env!("CARGO_BIN_EXE_post-message");
    let mut running = Running::start("post-message", program).await;
    let continued = event("api/continue-conversation");
    let (status, posted) = running.answer(&continued).await;
    assert_eq!((status, &posted["user_handle"]), (201, &json!("ada-demo")), "{posted}");
    let (group, sk) = (posted["message_group_uuid"].as_str(), posted["sk"].as_str());
    let key = format!("MSG#{} {}", group.expect("a group"), sk.expect("a key"));
    assert_eq!(running.gateway.items("MSG#").await[&key]["message"], posted["message"]);

    let started = event("api/start-conversation");
    let (status, first) = running.answer(&started).await;
    assert_eq!(status, 201, "{first}");
    let group = first["message_group_uuid"].as_str().expect("a group").to_owned();
    let rows = running.gateway.items("GRP#").await;
    assert_eq!(rows.values().filter(|row| row["message_group_uuid"] == group).count(), 2);
    // Sent again it is the same message, read and not written.
    assert_eq!(running.answer(&started).await, (201, first));

    // Whoever has no profile yet gets one from the token.
    let user_uuid = "a0a0a0a0-0000-4000-8000-00000000000f";
    let newcomer = by("api/start-conversation", user_uuid, "new-demo");
    let newcomer = newcomer.replace("d0d0d0d0-", "d1d0d0d0-");
    let (status, posted) = running.answer(&newcomer).await;
    assert_eq!((status, &posted["user_handle"]), (201, &json!("new-demo")), "{posted}");
    assert_eq!(running.gateway.items(&format!("USER#{user_uuid}")).await.len(), 1);
    running.assert_warmed_up("GetItem");
    running.assert_permissions();
}

#[tokio::test]
async fn post_confirmation() {
    let program = env!("CARGO_BIN_EXE_post-confirmation");
    let mut running = Running::start("post-confirmation", program).await;
    let sent = event("api/post-confirmation");
    let answer = running.response(&sent).await;
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    assert_eq!(
        (&answer["userName"], &answer["triggerSource"]),
        (&sent["userName"], &sent["triggerSource"])
    );
    assert_eq!(running.gateway.items("HANDLE#kim-demo").await.len(), 1);
    running.assert_permissions();

    let mut taken = sent;
    taken["userName"] = json!("lin-demo");
    taken["request"]["userAttributes"]["sub"] = json!("a0a0a0a0-0000-4000-8000-00000000000f");
    let error = running.function.invoke(&taken.to_string()).await.expect_err("a refusal");
    assert_eq!(
        error.message,
        "the handle is taken by another user; sign up with another user name"
    );
    assert_eq!(running.gateway.items("USER#").await.len(), 4);
}
