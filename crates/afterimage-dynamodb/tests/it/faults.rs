//! Faults that emulators lack, under the real SDK: throttling, conflicts, lost responses.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use futures::future::BoxFuture;

/// What happens to one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is throttled, and not carried out.
    Throttle,
    /// It is cancelled by a conflict.
    Conflict,
    /// The service fails, and does not carry it out.
    InternalError,
    /// It is carried out, and the response is lost.
    LoseResponse,
    /// The policies do not allow it: trying again is of no use.
    Deny,
}

/// The script that a client's transactions meet.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    next: VecDeque<Fault>,
    throttled_text: Option<String>,
    interference: Option<BoxFuture<'static, ()>>,
    /// An operation, and the body that answers it.
    answer: Option<(&'static str, &'static str)>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Script").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Faults {
    /// The next transactions meet these faults, one each.
    pub fn push(&self, faults: &[Fault]) {
        self.0.lock().expect("a script").next.extend(faults);
    }

    /// Every transaction whose request holds this text is throttled.
    pub fn throttle_writes_of(&self, text: &str) {
        self.0.lock().expect("a script").throttled_text = Some(text.to_owned());
    }

    /// Somebody else does this between what the next transaction rests on and its commit.
    pub fn before_next_write(&self, interference: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().expect("a script").interference = Some(Box::pin(interference));
    }

    /// Every request of this operation is answered with status 200 and this body.
    pub fn answer(&self, operation: &'static str, body: &'static str) {
        self.0.lock().expect("a script").answer = Some((operation, body));
    }

    fn answer_to(&self, request: &HttpRequest) -> Option<&'static str> {
        let target = request.headers().get("x-amz-target")?;
        let (operation, body) = self.0.lock().expect("a script").answer?;
        target.ends_with(&format!(".{operation}")).then_some(body)
    }

    pub fn clear(&self) {
        *self.0.lock().expect("a script") = Script::default();
    }

    pub fn left(&self) -> usize {
        self.0.lock().expect("a script").next.len()
    }

    fn interference(&self, request: &HttpRequest) -> Option<BoxFuture<'static, ()>> {
        self.0.lock().expect("a script").interference.take_if(|_| is_transaction(request))
    }

    fn for_request(&self, request: &HttpRequest) -> Option<Fault> {
        if !is_transaction(request) {
            return None;
        }
        let body = String::from_utf8_lossy(request.body().bytes()?).into_owned();
        let mut script = self.0.lock().expect("a script");
        let is_throttled = script.throttled_text.as_ref().is_some_and(|text| body.contains(text));
        if is_throttled { Some(Fault::Throttle) } else { script.next.pop_front() }
    }
}

fn is_transaction(request: &HttpRequest) -> bool {
    let target = request.headers().get("x-amz-target");
    target.is_some_and(|target| target.ends_with(".TransactWriteItems"))
}

/// A client of the same DynamoDB whose transactions meet a script of faults.
pub fn faulty_client(client: &Client) -> (Client, Faults) {
    let faults = Faults::default();
    let inner = aws_smithy_http_client::Builder::new().build_http();
    let config = client
        .config()
        .to_builder()
        .http_client(FaultyHttpClient { inner, faults: faults.clone() })
        .build();
    (Client::from_conf(config), faults)
}

#[derive(Debug)]
struct FaultyHttpClient {
    inner: SharedHttpClient,
    faults: Faults,
}

impl HttpClient for FaultyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            faults: self.faults.clone(),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faults: Faults,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = |status: u16, body: &str| {
            let status = status.try_into().expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        };
        if let Some(body) = self.faults.answer_to(&request) {
            return answer(200, body);
        }
        if let Some(interference) = self.faults.interference(&request) {
            let inner = self.inner.clone();
            return HttpConnectorFuture::new(async move {
                interference.await;
                inner.call(request).await
            });
        }
        match self.faults.for_request(&request) {
            None => self.inner.call(request),
            Some(Fault::Throttle) => {
                answer(400, r#"{"__type":"ThrottlingException","message":"slow down"}"#)
            }
            Some(Fault::Conflict) => answer(
                400,
                r#"{"__type":"TransactionCanceledException","Message":"Transaction cancelled","CancellationReasons":[{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]}"#,
            ),
            Some(Fault::InternalError) => {
                answer(500, r#"{"__type":"InternalServerError","message":"try later"}"#)
            }
            Some(Fault::Deny) => {
                answer(400, r#"{"__type":"AccessDeniedException","message":"not authorized"}"#)
            }
            Some(Fault::LoseResponse) => {
                let carried_out = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    carried_out.await?;
                    Err(ConnectorError::io("the connection was cut".into()))
                })
            }
        }
    }
}
