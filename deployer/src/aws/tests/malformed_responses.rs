//! Responses that no service should send: truncated, garbled, endless. The real clients read them.

use super::*;
use crate::error::Transport;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use proptest::prelude::*;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

const ROLE: &str = "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
    <Path>/</Path><Arn>arn:aws:iam::123456789012:role/r</Arn><RoleName>r</RoleName><RoleId>AROA</RoleId>\
    <AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
    <Tags><member><Key>deployer:stack</Key><Value>lab</Value></member></Tags></Role></GetRoleResult>\
    <ResponseMetadata><RequestId>1-2</RequestId></ResponseMetadata></GetRoleResponse>";
const POLICY: &str = "<GetPolicyResponse><GetPolicyResult><Policy><PolicyName>p</PolicyName>\
    <DefaultVersionId>v3</DefaultVersionId><AttachmentCount>2</AttachmentCount><Tags><member><Key>a</Key>\
    <Value>b</Value></member></Tags></Policy></GetPolicyResult></GetPolicyResponse>";
const VERSION: &str = "<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><Document>%7B%7D</Document>\
    <VersionId>v3</VersionId><IsDefaultVersion>true</IsDefaultVersion></PolicyVersion></GetPolicyVersionResult>\
    </GetPolicyVersionResponse>";
const ENTITIES: &str = "<ListEntitiesForPolicyResponse><ListEntitiesForPolicyResult><PolicyRoles><member>\
    <RoleName>r</RoleName><RoleId>AROA</RoleId></member></PolicyRoles><PolicyGroups/><PolicyUsers/>\
    <IsTruncated>false</IsTruncated></ListEntitiesForPolicyResult></ListEntitiesForPolicyResponse>";
const TABLE: &str = r#"{"Table":{"TableName":"t","TableStatus":"ACTIVE","ItemCount":1,"CreationDateTime":1.7E9,
    "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}"#;
const GROUPS: &str =
    r#"{"logGroups":[{"logGroupName":"/aws/lambda/f","retentionInDays":14}],"nextToken":null}"#;
const FUNCTION: &str = r#"{"Configuration":{"FunctionName":"f","State":"Active","MemorySize":128,
    "Environment":{"Variables":{"A":"b"}}},"Tags":{"deployer:stack":"lab"},"Code":{"Location":"https://x"}}"#;
const RESOURCES: &str = r#"{"item":[{"id":"a","path":"/","resourceMethods":{"POST":{"httpMethod":"POST",
    "authorizationType":"NONE","methodIntegration":{"type":"AWS","requestTemplates":{"a":"b"}}}}}]}"#;

/// One read of each response format, with a complete response.
const READS: [(&str, &str); 8] = [
    ("iam:GetRole", ROLE),
    ("iam:GetPolicy", POLICY),
    ("iam:GetPolicyVersion", VERSION),
    ("iam:ListEntitiesForPolicy", ENTITIES),
    ("dynamodb:DescribeTable", TABLE),
    ("logs:DescribeLogGroups", GROUPS),
    ("lambda:GetFunction", FUNCTION),
    ("apigateway:GetResources", RESOURCES),
];

async fn call(aws: &Aws, operation: &'static str) -> Result<(), Box<AwsError>> {
    fn discard_output<T, E>(
        operation: &'static str,
        result: Result<T, SdkError<E, Response>>,
    ) -> Result<(), Box<AwsError>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        result.map(drop).map_err(|error| Box::new(AwsError::new(operation, &error)))
    }
    match operation {
        "iam:GetRole" => discard_output(operation, aws.iam.get_role().role_name("r").send().await),
        "iam:GetPolicy" => discard_output(operation, aws.iam.get_policy().policy_arn("arn").send().await),
        "iam:GetPolicyVersion" => discard_output(
            operation,
            aws.iam.get_policy_version().policy_arn("arn").version_id("v3").send().await,
        ),
        "iam:ListEntitiesForPolicy" => {
            discard_output(operation, aws.iam.list_entities_for_policy().policy_arn("arn").send().await)
        }
        "iam:DetachRolePolicy" => discard_output(
            operation,
            aws.iam.detach_role_policy().role_name("r").policy_arn("arn").send().await,
        ),
        "dynamodb:DescribeTable" => {
            discard_output(operation, aws.dynamodb.describe_table().table_name("t").send().await)
        }
        "logs:DescribeLogGroups" => discard_output(operation, aws.logs.describe_log_groups().send().await),
        "lambda:GetFunction" => {
            discard_output(operation, aws.lambda.get_function().function_name("f").send().await)
        }
        "lambda:TagResource" => {
            discard_output(operation, aws.lambda.tag_resource().resource("arn").tags("a", "b").send().await)
        }
        "apigateway:GetResources" => {
            discard_output(operation, aws.apigateway.get_resources().rest_api_id("a").send().await)
        }
        other => panic!("no call of {other}"),
    }
}

