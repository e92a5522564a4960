//! `afterimage status`: how each view stands.

mod batches;
mod log;
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use afterimage::Item;
use afterimage::attribute_value::item_from_json;
use afterimage::reason;
use afterimage::registry::{Maintained, State};
use afterimage::verify::VerifyResult;
use afterimage_dynamodb::ParkedRecords;
use afterimage_schema::{Table, TableDefinition};
use anyhow::Context as _;
use clap::Args;
use hyper::Uri;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::logs::log_group;
use super::logs::since::Since;
use crate::connection::{Connection, ConnectionArguments};
use crate::failure::{Failure, Status};
use crate::item;
use crate::output::{Format, Output};
use batches::Batches;
use log::{Log, read_log};
use stack::{Stack, ask_stack};

/// Where the local stack serves its HTTP API unless told otherwise.
const DEFAULT_HTTP_URL: &str = "http://127.0.0.1:3000";

/// How far a log group is looked back.
const DEFAULT_SINCE: Since = Since::hours(1);

const EXAMPLES: &str = "\
Examples:
  afterimage status
  afterimage status --output json
  afterimage status --http-url http://127.0.0.1:3001 --endpoint http://127.0.0.1:8001
  afterimage status --aws --log-group my-stack-ProcessorLogs-1ABC --since 1d

LAG is that of the last batch with records of the view, and OUTCOMES those of the local stack since its
start. With --aws both are read from the log group, of the last hour or --since, and are unknown where none
is named. `derived` is read whole to count what is parked. DRIFT is what the last `afterimage verify` found.";

/// The arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArguments {
    /// The URL of the local stack's HTTP API, together with --endpoint, the URL of its DynamoDB
    /// [default: http://127.0.0.1:3000]
    #[arg(long, value_name = "URL")]
    http_url: Option<Uri>,
    /// With --aws, the stream processor's log group; the stack's output ProcessorLogGroup names it
    /// [environment: PROCESSOR_LOG_GROUP]
    #[arg(long, value_name = "NAME")]
    log_group: Option<String>,
    /// With --aws, how far to look back in the log group, as a number of s, m, h or d [default: 1h]
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Where lag and outcomes are told: by the stack whose tables are read.
enum Place {
    Stack(Uri),
    LogGroup(String, OffsetDateTime),
    Nowhere,
}

/// Who told lag and outcomes.
enum Source {
    Stack(Stack),
    Log(Log),
    Nobody,
}

/// How a view stands.
struct ViewStatus {
    view: String,
    lag_ms: Option<i64>,
    /// `None` where nobody tells.
    outcomes: Option<BTreeMap<String, u64>>,
    parked_count: usize,
    /// `None` if it is not registered.
    generation: Option<(u64, State)>,
    verified: Option<VerifyResult>,
}

impl StatusArguments {
    /// Where lag and outcomes are told; options of another place are refused.
    fn place(&self) -> anyhow::Result<Place> {
        self.connection.check()?;
        match self.connection.is_aws() {
            true => self.place_on_aws(),
            false => Ok(Place::Stack(self.http_url()?)),
        }
    }

    fn place_on_aws(&self) -> anyhow::Result<Place> {
        if self.http_url.is_some() {
            return Err(Failure::usage(
                "--http-url is of a local stack, and --aws is not",
                "give the one that you mean: on AWS, lag and outcomes are in --log-group",
            )
            .into());
        }
        match (log_group::name(self.log_group.as_deref())?, self.since) {
            (Some(name), since) => {
                let since = since.unwrap_or(DEFAULT_SINCE).start()?;
                Ok(Place::LogGroup(name, since))
            }
            (None, None) => Ok(Place::Nowhere),
            (None, Some(_)) => {
                Err(Failure::usage("--since is of a log group, and none is named", log_group::NEXT)
                    .into())
            }
        }
    }

