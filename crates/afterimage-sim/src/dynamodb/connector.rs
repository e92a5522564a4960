//! The connector under the SDK: every call takes time, and may meet a fault.

use crate::world::MESSAGES;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::batch_get::{is_empty, take_eventual, take_hidden, take_unprocessed, tell_absent};
use super::dispatch::{Refusal, dispatch};
use super::held::Hold;
use super::tamper::{Part, Passage, passage};
use super::{CALLS_MAX, Dynamodb, Fault, State, is_write};
use crate::canary::Canary;
use crate::trace::request_text;
use crate::world::table_name;

/// How long after its sending a lingering request is carried out: past every attempt's time-out.
const LINGER_MS: std::ops::Range<u64> = 3_000..12_000;

/// Index entries in a page: few, so that pages are read.
const INDEX_PAGE_SIZE: usize = 7;

/// The HTTP client of one simulated process.
#[derive(Clone)]
pub(super) struct InProcessClient {
    dynamodb: Dynamodb,
    name: Arc<str>,
}

/// A call, and what happens to it.
struct Call {
    operation: String,
    body: String,
    number: u64,
    fault: Option<Fault>,
    /// Until it reaches the service, in milliseconds.
    there_ms: u64,
    /// Until the answer reaches the client, in milliseconds.
    back_ms: u64,
    /// Drawn for choices within the fault.
    pick: usize,
}

/// What the client gets; `None` where it waits in vain.
type Answer = Option<Result<(u16, String), ConnectorError>>;

impl std::fmt::Debug for InProcessClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("InProcessClient").field("name", &self.name).finish_non_exhaustive()
    }
}

impl InProcessClient {
    pub(super) fn new(dynamodb: Dynamodb, name: &str) -> Self {
        Self { dynamodb, name: name.into() }
    }

    fn draw(&self, operation: String, body: String) -> Call {
        let mut state = self.dynamodb.state();
        state.call_count += 1;
        let number = state.call_count;
        let fault = state.draw_fault(&operation);
        let State { random, rates, .. } = &mut *state;
        let mut delay_ms = || random.u64(0..=rates.delay_ms_max);
        let (mut there_ms, back_ms) = (delay_ms(), delay_ms());
        if fault == Some(Fault::Linger) {
            there_ms = random.u64(LINGER_MS);
        }
        Call { operation, body, number, fault, there_ms, back_ms, pick: random.usize(..) }
    }

    /// The call from its sending to its answer. It goes on when its sender is gone, as a request that
    /// is on the wire does.
    async fn carry(self, call: Call) -> Answer {
        if call.number > CALLS_MAX {
            return None;
        }
        sleep(Duration::from_millis(call.there_ms)).await;
        let answer = match call.fault {
            // No answer comes of it: status 0.
            Some(Fault::LoseRequest | Fault::SwallowRequest) => Ok((0, String::new())),
            Some(fault @ (Fault::Throttle | Fault::Conflict | Fault::InternalError)) => {
                let action_count = action_count(&call.body);
                let refusal = fault.refusal(&call.operation, action_count, call.pick);
                Ok(refusal
                    .map_or_else(|| (500, String::new()), |(status, it)| (status, it.to_string())))
            }
            Some(Fault::LeaveUnprocessed) => {
                self.batch_get(&call.body, |count| call.pick.checked_rem(count + 1).unwrap_or(0))
            }
            None
            | Some(
                Fault::InternalErrorAfter
                | Fault::LoseResponse
                | Fault::SwallowResponse
                | Fault::Linger,
            ) => self.pass_when_free(&call.operation, &call.body).await,
        };
        self.tell(&call, &answer);
        sleep(Duration::from_millis(call.back_ms)).await;
        let cut = || Err(ConnectorError::io("the connection was cut".into()));
        match call.fault {
            Some(Fault::LoseRequest | Fault::LoseResponse) => Some(cut()),
            Some(Fault::SwallowRequest | Fault::SwallowResponse) => None,
            Some(fault @ Fault::InternalErrorAfter) => {
                let refusal = fault.refusal(&call.operation, 0, 0);
                refusal.map(|(status, body)| Ok((status, body.to_string())))
            }
            None
            | Some(
                Fault::Throttle
                | Fault::Conflict
                | Fault::InternalError
                | Fault::LeaveUnprocessed
                | Fault::Linger,
            ) => Some(Ok(match answer {
                Ok(answer) => answer,
                Err(refusal) => (refusal.status, refusal.body),
            })),
        }
    }

