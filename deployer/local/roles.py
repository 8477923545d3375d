"""IAM's roles and policies: what is read back, what is refused, and lists in pages."""

import functools
import json
import re
from urllib.parse import parse_qs, quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ministack.services import iam

import grammar

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"

# What ministack says -> what IAM says.
_MESSAGES = (
    (r"Role (\S+) not found\.", r"The role with name \1 cannot be found."),
    (r"Policy (arn:\S+) not found\.", r"Policy \1 was not found."),
    (r"(Cannot delete entity, must delete) all inline (policies first\.)", r"\1 \2"),
    (
        r"A managed policy can have at most (5 versions)\.",
        r"A managed policy can have up to \1. Before you create a new version, you must delete an existing version.",
    ),
)

_create_role = iam._create_role
_update_role = iam._update_role
_update_assume_role_policy = iam._update_assume_role_policy
_create_policy = iam._create_policy
_create_policy_version = iam._create_policy_version
_tag_role = iam._IAM_HANDLERS["TagRole"]
_tag_policy = iam._IAM_HANDLERS["TagPolicy"]
_attach_role_policy = iam._attach_role_policy
_delete_policy = iam._delete_policy
_error = iam._error


def error(status, code, message, ns="iam"):
    """An error in IAM's words."""
    for pattern, replacement in _MESSAGES:
        message = re.sub(f"^{pattern}$", replacement, message)
    return _error(status, code, escape(message), ns)


# ---- What is refused --------------------------------------------------------------------------------------------


def _trust_denial(document: str):
    """Refuses a trust policy that says nothing; else None."""
    try:
        says_something = bool(json.loads(document)["Statement"])
    except (ValueError, KeyError, TypeError):
        says_something = False
    return None if says_something else error(400, "MalformedPolicyDocument", "This policy contains invalid Json")


def _session_denial(parameters):
    """Refuses a session of less than an hour or more than twelve; else None."""
    duration = iam._p(parameters, "MaxSessionDuration")
    if not duration or (duration.isdecimal() and 3600 <= int(duration) <= 43200):
        return None
    message = (
        f"1 validation error detected: Value '{duration}' at 'maxSessionDuration' failed to satisfy constraint: "
        "Member must have value between 3600 and 43200"
    )
    return error(400, "ValidationError", message)


def create_role(parameters):
    """Refuses a trust policy or a session length that IAM doesn't take."""
    trust = _trust_denial(iam._p(parameters, "AssumeRolePolicyDocument"))
    return trust or _session_denial(parameters) or _tags_denial(parameters) or _create_role(parameters)


def _tags_denial(parameters):
    """Refuses tags that IAM doesn't take; else None."""
    refusal = grammar.tags_refusal(iam._extract_tags(parameters))
    return error(*refusal) if refusal else None


def _document_denial(parameters):
    """Refuses a policy document that IAM doesn't take; else None."""
    refusal = grammar.document_refusal(iam._p(parameters, "PolicyDocument"))
    return error(*refusal) if refusal else None


def _with_tags_checked(operation):
    """TagRole, TagPolicy."""
    return lambda parameters: _tags_denial(parameters) or operation(parameters)


def create_policy_version(parameters):
    """Refuses a document that IAM doesn't take."""
    return _document_denial(parameters) or _create_policy_version(parameters)


def update_role(parameters):
    """Refuses a session length that IAM doesn't take."""
    return _session_denial(parameters) or _update_role(parameters)


def update_assume_role_policy(parameters):
    """Refuses a trust policy that says nothing."""
    return _trust_denial(iam._p(parameters, "PolicyDocument")) or _update_assume_role_policy(parameters)


def boundary_denial(arn):
    """Refuses a boundary that isn't there, which stock ministack does with AUTH=true only; else None."""
    if not arn.startswith("arn:"):
        return error(400, "ValidationError", "Invalid ARN:  Could not be parsed!")
    if not iam._policy_exists(arn):
        return error(404, "NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.")
    return None


