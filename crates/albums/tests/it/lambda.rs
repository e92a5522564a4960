//! The functions' binaries, run as Lambda runs them: each answers its events, changes its table, opens
//! its connection while it starts, and has the permissions that it needs and no others.

use afterimage_schema::Table;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use testkit::dynamodb::UnservedEndpoint;
use testkit::lambda::{DeployedFunction, DynamoDbProxy, Function, Moment, event};

use crate::gateway::Gateway;

/// A running function over the sample albums.
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
        let program = testkit::lambda::program(name, program);
        let mut function = Function::start(&program, &[], &variables, &dynamodb).await;
        function.ready().await;
        Self { gateway, deployed, dynamodb, function }
    }

    /// Status and body of the answer to an event.
    async fn answer(&mut self, event: &str) -> (u64, Value) {
        let response = self.function.invoke(event).await.expect("a response");
        let response: Value = serde_json::from_str(&response).expect("JSON");
        let body = response["body"].as_str().filter(|it| !it.is_empty());
        let body = body.map_or(Value::Null, |it| serde_json::from_str(it).expect("JSON"));
        (response["statusCode"].as_u64().expect("a status"), body)
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

    /// An album of the table, as the API shows it.
    async fn album(&self, artist: &str, album: &str) -> Option<Value> {
        let listed = self.gateway.list("limit=1000").await.json();
        let albums = listed["albums"].as_array().expect("albums").clone();
        albums.into_iter().find(|it| it["Artist"] == artist && it["Album"] == album)
    }
}

#[tokio::test]
async fn list_albums() {
    let mut running = Running::start("list-albums", env!("CARGO_BIN_EXE_list-albums")).await;
    let (status, body) = running.answer(&event("api/list-albums")).await;
    assert_eq!((status, body["albums"].as_array().map(Vec::len)), (200, Some(25)));
    let (status, body) = running.answer(&event("api/list-albums-by-genre")).await;
    let albums = body["albums"].as_array().expect("albums");
    assert!(status == 200 && albums.iter().all(|it| it["Genre"] == "Jazz"), "{body}");
    assert!(albums.iter().any(|it| it["Album"] == "Time Out"), "{body}");
    running.assert_warmed_up("Query");
    running.assert_permissions();
}

#[tokio::test]
async fn add_album() {
    let mut running = Running::start("add-album", env!("CARGO_BIN_EXE_add-album")).await;
    let album =
        json!({"Artist": "Sigur Rós", "Album": "Takk...", "Genre": "Post-Rock", "Year": 2005});
    let added = event("api/add-album");
    assert_eq!(running.answer(&added).await, (201, album.clone()));
    let (status, refused) = running.answer(&added).await;
    assert_eq!((status, &refused["error"]), (409, &json!("album_exists")));
    let mut again: Value = serde_json::from_str(&added).expect("JSON");
    again["rawQueryString"] = json!("overwrite=true");
    again["queryStringParameters"] = json!({"overwrite": "true"});
    assert_eq!(running.answer(&again.to_string()).await, (200, album.clone()));
    assert_eq!(running.album("Sigur Rós", "Takk...").await, Some(album));
    running.assert_permissions();
}

#[tokio::test]
async fn update_album() {
    let mut running = Running::start("update-album", env!("CARGO_BIN_EXE_update-album")).await;
    let (status, album) = running.answer(&event("api/update-album")).await;
    assert_eq!((status, &album["Genre"], &album["Rank"]), (200, &json!("Hard Rock"), &Value::Null));
    assert_eq!(running.album("AC/DC", "Back in Black").await, Some(album));
    running.assert_permissions();
}

#[tokio::test]
async fn delete_album() {
    let mut running = Running::start("delete-album", env!("CARGO_BIN_EXE_delete-album")).await;
    assert!(running.album("AC/DC", "Highway to Hell").await.is_some());
    assert_eq!(running.answer(&event("api/delete-album")).await, (204, Value::Null));
    assert_eq!(running.album("AC/DC", "Highway to Hell").await, None);
    running.assert_permissions();
}

