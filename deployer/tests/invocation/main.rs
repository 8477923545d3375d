//! One event to a function, and what it and Lambda say: `invoke` and `logs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod invoke;
mod logs;

use support::lab::Lab;

/// A runtime that gives back the event's own text, says so in its log, and fails when it is asked to.
const CODE: &str = r#"#!/usr/bin/env -S python3 -ISs
import http.client, json, os

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = api.getresponse()
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()

while True:
    request, text = call("GET", "next")
    event = json.loads(text)
    operation = event.get("operation") if isinstance(event, dict) else None
    print(json.dumps({"level": "INFO", "message": "got an event", "operation": operation}), flush=True)
    print("plain \x1b[31mtext", flush=True)
    if operation == "report":
        print("REPORT RequestId: 1\tDuration: 9999.00 ms\tBilled Duration: 9999 ms\tMemory Size: 128 MB\tMax Memory Used: 1 MB\t", flush=True)
    if operation == "long":
        print("x" * 3000 + "\n" + "y" * 3000, flush=True)
    if operation == "exit":
        os._exit(3)
    if operation == "fail":
        failure = {"errorType": "Broken", "errorMessage": "as it was asked to"}
        call("POST", request + "/error", json.dumps(failure))
    else:
        call("POST", request + "/response", json.dumps("pong") if operation == "ping" else text)
"#;

/// The lab with that function, up.
fn up() -> Lab {
    let lab = Lab::new();
    lab.project.set_code(CODE);
    let _ = lab.deployer(&["up"]).run().succeeds();
    lab
}
