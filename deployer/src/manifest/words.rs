//! Words for messages.

/// What somebody most likely meant.
pub(crate) fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // Below this, a suggestion is more of a guess than a help.
    const ALIKE: f64 = 0.8;
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (alikeness(&word, &known.to_lowercase()), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

fn alikeness(word: &str, known: &str) -> f64 {
    // `proxy` is no misspelled `aws-proxy`, and still means that.
    if word.len() > 2 && known.contains(word) { 1.0 } else { strsim::jaro_winkler(word, known) }
}

/// `a, b or c`.
pub(super) fn or(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// `a, b, c`; of many, the first ones and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 20;
    let shown = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
