//! A person with an access key and one policy.

use aws_sdk_iam::Client;
use aws_sdk_iam::config::{BehaviorVersion, Region};
use support::deployer::{Deployer, Done};
use support::emulator::Emulator;
use support::project::Project;
use tokio::runtime::Runtime;

/// Somebody who may do what a policy says and nothing else, and the AWS that sees to it.
pub(crate) struct User {
    pub(crate) aws: Emulator,
    pub(crate) project: Project,
    root: Client,
    runtime: Runtime,
    policy: String,
    key: String,
    secret: String,
}

impl User {
    pub(crate) fn with(document: &str) -> Self {
        let aws = Emulator::enforcing_iam();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let root = root(&aws);
        let (policy, key, secret) = runtime.block_on(async {
            root.create_user().user_name("ada").send().await.unwrap();
            let policy = root.create_policy().policy_name("deploying").policy_document(document);
            let policy = policy.send().await.unwrap().policy.unwrap().arn.unwrap();
            root.attach_user_policy().user_name("ada").policy_arn(&policy).send().await.unwrap();
            let key = root.create_access_key().user_name("ada").send().await.unwrap().access_key.unwrap();
            (policy, key.access_key_id, key.secret_access_key)
        });
        Self { aws, project: Project::new(), root, runtime, policy, key, secret }
    }

    /// From now on, this is the policy.
    pub(crate) fn may(&self, document: &str) {
        self.runtime.block_on(async {
            let versions = self.root.list_policy_versions().policy_arn(&self.policy).send().await.unwrap();
            let create = self.root.create_policy_version().policy_arn(&self.policy);
            create.policy_document(document).set_as_default(true).send().await.unwrap();
            for version in versions.versions() {
                let delete = self.root.delete_policy_version().policy_arn(&self.policy);
                delete.version_id(version.version_id().unwrap()).send().await.unwrap();
            }
        });
    }

    /// Runs the binary as this person does: with credentials, and at an AWS that is not called local.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        Deployer::new(self.aws.folder())
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
            .env("AWS_REGION", "us-east-1")
            .args(["--endpoint-url", &self.aws.url()])
            .arg("--manifest")
            .arg(self.project.manifest())
            .args(args)
            .run()
    }
}

/// Who made the account.
fn root(aws: &Emulator) -> Client {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(aws.url())
        .credentials_provider(aws.access().credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}
