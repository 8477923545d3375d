"""What IAM refuses of a policy document and of tags, which stock ministack takes."""

import json
import re

_VERSIONS = ("2012-10-17", "2008-10-17")
_FIELDS = {"Version", "Id", "Statement"}
_STATEMENT = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
_PRINCIPALS = {"Principal", "NotPrincipal"}
_MOST_CHARACTERS = 6144  # of a managed policy, without white space

Refusal = tuple[int, str, str]  # HTTP status, code, message


def _several(value) -> list:
    return value if isinstance(value, list) else [value]


def document_refusal(text: str, parameter: str = "policyDocument") -> Refusal | None:
    """Why IAM doesn't take a role's policy; else None."""
    if re.search(r"[^\t\n\r\u0020-\u00ff]", text):
        pattern = r"[\u0009\u000A\u000D\u0020-\u00FF]+"
        message = f"The specified value for {parameter} is invalid. It must contain only printable ASCII characters"
        return 400, "ValidationError", f"{message} (Member must satisfy regular expression pattern: {pattern})"
    if mistake := _mistake(text):
        return 400, "MalformedPolicyDocument", mistake
    if len(re.sub(r"\s", "", text)) > _MOST_CHARACTERS:
        return 409, "LimitExceeded", f"Cannot exceed quota for PolicySize: {_MOST_CHARACTERS}"
    return None


def _mistake(text: str) -> str | None:
    try:
        document = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(document, dict) or document.keys() - _FIELDS or "Statement" not in document:
        return "Syntax errors in policy."
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        return "The policy must contain a valid version string"
    sids = []
    for statement in _several(document["Statement"]):
        if not isinstance(statement, dict):
            return "Syntax errors in policy."
        if mistake := _mistake_of_statement(statement):
            return mistake
        sids += [statement["Sid"]] if statement.get("Sid") else []
    return "Statement IDs (SID) in a single policy must be unique." if len(sids) > len(set(sids)) else None


def _mistake_of_statement(statement: dict) -> str | None:
    if statement.keys() & _PRINCIPALS:
        return "Policy document should not specify a principal."
    if statement.keys() - _STATEMENT or statement.get("Effect") not in ("Allow", "Deny"):
        return "Syntax errors in policy."
    if not isinstance(statement.get("Sid", ""), str) or not re.fullmatch("[A-Za-z0-9]*", statement.get("Sid", "")):
        return "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    for field, missing in (("Action", "actions"), ("Resource", "resources")):
        given = [statement[name] for name in (field, f"Not{field}") if name in statement]
        if len(given) > 1:
            return "Syntax errors in policy."
        values = _several(given[0]) if given else []
        if not values:
            return f"Policy statement must contain {missing}."
        if not all(isinstance(value, str) for value in values):
            return "Syntax errors in policy."
        for value in values:
            if field == "Action" and not re.fullmatch(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+", value):
                return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            if field == "Resource" and value != "*" and not re.match("arn:(?:[^:]*:){4}", value):
                return f'Resource {value} must be in ARN format or "*".'
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        return "Syntax errors in policy."
    return None


def tags_refusal(tags: list[dict]) -> Refusal | None:
    """Why IAM doesn't take these tags; else None."""
    keys = [tag["Key"].lower() for tag in tags]
    if len(keys) > len(set(keys)):
        return 400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    if any(is_reserved(text) for tag in tags for text in (tag["Key"], tag["Value"])):
        return 400, "InvalidInput", "System tags cannot be added/updated by requester."
    return None


def is_reserved(text: str) -> bool:
    """Whether a tag's key or value is one that only AWS sets."""
    return text[:4].lower() == "aws:"
