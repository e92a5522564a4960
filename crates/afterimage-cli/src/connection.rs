//! The DynamoDB that a command works on: the local stack's, another endpoint, or AWS.

mod refusal;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use afterimage::registry::{Difference, Maintained, OwnViews};
use afterimage::{Catalog, Views};
use afterimage_dynamodb::{Processor, ViewsFile};
use afterimage_schema::{Table, TableDefinition, TableNames};
use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use clap::Args;
use dynamodb_client::{Timeouts, settings_at_endpoint, settings_from_environment};

use crate::failure::Failure;
use crate::output::Format;

pub use refusal::Refusal;

/// Where the local stack serves DynamoDB unless told otherwise.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8000";

/// A local endpoint answers at once or not at all. An attempt that takes this long has no answer: something
/// accepts connections, and is not DynamoDB. An operation has the time of three attempts and their back-off.
const ENDPOINT_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    attempt: Duration::from_secs(10),
    operation: Duration::from_secs(33),
};

/// The same on AWS, where a connection may be lost without a word, and a search in a log takes a while.
const AWS_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(30),
    operation: Duration::from_secs(93),
};

/// What to do where AWS does not answer.
#[cfg(feature = "aws")]
const AWS_UNREACHABLE_NEXT: &str =
    "check the network, the credentials (`aws sts get-caller-identity`) and AWS_REGION";
#[cfg(not(feature = "aws"))]
const AWS_UNREACHABLE_NEXT: &str = "check the network, the credentials (`aws sts get-caller-identity`) and AWS_REGION; \
     to sign in by IAM Identity Center, install with `cargo install --locked --path crates/afterimage-cli --features aws`";

/// The options of every command but `up`; they may stand anywhere after the command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection and output")]
pub struct ConnectionArguments {
    /// The URL of DynamoDB, for which no credentials are needed [default: http://127.0.0.1:8000]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
    /// Work on the AWS account of the environment; DERIVED_TABLE names the table `derived`, ORDERS_TABLE
    /// the table `orders`, and so on
    #[arg(long, global = true)]
    aws: bool,
    /// The views file [default: what AFTERIMAGE_VIEWS names, else ./views.toml, else the product's own]
    #[arg(long, global = true, value_name = "FILE")]
    views: Option<PathBuf>,
    /// How data is printed [default: table]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

impl ConnectionArguments {
    /// How data is printed.
    pub fn format(&self) -> Format {
        self.output.unwrap_or_default()
    }

    /// Whether the command works on AWS.
    pub fn is_aws(&self) -> bool {
        self.aws
    }

    /// Whether an endpoint is named.
    pub fn has_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }

    /// A client for the chosen DynamoDB; nothing is sent yet.
    pub async fn open(&self) -> anyhow::Result<Connection> {
        self.check()?;
        let file = ViewsFile::of_command(self.views.clone());
        let (views, names) = read_views(&file, self.format())?;
        let (config, place) = match (&self.endpoint, self.aws) {
            (_, true) => (aws_settings().await?, Place::Aws),
            (endpoint, false) => {
                let url = endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT);
                check_url(url)?;
                (settings_at_endpoint(url, ENDPOINT_TIMEOUTS), Place::Endpoint(url.to_owned()))
            }
        };
        Ok(Connection { client: Client::new(&config), config, views, names, file, place })
    }

    /// Refuses two places at once.
    pub fn check(&self) -> Result<(), Failure> {
        if self.endpoint.is_some() && self.aws {
            return Err(Failure::usage(
                "--endpoint and --aws exclude each other",
                "give the one that you mean",
            ));
        }
        Ok(())
    }
}

/// Where DynamoDB is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Aws,
    Endpoint(String),
}

/// The DynamoDB that a command works on.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The views, and the tables that they declare.
    pub views: Views,
    /// The tables' real names.
    pub names: TableNames,
    file: ViewsFile,
    config: SdkConfig,
    place: Place,
}

impl Connection {
    /// The views file that the command takes.
    pub fn file(&self) -> &ViewsFile {
        &self.file
    }

    /// A client for the tables' streams.
    pub fn streams(&self) -> aws_sdk_dynamodbstreams::Client {
        aws_sdk_dynamodbstreams::Client::new(&self.config)
    }

