"""Functions: states that take a moment, what a deployer reads back, and what it should be refused."""

import io
import json
import unittest
import urllib.parse
import zipfile

from botocore.exceptions import ClientError

from testing import ACCOUNT, ROLE, TRUST, LocalAws, package, wait_until, zipped

TRACING = '{"Statement":[{"Effect":"Allow","Action":"xray:Put*","Resource":"*"}]}'


class Case(unittest.TestCase):
    TRANSITION_SECONDS = "0.02"

    @classmethod
    def setUpClass(cls):
        global aws, functions, iam
        aws = LocalAws(TRANSITION_SECONDS=cls.TRANSITION_SECONDS)
        cls.addClassCleanup(aws.stop)
        functions, iam = aws.client("lambda"), aws.client("iam")
        iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)

    def create(self, name: str = "f", **fields) -> dict:
        settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE, **fields}
        created = functions.create_function(FunctionName=name, Code={"ZipFile": package()}, **settings)
        self.addCleanup(functions.delete_function, FunctionName=name)
        return created

    def active(self, **fields) -> None:
        self.create(**fields)
        self.wait()

    def update(self, **fields) -> dict:
        functions.update_function_configuration(FunctionName="f", **fields)
        self.wait()
        return self.configuration()

    def wait(self) -> None:
        wait_until(lambda: self.state() == ("Active", "Successful"))

    def configuration(self) -> dict:
        return functions.get_function(FunctionName="f")["Configuration"]

    def state(self) -> tuple[str, str]:
        configuration = self.configuration()
        return configuration["State"], configuration["LastUpdateStatus"]

    def refused(self, code: str, message: str = ""):
        return self.assertRaisesRegex(ClientError, f"{code}.*{message}")


class States(Case):
    TRANSITION_SECONDS = "0.5"  # long enough for a busy machine

    def test_they_take_a_moment(self):
        created = self.create()
        self.assertEqual((created["State"], created["StateReasonCode"]), ("Pending", "Creating"))
        self.assertNotIn("LastUpdateStatus", created)
        with self.refused("ResourceConflictException"):
            functions.update_function_configuration(FunctionName="f", MemorySize=256)
        self.wait()
        updated = functions.update_function_configuration(FunctionName="f", MemorySize=256)
        self.assertEqual((updated["State"], updated["LastUpdateStatus"]), ("Active", "InProgress"))
        self.assertEqual(self.state(), ("Active", "InProgress"))
        with self.refused("ResourceConflictException", "An update is in progress for resource"):
            functions.update_function_code(FunctionName="f", ZipFile=package())
        self.wait()
        functions.update_function_code(FunctionName="f", ZipFile=package())


