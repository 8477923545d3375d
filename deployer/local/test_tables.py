"""Tables: states that take a moment, what a deployer reads back, and what it should be refused."""

import unittest

from botocore.exceptions import ClientError

from testing import LocalAws, wait_until

ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}


def units(read: int, write: int) -> dict:
    """Provisioned throughput."""
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


class Case(unittest.TestCase):
    TRANSITION_SECONDS = "0.02"

    @classmethod
    def setUpClass(cls):
        global tables
        aws = LocalAws(TRANSITION_SECONDS=cls.TRANSITION_SECONDS)
        cls.addClassCleanup(aws.stop)
        tables = aws.client("dynamodb")

    def create(self, name: str, **billing) -> dict:
        return tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            Tags=[{"Key": "owner", "Value": "me"}],
            **(billing or ON_DEMAND),
        )["TableDescription"]

    def active(self, name: str, **billing) -> None:
        self.create(name, **billing)
        self.wait(name)

    def wait(self, name: str) -> None:
        wait_until(lambda: self.status(name) == "ACTIVE")

    def table(self, name: str) -> dict:
        return tables.describe_table(TableName=name)["Table"]

    def status(self, name: str) -> str | None:
        try:
            return self.table(name)["TableStatus"]
        except tables.exceptions.ResourceNotFoundException:
            return None

    def refused(self, code: str, message: str = ""):
        return self.assertRaisesRegex(ClientError, f"{code}.*{message}")


