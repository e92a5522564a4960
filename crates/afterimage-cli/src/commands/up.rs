//! `afterimage up`: everything, on this machine.

use std::path::PathBuf;

use afterimage_dynamodb::ViewsFile;
use afterimage_local::{
    AllowedHost, AllowedOrigin, Callers, Options, Stack, Storage, function_log, install_logs,
};
use anyhow::Context as _;
use clap::Args;

use crate::connection::read_views;
use crate::failure::Status;
use crate::output::{Format, Output};

const EXAMPLES: &str = "\
Examples:
  afterimage up
  afterimage up --in-memory --no-seed
  afterimage up --http-port 0 --dynamodb-port 0 --data-dir other
  afterimage up --views examples/orders/views.toml --in-memory
  afterimage up --allow-origin https://app.example.com --allow-host app.test

A line that begins with `ready` names both URLs. Ctrl-C finishes the batch in hand; a second one
ends at once.
Both ports listen on 127.0.0.1. They refuse (403) web pages that another machine serves, and requests
for another host name, unless --allow-origin and --allow-host name them.
Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 it did not start, 2 wrong usage, 3 the data dir is in
use by another process, 4 the data dir cannot be used, 5 a port cannot be listened on, 130 ended
before all was finished.";

/// The arguments of `up`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UpArguments {
    /// The port of the HTTP API; 0 chooses a free one
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    http_port: u16,
    /// The port of DynamoDB and its streams, for any AWS client with any credentials; 0 chooses a
    /// free one
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    dynamodb_port: u16,
    /// Where the data, the logs and the keys are kept
    #[arg(long, value_name = "DIR", default_value = ".afterimage", conflicts_with = "in_memory")]
    data_dir: PathBuf,
    /// Keep nothing
    #[arg(long)]
    in_memory: bool,
    /// Start without the sample albums and conversations
    #[arg(long)]
    no_seed: bool,
    /// Do not read the streams, for a processor of your own
    #[arg(long)]
    no_trigger: bool,
    /// Let web pages of this origin call both ports, besides the pages that this machine serves; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<AllowedOrigin>,
    /// Let both ports be called by this host name or address, besides localhost and loopback addresses; may be
    /// repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<AllowedHost>,
    /// The views file [default: what AFTERIMAGE_VIEWS names, else ./views.toml, else the product's own]
    #[arg(long, value_name = "FILE")]
    views: Option<PathBuf>,
}

/// Runs the local stack until Ctrl-C or SIGTERM.
pub async fn run(arguments: UpArguments) -> anyhow::Result<Status> {
    // Read first: a mistake in it is said before anything is begun.
    let (views, names) = read_views(&ViewsFile::of_command(arguments.views), Format::Table)?;
    let log = (!arguments.in_memory).then(|| function_log(&arguments.data_dir));
    install_logs(log).context("the logs cannot be written")?;
    let options = Options {
        http_port: arguments.http_port,
        dynamodb_port: arguments.dynamodb_port,
        callers: Callers { origins: arguments.allow_origin, hosts: arguments.allow_host },
        storage: if arguments.in_memory {
            Storage::Memory
        } else {
            Storage::DataDir(arguments.data_dir)
        },
        seed: !arguments.no_seed,
        trigger: !arguments.no_trigger,
        views,
        names,
    };
    let mut stop = StopSignals::listen().context("Ctrl-C cannot be listened for")?;
    let stack = tokio::select! {
        started = Box::pin(Stack::start(options)) => started?,
        () = stop.next() => return Ok(Status::Interrupted),
    };
    let mut output = Output::new();
    output.line(&format!(
        "ready  HTTP API {}  DynamoDB {}",
        stack.http_url(),
        stack.dynamodb_url()
    ))?;
    output.finish()?;
    stop.next().await;
    tokio::select! {
        () = stack.shutdown() => Ok(Status::Done),
        () = stop.next() => Ok(Status::Interrupted),
    }
}

/// Ctrl-C and SIGTERM. None is missed between two waits.
#[cfg(unix)]
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct StopSignals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
