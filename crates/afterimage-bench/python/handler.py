"""The same two views in Python: the baseline of the benchmark.

Per record, in the order of the stream: find what is derived, delete it, put it anew. This is what one
writes first, and it serves most records well. What it does not guarantee:

- a record that is delivered twice is counted twice;
- a function that ends between a delete and its put loses the row or the count;
- two invocations that change the same count at once lose one of the changes;
- records of one item that come out of order leave the older one's state;
- rows are found through an index, which may lag behind the table.
"""

import json
import os

import boto3

ALBUMS_TABLE = os.environ["ALBUMS_TABLE"]
MESSAGES_TABLE = os.environ["MESSAGES_TABLE"]
DERIVED_TABLE = os.environ["DERIVED_TABLE"]

# Made once for each process; its connections are kept. Items stay as DynamoDB writes them.
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    units = Units()
    for record in event["Records"]:
        table = record["eventSourceARN"].split("/")[1]
        if table == ALBUMS_TABLE:
            apply_album(record["dynamodb"], units)
        elif table == MESSAGES_TABLE:
            apply_message(record["dynamodb"], units)
    line = {
        "message": "batch processed",
        "record_count": len(event["Records"]),
        "read_units": units.read,
        "write_units": units.write,
    }
    print(json.dumps(line), flush=True)
    return {"batchItemFailures": []}


def apply_album(change, units):
    old = change.get("OldImage", {}).get("Genre", {}).get("S")
    new = change.get("NewImage", {}).get("Genre", {}).get("S")
    if old == new:
        return
    if old is not None:
        add_to_count(old, -1, units)
    if new is not None:
        add_to_count(new, 1, units)


def add_to_count(genre, difference, units):
    key = {"pk": {"S": "albums-by-genre"}, "sk": {"S": genre}}
    present = units.query(
        TableName=DERIVED_TABLE,
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues={":pk": key["pk"], ":sk": key["sk"]},
    )
    count = 0
    for item in present:
        count = int(item["count"]["N"])
        units.delete(DERIVED_TABLE, key)
    units.put(DERIVED_TABLE, {**key, "count": {"N": str(count + difference)}})


def apply_message(change, units):
    message = change.get("NewImage", {})
    partition = change["Keys"]["pk"]["S"]
    if not message or not partition.startswith("MSG#"):
        return
    present = units.query(
        TableName=MESSAGES_TABLE,
        IndexName="message-group-sk-index",
        KeyConditionExpression="message_group_uuid = :group",
        ExpressionAttributeValues={":group": {"S": partition.removeprefix("MSG#")}},
    )
    for key in present:
        row = units.delete(MESSAGES_TABLE, {"pk": key["pk"], "sk": key["sk"]})
        if row is not None:
            units.put(MESSAGES_TABLE, {**row, "sk": message["sk"], "message": message["message"]})


class Units:
    """The calls of one batch, and what they consumed."""

    def __init__(self):
        self.read = 0.0
        self.write = 0.0

    def query(self, **arguments):
        response = dynamodb.query(ReturnConsumedCapacity="TOTAL", **arguments)
        self.read += response["ConsumedCapacity"]["CapacityUnits"]
        return response["Items"]

    def delete(self, table, key):
        """Deletes the item, and returns it as it was."""
        response = dynamodb.delete_item(
            TableName=table, Key=key, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL"
        )
        self.write += response["ConsumedCapacity"]["CapacityUnits"]
        return response.get("Attributes")

    def put(self, table, item):
        response = dynamodb.put_item(TableName=table, Item=item, ReturnConsumedCapacity="TOTAL")
        self.write += response["ConsumedCapacity"]["CapacityUnits"]
