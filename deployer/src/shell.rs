//! Commands that people copy into a shell: quoted so that they mean what they say, and whole.

/// The verbs, as they follow the program's name in a text.
const VERBS: [&str; 11] =
    ["cost", "down", "init", "invoke", "load", "local", "logs", "plan", "status", "tune", "up"];

const PROGRAM: &str = "deployer ";

/// A word as a shell takes it for one word and nothing else.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The flags that say which stack is meant, as a shell takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// For commands about the stack.
    pub(crate) stack: String,
    /// For commands about the local AWS, which know no stack.
    pub(crate) local: String,
}

/// The same text, in which each command of this program has the flags that say which stack is meant. Whoever copies one
/// means the same stack as the command that printed it.
pub(crate) fn completed(text: &str, flags: &Flags) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PROGRAM) {
        let (before, after) = rest.split_at(at + PROGRAM.len());
        whole.push_str(before);
        rest = after;
        let starts_a_word = before[..at].chars().next_back().is_none_or(|c| !is_of_a_word(c));
        let verb = VERBS.iter().find(|verb| {
            after.strip_prefix(**verb).is_some_and(|end| end.chars().next().is_none_or(|c| !is_of_a_word(c)))
        });
        if let (true, Some(verb)) = (starts_a_word, verb) {
            let flags = if *verb == "local" { &flags.local } else { &flags.stack };
            whole.push_str(verb);
            if !flags.is_empty() {
                whole.push(' ');
                whole.push_str(flags);
            }
            rest = &after[verb.len()..];
        }
    }
    whole.push_str(rest);
    whole
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn commands_in_a_text_get_the_flags_that_name_the_stack() {
        let flags = Flags { stack: "--local --env 'a b'".to_owned(), local: "--local-port 1".to_owned() };
        for (text, whole) in [
            ("Run deployer up.", "Run deployer up --local --env 'a b'."),
            (
                "deployer plan --adopt shows it, deployer up makes it so.",
                "deployer plan --local --env 'a b' --adopt shows it, deployer up --local --env 'a b' makes it so.",
            ),
            ("deployer local start starts it.", "deployer local --local-port 1 start starts it."),
            ("all that deployer needs", "all that deployer needs"),
            ("deployer upset", "deployer upset"),
            ("policies/deployer up", "policies/deployer up"),
            ("deployer ", "deployer "),
            ("", ""),
        ] {
            assert_eq!(completed(text, &flags), whole);
            assert_eq!(completed(text, &Flags::default()), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_reads_a_quoted_word_as_it_was(word in "[^\\x00]{0,20}") {
            let print = format!("printf %s {}", quoted(&word));
            let output = Command::new("sh").args(["-c", &print]).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