    /// The tables, the views' and `derived`, as the engine knows them.
    pub fn catalog(&self) -> anyhow::Result<Catalog> {
        Ok(self.views.catalog(self.names.clone())?)
    }

    /// A processor whose own file is the command's.
    pub fn processor(&self) -> anyhow::Result<Processor> {
        Ok(Processor::new(self.client.clone(), self.views.clone(), self.names.clone())?)
    }

    /// What the command's file alone would maintain.
    pub fn maintained_of_file(&self) -> anyhow::Result<Maintained> {
        let own = OwnViews { views: self.views.clone(), names: self.names.clone() };
        Ok(Maintained::of_file(&own)?)
    }

    /// A processor, and what it maintains: what is registered, never what the command's file says beside it. The
    /// tables that it needs are there.
    pub async fn registered(&self) -> anyhow::Result<(Processor, Maintained)> {
        self.require(&[Table::DERIVED]).await?;
        let processor = self.processor()?;
        let maintained = processor.maintained().await.map_err(|error| {
            let sentence = format!("the registry of views at {} cannot be used", self.place());
            Failure::new(sentence, "correct what the cause names, and run the command again")
                .because(error)
        })?;
        self.check_differences(&maintained)?;
        check_readable(&maintained)?;
        for view in maintained.views.iter() {
            self.require_name(maintained.catalog.name(view.source())?).await?;
        }
        Ok((processor, maintained))
    }

    /// Refuses to make the registry of a deployment: whose file it would hold is the function's to say.
    pub fn require_registry(&self, maintained: &Maintained) -> Result<(), Failure> {
        if maintained.registry.is_some() || !self.is_aws() {
            return Ok(());
        }
        Err(Failure::new(
            "there is no registry of views yet",
            "let the function process a batch, which makes it, and run the command again",
        ))
    }

    /// Where the command's file and the registry differ. A file that nobody named tells nothing by what it has more
    /// or less.
    pub fn differences<'a>(
        &self,
        maintained: &'a Maintained,
    ) -> impl Iterator<Item = &'a Difference> {
        let is_named = self.file != ViewsFile::CompiledIn;
        let is_told = move |it: &&Difference| match it {
            Difference::Unregistered { .. } | Difference::Lost { .. } => is_named,
            Difference::Changed { .. } | Difference::Unreadable { .. } => true,
        };
        maintained.differences.iter().filter(is_told)
    }

    /// Refuses a file that is not what is registered.
    fn check_differences(&self, maintained: &Maintained) -> anyhow::Result<()> {
        let (harmless, refused): (Vec<_>, Vec<_>) =
            self.differences(maintained).partition(|it| it.is_harmless());
        for it in harmless {
            writeln!(std::io::stderr(), "note: {it}")?;
        }
        let Some(first) = refused.first() else { return Ok(()) };
        let lines: Vec<_> = refused.iter().map(|it| format!("\n  {it}")).collect();
        let sentence = format!("{} is not what is registered:{}", self.file, lines.concat());
        Err(Failure::new(sentence, first.fix()).into())
    }

    /// Every table: the declared ones, then `derived`.
    pub fn tables(&self) -> Vec<TableDefinition> {
        self.views.all_tables()
    }

    /// The definition of a table that the command line names.
    pub fn table(&self, table: &Table) -> Result<TableDefinition, Failure> {
        let tables = self.tables();
        let known: Vec<_> = tables.iter().map(|it| it.table.to_string()).collect();
        tables.into_iter().find(|it| it.table == *table).ok_or_else(|| {
            let next = format!(
                "name one of: {}; or declare it in the views file, which --views names",
                known.join(", ")
            );
            Failure::usage(format!("there is no table `{table}`"), next)
        })
    }

    /// Checks that DynamoDB answers and has the tables, before any work is begun.
    pub async fn require(&self, tables: &[Table]) -> anyhow::Result<()> {
        for table in tables {
            self.require_name(self.names.name(table)?).await?;
        }
        Ok(())
    }

    async fn require_name(&self, name: &str) -> anyhow::Result<()> {
        let described = self.client.describe_table().table_name(name).send().await;
        described.map_err(|error| self.explain(error))?;
        Ok(())
    }

    /// What a failed request means for the person who asked.
    pub fn explain<E>(&self, error: SdkError<E>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let failure = match &error {
            SdkError::ServiceError(refusal) => self.refusal(refusal.err()),
            SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | SdkError::ResponseError(_)
            | SdkError::ConstructionFailure(_)
            | _ => self.unreachable(),
        };
        // The SDK's own sentence ("service error") says less than its cause.
        let cause = error.into_source().map_or_else(anyhow::Error::from, anyhow::Error::from_boxed);
        failure.because(cause).into()
    }

    /// Whether the command works on AWS.
    pub fn is_aws(&self) -> bool {
        self.place == Place::Aws
    }

    /// Where the command works, as its sentences name it.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Aws => "AWS".to_owned(),
            Place::Endpoint(url) => url.clone(),
        }
    }

    fn refusal(&self, error: &impl ProvideErrorMetadata) -> Failure {
        let place = self.place();
        let Some(code) = error.code() else {
            return Failure::new(
                format!("what answers at {place} is not DynamoDB"),
                "name the URL of DynamoDB with --endpoint",
            );
        };
        match Refusal::of(code) {
            Refusal::Missing => Failure::new(
                format!("a table is missing at {place}"),
                "create the tables with `afterimage schema load`, or give their real names: `name` in the views file, or variables such as DERIVED_TABLE",
            ),
            Refusal::Credentials => Failure::new(
                format!("{place} refused the credentials: {code}"),
                "sign in anew, and run the command again",
            ),
            Refusal::Access => Failure::new(
                format!("{place} does not allow this: {code}"),
                "use credentials whose policy allows what the cause names, and run the command again",
            ),
            Refusal::Throttled => Failure::new(
                format!("DynamoDB at {place} is too busy: {code}"),
                "wait a little, and run the command again: it is safe to repeat",
            ),
            Refusal::Other => Failure::new(
                format!("DynamoDB at {place} answered with {code}"),
                "correct what the cause names, and run the command again: it is safe to repeat",
            ),
        }
    }

    fn unreachable(&self) -> Failure {
        match &self.place {
            Place::Aws => Failure::new("AWS could not be asked", AWS_UNREACHABLE_NEXT),
            Place::Endpoint(url) => Failure::new(
                format!("no DynamoDB answers at {url}"),
                "start it with `cargo run -- up`, or name another with --endpoint",
            ),
        }
    }
}

