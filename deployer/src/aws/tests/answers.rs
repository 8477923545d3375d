//! Answers that no service should give: cut short, garbled, endless. They come through the real clients.

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

/// One read in each language, with a whole answer to it.
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
    fn read<T, E>(
        operation: &'static str,
        answer: Result<T, SdkError<E, Response>>,
    ) -> Result<(), Box<AwsError>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        answer.map(drop).map_err(|error| Box::new(AwsError::new(operation, &error)))
    }
    match operation {
        "iam:GetRole" => read(operation, aws.iam.get_role().role_name("r").send().await),
        "iam:GetPolicy" => read(operation, aws.iam.get_policy().policy_arn("arn").send().await),
        "iam:GetPolicyVersion" => {
            read(operation, aws.iam.get_policy_version().policy_arn("arn").version_id("v3").send().await)
        }
        "iam:ListEntitiesForPolicy" => {
            read(operation, aws.iam.list_entities_for_policy().policy_arn("arn").send().await)
        }
        "iam:DetachRolePolicy" => {
            read(operation, aws.iam.detach_role_policy().role_name("r").policy_arn("arn").send().await)
        }
        "dynamodb:DescribeTable" => {
            read(operation, aws.dynamodb.describe_table().table_name("t").send().await)
        }
        "logs:DescribeLogGroups" => read(operation, aws.logs.describe_log_groups().send().await),
        "lambda:GetFunction" => read(operation, aws.lambda.get_function().function_name("f").send().await),
        "lambda:TagResource" => {
            read(operation, aws.lambda.tag_resource().resource("arn").tags("a", "b").send().await)
        }
        "apigateway:GetResources" => {
            read(operation, aws.apigateway.get_resources().rest_api_id("a").send().await)
        }
        other => panic!("no call of {other}"),
    }
}

/// Gives the same answer for ever, and counts how often.
#[derive(Clone, Debug)]
struct Always {
    status: u16,
    body: Vec<u8>,
    times: Arc<AtomicUsize>,
}

impl Always {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), times: Arc::default() }
    }
}

