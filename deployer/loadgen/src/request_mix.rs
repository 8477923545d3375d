//! The mix of a load: its kinds of requests and their shares.

use crate::request_template::RequestTemplate;
use sha2::{Digest as _, Sha256};

/// The kinds of requests of a load, with their shares.
#[derive(Clone, Debug)]
pub struct RequestMix {
    kinds: Vec<RequestKind>,
    /// The indexes of the kinds in the order of sending. The pattern repeats until the end of the run.
    pattern: Vec<u8>,
}

/// One kind of request.
#[derive(Clone, Debug)]
pub struct RequestKind {
    name: String,
    share: u16,
    handler: String,
    pub(crate) template: RequestTemplate,
    pub(crate) undo: Option<RequestTemplate>,
    /// The text that identifies the kind in the fingerprint.
    definition: String,
}

/// The maximum number of kinds. An index has to fit into a byte, and a report has to stay readable.
const MAX_KINDS: usize = 50;

/// The maximum share of a kind of request.
pub const MAX_SHARE: u16 = 1000;

impl RequestMix {
    /// Creates a mix of these kinds of requests.
    ///
    /// # Errors
    /// A message that says that there are no kinds, too many, or two with the same name.
    pub fn new(kinds: Vec<RequestKind>) -> Result<Self, String> {
        if kinds.is_empty() {
            return Err("it has no request with a share".to_owned());
        }
        Self::check_count(kinds.len())?;
        for (n, kind) in kinds.iter().enumerate() {
            if kinds[..n].iter().any(|other| other.name == kind.name) {
                return Err(format!("two requests have the name {}", kind.name));
            }
        }
        let pattern = interleave(&kinds.iter().map(|kind| kind.share).collect::<Vec<_>>());
        Ok(Self { kinds, pattern })
    }

    /// Checks the number of kinds of requests before they are created.
    ///
    /// # Errors
    /// A message that says that there are too many.
    pub fn check_count(kinds: usize) -> Result<(), String> {
        if kinds > MAX_KINDS {
            return Err(format!("it has {kinds} requests, but at most {MAX_KINDS} are allowed"));
        }
        Ok(())
    }

    /// Returns the kinds of requests, in the order of [`RequestMix::new`].
    #[must_use]
    pub fn kinds(&self) -> &[RequestKind] {
        &self.kinds
    }

    /// Returns the index of the kind of a request, by its number in the schedule.
    pub(crate) fn index(&self, number: u64) -> usize {
        let position = usize::try_from(number % self.pattern.len() as u64).unwrap_or_default();
        usize::from(self.pattern[position])
    }

    /// Returns the fraction of all requests that are of this kind, between 0 and 1.
    #[must_use]
    pub fn part(&self, kind: &RequestKind) -> f64 {
        let total: u32 = self.kinds.iter().map(|kind| u32::from(kind.share)).sum();
        f64::from(kind.share) / f64::from(total)
    }

    /// Returns the fraction of all requests that meet a condition, between 0 and 1.
    pub fn part_where(&self, condition: impl Fn(&RequestKind) -> bool) -> f64 {
        self.kinds.iter().filter(|kind| condition(kind)).map(|kind| self.part(kind)).sum()
    }

    /// Returns the handlers of all requests without duplicates, in the order of the kinds.
    #[must_use]
    pub fn handlers(&self) -> Vec<&str> {
        let mut handlers: Vec<&str> = Vec::new();
        for kind in &self.kinds {
            if !handlers.contains(&kind.handler.as_str()) {
                handlers.push(&kind.handler);
            }
        }
        handlers
    }

    /// Returns the kinds that create items but have no undo.
    pub fn without_undo(&self) -> impl Iterator<Item = &RequestKind> {
        self.kinds.iter().filter(|kind| kind.creates_item() && kind.undo.is_none())
    }

