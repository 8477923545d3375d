//! The `bootstrap` executable that Lambda starts.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use function::{Config, DynamoDb, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let config = Config::from_env();
    let store = DynamoDb::new(&config);
    match run(&config, &store).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr cannot be written, the exit code still says that it failed.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
