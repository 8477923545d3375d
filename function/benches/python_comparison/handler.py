"""The original Python function: an event has the name of an operation and the parameters of the DynamoDB call."""

import boto3


def handler(event, context):
    if "tableName" in event:
        table = boto3.resource("dynamodb").Table(event["tableName"])
    operations = {
        "create": lambda payload: table.put_item(**payload),
        "read": lambda payload: table.get_item(**payload),
        "update": lambda payload: table.update_item(**payload),
        "delete": lambda payload: table.delete_item(**payload),
        "list": lambda payload: table.scan(**payload),
        "echo": lambda payload: payload,
        "ping": lambda payload: "pong",
    }
    operation = event["operation"]
    if operation not in operations:
        raise ValueError(f'Unrecognized operation "{operation}"')
    return operations[operation](event.get("payload"))
