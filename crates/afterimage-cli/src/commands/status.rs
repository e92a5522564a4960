//! `afterimage status`: how each view stands.

use std::collections::{BTreeMap, BTreeSet};

use afterimage::Item;
use afterimage::attribute_value::item_from_json;
use afterimage::verify::VerifyResult;
use afterimage_dynamodb::{ParkedRecords, Processor};
use afterimage_schema::Table;
use anyhow::Context as _;
use clap::Args;
use hyper::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::local_stack::ask;
use crate::connection::{Connection, ConnectionArguments};
use crate::failure::{Failure, Status};
use crate::item;
use crate::output::{Format, Output};

/// Where the local stack serves its HTTP API unless told otherwise.
const DEFAULT_HTTP_URL: &str = "http://127.0.0.1:3000";

const EXAMPLES: &str = "\
Examples:
  afterimage status
  afterimage status --output json
  afterimage status --http-url http://127.0.0.1:3001 --endpoint http://127.0.0.1:8001
  afterimage status --aws

Outcomes and lag are those of the local stack since its start: on AWS the dashboard has them. `derived` is
read whole to count what is parked. DRIFT is what the last `afterimage verify` found.";

/// The arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArguments {
    /// The URL of the local stack's HTTP API, together with --endpoint, the URL of its DynamoDB
    /// [default: http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    http_url: Option<Uri>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What the local stack tells.
#[derive(Debug, Deserialize)]
struct StackStatus {
    drained: bool,
    records_processed: u64,
    pending: u64,
    on_failure: u64,
    views: BTreeMap<String, BTreeMap<String, u64>>,
    lag_ms: BTreeMap<String, i64>,
}

/// How a view stands.
struct ViewStatus {
    view: String,
    lag_ms: Option<i64>,
    outcomes: BTreeMap<String, u64>,
    parked_count: usize,
    verified: Option<VerifyResult>,
}

impl StatusArguments {
    /// The local stack to ask, unless AWS is: lag and outcomes must be of the stack whose tables are
    /// read.
    fn http_url(&self) -> Result<Option<Uri>, Failure> {
        self.connection.check()?;
        let is_aws = self.connection.is_aws();
        let (sentence, next) = match (&self.http_url, self.connection.has_endpoint()) {
            (Some(url), true) => return Ok(Some(url.clone())),
            (None, false) if is_aws => return Ok(None),
            (None, false) => return Ok(Some(Uri::from_static(DEFAULT_HTTP_URL))),
            (Some(_), false) if is_aws => (
                "--http-url is of a local stack, and --aws is not",
                "give the one that you mean: on AWS the dashboard has lag and outcomes",
            ),
            (Some(_), false) => (
                "--http-url alone would show what is parked on another stack",
                "give --endpoint too: `afterimage up` prints both URLs of a stack",
            ),
            (None, true) => (
                "--endpoint alone would show the lag and the outcomes of another stack",
                "give --http-url too: `afterimage up` prints both URLs of a stack",
            ),
        };
        Err(Failure::usage(sentence, next))
    }
}

/// Prints how each view stands.
pub async fn run(arguments: StatusArguments) -> anyhow::Result<Status> {
    let http_url = arguments.http_url()?;
    let connection = arguments.connection.open().await?;
    let stack = match &http_url {
        None => None,
        Some(url) => Some(ask_stack(url).await?),
    };
    connection.require(&[Table::Derived]).await?;
    let parked = ParkedRecords::new(connection.client.clone(), connection.names.clone())?;
    let parked = parked.summaries().await;
    let parked = parked
        .with_context(|| format!("the parked records at {} cannot be read", connection.place()))?;
    let mut parked_counts: BTreeMap<String, usize> = BTreeMap::new();
    for summary in parked {
        *parked_counts.entry(summary.view).or_insert(0) += 1;
    }
    let configured =
        Processor::from_environment(connection.client.clone(), connection.names.clone())?;
    let mut names: BTreeSet<String> = configured.view_names().map(str::to_owned).collect();
    names.extend(parked_counts.keys().cloned());
    names.extend(stack.iter().flat_map(|stack| stack.views.keys().cloned()));
    let mut views = Vec::new();
    for view in names {
        let of_stack = stack.as_ref();
        views.push(ViewStatus {
            lag_ms: of_stack.and_then(|stack| stack.lag_ms.get(&view)).copied(),
            outcomes: of_stack
                .and_then(|stack| stack.views.get(&view))
                .cloned()
                .unwrap_or_default(),
            parked_count: parked_counts.get(&view).copied().unwrap_or_default(),
            verified: verified(&connection, &view).await?,
            view,
        });
    }
    print(stack.as_ref(), &views, arguments.connection.format())?;
    Ok(Status::Done)
}

