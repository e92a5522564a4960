//! The function under a registry: it maintains what is registered, whatever its own file says.

use std::path::Path;

use afterimage_schema::Table;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use testkit::lambda::{DynamoDbProxy, Function};

use super::{Deployment, album, batch, failed, message, program, text};

/// The product's views.
const VIEWS: &str = include_str!("../../../../../views.toml");

impl Deployment {
    /// A process whose `AFTERIMAGE_VIEWS` is this.
    async fn start_with_views(&self, views: &str) -> (Function, DynamoDbProxy) {
        let names = self.tables.names();
        let dynamodb = DynamoDbProxy::start(&self.tables.endpoint_url(), names).await;
        let mut variables = self.deployed.environment(names);
        variables.insert("AFTERIMAGE_VIEWS".to_owned(), views.to_owned());
        let mut function = Function::start(&program(), &[], &variables, &dynamodb).await;
        function.ready().await;
        (function, dynamodb)
    }

    /// A process whose own file has the product's views with one text replaced.
    async fn start_with_change(&self, replaced: &str, by: &str) -> Vec<Value> {
        assert!(VIEWS.contains(replaced));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("views.toml");
        std::fs::write(&file, VIEWS.replace(replaced, by)).expect("written");
        let (function, _dynamodb) = self.start_with_views(path(&file)).await;
        deliver_one_of_each(function).await
    }

    async fn set_registry(&self, attribute: &str, value: AttributeValue) {
        let update = self.client.update_item().table_name(self.tables.name(&Table::DERIVED));
        let update = update.key("pk", text("registry")).key("sk", text("views"));
        let update =
            update.update_expression("SET #a = :a").expression_attribute_names("#a", attribute);
        update.expression_attribute_values(":a", value).send().await.expect("an update");
    }

    /// The state of each registered view; `None` without a registry.
    async fn states(&self) -> Option<String> {
        self.attribute(Table::DERIVED, ("registry", "views"), "views").await
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Delivers an album and a message, and returns what the process wrote.
async fn deliver_one_of_each(mut function: Function) -> Vec<Value> {
    let event = batch(&[album(1, "Jazz"), message(2, "INSERT", "g", "t1", "first")]);
    function.invoke(&event).await.expect("a response");
    function.terminate().await.log()
}

fn wide(lines: &[Value]) -> &Value {
    lines.iter().find(|it| it["message"] == "batch processed").expect("a wide event")
}

fn told<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    let told = lines.iter().map(|it| &it["fields"]);
    told.filter(|it| it["message"].as_str().is_some_and(|it| it.starts_with(message))).collect()
}

#[tokio::test]
async fn without_a_registry_the_first_batch_registers_the_own_file() {
    let deployment = Deployment::unregistered().await;
    let (function, _dynamodb) = deployment.start(None).await;
    assert_eq!(deployment.states().await, None);
    let lines = deliver_one_of_each(function).await;
    assert_eq!(told(&lines, "registry made").len(), 1);
    let states = deployment.states().await.expect("a registry");
    assert_eq!(states.matches("building").count(), 2, "{states}");
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_changed_definition_counts_nothing_and_is_told() {
    let deployment = Deployment::new().await;
    let lines =
        deployment.start_with_change(r#"pk = "albums-by-genre""#, r#"pk = "by-genre""#).await;
    assert_eq!(wide(&lines)["difference_count"], 1);
    let told = told(&lines, "the registry differs");
    assert_eq!(
        told[0]["difference"],
        "view `genre-counts`, key `target.pk`: the registry has \"albums-by-genre\", the file has \"by-genre\""
    );
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
    let other = deployment.attribute(Table::DERIVED, ("by-genre", "Jazz"), "count").await;
    assert_eq!(other, None);
}

#[tokio::test]
async fn a_view_that_is_not_registered_is_left_out_and_told() {
    let deployment = Deployment::new().await;
    let lines = deployment.start_with_change("genre-counts", "genre-counts-2").await;
    assert_eq!(wide(&lines)["difference_count"], 2);
    assert_eq!(wide(&lines)["outcomes"]["genre-counts"], json!({ "applied": 1 }));
    assert_eq!(wide(&lines)["outcomes"]["genre-counts-2"], Value::Null);
}

#[tokio::test]
async fn a_function_without_a_file_maintains_what_is_registered_or_nothing() {
    let deployment = Deployment::unregistered().await;
    let (function, _dynamodb) = deployment.start_with_views("registry").await;
    let lines = deliver_one_of_each(function).await;
    assert_eq!(wide(&lines)["outcomes"], json!({ "-": { "skipped": 2 } }));
    assert_eq!(deployment.states().await, None);

    let deployment = Deployment::new().await;
    let (function, _dynamodb) = deployment.start_with_views("registry").await;
    let lines = deliver_one_of_each(function).await;
    assert_eq!(wide(&lines)["failed_count"], 0);
    assert_eq!(wide(&lines)["difference_count"], 0);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_registry_of_another_layout_fails_every_record() {
    let deployment = Deployment::new().await;
    deployment.set_registry("layout", AttributeValue::N("2".to_owned())).await;
    let (mut function, _dynamodb) = deployment.start(None).await;
    let event = batch(&[album(1, "Jazz"), message(2, "INSERT", "g", "t1", "first")]);
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response).len(), 2);
    let lines = function.terminate().await.log();
    let told = told(&lines, "the registry could not be used");
    assert_eq!(
        told[0]["error"],
        "the registry has the layout 2, and this version of Afterimage knows only 1: use the version that wrote it, or a later one"
    );
    assert_eq!(deployment.count("Jazz").await, None);
}

#[tokio::test]
async fn a_definition_that_cannot_be_used_fails_the_records_of_its_table_alone() {
    let deployment = Deployment::new().await;
    let derived = deployment.tables.name(&Table::DERIVED);
    let definitions = deployment.client.query().table_name(derived);
    let definitions = definitions.key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
    let definitions = definitions.expression_attribute_values(":pk", text("registry"));
    let definitions = definitions.expression_attribute_values(":sk", text("definition#"));
    let found = definitions.send().await.expect("a page").items.expect("items");
    let of_albums = found.iter().find(|it| {
        it["definition"].as_s().is_ok_and(|definition| definition.contains("genre-counts"))
    });
    let sk = of_albums.expect("a definition")["sk"].clone();
    let delete = deployment.client.delete_item().table_name(derived);
    delete.key("pk", text("registry")).key("sk", sk).send().await.expect("a deletion");

    let (mut function, _dynamodb) = deployment.start_with_views("registry").await;
    let event = batch(&[album(1, "Jazz"), message(2, "INSERT", "g", "t1", "first")]);
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), ["100000000000000000001"]);
    let lines = function.terminate().await.log();
    assert_eq!(wide(&lines)["unreadable_view_count"], 1);
    let told = told(&lines, "a registered view cannot be maintained");
    assert_eq!(told[0]["reason"], "the definition is missing in the registry");
}
