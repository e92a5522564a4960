//! A function's process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::dynamodb::product_names;
use crate::lambda::runtime_api::{Answer, RuntimeApi};
use crate::lambda::{DeployedFunction, DynamoDbProxy, FunctionError, Journal};

/// How long anything may take before the test is given up: no test that passes waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time of an invocation where the test does not say.
const INVOCATION_TIME: Duration = Duration::from_secs(60);

/// A running function. Dropping it kills the process.
#[derive(Debug)]
pub struct Function {
    process: Child,
    runtime_api: RuntimeApi,
    journal: Journal,
    stdout: Lines,
    stderr: Lines,
}

/// An event that a function was given, and whose answer nobody waits for yet.
#[derive(Debug)]
pub struct Pending {
    answer: oneshot::Receiver<Answer>,
}

/// What a process that ended left.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Why it said that it cannot start, if it did.
    pub init_error: Option<FunctionError>,
    /// Its lines on standard output.
    pub stdout: Vec<String>,
    /// Its lines on standard error.
    pub stderr: Vec<String>,
}

#[derive(Debug)]
struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Function {
    /// Starts a program as Lambda starts a `bootstrap`, with these variables beside Lambda's own, and
    /// with the DynamoDB of this proxy. Returns at once.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub async fn start(
        program: &str,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
        dynamodb: &DynamoDbProxy,
    ) -> Self {
        let url = dynamodb.endpoint_url();
        Self::start_at(program, arguments, variables, &url, dynamodb.journal().clone()).await
    }

    /// The same, with the DynamoDB at this URL and nothing between: its calls are not in the journal.
    ///
    /// # Panics
    /// Where the program cannot be started.
    pub async fn start_without_proxy(
        program: &str,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
        dynamodb_url: &str,
    ) -> Self {
        Self::start_at(program, arguments, variables, dynamodb_url, Journal::default()).await
    }

    /// The end of a process of a deployed binary, built here, that one variable keeps from its start: another
    /// value than the template's, or none. It ends before it needs a DynamoDB.
    ///
    /// # Panics
    /// Where the program cannot be started, or the variable is taken away and not there.
    pub async fn fail_to_start(
        binary: &str,
        built: &str,
        variable: &str,
        value: Option<&str>,
    ) -> Ended {
        let mut variables = DeployedFunction::of_binary(binary).environment(&product_names());
        let is_set = variables.remove(variable).is_some();
        assert!(is_set || value.is_some(), "the template does not set {variable}");
        variables.extend(value.map(|it| (variable.to_owned(), it.to_owned())));
        let program = crate::lambda::program(binary, built);
        let nowhere = "http://127.0.0.1";
        Self::start_without_proxy(&program, &[], &variables, nowhere).await.ended().await
    }

    async fn start_at(
        program: &str,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
        dynamodb_url: &str,
        journal: Journal,
    ) -> Self {
        let runtime_api = RuntimeApi::start(journal.clone()).await;
        let mut process = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(lambda_variables())
            .envs(certificate_variables())
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
            .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let stdout = Lines::of(process.stdout.take().expect("piped"));
        let stderr = Lines::of(process.stderr.take().expect("piped"));
        Self { process, runtime_api, journal, stdout, stderr }
    }

    /// Returns once the function asks for its first event.
    ///
    /// # Panics
    /// Where it ends instead.
    pub async fn ready(&mut self) {
        tokio::select! {
            () = self.runtime_api.asked() => {}
            reason = ended_early(&mut self.process, &self.stderr) => panic!("{reason}"),
        }
    }

    /// The response to an event, which has a minute.
    ///
    /// # Errors
    /// What the function reported instead.
    ///
    /// # Panics
    /// Where the process ends.
    pub async fn invoke(&mut self, event: &str) -> Result<String, FunctionError> {
        self.invoke_within(event, INVOCATION_TIME).await
    }

    /// The response to an event that has this much time.
    ///
    /// # Errors
    /// What the function reported instead.
    ///
    /// # Panics
    /// Where the process ends.
    pub async fn invoke_within(
        &mut self,
        event: &str,
        time: Duration,
    ) -> Result<String, FunctionError> {
        let pending = Pending { answer: self.runtime_api.invoke(event, time) };
        tokio::select! {
            answer = pending.answer => answer.expect("a runtime API"),
            reason = ended_early(&mut self.process, &self.stderr) => panic!("{reason}"),
        }
    }

    /// Gives the function an event, and does not wait.
    pub fn begin(&mut self, event: &str) -> Pending {
        Pending { answer: self.runtime_api.invoke(event, INVOCATION_TIME) }
    }

    /// Sends SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// Where the signal cannot be sent.
    pub async fn terminate(self) -> Ended {
        let id = self.process.id().expect("a running process");
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status().await;
        assert!(sent.expect("a shell").success(), "kill -TERM");
        self.ended().await
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// Where it does not end.
    pub async fn ended(mut self) -> Ended {
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        let status = status.expect("the process ends").expect("a status");
        Ended {
            status,
            init_error: self.runtime_api.init_error(),
            stdout: self.stdout.all().await,
            stderr: self.stderr.all().await,
        }
    }

    /// The id of its process; `None` once it has ended.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// What happened so far, its DynamoDB's moments included.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Its lines on standard output so far. A line may come after the response that it was written
    /// before; [`Function::ended`] has all of them.
    #[must_use]
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.so_far()
    }
}

impl Pending {
    /// The answer, if there is one yet.
    pub fn answer(&mut self) -> Option<Result<String, FunctionError>> {
        self.answer.try_recv().ok()
    }
}

impl Lines {
    fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Some(line) = stream.next_line().await.expect("text") {
                written.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { lines, reader }
    }

    fn so_far(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn all(self) -> Vec<String> {
        self.reader.await.expect("a reader");
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Why the wait for a function is over, once its process has ended or the time has.
async fn ended_early(process: &mut Child, stderr: &Lines) -> String {
    let end = match tokio::time::timeout(PATIENCE, process.wait()).await {
        Ok(status) => format!("the function ended: {}", status.expect("a status")),
        Err(_) => format!("the function did nothing for {} s", PATIENCE.as_secs()),
    };
    format!("{end}\n{}", stderr.so_far().join("\n"))
}

/// Where this machine has its certificates elsewhere than most: a client reads them when it is made.
fn certificate_variables() -> impl Iterator<Item = (&'static str, OsString)> {
    let variables = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter();
    variables.filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// The variables that Lambda sets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>). The credentials are dummies.
fn lambda_variables() -> [(&'static str, &'static str); 18] {
    [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "under-test"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/under-test"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]00000000000000000000000000000000"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ]
}