/// A connector that always gives the same response, and counts the requests.
#[derive(Clone, Debug)]
struct ConstantConnector {
    status: u16,
    body: Vec<u8>,
    requests: Arc<AtomicUsize>,
}

impl ConstantConnector {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), requests: Arc::default() }
    }
}

impl HttpConnector for ConstantConnector {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let status = StatusCode::try_from(self.status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.body.clone()))))
    }
}

#[tokio::test(start_paused = true)]
async fn accepts_a_complete_response_and_refuses_it_truncated_anywhere() {
    for (operation, whole) in READS {
        let aws = clients(ConstantConnector::new(200, whole), one_attempt(), AccessMode::ReadOnly);
        call(&aws, operation).await.unwrap();
        for end in 0..whole.len() {
            let aws =
                clients(ConstantConnector::new(200, &whole[..end]), one_attempt(), AccessMode::ReadOnly);
            let error = call(&aws, operation).await.expect_err(&whole[..end]);
            assert_eq!(error.transport, Some(Transport::Unreadable), "{operation} {end}: {error}");
            assert!(error.outcome_unknown() && error.is_outage());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retries_a_read_after_a_malformed_response_and_never_a_write() {
    let (half_xml, half_json) = (&ROLE[..ROLE.len() / 2], &FUNCTION[..FUNCTION.len() / 2]);
    let cases = [
        ("iam:GetRole", half_xml, 3),
        ("lambda:GetFunction", half_json, 3),
        ("lambda:GetFunction", "", 3),
        ("dynamodb:DescribeTable", "", 3),
        ("iam:GetRole", "<html><body>Welcome to the hotel</body></html>", 3),
        ("lambda:GetFunction", "<html><body>Welcome to the hotel</body></html>", 3),
        ("iam:DetachRolePolicy", half_xml, 1),
        ("iam:DetachRolePolicy", "<html><body>Welcome to the hotel</body></html>", 1),
        ("lambda:TagResource", half_json, 1),
    ];
    for (operation, body, requests) in cases {
        let connector = ConstantConnector::new(200, body);
        let aws = clients(connector.clone(), attempts(3), AccessMode::ReadWrite);
        let error = call(&aws, operation).await.expect_err(operation);
        assert!(error.outcome_unknown(), "{operation}: {error:?}");
        assert!(!error.message.contains("hotel") && error.message.contains("HTTP 200"), "{error}");
        assert_eq!(connector.requests.load(Ordering::Relaxed), requests, "{operation} {body}");
    }
    let response = |body: &str| HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
    let (aws, _) = scripted(vec![response(ROLE), response(half_xml)]);
    call(&aws, "iam:GetRole").await.expect("the second attempt succeeds");
}

#[tokio::test(start_paused = true)]
async fn classifies_an_error_without_a_body_by_its_status() {
    for (status, is_throttle) in [(429, true), (400, false), (403, false)] {
        for operation in ["iam:GetRole", "lambda:GetFunction"] {
            let aws = clients(ConstantConnector::new(status, ""), one_attempt(), AccessMode::ReadOnly);
            let error = call(&aws, operation).await.unwrap_err();
            assert_eq!(error.is_throttle(), is_throttle, "{status} {error:?}");
            assert!(error.to_string().contains(&format!("(HTTP {status})")), "{error}");
        }
    }
}

/// A body that never ends, and counts the bytes that were read.
struct EndlessBody(Arc<AtomicUsize>);

const CHUNK: &[u8] = &[b' '; 64 * 1024];

impl Body for EndlessBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(CHUNK.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(CHUNK)))))
    }
}

