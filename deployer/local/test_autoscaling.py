"""Application Auto Scaling: what is registered, what is read back, what is refused."""

import unittest

from botocore.exceptions import ClientError

from testing import ACCOUNT, LocalAws

READ, WRITE = (f"dynamodb:table:{kind}CapacityUnits" for kind in ("Read", "Write"))
METRIC = {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"}


def setUpModule():
    global aws, scaling
    aws = LocalAws()
    scaling = aws.client("application-autoscaling")
    aws.client("dynamodb").create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )


def tearDownModule():
    aws.stop()


def target(dimension: str = READ, resource: str = "table/items", namespace: str = "dynamodb") -> dict:
    """Which target a call means."""
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


def policy(name: str = "p", value: float = 70.0, **fields) -> dict:
    """A policy of target tracking."""
    return {
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": value, "PredefinedMetricSpecification": METRIC},
        **target(),
        **fields,
    }


class Case(unittest.TestCase):
    def setUp(self):
        for one in self.targets():
            scaling.deregister_scalable_target(**target(one["ScalableDimension"]))

    def targets(self, client=None, **which) -> list[dict]:
        client = client or scaling
        return client.describe_scalable_targets(ServiceNamespace="dynamodb", **which)["ScalableTargets"]

    def policies(self, **which) -> list[dict]:
        return scaling.describe_scaling_policies(ServiceNamespace="dynamodb", **which)["ScalingPolicies"]

    def refused(self, code: str, message: str):
        return self.assertRaisesRegex(ClientError, f"{code}.*{message}")