    /// Returns a hash of the requests and their shares, as 12 hexadecimal digits. Equal mixes have equal fingerprints.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let definitions: Vec<&str> = self.kinds.iter().map(|kind| kind.definition.as_str()).collect();
        let hash = Sha256::digest(definitions.join("\n"));
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl RequestKind {
    /// Creates a kind of request.
    ///
    /// - `name` is the name in reports. It has 1 to 64 bytes.
    /// - `share` is the weight in the mix, from 1 to [`MAX_SHARE`].
    /// - `handler` identifies the handler of the request. The generator uses it only for grouping.
    /// - `undo` is the request that undoes this one.
    /// - `definition` identifies the request in the fingerprint, together with name and share.
    ///
    /// # Errors
    /// A message that says what is wrong with the name or the share.
    pub fn new(
        name: &str,
        share: u16,
        handler: &str,
        template: RequestTemplate,
        undo: Option<RequestTemplate>,
        definition: &str,
    ) -> Result<Self, String> {
        if name.is_empty() || name.len() > 64 {
            return Err("its name must have 1 to 64 characters".to_owned());
        }
        if !(1..=MAX_SHARE).contains(&share) {
            return Err(format!("its share is {share}, but must be from 1 to {MAX_SHARE}"));
        }
        let definition = format!("{name} {share} {definition}");
        Ok(Self { name: name.to_owned(), share, handler: handler.to_owned(), template, undo, definition })
    }

    /// Returns the name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the weight in the mix.
    #[must_use]
    pub fn share(&self) -> u16 {
        self.share
    }

    /// Returns the handler of the request.
    #[must_use]
    pub fn handler(&self) -> &str {
        &self.handler
    }

    /// Returns the template of the request.
    #[must_use]
    pub fn template(&self) -> &RequestTemplate {
        &self.template
    }

    /// Returns the template of the request that undoes this one.
    #[must_use]
    pub fn undo(&self) -> Option<&RequestTemplate> {
        self.undo.as_ref()
    }

    /// Returns whether the request creates an item. Then its path or body has a new id.
    #[must_use]
    pub fn creates_item(&self) -> bool {
        self.template.has_new_id()
    }
}

/// Interleaves kinds as evenly as possible: shares of 1 and 3 become b b a b, not a b b b. At every point, the count of each
/// kind differs from its share by less than one request, so that all seconds of a run have the same mix.
///
/// This is the proportionate fair scheduling of Baruah and others (1996): each turn of a kind has a window, and the kind
/// whose window ends first is next.
fn interleave(shares: &[u16]) -> Vec<u8> {
    let divisor = shares.iter().copied().fold(0, gcd).max(1);
    let shares: Vec<u64> = shares.iter().map(|share| u64::from(share / divisor)).collect();
    let total: u64 = shares.iter().sum();
    let mut turns = vec![0_u64; shares.len()];
    (0..total)
        .map(|now| {
            let next = (0..shares.len())
                .filter(|n| turns[*n] * total / shares[*n] <= now)
                .min_by_key(|n| ((turns[*n] + 1) * total).div_ceil(shares[*n]))
                .unwrap_or_default();
            turns[next] += 1;
            u8::try_from(next).unwrap_or_default()
        })
        .collect()
}

fn gcd(a: u16, b: u16) -> u16 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Returns the fingerprint of a mix of one request with this body.
    fn fingerprint(body: &str) -> String {
        let template = RequestTemplate::new("POST", "/items", body, &BTreeMap::new()).unwrap();
        let definition = template.canonical_text();
        let kind = RequestKind::new("a", 1, "f", template, None, &definition).unwrap();
        RequestMix::new(vec![kind]).unwrap().fingerprint()
    }

    /// Result files contain fingerprints, so they must not change between versions.
    #[test]
    fn fingerprints_are_stable_and_depend_on_the_request() {
        assert_eq!(fingerprint("x"), "d30976decec3");
        assert_ne!(fingerprint("x"), fingerprint("y"));
    }

    #[test]
    fn interleaves_kinds_evenly() {
        assert_eq!(interleave(&[1, 3]), [1, 1, 0, 1]);
        assert_eq!(interleave(&[20, 50, 10, 20]), [1, 0, 1, 3, 1, 0, 1, 2, 1, 3]);
        assert_eq!(interleave(&[500, 500]), [0, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_prefix_of_the_pattern_matches_the_shares(shares in proptest::collection::vec(1_u16..1001, 1..51)) {
            let pattern = interleave(&shares);
            let total: f64 = shares.iter().map(|share| f64::from(*share)).sum();
            let mut counts = vec![0.0; shares.len()];
            for (n, request) in pattern.iter().enumerate() {
                counts[usize::from(*request)] += 1.0;
                let length = f64::from(u32::try_from(n).unwrap() + 1);
                for (count, share) in counts.iter().zip(&shares) {
                    let expected: f64 = length * f64::from(*share) / total;
                    prop_assert!((count - expected).abs() < 1.0, "{pattern:?}");
                }
            }
            let divisor = shares.iter().copied().fold(0, gcd);
            let sum: u32 = shares.iter().map(|share| u32::from(*share)).sum();
            prop_assert_eq!(pattern.len(), usize::try_from(sum / u32::from(divisor)).unwrap());
        }
    }
}
