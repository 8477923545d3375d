//! The five DynamoDB operations as data: which parameters each takes and which members its answer has.
//!
//! The tables follow AWS's own model of the service, in its order: messages name the parameters in it, and
//! answers write their members in it. See
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html>.

/// An operation of DynamoDB that a request can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Writes an item.
    PutItem,
    /// Reads an item.
    GetItem,
    /// Changes an item, or makes it.
    UpdateItem,
    /// Deletes an item.
    DeleteItem,
    /// Reads a page of the table.
    Scan,
}

/// What a value of a request or an answer looks like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A string of at least `min` characters.
    Text { min: usize },
    /// A boolean.
    Flag,
    /// A whole number of at least `min`. Its upper bound is for DynamoDB to judge.
    Integer { min: i64 },
    /// An attribute value: typed JSON on DynamoDB's side, and on ours what the request's notation says.
    Attribute,
    /// An array of at least `min` values.
    List { min: usize, of: &'static Shape },
    /// An object with any keys.
    Map(&'static Shape),
    /// An object with these members only.
    Structure(&'static [Field]),
    /// Anything, handed on as it is. Only in answers.
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
    /// The name, as AWS writes it.
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

    /// The parameters it takes.
    pub(crate) fn parameters(self) -> &'static [Field] {
        match self {
            Self::PutItem => PUT_ITEM,
            Self::GetItem => GET_ITEM,
            Self::UpdateItem => UPDATE_ITEM,
            Self::DeleteItem => DELETE_ITEM,
            Self::Scan => SCAN,
        }
    }

    /// The members of its answer.
    pub(crate) fn results(self) -> &'static [Field] {
        match self {
            Self::GetItem => GOT_ITEM,
            Self::Scan => SCANNED,
            Self::PutItem | Self::UpdateItem | Self::DeleteItem => WRITTEN,
        }
    }
}

const TEXT: Shape = Shape::Text { min: 0 };
const ATTRIBUTES: Shape = Shape::Map(&Shape::Attribute);
const TEXTS: Shape = Shape::List { min: 0, of: &TEXT };
const NAMES: Shape = Shape::Map(&TEXT);
const ATTRIBUTES_TO_GET: Shape = Shape::List { min: 1, of: &TEXT };
const ATTRIBUTE_LIST: Shape = Shape::List { min: 0, of: &Shape::Attribute };

const TABLE_NAME: Field = required("TableName", Shape::Text { min: 1 });
const EXPECTED: Field = optional(
    "Expected",
    Shape::Map(&Shape::Structure(&[
        optional("Value", Shape::Attribute),
        optional("Exists", Shape::Flag),
        optional("ComparisonOperator", TEXT),
        optional("AttributeValueList", ATTRIBUTE_LIST),
    ])),
);
const ATTRIBUTE_UPDATES: Field = optional(
    "AttributeUpdates",
    Shape::Map(&Shape::Structure(&[optional("Value", Shape::Attribute), optional("Action", TEXT)])),
);
const SCAN_FILTER: Field = optional(
    "ScanFilter",
    Shape::Map(&Shape::Structure(&[
        optional("AttributeValueList", ATTRIBUTE_LIST),
        required("ComparisonOperator", TEXT),
    ])),
);

/// The types of an attribute value in typed JSON, which has exactly one of these members.
pub(crate) const ATTRIBUTE_TYPES: &[Field] = &[
    optional("S", TEXT),
    optional("N", TEXT),
    optional("B", TEXT),
    optional("SS", TEXTS),
    optional("NS", TEXTS),
    optional("BS", TEXTS),
    optional("M", ATTRIBUTES),
    optional("L", ATTRIBUTE_LIST),
    optional("NULL", Shape::Flag),
    optional("BOOL", Shape::Flag),
];

const PUT_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Item", ATTRIBUTES),
    EXPECTED,
    optional("ReturnValues", TEXT),
    optional("ReturnConsumedCapacity", TEXT),
    optional("ReturnItemCollectionMetrics", TEXT),
    optional("ConditionalOperator", TEXT),
    optional("ConditionExpression", TEXT),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", TEXT),
];

const GET_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    optional("AttributesToGet", ATTRIBUTES_TO_GET),
    optional("ConsistentRead", Shape::Flag),
    optional("ReturnConsumedCapacity", TEXT),
    optional("ProjectionExpression", TEXT),
    optional("ExpressionAttributeNames", NAMES),
];

const UPDATE_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    ATTRIBUTE_UPDATES,
    EXPECTED,
    optional("ConditionalOperator", TEXT),
    optional("ReturnValues", TEXT),
    optional("ReturnConsumedCapacity", TEXT),
    optional("ReturnItemCollectionMetrics", TEXT),
    optional("UpdateExpression", TEXT),
    optional("ConditionExpression", TEXT),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", TEXT),
];

const DELETE_ITEM: &[Field] = &[
    TABLE_NAME,
    required("Key", ATTRIBUTES),
    EXPECTED,
    optional("ConditionalOperator", TEXT),
    optional("ReturnValues", TEXT),
    optional("ReturnConsumedCapacity", TEXT),
    optional("ReturnItemCollectionMetrics", TEXT),
    optional("ConditionExpression", TEXT),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ReturnValuesOnConditionCheckFailure", TEXT),
];

const SCAN: &[Field] = &[
    TABLE_NAME,
    optional("IndexName", Shape::Text { min: 3 }),
    optional("AttributesToGet", ATTRIBUTES_TO_GET),
    optional("Limit", Shape::Integer { min: 1 }),
    optional("Select", TEXT),
    SCAN_FILTER,
    optional("ConditionalOperator", TEXT),
    optional("ExclusiveStartKey", ATTRIBUTES),
    optional("ReturnConsumedCapacity", TEXT),
    optional("TotalSegments", Shape::Integer { min: 1 }),
    optional("Segment", Shape::Integer { min: 0 }),
    optional("ProjectionExpression", TEXT),
    optional("FilterExpression", TEXT),
    optional("ExpressionAttributeNames", NAMES),
    optional("ExpressionAttributeValues", ATTRIBUTES),
    optional("ConsistentRead", Shape::Flag),
];

const CONSUMED_CAPACITY: Field = optional("ConsumedCapacity", Shape::Verbatim);

const WRITTEN: &[Field] = &[
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

const GOT_ITEM: &[Field] = &[optional("Item", ATTRIBUTES), CONSUMED_CAPACITY];

const SCANNED: &[Field] = &[
    optional("Items", Shape::List { min: 0, of: &ATTRIBUTES }),
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
