//! The same stack by Terraform, where there is one that can get at the AWS provider.

use crate::process::Process;
use crate::stack::{API, FUNCTION, Operation, PATH, POLICY, RETENTION_DAYS, ROLE, STAGE, TABLE, log_group};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::access::Access;
use support::aws::REGION;
use support::project::Project;
use tempfile::TempDir;

/// The provider is some hundred megabytes.
const READY_WITHIN: Duration = Duration::from_secs(300);

const PROVIDER: &str = r#"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
"#;

/// A Terraform that has its provider.
#[derive(Debug)]
pub(crate) struct Terraform {
    program: PathBuf,
    /// Where the provider is, so that it is fetched once.
    providers: TempDir,
}

/// A folder with the stack's configuration, ready to apply. It holds the state as well.
#[derive(Debug)]
pub(crate) struct Stack<'a> {
    terraform: &'a Terraform,
    folder: TempDir,
}

impl Terraform {
    /// # Errors
    /// Why there is nothing to compare with.
    pub(crate) fn find() -> Result<Self, String> {
        let paths = support::deployer::path();
        let program = std::env::split_paths(&paths).map(|folder| folder.join("terraform"));
        let program = program.into_iter().find(|file| file.is_file()).ok_or("it is not installed")?;
        let providers = tempfile::tempdir().unwrap();
        let terraform = Self { program, providers };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), PROVIDER).unwrap();
        let init = terraform.process(folder.path(), &["init", "-input=false", "-no-color"]);
        match init.try_run(READY_WITHIN) {
            Ok(_) => Ok(terraform),
            Err(why) => {
                // The rest is the network's own words, at length.
                let error = why.lines().find_map(|line| line.split_once("Error: "));
                Err(format!("its AWS provider cannot be had: {}", error.map_or(&*why, |(_, error)| error)))
            }
        }
    }

    /// The stack that the deployer makes of the same project, to be made at this endpoint.
    pub(crate) fn project(&self, url: &str, access: &Access, project: &Project) -> Stack<'_> {
        let folder = tempfile::tempdir().unwrap();
        let zip = project.folder().join("handler.zip");
        let configuration = configuration(url, access, &zip);
        std::fs::write(folder.path().join("main.tf"), format!("{PROVIDER}{configuration}")).unwrap();
        let _ = self.process(folder.path(), &["init", "-input=false", "-no-color"]).run();
        Stack { terraform: self, folder }
    }

    fn process(&self, folder: &Path, args: &[&str]) -> Process {
        Process::new(&self.program, folder)
            .current_dir(folder)
            .args(args)
            .env("TF_PLUGIN_CACHE_DIR", self.providers.path())
            .env("CHECKPOINT_DISABLE", "1")
    }
}

impl Stack<'_> {
    pub(crate) fn process(&self, operation: Operation) -> Process {
        let args: &[&str] = match operation {
            Operation::ColdUp | Operation::NothingToDo | Operation::CodeOnly => {
                &["apply", "-auto-approve", "-input=false", "-no-color"]
            }
            Operation::Plan | Operation::Status => &["plan", "-input=false", "-no-color"],
            Operation::Down => &["destroy", "-auto-approve", "-input=false", "-no-color"],
        };
        self.terraform.process(self.folder.path(), args)
    }
}

/// As people write it, resource by resource.
fn configuration(url: &str, access: &Access, zip: &Path) -> String {
    let (key, secret) = (access.key(), access.secret());
    let services = ["apigateway", "dynamodb", "iam", "lambda", "logs", "sts"];
    let endpoints: String = services.iter().map(|service| format!("    {service} = \"{url}\"\n")).collect();
    let zip = OsString::from(zip).into_string().unwrap();
    let log_group = log_group();
    let path = PATH.trim_start_matches('/');
    format!(
        r#"
provider "aws" {{
  region                      = "{REGION}"
  access_key                  = "{key}"
  secret_key                  = "{secret}"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {{
{endpoints}  }}
  default_tags {{
    tags = {{ stack = "{TABLE}" }}
  }}
}}

resource "aws_iam_role" "this" {{
  name = "{ROLE}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Principal = {{ Service = "lambda.amazonaws.com" }}, Action = "sts:AssumeRole" }}]
  }})
}}

resource "aws_iam_policy" "this" {{
  name = "{POLICY}"
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:PutItem"], Resource = "*" }}]
  }})
}}

resource "aws_iam_role_policy_attachment" "this" {{
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}}

resource "aws_dynamodb_table" "this" {{
  name         = "{TABLE}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {{
    name = "id"
    type = "S"
  }}
}}

resource "aws_cloudwatch_log_group" "this" {{
  name              = "{log_group}"
  retention_in_days = {RETENTION_DAYS}
}}

resource "aws_lambda_function" "this" {{
  function_name    = "{FUNCTION}"
  filename         = "{zip}"
  source_code_hash = filebase64sha256("{zip}")
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  memory_size      = 128
  timeout          = 10
  role             = aws_iam_role.this.arn
}}

resource "aws_api_gateway_rest_api" "this" {{
  name = "{API}"
  endpoint_configuration {{
    types = ["REGIONAL"]
  }}
}}

resource "aws_api_gateway_resource" "this" {{
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "{path}"
}}

resource "aws_api_gateway_method" "this" {{
  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = aws_api_gateway_resource.this.id
  http_method   = "POST"
  authorization = "NONE"
}}

resource "aws_api_gateway_method_response" "this" {{
  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_resource.this.id
  http_method = aws_api_gateway_method.this.http_method
  status_code = "200"
}}

resource "aws_api_gateway_integration" "this" {{
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_resource.this.id
  http_method             = aws_api_gateway_method.this.http_method
  integration_http_method = "POST"
  type                    = "AWS"
  uri                     = aws_lambda_function.this.invoke_arn
}}

resource "aws_api_gateway_integration_response" "this" {{
  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_resource.this.id
  http_method = aws_api_gateway_method.this.http_method
  status_code = aws_api_gateway_method_response.this.status_code
  depends_on  = [aws_api_gateway_integration.this]
}}

resource "aws_api_gateway_deployment" "this" {{
  rest_api_id = aws_api_gateway_rest_api.this.id
  depends_on  = [aws_api_gateway_integration_response.this]
}}

resource "aws_api_gateway_stage" "this" {{
  rest_api_id   = aws_api_gateway_rest_api.this.id
  deployment_id = aws_api_gateway_deployment.this.id
  stage_name    = "{STAGE}"
}}

resource "aws_lambda_permission" "this" {{
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${{aws_api_gateway_rest_api.this.execution_arn}}/*/POST{PATH}"
}}
"#
    )
}
