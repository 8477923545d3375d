//! The `bootstrap` that Lambda starts.

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
            // Without anywhere to write, the exit code has to do.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
