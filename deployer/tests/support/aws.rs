//! What the local AWS holds, asked behind the binary's back, by plain requests.

use crate::access::Access;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;

/// The account of the local AWS's credentials.
pub const ACCOUNT: &str = "000000000000";

/// Where every test's stack is.
pub const REGION: &str = "us-east-1";

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A way to ask one AWS.
#[derive(Clone, Debug)]
pub struct Lookup {
    url: String,
    access: Access,
    agent: Agent,
}

impl Lookup {
    /// Of the AWS at this endpoint, to which these credentials belong.
    pub fn at(url: &str, access: Access) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self { url: url.to_owned(), access, agent }
    }

    /// Who asks, as XML.
    pub fn identity(&self) -> String {
        self.query("sts", "2011-06-15", "GetCallerIdentity", &[])
    }

    /// A call of IAM's query protocol; its XML.
    pub fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.query("iam", "2010-05-08", action, parameters)
    }

    fn query(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        let always = [("Action", action), ("Version", version)];
        let pairs = always.iter().chain(parameters);
        let body: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let form = ("content-type", "application/x-www-form-urlencoded");
        self.succeed(service, "POST", "/", form, body.join("&"))
    }

    /// A call of a JSON protocol, like `DynamoDB_20120810.ListTables`.
    pub fn json(&self, service: &str, target: &str, input: &Value) -> Value {
        let answer = self.succeed(service, "POST", "/", ("x-amz-target", target), input.to_string());
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// A call of a REST protocol.
    pub fn rest(&self, service: &str, method: &str, path: &str, input: &Value) -> Value {
        let body = if input.is_null() { String::new() } else { input.to_string() };
        let json = ("content-type", "application/json");
        serde_json::from_str(&self.succeed(service, method, path, json, body)).unwrap_or_default()
    }

    /// The same, where AWS may say no: its status and what it says.
    ///
    /// # Errors
    /// Every answer that is no success.
    pub fn try_rest(
        &self,
        service: &str,
        method: &str,
        path: &str,
        input: &Value,
    ) -> Result<Value, (u16, String)> {
        let json = ("content-type", "application/json");
        let (status, answer) = self.try_send(service, method, path, json, input.to_string()).unwrap();
        if (200..300).contains(&status) {
            Ok(serde_json::from_str(&answer).unwrap_or_default())
        } else {
            Err((status, answer))
        }
    }

    /// Sends JSON to a URL as any client does: status and body.
    pub fn post(&self, url: &str, body: &str) -> (u16, String) {
        self.try_post(url, body).unwrap()
    }

    /// The same, if anybody answers.
    ///
    /// # Errors
    /// What the transport says.
    pub fn try_post(&self, url: &str, body: &str) -> Result<(u16, String), ureq::Error> {
        let request = Request::post(url).header("content-type", "application/json").body(body.to_owned())?;
        let mut answer = self.agent.run(request)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }

    /// Everything of the kinds that a stack is made of, whoever made it: `role NAME`, `REST API NAME`, …
    pub fn everything(&self) -> BTreeSet<String> {
        self.tags().into_keys().collect()
    }

    /// The same; two of one kind and name are two.
    pub fn list(&self) -> Vec<String> {
        self.all().into_iter().map(|(thing, _)| thing).collect()
    }

    /// Everything, with its tags. Two of one kind and name would be one here, so that is refused.
    pub fn tags(&self) -> BTreeMap<String, Tags> {
        let all = self.all();
        let count = all.len();
        let tags: BTreeMap<String, Tags> = all.into_iter().collect();
        assert_eq!(tags.len(), count, "there are two of one kind and name: {tags:?}");
        tags
    }

    fn all(&self) -> Vec<(String, Tags)> {
        let mut all = Vec::new();
        let mut add = |kind: &str, name: &str, tags: Tags| all.push((format!("{kind} {name}"), tags));
        for role in elements(&self.iam("ListRoles", &[]), "RoleName") {
            add("role", &role, pairs(&self.iam("GetRole", &[("RoleName", &role)])));
        }
        for arn in elements(&self.iam("ListPolicies", &[("Scope", "Local")]), "Arn") {
            let name = arn.rsplit('/').next().unwrap().to_owned();
            add("policy", &name, pairs(&self.iam("ListPolicyTags", &[("PolicyArn", &arn)])));
        }
        for table in strings(&self.dynamodb("ListTables", &json!({}))["TableNames"]) {
            let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}");
            let answer = self.dynamodb("ListTagsOfResource", &json!({ "ResourceArn": arn }));
            add(
                "table",
                &table,
                answer["Tags"].as_array().into_iter().flatten().map(key_and_value).collect(),
            );
        }
        for function in
            items(&self.rest("lambda", "GET", "/2015-03-31/functions/", &Value::Null)["Functions"])
        {
            let name = text(&function["FunctionName"]);
            add("function", &name, map(&self.function(&name)["Tags"]));
        }
        for group in items(&self.logs("DescribeLogGroups", &json!({}))["logGroups"]) {
            let name = text(&group["logGroupName"]);
            let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}");
            add(
                "log group",
                &name,
                map(&self.logs("ListTagsForResource", &json!({ "resourceArn": arn }))["tags"]),
            );
        }
        for api in items(&self.rest("apigateway", "GET", "/restapis", &Value::Null)["item"]) {
            add("REST API", &text(&api["name"]), map(&api["tags"]));
        }
        all
    }

    /// `GetFunction`.
    pub fn function(&self, name: &str) -> Value {
        self.rest("lambda", "GET", &format!("/2015-03-31/functions/{name}"), &Value::Null)
    }

    /// `DynamoDB`'s calls.
    pub fn dynamodb(&self, operation: &str, input: &Value) -> Value {
        self.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), input)
    }

    /// The calls of `CloudWatch` Logs.
    pub fn logs(&self, operation: &str, input: &Value) -> Value {
        self.json("logs", &format!("Logs_20140328.{operation}"), input)
    }

    fn succeed(&self, service: &str, method: &str, path: &str, header: (&str, &str), body: String) -> String {
        let answer = self.try_send(service, method, path, header, body);
        let (status, answer) = answer.unwrap_or_else(|e| panic!("{service} {method} {path}: {e}"));
        assert!((200..300).contains(&status), "{service} {method} {path}: {status} {answer}");
        answer
    }

    /// One call of a JSON protocol, whatever becomes of it: status and body.
    ///
    /// # Errors
    /// What the transport says.
    pub fn ask_json(&self, service: &str, target: &str, input: &Value) -> Result<(u16, String), ureq::Error> {
        self.try_send(service, "POST", "/", ("x-amz-target", target), input.to_string())
    }

    /// The same of a REST protocol.
    ///
    /// # Errors
    /// What the transport says.
    pub fn ask_rest(
        &self,
        service: &str,
        method: &str,
        path: &str,
        input: &Value,
    ) -> Result<(u16, String), ureq::Error> {
        self.try_send(service, method, path, ("content-type", "application/json"), input.to_string())
    }

    fn try_send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        header: (&str, &str),
        body: String,
    ) -> Result<(u16, String), ureq::Error> {
        let url = format!("{}{path}", self.url);
        let signed = self.access.sign((service, REGION), (method, &url), &[header], &body);
        let mut request = Request::builder().method(method).uri(url).header(header.0, header.1);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let mut answer = self.agent.run(request.body(body)?)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }
}

/// The texts of all elements of this name.
pub fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap_or_default());
    texts
        .map(|text| {
            text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        })
        .collect()
}

fn pairs(xml: &str) -> Tags {
    elements(xml, "Key").into_iter().zip(elements(xml, "Value")).collect()
}

/// An array's elements; none where there is no array.
pub fn items(array: &Value) -> Vec<Value> {
    array.as_array().cloned().unwrap_or_default()
}

fn strings(array: &Value) -> Vec<String> {
    items(array).iter().map(text).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn map(value: &Value) -> Tags {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn key_and_value(tag: &Value) -> (String, String) {
    (text(&tag["Key"]), text(&tag["Value"]))
}

fn escape(text: &str) -> String {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if kept(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
