//! The five DynamoDB operations as data: the parameters of each and the members of its output.
//!
//! Parameters and members have the order of AWS's service model. Messages and answers list them in this order. See
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html>.

/// A DynamoDB operation that an event can request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Writes an item.
    PutItem,
    /// Reads an item.
    GetItem,
    /// Updates an item, or creates it.
    UpdateItem,
    /// Deletes an item.
    DeleteItem,
    /// Reads one page of the table.
    Scan,
}

/// The type of a value in a request or an answer.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A string of at least `min` characters.
    String { min: usize },
    /// A boolean.
    Boolean,
    /// An integer of at least `min`. DynamoDB checks the upper bound.
    Integer { min: i64 },
    /// An attribute value: typed JSON towards DynamoDB, and the request's notation towards the caller.
    Attribute,
    /// An array of at least `min` values.
    List { min: usize, element: &'static Shape },
    /// An object with any keys.
    Map(&'static Shape),
    /// An object with these members only.
    Structure(&'static [Field]),
    /// Any value, passed on unchanged. Occurs in outputs only.
    Verbatim,
}

/// A member of a structure.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

impl Action {
    /// Returns the name of the operation in AWS's API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PutItem => "PutItem",
            Self::GetItem => "GetItem",
            Self::UpdateItem => "UpdateItem",
            Self::DeleteItem => "DeleteItem",
            Self::Scan => "Scan",
        }
    }

    /// Returns the parameters of the operation.
    pub(crate) fn parameters(self) -> &'static [Field] {
        match self {
            Self::PutItem => PUT_ITEM,
            Self::GetItem => GET_ITEM,
            Self::UpdateItem => UPDATE_ITEM,
            Self::DeleteItem => DELETE_ITEM,
            Self::Scan => SCAN,
        }
    }

    /// Returns the members of the operation's output.
    pub(crate) fn output_members(self) -> &'static [Field] {
        match self {
            Self::GetItem => GET_ITEM_OUTPUT,
            Self::Scan => SCAN_OUTPUT,
            Self::PutItem | Self::UpdateItem | Self::DeleteItem => WRITE_OUTPUT,
        }
    }
}

const STRING: Shape = Shape::String { min: 0 };
const ATTRIBUTES: Shape = Shape::Map(&Shape::Attribute);
const STRINGS: Shape = Shape::List { min: 0, element: &STRING };
const NAMES: Shape = Shape::Map(&STRING);
const ATTRIBUTES_TO_GET: Shape = Shape::List { min: 1, element: &STRING };
const ATTRIBUTE_LIST: Shape = Shape::List { min: 0, element: &Shape::Attribute };

const TABLE_NAME: Field = required("TableName", Shape::String { min: 1 });
const EXPECTED: Field = optional(
    "Expected",
    Shape::Map(&Shape::Structure(&[
        optional("Value", Shape::Attribute),
        optional("Exists", Shape::Boolean),
        optional("ComparisonOperator", STRING),
        optional("AttributeValueList", ATTRIBUTE_LIST),
    ])),
);
const ATTRIBUTE_UPDATES: Field = optional(
    "AttributeUpdates",
    Shape::Map(&Shape::Structure(&[optional("Value", Shape::Attribute), optional("Action", STRING)])),
);
const SCAN_FILTER: Field = optional(
    "ScanFilter",
    Shape::Map(&Shape::Structure(&[
        optional("AttributeValueList", ATTRIBUTE_LIST),
        required("ComparisonOperator", STRING),
    ])),
);

/// The types of an attribute value in typed JSON, which has exactly one of these members.
pub(crate) const ATTRIBUTE_TYPES: &[Field] = &[
    optional("S", STRING),
    optional("N", STRING),
    optional("B", STRING),
    optional("SS", STRINGS),
    optional("NS", STRINGS),
    optional("BS", STRINGS),
    optional("M", ATTRIBUTES),
    optional("L", ATTRIBUTE_LIST),
    optional("NULL", Shape::Boolean),
    optional("BOOL", Shape::Boolean),
];

const PUT_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Item", ATTRIBUTES),
    EXPECTED,
    optional("ReturnValues", STRING),
    optional("ReturnConsumedCapacity", STRING),
    optional("ReturnItemCollectionMetrics", STRING),
    optional("ConditionalOperator", STRING),
    optional("ConditionExpression", STRING),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", STRING),
];

const GET_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    optional("AttributesToGet", ATTRIBUTES_TO_GET),
    optional("ConsistentRead", Shape::Boolean),
    optional("ReturnConsumedCapacity", STRING),
    optional("ProjectionExpression", STRING),
    optional("ExpressionAttributeNames", NAMES),
];

const UPDATE_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    ATTRIBUTE_UPDATES,
    EXPECTED,
    optional("ConditionalOperator", STRING),
    optional("ReturnValues", STRING),
    optional("ReturnConsumedCapacity", STRING),
    optional("ReturnItemCollectionMetrics", STRING),
    optional("UpdateExpression", STRING),
    optional("ConditionExpression", STRING),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", STRING),
];

const DELETE_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    EXPECTED,
    optional("ConditionalOperator", STRING),
    optional("ReturnValues", STRING),
    optional("ReturnConsumedCapacity", STRING),
    optional("ReturnItemCollectionMetrics", STRING),
    optional("ConditionExpression", STRING),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", STRING),
];

const SCAN: &[Field] = &[
    TABLE_NAME,
    optional("IndexName", Shape::String { min: 3 }),
    optional("AttributesToGet", ATTRIBUTES_TO_GET),
    optional("Limit", Shape::Integer { min: 1 }),
    optional("Select", STRING),
    SCAN_FILTER,
    optional("ConditionalOperator", STRING),
    optional("ExclusiveStartKey", ATTRIBUTES),
    optional("ReturnConsumedCapacity", STRING),
    optional("TotalSegments", Shape::Integer { min: 1 }),
    optional("Segment", Shape::Integer { min: 0 }),
    optional("ProjectionExpression", STRING),
    optional("FilterExpression", STRING),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ConsistentRead", Shape::Boolean),
];

const CONSUMED_CAPACITY: Field = optional("ConsumedCapacity", Shape::Verbatim);

const WRITE_OUTPUT: &[Field] = &[
    optional("Attributes", ATTRIBUTES),
    CONSUMED_CAPACITY,
    optional(
        "ItemCollectionMetrics",
        Shape::Structure(&[
            optional("ItemCollectionKey", ATTRIBUTES),
            optional("SizeEstimateRangeGB", Shape::Verbatim),
        ]),
    ),
];

const GET_ITEM_OUTPUT: &[Field] = &[optional("Item", ATTRIBUTES), CONSUMED_CAPACITY];

const SCAN_OUTPUT: &[Field] = &[
    optional("Items", Shape::List { min: 0, element: &ATTRIBUTES }),
    optional("Count", Shape::Verbatim),
    optional("ScannedCount", Shape::Verbatim),
    optional("LastEvaluatedKey", ATTRIBUTES),
    CONSUMED_CAPACITY,
];

const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}
