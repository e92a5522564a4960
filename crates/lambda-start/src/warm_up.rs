//! The first read of a function.

use std::error::Error;
use std::time::Duration;

/// How long a start waits for it. A start may take 10 seconds
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>); one that waits
/// longer than this would gain nothing, since the first invocation can wait as well.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// Awaits the read, and logs why it failed.
pub(crate) async fn warm_up<E: Error>(read: impl Future<Output = Result<(), E>>) {
    match tokio::time::timeout(WARM_UP_TIMEOUT, read).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(
                error = crate::sentence(&error),
                "warm-up failed: the first invocation opens the connection"
            );
        }
        Err(_) => {
            tracing::warn!("warm-up took too long: the first invocation opens the connection");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_start_does_not_wait_for_ever() {
        let start = Instant::now();
        warm_up(std::future::pending::<Result<(), Infallible>>()).await;
        assert_eq!(start.elapsed(), WARM_UP_TIMEOUT);
    }
}