#[tokio::test]
async fn list_genres() {
    let mut running = Running::start("list-genres", env!("CARGO_BIN_EXE_list-genres")).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let count = [
        ("pk", text("albums-by-genre")),
        ("sk", text("Jazz")),
        ("count", AttributeValue::N("3".to_owned())),
    ];
    running.gateway.put(Table::DERIVED, &count).await;
    let genres = json!({"genres": [{"genre": "Jazz", "count": 3}]});
    assert_eq!(running.answer(&event("api/list-genres")).await, (200, genres));
    running.assert_warmed_up("Query");
    running.assert_permissions();

    // The log line of a defect says where it is, and no value but those of the key.
    let broken = [
        ("pk", text("albums-by-genre")),
        ("sk", text("Rock")),
        ("count", text("secret-count")),
        ("other", text("secret-other")),
    ];
    running.gateway.put(Table::DERIVED, &broken).await;
    assert_eq!(running.answer(&event("api/list-genres")).await.0, 500);
    let ended = running.function.terminate().await;
    ended.assert_hides("secret");
    let [line] = &ended.log()[..] else { unreachable!("one line: {:?}", ended.stdout) };
    assert_eq!(
        (&line["level"], &line["fields"]["message"], &line["fields"]["code"]),
        (&json!("ERROR"), &json!("request failed"), &json!("internal"))
    );
    let table = running.gateway.dynamodb.name(&Table::DERIVED);
    let cause = format!(
        "the item with pk \"albums-by-genre\", sk \"Rock\" of table {table} has no valid attribute `count`"
    );
    assert_eq!(line["fields"]["cause"], cause);
}

/// Every binary, and its table by variable and name.
const FUNCTIONS: [(&str, &str, [&str; 2]); 5] = [
    ("add-album", env!("CARGO_BIN_EXE_add-album"), ["ALBUMS_TABLE", "albums"]),
    ("delete-album", env!("CARGO_BIN_EXE_delete-album"), ["ALBUMS_TABLE", "albums"]),
    ("list-albums", env!("CARGO_BIN_EXE_list-albums"), ["ALBUMS_TABLE", "albums"]),
    ("list-genres", env!("CARGO_BIN_EXE_list-genres"), ["DERIVED_TABLE", "derived"]),
    ("update-album", env!("CARGO_BIN_EXE_update-album"), ["ALBUMS_TABLE", "albums"]),
];

#[tokio::test]
async fn each_function_without_its_table_says_so_and_ends() {
    assert_eq!(DeployedFunction::binaries_of("albums"), FUNCTIONS.map(|(name, ..)| name));
    for (name, program, [variable, table]) in FUNCTIONS {
        let ended = Function::fail_to_start(name, program, variable, None).await;
        ended.assert_cannot_start(&format!(
            "{variable} is not set: set it to the real name of the table `{table}`"
        ));
    }
}

/// Where DynamoDB is out of reach the function starts all the same, and says so in its answers.
#[tokio::test]
async fn a_warm_up_that_fails_is_logged() {
    let gateway = Gateway::empty().await;
    let names = gateway.dynamodb.names();
    let dynamodb = DynamoDbProxy::start(&gateway.dynamodb.endpoint_url(), names).await;
    let mut variables = DeployedFunction::of_binary("list-genres").environment(names);
    let nobody = UnservedEndpoint::hold();
    variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), nobody.url());
    let program = testkit::lambda::program("list-genres", env!("CARGO_BIN_EXE_list-genres"));
    let mut function = Function::start(&program, &[], &variables, &dynamodb).await;
    function.ready().await;
    let response = function.invoke(&event("api/list-genres")).await.expect("a response");
    assert!(response.contains("503"), "{response}");
    let ended = function.terminate().await;
    let log = ended.log_with_warm_up();
    let [warm_up, request] = &log[..] else { unreachable!("two lines: {log:?}") };
    // It fails, or takes too long, as the machine is.
    let message = warm_up["fields"]["message"].as_str().expect("a message");
    assert!(warm_up["level"] == "WARN" && message.starts_with("warm-up "), "{warm_up}");
    assert_eq!(
        (&request["level"], &request["fields"]["code"]),
        (&json!("ERROR"), &json!("unavailable"))
    );
    assert_eq!(ended.log(), log[1..]);
}
