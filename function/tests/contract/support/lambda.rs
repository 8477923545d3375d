//! A fake of Lambda: its runtime API, and one function, by default the real `bootstrap`.
//!
//! The interface is documented at <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::http::{Request, Response, serve};

/// The timeout for an answer or a log line. The function never takes so long.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A running function.
pub(crate) struct Lambda {
    process: Child,
    events: Sender<(String, Vec<u8>)>,
    answers: Receiver<(String, Answer, Duration)>,
    log: Receiver<String>,
    invocations: u32,
    answered: u32,
    /// The duration of the last invocation, from sending the event to reading the answer.
    pub(crate) last_duration: Duration,
}

/// The function's answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The answer of a successful invocation.
    Success(String),
    /// The error of a failed invocation.
    Error(String),
}

impl Lambda {
    /// Starts the `bootstrap` with DynamoDB at `endpoint` and these additional environment variables.
    pub(crate) fn start(endpoint: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_command(Command::new(env!("CARGO_BIN_EXE_bootstrap")), endpoint, variables)
    }

    /// Starts any program that uses the runtime API.
    pub(crate) fn start_command(mut command: Command, endpoint: &str, variables: &[(&str, &str)]) -> Self {
        let (events, event) = channel::<(String, Vec<u8>)>();
        let (answer, answers) = channel();
        let (event, answer, sent_at) = (Mutex::new(event), Mutex::new(answer), Mutex::new(None));
        let runtime_api = serve(move |request| {
            if request.path == "/2018-06-01/runtime/invocation/next" {
                let response = next_invocation(&event.lock().unwrap());
                *sent_at.lock().unwrap() = Some(Instant::now());
                return response;
            }
            let duration = sent_at.lock().unwrap().map_or(Duration::ZERO, |sent_at| sent_at.elapsed());
            let (id, outcome) = parse_answer(&request);
            let _ = answer.lock().unwrap().send((id, outcome, duration));
            Response::Answer { status: 202, headers: Vec::new(), body: Vec::new() }
        });
        let mut process = command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "function"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_ENDPOINT_URL", endpoint),
            ])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (line, log) = channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Self { process, events, answers, log, invocations: 0, answered: 0, last_duration: Duration::ZERO }
    }

    /// Sends an event, waits for the answer and returns it.
    pub(crate) fn invoke(&mut self, event: impl Into<Vec<u8>>) -> Answer {
        self.send(event);
        self.receive()
    }

    /// Queues an event. The function receives it after it has answered all earlier events.
    pub(crate) fn send(&mut self, event: impl Into<Vec<u8>>) {
        self.invocations += 1;
        self.events.send((self.last_request_id(), event.into())).unwrap();
    }

    /// Waits for the next answer and returns it.
    pub(crate) fn receive(&mut self) -> Answer {
        self.answered += 1;
        let (id, answer, duration) = self.answers.recv_timeout(TIMEOUT).expect("the function did not answer");
        assert_eq!(id, format!("request-{}", self.answered));
        self.last_duration = duration;
        answer
    }

    /// Sends an event that must succeed, and returns the answer.
    pub(crate) fn succeed(&mut self, event: &str) -> String {
        match self.invoke(event) {
            Answer::Success(text) => text,
            Answer::Error(error) => panic!("{event}: {error}"),
        }
    }

    /// Sends an event that must fail, and returns the error.
    pub(crate) fn fail(&mut self, event: &str) -> String {
        match self.invoke(event) {
            Answer::Error(error) => error,
            Answer::Success(text) => panic!("{event}: {text}"),
        }
    }

    /// Returns the request id of the last event.
    pub(crate) fn last_request_id(&self) -> String {
        format!("request-{}", self.invocations)
    }

    /// Waits for the next line of the function's log and returns it.
    pub(crate) fn log_line(&self) -> String {
        self.log.recv_timeout(TIMEOUT).expect("the function did not log")
    }

    /// Stops the function and returns the unread lines of its log.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.log.iter().collect()
    }

    /// Returns the peak memory of the function, in kB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = self.read_proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Returns the content of a file of the process under `/proc`.
    pub(crate) fn read_proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn next_invocation(events: &Receiver<(String, Vec<u8>)>) -> Response {
    let Ok((id, body)) = events.recv() else {
        return Response::HangUp;
    };
    let deadline = SystemTime::now() + Duration::from_secs(10);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    // All headers of Lambda are necessary: its Python client exits silently if one is missing.
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:f".into()),
    ];
    Response::Answer { status: 200, headers, body }
}

fn parse_answer(request: &Request) -> (String, Answer) {
    let body = String::from_utf8(request.body.clone()).unwrap();
    let mut segments = request.path.rsplit('/');
    let answer = match segments.next() {
        Some("response") => Answer::Success(body),
        _ => Answer::Error(body),
    };
    (segments.next().unwrap_or_default().to_owned(), answer)
}
