//! The functions' binaries, run as Lambda runs them: each answers its events, changes its table, opens
//! its connection while it starts, and has the permissions that it needs and no others.

use serde_json::{Value, json};
use testkit::lambda::{
    DeployedFunction, DynamoDbProxy, FixedAnswer, Function, Moment, SavedQuery, event,
};

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
        Self::start_with(name, program, None).await
    }

    async fn start_with(name: &str, program: &str, answer: Option<FixedAnswer>) -> Self {
        let gateway = Gateway::with_sample().await;
        let (url, names) = (gateway.dynamodb.endpoint_url(), gateway.dynamodb.names());
        let dynamodb = match answer {
            None => DynamoDbProxy::start(&url, names).await,
            Some(answer) => DynamoDbProxy::answering(&url, names, answer).await,
        };
        let deployed = DeployedFunction::of_binary(name);
        let variables = deployed.environment(names);
        let program = testkit::lambda::program(name, program);
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

/// Every binary.
const FUNCTIONS: [(&str, &str); 4] = [
    ("list-message-groups", env!("CARGO_BIN_EXE_list-message-groups")),
    ("list-messages", env!("CARGO_BIN_EXE_list-messages")),
    ("post-confirmation", env!("CARGO_BIN_EXE_post-confirmation")),
    ("post-message", env!("CARGO_BIN_EXE_post-message")),
];

#[tokio::test]
async fn each_function_without_its_table_says_so_and_ends() {
    assert_eq!(DeployedFunction::binaries_of("messages"), FUNCTIONS.map(|(name, _)| name));
    for (name, program) in FUNCTIONS {
        let ended = Function::fail_to_start(name, program, "MESSAGES_TABLE", None).await;
        ended.assert_cannot_start(
            "MESSAGES_TABLE is not set: set it to the real name of the table `messages`",
        );
    }
}

/// A cancellation as DynamoDB answers it: it holds the item that stood in the way.
fn cancelled(item: &Value) -> FixedAnswer {
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [TransactionConflict, ConditionalCheckFailed]";
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": [
            {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"},
            {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
                "Item": item,
            },
        ],
    });
    FixedAnswer { operation: "TransactWriteItems", status: 400, body: body.to_string() }
}

/// Lines of a sign-up that works, one that is refused, and one that fails.
async fn lines_of_sign_ups() -> Vec<Value> {
    let program = env!("CARGO_BIN_EXE_post-confirmation");
    let signed_up = event("api/post-confirmation");
    let mut running = Running::start("post-confirmation", program).await;
    running.response(&signed_up).await;
    let taken = signed_up.replace("kim-demo", "lin-demo").replace("000000000004", "00000000000f");
    running.function.invoke(&taken).await.expect_err("a refusal");
    let worked = running.function.terminate().await;

    let item = json!({"pk": {"S": "HANDLE#kim-demo"}, "user_display_name": {"S": "Kim (demo)"}});
    let mut running =
        Running::start_with("post-confirmation", program, Some(cancelled(&item))).await;
    let error = running.function.invoke(&signed_up).await.expect_err("a failure");
    assert_eq!(error.message, "the profile could not be written; try again");
    let broken = running.function.terminate().await;
    for ended in [&worked, &broken] {
        for content in ["Kim", "kim-demo", "lin-demo", "a0a0a0a0-"] {
            ended.assert_hides(content);
        }
    }
    [worked.log(), broken.log()].concat()
}

/// Lines of a start without a table, and of one that panics: the runtime client reads no number.
async fn lines_of_failed_starts() -> Vec<Value> {
    // It reads nothing before it serves.
    let (name, program) = ("post-confirmation", env!("CARGO_BIN_EXE_post-confirmation"));
    let without_table = Function::fail_to_start(name, program, "MESSAGES_TABLE", None).await;
    let number = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    let panicked = Function::fail_to_start(name, program, number, Some("no number")).await;
    [without_table.log(), panicked.log()].concat()
}

#[tokio::test]
async fn failures_are_told_once_and_without_contents() {
    let sign_ups = lines_of_sign_ups().await;
    let told: Vec<_> = sign_ups.iter().map(|it| [&it["level"], &it["fields"]["message"]]).collect();
    let refused = [&json!("WARN"), &json!("sign-up refused")];
    assert_eq!(told, [refused, [&json!("ERROR"), &json!("profile not written")]]);
    assert_eq!(
        sign_ups[0]["fields"]["cause"],
        "the handle is taken by another user; sign up with another user name"
    );
    let cause = sign_ups[1]["fields"]["cause"].as_str().expect("a cause");
    assert!(cause.contains("TransactionConflict"), "{cause}");

    let user_uuid = "a0a0a0a0-0000-4000-8000-00000000000e";
    let program = env!("CARGO_BIN_EXE_post-message");
    let mut running = Running::start("post-message", program).await;
    let profile = [
        ("pk", &*format!("USER#{user_uuid}")),
        ("sk", "PROFILE"),
        ("user_uuid", user_uuid),
        ("user_display_name", "secret name"),
    ];
    running.gateway.put(&profile).await;
    let posted = by("api/start-conversation", user_uuid, "new-demo");
    assert_eq!(running.answer(&posted).await.0, 500);
    let (status, _) = running.answer(&event("api/start-conversation")).await;
    assert_eq!(status, 201);
    let ended = running.function.terminate().await;
    for content in ["secret", "new-demo"] {
        ended.assert_hides(content);
    }
    let [failed] = &ended.log()[..] else { unreachable!("one line: {:?}", ended.stdout) };
    // It names the key of the item, so that somebody can find and correct it.
    let cause = failed["fields"]["cause"].as_str().expect("a cause");
    let named = format!("the item with pk \"USER#{user_uuid}\", sk \"PROFILE\" of table ");
    assert!(cause.starts_with(&named), "{cause}");
    assert!(cause.ends_with(" has no valid attribute `user_handle`"), "{cause}");

    let unstarted = lines_of_failed_starts().await;
    let lines = [sign_ups, vec![failed.clone()], unstarted].concat();
    let queries = SavedQuery::of_log_group("ApiLogs");
    let [query] = &queries[..] else { unreachable!("one query: {queries:?}") };
    let expected = [
        "function cannot start",
        "panicked",
        "profile not written",
        "request failed",
        "sign-up refused",
    ];
    query.assert_finds_errors(&lines, &expected);
    // Which function it was; they share the log group.
    assert!(query.rows(&lines).iter().all(|row| row.contains_key("@logStream")));
}