impl HttpConnector for Always {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        self.times.fetch_add(1, Ordering::Relaxed);
        let status = StatusCode::try_from(self.status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.body.clone()))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_is_understood_and_one_that_is_cut_anywhere_is_not() {
    for (operation, whole) in READS {
        let aws = before(Always::new(200, whole), one_attempt(), Access::ReadOnly);
        call(&aws, operation).await.unwrap();
        for end in 0..whole.len() {
            let aws = before(Always::new(200, &whole[..end]), one_attempt(), Access::ReadOnly);
            let error = call(&aws, operation).await.expect_err(&whole[..end]);
            assert_eq!(error.transport, Some(Transport::Unreadable), "{operation} {end}: {error}");
            assert!(error.outcome_unknown() && error.is_outage());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_after_half_an_answer_and_a_change_is_unclear() {
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
    for (operation, answer, times) in cases {
        let server = Always::new(200, answer);
        let aws = before(server.clone(), attempts(3), Access::ReadWrite);
        let error = call(&aws, operation).await.expect_err(operation);
        assert!(error.outcome_unknown(), "{operation}: {error:?}");
        assert!(!error.message.contains("hotel") && error.message.contains("HTTP 200"), "{error}");
        assert_eq!(server.times.load(Ordering::Relaxed), times, "{operation} {answer}");
    }
    let answer = |body: &str| HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::from(body));
    let (aws, _) = answering(vec![answer(ROLE), answer(half_xml)]);
    call(&aws, "iam:GetRole").await.expect("the second try gets through");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_word_is_read_by_its_status() {
    for (status, is_throttle) in [(429, true), (400, false), (403, false)] {
        for operation in ["iam:GetRole", "lambda:GetFunction"] {
            let aws = before(Always::new(status, ""), one_attempt(), Access::ReadOnly);
            let error = call(&aws, operation).await.unwrap_err();
            assert_eq!(error.is_throttle(), is_throttle, "{status} {error:?}");
            assert!(error.to_string().contains(&format!("(HTTP {status})")), "{error}");
        }
    }
}

/// A body that never ends, and counts what was taken of it.
struct Endless(Arc<AtomicUsize>);

const CHUNK: &[u8] = &[b' '; 64 * 1024];

impl Body for Endless {
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
struct Flood(Arc<AtomicUsize>);

impl HttpConnector for Flood {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let body = SdkBody::from_body_1_x(Endless(Arc::clone(&self.0)));
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(200).unwrap(), body)))
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_answer_is_read_so_far_and_no_further() {
    const MOST: usize = 17 * 1024 * 1024;
    for (operation, _) in READS {
        let flood = Flood::default();
        let aws = before(flood.clone(), attempts(3), Access::ReadOnly);
        let error = call(&aws, operation).await.unwrap_err();
        let bounds = ["1 MB", "16 MB"].map(|most| format!("the answer is longer than {most} (HTTP 200)"));
        assert!(bounds.contains(&error.message), "{operation}: {}", error.message);
        assert!(flood.0.load(Ordering::Relaxed) < MOST, "{operation}: it is not asked for again");
    }
    let flood = Flood::default();
    let aws = before(flood.clone(), one_attempt(), Access::ReadWrite);
    let invoke = aws.lambda.invoke().function_name("f").send().await.unwrap_err();
    assert!(AwsError::new("lambda:InvokeFunction", &invoke).outcome_unknown());
    let answer = aws.http.exchange("POST", "http://x/", "{}").await;
    assert_eq!(answer.unwrap_err(), "the answer is longer than 16 MB (HTTP 200)");
    assert!(flood.0.load(Ordering::Relaxed) < 2 * MOST);
}

#[tokio::test]
async fn a_command_that_only_reads_sends_no_change() {
    let flood = Flood::default();
    let aws = before(flood.clone(), one_attempt(), Access::ReadOnly);
    let refused = aws.lambda.delete_function().function_name("f").send().await.unwrap_err();
    let error = AwsError::new("lambda:DeleteFunction", &refused);
    assert!(error.message.contains("this command only reads"), "{}", error.message);
    assert_eq!(flood.0.load(Ordering::Relaxed), 0, "nothing was answered, because nothing was sent");
}

/// What may happen to an answer on its way.
#[derive(Clone, Debug)]
enum Change {
    Cut(usize),
    Put(usize, u8),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0_usize..600;
    prop_oneof![
        at.clone().prop_map(Change::Cut),
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at.clone(), at, 1_usize..3_000)
            .prop_map(|(from, length, times)| Change::Repeat(from, length, times)),
    ]
}

fn changed(whole: &str, changes: &[Change]) -> Vec<u8> {
    let mut body = whole.as_bytes().to_vec();
    for change in changes {
        let within = |at: usize| at.min(body.len());
        match change {
            Change::Cut(at) => body.truncate(*at),
            Change::Put(at, byte) => {
                if let Some(place) = body.get_mut(*at) {
                    *place = *byte;
                }
            }
            Change::Insert(at, bytes) => {
                let at = within(*at);
                body.splice(at..at, bytes.iter().copied());
            }
            Change::Repeat(from, length, times) => {
                let (from, to) = (within(*from), within(from + length));
                let part = body[from..to].repeat(*times);
                body.splice(from..to, part.into_iter().take(1_000_000));
            }
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_answer_brings_the_program_down(
        which in 0..READS.len(),
        status in prop::sample::select(vec![200_u16, 204, 301, 400, 403, 404, 429, 500, 503]),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        let (operation, whole) = READS[which];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let error = runtime.block_on(async {
            let aws = before(Always::new(status, changed(whole, &changes)), attempts(3), Access::ReadOnly);
            call(&aws, operation).await
        });
        if let Err(error) = error {
            prop_assert!(!error.to_string().ends_with(": "), "an error has a reason: {}", error);
        }
    }
}