class Settings(Case):
    def test_defaults_are_told_and_what_is_not_set_is_not(self):
        self.active()
        configuration = self.configuration()
        self.assertEqual((configuration["Timeout"], configuration["MemorySize"]), (3, 128))
        self.assertEqual(configuration["TracingConfig"], {"Mode": "PassThrough"})
        self.assertEqual(configuration["Architectures"], ["x86_64"])
        self.assertEqual(configuration["Description"], "")
        for unset in ("Environment", "KMSKeyArn", "Layers", "StateReason", "VpcConfig"):
            self.assertNotIn(unset, configuration)
        self.assertNotIn("Tags", functions.get_function(FunctionName="f"))

    def test_an_update_changes_what_it_names(self):
        self.active(Description="old", Environment={"Variables": {"A": "1"}})
        changed = self.update(MemorySize=256, Timeout=1800, Handler="other", Runtime="provided.al2")
        self.assertEqual((changed["MemorySize"], changed["Timeout"]), (256, 1800))
        self.assertEqual((changed["Handler"], changed["Runtime"]), ("other", "provided.al2"))
        self.assertEqual((changed["Description"], changed["Environment"]), ("old", {"Variables": {"A": "1"}}))
        self.assertEqual(self.update(Environment={})["Environment"], {"Variables": {"A": "1"}})
        changed = self.update(Environment={"Variables": {}}, Description="")
        self.assertEqual((changed["Environment"], changed["Description"]), ({"Variables": {}}, ""))

    def test_variables_are_readable_only_with_their_key(self):
        keys = aws.client("kms")
        key = keys.create_key()["KeyMetadata"]["Arn"]
        self.active(Environment={"Variables": {"A": "1"}}, KMSKeyArn=key)
        self.assertEqual(self.configuration()["Environment"], {"Variables": {"A": "1"}})
        keys.disable_key(KeyId=key)
        answers = [
            functions.get_function(FunctionName="f")["Configuration"],
            functions.get_function_configuration(FunctionName="f"),
            functions.list_functions()["Functions"][0],
        ]
        for answer in answers:
            self.assertEqual(answer["Environment"]["Error"]["ErrorCode"], "DisabledException")
            self.assertIn("unable to decrypt", answer["Environment"]["Error"]["Message"])
            self.assertNotIn("Variables", answer["Environment"])
        with self.refused("InvalidParameterValueException", "KMS key is invalid for CreateGrant.*DisabledException"):
            functions.update_function_configuration(FunctionName="f", Environment={"Variables": {"A": "2"}})
        self.assertIn("Error", self.update(MemorySize=256)["Environment"])
        keys.enable_key(KeyId=key)
        self.assertEqual(self.configuration()["Environment"], {"Variables": {"A": "1"}})
        nothing = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/nothing"
        with self.refused("InvalidParameterValueException", "KMS key is invalid for CreateGrant.*NotFoundException"):
            functions.update_function_configuration(FunctionName="f", KMSKeyArn=nothing)

    def test_tracing_needs_a_role_that_may(self):
        self.active()
        with self.refused("InvalidParameterValueException", "PutTraceSegments on XRAY"):
            functions.update_function_configuration(FunctionName="f", TracingConfig={"Mode": "Active"})
        iam.put_role_policy(RoleName="role", PolicyName="tracing", PolicyDocument=TRACING)
        self.addCleanup(iam.delete_role_policy, RoleName="role", PolicyName="tracing")
        self.assertEqual(self.update(TracingConfig={"Mode": "Active"})["TracingConfig"], {"Mode": "Active"})
        self.assertEqual(self.update(TracingConfig={"Mode": "PassThrough"})["TracingConfig"], {"Mode": "PassThrough"})

    def test_reserved_concurrency(self):
        self.active()
        self.assertNotIn("Concurrency", functions.get_function(FunctionName="f"))
        for reserved in (0, 7, 900):
            functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=reserved)
            concurrency = functions.get_function(FunctionName="f")["Concurrency"]
            self.assertEqual(concurrency, {"ReservedConcurrentExecutions": reserved})
            limits = functions.get_account_settings()["AccountLimit"]
            self.assertEqual(limits["UnreservedConcurrentExecutions"], 1000 - reserved)
        with self.refused("InvalidParameterValueException", "below its minimum value"):
            functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)
        functions.delete_function_concurrency(FunctionName="f")
        self.assertNotIn("Concurrency", functions.get_function(FunctionName="f"))

    def test_code_and_architecture(self):
        self.active()
        location = urllib.parse.urlsplit(functions.get_function(FunctionName="f")["Code"]["Location"])
        self.assertEqual(location.netloc, f"127.0.0.1:{aws.port}")
        status, _headers, code = aws.request("GET", f"{location.path}?{location.query}")
        self.assertEqual((status, code), (200, package()))
        with self.refused("InvalidParameterValueException", "Please provide a source for function code"):
            functions.update_function_code(FunctionName="f", Architectures=["arm64"])
        self.assertEqual(self.configuration()["Architectures"], ["x86_64"])
        before = self.configuration()["CodeSha256"]
        functions.update_function_code(FunctionName="f", Architectures=["arm64"], ZipFile=code)
        self.wait()
        self.assertEqual(self.configuration()["Architectures"], ["arm64"])
        self.assertEqual(self.configuration()["CodeSha256"], before)
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("bootstrap", "other")
        functions.update_function_code(FunctionName="f", ZipFile=other.getvalue())
        self.wait()
        self.assertNotEqual(self.configuration()["CodeSha256"], before)
        self.assertEqual(self.configuration()["Architectures"], ["arm64"])

    def test_code_that_nobody_may_execute(self):
        self.active()
        functions.update_function_code(FunctionName="f", ZipFile=zipped({"bootstrap": "#!/bin/sh"}, 0o644))
        self.wait()
        answer = functions.invoke(FunctionName="f")
        self.assertEqual(answer["FunctionError"], "Unhandled")
        failure = json.loads(answer["Payload"].read())
        self.assertEqual(failure["errorType"], "Runtime.InvalidEntrypoint")
        self.assertIn("fork/exec /var/task/bootstrap: permission denied", failure["errorMessage"])

    def test_tags(self):
        self.active(Tags={"a": "1"})
        arn = self.configuration()["FunctionArn"]
        functions.tag_resource(Resource=arn, Tags={"b": "2", "empty": ""})
        functions.untag_resource(Resource=arn, TagKeys=["a"])
        self.assertEqual(functions.get_function(FunctionName="f")["Tags"], {"b": "2", "empty": ""})

    def test_refused(self):
        self.active()
        iam.create_role(RoleName="other", AssumeRolePolicyDocument=TRUST.replace("lambda", "ec2"))
        self.addCleanup(iam.delete_role, RoleName="other")
        for name in ("nothing", "other"):
            role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
            with self.refused("InvalidParameterValueException", "cannot be assumed by Lambda"):
                self.create("roleless", Role=role)
            with self.refused("InvalidParameterValueException", "cannot be assumed by Lambda"):
                functions.update_function_configuration(FunctionName="f", Role=role)
        variables = {"4KB limit": {"A": "x" * 4096}, "reserved keys.*AWS_REGION": {"AWS_REGION": "x"}}
        for message, wanted in variables.items():
            with self.refused("InvalidParameterValueException", message):
                functions.update_function_configuration(FunctionName="f", Environment={"Variables": wanted})
        with self.refused("InvalidParameterValueException", "nodejs14.x is no longer supported"):
            self.create(Runtime="nodejs14.x")
        for field, value in {"MemorySize": 10241, "Timeout": 1801}.items():
            with self.refused("ValidationException", f"{field[1:]}.*Member must have value between"):
                functions.update_function_configuration(FunctionName="f", **{field: value})
        self.assertEqual(self.state(), ("Active", "Successful"))

    def permit(self, statement: str, **fields) -> None:
        wanted = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", **fields}
        functions.add_permission(FunctionName="f", StatementId=statement, **wanted)

    def test_a_permission(self):
        self.create()
        source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:abc/*/POST/x"
        self.permit("api", SourceArn=source)
        (statement,) = json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"]
        self.assertEqual(
            statement,
            {
                "Sid": "api",
                "Effect": "Allow",
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Action": "lambda:InvokeFunction",
                "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                "Condition": {"ArnLike": {"AWS:SourceArn": source}},
            },
        )
        with self.refused("ResourceConflictException", "already exists"):
            self.permit("api")
        with self.refused("ResourceNotFoundException", "Statement other is not found"):
            functions.remove_permission(FunctionName="f", StatementId="other")
        functions.remove_permission(FunctionName="f", StatementId="api")
        with self.refused("ResourceNotFoundException", "The resource you requested does not exist"):
            functions.get_policy(FunctionName="f")
        with self.refused("ResourceNotFoundException", "No policy is associated"):
            functions.remove_permission(FunctionName="f", StatementId="api")

    def test_a_permissions_id_has_no_dots(self):
        self.create()
        with self.refused("ValidationException", "statementId"):
            self.permit("example.com")

    def test_a_permissions_source_is_an_arn_of_bounded_length(self):
        self.create()
        source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:abc/*/POST/"
        with self.refused("ValidationException", "sourceArn.*regular expression"):
            self.permit("api", SourceArn=source.replace(ACCOUNT, "12"))
        with self.refused("ValidationException", "sourceArn.*less than or equal to 10000"):
            self.permit("api", SourceArn=source.ljust(10_001, "x"))
        self.permit("api", SourceArn=source.ljust(10_000, "x"))


if __name__ == "__main__":
    unittest.main()
