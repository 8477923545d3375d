//! The styles of text for people, by what they mean.

use anstyle::{AnsiColor, Style};

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();
/// For details.
pub(super) const FAINT: Style = Style::new().dimmed();