async fn ask_stack(url: &Uri) -> anyhow::Result<StackStatus> {
    let (status, text) = ask(url, Method::GET, "/local/status", String::new()).await?;
    if status != StatusCode::OK {
        let sentence = format!("what answers at {url} gave no status, but {status}");
        let next = "name the URL of a local stack with --http-url";
        return Err(Failure::new(sentence, next).into());
    }
    serde_json::from_str(&text).map_err(|error| {
        let sentence = format!("what answers at {url} is not a local stack of this version");
        let next = "name the URL of a local stack with --http-url, or start it anew";
        Failure::new(sentence, next).because(error).into()
    })
}

/// What the last verification of the view found; `None` where there was none.
async fn verified(connection: &Connection, view: &str) -> anyhow::Result<Option<VerifyResult>> {
    let definition = afterimage_schema::definition(Table::Derived)?;
    let key = VerifyResult::key(view).to_item(&definition);
    let mut request = connection.client.get_item();
    request = request.table_name(connection.names.name(Table::Derived)).consistent_read(true);
    for (name, value) in key {
        let text = value.as_string().context("a key of `derived` is no string")?.to_owned();
        request = request.key(name, aws_sdk_dynamodb::types::AttributeValue::S(text));
    }
    let found = request.send().await.map_err(|error| connection.explain(error))?;
    let Some(found) = found.item else { return Ok(None) };
    let found: Item = item_from_json("result", item::to_json(&found)?)?;
    let result = VerifyResult::from_item(&found);
    Ok(Some(result.with_context(|| format!("the result of verifying {view} cannot be read"))?))
}

fn print(stack: Option<&StackStatus>, views: &[ViewStatus], format: Format) -> anyhow::Result<()> {
    let mut output = Output::new();
    match format {
        Format::Table => {
            if let Some(stack) = stack {
                let drained = if stack.drained { "drained" } else { "not drained" };
                let StackStatus { records_processed, pending, on_failure, .. } = stack;
                output.line(&format!(
                    "{drained}: {records_processed} records processed, {pending} pending, {on_failure} on failure"
                ))?;
            }
            let rows: Vec<_> = views.iter().map(row).collect();
            output.table(["VIEW", "LAG", "OUTCOMES", "PARKED", "DRIFT", "VERIFIED AT"], &rows)?;
        }
        Format::Json => {
            let views: Vec<_> = views.iter().map(document).collect();
            let stack = stack.map(|stack| {
                json!({
                    "drained": stack.drained,
                    "records_processed": stack.records_processed,
                    "pending": stack.pending,
                    "on_failure": stack.on_failure,
                })
            });
            output.json(&json!({ "stack": stack, "views": views }))?;
        }
    }
    output.finish()?;
    Ok(())
}

fn row(view: &ViewStatus) -> [String; 6] {
    let unknown = || "-".to_owned();
    let outcomes: Vec<_> =
        view.outcomes.iter().map(|(name, count)| format!("{name}={count}")).collect();
    let verified = view.verified.as_ref();
    [
        view.view.clone(),
        view.lag_ms.map_or_else(unknown, |lag_ms| format!("{:.1} s", lag_ms as f64 / 1000.0)),
        if outcomes.is_empty() { unknown() } else { outcomes.join(" ") },
        view.parked_count.to_string(),
        verified.map_or_else(unknown, |it| it.drift_count.to_string()),
        verified.map_or_else(|| "never".to_owned(), |it| it.finished_at.clone()),
    ]
}

fn document(view: &ViewStatus) -> Value {
    let verified = view.verified.as_ref().map(|it| {
        json!({
            "finished_at": it.finished_at,
            "drift": it.drift_count,
            "retained": it.retained_count,
            "parked": it.parked_count,
            "undecided": it.undecided_count,
            "source_items": it.source_item_count,
        })
    });
    json!({
        "view": view.view,
        "lag_ms": view.lag_ms,
        "outcomes": view.outcomes,
        "parked": view.parked_count,
        "verified": verified,
    })
}
