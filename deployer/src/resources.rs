//! The kinds of things that a stack owns, by service. Only these call AWS's control planes.

pub(crate) mod account_limits;
pub(crate) mod api_gateway {
    pub(crate) mod definition;
    pub(crate) mod rest_api;
    pub(crate) mod waits;
}
pub(crate) mod dynamodb {
    pub(crate) mod scaling;
    pub(crate) mod table;
    pub(crate) mod waits;
}
pub(crate) mod iam {
    pub(crate) mod policy;
    pub(crate) mod policy_document;
    pub(crate) mod role;
    pub(crate) mod waits;
}
pub(crate) mod lambda {
    pub(crate) mod function;
    pub(crate) mod permission;
    pub(crate) mod waits;
}
pub(crate) mod logs {
    pub(crate) mod log_group;
    pub(crate) mod waits;
}
