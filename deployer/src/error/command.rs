//! Commands of this program that people are told to run: typed, and printed whole.

use crate::shell::quoted;

/// What a command does. Which flags name its stack follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Init,
    Up,
    Plan,
    Status,
    Down,
    Invoke,
    Logs,
    Cost,
    Load,
    Tune,
    Schema,
    LocalStart,
    LocalStop,
    LocalStatus,
    LocalLogs,
    LocalReset,
}

/// What is reached, and so has to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// A manifest, and nothing else.
    Manifest,
    /// The stack of a manifest, in AWS or in the local AWS.
    Stack,
    /// The local AWS, which is to listen at a port.
    LocalAws,
    /// The local AWS, wherever it listens.
    LocalState,
}

impl Verb {
    fn words(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Up => "up",
            Self::Plan => "plan",
            Self::Status => "status",
            Self::Down => "down",
            Self::Invoke => "invoke",
            Self::Logs => "logs",
            Self::Cost => "cost",
            Self::Load => "load",
            Self::Tune => "tune",
            Self::Schema => "schema",
            Self::LocalStart => "local start",
            Self::LocalStop => "local stop",
            Self::LocalStatus => "local status",
            Self::LocalLogs => "local logs",
            Self::LocalReset => "local reset",
        }
    }

    fn reach(self) -> Reach {
        match self {
            Self::Init | Self::Schema => Reach::Manifest,
            Self::LocalStart => Reach::LocalAws,
            Self::LocalStop | Self::LocalStatus | Self::LocalLogs | Self::LocalReset => Reach::LocalState,
            Self::Up
            | Self::Plan
            | Self::Status
            | Self::Down
            | Self::Invoke
            | Self::Logs
            | Self::Cost
            | Self::Load
            | Self::Tune => Reach::Stack,
        }
    }

    /// Whether its other flags are few enough to repeat it whole.
    fn is_repeatable(self) -> bool {
        !matches!(self, Self::Invoke | Self::Logs | Self::Cost | Self::Load | Self::Tune)
    }

    /// Whether it takes this flag of a run of another verb, because both are about the same code or function.
    fn shares(self, flag: &Flag) -> bool {
        match flag {
            Flag::Release => matches!(self, Self::Up | Self::Plan | Self::Tune),
            Flag::Function(_) => matches!(self, Self::Logs | Self::Invoke),
            _ => false,
        }
    }
}

/// One flag of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Adopt,
    AdoptApi(String),
    AllowPlainHttp,
    DeleteData,
    EndpointUrl(String),
    Env(String),
    ExitCode,
    Function(String),
    Json(String),
    KeepTable,
    Local,
    LocalPort(u16),
    LocalState(String),
    Manifest(String),
    Mix(String),
    Profile(String),
    Region(String),
    Release,
    RequestId(String),
    Url,
    Yes,
}

impl Flag {
    fn name(&self) -> &'static str {
        match self {
            Self::Adopt => "--adopt",
            Self::AdoptApi(_) => "--adopt-api",
            Self::AllowPlainHttp => "--allow-plain-http",
            Self::DeleteData => "--delete-data",
            Self::EndpointUrl(_) => "--endpoint-url",
            Self::Env(_) => "--env",
            Self::ExitCode => "--exit-code",
            Self::Function(_) => "--function",
            Self::Json(_) => "--json",
            Self::KeepTable => "--keep-table",
            Self::Local => "--local",
            Self::LocalPort(_) => "--local-port",
            Self::LocalState(_) => "--local-state",
            Self::Manifest(_) => "--manifest",
            Self::Mix(_) => "--mix",
            Self::Profile(_) => "--profile",
            Self::Region(_) => "--region",
            Self::Release => "--release",
            Self::RequestId(_) => "--request-id",
            Self::Url => "--url",
            Self::Yes => "--yes",
        }
    }

    /// As a shell takes it.
    fn words(&self) -> String {
        let name = self.name();
        let value = match self {
            Self::LocalPort(port) => &port.to_string(),
            Self::AdoptApi(value)
            | Self::EndpointUrl(value)
            | Self::Env(value)
            | Self::Function(value)
            | Self::Json(value)
            | Self::LocalState(value)
            | Self::Manifest(value)
            | Self::Mix(value)
            | Self::Profile(value)
            | Self::Region(value)
            | Self::RequestId(value) => value,
            _ => return name.to_owned(),
        };
        // A value that begins with a hyphen would be taken for a flag.
        let between = if value.starts_with('-') { '=' } else { ' ' };
        format!("{name}{between}{}", quoted(value))
    }

    /// Whether it says what such a command reaches. `local` is whether that is the local AWS.
    fn leads_to(&self, reach: Reach, local: bool) -> bool {
        match self {
            Self::Manifest(_) => true,
            Self::LocalState(_) => match reach {
                Reach::Stack => local,
                Reach::LocalAws | Reach::LocalState => true,
                Reach::Manifest => false,
            },
            Self::LocalPort(_) => reach == Reach::LocalAws || reach == Reach::Stack && local,
            Self::Local
            | Self::Env(_)
            | Self::Region(_)
            | Self::Profile(_)
            | Self::EndpointUrl(_)
            | Self::AllowPlainHttp => reach == Reach::Stack,
            _ => false,
        }
    }
}

/// A command to run, with the flags that a text means. Those that name the stack are added by [`CommandLine`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    verb: Verb,
    /// What follows the verb.
    argument: Option<String>,
    flags: Vec<Flag>,
}

impl Command {
    /// The same command with one more flag.
    #[must_use]
    pub(crate) fn flag(mut self, flag: Flag) -> Self {
        self.flags.push(flag);
        self
    }
}

impl Verb {
    /// The command with this argument.
    pub(crate) fn argument(self, argument: &str) -> Command {
        Command { argument: Some(argument.to_owned()), ..Command::from(self) }
    }

    /// The command with this flag.
    pub(crate) fn flag(self, flag: Flag) -> Command {
        Command::from(self).flag(flag)
    }
}

impl From<Verb> for Command {
    fn from(verb: Verb) -> Self {
        Self { verb, argument: None, flags: Vec::new() }
    }
}

/// The command line of this run, as far as other command lines are to repeat it.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    verb: Verb,
    /// The flags that say which stack is meant and how it is reached.
    place: Vec<Flag>,
    /// The verb's own.
    own: Vec<Flag>,
}

impl CommandLine {
    pub(crate) fn new(verb: Verb, place: Vec<Flag>, own: Vec<Flag>) -> Self {
        Self { verb, place, own }
    }

    /// The whole command line that does this to what this run is about.
    pub(crate) fn complete(&self, command: &Command) -> String {
        let reach = command.verb.reach();
        let local = self.place.contains(&Flag::Local);
        let place = self.place.iter().filter(|flag| flag.leads_to(reach, local));
        let shared = self.own.iter().filter(|flag| command.verb == self.verb || command.verb.shares(flag));
        let said = |name: &str| command.flags.iter().any(|flag| flag.name() == name);
        let repeated = place.chain(shared).filter(|flag| !said(flag.name()));
        let words = repeated.chain(&command.flags).map(Flag::words);
        let verb = ["deployer", command.verb.words()].map(str::to_owned).into_iter();
        let words: Vec<String> = verb.chain(command.argument.as_deref().map(quoted)).chain(words).collect();
        words.join(" ")
    }

    /// The command line of this run; `None` if it is too long to say.
    pub(super) fn repeated(&self) -> Option<String> {
        self.verb.is_repeatable().then(|| self.complete(&self.verb.into()))
    }
}
