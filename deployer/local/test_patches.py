"""Changes of a REST API piece by piece: what they change, what they refuse, and that the rest stays."""

import unittest

from botocore.exceptions import ClientError

from testing import LocalAws, Stack, document, operation

ERRORS = {"default": {"statusCode": "200"}, "bad: .*": {"statusCode": "400"}}
API = document({"/x": {"post": operation("f", 400, responses=ERRORS)}, "/x/y/z": {"get": operation("f")}})


def setUpModule():
    global aws, stack, gateway
    aws = LocalAws()
    stack = Stack(aws, "f", API)
    gateway = stack.gateway


def tearDownModule():
    aws.stop()


def patch(path: str, value: str | None = None, op: str = "replace") -> dict:
    """One patch operation."""
    return {"op": op, "path": path, **({} if value is None else {"value": value})}


class RestApi(unittest.TestCase):
    def setUp(self):
        self.api = gateway.create_rest_api(name="api", description="told")["id"]
        self.addCleanup(gateway.delete_rest_api, restApiId=self.api)

    def update(self, *operations: dict) -> dict:
        updated = gateway.update_rest_api(restApiId=self.api, patchOperations=operations)
        listed = [one for one in gateway.get_rest_apis(limit=500)["items"] if one["id"] == self.api]
        for answer in (updated, *listed, gateway.get_rest_api(restApiId=self.api)):
            del answer["createdDate"]
            answer.pop("ResponseMetadata", None)
            self.assertEqual(answer, updated)
        return updated

    def test_the_endpoint(self):
        endpoint = gateway.get_rest_api(restApiId=self.api)["endpointConfiguration"]
        self.assertEqual(endpoint, {"types": ["EDGE"], "ipAddressType": "ipv4"})
        for path, value in {"EDGE": "REGIONAL", "REGIONAL": "EDGE", "0": "REGIONAL"}.items():
            updated = self.update(patch(f"/endpointConfiguration/types/{path}", value))
            self.assertEqual(updated["endpointConfiguration"]["types"], [value])
        updated = self.update(patch("/endpointConfiguration/ipAddressType", "dualstack"))
        self.assertEqual(updated["endpointConfiguration"], {"types": ["REGIONAL"], "ipAddressType": "dualstack"})

    def test_texts(self):
        updated = self.update(patch("/name", "other"), patch("/description", "new"))
        self.assertEqual((updated["name"], updated["description"]), ("other", "new"))
        self.assertNotIn("description", self.update(patch("/description", "")))
        self.update(patch("/description", "again"))
        self.assertNotIn("description", self.update(patch("/description", op="remove")))

    def test_values_of_other_types(self):
        self.assertIs(self.update(patch("/disableExecuteApiEndpoint", "true"))["disableExecuteApiEndpoint"], True)
        self.assertEqual(self.update(patch("/minimumCompressionSize", "0"))["minimumCompressionSize"], 0)
        self.assertNotIn("minimumCompressionSize", self.update(patch("/minimumCompressionSize", "")))
        media = self.update(
            patch("/binaryMediaTypes/image~1png", op="add"), patch("/binaryMediaTypes/image~1jpeg", op="add")
        )
        self.assertEqual(media["binaryMediaTypes"], ["image/png", "image/jpeg"])
        media = self.update(
            patch("/binaryMediaTypes/image~1png", "image/gif"), patch("/binaryMediaTypes/image~1jpeg", op="remove")
        )
        self.assertEqual(media["binaryMediaTypes"], ["image/gif"])

    def test_refused_and_nothing_changed(self):
        refused = {
            "Invalid EndpointTypes specified": patch("/endpointConfiguration/types/EDGE", "OTHER"),
            "Invalid patch path /endpointConfiguration/types/REGIONAL": patch(
                "/endpointConfiguration/types/REGIONAL", "EDGE"
            ),
            "Invalid patch path /endpointConfiguration$": patch("/endpointConfiguration", "EDGE"),
            "Invalid patch path /binaryMediaTypes$": patch("/binaryMediaTypes", "image/gif"),
            "Invalid patch path /tags/a": patch("/tags/a", "b"),
            "Invalid patch path /id": patch("/id", "b"),
            r"Must be one of: \[replace\]": patch("/name", "b", op="add"),
            "Invalid minimum compression size": patch("/minimumCompressionSize", "-1"),
        }
        for message, operation in refused.items():
            with self.subTest(message), self.assertRaisesRegex(ClientError, f"BadRequestException.*{message}"):
                self.update(patch("/name", "changed"), operation)
        self.assertEqual(gateway.get_rest_api(restApiId=self.api)["name"], "api")

    def test_a_new_one_without_a_description_says_so_by_leaving_it_out(self):
        with self.assertRaisesRegex(ClientError, "BadRequestException.*Description cannot be an empty string"):
            gateway.create_rest_api(name="x", description="")


