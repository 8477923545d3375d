"""Tags of REST APIs, and what is found by tags."""

import unittest

from testing import ACCOUNT, TRUST, LocalAws

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}]}'


def setUpModule():
    global aws
    aws = LocalAws()


def tearDownModule():
    aws.stop()


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

    def test_resources_are_found_by_tag(self):
        api = aws.client("apigateway").create_rest_api(name="found", tags={"find": "me"})["id"]
        aws.client("logs").create_log_group(logGroupName="/found", tags={"find": "me"})
        iam, tags = aws.client("iam"), [{"Key": "find", "Value": "me"}]
        policy = iam.create_policy(PolicyName="found", PolicyDocument=POLICY, Tags=tags)["Policy"]["Arn"]
        iam.create_role(RoleName="not-found", AssumeRolePolicyDocument=TRUST, Tags=tags)
        tagging = aws.client("resourcegroupstaggingapi")

        def found(*types: str, client=tagging) -> set[str]:
            answer = client.get_resources(TagFilters=[{"Key": "find"}], ResourceTypeFilters=list(types))
            return {one["ResourceARN"] for one in answer["ResourceTagMappingList"]}

        arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
        group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/found"
        self.assertEqual(found(), {arn, group, policy})
        self.assertEqual(found(client=aws.client("resourcegroupstaggingapi", region="eu-west-1")), set())
        pages = tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": "find"}], ResourcesPerPage=2)
        self.assertEqual([len(page["ResourceTagMappingList"]) for page in pages], [2, 1])
        self.assertEqual(found("apigateway:restapis"), {arn})
        self.assertEqual(found("logs:log-group"), {group})


if __name__ == "__main__":
    unittest.main()