    fn http_url(&self) -> Result<Uri, Failure> {
        let (sentence, next) = match (&self.http_url, self.connection.has_endpoint()) {
            _ if self.log_group.is_some() => {
                ("--log-group is on AWS", "give --aws with it, or --http-url for a local stack")
            }
            _ if self.since.is_some() => (
                "--since is of a log group on AWS: a local stack counts from its start",
                "leave it out, or give --aws with it",
            ),
            (Some(url), true) => return Ok(url.clone()),
            (None, false) => return Ok(Uri::from_static(DEFAULT_HTTP_URL)),
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

impl Place {
    async fn ask(&self) -> anyhow::Result<(Source, Option<Batches>)> {
        Ok(match self {
            Self::Stack(url) => {
                let (stack, batches) = ask_stack(url).await?;
                (Source::Stack(stack), Some(batches))
            }
            Self::LogGroup(name, since) => {
                let (log, batches) = read_log(name, *since).await?;
                (Source::Log(log), Some(batches))
            }
            Self::Nowhere => (Source::Nobody, None),
        })
    }
}

/// Prints how each view stands.
pub async fn run(arguments: StatusArguments) -> anyhow::Result<Status> {
    let place = arguments.place()?;
    let connection = arguments.connection.open().await?;
    let (source, batches) = place.ask().await?;
    connection.require(&[Table::DERIVED]).await?;
    let (maintained, unusable) = match connection.processor()?.maintained().await {
        Ok(maintained) => (maintained, None),
        Err(error) => (connection.maintained_of_file()?, Some(reason(&error))),
    };
    let parked_counts = parked_counts(&connection).await?;
    let maintained_names = maintained.views.iter().map(|view| view.name().to_owned());
    let mut names: BTreeSet<String> = maintained_names.collect();
    names.extend(maintained.unreadable.iter().map(|it| it.view.clone()));
    names.extend(parked_counts.keys().cloned());
    names.extend(batches.iter().flat_map(|batches| batches.outcomes.keys().cloned()));
    let mut views = Vec::new();
    for view in names {
        views.push(ViewStatus {
            lag_ms: batches.as_ref().and_then(|batches| batches.lag_ms.get(&view)).copied(),
            outcomes: batches.as_ref().map(|batches| batches.outcomes_of(&view)),
            parked_count: parked_counts.get(&view).copied().unwrap_or(0),
            verified: verified(&connection, &view).await?,
            generation: maintained
                .registry
                .as_ref()
                .and_then(|registry| registry.of_view(&view))
                .map(|it| (it.generation, it.state)),
            view,
        });
    }
    let notes = match &unusable {
        None => notes(&connection, &maintained),
        Some(reason) => {
            vec![format!("the registry of views cannot be used, and every record fails: {reason}")]
        }
    };
    print(&source, &views, &notes, arguments.connection.format())?;
    Ok(if unusable.is_none() { Status::Done } else { Status::Incomplete })
}

/// What is not as the views file says, one sentence each.
fn notes(connection: &Connection, maintained: &Maintained) -> Vec<String> {
    let differences = connection.differences(maintained).map(|it| format!("{it}; {}", it.fix()));
    let unreadable = maintained.unreadable.iter().map(|it| {
        let (view, table, reason) = (&it.view, &it.table, &it.reason);
        format!("view `{view}` is not maintained, and the records of `{table}` fail: {reason}")
    });
    let absent = maintained
        .registry
        .is_none()
        .then(|| "there is no registry yet: the first batch or the first `up` makes it".to_owned());
    let registered = maintained.registry.iter().flat_map(|it| &it.views);
    let building = registered.filter(|it| it.state == State::Building).map(|it| {
        format!(
            "view `{}` is building: it is unknown whether it covers what its table held before; run `afterimage verify`",
            it.name
        )
    });
    differences.chain(unreadable).chain(absent).chain(building).collect()
}

async fn parked_counts(connection: &Connection) -> anyhow::Result<BTreeMap<String, usize>> {
    let parked = ParkedRecords::new(connection.client.clone(), connection.catalog()?);
    let parked = parked.summaries().await;
    let parked = parked
        .with_context(|| format!("the parked records at {} cannot be read", connection.place()))?;
    let mut counts = BTreeMap::new();
    for summary in parked {
        *counts.entry(summary.view).or_insert(0) += 1;
    }
    Ok(counts)
}

/// What the last verification of the view found; `None` where there was none.
async fn verified(connection: &Connection, view: &str) -> anyhow::Result<Option<VerifyResult>> {
    let key = VerifyResult::key(view).to_item(&TableDefinition::derived());
    let mut request = connection.client.get_item();
    request = request.table_name(connection.names.name(&Table::DERIVED)?).consistent_read(true);
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

fn print(
    source: &Source,
    views: &[ViewStatus],
    notes: &[String],
    format: Format,
) -> anyhow::Result<()> {
    let mut output = Output::new();
    match format {
        Format::Table => {
            output.line(&source.to_string())?;
            let rows: Vec<_> = views.iter().map(row).collect();
            output.table(
                ["VIEW", "LAG", "OUTCOMES", "PARKED", "DRIFT", "VERIFIED AT", "STATE"],
                &rows,
            )?;
            for note in notes {
                output.line(&format!("note: {note}"))?;
            }
        }
        Format::Json => {
            let views: Vec<_> = views.iter().map(document).collect();
            let (stack, log) = match source {
                Source::Stack(stack) => (Some(stack), None),
                Source::Log(log) => (None, Some(log)),
                Source::Nobody => (None, None),
            };
            output.json(&json!({ "stack": stack, "log": log, "views": views, "notes": notes }))?;
        }
    }
    output.finish()?;
    Ok(())
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(Stack { drained, records_processed, pending, on_failure }) => {
                let drained = if *drained { "drained" } else { "not drained" };
                write!(
                    formatter,
                    "{drained}: {records_processed} records processed, {pending} pending, {on_failure} on failure"
                )
            }
            Self::Log(Log { log_group, since, batches }) => {
                write!(formatter, "{log_group} since {since}: {batches} batches")
            }
            Self::Nobody => {
                write!(formatter, "lag and outcomes are in a log group: {}", log_group::NEXT)
            }
        }
    }
}

fn row(view: &ViewStatus) -> [String; 7] {
    let unknown = || "-".to_owned();
    let outcomes = view.outcomes.as_ref().map(|outcomes| {
        outcomes.iter().map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
    });
    let verified = view.verified.as_ref();
    [
        view.view.clone(),
        view.lag_ms.map_or_else(unknown, |lag_ms| format!("{:.1} s", lag_ms as f64 / 1000.0)),
        outcomes.map_or_else(unknown, |it| if it.is_empty() { "none".to_owned() } else { it }),
        view.parked_count.to_string(),
        verified.map_or_else(unknown, drift),
        verified.map_or_else(|| "never".to_owned(), |it| it.finished_at.clone()),
        view.generation.map_or_else(unknown, |(_, state)| state.to_string()),
    ]
}

/// What the last verification found: what it could not decide is not 0.
fn drift(verified: &VerifyResult) -> String {
    match verified.undecided_count {
        0 => verified.drift_count.to_string(),
        undecided_count => format!("{}, {undecided_count} undecided", verified.drift_count),
    }
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
        "generation": view.generation.map(|(number, _)| number),
        "state": view.generation.map(|(_, state)| state.name()),
        "verified": verified,
    })
}
