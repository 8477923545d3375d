"""Execution environments: one for each invocation at a time, and what becomes of them when the function is changed."""

import concurrent.futures
import functools
import json
import os
import pathlib
import tempfile
import unittest

from testing import ROLE, LocalAws, Stack, document, operation, package, wait_until, zipped

PYTHON = """
import os, time

def handle(folder, _context):
    open(f"{folder}/{os.getpid()}", "w").close()
    while not os.path.exists(f"{folder}/end"):
        time.sleep(0.01)
    return os.getpid()

def other(_folder, _context):
    return "other"
"""


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = LocalAws()
        cls.addClassCleanup(cls.aws.stop)

    def setUp(self):
        self.name = self.id().rpartition(".")[2]
        self.stack = Stack(self.aws, self.name, document({"/x": {"post": operation(self.name)}}), Timeout=60)
        self.functions = self.stack.functions
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.invocations = concurrent.futures.ThreadPoolExecutor(16)
        self.addCleanup(self.invocations.shutdown)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(self.let_go)

    def invoke(self, event: object) -> dict:
        """Through the invoke URL."""
        status, answer = self.stack.send("/x", json.dumps(event, separators=(",", ":")).encode())
        self.assertEqual(status, 200, answer)
        return json.loads(answer)

    def meet(self, number: int = 1) -> list[concurrent.futures.Future]:
        """That many invocations, which are all going on until `let_go`."""
        started = [self.invocations.submit(self.invoke, {"meet": str(self.folder)}) for _ in range(number)]
        wait_until(lambda: len(list(self.folder.iterdir())) == number)
        return started

    def let_go(self) -> None:
        (self.folder / "end").touch()

    def settled(self, name: str = "") -> None:
        wait_until(lambda: self.status(name) == "Successful")

    def status(self, name: str = "") -> str:
        return self.functions.get_function(FunctionName=name or self.name)["Configuration"]["LastUpdateStatus"]

    def remember(self, memory: int) -> None:
        self.functions.update_function_configuration(FunctionName=self.name, MemorySize=memory)

    def memory(self) -> str:
        return self.invoke("environment")["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]


def has_ended(pid: str) -> bool:
    """Whether nothing is left of a process: one that ended and that nobody waited for is still there."""
    return not os.path.exists(f"/proc/{pid}")


class Concurrency(Case):
    def test_each_invocation_has_an_environment_of_its_own(self):
        meeting = self.meet(5)
        self.let_go()
        answers = [invocation.result() for invocation in meeting]
        self.assertEqual(len({answer["PID"] for answer in answers}), 5)
        self.assertEqual(len({answer["AWS_LAMBDA_LOG_STREAM_NAME"] for answer in answers}), 5)
        self.assertIn(self.invoke("environment")["PID"], {answer["PID"] for answer in answers})

    def test_reserved_concurrency_is_a_limit(self):
        self.functions.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=2)
        self.meet(2)
        with self.assertRaisesRegex(Exception, "TooManyRequestsException"):
            self.functions.invoke(FunctionName=self.name, Payload=b"1")