    /// Carries out a call, unless it meets items that another write holds. Transactions hold theirs for some time.
    async fn pass_when_free(&self, operation: &str, body: &str) -> Result<(u16, String), Refusal> {
        let (hold, time) = {
            let state = self.dynamodb.state();
            let time = state.rates.transaction_time;
            (Hold::of(operation, body, &state.key_attributes), time)
        };
        let Some(hold) = hold else {
            return self.pass(operation, body);
        };
        let taken = self.dynamodb.state().held.take(&hold);
        if let Err((status, body)) = taken {
            return Ok((status, body.to_string()));
        }
        let time = time.of(hold.action_count());
        if hold.is_transaction() && !time.is_zero() {
            sleep(time).await;
        }
        let answer = self.pass(operation, body);
        self.dynamodb.state().held.release(&hold);
        answer
    }

    /// Carries out a call, or what a planted bug makes of it.
    fn pass(&self, operation: &str, body: &str) -> Result<(u16, String), Refusal> {
        let planted = self.dynamodb.state().canary;
        let Some((canary, request)) = planted.zip(serde_json::from_str(body).ok()) else {
            return self.carry_out(operation, body);
        };
        match passage(canary, operation, request) {
            Passage::Whole(request) => self.carry_out(operation, &request.to_string()),
            Passage::Swallowed => Ok((200, "{}".to_owned())),
            Passage::Apart([first, second]) => {
                let action_count = action_count(body);
                self.carry_out_part(operation, &first, action_count)?;
                self.carry_out_part(operation, &second, action_count)
            }
        }
    }

    fn carry_out_part(
        &self,
        operation: &str,
        part: &Part,
        action_count: usize,
    ) -> Result<(u16, String), Refusal> {
        let of_whole = |refusal: Refusal| Refusal {
            status: refusal.status,
            body: part.refusal_of_whole(&refusal.body, action_count),
        };
        self.carry_out(operation, &part.request.to_string()).map_err(of_whole)
    }

    fn carry_out(&self, operation: &str, body: &str) -> Result<(u16, String), Refusal> {
        let is_eventual = body.contains("\"ConsistentRead\":false");
        match operation {
            "Query" if body.contains("\"IndexName\"") => match self.stale_answer(body) {
                Some(answer) => Ok((200, answer.to_string())),
                None => self.plainly(operation, body),
            },
            "BatchGetItem" if is_eventual || self.dynamodb.is_planted(Canary::IndexTrusted) => {
                self.batch_get(body, |count| count)
            }
            _ => self.plainly(operation, body),
        }
    }

    fn plainly(&self, operation: &str, body: &str) -> Result<(u16, String), Refusal> {
        let answer = dispatch(&self.dynamodb.0.database, operation, body)?;
        if is_write(operation) {
            let watcher = {
                let mut state = self.dynamodb.state();
                state.write_count += 1;
                state.watcher.clone()
            };
            watcher.into_iter().for_each(|watcher| watcher.written(body));
        }
        Ok((200, answer))
    }

    fn stale_answer(&self, body: &str) -> Option<Value> {
        let request = serde_json::from_str(body).ok()?;
        self.dynamodb.state().stale_index.as_ref()?.answer(&request, INDEX_PAGE_SIZE)
    }

