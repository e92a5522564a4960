//! What the stream processor's log on AWS tells.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::batches::Batches;
use crate::commands::logs::log_group::{LogEvent, LogGroup};
use crate::failure::Failure;
use crate::progress;

/// The lines that tell of batches; `docs/operating.md` lists their fields.
const PATTERN: &str = r#"{ ($.message = "batch processed") || ($.message = "view updated") }"#;

/// What was read of the log.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    pub log_group: String,
    /// RFC 3339.
    pub since: String,
    pub batches: u64,
}

/// A line that tells of a batch.
#[derive(Deserialize)]
#[serde(tag = "message")]
enum Line {
    #[serde(rename = "batch processed")]
    Batch { outcomes: BTreeMap<String, BTreeMap<String, u64>> },
    #[serde(rename = "view updated")]
    View {
        #[serde(rename = "View")]
        view: String,
        view_lag_seconds: Option<f64>,
    },
}

/// Sums up the batches since a time, and finds the last lag of each view.
pub(super) async fn read_log(name: &str, since: OffsetDateTime) -> anyhow::Result<(Log, Batches)> {
    let mut tally = Tally::default();
    let mut log_group = LogGroup::open(name.to_owned(), since).await?.filtered(PATTERN);
    let spinner = progress::spinner("reading the log");
    let read = log_group.read(|page| {
        page.iter().try_for_each(|event| tally.take(event)).map_err(|error| {
            let sentence = format!("a line in {name} tells of no batch in the way of this version");
            let next = "name the log group in the deployed stack's output ProcessorLogGroup, or give a shorter --since";
            Failure::new(sentence, next).because(error).into()
        })
    });
    let read = read.await;
    spinner.finish_and_clear();
    read?;
    let since = since.format(&Rfc3339).context("the time of --since cannot be told")?;
    Ok((Log { log_group: name.to_owned(), since, batches: tally.batch_count }, tally.batches))
}

#[derive(Default)]
struct Tally {
    batches: Batches,
    batch_count: u64,
    /// When each view's lag was logged: pages are not promised to come in order.
    lag_logged_at_ms: BTreeMap<String, i64>,
}

impl Tally {
    fn take(&mut self, event: &LogEvent) -> anyhow::Result<()> {
        let message = event.message.as_deref().context("an event has no message")?;
        match serde_json::from_str(message)? {
            Line::Batch { outcomes } => {
                self.batch_count += 1;
                for (view, counts) in outcomes {
                    let sums = self.batches.outcomes.entry(view).or_default();
                    for (outcome, count) in counts {
                        *sums.entry(outcome).or_insert(0) += count;
                    }
                }
            }
            Line::View { view, view_lag_seconds: Some(seconds) } => {
                let at_ms = event.at_ms.context("an event has no time")?;
                let newest = self.lag_logged_at_ms.entry(view.clone()).or_insert(at_ms);
                if at_ms >= *newest {
                    *newest = at_ms;
                    self.batches.lag_ms.insert(view, (seconds * 1000.0).round() as i64);
                }
            }
            Line::View { view_lag_seconds: None, .. } => {}
        }
        Ok(())
    }
}
