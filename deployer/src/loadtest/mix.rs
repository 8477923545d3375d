//! The requests of a load test: the built-in ones, or those of a file.

mod built_in;
mod file;
#[cfg(test)]
mod tests;

pub(crate) use built_in::BuiltInMix;
pub(crate) use file::read;