#[derive(Clone, Debug, Default)]
struct EndlessConnector(Arc<AtomicUsize>);

impl HttpConnector for EndlessConnector {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from_body_1_x(EndlessBody(Arc::clone(&self.0)));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), body)))
    }
}

#[tokio::test(start_paused = true)]
async fn stops_reading_an_endless_response_at_its_limit() {
    const MAX_BYTES: usize = 17 * 1024 * 1024;
    for (operation, _) in READS {
        let connector = EndlessConnector::default();
        let aws = clients(connector.clone(), attempts(3), AccessMode::ReadOnly);
        let error = call(&aws, operation).await.unwrap_err();
        let limits = ["1 MB", "16 MB"].map(|limit| format!("the answer is longer than {limit} (HTTP 200)"));
        assert!(limits.contains(&error.message), "{operation}: {}", error.message);
        assert!(connector.0.load(Ordering::Relaxed) < MAX_BYTES, "{operation}: it is not requested again");
    }
    let connector = EndlessConnector::default();
    let aws = clients(connector.clone(), one_attempt(), AccessMode::ReadWrite);
    let invoke = aws.lambda.invoke().function_name("f").send().await.unwrap_err();
    assert!(AwsError::new("lambda:InvokeFunction", &invoke).outcome_unknown());
    let result = aws.http.exchange("POST", "http://x/", "{}").await;
    assert_eq!(result.unwrap_err(), "the answer is longer than 16 MB (HTTP 200)");
    assert!(connector.0.load(Ordering::Relaxed) < 2 * MAX_BYTES);
}

#[tokio::test]
async fn read_only_clients_send_no_writes() {
    let connector = EndlessConnector::default();
    let aws = clients(connector.clone(), one_attempt(), AccessMode::ReadOnly);
    let refused = aws.lambda.delete_function().function_name("f").send().await.unwrap_err();
    let error = AwsError::new("lambda:DeleteFunction", &refused);
    assert!(error.message.contains("this command only reads"), "{}", error.message);
    assert_eq!(connector.0.load(Ordering::Relaxed), 0, "nothing was sent");
}

/// A corruption of a response.
#[derive(Clone, Debug)]
enum Corruption {
    Truncate(usize),
    Overwrite(usize, u8),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize, usize),
}

fn corruption() -> impl Strategy<Value = Corruption> {
    let position = 0_usize..600;
    prop_oneof![
        position.clone().prop_map(Corruption::Truncate),
        (position.clone(), any::<u8>()).prop_map(|(position, byte)| Corruption::Overwrite(position, byte)),
        (position.clone(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(position, bytes)| Corruption::Insert(position, bytes)),
        (position.clone(), position, 1_usize..3_000)
            .prop_map(|(from, length, times)| Corruption::Repeat(from, length, times)),
    ]
}

fn corrupt(whole: &str, corruptions: &[Corruption]) -> Vec<u8> {
    let mut body = whole.as_bytes().to_vec();
    for corruption in corruptions {
        let clamp = |position: usize| position.min(body.len());
        match corruption {
            Corruption::Truncate(position) => body.truncate(*position),
            Corruption::Overwrite(position, byte) => {
                if let Some(target) = body.get_mut(*position) {
                    *target = *byte;
                }
            }
            Corruption::Insert(position, bytes) => {
                let position = clamp(*position);
                body.splice(position..position, bytes.iter().copied());
            }
            Corruption::Repeat(from, length, times) => {
                let (from, to) = (clamp(*from), clamp(from + length));
                let repeated = body[from..to].repeat(*times);
                body.splice(from..to, repeated.into_iter().take(1_000_000));
            }
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_corrupt_response_causes_a_panic(
        index in 0..READS.len(),
        status in prop::sample::select(vec![200_u16, 204, 301, 400, 403, 404, 429, 500, 503]),
        corruptions in prop::collection::vec(corruption(), 0..6),
    ) {
        let (operation, whole) = READS[index];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let error = runtime.block_on(async {
            let aws = clients(ConstantConnector::new(status, corrupt(whole, &corruptions)), attempts(3), AccessMode::ReadOnly);
            call(&aws, operation).await
        });
        if let Err(error) = error {
            prop_assert!(!error.to_string().ends_with(": "), "an error has a reason: {}", error);
        }
    }
}