class Stage(unittest.TestCase):
    STAGE = "Other"

    def setUp(self):
        self.deployment = gateway.create_deployment(restApiId=stack.api)["id"]
        gateway.create_stage(restApiId=stack.api, stageName=self.STAGE, deploymentId=self.deployment)
        self.addCleanup(gateway.delete_stage, restApiId=stack.api, stageName=self.STAGE)

    def update(self, *operations: dict) -> dict:
        updated = gateway.update_stage(restApiId=stack.api, stageName=self.STAGE, patchOperations=operations)
        stage = gateway.get_stage(restApiId=stack.api, stageName=self.STAGE)
        del updated["ResponseMetadata"], stage["ResponseMetadata"]
        self.assertEqual(updated, stage)
        return stage

    def test_throttling(self):
        rate, burst = "/*/*/throttling/rateLimit", "/*/*/throttling/burstLimit"
        for told, read in {("0.5", "7"): (0.5, 7), ("-1", "-1"): (-1.0, -1), ("100", "0"): (100.0, 0)}.items():
            stage = self.update(patch(rate, told[0]), patch(burst, told[1]))
            settings = stage["methodSettings"]["*/*"]
            self.assertEqual((settings["throttlingRateLimit"], settings["throttlingBurstLimit"]), read)
        self.assertEqual(self.update(patch("/*/*", op="remove"))["methodSettings"], {})
        settings = self.update(patch(burst, "7"))["methodSettings"]["*/*"]
        self.assertEqual((settings["throttlingRateLimit"], settings["throttlingBurstLimit"]), (10000.0, 7))
        self.assertNotIn("loggingLevel", settings)
        self.assertIn("~1x/POST", self.update(patch("/~1x/POST/throttling/rateLimit", "5"))["methodSettings"])

    def test_variables(self):
        stage = self.update(patch("/variables/level", "debug"), patch("/variables/url", "https://x/?a=b&c=~,d"))
        self.assertEqual(stage["variables"], {"level": "debug", "url": "https://x/?a=b&c=~,d"})
        self.assertEqual(self.update(patch("/variables/url", op="remove"))["variables"], {"level": "debug"})
        self.assertNotIn("variables", self.update(patch("/variables/level", op="remove")))

    def test_the_rest(self):
        newer = gateway.create_deployment(restApiId=stack.api)["id"]
        stage = self.update(
            patch("/deploymentId", newer), patch("/description", "new"), patch("/tracingEnabled", "true")
        )
        self.assertEqual((stage["deploymentId"], stage["description"], stage["tracingEnabled"]), (newer, "new", True))
        for deployment, names in {newer: [self.STAGE], self.deployment: []}.items():
            stages = gateway.get_stages(restApiId=stack.api, deploymentId=deployment)["item"]
            self.assertEqual([one["stageName"] for one in stages], names)
        gateway.delete_deployment(restApiId=stack.api, deploymentId=self.deployment)
        self.update(patch("/tracingEnabled", "false"), patch("/description", ""))

    def test_a_canary(self):
        newer = gateway.create_deployment(restApiId=stack.api)["id"]
        stage = self.update(
            patch("/canarySettings/percentTraffic", "10.5"), patch("/canarySettings/deploymentId", newer)
        )
        self.assertEqual(
            stage["canarySettings"], {"percentTraffic": 10.5, "deploymentId": newer, "useStageCache": False}
        )
        with self.assertRaisesRegex(ClientError, "Active stages pointing to this deployment"):
            gateway.delete_deployment(restApiId=stack.api, deploymentId=newer)
        with self.assertRaisesRegex(ClientError, "BadRequestException.*canary"):
            gateway.create_deployment(restApiId=stack.api, stageName=self.STAGE)
        self.assertNotIn("canarySettings", self.update(patch("/canarySettings", op="remove")))
        gateway.create_deployment(restApiId=stack.api, stageName=self.STAGE)
        gateway.delete_deployment(restApiId=stack.api, deploymentId=newer)

    def test_refused_and_nothing_changed(self):
        refused = {
            "Deployment id does not exist": patch("/deploymentId", "none"),
            "Invalid add operation with path: /canarySettings": patch("/canarySettings/percentTraffic", "1", "add"),
            "there is no canary": patch("/canarySettings", op="remove"),
            "Invalid method setting path: /nothing": patch("/nothing", "x"),
            "Invalid method setting path: /tags/a": patch("/tags/a", "x"),
            "Invalid throttling rate limit": patch("/*/*/throttling/rateLimit", "much"),
            "Invalid throttling burst limit": patch("/*/*/throttling/burstLimit", "1.5"),
            r"Cannot remove method setting \*/\*": patch("/*/*", op="remove"),
            "Stage variable values": patch("/variables/x", "a b"),
        }
        for message, operation in refused.items():
            with self.subTest(message), self.assertRaisesRegex(ClientError, f"BadRequestException.*{message}"):
                self.update(patch("/description", "changed"), operation)
        self.assertNotIn("description", gateway.get_stage(restApiId=stack.api, stageName=self.STAGE))


