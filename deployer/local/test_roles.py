"""Roles and policies: what a deployer reads back of them, and what it should be refused."""

import json
import unittest

from botocore.exceptions import ClientError

from testing import ACCOUNT, TRUST, LocalAws

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}]}'
MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TAGS = [{"Key": "a", "Value": "<1> & 2"}, {"Key": "empty", "Value": ""}]


def setUpModule():
    global aws, iam
    aws = LocalAws()
    iam = aws.client("iam")


def tearDownModule():
    aws.stop()


class Case(unittest.TestCase):
    def setUp(self):
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            iam.delete_role(RoleName=name)
        for policy in iam.list_policies(Scope="Local")["Policies"]:
            iam.delete_policy(PolicyArn=policy["Arn"])

    def create(self, name: str = "role", **fields) -> dict:
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **fields)["Role"]

    def role(self) -> dict:
        return iam.get_role(RoleName="role")["Role"]

    def policy(self, name: str = "p", **fields) -> str:
        return iam.create_policy(PolicyName=name, PolicyDocument=POLICY, **fields)["Policy"]["Arn"]

    def refused(self, code: str, message: str = ""):
        return self.assertRaisesRegex(ClientError, f"{code}.*{message}")


class Documents(Case):
    def document(self, **fields) -> str:
        statement = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", **fields}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, ensure_ascii=False)

    def test_what_iam_takes(self):
        for number, fields in enumerate((
            {},
            {"Sid": ""},
            {"Action": "*", "Resource": ["*"]},
            {"Resource": "arn:aws:s3:::b/Größe"},
            {"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}},
        )):
            iam.create_policy(PolicyName=f"p{number}", PolicyDocument=self.document(**fields))
        escaped = self.document(Resource="arn:aws:s3:::b/日").encode("ascii", "backslashreplace").decode()
        iam.create_policy(PolicyName="escaped", PolicyDocument=escaped)

    def test_what_iam_refuses(self):
        malformed = "MalformedPolicyDocument"
        for fields, code, message in (
            ({"Principal": "*"}, malformed, "should not specify a principal"),
            ({"effect": "Allow"}, malformed, "Syntax errors in policy"),
            ({"Effect": "allow"}, malformed, "Syntax errors in policy"),
            ({"Sid": "a b"}, malformed, "must be alpha-numeric"),
            ({"Action": "GetItem"}, malformed, "prefaced by a vendor"),
            ({"Action": []}, malformed, "must contain actions"),
            ({"NotAction": "s3:Put*"}, malformed, "Syntax errors in policy"),
            ({"Resource": "items"}, malformed, "must be in ARN format"),
            ({"Resource": "arn:aws:s3:::b/日"}, "ValidationError", "regular expression pattern"),
            ({"Resource": ["arn:aws:s3:::bucket"] * 400}, "LimitExceeded", "PolicySize: 6144"),
        ):
            with self.subTest(fields=fields), self.refused(code, message):
                iam.create_policy(PolicyName="p", PolicyDocument=self.document(**fields))
        for text in ('{"Version":"2012-10-17","Statement":["Allow"]}', '{"Version":"2026-01-01","Statement":[]}', "[]"):
            with self.subTest(text=text), self.refused(malformed):
                iam.create_policy(PolicyName="p", PolicyDocument=text)
        arn = self.policy()
        with self.refused(malformed):
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=self.document(Principal="*"))

    def test_tags_that_iam_refuses(self):
        twice = [{"Key": "Team", "Value": "a"}, {"Key": "team", "Value": "b"}]
        for tags, message in (
            (twice, "Tag keys are case insensitive"),
            ([{"Key": "AWS:x", "Value": "1"}], "System tags"),
            ([{"Key": "x", "Value": "aws:1"}], "System tags"),
        ):
            with self.refused("InvalidInput", message):
                self.create(Tags=tags)
            with self.refused("InvalidInput", message):
                self.policy(Tags=tags)
        self.create()
        with self.refused("InvalidInput"):
            iam.tag_role(RoleName="role", Tags=twice)


