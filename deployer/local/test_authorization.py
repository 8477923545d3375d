"""AUTH=true: signatures and policies are checked, for each call and for what it does besides."""

import json
import unittest
import urllib.parse

from botocore.exceptions import ClientError

from testing import ACCOUNT, ROLE, TRUST, LocalAws, Stack, document, operation, package

API = document({"/x": {"post": operation("f")}})
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}]}'
TAGS = [{"Key": "owner", "Value": "me"}]


def setUpModule():
    global aws, stack, user
    aws = LocalAws(AUTH="true")
    stack = Stack(aws, "f", API)
    stack.iam.create_user(UserName="user")
    key = stack.iam.create_access_key(UserName="user")["AccessKey"]
    user = key["AccessKeyId"], key["SecretAccessKey"]


def tearDownModule():
    aws.stop()


def allowed(*actions: str, on: str = "*", **fields) -> dict:
    """A statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **fields}


class Case(unittest.TestCase):
    def setUp(self):
        self.allow()

    def allow(self, *statements: dict) -> None:
        """Makes these all that the user may."""
        document = json.dumps({"Version": "2012-10-17", "Statement": [*statements, allowed("none:none")]})
        stack.iam.put_user_policy(UserName="user", PolicyName="policy", PolicyDocument=document)

    def client(self, service: str):
        return aws.client(service, *user)

    def denied(self, action: str):
        return self.assertRaisesRegex(ClientError, f"AccessDenied.* perform: {action}")


class Calls(Case):
    def test_signatures_are_checked(self):
        with self.assertRaisesRegex(ClientError, "SignatureDoesNotMatch"):
            aws.client("sts", user[0], "wrong").get_caller_identity()

    def test_rest_apis(self):
        self.allow(allowed("apigateway:PUT", on="arn:aws:apigateway:us-east-1::/restapis/*"))
        gateway = self.client("apigateway")
        gateway.put_rest_api(restApiId=stack.api, mode="overwrite", body=json.dumps(API))
        with self.denied("apigateway:GET"):
            gateway.get_rest_apis()

    def test_the_resource_policy_of_a_rest_api(self):
        anything = allowed("apigateway:PUT", "apigateway:PATCH", on="arn:aws:apigateway:us-east-1::/restapis/*")
        policies = allowed("apigateway:UpdateRestApiPolicy", on="arn:aws:apigateway:us-east-1::/restapis/*")
        self.allow(anything)
        gateway = self.client("apigateway")
        patch = [{"op": "replace", "path": "/policy", "value": DOCUMENT}]
        with self.denied("apigateway:UpdateRestApiPolicy"):
            gateway.update_rest_api(restApiId=stack.api, patchOperations=patch)
        self.allow(anything, policies)
        gateway.update_rest_api(restApiId=stack.api, patchOperations=patch)
        self.allow(anything)
        with self.denied("apigateway:UpdateRestApiPolicy"):
            gateway.put_rest_api(restApiId=stack.api, mode="overwrite", body=json.dumps(API))
        self.allow(anything, policies)
        gateway.put_rest_api(restApiId=stack.api, mode="overwrite", body=json.dumps(API))

    def test_auto_scaling(self):
        action = "application-autoscaling:DescribeScalableTargets"
        scaling = self.client("application-autoscaling")
        with self.denied(action):
            scaling.describe_scalable_targets(ServiceNamespace="dynamodb")
        self.allow(allowed(action))
        scaling.describe_scalable_targets(ServiceNamespace="dynamodb")

    def test_requests_to_the_invoke_url_and_downloads_of_code_are_for_everybody(self):
        self.assertEqual(stack.send("/x", b"1.50"), (200, b"1.50"))
        code = urllib.parse.urlsplit(stack.functions.get_function(FunctionName="f")["Code"]["Location"])
        self.assertEqual(aws.request("GET", f"{code.path}?{code.query}")[2], package())


class Creating(Case):
    """Each is allowed for names of its own only; the tags of what is created have to be allowed, too."""

    def create(self, create, action: str, tag: str, on: str, wrong: str) -> None:
        self.allow(allowed(action, on=on), allowed(tag, on=wrong))
        with self.denied(tag):
            create()
        self.allow(allowed(action, on=wrong), allowed(tag, on=on))
        with self.denied(action):
            create()
        self.allow(allowed(action, tag, on=on))
        create()

    def test_a_role(self):
        iam, on = self.client("iam"), f"arn:aws:iam::{ACCOUNT}:role/path/mine*"
        self.create(
            lambda: iam.create_role(RoleName="mine", Path="/path/", AssumeRolePolicyDocument=TRUST, Tags=TAGS),
            "iam:CreateRole",
            "iam:TagRole",
            on,
            on.replace("/path", ""),
        )
        self.allow(allowed("iam:GetRole", on=on))
        iam.get_role(RoleName="mine")

    def test_a_policy(self):
        iam, on = self.client("iam"), f"arn:aws:iam::{ACCOUNT}:policy/mine*"
        self.create(
            lambda: iam.create_policy(PolicyName="mine", PolicyDocument=DOCUMENT, Tags=TAGS),
            "iam:CreatePolicy",
            "iam:TagPolicy",
            on,
            on.replace("mine", "other"),
        )

    def test_a_table(self):
        tables, on = self.client("dynamodb"), f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/mine*"
        self.create(
            lambda: tables.create_table(
                TableName="mine",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                Tags=TAGS,
            ),
            "dynamodb:CreateTable",
            "dynamodb:TagResource",
            on,
            on.replace("mine", "other"),
        )
        self.allow(allowed("dynamodb:ListTagsOfResource", on=on))
        tables.list_tags_of_resource(ResourceArn=on.replace("*", ""))

    def test_a_log_group(self):
        logs, on = self.client("logs"), f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/mine*"
        self.create(
            lambda: logs.create_log_group(logGroupName="/mine", tags={"owner": "me"}),
            "logs:CreateLogGroup",
            "logs:TagResource",
            on,
            on.replace("mine", "other"),
        )

    def test_a_function(self):
        functions, on = self.client("lambda"), f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:mine*"
        passing = allowed("iam:PassRole", on=ROLE)
        passing["Condition"] = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}

        def create():
            functions.create_function(
                FunctionName="mine",
                Runtime="provided.al2023",
                Handler="bootstrap",
                Role=ROLE,
                Code={"ZipFile": package()},
                Tags={"owner": "me"},
            )

        may = allowed("lambda:CreateFunction", on=on)
        self.allow(may, passing)
        with self.denied("lambda:TagResource"):
            create()
        self.allow(may, allowed("lambda:TagResource", on=on))
        with self.denied("iam:PassRole"):
            create()
        self.allow(may, allowed("lambda:TagResource", on=on), passing)
        create()
        self.allow(allowed("lambda:UpdateFunctionConfiguration"))
        with self.denied("iam:PassRole"):
            functions.update_function_configuration(FunctionName="f", Role=ROLE)
        self.allow(allowed("lambda:GetFunction", on=on))
        function = functions.get_function(FunctionName="mine")
        self.assertNotIn("Tags", function)
        self.assertEqual(function["TagsError"]["ErrorCode"], "AccessDeniedException")
        self.allow(allowed("lambda:GetFunction", "lambda:ListTags", on=on))
        self.assertEqual(functions.get_function(FunctionName="mine")["Tags"], {"owner": "me"})


if __name__ == "__main__":
    unittest.main()