class Methods(unittest.TestCase):
    def setUp(self):
        stack.define(API)
        self.method = {"restApiId": stack.api, "resourceId": stack.resources()["/x"]["id"], "httpMethod": "POST"}

    def read(self) -> dict:
        method = gateway.get_method(**self.method)
        del method["ResponseMetadata"]
        return method

    def test_a_method(self):
        gateway.update_method(
            **self.method,
            patchOperations=[
                patch("/apiKeyRequired", "true"),
                patch("/authorizationType", "AWS_IAM"),
                patch("/requestParameters/method.request.querystring.q", "false", op="add"),
            ],
        )
        method = self.read()
        self.assertEqual((method["apiKeyRequired"], method["authorizationType"]), (True, "AWS_IAM"))
        self.assertEqual(method["requestParameters"], {"method.request.querystring.q": False})
        with self.assertRaisesRegex(ClientError, "Invalid patch path /httpMethod"):
            gateway.update_method(**self.method, patchOperations=[patch("/httpMethod", "GET")])

    def test_an_integration(self):
        gateway.update_integration(
            **self.method,
            patchOperations=[
                patch("/timeoutInMillis", "5000"),
                patch("/requestTemplates/application~1json", "{}", op="add"),
                patch("/passthroughBehavior", "NEVER"),
                patch("/uri", "arn:aws:apigateway:us-east-1:lambda:path/other"),
            ],
        )
        integration = self.read()["methodIntegration"]
        self.assertEqual(integration["timeoutInMillis"], 5000)
        self.assertEqual(integration["requestTemplates"], {"application/json": "{}"})
        self.assertEqual(integration["passthroughBehavior"], "NEVER")
        self.assertTrue(integration["uri"].endswith("other"))
        self.assertEqual(set(integration["integrationResponses"]), {"200", "400"})
        with self.assertRaisesRegex(ClientError, "Timeout should be between"):
            gateway.update_integration(**self.method, patchOperations=[patch("/timeoutInMillis", "49")])
        with self.assertRaisesRegex(ClientError, "NotFoundException.*Content-Type specified was not found"):
            gateway.update_integration(**self.method, patchOperations=[patch("/requestTemplates/x", op="remove")])

    def test_responses(self):
        gateway.update_method_response(
            **self.method,
            statusCode="400",
            patchOperations=[patch("/responseParameters/method.response.header.h", "true", op="add")],
        )
        gateway.update_integration_response(
            **self.method,
            statusCode="400",
            patchOperations=[
                patch("/selectionPattern", "worse: .*"),
                patch("/responseTemplates/application~1json", "{}", op="add"),
                patch("/responseParameters/method.response.header.h", "'x'", op="add"),
            ],
        )
        method = self.read()
        self.assertEqual(
            method["methodResponses"]["400"]["responseParameters"], {"method.response.header.h": True}
        )
        response = method["methodIntegration"]["integrationResponses"]["400"]
        self.assertEqual(response["selectionPattern"], "worse: .*")
        self.assertEqual(response["responseParameters"], {"method.response.header.h": "'x'"})
        for update in (gateway.update_method_response, gateway.update_integration_response):
            with self.assertRaisesRegex(ClientError, "NotFoundException.*Invalid Response status code"):
                update(**self.method, statusCode="404", patchOperations=[])

    def test_what_is_there_can_not_be_put_again(self):
        with self.assertRaisesRegex(ClientError, "ConflictException.*Method already exists"):
            gateway.put_method(**self.method, authorizationType="NONE")
        with self.assertRaisesRegex(ClientError, "ConflictException.*Response already exists"):
            gateway.put_method_response(**self.method, statusCode="400")
        gateway.put_integration_response(**self.method, statusCode="400", selectionPattern="again: .*")
        response = gateway.get_integration_response(**self.method, statusCode="400")
        self.assertEqual(response["selectionPattern"], "again: .*")

    def test_what_is_not_there_can_not_be_deleted(self):
        with self.assertRaisesRegex(ClientError, "NotFoundException.*Invalid Method identifier"):
            gateway.delete_method(**{**self.method, "httpMethod": "PUT"})
        for delete in (gateway.delete_method_response, gateway.delete_integration_response):
            with self.assertRaisesRegex(ClientError, "NotFoundException.*Invalid Response status code"):
                delete(**self.method, statusCode="404")
            delete(**self.method, statusCode="400")
        gateway.delete_integration(**self.method)
        with self.assertRaisesRegex(ClientError, "NotFoundException.*Invalid Integration identifier"):
            gateway.delete_integration(**self.method)
        gateway.delete_method(**self.method)

    def test_an_integration_must_be_one(self):
        arn = "arn:aws:apigateway:us-east-1:lambda:nothing"
        refused = {
            "must contain path or action": {"type": "AWS", "integrationHttpMethod": "POST", "uri": arn},
            "HttpMethod must be non-empty": {"type": "AWS", "uri": arn.replace("nothing", "path/x")},
            "Timeout should be between": {"type": "MOCK", "timeoutInMillis": 29001},
        }
        for message, integration in refused.items():
            with self.subTest(message), self.assertRaisesRegex(ClientError, f"BadRequestException.*{message}"):
                gateway.put_integration(**self.method, **integration)
        gateway.put_integration(**self.method, type="MOCK")

    def test_a_resource_moves_and_goes_with_what_is_below_it(self):
        resource = stack.resources()["/x"]["id"]
        gateway.update_resource(restApiId=stack.api, resourceId=resource, patchOperations=[patch("/pathPart", "moved")])
        self.assertEqual(set(stack.resources()), {"/", "/moved", "/moved/y", "/moved/y/z"})
        gateway.delete_resource(restApiId=stack.api, resourceId=resource)
        self.assertEqual(set(stack.resources()), {"/"})


if __name__ == "__main__":
    unittest.main()