class Targets(Case):
    def test_registered_changed_and_deregistered(self):
        arn = scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10)["ScalableTargetARN"]
        scaling.register_scalable_target(**target(WRITE), MinCapacity=2, MaxCapacity=3)
        (one,) = self.targets(ResourceIds=["table/items"], ScalableDimension=READ)
        self.assertEqual((one["MinCapacity"], one["MaxCapacity"]), (1, 10))
        self.assertEqual(one["ScalableTargetARN"], arn)
        self.assertIn(f"{ACCOUNT}:role/aws-service-role/dynamodb.application-autoscaling", one["RoleARN"])
        self.assertEqual(set(one["SuspendedState"].values()), {False})
        scaling.register_scalable_target(
            **target(), MaxCapacity=5, SuspendedState={"DynamicScalingInSuspended": True}
        )
        (changed,) = self.targets(ResourceIds=["table/items"], ScalableDimension=READ)
        self.assertEqual((changed["MinCapacity"], changed["MaxCapacity"]), (1, 5))
        self.assertTrue(changed["SuspendedState"]["DynamicScalingInSuspended"])
        self.assertEqual((changed["CreationTime"], changed["ScalableTargetARN"]), (one["CreationTime"], arn))
        self.assertEqual(len(self.targets()), 2)
        self.assertEqual(self.targets(ResourceIds=["table/other"]), [])
        scaling.deregister_scalable_target(**target())
        self.assertEqual([one["ScalableDimension"] for one in self.targets()], [WRITE])
        with self.refused("ObjectNotFoundException", "No scalable target found"):
            scaling.deregister_scalable_target(**target())

    def test_refused(self):
        limits = {"MinCapacity": 1, "MaxCapacity": 2}
        for wrong in (target("ecs:service:DesiredCount"), target(resource="items"), target(namespace="ecs")):
            with self.refused("ValidationException", "Unsupported service namespace"):
                scaling.register_scalable_target(**wrong, **limits)
        with self.refused("ValidationException", "DynamoDB table does not exist: table/other"):
            scaling.register_scalable_target(**target(resource="table/other"), **limits)
        with self.refused("ValidationException", "Maximum capacity cannot be less"):
            scaling.register_scalable_target(**target(), MinCapacity=3, MaxCapacity=2)
        with self.refused("ValidationException", "required"):
            scaling.register_scalable_target(**target(), MaxCapacity=2)
        with self.refused("ValidationException", "needs a resource ID"):
            self.targets(ScalableDimension=READ)

    def test_accounts_and_regions_are_separate(self):
        scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10)
        others = (
            aws.client("application-autoscaling", "210987654321"),
            aws.client("application-autoscaling", region="eu-west-1"),
        )
        for other in others:
            self.assertEqual(self.targets(other), [])

    def test_pages(self):
        for dimension in (READ, WRITE):
            scaling.register_scalable_target(**target(dimension), MinCapacity=1, MaxCapacity=10)
        first = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", MaxResults=1)
        rest = scaling.describe_scalable_targets(ServiceNamespace="dynamodb", NextToken=first["NextToken"])
        found = first["ScalableTargets"] + rest["ScalableTargets"]
        self.assertEqual([one["ScalableDimension"] for one in found], [READ, WRITE])
        self.assertNotIn("NextToken", rest)

    def test_tags(self):
        scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10, Tags={"a": "1"})
        arn = self.targets()[0]["ScalableTargetARN"]
        scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
        scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
        self.assertEqual(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"], {"b": "2"})


class Policies(Case):
    def test_put_changed_and_deleted(self):
        with self.refused("ObjectNotFoundException", "No scalable target registered"):
            scaling.put_scaling_policy(**policy())
        scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10)
        put = scaling.put_scaling_policy(**policy())
        self.assertEqual(len(put["Alarms"]), 4)
        self.assertEqual(scaling.put_scaling_policy(**policy(value=50.0))["PolicyARN"], put["PolicyARN"])
        (one,) = self.policies(ResourceId="table/items", ScalableDimension=READ)
        configuration = one["TargetTrackingScalingPolicyConfiguration"]
        self.assertEqual(configuration, {"TargetValue": 50.0, "PredefinedMetricSpecification": METRIC})
        self.assertEqual((one["PolicyName"], one["PolicyType"]), ("p", "TargetTrackingScaling"))
        self.assertEqual(self.policies(ResourceId="table/items", ScalableDimension=WRITE), [])
        self.assertEqual(self.policies(PolicyNames=["q"]), [])
        scaling.delete_scaling_policy(**target(), PolicyName="p")
        self.assertEqual((self.policies(), len(self.targets())), ([], 1))
        with self.refused("ObjectNotFoundException", "No scaling policy found"):
            scaling.delete_scaling_policy(**target(), PolicyName="p")

    def test_they_go_with_their_target(self):
        scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10)
        scaling.put_scaling_policy(**policy())
        scaling.deregister_scalable_target(**target())
        self.assertEqual(self.policies(), [])

    def test_refused(self):
        scaling.register_scalable_target(**target(), MinCapacity=1, MaxCapacity=10)
        scaling.put_scaling_policy(**policy())
        with self.refused("ValidationException", "Only one TargetTrackingScaling policy"):
            scaling.put_scaling_policy(**policy("other", 50.0))
        with self.refused("ValidationException", "Only TargetTrackingScaling"):
            scaling.put_scaling_policy(**policy("steps", PolicyType="StepScaling"))


class Capacity(Case):
    def test_registering_brings_it_within_the_limits(self):
        tables = aws.client("dynamodb")

        def capacity() -> tuple[int, int]:
            throughput = tables.describe_table(TableName="items")["Table"]["ProvisionedThroughput"]
            return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]

        self.assertEqual(capacity(), (1, 1))
        scaling.register_scalable_target(**target(READ), MinCapacity=5, MaxCapacity=50)
        self.assertEqual(capacity(), (5, 1))
        scaling.register_scalable_target(**target(READ), MinCapacity=1, MaxCapacity=3)
        self.assertEqual(capacity(), (3, 1))
        for most in (2, 1):
            scaling.register_scalable_target(**target(READ), MinCapacity=1, MaxCapacity=most)
        scaling.register_scalable_target(**target(READ), MinCapacity=5, MaxCapacity=50)
        scaling.register_scalable_target(**target(READ), MinCapacity=1, MaxCapacity=4)
        scaling.register_scalable_target(**target(READ), MinCapacity=5, MaxCapacity=50)
        scaling.register_scalable_target(**target(READ), MinCapacity=1, MaxCapacity=1)
        self.assertEqual(capacity(), (5, 1), "the fifth decrease of a day has to wait")


if __name__ == "__main__":
    unittest.main()
