//! Flags of `logs`.

use super::duration::ago;
use super::log_filter;
use clap::Args;
use std::time::Duration;

/// Flags of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// How far back, like 90s, 10m, 2h or 7d
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = ago)]
    pub since: Duration,
    /// Continue until Ctrl-C, which exits with 0
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Only messages that match a filter pattern of CloudWatch Logs, like '?ERROR ?WARN'
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true, value_parser = log_filter::pattern)]
    pub filter: Option<String>,
    /// Only messages that were written during one request, whether or not they name it
    #[arg(long, value_name = "ID", conflicts_with_all = ["follow", "filter"], value_parser = log_filter::request_id)]
    pub request_id: Option<String>,
    /// The function, if the stack has several
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}
