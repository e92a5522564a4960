//! What can happen to a call.

use serde_json::{Value, json};

use super::cancelled::cancelled;
use super::held::TransactionTime;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is throttled, and not carried out.
    Throttle,
    /// A transaction that is not seen here is at the same items: it is cancelled.
    Conflict,
    /// The service fails before carrying it out.
    InternalError,
    /// The service fails after carrying it out.
    InternalErrorAfter,
    /// The request is lost on its way, and the connection with it.
    LoseRequest,
    /// The request is lost on its way, and nobody says so: the client waits in vain.
    SwallowRequest,
    /// It is carried out, and the response is lost with the connection.
    LoseResponse,
    /// It is carried out, and nobody says so: the client waits in vain.
    SwallowResponse,
    /// A batch of reads leaves some keys unprocessed.
    LeaveUnprocessed,
    /// It is carried out long after the client stopped waiting.
    Linger,
}

impl Fault {
    /// The faults that calls meet by chance. Transactions conflict because they overlap, and not by chance.
    pub const BY_CHANCE: [Fault; 9] = [
        Fault::Throttle,
        Fault::InternalError,
        Fault::InternalErrorAfter,
        Fault::LoseRequest,
        Fault::SwallowRequest,
        Fault::LoseResponse,
        Fault::SwallowResponse,
        Fault::LeaveUnprocessed,
        Fault::Linger,
    ];

    /// What a story calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Throttle => "throttled",
            Fault::Conflict => "conflict",
            Fault::InternalError => "internal error, not carried out",
            Fault::InternalErrorAfter => "internal error, but carried out",
            Fault::LoseRequest => "request lost",
            Fault::SwallowRequest => "request lost in silence",
            Fault::LoseResponse => "response lost",
            Fault::SwallowResponse => "response lost in silence",
            Fault::LeaveUnprocessed => "keys left unprocessed",
            Fault::Linger => "carried out late",
        }
    }

    /// Whether a call of this operation can meet it.
    #[must_use]
    pub fn befalls(self, operation: &str) -> bool {
        match self {
            Fault::Conflict => matches!(operation, "TransactWriteItems" | "PutItem"),
            Fault::LeaveUnprocessed => operation == "BatchGetItem",
            Fault::Throttle
            | Fault::InternalError
            | Fault::InternalErrorAfter
            | Fault::LoseRequest
            | Fault::SwallowRequest
            | Fault::LoseResponse
            | Fault::SwallowResponse
            | Fault::Linger => true,
        }
    }

    /// The answer of the service to a call that it does not carry out; `None` where it says nothing,
    /// or carries it out.
    #[must_use]
    pub(super) fn refusal(
        self,
        operation: &str,
        action_count: usize,
        pick: usize,
    ) -> Option<(u16, Value)> {
        let is_transaction = operation == "TransactWriteItems";
        let picked: Vec<_> = pick.checked_rem(action_count).into_iter().collect();
        match self {
            Fault::Throttle if is_transaction && pick.is_multiple_of(2) => {
                Some((400, cancelled(action_count, &picked, "ThrottlingError")))
            }
            Fault::Throttle => Some((
                400,
                json!({ "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down" }),
            )),
            Fault::Conflict if is_transaction => {
                Some((400, cancelled(action_count, &picked, "TransactionConflict")))
            }
            Fault::Conflict => Some((
                400,
                json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                    "message": "Transaction is ongoing for the item",
                }),
            )),
            Fault::InternalError | Fault::InternalErrorAfter => Some((500, internal_error())),
            Fault::LoseRequest
            | Fault::SwallowRequest
            | Fault::LoseResponse
            | Fault::SwallowResponse
            | Fault::LeaveUnprocessed
            | Fault::Linger => None,
        }
    }
}

fn internal_error() -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError",
        "message": "try again later",
    })
}

/// How often calls meet faults, and how long they and transactions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRates {
    /// Calls of a thousand that meet a fault.
    pub per_mille: u16,
    /// The longest that a request or a response takes on its way, in milliseconds.
    pub delay_ms_max: u64,
    /// How long transactions hold their items.
    pub transaction_time: TransactionTime,
}

impl FaultRates {
    /// No faults; a millisecond each way.
    pub const NONE: Self =
        Self { per_mille: 0, delay_ms_max: 1, transaction_time: TransactionTime::NONE };
}
