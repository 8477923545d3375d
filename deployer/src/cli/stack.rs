//! Flags of the commands that are about the whole stack.

use clap::Args;

/// How packages are built.
#[derive(Debug, Args)]
pub struct Building {
    /// With --local, build packages as for AWS: optimised, with cargo-lambda
    #[arg(long)]
    pub release: bool,
}

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// How packages are built.
    #[command(flatten)]
    pub building: Building,
    /// What to take over.
    #[command(flatten)]
    pub adopt: Adopt,
    /// Delete tables that are no longer declared, with their items
    #[arg(long)]
    pub delete_data: bool,
}

/// Flags of `up` and `plan`.
#[derive(Debug, Args)]
pub struct Adopt {
    /// Take over resources that have the stack's names and carry no ownership tags
    #[arg(long)]
    pub adopt: bool,
    /// The API to take over, if several have the declared name
    #[arg(long, value_name = "ID")]
    pub adopt_api: Option<String>,
}

impl Adopt {
    /// Whether anything is to be taken over.
    #[must_use]
    pub fn any(&self) -> bool {
        self.adopt || self.adopt_api.is_some()
    }
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// How packages are built.
    #[command(flatten)]
    pub building: Building,
    /// What to take over.
    #[command(flatten)]
    pub adopt: Adopt,
    /// Also show what `up --delete-data` would delete
    #[arg(long)]
    pub delete_data: bool,
    /// Exit with 4 if there is something to change
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print the invoke URL and nothing else
    #[arg(long)]
    pub url: bool,
    /// Exit with 4 if AWS differs from the manifest, or the URL does not answer
    #[arg(long)]
    pub exit_code: bool,
}

/// Flags of `down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Delete tables even if they hold items
    #[arg(long, conflicts_with = "keep_table")]
    pub delete_data: bool,
    /// Keep the tables, with their items
    #[arg(long)]
    pub keep_table: bool,
}
