//! What is in place of CloudWatch Logs where the command is built without the feature `aws`.

use crate::failure::Failure;

/// A log group that cannot be read.
#[cfg(not(feature = "aws"))]
pub struct LogGroup(std::convert::Infallible);

#[cfg(not(feature = "aws"))]
impl LogGroup {
    /// Says that this command reads no log group, and how to get one that does.
    pub async fn open(_: String, _: time::OffsetDateTime) -> anyhow::Result<Self> {
        Err(missing().into())
    }

    pub fn filtered(self, _: &'static str) -> Self {
        self
    }

    pub async fn read(
        &mut self,
        _: impl FnMut(&[super::LogEvent]) -> anyhow::Result<()>,
    ) -> Result<(), super::ReadError> {
        match self.0 {}
    }
}

fn missing() -> Failure {
    Failure::new(
        "CloudWatch Logs cannot be read: this `afterimage` is built without the feature `aws`",
        "install it with `cargo install --locked --path crates/afterimage-cli --features aws`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_is_missing_and_how_to_get_it() {
        let failure = missing();
        assert_eq!(failure.code, 1);
        assert!(failure.sentence.contains("without the feature `aws`"), "{failure}");
        let command = failure.next.split('`').nth(1).expect("a command");
        assert!(command.ends_with(" --features aws"), "{command}");
    }
}
