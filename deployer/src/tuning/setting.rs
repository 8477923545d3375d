//! A setting of a function: what `tune` tries.

use crate::manifest::Architecture;
use serde::Serialize;

/// The memory and the processor of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) memory_mb: i32,
    pub(crate) architecture: Architecture,
}

impl Setting {
    /// Returns every combination of memory and processor, each once.
    pub(crate) fn combinations(memory: &[i32], architectures: &[Architecture]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for architecture in architectures {
            for memory_mb in memory {
                let setting = Self { memory_mb: *memory_mb, architecture: *architecture };
                if !all.contains(&setting) {
                    all.push(setting);
                }
            }
        }
        all
    }

    /// Returns the setting in words: `256 MB, x86_64`.
    pub(crate) fn text(self) -> String {
        format!("{} MB, {}", self.memory_mb, self.architecture.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_all_combinations_each_once() {
        let both = [Architecture::X86_64, Architecture::Arm64];
        let all: Vec<String> =
            Setting::combinations(&[256, 128, 256], &both).into_iter().map(Setting::text).collect();
        assert_eq!(all, ["256 MB, x86_64", "128 MB, x86_64", "256 MB, arm64", "128 MB, arm64"]);
    }
}
