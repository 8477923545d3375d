"""What a deployer reads back, and what it should be refused, besides the REST API's definition."""

import unittest

from botocore.exceptions import ClientError

from testing import ACCOUNT, ROLE, TRUST, LocalAws, package, wait_until

TAGS = [{"Key": "owner", "Value": "me"}]
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}]}'


def setUpModule():
    global aws
    aws = LocalAws(TRANSITION_SECONDS="0.5")  # long enough for a busy machine
    aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)


def tearDownModule():
    aws.stop()


class Iam(unittest.TestCase):
    def setUp(self):
        self.iam = aws.client("iam")

    def test_policy_versions(self):
        arn = self.iam.create_policy(PolicyName="p", PolicyDocument=POLICY, Tags=TAGS)["Policy"]["Arn"]
        self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY.replace("Get", "Put"))
        self.iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        self.assertEqual([one["VersionId"] for one in versions if one["IsDefaultVersion"]], ["v2"])
        self.assertEqual(self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v2")
        with self.assertRaisesRegex(ClientError, "NoSuchEntity"):
            self.iam.set_default_policy_version(PolicyArn=arn, VersionId="v7")
        with self.assertRaisesRegex(ClientError, "DeleteConflict.*Cannot delete the default version"):
            self.iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
        with self.assertRaisesRegex(ClientError, "DeleteConflict.*more than one version"):
            self.iam.delete_policy(PolicyArn=arn)
        self.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
        self.iam.delete_policy(PolicyArn=arn)

    def test_a_policy_that_is_not_there_can_not_be_attached(self):
        arn = f"arn:aws:iam::{ACCOUNT}:policy/nothing"
        with self.assertRaisesRegex(ClientError, "NoSuchEntity.*does not exist or is not attachable"):
            self.iam.attach_role_policy(RoleName="role", PolicyArn=arn)
        managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        self.iam.attach_role_policy(RoleName="role", PolicyArn=managed)
        self.iam.detach_role_policy(RoleName="role", PolicyArn=managed)

    def test_a_trust_policy_must_say_something(self):
        for nothing in ("{}", "nonsense", '{"Statement":[]}'):
            with self.assertRaisesRegex(ClientError, "MalformedPolicyDocument"):
                self.iam.create_role(RoleName="bad", AssumeRolePolicyDocument=nothing)


class Functions(unittest.TestCase):
    def setUp(self):
        self.functions = aws.client("lambda")

    def create(self, name: str, **fields):
        settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": ROLE, **fields}
        return self.functions.create_function(FunctionName=name, Code={"ZipFile": package()}, **settings)

    def state(self, name: str) -> tuple[str, str]:
        configuration = self.functions.get_function_configuration(FunctionName=name)
        return configuration["State"], configuration["LastUpdateStatus"]

    def test_the_role_must_be_there(self):
        with self.assertRaisesRegex(ClientError, "InvalidParameterValueException.*cannot be assumed by Lambda"):
            self.create("roleless", Role=f"arn:aws:iam::{ACCOUNT}:role/nothing")

    def test_states(self):
        self.assertEqual(self.create("states")["State"], "Pending")
        with self.assertRaisesRegex(ClientError, "ResourceConflictException"):
            self.functions.update_function_configuration(FunctionName="states", MemorySize=256)
        wait_until(lambda: self.state("states") == ("Active", "Successful"))
        updated = self.functions.update_function_configuration(FunctionName="states", MemorySize=256)
        self.assertEqual((updated["State"], updated["LastUpdateStatus"]), ("Active", "InProgress"))
        self.assertEqual(self.state("states"), ("Active", "InProgress"))
        with self.assertRaisesRegex(ClientError, "ResourceConflictException.*An update is in progress for resource"):
            self.functions.update_function_code(FunctionName="states", ZipFile=package())
        wait_until(lambda: self.state("states") == ("Active", "Successful"))
        self.functions.update_function_code(FunctionName="states", ZipFile=package())

    def test_a_function_without_permissions_has_no_policy(self):
        self.create("unpermitted")
        with self.assertRaisesRegex(ClientError, "ResourceNotFoundException"):
            self.functions.get_policy(FunctionName="unpermitted")


class Tables(unittest.TestCase):
    def setUp(self):
        self.tables = aws.client("dynamodb")

    def create(self, name: str):
        return self.tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=TAGS,
        )["TableDescription"]

    def status(self, name: str) -> str | None:
        try:
            return self.tables.describe_table(TableName=name)["Table"]["TableStatus"]
        except self.tables.exceptions.ResourceNotFoundException:
            return None

    def test_states(self):
        self.assertEqual(self.create("states")["TableStatus"], "CREATING")
        self.assertEqual(self.status("states"), "CREATING")
        with self.assertRaisesRegex(ClientError, "ResourceInUseException.*Table is being created: states"):
            self.tables.delete_table(TableName="states")
        wait_until(lambda: self.status("states") == "ACTIVE")
        self.tables.update_table(TableName="states", DeletionProtectionEnabled=True)
        with self.assertRaisesRegex(ClientError, "ResourceInUseException.*Table is being updated: states"):
            self.tables.update_table(TableName="states", DeletionProtectionEnabled=False)
        wait_until(lambda: self.status("states") == "ACTIVE")
        with self.assertRaisesRegex(ClientError, "ValidationException.*currently protected against deletion"):
            self.tables.delete_table(TableName="states")
        self.tables.update_table(TableName="states", DeletionProtectionEnabled=False)
        wait_until(lambda: self.status("states") == "ACTIVE")
        self.tables.delete_table(TableName="states")
        self.assertEqual(self.status("states"), "DELETING")
        with self.assertRaisesRegex(ClientError, "ResourceInUseException.*Table is being deleted: states"):
            self.create("states")
        wait_until(lambda: self.status("states") is None)
        self.create("states")

    def test_time_to_live_can_not_be_enabled_twice(self):
        self.create("ttl")
        wanted = {"Enabled": True, "AttributeName": "until"}
        self.tables.update_time_to_live(TableName="ttl", TimeToLiveSpecification=wanted)
        with self.assertRaisesRegex(ClientError, "ValidationException.*TimeToLive is already enabled"):
            self.tables.update_time_to_live(TableName="ttl", TimeToLiveSpecification=wanted)


