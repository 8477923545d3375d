"""What a deployer reads back, and what it should be refused, besides the REST API's definition."""

import unittest

from botocore.exceptions import ClientError

from testing import ACCOUNT, ROLE, TRUST, LocalAws, package, wait_until

TAGS = [{"Key": "owner", "Value": "me"}]


def setUpModule():
    global aws
    aws = LocalAws(TRANSITION_SECONDS="0.5")  # long enough for a busy machine
    aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)


def tearDownModule():
    aws.stop()


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