/// The views of the file that the command takes, and the real names of their tables.
pub fn read_views(file: &ViewsFile, format: Format) -> anyhow::Result<(Views, TableNames)> {
    let views = file.read().map_err(|error| {
        Failure::new("the views cannot be used", "correct the file, or name another with --views")
            .because(error)
    })?;
    if format == Format::Table && Views::compiled_in().is_ok_and(|own| own != views) {
        // People learn of other views than the product's own; standard output is for data.
        writeln!(std::io::stderr(), "views: {file}")?;
    }
    let names = TableNames::from_environment(&views.all_tables())
        .context("the tables' real names cannot be used")?;
    Ok((views, names))
}

/// Of what cannot be maintained no answer would be true, and none of its records could be applied.
fn check_readable(maintained: &Maintained) -> Result<(), Failure> {
    match maintained.unreadable.first() {
        None => Ok(()),
        Some(it) => {
            let sentence =
                format!("the registered view `{}` cannot be used: {}", it.view, it.reason);
            Err(Failure::new(sentence, "use the version of Afterimage that registered it"))
        }
    }
}

fn check_url(url: &str) -> Result<(), Failure> {
    let parsed: Option<hyper::Uri> = url.parse().ok();
    let is_http = parsed.as_ref().is_some_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
    });
    if is_http {
        return Ok(());
    }
    let next = format!("give --endpoint a URL such as {DEFAULT_ENDPOINT}");
    Err(Failure::usage(format!("`{url}` is no URL of DynamoDB"), next))
}

/// The settings of the environment.
pub async fn aws_settings() -> anyhow::Result<SdkConfig> {
    let config = settings_from_environment(AWS_TIMEOUTS).await;
    if config.region().is_none() {
        return Err(Failure::new(
            "the environment names no AWS Region",
            "set AWS_REGION, or a Region in the profile that AWS_PROFILE names",
        )
        .into());
    }
    Ok(config)
}