    /// A batch of reads; `kept_of` says of so many keys how many are processed.
    fn batch_get(
        &self,
        body: &str,
        kept_of: impl Fn(usize) -> usize,
    ) -> Result<(u16, String), Refusal> {
        let Ok(mut request) = serde_json::from_str::<Value>(body) else {
            return self.plainly("BatchGetItem", body);
        };
        let whole = request.clone();
        let mut left = take_unprocessed(&mut request, kept_of);
        let table = table_name(&MESSAGES);
        let eventual = {
            let State { stale_index, canary, .. } = &*self.dynamodb.state();
            if *canary == Some(Canary::UnprocessedForgotten) {
                left = json!({});
            }
            if let Some(stale) =
                stale_index.as_ref().filter(|_| *canary == Some(Canary::IndexTrusted))
            {
                take_hidden(&mut request, &table, stale);
            }
            match stale_index {
                Some(stale) => take_eventual(&mut request, &table, stale),
                None => Vec::new(),
            }
        };
        let mut answer = json!({ "Responses": {} });
        if !is_empty(&request) {
            let (_, body) = self.plainly("BatchGetItem", &request.to_string())?;
            answer = serde_json::from_str(&body).unwrap_or(Value::Null);
        }
        if !eventual.is_empty() {
            answer["Responses"][table] = Value::from(eventual);
        }
        tell_absent(&whole, &left, &mut answer);
        answer["UnprocessedKeys"] = left;
        Ok((200, answer.to_string()))
    }

    fn tell(&self, call: &Call, answer: &Result<(u16, String), Refusal>) {
        self.dynamodb.0.trace.note(|| {
            let fault = call.fault.map_or_else(String::new, |fault| format!(" ({})", fault.name()));
            let end = match answer {
                Ok((0, _)) => "not carried out".to_owned(),
                Ok((status, body)) if *status >= 400 => kind_of(body),
                Ok(_) => "ok".to_owned(),
                Err(refusal) => kind_of(&refusal.body),
            };
            let what = request_text(&call.operation, &call.body);
            format!("{} #{}: {what} -> {end}{fault}", self.name, call.number)
        });
    }
}

/// The error's kind, and the reasons of a cancelled transaction.
fn kind_of(body: &str) -> String {
    let Ok(error) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    let kind = error["__type"].as_str().unwrap_or("error without a type");
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let reasons: Vec<_> = error["CancellationReasons"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, reason)| {
            let code = reason["Code"].as_str().filter(|code| *code != "None")?;
            Some(format!("{index}: {code}"))
        })
        .collect();
    if reasons.is_empty() { kind.to_owned() } else { format!("{kind} [{}]", reasons.join(", ")) }
}

fn action_count(body: &str) -> usize {
    let request = serde_json::from_str::<Value>(body);
    request.ok().and_then(|it| it["TransactItems"].as_array().map(Vec::len)).unwrap_or(0)
}

impl State {
    fn draw_fault(&mut self, operation: &str) -> Option<Fault> {
        if let Some(place) = self.script.iter().position(|fault| fault.befalls(operation)) {
            return self.script.remove(place);
        }
        if self.random.u16(0..1000) >= self.rates.per_mille {
            return None;
        }
        if Fault::LeaveUnprocessed.befalls(operation) && self.random.bool() {
            return Some(Fault::LeaveUnprocessed);
        }
        self.random.choice(
            Fault::BY_CHANCE
                .into_iter()
                .filter(|fault| fault.befalls(operation))
                .collect::<Vec<_>>(),
        )
    }
}

impl HttpClient for InProcessClient {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcessClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let call = self.draw(operation, body.into_owned());
        let (sender, receiver) = oneshot::channel();
        let client = self.clone();
        tokio::spawn(async move {
            // Nobody may be there any more to take the answer.
            if let Some(answer) = client.carry(call).await {
                drop(sender.send(answer));
            } else {
                std::future::pending::<()>().await;
                drop(sender);
            }
        });
        HttpConnectorFuture::new(async move {
            let lost = |_| ConnectorError::io("the simulated service ended".into());
            let (status, body) = receiver.await.map_err(lost)??;
            let status =
                status.try_into().map_err(|_| ConnectorError::other("no status".into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}