class States(Case):
    TRANSITION_SECONDS = "0.5"  # long enough for a busy machine

    def test_they_take_a_moment(self):
        self.assertEqual(self.create("states")["TableStatus"], "CREATING")
        self.assertEqual(self.status("states"), "CREATING")
        with self.refused("ResourceInUseException", "Table is being created: states"):
            tables.delete_table(TableName="states")
        with self.refused("ContinuousBackupsUnavailableException", "Please retry later"):
            tables.update_continuous_backups(
                TableName="states", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        self.wait("states")
        tables.update_table(TableName="states", DeletionProtectionEnabled=True)
        with self.refused("ResourceInUseException", "Table is being updated: states"):
            tables.update_table(TableName="states", DeletionProtectionEnabled=False)
        self.wait("states")
        self.assertTrue(self.table("states")["DeletionProtectionEnabled"])
        with self.refused("ValidationException", "currently protected against deletion"):
            tables.delete_table(TableName="states")
        tables.update_table(TableName="states", DeletionProtectionEnabled=False)
        self.wait("states")
        tables.delete_table(TableName="states")
        self.assertEqual(self.status("states"), "DELETING")
        with self.refused("ResourceInUseException", "Table is being deleted: states"):
            self.create("states")
        wait_until(lambda: self.status("states") is None)
        self.create("states")

    def test_so_does_time_to_live(self):
        self.active("ttl")

        def status() -> str:
            return tables.describe_time_to_live(TableName="ttl")["TimeToLiveDescription"]["TimeToLiveStatus"]

        for enabled, statuses in {True: ("ENABLING", "ENABLED"), False: ("DISABLING", "DISABLED")}.items():
            wanted = {"Enabled": enabled, "AttributeName": "until"}
            tables.update_time_to_live(TableName="ttl", TimeToLiveSpecification=wanted)
            self.assertEqual(status(), statuses[0])
            wait_until(lambda: status() == statuses[1])


class Settings(Case):
    def test_billing_both_ways(self):
        self.assertEqual(self.create("ways")["BillingModeSummary"], ON_DEMAND)
        self.wait("ways")
        billing = self.table("ways")["BillingModeSummary"]
        self.assertEqual(billing["BillingMode"], "PAY_PER_REQUEST")
        zero = {"NumberOfDecreasesToday": 0, **units(0, 0)["ProvisionedThroughput"]}
        self.assertEqual(self.table("ways")["ProvisionedThroughput"], zero)
        tables.update_table(TableName="ways", BillingMode="PROVISIONED", **units(2, 3))
        self.wait("ways")
        table = self.table("ways")
        self.assertEqual(table["BillingModeSummary"], {**billing, "BillingMode": "PROVISIONED"})
        two_three = {"NumberOfDecreasesToday": 0, **units(2, 3)["ProvisionedThroughput"]}
        self.assertEqual(table["ProvisionedThroughput"], two_three)
        tables.update_table(TableName="ways", **ON_DEMAND)
        self.wait("ways")
        self.assertEqual(self.table("ways")["ProvisionedThroughput"], zero)
        self.assertEqual(self.table("ways")["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        with self.refused("ValidationException", "Neither ReadCapacityUnits nor WriteCapacityUnits"):
            tables.update_table(TableName="ways", **units(1, 1))
        with self.refused("ValidationException", "will not change"):
            tables.update_table(TableName="ways", **ON_DEMAND)
        with self.refused("ValidationException", "must both be specified"):
            tables.update_table(TableName="ways", BillingMode="PROVISIONED")

    def test_a_table_that_always_was_provisioned(self):
        self.active("provisioned", **units(1, 2))
        self.assertNotIn("BillingModeSummary", self.table("provisioned"))
        same = "will not change.*Current ReadCapacityUnits provisioned for the table: 1. Requested ReadCapacityUnits: 1"
        for again in ({}, {"BillingMode": "PROVISIONED"}):
            with self.refused("ValidationException", same):
                tables.update_table(TableName="provisioned", **again, **units(1, 2))
        tables.update_table(TableName="provisioned", **units(1, 3))
        self.wait("provisioned")
        self.assertEqual(self.table("provisioned")["ProvisionedThroughput"]["WriteCapacityUnits"], 3)
        self.assertNotIn("BillingModeSummary", self.table("provisioned"))

    def test_capacity_is_decreased_four_times(self):
        self.active("decreased", **units(9, 9))
        for read in (8, 7, 6, 5):
            tables.update_table(TableName="decreased", **units(read, 9))
            self.wait("decreased")
        with self.refused("LimitExceededException", "decreases today: 4"):
            tables.update_table(TableName="decreased", **units(5, 8))
        tables.update_table(TableName="decreased", **units(9, 10))
        self.wait("decreased")
        throughput = self.table("decreased")["ProvisionedThroughput"]
        self.assertEqual((throughput["NumberOfDecreasesToday"], throughput["WriteCapacityUnits"]), (4, 10))
        self.assertIn("LastDecreaseDateTime", throughput)

    def test_a_table_that_was_just_replicated_is_not_deleted(self):
        self.active("replicated")
        self.assertNotIn("Replicas", self.table("replicated"))

        def replicate(**change) -> None:
            tables.update_table(TableName="replicated", ReplicaUpdates=[change])
            self.wait("replicated")

        replicate(Create={"RegionName": "eu-west-1"})
        replicas = [{"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"}]
        self.assertEqual(self.table("replicated")["Replicas"], replicas)
        with self.refused("ValidationException", "acted as a source region for new replica"):
            tables.delete_table(TableName="replicated")
        replicate(Delete={"RegionName": "eu-west-1"})
        self.assertNotIn("Replicas", self.table("replicated"))
        tables.delete_table(TableName="replicated")
        wait_until(lambda: self.status("replicated") is None)

    def test_time_to_live(self):
        self.active("ttl")

        def update(enabled: bool, attribute: str = "until"):
            wanted = {"Enabled": enabled, "AttributeName": attribute}
            tables.update_time_to_live(TableName="ttl", TimeToLiveSpecification=wanted)

        def described() -> dict:
            return tables.describe_time_to_live(TableName="ttl")["TimeToLiveDescription"]

        off, on = {"TimeToLiveStatus": "DISABLED"}, {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
        self.assertEqual(described(), off)
        update(True)
        wait_until(lambda: described() == on)
        with self.refused("ValidationException", "TimeToLive is already enabled"):
            update(True)
        for enabled in (True, False):
            with self.refused("ValidationException", "active on a different AttributeName"):
                update(enabled, "other")
        update(False)
        wait_until(lambda: described() == off)
        with self.refused("ValidationException", "TimeToLive is already disabled"):
            update(False)
        update(True, "other")
        with self.refused("ResourceNotFoundException"):
            tables.describe_time_to_live(TableName="nothing")

    def test_point_in_time_recovery(self):
        self.active("recovery")

        def update(**wanted):
            tables.update_continuous_backups(TableName="recovery", PointInTimeRecoverySpecification=wanted)

        def described() -> dict:
            backups = tables.describe_continuous_backups(TableName="recovery")["ContinuousBackupsDescription"]
            self.assertEqual(backups["ContinuousBackupsStatus"], "ENABLED")
            return backups["PointInTimeRecoveryDescription"]

        self.assertEqual(described(), {"PointInTimeRecoveryStatus": "DISABLED"})
        update(PointInTimeRecoveryEnabled=True)
        self.assertEqual(described()["PointInTimeRecoveryStatus"], "ENABLED")
        self.assertEqual(described()["RecoveryPeriodInDays"], 35)
        update(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=7)
        self.assertEqual(described()["RecoveryPeriodInDays"], 7)
        update(PointInTimeRecoveryEnabled=False)
        self.assertEqual(described(), {"PointInTimeRecoveryStatus": "DISABLED"})
        with self.refused("TableNotFoundException", "Table not found: nothing"):
            tables.describe_continuous_backups(TableName="nothing")


if __name__ == "__main__":
    unittest.main()
