"""PutRestApi, deployments and stages."""

import copy
import json
import unittest

from botocore.exceptions import ClientError

from testing import LocalAws, Stack, document, integration, operation

SCHEMES = {
    "securitySchemes": {
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    }
}
LAB = document(
    {
        "/DynamoDBManager": {
            "post": operation(
                "f",
                400,
                responses={
                    "default": {"statusCode": "200", "responseTemplates": {"application/json": "$input.body"}},
                    r"An error \(.*": {"statusCode": "400"},
                },
                requestTemplates={"application/xml": ""},
                passthroughBehavior="when_no_templates",
                timeoutInMillis=12000,
            )
        }
    }
)


def authorizer(**fields) -> dict:
    """A security scheme that asks the function."""
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": integration("f")["uri"], **fields},
    }


def setUpModule():
    global aws, stack
    aws = LocalAws()
    stack = Stack(aws, "f", LAB)


def tearDownModule():
    aws.stop()


class Definition(unittest.TestCase):
    def setUp(self):
        stack.define(LAB)

    def refused(self, definition: dict, reason: str) -> None:
        """Refused for that reason, and without effect."""
        before = stack.resources()
        with self.assertRaisesRegex(ClientError, f"BadRequestException.*PutRestApi operation: [^$]*{reason}"):
            stack.define(definition)
        self.assertEqual(stack.resources(), before)

    def test_reads_back_what_the_document_says(self):
        resource = stack.resources()["/DynamoDBManager"]
        self.assertEqual(
            resource["resourceMethods"]["POST"],
            {
                "httpMethod": "POST",
                "authorizationType": "NONE",
                "apiKeyRequired": False,
                "methodResponses": {"200": {"statusCode": "200"}, "400": {"statusCode": "400"}},
                "methodIntegration": {
                    "type": "AWS",
                    "httpMethod": "POST",
                    "uri": integration("f")["uri"],
                    "requestTemplates": {"application/xml": ""},
                    "passthroughBehavior": "WHEN_NO_TEMPLATES",
                    "timeoutInMillis": 12000,
                    "cacheNamespace": resource["id"],
                    "cacheKeyParameters": [],
                    "integrationResponses": {
                        "200": {"statusCode": "200", "responseTemplates": {"application/json": "$input.body"}},
                        "400": {"statusCode": "400", "selectionPattern": r"An error \(.*"},
                    },
                },
            },
        )

    def test_the_other_calls_read_it_too(self):
        resource = stack.resources()["/DynamoDBManager"]["id"]
        method = {"restApiId": stack.api, "resourceId": resource, "httpMethod": "POST"}
        self.assertEqual(stack.gateway.get_integration(**method)["timeoutInMillis"], 12000)
        response = stack.gateway.get_integration_response(**method, statusCode="400")
        self.assertEqual(response["selectionPattern"], r"An error \(.*")
        listed = stack.gateway.get_resources(restApiId=stack.api)["items"]
        self.assertIn({"POST": {}}, [one.get("resourceMethods") for one in listed])

    def test_paths_parameters_and_methods(self):
        stack.define(
            document(
                {
                    "/": {"get": operation("f")},
                    "/orders/{id}": {
                        "parameters": [{"name": "id", "in": "path", "required": True}],
                        "get": {
                            **operation("f"),
                            "operationId": "one",
                            "parameters": [{"name": "full", "in": "query"}, {"name": "X-Who", "in": "header"}],
                        },
                        "delete": operation("f"),
                        "x-amazon-apigateway-any-method": operation("f", type="aws_proxy"),
                    },
                    "/orders/{id}/{rest+}": {"post": operation("f")},
                }
            )
        )
        resources = stack.resources()
        self.assertEqual(set(resources), {"/", "/orders", "/orders/{id}", "/orders/{id}/{rest+}"})
        self.assertEqual(resources["/orders/{id}"]["parentId"], resources["/orders"]["id"])
        self.assertNotIn("resourceMethods", resources["/orders"])
        methods = resources["/orders/{id}"]["resourceMethods"]
        self.assertEqual(set(methods), {"GET", "DELETE", "ANY"})
        self.assertEqual(methods["GET"]["operationName"], "one")
        self.assertEqual(
            methods["GET"]["requestParameters"],
            {
                "method.request.path.id": True,
                "method.request.querystring.full": False,
                "method.request.header.X-Who": False,
            },
        )

    def test_authorization(self):
        stack.define(
            document(
                {
                    "/iam": {"get": {**operation("f"), "security": [{"sigv4": []}]}},
                    "/auth": {"get": {**operation("f"), "x-amazon-apigateway-auth": {"type": "AWS_IAM"}}},
                    "/key": {"get": {**operation("f"), "security": [{"key": []}]}},
                    "/open": {"get": operation("f")},
                },
                components=SCHEMES,
            )
        )
        methods = {path: one["resourceMethods"]["GET"] for path, one in stack.resources().items() if path != "/"}
        self.assertEqual(
            {path: (method["authorizationType"], method["apiKeyRequired"]) for path, method in methods.items()},
            {
                "/iam": ("AWS_IAM", False),
                "/auth": ("AWS_IAM", False),
                "/key": ("NONE", True),
                "/open": ("NONE", False),
            },
        )
        deployed = stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod")
        plan = stack.gateway.create_usage_plan(name="plan", apiStages=[{"apiId": stack.api, "stage": "Prod"}])
        key = stack.gateway.create_api_key(name="key", enabled=True)
        stack.gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        self.assertTrue(deployed["id"])
        self.assertEqual(stack.send("/iam", b"", method="GET")[0], 403)
        self.assertEqual(stack.send("/key", b"", method="GET")[0], 403)
        self.assertEqual(stack.send("/key", b"", method="GET", headers={"X-Api-Key": key["value"]})[0], 200)
        self.assertEqual(stack.send("/open", b"", method="GET")[0], 200)

    def test_overwriting_removes_what_is_not_in_the_document_and_keeps_the_rest(self):
        stack.gateway.tag_resource(
            resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{stack.api}", tags={"owner": "me"}
        )
        before = stack.resources()
        other = copy.deepcopy(LAB)
        other["paths"]["/other/deep"] = {"get": operation("f")}
        other["info"]["description"] = "with another"
        other["x-amazon-apigateway-binary-media-types"] = ["image/png"]
        stack.define(other)
        self.assertEqual(set(stack.resources()), {"/", "/DynamoDBManager", "/other", "/other/deep"})
        self.assertEqual(stack.gateway.get_rest_api(restApiId=stack.api)["description"], "with another")
        answered = stack.define(LAB)
        self.assertEqual(stack.resources(), before)
        api = stack.gateway.get_rest_api(restApiId=stack.api)
        self.assertEqual((api["id"], api["name"], api["tags"]), (stack.api, "api", {"owner": "me"}))
        self.assertEqual(api["endpointConfiguration"]["types"], ["REGIONAL"])
        self.assertEqual(answered["rootResourceId"], api["rootResourceId"])
        self.assertNotIn("description", api)
        self.assertNotIn("binaryMediaTypes", api)
        self.assertEqual(stack.gateway.get_stages(restApiId=stack.api)["item"][0]["stageName"], "Prod")

    def test_overwriting_resets_the_versions_of_tls_unless_the_document_says_them(self):
        def tls() -> tuple:
            api = stack.gateway.get_rest_api(restApiId=stack.api)
            return api["securityPolicy"], api.get("endpointAccessMode")

        policy = "SecurityPolicy_TLS13_1_3_2025_09"
        said = {"x-amazon-apigateway-security-policy": policy, "x-amazon-apigateway-endpoint-access-mode": "STRICT"}
        stack.define({**LAB, **said})
        self.assertEqual(tls(), (policy, "STRICT"))
        stack.define(LAB)
        self.assertEqual(tls(), ("TLS_1_0", None))
        self.refused({**LAB, "x-amazon-apigateway-security-policy": policy}, "endpoint access mode")

    def test_merging_keeps_what_is_not_in_the_document(self):
        stack.define(document({"/more": {"get": operation("f")}}), mode="merge")
        self.assertEqual(set(stack.resources()), {"/", "/DynamoDBManager", "/more"})

    def test_a_variable_can_be_renamed(self):
        stack.define(document({"/a/{one}": {"get": operation("f")}}))
        stack.define(document({"/a/{two}": {"get": operation("f")}}))
        self.assertEqual(set(stack.resources()), {"/", "/a", "/a/{two}"})

    def test_what_can_not_be_is_refused(self):
        def lab(**fields) -> dict:
            return document({"/x": {"post": operation("f", **fields)}})

        refusals = {
            "only OpenAPI 3": {"swagger": "2.0"},
            "Invalid Response status code": lab(responses={"default": {"statusCode": "201"}}),
            "Invalid selection pattern": lab(responses={"(": {"statusCode": "200"}}),
            "Invalid integration type": lab(type="lambda"),
            "Timeout should be between": lab(timeoutInMillis=30000),
            "HttpMethod must be non-empty": lab(httpMethod=""),
            "AWS ARN for integration must contain path or action": lab(uri="arn:aws:lambda:us-east-1:1:function:f"),
            "Invalid ARN specified": lab(uri="f"),
            "sibling": document({"/{a}": {"get": operation("f")}, "/{b}": {"get": operation("f")}}),
            "path part": document({"/a b": {"get": operation("f")}}),
            "Unsupported extension 'x-amazon-apigateway-novelty'": {**LAB, "x-amazon-apigateway-novelty": 1},
            "Unsupported security scheme 'jwt'": document({"/x": {"post": {**operation("f"), "security": [{"jwt": []}]}}}),
            "not the expected structure": document({"/x": {"post": "text"}}),
            "Unsupported integration field 'tlsConfig'": lab(tlsConfig={}),
        }
        for reason, definition in refusals.items():
            with self.subTest(reason):
                self.refused(definition, reason)

    def test_warnings_are_told_when_they_do_not_fail(self):
        answer = stack.define({**LAB, "x-amazon-apigateway-novelty": 1}, strict=False)
        self.assertEqual(
            answer["warnings"], ["Unsupported extension 'x-amazon-apigateway-novelty' on the API, ignoring"]
        )

    def test_an_unknown_api(self):
        with self.assertRaisesRegex(ClientError, "NotFoundException.*Invalid API identifier specified"):
            stack.gateway.put_rest_api(restApiId="nothing", body=b"{}")

    def test_request_validation(self):
        validated = {
            **operation("f"),
            "x-amazon-apigateway-request-validator": "body",
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}},
        }
        schema = {"type": "object", "required": ["operation"]}
        stack.define(
            document(
                {"/v": {"post": validated}},
                **{"x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}}},
                components={"schemas": {"Event": schema}},
            )
        )
        stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod")
        self.assertEqual(stack.send("/v", b'{"operation":1}')[0], 200)
        self.assertEqual(stack.send("/v", b"{}"), (400, b'{"message": "Invalid request body"}'))


class Limits(unittest.TestCase):
    def test_resources(self):
        paths = {f"/r{number}": {"get": operation("f")} for number in range(299)}
        stack.define(document(paths))
        self.assertEqual(len(stack.resources()), 300)
        root = stack.resources()["/"]["id"]
        with self.assertRaisesRegex(ClientError, "LimitExceededException.*Maximum number of Resources"):
            stack.gateway.create_resource(restApiId=stack.api, parentId=root, pathPart="more")
        with self.assertRaisesRegex(ClientError, "LimitExceededException.*Maximum number of Resources"):
            stack.define(document({**paths, "/more": {"get": operation("f")}}))
        self.assertEqual(len(stack.resources()), 300)
        stack.define(LAB)

    def test_the_path_of_a_method_with_an_authorizer(self):
        methods = {"/open/{x}": {}, "/guarded/{x}": {"security": [{"guard": []}]}}
        paths = {path: {"post": {**operation("f"), **fields}} for path, fields in methods.items()}
        stack.define(document(paths, components={"securitySchemes": {"guard": authorizer()}}))
        stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod")
        before = len(f"arn:aws:execute-api:us-east-1:123456789012:{stack.api}/Prod/POST/guarded/")
        token = {"Authorization": "x"}
        # The function answers with no policy.
        self.assertEqual(stack.send("/guarded/" + "x" * (1600 - before), b"1", headers=token)[0], 500)
        self.assertEqual(stack.send("/guarded/" + "x" * (1601 - before), b"1", headers=token)[0], 414)
        self.assertEqual(stack.send("/open/" + "x" * 1601, b"1")[0], 200)

    def test_an_api_behind_a_custom_domain_is_not_deleted(self):
        api = stack.gateway.create_rest_api(name="mapped")["id"]
        stack.gateway.create_domain_name(domainName="api.example.com")
        mapping = {"domainName": "api.example.com", "basePath": "v1"}
        stack.gateway.create_base_path_mapping(**mapping, restApiId=api)
        with self.assertRaisesRegex(ClientError, "BadRequestException.*remove all base path mappings.*api.example.com"):
            stack.gateway.delete_rest_api(restApiId=api)
        stack.gateway.delete_base_path_mapping(**mapping)
        stack.gateway.delete_rest_api(restApiId=api)

    def test_the_policy_of_a_function(self):
        def add(number: int) -> None:
            stack.functions.add_permission(
                FunctionName="f",
                StatementId=f"s{number}",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{stack.api}/*/GET/{number:0>100}",
            )

        with self.assertRaisesRegex(ClientError, "PolicyLengthExceededException.*bigger than the limit .20480."):
            for number in range(100):
                add(number)
        policy = stack.functions.get_policy(FunctionName="f")["Policy"]
        self.assertLessEqual(len(policy), 20480 + 1000)
        for one in json.loads(policy)["Statement"]:
            if one["Sid"] != "api":
                stack.functions.remove_permission(FunctionName="f", StatementId=one["Sid"])


class Deployments(unittest.TestCase):
    def test_a_change_is_live_after_its_deployment_only(self):
        stack.define(document({"/old": {"post": operation("f")}}))
        first = stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod", description="first")["id"]
        stack.define(document({"/new": {"post": operation("f")}}))
        self.assertEqual((stack.send("/old", b"1")[0], stack.send("/new", b"1")[0]), (200, 403))
        second = stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod")["id"]
        self.assertEqual((stack.send("/old", b"1")[0], stack.send("/new", b"1")[0]), (403, 200))
        stack.gateway.update_stage(
            restApiId=stack.api,
            stageName="Prod",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}],
        )
        self.assertEqual((stack.send("/old", b"1")[0], stack.send("/new", b"1")[0]), (200, 403))
        with self.assertRaisesRegex(ClientError, "Active stages pointing to this deployment must be moved or deleted"):
            stack.gateway.delete_deployment(restApiId=stack.api, deploymentId=first)
        stack.gateway.delete_deployment(restApiId=stack.api, deploymentId=second)
        listed = stack.gateway.get_deployments(restApiId=stack.api)["items"]
        described = next(one for one in listed if one["id"] == first)
        self.assertEqual(set(described), {"id", "description", "createdDate", "apiSummary"})

    def test_so_are_validators_models_and_authorizers(self):
        def define(field: str, token: str) -> None:
            body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}}}
            validated = {**operation("f"), "requestBody": body, "x-amazon-apigateway-request-validator": "body"}
            guarded = {**operation("f"), "security": [{"guard": []}]}
            stack.define(
                document(
                    {"/v": {"post": validated}, "/g": {"post": guarded}},
                    **{"x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}}},
                    components={
                        "schemas": {"Event": {"type": "object", "required": [field]}},
                        "securitySchemes": {"guard": authorizer(identityValidationExpression=token)},
                    },
                )
            )

        def deploy() -> None:
            stack.gateway.create_deployment(restApiId=stack.api, stageName="Prod")

        def statuses() -> list[int]:
            bodies = [stack.send("/v", body)[0] for body in (b'{"old":1}', b'{"new":1}')]
            # The function answers with no policy (500), when its authorizer lets the token through to it (else 401).
            tokens = ("old", "new")
            return bodies + [stack.send("/g", b"1", headers={"Authorization": token})[0] for token in tokens]

        define("old", "old")
        deploy()
        self.assertEqual(statuses(), [200, 400, 500, 401])
        define("new", "new")
        self.assertEqual(statuses(), [200, 400, 500, 401])
        deploy()
        self.assertEqual(statuses(), [400, 200, 401, 500])
        validator = stack.gateway.get_request_validators(restApiId=stack.api)["items"][0]["id"]
        stack.gateway.update_request_validator(
            restApiId=stack.api,
            requestValidatorId=validator,
            patchOperations=[{"op": "replace", "path": "/validateRequestBody", "value": "false"}],
        )
        self.assertEqual(statuses(), [400, 200, 401, 500])
        deploy()
        self.assertEqual(statuses(), [200, 200, 401, 500])

    def test_what_can_not_be_deployed(self):
        api = stack.gateway.create_rest_api(name="empty")["id"]
        root = stack.gateway.get_resources(restApiId=api)["items"][0]["id"]
        with self.assertRaisesRegex(ClientError, "The REST API doesn't contain any methods"):
            stack.gateway.create_deployment(restApiId=api, stageName="Prod")
        stack.gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
        with self.assertRaisesRegex(ClientError, "No integration defined for method"):
            stack.gateway.create_deployment(restApiId=api, stageName="Prod")

    def test_stages(self):
        with self.assertRaisesRegex(ClientError, "ConflictException.*Stage already exists"):
            stack.gateway.create_stage(restApiId=stack.api, stageName="Prod", deploymentId="nothing")
        with self.assertRaisesRegex(ClientError, "BadRequestException.*Deployment id does not exist"):
            stack.gateway.create_stage(restApiId=stack.api, stageName="Test", deploymentId="nothing")
        with self.assertRaisesRegex(ClientError, "BadRequestException.*Deployment id does not exist"):
            stack.gateway.update_stage(
                restApiId=stack.api,
                stageName="Prod",
                patchOperations=[{"op": "replace", "path": "/deploymentId", "value": "nothing"}],
            )
        stack.gateway.create_deployment(restApiId=stack.api, stageName="Traced", tracingEnabled=True)
        arn = f"arn:aws:apigateway:us-east-1::/restapis/{stack.api}/stages/Traced"
        stack.gateway.tag_resource(resourceArn=arn, tags={"a": "1"})
        stage = stack.gateway.get_stage(restApiId=stack.api, stageName="Traced")
        self.assertEqual((stage["tracingEnabled"], stage["tags"]), (True, {"a": "1"}))
        self.assertNotIn("description", stage)
        stack.gateway.delete_stage(restApiId=stack.api, stageName="Traced")
        tagged = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a"}])
        self.assertEqual(tagged["ResourceTagMappingList"], [])


if __name__ == "__main__":
    unittest.main()