class Roles(Case):
    def test_what_is_read_back(self):
        self.create(Description="made <by> & for me", MaxSessionDuration=7200, Tags=TAGS)
        role = self.role()
        self.assertEqual((role["Description"], role["MaxSessionDuration"]), ("made <by> & for me", 7200))
        self.assertEqual((role["Tags"], role["RoleLastUsed"]), (TAGS, {}))
        self.assertEqual(role["AssumeRolePolicyDocument"]["Statement"][0]["Action"], "sts:AssumeRole")
        (listed,) = iam.list_roles()["Roles"]
        self.assertEqual((listed["Description"], listed["MaxSessionDuration"]), ("made <by> & for me", 7200))
        self.assertNotIn("Tags", listed)

    def test_an_update_changes_what_it_names(self):
        self.create(Description="old")
        iam.update_role(RoleName="role", MaxSessionDuration=43200)
        self.assertEqual((self.role()["Description"], self.role()["MaxSessionDuration"]), ("old", 43200))
        iam.update_role(RoleName="role", Description="new")
        self.assertEqual((self.role()["Description"], self.role()["MaxSessionDuration"]), ("new", 43200))
        iam.update_role(RoleName="role", Description="", MaxSessionDuration=3600)
        self.assertNotIn("Description", self.role())
        self.assertEqual(self.role()["MaxSessionDuration"], 3600)
        iam.update_assume_role_policy(RoleName="role", PolicyDocument=TRUST.replace("lambda", "ec2"))
        principal = self.role()["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        self.assertEqual(principal, {"Service": "ec2.amazonaws.com"})
        with self.refused("ValidationError", "maxSessionDuration"):
            iam.update_role(RoleName="role", MaxSessionDuration=43201)

    def test_the_permissions_boundary(self):
        boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": self.policy()}
        arn = boundary["PermissionsBoundaryArn"]
        self.create(PermissionsBoundary=arn)
        self.assertEqual(self.role()["PermissionsBoundary"], boundary)
        self.assertNotIn("PermissionsBoundary", iam.list_roles()["Roles"][0])
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"], 1)
        for usage, names in {"PermissionsBoundary": ["role"], "PermissionsPolicy": []}.items():
            entities = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter=usage)
            self.assertEqual([one["RoleName"] for one in entities["PolicyRoles"]], names)
        self.assertEqual(len(iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]), 1)
        with self.refused("DeleteConflict", "attached to entities"):
            iam.delete_policy(PolicyArn=arn)
        iam.put_role_permissions_boundary(RoleName="role", PermissionsBoundary=MANAGED)
        self.assertEqual(self.role()["PermissionsBoundary"]["PermissionsBoundaryArn"], MANAGED)
        iam.delete_role_permissions_boundary(RoleName="role")
        self.assertNotIn("PermissionsBoundary", self.role())
        with self.refused("NoSuchEntity", "does not have scope"):
            iam.delete_role_permissions_boundary(RoleName="role")
        for call in (self.create, iam.put_role_permissions_boundary):
            name = {"name": "other"} if call == self.create else {"RoleName": "role"}
            with self.refused("NoSuchEntity", "Scope ARN: .* does not exist"):
                call(**name, PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/nothing")

    def test_tags(self):
        self.create(Tags=TAGS)
        iam.tag_role(RoleName="role", Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "<"}])
        iam.untag_role(RoleName="role", TagKeys=["empty"])
        tags = [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "<"}]
        self.assertEqual(self.role()["Tags"], tags)
        self.assertEqual(iam.list_role_tags(RoleName="role")["Tags"], tags)

    def test_lists_come_in_pages(self):
        names = [f"role-{number}" for number in range(5)]
        for name in names:
            self.create(name, Description="a & b")
        first = iam.list_roles(MaxItems=2)
        self.assertEqual((len(first["Roles"]), first["IsTruncated"]), (2, True))
        rest = iam.list_roles(MaxItems=3, Marker=first["Marker"])
        self.assertEqual([role["RoleName"] for role in first["Roles"] + rest["Roles"]], names)
        self.assertEqual(rest["Roles"][0]["Description"], "a & b")
        self.assertFalse(rest["IsTruncated"])
        self.assertNotIn("Marker", rest)
        arn = self.policy()
        for name in names[:2]:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        self.assertTrue(iam.list_entities_for_policy(PolicyArn=arn, MaxItems=1)["IsTruncated"])

    def test_a_trust_policy_must_say_something(self):
        self.create()
        for nothing in ("{}", "nonsense", '{"Statement":[]}'):
            with self.refused("MalformedPolicyDocument"):
                iam.create_role(RoleName="bad", AssumeRolePolicyDocument=nothing)
            with self.refused("MalformedPolicyDocument"):
                iam.update_assume_role_policy(RoleName="role", PolicyDocument=nothing)

    def test_errors_are_iams(self):
        with self.refused("NoSuchEntity", "The role with name nobody cannot be found."):
            iam.get_role(RoleName="nobody")
        arn = f"arn:aws:iam::{ACCOUNT}:policy/nothing"
        with self.refused("NoSuchEntity", f"Policy {arn} was not found."):
            iam.get_policy(PolicyArn=arn)
        self.create()
        iam.put_role_policy(RoleName="role", PolicyName="inline", PolicyDocument=POLICY)
        with self.refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
            iam.delete_role(RoleName="role")
        iam.delete_role_policy(RoleName="role", PolicyName="inline")


