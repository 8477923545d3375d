"""Starting, stopping, and what is left after either."""

import importlib.metadata
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

import local_aws
from testing import LAUNCHER, LocalAws, Stack, document, operation, wait_until

API = document({"/x": {"post": operation("f")}})


def start_in_vain(code: str = "", **environment: str) -> tuple[int, str]:
    """Runs the launcher, changed by `code`, to its end: exit status and stderr."""
    with tempfile.TemporaryDirectory() as folder:
        return _run_to_end(code, {"STATE_DIR": f"{folder}/state", **environment})


def _run_to_end(code: str, environment: dict[str, str]) -> tuple[int, str]:
    program = [
        f"import sys; sys.path.insert(0, {str(LAUNCHER.parent)!r}); import local_aws",
        code,
        "sys.exit(local_aws.main())",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GATEWAY_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout == "", done.stdout
    return done.returncode, done.stderr


class State(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_everything_survives_a_stop(self):
        self.survives(kill=False)

    def test_everything_survives_a_kill(self):
        self.survives(kill=True)

    def survives(self, kill: bool):
        aws = LocalAws(self.folder)
        stack = Stack(aws, "f", API)
        self.assertEqual(stack.send("/x", b"1.50"), (200, b"1.50"))
        pid = int(stack.send("/x", b'"pid"')[1])
        tables = aws.client("dynamodb")
        tables.create_table(
            TableName="items",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        tables.put_item(TableName="items", Item={"id": {"S": "1"}})
        autoscaling = aws.client("application-autoscaling")
        table = {"ServiceNamespace": "dynamodb", "ResourceId": "table/items"}
        read = {**table, "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
        autoscaling.register_scalable_target(**read, MinCapacity=1, MaxCapacity=7)
        stack.functions.update_function_configuration(FunctionName="f", MemorySize=256)
        if kill:
            self.wait_for_saved("dynamodb", '"items"', '"S": "1"')
            self.wait_for_saved("application_autoscaling", "table/items")
        aws.stop(kill)
        wait_until(lambda: _has_ended(pid))  # the function ends with it

        again = LocalAws(self.folder, port=aws.port)
        self.addCleanup(again.stop)
        stack.aws = again
        self.assertEqual(stack.send("/x", b"2.50"), (200, b"2.50"))
        self.assertEqual(set(stack.resources()), {"/", "/x"})
        self.assertEqual(again.client("dynamodb").scan(TableName="items")["Count"], 1)
        targets = again.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")
        self.assertEqual([target["MaxCapacity"] for target in targets["ScalableTargets"]], [7])
        state = stack.functions.get_function(FunctionName="f")["Configuration"]
        self.assertEqual((state["State"], state["LastUpdateStatus"]), ("Active", "Successful"))

    def wait_for_saved(self, service: str, *words: str):
        saved = pathlib.Path(self.folder, "state/data", f"{service}.json")
        wait_until(lambda: saved.exists() and all(word in saved.read_text() for word in words))

    def test_the_self_test_leaves_nothing(self):
        aws = LocalAws(self.folder)
        key = "999999999999"
        self.assertEqual(aws.client("lambda", key).list_functions()["Functions"], [])
        self.assertEqual(aws.client("apigateway", key).get_rest_apis()["items"], [])
        self.assertEqual(aws.client("iam", key).list_roles()["Roles"], [])
        self.assertEqual(aws.client("logs", key).describe_log_groups()["logGroups"], [])
        aws.stop()
        for saved in pathlib.Path(self.folder, "state/data").rglob("*.json"):
            self.assertNotIn(key, saved.read_text(), saved)

    def test_a_reset_forgets_everything(self):
        aws = LocalAws(self.folder)
        stack = Stack(aws, "f", API)
        aws.client("dynamodb").create_table(
            TableName="items",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        autoscaling = aws.client("application-autoscaling")
        autoscaling.register_scalable_target(
            ServiceNamespace="dynamodb",
            ResourceId="table/items",
            ScalableDimension="dynamodb:table:ReadCapacityUnits",
            MinCapacity=1,
            MaxCapacity=7,
        )
        self.assertEqual(aws.signed("POST", "/_ministack/reset")[0], 200)
        self.assertEqual(stack.send("/x", b"1")[0], 404)
        self.assertEqual(stack.functions.list_functions()["Functions"], [])
        targets = autoscaling.describe_scalable_targets(ServiceNamespace="dynamodb")
        self.assertEqual(targets["ScalableTargets"], [])
        aws.stop()
        again = LocalAws(self.folder)
        self.addCleanup(again.stop)
        self.assertEqual(again.client("apigateway").get_rest_apis()["items"], [])


def _has_ended(pid: int) -> bool:
    try:
        return "State:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


class Start(unittest.TestCase):
    def test_it_listens_on_loopback_only(self):
        aws = LocalAws()
        self.addCleanup(aws.stop)
        descriptors = pathlib.Path(f"/proc/{aws.process.pid}/fd")
        if not descriptors.exists():
            self.skipTest("needs /proc")
        sockets = {os.readlink(one) for one in descriptors.iterdir()}
        listening = []
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/{aws.process.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    listening.append(fields[1])
        self.assertEqual(listening, [f"0100007F:{aws.port:04X}"])

    def test_connections_end_with_their_clients(self):
        aws = LocalAws()
        self.addCleanup(aws.stop)
        descriptors = pathlib.Path(f"/proc/{aws.process.pid}/fd")
        if not descriptors.exists():
            self.skipTest("needs /proc")
        aws.signed("GET", "/_ministack/ready")
        before = len(list(descriptors.iterdir()))
        for _ in range(20):
            aws.signed("GET", "/_ministack/ready")
            with socket.create_connection(("127.0.0.1", aws.port)) as hasty:
                hasty.sendall(b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: len(list(descriptors.iterdir())) <= before)

    def test_a_port_in_use(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.assertEqual(start_in_vain(GATEWAY_PORT=str(port)), (3, f"local AWS: port {port} is in use\n"))

    def test_a_state_in_use(self):
        with tempfile.TemporaryDirectory() as folder:
            aws = LocalAws(folder)
            self.addCleanup(aws.stop)
            status, error = start_in_vain(PERSIST_STATE="1", STATE_DIR=f"{folder}/state")
            self.assertEqual(
                (status, error), (4, f"local AWS: the state in {folder}/state is in use by another local AWS\n")
            )

    def test_a_wrong_setup(self):
        self.assertEqual(
            start_in_vain(GATEWAY_PORT="http"), (2, "local AWS: GATEWAY_PORT must be a port number, not 'http'\n")
        )
        self.assertEqual(
            start_in_vain(TRANSITION_SECONDS="long"),
            (2, "local AWS: TRANSITION_SECONDS must be a number, not 'long'\n"),
        )
        for folder in ("", "state"):
            refusal = 2, "local AWS: STATE_DIR must be an absolute path\n"
            self.assertEqual(start_in_vain(STATE_DIR=folder), refusal)

    def test_another_version_of_ministack(self):
        self.assertEqual(importlib.metadata.version("ministack"), local_aws.MINISTACK_VERSION)
        status, error = start_in_vain("local_aws.MINISTACK_VERSION = '9.9.9'")
        self.assertEqual(status, 2)
        self.assertRegex(error, r"needs ministack 9\.9\.9, found 1\.5\.33")

    def test_a_repair_that_does_not_take_effect_is_loud(self):
        broken = {
            "integration": "byte for byte",
            "invoke": "Invoke .* byte for byte",
            "environments": "byte for byte",
            "definition": "PUT /restapis/.* must work",
        }
        for module, reason in broken.items():
            with self.subTest(module):
                status, error = start_in_vain(
                    f"import authentication\nauthentication.install('x' * 40, '')\n"
                    f"import {module}\n{module}.install = lambda: None"
                )
                self.assertEqual(status, 1, error)
                self.assertRegex(error, f"local AWS: self-test of ministack [0-9.]+ failed: .*{reason}")


if __name__ == "__main__":
    unittest.main()
