//! The flags of this run that other commands need too.

use super::{Adopt, Building, Cli, Command, Global, Local};
use crate::error::{CommandLine, Flag, Verb};
use std::path::Path;

impl Cli {
    /// This command line, as far as hints repeat it.
    pub(crate) fn command_line(&self) -> CommandLine {
        CommandLine::new(self.command.verb(), self.global.place(), self.command.own_flags())
    }
}

impl Global {
    /// The flags that say which stack is meant and how it is reached. What came from a variable is among them: another shell
    /// may not have it.
    fn place(&self) -> Vec<Flag> {
        let path = |path: &Path| path.display().to_string();
        [
            self.local.then_some(Flag::Local),
            self.allow_plain_http.then_some(Flag::AllowPlainHttp),
            self.manifest.as_deref().map(path).map(Flag::Manifest),
            given(self.env.as_ref()).map(Flag::Env),
            given(self.region.as_ref()).map(Flag::Region),
            given(self.profile.as_ref()).map(Flag::Profile),
            given(self.endpoint_url.as_ref()).map(Flag::EndpointUrl),
            self.local_port.map(Flag::LocalPort),
            given(self.local_state.as_deref().map(path).as_ref()).map(Flag::LocalState),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// An empty one counts as none, as it does where it is used.
fn given(value: Option<&String>) -> Option<String> {
    value.filter(|value| !value.is_empty()).cloned()
}

impl Command {
    fn verb(&self) -> Verb {
        match self {
            Self::Init => Verb::Init,
            Self::Up(_) => Verb::Up,
            Self::Plan(_) => Verb::Plan,
            Self::Status(_) => Verb::Status,
            Self::Down(_) => Verb::Down,
            Self::Invoke(_) => Verb::Invoke,
            Self::Logs(_) => Verb::Logs,
            Self::Cost(_) => Verb::Cost,
            Self::Load(_) => Verb::Load,
            Self::Tune(_) => Verb::Tune,
            Self::Schema => Verb::Schema,
            Self::Local(Local::Start) => Verb::LocalStart,
            Self::Local(Local::Stop) => Verb::LocalStop,
            Self::Local(Local::Status) => Verb::LocalStatus,
            Self::Local(Local::Logs) => Verb::LocalLogs,
            Self::Local(Local::Reset) => Verb::LocalReset,
        }
    }

    /// The verb's own flags. Of verbs that are never repeated, only what others share.
    fn own_flags(&self) -> Vec<Flag> {
        let function = |name: &Option<String>| name.clone().map(Flag::Function).into_iter().collect();
        match self {
            Self::Up(up) => {
                let data = up.delete_data.then_some(Flag::DeleteData);
                up.building.flag().chain(up.adopt.flags()).chain(data).collect()
            }
            Self::Plan(plan) => {
                let data = plan.delete_data.then_some(Flag::DeleteData);
                let code = plan.exit_code.then_some(Flag::ExitCode);
                plan.building.flag().chain(plan.adopt.flags()).chain(data).chain(code).collect()
            }
            Self::Status(status) => {
                let url = status.url.then_some(Flag::Url);
                url.into_iter().chain(status.exit_code.then_some(Flag::ExitCode)).collect()
            }
            Self::Down(down) => {
                let data = down.delete_data.then_some(Flag::DeleteData);
                data.into_iter().chain(down.keep_table.then_some(Flag::KeepTable)).collect()
            }
            Self::Invoke(invoke) => function(&invoke.function),
            Self::Logs(logs) => function(&logs.function),
            Self::Load(load) => function(&load.traffic.function),
            Self::Tune(tune) => {
                tune.building.flag().chain(tune.traffic.function.clone().map(Flag::Function)).collect()
            }
            Self::Init | Self::Schema | Self::Cost(_) | Self::Local(_) => Vec::new(),
        }
    }
}

impl Building {
    fn flag(&self) -> impl Iterator<Item = Flag> {
        self.release.then_some(Flag::Release).into_iter()
    }
}

impl Adopt {
    fn flags(&self) -> impl Iterator<Item = Flag> {
        let any = self.adopt.then_some(Flag::Adopt);
        any.into_iter().chain(self.adopt_api.clone().map(Flag::AdoptApi))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Command as Whole, Hint};
    use clap::Parser as _;

    /// The command lines that a run with these arguments names.
    fn named(args: &[&str], command: impl Into<Whole>) -> String {
        let cli = Cli::try_parse_from([&["deployer"], args].concat()).unwrap();
        cli.command_line().complete(&command.into())
    }

    #[test]
    fn a_hint_has_the_flags_that_name_the_stack_and_no_others() {
        let talk = ["plan", "--yes", "--output", "json", "--timeout", "5s", "-v", "--exit-code"];
        assert_eq!(named(&talk, Verb::Up), "deployer up");
        let aws = ["plan", "--region", "eu-west-1", "--profile", "me", "--env", "x"];
        assert_eq!(named(&aws, Verb::Up), "deployer up --env x --region eu-west-1 --profile me");
        let local = ["plan", "--local", "--endpoint-url", "http://127.0.0.1:1", "--local-port", "4570"];
        assert_eq!(
            named(&local, Verb::Up),
            "deployer up --local --endpoint-url http://127.0.0.1:1 --local-port 4570"
        );
        let state = ["plan", "--local", "--local-state", "a b"];
        assert_eq!(named(&state, Verb::Down), "deployer down --local --local-state 'a b'");
        assert_eq!(named(&state, Verb::LocalStop), "deployer local stop --local-state 'a b'");
        let manifest = ["plan", "--manifest", "it's $(here)/stack.toml"];
        assert_eq!(named(&manifest, Verb::Up), r"deployer up --manifest 'it'\''s $(here)/stack.toml'");
    }

    #[test]
    fn a_run_is_repeated_with_its_own_flags() {
        for line in [
            "up --release --adopt --adopt-api a1 --delete-data",
            "plan --release --delete-data --exit-code",
            "status --url --exit-code",
            "down --delete-data",
            "down --local --keep-table",
            "init --manifest other.toml",
            "local reset --local-state state",
        ] {
            let args: Vec<&str> = line.split(' ').collect();
            let cli = Cli::try_parse_from([&["deployer"], &args[..]].concat()).unwrap();
            let again = cli.command_line().sentence(&Hint::from("").this_command());
            assert_eq!(again, format!("`deployer {line}`"));
        }
    }

    #[test]
    fn another_command_shares_only_what_it_takes() {
        assert_eq!(named(&["tune", "--release", "--function", "f"], Verb::Up), "deployer up --release");
        assert_eq!(named(&["invoke", "ping", "--function", "f"], Verb::Logs), "deployer logs --function f");
        assert_eq!(named(&["up", "--adopt", "--delete-data"], Verb::Plan), "deployer plan");
    }

    /// Whatever a hint may name can be parsed.
    #[test]
    fn every_command_that_hints_name_is_one() {
        let flags = ["--manifest=-x y", "--env", "x", "--local", "--local-state", "s", "--local-port", "1"];
        let json = Verb::Load.flag(Flag::Json("before.json".to_owned()));
        let logs = Verb::Logs.flag(Flag::RequestId("0".repeat(36)));
        let commands = [Verb::Init, Verb::Up, Verb::Plan, Verb::Status, Verb::Down, Verb::Load, Verb::Logs]
            .map(Whole::from)
            .into_iter()
            .chain([Verb::LocalStart, Verb::LocalStop, Verb::LocalStatus, Verb::LocalLogs].map(Whole::from))
            .chain([Verb::Up.flag(Flag::Adopt), Verb::Plan.flag(Flag::Adopt), json, logs])
            .chain([Verb::Down.flag(Flag::Yes).flag(Flag::KeepTable), Verb::Up.flag(Flag::DeleteData)]);
        for command in commands {
            let line = named(&[&["plan"], &flags[..]].concat(), command);
            let words = line.replace("--manifest='-x y'", "--manifest=-x");
            let cli = Cli::try_parse_from(words.split(' '));
            assert!(cli.is_ok(), "{line}");
        }
    }
}
