//! How long a function of the API waits for DynamoDB.

use std::time::Duration;

use dynamodb_client::Timeouts;

/// How long a request of an application's function may take. An item or a page is answered in well under a
/// second. The client of the API is to read 503 rather than wait: an operation ends before Cognito gives up on a
/// trigger, which is after 5 seconds
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>),
/// and well before a function's own time-out (`template.yaml`) and API Gateway's 30 seconds
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>), so that a request may
/// need several. Two attempts have their time; the third does where the first two were refused, not lost.
pub const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(2),
    operation: Duration::from_secs(4),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_ends_before_any_function() {
        let lines = include_str!("../../../template.yaml").lines();
        let timeouts = lines.filter_map(|line| line.trim().strip_prefix("Timeout: "));
        let timeouts: Vec<_> = timeouts.map(|it| it.parse().expect("seconds")).collect();
        assert!(!timeouts.is_empty());
        for timeout in timeouts.into_iter().map(Duration::from_secs) {
            assert!(TIMEOUTS.operation < timeout, "{timeout:?}");
        }
    }
}