class Tags(unittest.TestCase):
    def test_an_apis_tags_are_those_that_were_set_last(self):
        gateway = aws.client("apigateway")
        api = gateway.create_rest_api(name="tagged", tags={"a": "1", "empty": ""})["id"]
        arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
        gateway.tag_resource(resourceArn=arn, tags={"b": "2"})
        gateway.untag_resource(resourceArn=arn, tagKeys=["a"])
        tags = {"b": "2", "empty": ""}
        self.assertEqual(gateway.get_rest_api(restApiId=api)["tags"], tags)
        listed = gateway.get_rest_apis(limit=500)["items"]
        self.assertEqual([one["tags"] for one in listed if one["id"] == api], [tags])
        gateway.update_rest_api(
            restApiId=api, patchOperations=[{"op": "replace", "path": "/description", "value": "new"}]
        )
        self.assertEqual(gateway.get_rest_api(restApiId=api)["tags"], tags)

    def test_an_empty_description_is_refused(self):
        with self.assertRaisesRegex(ClientError, "BadRequestException.*Description cannot be an empty string"):
            aws.client("apigateway").create_rest_api(name="x", description="")

    def test_resources_are_found_by_tag(self):
        api = aws.client("apigateway").create_rest_api(name="found", tags={"find": "me"})["id"]
        aws.client("logs").create_log_group(logGroupName="/found", tags={"find": "me"})
        tagging = aws.client("resourcegroupstaggingapi")

        def found(*types: str) -> set[str]:
            answer = tagging.get_resources(TagFilters=[{"Key": "find"}], ResourceTypeFilters=list(types))
            return {one["ResourceARN"] for one in answer["ResourceTagMappingList"]}

        arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
        group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/found"
        self.assertEqual(found(), {arn, group})
        self.assertEqual(found("apigateway:restapis"), {arn})
        self.assertEqual(found("logs:log-group"), {group})


if __name__ == "__main__":
    unittest.main()