class Policies(Case):
    def test_what_is_read_back(self):
        arn = self.policy(Description="a & b", Tags=TAGS)
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        self.assertEqual((policy["Description"], policy["Tags"]), ("a & b", TAGS))
        (listed,) = iam.list_policies(Scope="Local")["Policies"]
        self.assertEqual(set(policy) - set(listed), {"Description", "Tags"})
        iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "b", "Value": "&"}])
        iam.untag_policy(PolicyArn=arn, TagKeys=["a", "empty"])
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["Tags"], [{"Key": "b", "Value": "&"}])
        self.assertEqual(iam.list_policy_tags(PolicyArn=arn)["Tags"], [{"Key": "b", "Value": "&"}])

    def test_versions(self):
        arn = self.policy()
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY.replace("Get", "Put"))
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        self.assertEqual([one["VersionId"] for one in versions if one["IsDefaultVersion"]], ["v2"])
        self.assertEqual(iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"], "v2")
        with self.refused("NoSuchEntity"):
            iam.set_default_policy_version(PolicyArn=arn, VersionId="v7")
        with self.refused("DeleteConflict", "Cannot delete the default version"):
            iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
        with self.refused("DeleteConflict", "more than one version"):
            iam.delete_policy(PolicyArn=arn)
        iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy(PolicyArn=arn)

    def test_a_name_is_taken_once(self):
        self.policy("Taken", Path="/team/")
        for fields in ({}, {"Path": "/team/"}):
            with self.refused("EntityAlreadyExists", "A policy called taken already exists"):
                self.policy("taken", **fields)
        with self.refused("NoSuchEntity"):
            iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/Taken")

    def test_one_that_is_not_there_can_not_be_attached(self):
        self.create()
        arn = f"arn:aws:iam::{ACCOUNT}:policy/nothing"
        with self.refused("NoSuchEntity", "does not exist or is not attachable"):
            iam.attach_role_policy(RoleName="role", PolicyArn=arn)
        iam.attach_role_policy(RoleName="role", PolicyArn=MANAGED)
        iam.detach_role_policy(RoleName="role", PolicyArn=MANAGED)


if __name__ == "__main__":
    unittest.main()