def absent_boundary_denial(entity, principal_id):
    """Refuses to remove a boundary that isn't set, which stock ministack does with AUTH=true only; else None."""
    if not entity.get("PermissionsBoundary"):
        return error(404, "NoSuchEntity", f"Principal {principal_id} does not have scope")
    return None


def attach_role_policy(parameters):
    """Refuses a policy that isn't there."""
    arn = iam._p(parameters, "PolicyArn")
    if not iam._policy_exists(arn):
        return error(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    return _attach_role_policy(parameters)


def create_policy(parameters):
    """Refuses a name that is there at any path, in capitals or not, and a document or tags that IAM doesn't take."""
    if denial := _document_denial(parameters) or _tags_denial(parameters):
        return denial
    name = iam._p(parameters, "PolicyName")
    if any(policy["PolicyName"].lower() == name.lower() for policy in iam._policies.values()):
        message = f"A policy called {name} already exists. Duplicate names are not allowed."
        return error(409, "EntityAlreadyExists", message)
    return _create_policy(parameters)


def delete_policy(parameters):
    """Refuses while there are other versions than the default one, and while it is somebody's boundary."""
    arn = iam._p(parameters, "PolicyArn")
    policy = iam._policies.get(arn)
    if policy and (policy.get("AttachmentCount") or iam._boundary_usage_counts().get(arn)):
        return error(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
    if policy and len(policy["Versions"]) > 1:
        message = (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
        return error(409, "DeleteConflict", message)
    return _delete_policy(parameters)


def set_default_policy_version(parameters):
    """An operation that ministack lacks."""
    arn, version = iam._p(parameters, "PolicyArn"), iam._p(parameters, "VersionId")
    versions = (iam._policies.get(arn) or {}).get("Versions", {})
    if version not in versions:
        return error(404, "NoSuchEntity", f"Policy {arn} version {version} does not exist or is not attachable.")
    for name, record in versions.items():
        record["IsDefaultVersion"] = name == version
    iam._policies[arn].update(DefaultVersionId=version, UpdateDate=iam._now())
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")


# ---- What is read back ------------------------------------------------------------------------------------------


def _elements(**fields) -> str:
    """XML elements, which stock ministack writes without escaping what is in them."""
    told = ((name, escape(str(value))) for name, value in fields.items() if value not in ("", None))
    return "".join(f"<{name}>{value}</{name}>" for name, value in told)


def _tags(tags) -> str:
    # The value may be empty.
    members = (f"{_elements(Key=tag['Key'])}<Value>{escape(tag['Value'])}</Value>" for tag in tags)
    return f"<Tags>{''.join(f'<member>{member}</member>' for member in members)}</Tags>"


def role_xml(name, boundary=True):
    """A role; in a list (`boundary` is false there) without boundary, tags and when it was last used."""
    role = iam._roles[name]
    xml = _elements(
        Path=role["Path"],
        RoleName=role["RoleName"],
        RoleId=role["RoleId"],
        Arn=role["Arn"],
        CreateDate=role["CreateDate"],
        AssumeRolePolicyDocument=quote(role.get("AssumeRolePolicyDocument") or "{}", safe=""),
        Description=role.get("Description"),
        MaxSessionDuration=role.get("MaxSessionDuration", 3600),
    )
    if not boundary:
        return xml
    if arn := role.get("PermissionsBoundary"):
        kind = _elements(PermissionsBoundaryType="Policy", PermissionsBoundaryArn=arn)
        xml += f"<PermissionsBoundary>{kind}</PermissionsBoundary>"
    return f"{xml}{_tags(role['Tags']) if role.get('Tags') else ''}<RoleLastUsed/>"


def policy_xml(arn, usage_counts=None):
    """A policy; in a list (which counts the usage once for all) without description and tags."""
    policy = iam._lookup_policy(arn)
    managed = iam._is_aws_managed_arn(arn)
    counts = iam._boundary_usage_counts() if usage_counts is None else usage_counts
    xml = _elements(
        PolicyName=policy["PolicyName"],
        PolicyId=policy["PolicyId"],
        Arn=arn,
        Path=policy.get("Path", "/"),
        DefaultVersionId=policy["DefaultVersionId"],
        AttachmentCount=iam._aws_managed_attachment_counts.get(arn, 0) if managed else policy.get("AttachmentCount", 0),
        PermissionsBoundaryUsageCount=counts.get(arn, 0),
        IsAttachable="true",
        CreateDate=policy["CreateDate"],
        UpdateDate=policy.get("UpdateDate", policy["CreateDate"]),
    )
    if usage_counts is not None:
        return xml
    return f"{xml}{_elements(Description=policy.get('Description'))}{_tags(policy.get('Tags') or [])}"


def list_role_tags(parameters):
    """Stock ministack's, with values escaped."""
    name = iam._p(parameters, "RoleName")
    if name not in iam._roles:
        return error(404, "NoSuchEntity", f"The role with name {name} cannot be found.")
    return _tag_list("ListRoleTags", iam._roles[name])


def list_policy_tags(parameters):
    """Stock ministack's, with values escaped."""
    arn = iam._p(parameters, "PolicyArn")
    policy = iam._lookup_policy(arn)
    if not policy:
        return error(404, "NoSuchEntity", f"Policy {arn} was not found.")
    return _tag_list("ListPolicyTags", policy)


def _tag_list(operation: str, record: dict):
    result = f"{_tags(record.get('Tags') or [])}<IsTruncated>false</IsTruncated>"
    return iam._xml(200, f"{operation}Response", f"<{operation}Result>{result}</{operation}Result>")


# ---- Pages ------------------------------------------------------------------------------------------------------


def _in_pages(operation):
    """A List* operation, with MaxItems and Marker, which stock ministack ignores."""

    @functools.wraps(operation)
    def handle(parameters):
        size, marker = iam._p(parameters, "MaxItems") or "100", iam._p(parameters, "Marker") or "0"
        if not size.isdecimal() or not 1 <= int(size) <= 1000:
            message = f"1 validation error detected: Value '{size}' at 'maxItems' failed to satisfy constraint"
            return error(400, "ValidationError", message)
        if not marker.isdecimal():
            return error(400, "ValidationError", f"Invalid Marker: {marker}")
        status, headers, body = operation(parameters)
        return (status, headers, _page(body, int(marker), int(size))) if status == 200 else (status, headers, body)

    return handle


def _page(body: bytes, start: int, size: int) -> bytes:
    document = ElementTree.fromstring(body)
    result = document[0]
    member, truncated = (f"{{{_NAMESPACE}}}{name}" for name in ("member", "IsTruncated"))
    members = [(group, one) for group in result for one in group.findall(member)]
    if not start and len(members) <= size:
        return body
    for group, one in members[:start] + members[start + size :]:
        group.remove(one)
    if start + size < len(members):
        for one in result.findall(truncated):
            one.text = "true"
        ElementTree.SubElement(result, f"{{{_NAMESPACE}}}Marker").text = str(start + size)
    return ElementTree.tostring(document, default_namespace=_NAMESPACE)


def install() -> None:
    """Makes ministack use all of the above."""
    iam.parse_qs = functools.partial(parse_qs, keep_blank_values=True)  # an empty description is one
    iam._error = error
    iam._role_xml = role_xml
    iam._managed_policy_xml = policy_xml
    iam._boundary_policy_error = boundary_denial
    iam._absent_boundary_error = absent_boundary_denial
    iam._IAM_HANDLERS.update(
        AttachRolePolicy=attach_role_policy,
        CreatePolicy=create_policy,
        CreatePolicyVersion=create_policy_version,
        CreateRole=create_role,
        DeletePolicy=delete_policy,
        ListPolicyTags=list_policy_tags,
        ListRoleTags=list_role_tags,
        SetDefaultPolicyVersion=set_default_policy_version,
        TagPolicy=_with_tags_checked(_tag_policy),
        TagRole=_with_tags_checked(_tag_role),
        UpdateAssumeRolePolicy=update_assume_role_policy,
        UpdateRole=update_role,
    )
    for name, handler in iam._IAM_HANDLERS.items():
        if name.startswith("List"):
            iam._IAM_HANDLERS[name] = _in_pages(handler)
