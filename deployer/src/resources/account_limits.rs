//! The limits of an account, which hold whatever a stack declares.

use crate::engine::Step;
use crate::manifest::Throttle;

/// The limits of one account and region. `None` where AWS did not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    /// The request rate of all REST APIs together.
    pub(crate) requests: Option<Throttle>,
    /// The concurrent invocations of all functions without reserved concurrency.
    pub(crate) concurrency: Option<i32>,
}

/// API Gateway's default request rate.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>
pub(crate) const DEFAULT_REQUESTS: Throttle = Throttle { rate: 10_000.0, burst: 5_000 };

/// Lambda's default concurrency. New accounts begin with less.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>
pub(crate) const DEFAULT_CONCURRENCY: i32 = 1_000;

impl Limits {
    /// Reads the limits. There is no error, because somebody who may not read them may still run a load test.
    pub(crate) async fn of(step: &Step<'_>) -> Self {
        let (requests, concurrency) = tokio::join!(requests(step), concurrency(step));
        Self { requests, concurrency }
    }
}

/// Returns API Gateway's request rate for the account; `None` where this caller is not told.
pub(crate) async fn requests(step: &Step<'_>) -> Option<Throttle> {
    let call = || step.call("apigateway:GetAccount", step.aws.apigateway.get_account().send());
    let throttle = step.retry(&[], call).await.ok()?.throttle_settings?;
    Some(Throttle { rate: throttle.rate_limit, burst: throttle.burst_limit })
}

async fn concurrency(step: &Step<'_>) -> Option<i32> {
    let call = || step.call("lambda:GetAccountSettings", step.aws.lambda.get_account_settings().send());
    step.retry(&[], call).await.ok()?.account_limit?.unreserved_concurrent_executions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::script::{Answer, always, done, refused};
    use aws_smithy_mocks::mock;
    use serde_json::json;

    async fn told(account: Answer, settings: Answer) -> Limits {
        let world = World::new()
            .with_apigateway(&[always(mock!(aws_sdk_apigateway::Client::get_account), account)])
            .with_lambda(&[always(mock!(aws_sdk_lambda::Client::get_account_settings), settings)]);
        world.at(async |step| Ok(Limits::of(step).await)).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn both_services_are_asked() {
        let account = json!({ "throttleSettings": { "rateLimit": 600.0, "burstLimit": 300 } });
        let settings =
            json!({ "AccountLimit": { "ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 7 } });
        let requests = Some(Throttle { rate: 600.0, burst: 300 });
        assert_eq!(told(done(account), done(settings)).await, Limits { requests, concurrency: Some(7) });
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_or_missing_is_not_known() {
        let denied = || refused(403, "AccessDeniedException", "User: ada is not authorized to perform this");
        assert_eq!(told(denied(), denied()).await, Limits::default());
        assert_eq!(told(done(json!({})), done(json!({}))).await, Limits::default());
    }
}