class Changes(Case):
    def test_a_new_configuration_leaves_running_invocations_alone(self):
        (running,) = self.meet()
        self.remember(512)
        self.settled()
        self.assertEqual(self.memory(), "512")
        self.let_go()
        old = running.result()
        self.assertEqual(old["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128")
        wait_until(lambda: has_ended(old["PID"]))

    def test_new_code_leaves_running_invocations_alone(self):
        running = self.meet(3)
        self.functions.update_function_code(FunctionName=self.name, ZipFile=package("new"))
        self.settled()
        self.assertEqual(self.invoke("environment")["CODE"], "new")
        self.let_go()
        for invocation in running:
            self.assertEqual(invocation.result()["CODE"], "")
            wait_until(lambda: has_ended(invocation.result()["PID"]))

    def test_a_free_environment_ends_when_the_update_is_successful(self):
        before = self.invoke("environment")["PID"]
        self.remember(512)
        self.settled()
        self.assertNotEqual(self.invoke("environment")["PID"], before)
        wait_until(lambda: has_ended(before))

    def test_functions_of_other_runtimes_finish_their_answers_too(self):
        self.functions.create_function(
            FunctionName="python",
            Runtime="python3.12",
            Handler="python.handle",
            Role=ROLE,
            Timeout=60,
            Code={"ZipFile": zipped({"python.py": PYTHON})},
        )
        self.addCleanup(self.functions.delete_function, FunctionName="python")
        invoke = functools.partial(self.functions.invoke, FunctionName="python", Payload=json.dumps(str(self.folder)))
        running = self.invocations.submit(invoke)
        wait_until(lambda: len(list(self.folder.iterdir())) == 1)
        self.functions.update_function_configuration(FunctionName="python", Handler="python.other")
        self.settled("python")
        self.assertEqual(invoke()["Payload"].read(), b'"other"')
        self.let_go()
        pid = running.result()["Payload"].read().decode()
        self.assertRegex(pid, r"^\d+$")
        wait_until(lambda: has_ended(pid))

    def test_a_refused_update_leaves_everything(self):
        before = self.invoke("environment")["PID"]
        with self.assertRaisesRegex(Exception, "ValidationException"):
            self.remember(10241)
        self.assertEqual(self.invoke("environment")["PID"], before)

    def test_a_deleted_function_finishes_its_answers(self):
        (running,) = self.meet()
        self.functions.delete_function(FunctionName=self.name)
        with self.assertRaisesRegex(Exception, "ResourceNotFoundException"):
            self.functions.invoke(FunctionName=self.name, Payload=b"1")
        again = Stack(self.aws, self.name, document({"/x": {"post": operation(self.name)}}), MemorySize=256)
        self.let_go()
        old = running.result()
        wait_until(lambda: has_ended(old["PID"]))
        status, answer = again.send("/x", b'"environment"')
        self.assertEqual((status, json.loads(answer)["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]), (200, "256"))

    def test_under_way_the_function_is_what_it_was(self):
        for memory in range(129, 160):
            self.remember(memory)
            during = self.memory()
            if self.status() == "InProgress":
                self.assertEqual(during, str(memory - 1))
                return
            self.settled()
        self.fail("each update was over sooner than an answer came")

    def test_nothing_is_left_of_what_ended(self):
        def left() -> tuple[int, int]:
            """Open files, and processes that are there or were not waited for."""
            launcher = pathlib.Path(f"/proc/{self.aws.process.pid}")
            if not launcher.exists():
                self.skipTest("needs /proc")
            children = [one.read_text().split() for one in launcher.glob("task/*/children")]
            return len(list((launcher / "fd").iterdir())), sum(map(len, children))

        self.memory()
        before = left()
        for memory in range(200, 204):
            self.remember(memory)
            self.settled()
            self.assertEqual(self.memory(), str(memory))
            self.assertIn("Runtime.ExitError", self.invoke("exit")["errorType"])
            self.assertEqual(self.memory(), str(memory))
        wait_until(lambda: all(now <= then for now, then in zip(left(), before)))

    def test_nobody_who_asks_all_the_time_notices(self):
        asking = True

        def ask() -> int:
            asked = 0
            while asking:
                self.assertEqual(self.invoke({"a": asked}), {"a": asked})
                asked += 1
            return asked

        askers = [self.invocations.submit(ask) for _ in range(4)]
        try:
            for number in range(4):
                self.remember(200 + number)
                self.settled()
                self.assertEqual(self.memory(), str(200 + number))
                self.functions.update_function_code(FunctionName=self.name, ZipFile=package(str(number)))
                self.settled()
                self.assertEqual(self.invoke("environment")["CODE"], str(number))
        finally:
            asking = False
        for asker in askers:
            self.assertGreater(asker.result(), 0)


if __name__ == "__main__":
    unittest.main()
